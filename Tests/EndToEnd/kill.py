"""Kills `run --until-end` with SIGKILL at random moments, KILLS times (default 20).

A run is started again and again, with other options each time, and killed until it comes through;
then every exported record must be that of an undisturbed run, and `replay` must agree. After every
kill what a reader sees must be a beginning of it. Some of the kills come after a random time,
the others soon after a random number of lines of `--trace`, which is where epochs begin and commit.
At least a quarter must hit the middle of an epoch: the trace has said that it begins and not that
it is committed. SEED=n repeats a series of draws.
"""
import os
import random
import signal
import subprocess
import time

import _harness as harness

KILLS = int(os.environ.get("KILLS", "20"))


def start(data, trace, options):
    command = [harness.PLUMBLINE, *map(str, harness.bounded_run(data, *options)), "--trace"]
    with open(trace, "wb") as errors:
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)


def wait_for_lines(process, trace, count):
    """Returns when the trace has so many lines, or the process has ended."""
    while process.poll() is None and trace.read_bytes().count(b"\n") < count:
        time.sleep(0.0005)


def states(trace):
    """What the trace says last about each task: begins, commits, is committed."""
    last = {}
    for line in trace.read_text(errors="replace").splitlines():
        words = line.split(maxsplit=4)
        if len(words) == 5 and words[0] == "trace:":
            last[words[1]] = words[4]
    return set(last.values())


def is_beginning(data, expected, what):
    """What readers see now must be the first records, of every partition, of `expected`."""
    for topic, lines in harness.exported(data).items():
        rest = {}
        for line in expected[topic]:
            rest.setdefault(harness.place(line)[0], []).append(line)
        for line in lines:
            partition, offset = harness.place(line)
            harness.check(
                offset < len(rest[partition]) and rest[partition][offset] == line,
                f"{what}: {topic} shows {line.decode()}")


def main():
    source = random.Random(harness.SEED)
    harness.say(f"{KILLS} kills, SEED={harness.SEED}")
    with harness.scratch() as scratch:
        base, _, expected = harness.undisturbed(scratch)
        data, trace = scratch / "killed", scratch / "trace"
        whole_seconds = 2.0
        kills = in_epoch = in_commit = unpublished = rounds = 0
        while kills < KILLS:
            harness.copy(base, data)
            began = time.monotonic()
            while True:
                process = start(data, trace, harness.run_options(source))
                if kills < KILLS:
                    if source.random() < 0.3:
                        time.sleep(source.uniform(0, whole_seconds / 2))
                    else:
                        wait_for_lines(process, trace, source.randint(1, 40))
                        time.sleep(source.choice([0, source.uniform(0, 0.02)]))
                    if process.poll() is None:
                        process.send_signal(signal.SIGKILL)
                process.wait()
                if process.returncode == 0:
                    break
                harness.check(process.returncode == -signal.SIGKILL,
                              f"exit {process.returncode} after {kills} kills\n"
                              + trace.read_text(errors="replace")[-2000:])
                kills += 1
                found = states(trace)
                in_epoch += bool(found & {"begins", "commits"})
                in_commit += "commits" in found
                unpublished += harness.has_uncommitted_bytes(data)
                is_beginning(data, expected, f"after {kills} kills")
            rounds += 1
            whole_seconds = min(whole_seconds, time.monotonic() - began)
            harness.check_same(expected, data, f"after {kills} kills")
    harness.say(
        f"{kills} kills until {rounds} runs came through: {in_epoch} in the middle of an epoch,"
        f" {in_commit} of them during its commit, {unpublished} left unpublished bytes")
    harness.check(in_epoch * 4 >= kills, "fewer than a quarter in the middle of an epoch")


if __name__ == "__main__":
    main()
