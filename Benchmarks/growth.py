#!/usr/bin/env python3
"""Measures how CPU a record grows with keys, panes, fields, topologies and workers.

usage: growth.py [--plumbline FILE] [--records N] [--rounds N] [--only NAMES] [--most-keys N]

Every point is a run over a small and a large log; what it costs is the difference, so that
start-up and the first sight of keys drop out. Rounds go over all points of a curve in turn.
"""
import argparse
import dataclasses
import datetime
import pathlib
import shutil
import subprocess
import sys
import tempfile

import bench
from harness import contenders, measure, table

START = 1_760_000_000_000
# Records of the small log, as a part of those that the large one has more.
SMALL = 4


@dataclasses.dataclass(frozen=True)
class Point:
    """One place on a curve: what the log holds, and what runs over it."""

    label: str
    steps: tuple
    keys: int = 1000
    # Readings of a key are so far apart, in seconds.
    period: int = 10
    fields: int = 2
    workers: int = 1
    partitions: int = 1


def schema(point):
    """The schema of a point's readings."""
    values = "".join(f"\n  v{number}: decimal(1)" for number in range(point.fields))
    return f"schema: reading\nfields:\n  device: string\n  ts: timestamp{values}"


def topology(name, steps):
    """A topology over the readings, whose last step is named `last`."""
    return f"""topology: {name}
version: 1
sources:
  load:
    topic: readings
    schema: reading
    key: device
    time: {{field: ts, disorder: 0s, lateness: 0s, ahead: 10m}}
steps:
{steps}
sinks:
  - {{from: last, topic: {name}.out}}
"""


def levels(field="load.v0"):
    """A ladder that few readings climb."""
    return f"  - last: {{from: load, key: device, levels: {{of: {field}, raise: {{high: 99.8}}}}}}"


def window(form, value="mean(load.v0)"):
    """An aggregate of every key over a window."""
    return f"  - last: {{from: load, key: device, window: {{{form}, aggregate: {{a: {value}}}}}}}"


def few(condition):
    """A filter that nothing passes."""
    return f"  - last: {{from: load, filter: {condition}}}"


def every_field(count):
    """A condition that reads so many fields and is never true."""
    return few(" || ".join(f"load.v{number} < 0.0" for number in range(count)))


def curves(most_keys):
    """Every curve: its name and its points, the first one being what the others stand beside."""
    keys = [count for count in (10**3, 10**4, 10**5, 10**6, 10**7) if count <= most_keys]
    panes = (1, 4, 16, 64, 256)
    tumbling = window("tumbling: 15m")
    return {
        "keys-levels": [Point(f"{count:,}", (levels(),), keys=count) for count in keys],
        "keys-window": [Point(f"{count:,}", (tumbling,), keys=count) for count in keys],
        "panes": [
            Point(str(count), (window(f"hopping: {{size: {count}m, every: 1m}}"),))
            for count in panes
        ],
        "fields-three-read": [
            Point(str(count), (few("load.v0 < 0.0"),), fields=count) for count in (2, 8, 32, 128)
        ],
        "fields-all-read": [
            Point(str(count), (every_field(count),), fields=count) for count in (2, 8, 32, 128)
        ],
        "topologies": [Point(str(count), (levels(),) * count) for count in (1, 2, 4, 8, 16)],
        "workers": [
            Point(str(count), (tumbling,), workers=count, partitions=4) for count in (1, 2)
        ],
    }


def write_lines(point, first, count, out):
    """Writes readings number `first` and on, all keys in turn."""
    names = [f'{{"device":"device-{key:08}","ts":' for key in range(point.keys)]
    rest = "".join(f',"v{number}":{number}.5' for number in range(1, point.fields)) + "}\n"
    for start in range(first, first + count, 10_000):
        lines = []
        for number in range(start, min(start + 10_000, first + count)):
            turn, key = divmod(number, point.keys)
            time = START + turn * point.period * 1000 + key % 1000
            # A number between 0 and 99.9 that looks like noise and is the same everywhere.
            value = number * 7919 % 1000
            lines.append(f'{names[key]}{time},"v0":{value // 10}.{value % 10}{rest}')
        out.write("".join(lines))


class Growth:
    """One run: logs in a folder, samples by curve and point."""

    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.program = pathlib.Path(arguments.plumbline).resolve()

    def sizes(self, point):
        """Records of the small log and of the large one; all keys stand in the small one."""
        small = max(self.arguments.records // SMALL, point.keys)
        return small, small + self.arguments.records

    def log(self, point, records):
        """A data directory with so many readings, made once."""
        shape = (point.keys, point.period, point.fields, point.partitions, records)
        base = self.folder / "-".join(map(str, ("log", *shape)))
        if base.exists():
            return base
        (self.folder / "reading.yaml").write_text(schema(point))
        lines = self.folder / "readings.ndjson"
        with open(lines, "w", encoding="ascii") as out:
            write_lines(point, 0, records, out)
        command = [self.program, "import", "--data", base, "--topic", "readings"]
        command += ["--format", "json", "--schema", self.folder / "reading.yaml"]
        command += ["--key", "device", "--time", "ts", "--codec", "lz4"]
        command += ["--partitions", str(point.partitions), lines]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        lines.unlink()
        return base

    def topologies(self, point):
        """The folders of a point's topologies."""
        root = self.folder / "topologies"
        shutil.rmtree(root, ignore_errors=True)
        found = []
        for number, steps in enumerate(point.steps):
            folder = root / f"growth-{number}"
            folder.mkdir(parents=True)
            (folder / "topology.yaml").write_text(topology(f"growth-{number}", steps))
            found.append(folder)
        (root / "schemas").mkdir()
        (root / "schemas" / "reading.yaml").write_text(schema(point))
        return found

    def run(self, point, records):
        """One run over a fresh copy of a log."""
        data = self.folder / "round"
        shutil.rmtree(data, ignore_errors=True)
        base = self.log(point, records)
        shutil.copytree(base, data, copy_function=contenders.link_or_copy)
        command = [self.program, "run", "--data", data, *self.topologies(point), "--until-end"]
        return measure.run(command + ["--workers", str(point.workers)])

    def curve(self, name, points):
        """The table of a curve."""
        samples = {point.label: [] for point in points}
        for number in range(self.arguments.rounds):
            for point in points:
                small, large = self.sizes(point)
                pair = [self.run(point, size) for size in (small, large)]
                samples[point.label].append(pair)
                print(
                    f"round {number + 1} {name} {point.label}: {pair[1].cpu:.2f} s CPU, "
                    f"{pair[1].wall:.2f} s, {pair[1].peak:.0f} MB", file=sys.stderr, flush=True)
        for entry in self.folder.glob("log-*"):
            shutil.rmtree(entry)
        return self.markdown(name, points, samples)

    def markdown(self, name, points, samples):
        """Nanoseconds a record, beside the first point round by round, and memory."""
        more = self.arguments.records
        first = samples[points[0].label]
        # One worker's wall time says how busy the machine is, and little else.
        parts = ("cpu", "wall") if name == "workers" else ("cpu",)
        head = "".join(f" {part} ns a record | × the first |" for part in parts)
        lines = [f"### {name}", "", f"| |{head} peak MB |", "|---" * (2 * len(parts) + 2) + "|"]
        for point in points:
            cells = [point.label]
            for part in parts:
                def cost(pair, part=part):
                    return (getattr(pair[1], part) - getattr(pair[0], part)) / more * 1e9
                costs = [cost(pair) for pair in samples[point.label]]
                beside = [
                    own / cost(pair) for own, pair in zip(costs, first) if cost(pair) > 0]
                cells += [table.spread(costs, "{:,.0f}"), table.spread(beside)]
            cells.append(f"{max(pair[1].peak for pair in samples[point.label]):,.0f}")
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines) + "\n"


def parse():
    """The arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--plumbline", default=root / ".build/release/plumbline")
    parser.add_argument(
        "--records", type=int, default=2_000_000, help="that the large log has more")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="curves, with commas: " + ", ".join(curves(1)))
    parser.add_argument("--most-keys", type=int, default=10**6, help="10000000 needs 6 GB")
    return parser.parse_args()


def main():
    """Measures the curves asked for, in a folder that is removed."""
    arguments = parse()
    wanted = arguments.only.split(",") if arguments.only else None
    every = curves(arguments.most_keys)
    if wanted and set(wanted) - set(every):
        sys.exit(f"growth: there is no curve {set(wanted) - set(every)}; there are {list(every)}")
    print(f"{datetime.date.today().isoformat()}, {bench.machine()}, {arguments.rounds} rounds\n")
    with tempfile.TemporaryDirectory(prefix="plumbline-growth-") as folder:
        for name, points in every.items():
            if wanted is None or name in wanted:
                print(Growth(arguments, pathlib.Path(folder)).curve(name, points), flush=True)


if __name__ == "__main__":
    main()
