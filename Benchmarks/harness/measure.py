"""Runs a command and says what its whole process tree used.

`run` starts this file as a program of its own: it adopts every process that the command leaves
behind, waits for all of them, and reports what the kernel counted for them.
"""
import ctypes
import dataclasses
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36


@dataclasses.dataclass(frozen=True)
class Usage:
    """Seconds of CPU (user and system) and of wall time; peak memory of the largest process, MB."""

    cpu: float
    wall: float
    peak: float


class Failed(Exception):
    """A command did not end with 0; the message holds the end of what it said."""


def run(command, environment=None, timeout=3600):
    """Runs a command to its end and gives its usage; raises `Failed`."""
    with tempfile.TemporaryDirectory(prefix="plumbline-measure-") as folder:
        report, log = pathlib.Path(folder, "report"), pathlib.Path(folder, "log")
        helper = [sys.executable, __file__, report, str(timeout)] + list(map(str, command))
        with open(log, "wb") as out:
            status = subprocess.run(
                helper, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env={**os.environ, **(environment or {})}).returncode
        if status != 0:
            said = log.read_text(errors="replace").strip().splitlines()
            # Of a Java stack trace, the causes.
            tail = [line for line in said if not line.startswith("\tat ")][-15:]
            name = " ".join(map(str, command[:3]))
            raise Failed(f"exit {status} of {name} …\n" + "\n".join(tail))
        return Usage(**json.loads(report.read_text()))


def adopt_orphans():
    """Makes this process the parent of whatever its descendants leave behind."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        sys.exit("measure: the kernel does not let this process adopt orphans")


def main():
    """usage: measure.py REPORT TIMEOUT COMMAND…"""
    report, timeout, command = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    adopt_orphans()
    started = time.monotonic()
    process = subprocess.Popen(command, start_new_session=True)
    try:
        status = process.wait(timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        sys.exit(f"measure: not done after {timeout:.0f} s")
    wall = time.monotonic() - started
    # Those left behind belong to the command: their time counts once they have ended.
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    usage = Usage(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)
    pathlib.Path(report).write_text(json.dumps(dataclasses.asdict(usage)))
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main()
