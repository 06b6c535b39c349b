#!/usr/bin/env python3
"""Measures the benchmark's queries, this project beside the yardstick or beside all peers.

usage: bench.py [--peers] [--plumbline FILE] [--records N] [--rounds N] [--queries LIST] …

Every round runs every contender on every query, on a small and a large file in turn; README.md
beside this file says what is measured and how to read the tables.
"""
import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import platform
import sys
import tempfile

from harness import contenders, measure, outputs, table, workload

QUERIES = "p0-crane c1 c1-alarms p0-dust d1 d2"
# The small file has one record of so many of the large one.
SMALL = 5


class Bench:
    """One run of the benchmark: its files, samples and verdicts."""

    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        own = {kind: getattr(arguments, kind) for kind in ("crane", "dust")}
        own = {kind: path for kind, path in own.items() if path}
        self.plumbline = pathlib.Path(arguments.plumbline).resolve()
        self.files = workload.Files(folder, self.plumbline, own)
        self.samples, self.verdicts, self.hashes = [], {}, {}
        self.yardstick = contenders.Yardstick()
        self.contenders = self.present(arguments.peers)

    def present(self, peers):
        """Those who take part; says who does not and why."""
        ours = contenders.Plumbline(self.plumbline, self.folder, self.arguments.workers)
        plain = contenders.PlainFile(self.plumbline.with_name("PlainFile"), self.folder)
        every = [ours, self.yardstick, plain] + (contenders.peers() if peers else [])
        wanted = self.arguments.only.split(",") if self.arguments.only else []
        found = []
        for contender in every:
            if wanted and not any(part.lower() in contender.name.lower() for part in wanted):
                continue
            why = contender.missing()
            if why is None:
                found.append(contender)
            else:
                print(f"left out: {contender.name}: {why}", file=sys.stderr)
        return found

    def run(self):
        """All rounds; the order of contenders turns from round to round."""
        for number in range(self.arguments.rounds):
            for query in self.arguments.queries.split():
                turn = number % len(self.contenders)
                for contender in self.contenders[turn:] + self.contenders[:turn]:
                    if contender.takes(query):
                        self.measure(number, query, contender)

    def measure(self, number, query, contender):
        """One contender's runs of a query in a round."""
        records = self.arguments.records // contender.shares.get(query, 1)
        sizes = [records] if self.arguments.whole else [records // SMALL, records]
        for size in sizes:
            source = self.files.cut(contenders.kind_of(query), size)
            output = self.folder / "output"
            run = contender.prepare(query, source, output)
            try:
                usage = measure.run(run.command, run.environment, self.arguments.timeout)
            except measure.Failed as error:
                print(f"{query} {contender.name}: {error}", file=sys.stderr, flush=True)
                self.verdicts[query, contender.name] = outputs.Verdict("–", 0, "failed")
                return
            written = contender.collect(query, output)
            self.samples.append(table.Sample(
                query, contender.name, number + 1, size, usage.cpu, usage.wall, usage.peak,
                written))
            print(
                f"round {number + 1} {query} {contender.name}: {size:,} records, {usage.cpu:.2f} s "
                f"CPU, {usage.wall:.2f} s, {usage.peak:.0f} MB", file=sys.stderr, flush=True)
        self.judge(query, contender, source, output)

    def judge(self, query, contender, source, output):
        """Compares the larger output with the exact one; every round must give the same."""
        if query.startswith("p0"):
            return
        expected = None
        if query != "c1-alarms":
            expected = outputs.expect(query, source, self.folder)
        verdict = outputs.judge(output, expected, self.hashes)
        earlier = self.verdicts.setdefault((query, contender.name), verdict)
        if earlier.hash != verdict.hash:
            findings = f"rounds differ: {earlier.hash}, {verdict.hash}"
            self.verdicts[query, contender.name] = outputs.Verdict("–", verdict.lines, findings)

    def report(self):
        """The tables, in Markdown."""
        when = datetime.date.today().isoformat()
        print(f"{when}, {machine()}, {self.arguments.rounds} rounds\n")
        for query in self.arguments.queries.split():
            if any(sample.query == query for sample in self.samples):
                print(table.markdown(query, self.samples, self.verdicts, self.yardstick.name))

    def save(self, path):
        """All samples and verdicts as JSON."""
        verdicts = [
            {"query": query, "name": name, **dataclasses.asdict(verdict)}
            for (query, name), verdict in self.verdicts.items()
        ]
        samples = [dataclasses.asdict(sample) for sample in self.samples]
        text = json.dumps({"machine": machine(), "samples": samples, "verdicts": verdicts})
        pathlib.Path(path).write_text(text + "\n")

    def exact(self):
        """Whether this project's own outputs are the exact ones."""
        return all(
            not verdict.findings for (_, name), verdict in self.verdicts.items()
            if name.startswith("plumbline"))


def machine():
    """Processor, cores, kernel and how busy it is."""
    text = pathlib.Path("/proc/cpuinfo").read_text()
    model = next((line.split(":")[1].strip() for line in text.splitlines() if "model name" in line),
                 platform.machine())
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} × {model}, Linux {platform.release()}, load average {load:.1f}"


def parse():
    """The arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--plumbline", default=root / ".build/release/plumbline")
    parser.add_argument("--peers", action="store_true", help="all peers, not the yardstick alone")
    parser.add_argument("--only", help="contenders whose names have one of these, with commas")
    parser.add_argument("--queries", default=QUERIES)
    parser.add_argument("--records", type=int, default=10_000_000, help="of the larger file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1, help="of this project, and partitions")
    parser.add_argument("--whole", action="store_true", help="the larger file only")
    parser.add_argument("--crane", help="a file of crane readings to take instead")
    parser.add_argument("--dust", help="a file of dust readings to take instead")
    parser.add_argument("--timeout", type=float, default=3600, help="seconds for one run")
    parser.add_argument("--json", help="write all samples to this file")
    parser.add_argument("--keep", help="work in this folder, and take up what is in it")
    return parser.parse_args()


def bench(arguments, folder):
    """Runs and reports; the exit code says whether our own outputs are exact."""
    work = Bench(arguments, folder)
    work.run()
    work.report()
    if arguments.json:
        work.save(arguments.json)
    if not work.exact():
        sys.exit("bench: an output of this project is not the exact one")


def main():
    """Runs in the folder asked for, or in one that is removed."""
    arguments = parse()
    if arguments.keep:
        folder = pathlib.Path(arguments.keep)
        folder.mkdir(parents=True, exist_ok=True)
        bench(arguments, folder.resolve())
        return
    with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as folder:
        bench(arguments, pathlib.Path(folder))


if __name__ == "__main__":
    main()
