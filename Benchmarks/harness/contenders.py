"""Who takes part: for each contender, how it is made ready and what runs a query."""
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess

from . import workload

BENCHMARKS = pathlib.Path(__file__).resolve().parent.parent
PEERS = BENCHMARKS / "peers"
# Where setup.py puts virtual environments and compiled programs.
BUILT = BENCHMARKS.parent / ".build" / "peers"


@dataclasses.dataclass(frozen=True)
class Run:
    """A command to be measured, and what it needs in its environment."""

    command: list
    environment: dict = dataclasses.field(default_factory=dict)


class Peer:
    """A program that reads the plain file and writes lines: PROGRAM QUERY INPUT OUTPUT."""

    def __init__(self, name, program, shares=None, form="lines"):
        self.name, self.program, self.form = name, program, form
        # Of how many records it gets one, by query: slow ones would take hours.
        self.shares = shares or {}

    def missing(self):
        """What is not there that it needs, or None."""
        parts = [part for part in self.program if isinstance(part, pathlib.Path)]
        absent = [part for part in parts if not part.exists()]
        return f"not set up, no {absent[0]}" if absent else None

    def takes(self, query):
        """Whether it answers a query."""
        return not query.endswith("alarms")

    def prepare(self, query, source, output):
        """What to run for a query over a file of readings."""
        if output.is_dir():
            shutil.rmtree(output)
        output.unlink(missing_ok=True)
        shutil.rmtree(f"{output}.checkpoint", ignore_errors=True)
        return Run([*self.program, query, source, output])

    def collect(self, query, output):
        """Brings the lines to `output`; gives how many bytes had been written."""
        if self.form == "parts":
            parts = sorted(output.glob("**/*part-*"))
            joined = output.with_suffix(".joined")
            with open(joined, "wb") as out:
                for part in parts:
                    if not part.name.endswith(".crc"):
                        out.write(part.read_bytes())
            shutil.rmtree(output)
            joined.rename(output)
        # P0 of some peers goes to standard output.
        size = output.stat().st_size if output.exists() else 0
        if self.form == "rows":
            rewrite(query, output)
        return size


class Plumbline:
    """This project, from its log to committed outputs: a fresh copy of the log for every run."""

    name = "plumbline, from the log"
    # Where each query's readings are, and what it writes.
    topics = {"crane": "telemetry.crane", "dust": "telemetry.dust"}
    schemas = {"crane": "bench-load", "dust": "bench-dust"}
    outputs = {
        "c1": "levels.crane", "c1-alarms": "alarms.crane", "d1": "means.dust", "d2": "means.dust",
    }
    shares = {}

    def __init__(self, program, folder, workers=1):
        self.program, self.folder, self.workers = program, folder, workers
        self.data = folder / "round"

    def missing(self):
        """What is not there that it needs, or None."""
        return None if self.program.exists() else f"not built: {self.program}"

    def takes(self, query):
        """Whether it answers a query."""
        return True

    def log_of(self, query, source):
        """A data directory with the readings in it, imported once."""
        base = self.folder / f"log-{source.stem}-{self.workers}"
        if base.exists():
            return base
        kind = kind_of(query)
        making = self.folder / "log-making"
        shutil.rmtree(making, ignore_errors=True)
        if kind == "crane":
            registry = self.folder / "registry.ndjson"
            workload.write_registry(source, registry)
            self.load(making, "registry.crane", "bench-crane", registry)
        self.load(making, self.topics[kind], self.schemas[kind], source)
        making.rename(base)
        return base

    def load(self, data, topic, schema, path):
        """Imports a file, into one partition a worker."""
        command = [self.program, "import", "--data", data, "--topic", topic, "--format", "json"]
        command += ["--schema", BENCHMARKS / "schemas" / f"{schema}.yaml", "--key", "device"]
        command += ["--time", "ts", "--codec", "lz4", "--partitions", str(self.workers), path]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)

    def prepare(self, query, source, output):
        """What to run for a query over a file of readings."""
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.copytree(self.log_of(query, source), self.data, copy_function=link_or_copy)
        command = [self.program, "run", "--data", self.data, BENCHMARKS / query, "--until-end"]
        return Run(command + ["--workers", str(self.workers)])

    def collect(self, query, output):
        """Brings the values of the output topic's records to `output`; gives the bytes on disk."""
        if query.startswith("p0"):
            output.write_bytes(b"")
            return 0
        command = [self.program, "export", "--data", self.data, "--topic", self.outputs[query]]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        with open(output, "wb") as out:
            for line in process.stdout:
                out.write(line[line.index(b'"value":') + 8:-2] + b"\n")
        if process.wait() != 0:
            raise RuntimeError(f"export of {self.outputs[query]} failed")
        segments = self.data.glob(f"kafka/{self.outputs[query]}-*/*.log")
        return sum(segment.stat().st_size for segment in segments)


class PlainFile(Peer):
    """This project over the plain file, as peers read it: no log, no journal, nothing durable."""

    def __init__(self, program, folder):
        super().__init__("plumbline, plain file", [program])
        self.folder = folder

    def prepare(self, query, source, output):
        """What to run for a query over a file of readings."""
        files = [source]
        if query == "c1":
            registry = self.folder / "registry.ndjson"
            if not registry.exists():
                workload.write_registry(source, registry)
            files.insert(0, registry)
        return Run([*self.program, BENCHMARKS / query, output, *files])


def rewrite(query, output):
    """Writes rows of a peer with a JSON format of its own as everybody's lines."""
    made = output.with_suffix(".lines")
    with open(output, encoding="utf-8") as rows, open(made, "w", encoding="utf-8") as out:
        for row in map(json.loads, rows):
            line = f'{{"device":"{row["device"]}",'
            if query == "c1":
                line += f'"ts":{row["ts"]},"level":"{row["level"]}"}}\n'
            else:
                exceeded = "true" if row["exceeded"] else "false"
                line += f'"start":{row["start"]},"mean":{row["mean"]:.4f},"exceeded":{exceeded}}}\n'
            out.write(line)
    made.rename(output)


def kind_of(query):
    """Which file a query reads: crane or dust."""
    return "crane" if query.startswith("c") or query.endswith("crane") else "dust"


def link_or_copy(source, target):
    """Copies a file; a segment of the input, which nobody writes any more, is linked."""
    if source.endswith(".log") and os.path.getsize(source) > 1 << 20:
        os.link(source, target)
    else:
        shutil.copy2(source, target)


class Yardstick(Peer):
    """The single-purpose C++ programs, one a kind of file."""

    def __init__(self):
        super().__init__("C++ on simdjson (Y)", [BUILT / "yardstick" / "dust"])

    def prepare(self, query, source, output):
        """What to run for a query over a file of readings."""
        program = BUILT / "yardstick" / kind_of(query)
        return Run([program, query.split("-")[0], source, output])


class Java(Peer):
    """A compiled Java program beside the jars of the peer's Python package."""

    def __init__(self, name, peer, main, jars, options=(), queries="c1 d1 d2", **rest):
        packages = BUILT / peer / "lib" / "python3.11" / "site-packages"
        self.classes, self.jars, self.queries = BUILT / peer / "classes", packages / jars, queries
        path = f"{self.classes}:{self.jars}/*"
        super().__init__(name, ["java", "-XX:+UseParallelGC", *options, "-cp", path, main], **rest)

    def missing(self):
        """What is not there that it needs, or None."""
        absent = [part for part in (self.classes, self.jars) if not part.exists()]
        return f"not set up, no {absent[0]}" if absent else None

    def takes(self, query):
        """Whether it answers a query."""
        return query in self.queries.split()


class Python(Peer):
    """`query.py` of a peer in the peer's own virtual environment."""

    def __init__(self, name, peer, queries="c1 d1 d2", **rest):
        program = [BUILT / peer / "bin" / "python", PEERS / peer / "query.py"]
        super().__init__(name, program, **rest)
        self.queries = queries

    def takes(self, query):
        """Whether it answers a query."""
        return query in self.queries.split()


# What Spark's own launcher opens to it of the Java library.
OPENED = [
    "java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio",
    "java.util", "java.util.concurrent", "java.util.concurrent.atomic", "sun.nio.ch",
    "sun.nio.cs", "sun.security.action", "sun.util.calendar",
]
ALL = "p0-crane c1 p0-dust d1 d2"


def peers():
    """All peers but the yardstick."""
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED]
    return [
        Python("DuckDB", "duckdb", ALL),
        Python("ClickHouse (chdb)", "clickhouse", ALL),
        Java("Flink DataStream", "flink", "DataStreamQuery", "pyflink/lib", queries=ALL),
        Java("Flink SQL", "flink", "SqlQuery", "pyflink/lib", form="parts"),
        Java(
            "Spark", "spark", "StreamQuery", "pyspark/jars", opened, form="parts",
            shares={"d2": 5}),
        Python("Bytewax", "bytewax", ALL, shares={"d1": 20, "d2": 50}),
        Python("Pathway", "pathway", form="rows", shares={"c1": 5, "d1": 5, "d2": 20}),
    ]
