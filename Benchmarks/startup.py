#!/usr/bin/env python3
"""Measures how long C1 takes from the start of the process to its first committed record.

usage: startup.py [--plumbline FILE] [--rounds N]

Three starts: `--version` (the program itself); a first start over 2,000 charts and one reading that
raises an alarm; and the same again after a further reading, from the snapshot and the journal.
"""
import argparse
import datetime
import pathlib
import shutil
import subprocess
import tempfile
import time

import bench
from harness import contenders, table

CHART = ",".join(f'{{"radius":{5 * step},"capacity":6.0}}' for step in range(1, 11))


class Starts:
    """Starts over copies of one data directory."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.base, self.data = folder / "base", folder / "data"
        charts = "".join(
            f'{{"device":"tower-crane-{number:05}","ts":0,"chart":[{CHART}]}}\n'
            for number in range(2000))
        self.load(self.base, "registry.crane", "bench-crane", charts)
        self.load(self.base, "telemetry.crane", "bench-load", self.reading(1, 6.1))

    @staticmethod
    def reading(second, load):
        """A reading at a radius where 6 t are rated."""
        return (
            f'{{"device":"tower-crane-00001","site":"a","ts":{second * 1000},"seq":1,'
            f'"load_t":{load},"radius_m":20.0,"height_m":1.0,"slew_deg":1.0,"wind_ms":1.0,'
            '"tilt_deg":0.1}\n')

    def load(self, data, topic, schema, text):
        """Imports lines."""
        lines = self.folder / "lines.ndjson"
        lines.write_text(text)
        command = [self.program, "import", "--data", data, "--topic", topic, "--format", "json"]
        command += ["--schema", contenders.BENCHMARKS / "schemas" / f"{schema}.yaml"]
        command += ["--key", "device", "--time", "ts", "--partitions", "1", lines]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)

    def start(self):
        """Milliseconds from the start to the first epoch's commit; the run goes on to its end."""
        command = [self.program, "run", "--data", self.data, contenders.BENCHMARKS / "c1"]
        began = time.monotonic()
        process = subprocess.Popen(
            [*command, "--until-end", "--trace"], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        took = None
        for line in process.stderr:
            if took is None and "is committed" in line:
                took = (time.monotonic() - began) * 1000
        if process.wait() != 0 or took is None:
            raise RuntimeError("the run committed nothing")
        return took

    def version(self):
        """Milliseconds of a process that does nothing."""
        began = time.monotonic()
        subprocess.run([self.program, "--version"], stdout=subprocess.DEVNULL, check=True)
        return (time.monotonic() - began) * 1000

    def round(self, number):
        """One start of each kind."""
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.copytree(self.base, self.data)
        first = self.start()
        # Back to below every level, then an alarm again.
        lines = self.reading(10 + 2 * number, 0.1) + self.reading(11 + 2 * number, 6.7)
        self.load(self.data, "telemetry.crane", "bench-load", lines)
        return self.version(), first, self.start()


def main():
    """A table of all starts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--plumbline", default=root / ".build/release/plumbline")
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    print(f"{datetime.date.today().isoformat()}, {bench.machine()}, {arguments.rounds} rounds\n")
    with tempfile.TemporaryDirectory(prefix="plumbline-startup-") as folder:
        starts = Starts(pathlib.Path(arguments.plumbline).resolve(), pathlib.Path(folder))
        found = [starts.round(number) for number in range(arguments.rounds)]
    print("| | ms to the first commit |\n|---|---|")
    for name, values in zip(("the program alone", "first start", "start again"), zip(*found)):
        print(f"| {name} | {table.spread(values, '{:.1f}')} |")


if __name__ == "__main__":
    main()
