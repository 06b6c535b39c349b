"""A run that follows: imports while it works, stops and kills, every input accounted for once.

The fixture day is cut into parts, which are imported one after the other, two topics at once, while
`run` holds the directory; the run is ended by SIGTERM, or killed by SIGKILL at random moments and
started again. At the end the inputs must be those of the files, each once, the journals must have
reached the ends of the inputs, `replay` must agree, and crane-overload, which no tick can change,
must have given the records of a bounded run. A bounded run afterwards closes what is open; then
dust-exceedance must have, too. SEED=n repeats the draws.
"""
import json
import os
import random
import signal
import subprocess
import time

import _harness as harness

KILLS = max(10, int(os.environ.get("KILLS", "20")) // 2)
PARTS = 12
CRANE_OUTPUTS = [topic for topic in harness.OUTPUTS + harness.REJECTS if "crane" in topic]
PATIENCE_SECONDS = 120
# What a following run says when it has begun.
READY = b"following; end"


def parts_of_day(scratch):
    """The day's files in parts: by topic a list of files. Registries come whole."""
    result = {}
    for topic, name in harness.SITE_DAY:
        count = 1 if topic.startswith("registry.") else PARTS
        lines = (harness.ROOT / "fixtures/site-day" / name).read_bytes().splitlines(True)
        result[topic] = []
        for part in range(count):
            file = scratch / f"{part}-{name}"
            file.write_bytes(
                b"".join(lines[len(lines) * part // count:len(lines) * (part + 1) // count]))
            result[topic].append(file)
    return result


class Following:
    """A `run` in the background."""

    def __init__(self, data, scratch, *options):
        self.data, self.errors = data, scratch / "run.stderr"
        self.command = [harness.PLUMBLINE, "run", "--data", str(data),
                        *map(str, harness.TOPOLOGIES), *map(str, options)]
        self.process = None

    def start(self):
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                self.command, stdout=subprocess.DEVNULL, stderr=errors)

    def wait_until_ready(self):
        """Returns when it takes imports."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while READY not in self.errors.read_bytes():
            harness.check(self.process.poll() is None and time.monotonic() < deadline,
                          f"the run did not begin: {self.errors.read_text()}")
            time.sleep(0.01)

    def end(self, number):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


def start_import(data, topic, file):
    command = [harness.PLUMBLINE, *map(str, harness.import_arguments(data, topic, file))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finish_import(process):
    text = process.communicate(timeout=PATIENCE_SECONDS)[0].decode(errors="replace")
    harness.check(process.returncode == 0, f"import: exit {process.returncode}: {text}")


def import_parts(data, parts, part):
    """One part of both telemetries, at once."""
    both = [start_import(data, topic, parts[topic][part])
            for topic in ["telemetry.crane", "telemetry.dust"]]
    for process in both:
        finish_import(process)


def journal_positions(data):
    """By (topology, partition): the input positions that its last epoch names."""
    result = {}
    for journal in harness.JOURNALS:
        if not (data / "kafka" / f"{journal}-0").is_dir():
            continue
        for line in harness.plumbline("export", "--data", data, "--topic", journal).splitlines():
            record = json.loads(line)
            result[journal, record["partition"]] = record["value"]["positions"]
    return result


def has_caught_up(data):
    """Whether every input record lies before the positions of the journals."""
    ends, positions = harness.high_watermarks(data), journal_positions(data)
    for journal, inputs in zip(harness.JOURNALS,
                               [["registry.crane", "telemetry.crane"],
                                ["registry.project", "registry.monitor", "telemetry.dust"]]):
        for partition in range(4):
            # Every task reads all partitions of the global table of projects.
            places = [(topic, number) for topic in inputs
                      for number in (range(4) if topic == "registry.project" else [partition])]
            wanted = [ends.get(place, 0) for place in places]
            found = positions.get((journal, partition), [0] * len(places))
            if found != wanted:
                return False
    return True


def wait_for_catch_up(run):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not has_caught_up(run.data):
        harness.check(run.process.poll() is None, f"the run ended: {run.errors.read_text()}")
        harness.check(time.monotonic() < deadline,
                      f"not caught up: {harness.high_watermarks(run.data)},"
                      f" {journal_positions(run.data)}")
        time.sleep(0.1)


def values(data, topic):
    """Key and value of every record of a topic, in their order in each partition."""
    lines = harness.plumbline("export", "--data", data, "--topic", topic).splitlines()
    return [line[line.index(b'"key":'):] for line in sorted(lines, key=harness.place)]


def without_clock(line):
    """A record without what depends on when its input came: the positions up to which the other
    sources had been read, and the time of its import, where it has no time of its own."""
    record = json.loads(line, parse_float=str)
    record["headers"].pop("plumbline.asof", None)
    if record["headers"].get("plumbline.reason") in ("malformed", "missing-field", "wrong-type"):
        record["timestamp"] = None
    return record


def check_records(expected, data, topics, what):
    found = harness.exported(data)
    for topic in topics:
        wanted = list(map(without_clock, expected[topic]))
        actual = list(map(without_clock, found[topic]))
        for one, other in zip(wanted, actual):
            harness.check(one == other, f"{what}: {topic}:\n  expected {one}\n  found    {other}")
        harness.check(len(wanted) == len(actual),
                      f"{what}: {topic}: {len(actual)} records, not {len(wanted)}")


def check_everything(whole, expected, data, what):
    """Inputs once each; crane results; then, closed by a bounded run, all results."""
    for topic, _ in harness.SITE_DAY:
        wanted, found = map(strip_arrival, [values(whole, topic), values(data, topic)])
        harness.check(wanted == found, f"{what}: {topic} holds {len(found)} records, not those"
                      f" {len(wanted)} of the files")
    harness.check(has_caught_up(data), f"{what}: the journals have not reached the inputs' ends")
    check_records(expected, data, CRANE_OUTPUTS, what)
    code, output, errors = harness.execute("replay", "--data", data)
    harness.check(code == 0, f"{what}: replay: {output}{errors}")
    harness.plumbline(*harness.bounded_run(data))
    check_records(expected, data, expected, f"{what}, then closed by a bounded run")
    code, output, errors = harness.execute("replay", "--data", data)
    harness.check(code == 0, f"{what}, closed: replay: {output}{errors}")


def strip_arrival(lines):
    """Records without their headers: a line may have the arrival time of its import."""
    return [line[:line.index(b'"headers":')] + line[line.index(b'"value":'):] for line in lines]


def first_part(data, parts):
    for topic in ["registry.crane", "registry.project", "registry.monitor"]:
        finish_import(start_import(data, topic, parts[topic][0]))
    import_parts(data, parts, 0)


def test_stop(scratch, parts, whole, expected):
    data = scratch / "stopped"
    first_part(data, parts)
    run = Following(data, scratch, "--epoch-rows", 1000)
    run.start()
    run.wait_until_ready()
    try:
        harness.refused(harness.bounded_run(data), "in use by another process")
        harness.refused(harness.bounded_run(data)[:-1], "in use by another process")
        for part in range(1, PARTS):
            import_parts(data, parts, part)
        # Alarms are seen while it works.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(harness.exported(data)["alarms.crane"]) < len(expected["alarms.crane"]):
            harness.check(run.process.poll() is None and time.monotonic() < deadline,
                          "the alarms did not come")
            time.sleep(0.1)
        wait_for_catch_up(run)
    finally:
        began = time.monotonic()
        code = run.end(signal.SIGTERM)
        seconds = time.monotonic() - began
    harness.check(code == 0, f"SIGTERM: exit {code}: {run.errors.read_text()}")
    harness.check(not (data / "plumbline.sock").exists(), "SIGTERM: the socket was left")
    harness.check(not harness.has_uncommitted_bytes(data), "SIGTERM: unpublished bytes were left")
    check_everything(whole, expected, data, "stopped by SIGTERM")
    harness.say(f"{2 * (PARTS - 1)} imports into a run, two at once: alarms seen while it works;"
                f" SIGTERM: exit 0 after {seconds:.1f} s")


def test_interrupt(scratch, parts):
    data = scratch / "interrupted"
    first_part(data, parts)
    run = Following(data, scratch)
    run.start()
    run.wait_until_ready()
    code = run.end(signal.SIGINT)
    harness.check(code == 0, f"SIGINT: exit {code}")


def restart(run):
    """Starts the run; again while an import that went on without it still holds the directory."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        run.start()
        while run.process.poll() is None and READY not in run.errors.read_bytes():
            time.sleep(0.005)
        if run.process.poll() is None:
            return
        errors = run.errors.read_text()
        harness.check("in use by another process" in errors and time.monotonic() < deadline,
                      f"the run did not start again: {errors}")
        time.sleep(0.05)


def test_kills(scratch, parts, whole, expected, source):
    data = scratch / "killed"
    first_part(data, parts)
    run = Following(data, scratch, *harness.run_options(source))
    kills = during_import = 0
    restart(run)
    for kill in range(KILLS):
        part = 1 + kill % (PARTS - 1)
        # Imported already in a second round over the parts: then it must be skipped.
        imports = [start_import(data, topic, parts[topic][part])
                   for topic in ["telemetry.crane", "telemetry.dust"]]
        time.sleep(source.choice([source.uniform(0, 0.08), source.uniform(0, 0.6)]))
        during_import += any(process.poll() is None for process in imports)
        run.end(signal.SIGKILL)
        kills += 1
        run = Following(data, scratch, *harness.run_options(source))
        restart(run)
        for process in imports:
            finish_import(process)
        harness.check(run.process.poll() is None, f"the run ended: {run.errors.read_text()}")
    for part in range(1 + kills, PARTS):
        import_parts(data, parts, part)
    wait_for_catch_up(run)
    run.end(signal.SIGKILL)
    restart(run)
    code = run.end(signal.SIGTERM)
    harness.check(code == 0, f"SIGTERM after kills: exit {code}")
    check_everything(whole, expected, data, f"after {kills} kills of a following run")
    harness.say(f"{kills + 1} kills of a following run, {during_import} during an import: every"
                " input once, replay identical")


def main():
    source = random.Random(harness.SEED)
    harness.say(f"SEED={harness.SEED}")
    with harness.scratch() as scratch:
        _, whole, expected = harness.undisturbed(scratch)
        parts = parts_of_day(scratch)
        test_stop(scratch, parts, whole, expected)
        test_interrupt(scratch, parts)
        test_kills(scratch, parts, whole, expected, source)


if __name__ == "__main__":
    main()
