#!/usr/bin/env python3
"""Measures crane-overload from the embedded log: records per CPU second, wall time, peak memory.

usage: bench.py [--plumbline FILE] [--records N] [--rounds N] [--keep DIR]

Readings come from `plumbline simulate --benchmark crane`; the registry with one chart for every
crane is made here. One partition, so one task; lz4. Every round runs over a fresh copy of the log.
"""
import argparse
import hashlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "Benchmarks"
# Radius in metres and rated load in tonnes: ten points, falling from 6 t to 1.3 t.
CHART = [
    ("2.5", "6.0"), ("13.7", "6.0"), ("16", "5.0"), ("20", "3.9"), ("25", "3.0"),
    ("30", "2.4"), ("35", "2.0"), ("40", "1.7"), ("45", "1.45"), ("50", "1.3"),
]
# What the project asks of itself: million records per CPU second, and megabytes.
FLOOR_MILLION = 2.0
CEILING_MEGABYTES = 150


def measured(command):
    """Runs a command; its user plus system seconds, wall seconds and peak memory in MB."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"bench: exit {process.returncode} of {' '.join(map(str, command))}")
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


def generate(plumbline, directory, records):
    """One file of readings; the generator's output, wherever it puts it in the directory."""
    directory.mkdir(parents=True)
    with open(directory / "stdout.ndjson", "wb") as out:
        command = [plumbline, "simulate", "--benchmark", "crane", "--records", str(records)]
        subprocess.run(command + ["--out", directory], stdout=out, check=True)
    return max(directory.iterdir(), key=lambda path: path.stat().st_size)


def write_registry(readings, path):
    """A line for every crane of the first readings; 1 Hz, so all of them are there."""
    devices = {}
    with open(readings, encoding="utf-8") as lines:
        for _, line in zip(range(100_000), lines):
            devices[json.loads(line)["device"]] = None
    points = ",".join(f'{{"radius":{radius},"capacity":{load}}}' for radius, load in CHART)
    with open(path, "w", encoding="utf-8") as out:
        for device in devices:
            start = "2000-01-01T00:00:00Z"
            out.write(f'{{"device":"{device}","ts":"{start}","chart":[{points}]}}\n')
    return len(devices)


def import_file(plumbline, data, topic, schema, path):
    command = [plumbline, "import", "--data", data, "--topic", topic, "--format", "json"]
    command += ["--schema", BENCHMARKS / "schemas" / f"{schema}.yaml", "--key", "device"]
    return measured(command + ["--time", "ts", "--codec", "lz4", "--partitions", "1", path])


def alarms(plumbline, data):
    """How many alarms there are, and the hash of all of them."""
    command = [plumbline, "export", "--data", data, "--topic", "alarms.crane"]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return output.count(b"\n"), hashlib.sha256(output).hexdigest()[:16]


def bench(arguments, scratch):
    plumbline = pathlib.Path(arguments.plumbline).resolve()
    readings = generate(plumbline, scratch / "input", arguments.records)
    size = readings.stat().st_size / arguments.records
    cranes = write_registry(readings, scratch / "registry.ndjson")
    print(f"{arguments.records:,} readings of {size:.0f} bytes, {cranes:,} cranes", flush=True)

    base = scratch / "base"
    import_file(plumbline, base, "registry.crane", "bench-crane", scratch / "registry.ndjson")
    cpu, wall, _ = import_file(plumbline, base, "telemetry.crane", "bench-load", readings)
    rate = arguments.records / cpu / 1e6
    print(f"import: {rate:.2f} M records per CPU second, {wall:.1f} s", flush=True)

    rates, peaks, results = [], [], set()
    for index in range(arguments.rounds):
        data = scratch / "round"
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(base, data)
        command = [plumbline, "run", "--data", data, BENCHMARKS / "crane-overload", "--until-end"]
        cpu, wall, peak = measured(command)
        rates.append(arguments.records / cpu / 1e6)
        peaks.append(peak)
        results.add(alarms(plumbline, data))
        print(
            f"round {index + 1}: {rates[-1]:.2f} M records per CPU second, "
            f"{cpu:.2f} s CPU, {wall:.2f} s wall, {peak:.0f} MB", flush=True)
    if len(results) != 1:
        sys.exit(f"bench: rounds gave different alarms: {sorted(results)}")
    count, digest = results.pop()
    if count == 0:
        sys.exit("bench: no alarm came out; the measurement means nothing")
    print(f"alarms: {count:,}, sha256 {digest}")
    print(
        f"crane-overload: {statistics.median(rates):.2f} M records per CPU second "
        f"(asked: {FLOOR_MILLION}), {max(peaks):.0f} MB (asked: below {CEILING_MEGABYTES})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plumbline", default=ROOT / ".build/release/plumbline")
    parser.add_argument("--records", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", help="work in this new folder and leave it")
    arguments = parser.parse_args()
    if arguments.keep:
        folder = pathlib.Path(arguments.keep)
        folder.mkdir(parents=True)
        bench(arguments, folder)
        return
    with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as folder:
        bench(arguments, pathlib.Path(folder))


if __name__ == "__main__":
    main()
