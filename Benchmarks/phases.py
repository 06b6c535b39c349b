#!/usr/bin/env python3
"""Says where the CPU time of C1, D1 and D2 goes, from the log: a sampled profile by phase.

usage: phases.py [--plumbline FILE] [--records N] [--rounds N] [--queries LIST]

Needs `perf` (Debian: linux-perf) and the right to use it. A sample belongs to the innermost
function that has a phase; durability is what the phases marked with * do.
"""
import argparse
import collections
import datetime
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import bench
from harness import contenders, measure, table, workload

# Of a function's mangled name; the first that fits holds.
PHASES = [
    ("read: decompress", r"^(LZ4F?|ZSTD)_decompress"),
    ("write: compress *", r"^(LZ4F?|LZ4HC|ZSTD)_compress"),
    ("commit and journal *", r"^\$s6Engine10TaskRunnerC11commitEpoch|EmbeddedTaskC6commit"),
    ("snapshots *", r"^\$s6Engine13SnapshotStore|^\$s8Dataflow8PipelineC4save|EmbeddedSnapshots"),
    ("write: hash of the records *", r"OutputTopicC11hashRecords|SHA256"),
    ("write: record batches *", r"^\$s9RecordLog0A12BatchBuilder|^\$s6Engine11OutputTopicC"),
    ("write: values and headers", r"^\$s6Engine14RecordComposer|JSONRowEncoder|AlarmEncoder"),
    ("read: checksum", r"^\$s10Primitives6CRC32C|crc32c"),
    ("read: records", r"^\$s9RecordLog0A(6Parser|12BatchDecoder)"),
    ("read: file", r"^\$s9RecordLog15PartitionReader|pread64|__libc_pread"),
    ("decode: keys", r"^\$s8Columnar8KeyTableV"),
    ("decode: fields", r"^\$s10Connectors\d+\w*?RecordDecoderC"),
    ("read: headers", r"^\$s10Connectors13RecordHeaders|^\$s10Connectors0?A?\d*\w*HeadersO4read"),
    ("operators: {}", r"^\$s8Dataflow\d+([A-Z][a-z]+)OperatorC"),
    ("operators: window", r"^\$s8Dataflow\d+(Window|Pane)"),
    ("clocks", r"^\$s8Dataflow11SourceClock"),
    ("pipeline", r"^\$s8Dataflow8PipelineC"),
    ("judge and merge", r"^\$s6Engine(9TaskInput|8TaskCore)C"),
    ("steps of the task", r"^\$s6Engine\d+(TaskRunner|WorkerLoop)"),
]
RULES = [(name, re.compile(pattern)) for name, pattern in PHASES]


def phase(frames):
    """The phase of a sample; its frames stand innermost first."""
    for frame in frames:
        for name, pattern in RULES:
            found = pattern.search(frame)
            if found:
                return name.format(*(part.lower() for part in found.groups()[:1]))
    return "start, end and the rest"


def samples(path):
    """The phases of all samples of a recording, counted."""
    counts = collections.Counter()
    command = ["perf", "script", "--input", path, "--fields", "ip,sym", "--no-demangle"]
    text = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    for block in text.split("\n\n"):
        frames = [line.split(maxsplit=1)[-1] for line in block.splitlines() if line.strip()]
        if frames:
            counts[phase(frames)] += 1
    return counts


class Phases:
    """Runs of queries over the log of the benchmark, recorded."""

    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.program = pathlib.Path(arguments.plumbline).resolve()
        self.files = workload.Files(folder, self.program)
        self.contender = contenders.Plumbline(self.program, folder)

    def shares(self, query):
        """Per phase the share of each round, and CPU seconds of a round without a recording."""
        source = self.files.cut(contenders.kind_of(query), self.arguments.records)
        found, cpu = collections.defaultdict(list), []
        for number in range(self.arguments.rounds):
            run = self.contender.prepare(query, source, self.folder / "output")
            cpu.append(measure.run(run.command).cpu)
            run = self.contender.prepare(query, source, self.folder / "output")
            recording = self.folder / "perf.data"
            command = ["perf", "record", "--freq", "2000", "--call-graph", "fp", "--output"]
            subprocess.run(
                [*command, recording, "--", *run.command], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, check=True)
            counts = samples(recording)
            for name, count in counts.items():
                found[name] += [0.0] * (number - len(found[name]))
                found[name].append(count / counts.total() * 100)
        for shares in found.values():
            shares += [0.0] * (self.arguments.rounds - len(shares))
        return found, cpu

    def markdown(self, query):
        """The table of a query."""
        found, cpu = self.shares(query)
        each = sorted(cpu)[len(cpu) // 2] / self.arguments.records * 1e9
        middle = {name: sorted(shares)[len(shares) // 2] for name, shares in found.items()}
        lines = [
            f"### {query}: {each:.0f} ns a record", "", "| phase | % of CPU | ns a record |",
            "|---|---|---|"]
        for name in sorted(found, key=lambda name: -middle[name]):
            lines.append(
                f"| {name} | {table.spread(found[name], '{:.1f}')} | "
                f"{middle[name] / 100 * each:.1f} |")
        durable = [
            sum(shares[number] for name, shares in found.items() if name.endswith("*"))
            for number in range(self.arguments.rounds)]
        lines.append(f"| **durability** (*) | {table.spread(durable, '{:.1f}')} | |")
        return "\n".join(lines) + "\n"


def parse():
    """The arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--plumbline", default=root / ".build/release/plumbline")
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--queries", default="c1 d1 d2")
    return parser.parse_args()


def main():
    """A table for each query, in a folder that is removed."""
    arguments = parse()
    if shutil.which("perf") is None:
        sys.exit("phases: there is no perf; install linux-perf")
    print(f"{datetime.date.today().isoformat()}, {bench.machine()}, {arguments.rounds} rounds\n")
    with tempfile.TemporaryDirectory(prefix="plumbline-phases-") as folder:
        phases = Phases(arguments, pathlib.Path(folder))
        for query in arguments.queries.split():
            print(phases.markdown(query), flush=True)


if __name__ == "__main__":
    main()
