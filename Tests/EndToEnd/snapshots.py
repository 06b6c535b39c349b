"""Snapshots only save time: lost, damaged or cut ones change no record.

A run with many small epochs is killed once it has written snapshots; then they are removed, or
damaged one way, and the run goes on to the end.
"""
import random
import shutil
import signal
import subprocess
import time

import _harness as harness

SMALL = ["--epoch-rows", 200, "--snapshot-rows", 400, "--trace"]


def partly_run(base, to):
    """A copy of `base` whose run was killed half-way, with snapshots."""
    data = harness.copy(base, to)
    trace = data.with_suffix(".trace")
    with open(trace, "wb") as errors:
        process = subprocess.Popen(
            [harness.PLUMBLINE, *map(str, harness.bounded_run(data, *SMALL))],
            stdout=subprocess.DEVNULL, stderr=errors)
    while process.poll() is None and trace.read_bytes().count(b"is committed") < 60:
        time.sleep(0.001)
    harness.check(process.poll() is None, "the run has ended before it could be killed")
    process.send_signal(signal.SIGKILL)
    process.wait()
    return data


def flip(path, source):
    content = bytearray(path.read_bytes())
    content[source.randrange(len(content))] ^= 1 << source.randrange(8)
    path.write_bytes(content)


def damages(data, source):
    """By name, ways to spoil the snapshots of a data directory."""
    folder = data / "state/snapshots"

    def files(pattern):
        found = sorted(path for path in folder.rglob(pattern) if path.is_file())
        harness.check(found, f"there is no snapshot file {pattern}")
        return found

    def chunks():
        return [path for path in files("*") if path.name != "manifest"]

    def each(paths, change):
        for path in paths:
            change(path)

    return {
        "removed": lambda: shutil.rmtree(folder),
        "the whole state directory removed": lambda: shutil.rmtree(data / "state"),
        "a bit of each state flipped": lambda: each(chunks(), lambda path: flip(path, source)),
        "each state cut": lambda: each(
            chunks(), lambda path: path.write_bytes(path.read_bytes()[:-1])),
        "each state empty": lambda: each(chunks(), lambda path: path.write_bytes(b"")),
        "each manifest garbage": lambda: each(
            files("manifest"), lambda path: path.write_bytes(b"\xff{}")),
        "each manifest a directory": lambda: each(
            files("manifest"), lambda path: (path.unlink(), path.mkdir())),
        "each state missing": lambda: each(chunks(), lambda path: path.unlink()),
        "the newest state damaged": lambda: each(
            [max(task.rglob("0"), key=str) for task in folder.glob("*/*") if
             any(task.rglob("0"))], lambda path: flip(path, source)),
    }


def main():
    source = random.Random(harness.SEED)
    with harness.scratch() as scratch:
        base, _, expected = harness.undisturbed(scratch)
        partial = partly_run(base, scratch / "partial")
        names = list(damages(partial, source))
        for name in names:
            data = harness.copy(partial, scratch / "data")
            damages(data, source)[name]()
            code, _, errors = harness.execute(*harness.bounded_run(data))
            harness.check(code == 0, f"{name}: exit {code}\n{errors}")
            harness.check_same(expected, data, name)
            harness.say(f"{name}: same records")


if __name__ == "__main__":
    main()
