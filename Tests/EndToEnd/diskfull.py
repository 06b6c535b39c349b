"""A full disk stops a job with a clear message; with space freed it goes on and loses nothing.

The data directory lies on a small tmpfs, which is filled with a file so that a random small space
is left. Where tmpfs cannot be mounted the script says SKIPPED and passes.
"""
import errno
import json
import os
import random
import subprocess
import time

import _harness as harness

ROUNDS = 4


def free_bytes(path):
    state = os.statvfs(path)
    return state.f_bavail * state.f_frsize


def fill(disk, left):
    """Takes all space of the disk but `left` bytes, rounded to pages."""
    with open(disk / "filler", "wb") as file:
        while (count := free_bytes(disk) - left) > 0:
            try:
                os.posix_fallocate(file.fileno(), 0, count)
                return
            except OSError as error:
                # A run that writes meanwhile has taken some of it: look again.
                if error.errno != errno.ENOSPC:
                    raise


def free(disk):
    (disk / "filler").unlink()


def run_on_full_disk(base, expected, disk, source):
    """Full at several moments of one run; between them a little space, at last enough."""
    data = harness.copy(base, disk / "data")
    stops = 0
    for left in [0, 4096] + [source.randrange(8192, 500_000) for _ in range(ROUNDS)]:
        fill(disk, left)
        arguments = harness.bounded_run(
            data, "--epoch-rows", 300, "--snapshot-rows", source.choice([600, 1_000_000]))
        code, _, errors = harness.execute(*arguments)
        if code != 0:
            harness.check(code == 1, f"{left} bytes left: exit {code}\n{errors}")
            harness.check("No space left on device" in errors, f"{left} bytes left: {errors}")
            harness.check("free" in errors, f"no way out is named: {errors}")
            stops += 1
        # Readers are not stopped by a full disk.
        for topic, lines in harness.exported(data).items():
            harness.check(len(lines) <= len(expected[topic]), f"{topic} has too many records")
        free(disk)
    harness.check(stops >= 2, f"the disk was full only {stops} times")
    harness.plumbline(*harness.bounded_run(data))
    harness.check_same(expected, data, "after a full disk")
    harness.say(f"run: stopped {stops} times by a full disk, then the same records")


def follow_on_full_disk(base, expected, disk, scratch):
    """A run that follows waits for space, says so, and goes on by itself."""
    data, errors = harness.copy(base, disk / "followed"), scratch / "errors"
    # Epochs so small that the disk is full long before the last of them.
    arguments = ["run", "--data", data, *harness.TOPOLOGIES, "--epoch-rows", 5,
                 "--snapshot-rows", 1000]
    with open(errors, "wb") as file:
        run = subprocess.Popen(
            [harness.PLUMBLINE, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=file)
    try:
        wait_until(lambda: b"following; end" in errors.read_bytes(), run, errors)
        fill(disk, 0)
        wait_until(lambda: b"waiting for space" in errors.read_bytes(), run, errors)
        harness.check(not reached(data, harness.high_watermarks(base)), "it was not stopped")
        free(disk)
        ends = harness.high_watermarks(base)
        wait_until(lambda: reached(data, ends), run, errors)
    finally:
        run.terminate()
        code = run.wait(harness.LONGEST_SECONDS)
    harness.check(code == 0, f"exit {code}: {errors.read_text()}")
    harness.plumbline(*harness.bounded_run(data))
    harness.check_same(expected, data, "a following run on a full disk")
    harness.say("run that follows: waits for space, goes on, the same records")


def wait_until(is_so, process, errors):
    deadline = time.monotonic() + 60
    while not is_so():
        harness.check(process.poll() is None and time.monotonic() < deadline,
                      f"waited in vain: {errors.read_text()}")
        time.sleep(0.05)


def reached(data, ends):
    """Whether the crane journal's last epochs name the ends of the readings."""
    lines = harness.plumbline(
        "export", "--data", data, "--topic", "crane-overload.v1.journal").splitlines()
    last = {record["partition"]: record["value"]["positions"][1]
            for record in map(json.loads, lines)}
    return all(last.get(partition) == end for (topic, partition), end in ends.items()
               if topic == "telemetry.crane")


def import_on_full_disk(disk, source):
    data, file = disk / "imported", harness.ROOT / "fixtures/site-day/crane.ndjson"
    arguments = harness.import_arguments(data, "telemetry.crane", file, "--codec", "none")
    stops = 0
    for left in [0] + [source.randrange(4096, 3_000_000) for _ in range(ROUNDS)]:
        fill(disk, left)
        harness.refused(arguments, "No space left on device", "free")
        stops += 1
        free(disk)
    harness.plumbline(*arguments)
    lines = harness.plumbline("export", "--data", data, "--topic", "telemetry.crane").splitlines()
    wanted = len([line for line in file.read_bytes().splitlines() if line.strip()])
    harness.check(len(lines) == wanted, f"{len(lines)} records of {wanted} lines")
    harness.say(f"import: stopped {stops} times by a full disk, then {wanted} records of"
                f" {wanted} lines")


def main():
    source = random.Random(harness.SEED)
    with harness.scratch() as scratch:
        disk = scratch / "disk"
        disk.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", disk], stderr=subprocess.PIPE)
        if mounted.returncode != 0:
            harness.say(f"SKIPPED: no tmpfs can be mounted: {mounted.stderr.decode().strip()}")
            return
        try:
            base, _, expected = harness.undisturbed(scratch)
            run_on_full_disk(base, expected, disk, source)
            follow_on_full_disk(base, expected, disk, scratch)
            import_on_full_disk(disk, source)
        finally:
            subprocess.run(["umount", disk], check=True)


if __name__ == "__main__":
    main()
