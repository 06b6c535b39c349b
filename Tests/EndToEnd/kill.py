"""Kills `run --until-end` with SIGKILL at random moments, KILLS times (default 20).

After every series of kills the run is let through; then every exported record must be that of an
undisturbed run, and `replay` must find all identical. Half of the kills come at a random moment of
the run, half soon after the log was seen to grow, which is where epochs are written. At least a
quarter must have broken an epoch off: unpublished bytes were in the log. SEED=n repeats a series.
"""
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time

import _harness as harness

KILLS = int(os.environ.get("KILLS", "20"))
SEED = int(os.environ.get("SEED", str(time.time_ns() % 1_000_000)))
# A series is let through after so many kills, so that many moments of a whole run are hit.
KILLS_IN_SERIES = 5


def log_size(data):
    """Bytes of all segments that a run writes."""
    total = 0
    for directory in harness.written_partitions(data):
        for segment in directory.glob("*.log"):
            try:
                total += segment.stat().st_size
            except FileNotFoundError:
                pass
    return total


def start(data):
    return subprocess.Popen(
        harness.bounded_run(data), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def wait_for_growth(process, data, times):
    """Returns when the log has grown so many times, or the process has ended."""
    size = log_size(data)
    while times > 0 and process.poll() is None:
        now = log_size(data)
        if now != size:
            size = now
            times -= 1


def kill_once(data, random_source, whole_seconds):
    """One start and one kill; False when the run was through before."""
    process = start(data)
    if random_source.random() < 0.5:
        time.sleep(random_source.uniform(0, whole_seconds))
    else:
        wait_for_growth(process, data, random_source.randint(1, 6))
        time.sleep(random_source.choice([0, 0, random_source.uniform(0, 0.005)]))
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    errors = process.communicate()[1]
    if process.returncode == -signal.SIGKILL:
        return True
    if process.returncode != 0:
        harness.fail(f"seed {SEED}: exit {process.returncode}\n{errors.decode(errors='replace')}")
    return False


def check(data, expected, kills):
    started = start(data)
    errors = started.communicate()[1]
    if started.returncode != 0:
        harness.fail(f"seed {SEED}: after {kills} kills the run ended with exit "
                     f"{started.returncode}\n{errors.decode(errors='replace')}")
    difference = harness.first_difference(expected, harness.exported(data))
    if difference:
        harness.fail(f"seed {SEED}: after {kills} kills the records differ\n{difference}")
    harness.plumbline("replay", "--data", data)


def main():
    random_source = random.Random(SEED)
    print(f"kill: {KILLS} kills, seed {SEED}", flush=True)
    with tempfile.TemporaryDirectory(prefix="plumbline-kill-") as scratch:
        scratch = pathlib.Path(scratch)
        base, undisturbed, data = scratch / "base", scratch / "undisturbed", scratch / "killed"
        harness.import_site_day(base)
        shutil.copytree(base, undisturbed)
        began = time.monotonic()
        check_run = start(undisturbed)
        errors = check_run.communicate()[1]
        if check_run.returncode != 0:
            harness.fail(f"the undisturbed run failed\n{errors.decode(errors='replace')}")
        whole_seconds = time.monotonic() - began
        expected = harness.exported(undisturbed)
        if sum(map(len, expected.values())) == 0:
            harness.fail("the undisturbed run gave no record; the test would mean nothing")

        kills = broken_off = series = misses = 0
        while kills < KILLS:
            shutil.rmtree(data, ignore_errors=True)
            shutil.copytree(base, data)
            in_series = 0
            while kills < KILLS and in_series < KILLS_IN_SERIES:
                if not kill_once(data, random_source, whole_seconds):
                    misses += 1
                    break
                kills += 1
                in_series += 1
                broken_off += harness.has_uncommitted_bytes(data)
            if misses > 20 * KILLS:
                harness.fail(f"only {kills} kills in {misses} tries: the run is too short to hit")
            check(data, expected, kills)
            series += 1
    print(f"kill: {kills} kills in {series} series, {broken_off} in the middle of an epoch")
    if broken_off * 4 < kills:
        harness.fail(f"seed {SEED}: fewer than a quarter in the middle of an epoch")


if __name__ == "__main__":
    main()
