"""`tail`: follows a topic beside a run in another process, prints what is published and nothing
else, each record once and in order, and ends with 0 on SIGINT and SIGTERM."""
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import _harness as harness
import following

PATIENCE_SECONDS = 120


class Tail:
    """A `tail` in the background; its lines as they come."""

    def __init__(self, *arguments, terminal=None):
        self.process = subprocess.Popen(
            [harness.PLUMBLINE, "tail", *map(str, arguments)],
            stdout=terminal or subprocess.PIPE, stderr=subprocess.PIPE)
        self.rest = b""

    def lines(self, count, seconds=PATIENCE_SECONDS):
        """The next lines; fewer when no more come in time."""
        found = []
        stream = self.process.stdout.fileno()
        deadline = time.monotonic() + seconds
        while len(found) < count:
            line, mark, rest = self.rest.partition(b"\n")
            if mark:
                found.append(line)
                self.rest = rest
                continue
            ready, _, _ = select.select([stream], [], [], max(0, deadline - time.monotonic()))
            more = os.read(stream, 1 << 16) if ready else b""
            if not more:
                break
            self.rest += more
        return found

    def end(self, number=signal.SIGTERM):
        began = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_SECONDS)
        errors = self.process.stderr.read().decode()
        harness.check(code == 0, f"signal {number}: exit {code}: {errors}")
        harness.check(errors == "", f"signal {number}: {errors}")
        return time.monotonic() - began


def import_lines(data, scratch, first, count):
    """Made-up readings of a few devices; times go back and forth."""
    file = scratch / f"lines-{first}.ndjson"
    file.write_text("".join(
        json.dumps({"device": f"D{number % 7}", "ts": 1772402400000 + number * 997 % 5000,
                    "n": number, "text": "塔吊\u0007 \u001b[2J" + "x" * 200}, ensure_ascii=False)
        + "\n" for number in range(first, first + count)))
    harness.plumbline("import", "--data", data, "--topic", "t", "--format", "json", "--key",
                      "device", "--time", "ts", file)


def exported(data, *options):
    return harness.plumbline("export", "--data", data, "--topic", "t", *options).splitlines()


def time_and_place(line):
    record = json.loads(line)
    return record["timestamp"], record["partition"], record["offset"]


def test_start(scratch):
    data = scratch / "data"
    import_lines(data, scratch, 0, 500)
    everything = exported(data)
    beyond = max(harness.high_watermarks(data).values()) + 5
    for options, expected in [
            ([], last_records(data, range(4), 10)),
            (["--last", 3], last_records(data, range(4), 3)), (["--last", 0], []),
            (["--last", 100000], sorted(everything, key=time_and_place)),
            (["--partition", 1, "--last", 4], last_records(data, [1], 4)),
            (["--from", 0], everything), (["--from", 7], exported(data, "--from", 7)),
            (["--partition", 2, "--from", 3], exported(data, "--partition", 2, "--from", 3)),
            (["--from", beyond], [])]:
        tail = Tail("--data", data, "--topic", "t", *options)
        found = tail.lines(len(expected))
        harness.check(found == expected, f"{options}: {found[:2]} and {len(found)} in all")
        # Signals count from its beginning on, which no line tells here.
        harness.check(tail.lines(1, seconds=1) == [], f"{options}: more lines")
        tail.end(signal.SIGINT)
    return data


def last_records(data, partitions, count):
    """Of the last `count` records of each partition those with the greatest times, by time."""
    found = []
    for partition in partitions:
        found += exported(data, "--partition", partition)[-count:]
    return sorted(found, key=time_and_place)[-count:]


def test_follow(scratch, data):
    """Records imported while it waits come at once, each when it is published."""
    tail = Tail("--data", data, "--topic", "t", "--last", 0)
    tail.lines(1, seconds=0.3)
    before = set(exported(data))
    for part in range(3):
        import_lines(data, scratch, 1000 * (part + 1), 200)
        new = [line for line in exported(data) if line not in before]
        before |= set(new)
        began = time.monotonic()
        found = tail.lines(len(new))
        harness.check(sorted(found) == sorted(new), f"{len(found)} lines, not {len(new)}")
        harness.check(time.monotonic() - began < 5, "they came late")
    tail.end()


def test_beside_a_run(scratch):
    data = scratch / "followed"
    parts = following.parts_of_day(scratch)
    following.first_part(data, parts)
    run = following.Following(data, scratch, "--epoch-rows", 500)
    run.start()
    run.wait_until_ready()
    tail = Tail("--data", data, "--topic", "alarms.crane", "--from", 0)
    seen = []
    try:
        for part in range(1, following.PARTS):
            following.import_parts(data, parts, part)
            for line in tail.lines(1000, seconds=0.3):
                record = json.loads(line)
                end = harness.high_watermarks(data)["alarms.crane", record["partition"]]
                harness.check(record["offset"] < end, f"not published: {line}")
                seen.append(line)
        following.wait_for_catch_up(run)
    finally:
        code = run.end(signal.SIGTERM)
    harness.check(code == 0, f"the run: exit {code}")
    wanted = harness.exported(data)["alarms.crane"]
    seen += tail.lines(len(wanted) - len(seen))
    harness.check(sorted(seen, key=harness.place) == wanted, f"{len(seen)}, not {len(wanted)}")
    for partition in range(4):
        own = [line for line in seen if harness.place(line)[0] == partition]
        harness.check(own == sorted(own, key=harness.place), f"partition {partition}: order")
    tail.end()
    return len(wanted)


def test_stalled_reader(data):
    """Nobody takes the lines: a signal still ends it."""
    tail = Tail("--data", data, "--topic", "t", "--from", 0)
    select.select([tail.process.stdout], [], [], PATIENCE_SECONDS)
    time.sleep(0.5)
    harness.check(tail.process.poll() is None, "it ended by itself")
    seconds = tail.end()
    harness.check(seconds < 3, f"it took {seconds:.1f} s to end")


def test_terminal(data):
    """Lines of a table, as wide as the terminal, without signs that move its cursor."""
    for options, is_json in [([], False), (["--json"], True)]:
        own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 70, 0, 0))
        tail = Tail("--data", data, "--topic", "t", "--last", 3, *options, terminal=theirs)
        os.close(theirs)
        text = b""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text.count(b"\n") < 3 and time.monotonic() < deadline:
            if select.select([own], [], [], 0.2)[0]:
                text += os.read(own, 1 << 16)
        lines = text.decode().splitlines()
        tail.end(signal.SIGINT)
        os.close(own)
        harness.check(len(lines) == 3, f"{lines}")
        for line in lines:
            if is_json:
                json.loads(line)
                continue
            wide = sum(ord(one) > 0x2E80 for one in line)
            harness.check(len(line) + wide == 70 and line.endswith("…"), f"{line!r}")
            harness.check("\x1b" not in line and "\x07" not in line, f"{line!r}")
            harness.check(line.startswith("2026-03-01T22:00:0") and "  D" in line, f"{line!r}")


def test_refusals(scratch, data):
    tail = ["tail", "--data", data, "--topic"]
    harness.refused([*tail, "t", "--partition", 9], "no partition 9", "0 to 3")
    for options in [["--from", 1, "--last", 1], ["--last", -1], ["--from", -1],
                    ["--partition", -1]]:
        harness.refused([*tail, "t", *options], "Error", expect=64)
    # A reader that goes away ends it, as it ends any filter.
    process = Tail("--data", data, "--topic", "t", "--from", 0).process
    process.stdout.close()
    harness.check(process.wait(PATIENCE_SECONDS) == -signal.SIGPIPE, "a closed pipe")


def test_topic_to_come(scratch):
    """A topic, and a directory, that are not there yet are waited for, as `tail -F` does."""
    data = scratch / "to-come"
    tail = Tail("--data", data, "--topic", "t", "--last", 2)
    stream = tail.process.stderr
    harness.check(b"no topic t in" in stream.readline(), "nothing says what it waits for")
    harness.check(tail.lines(1, seconds=0.5) == [] and tail.process.poll() is None,
                  "it did not wait")
    import_lines(data, scratch, 0, 50)
    found = tail.lines(50)
    harness.check(sorted(found, key=harness.place) == exported(data),
                  f"{len(found)} lines of 50 that came while it waited")
    tail.end()
    other = Tail("--data", data, "--topic", "none")
    errors = other.process.stderr.readline().decode()
    harness.check("no topic none" in errors and "its topics: t" in errors, errors)
    other.end(signal.SIGINT)


def test_replaced_log(data):
    """The published end goes back only when somebody puts another log there."""
    tail = Tail("--data", data, "--topic", "t", "--last", 1)
    tail.lines(1)
    checkpoint = data / "kafka/replication-offset-checkpoint"
    text = checkpoint.read_text()
    lines = [line if not line.startswith("t ") else line.rsplit(" ", 1)[0] + " 0"
             for line in text.splitlines()]
    draft = checkpoint.with_suffix(".new")
    draft.write_text("\n".join(lines) + "\n")
    draft.rename(checkpoint)
    code = tail.process.wait(PATIENCE_SECONDS)
    errors = tail.process.stderr.read().decode()
    harness.check(code == 1 and "replaced" in errors and "start tail again" in errors,
                  f"exit {code}: {errors}")
    checkpoint.write_text(text)


def main():
    with harness.scratch() as scratch:
        data = test_start(scratch)
        test_follow(scratch, data)
        test_terminal(data)
        test_stalled_reader(data)
        test_refusals(scratch, data)
        test_replaced_log(data)
        test_topic_to_come(scratch)
        count = test_beside_a_run(scratch)
    harness.say(f"beginnings, following, {count} alarms beside a run, a stalled reader, a terminal")


if __name__ == "__main__":
    main()
