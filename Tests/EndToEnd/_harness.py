"""What the end-to-end scripts share: the program, the fixture site's day, the log on disk.

Nothing here is the project's own code: the log is read by its published layout (Apache Kafka's
record batches v2 and `replication-offset-checkpoint`).
"""
import contextlib
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PLUMBLINE = os.environ.get("PLUMBLINE", str(ROOT / ".build/release/plumbline"))
SHIPPED = [ROOT / "topologies/crane-overload", ROOT / "topologies/dust-exceedance"]
ALL_SHIPPED = SHIPPED + [
    ROOT / "topologies/hazard-project", ROOT / "topologies/pit-monitoring"]
# And for the tests one of two stages with a union, and one that reads what another one writes.
TOPOLOGIES = SHIPPED + [
    ROOT / "Tests/EndToEnd/topologies/site-loads", ROOT / "Tests/EndToEnd/topologies/dust-hours"]
SHIPPED_OUTPUTS = [
    "alarms.crane", "alarms.crane-chart", "alarms.crane-wind", "alarms.crane-card",
    "alarms.crane-climb", "alarms.crane-clock", "alarms.dust", "alarms.dust-unit",
    "alarms.dust-frozen", "alarms.dust-clock", "means.dust"]
OUTPUTS = SHIPPED_OUTPUTS + ["loads.device", "loads.site", "dust.hours"]
REJECTS = ["crane-overload.v1.rejects", "dust-exceedance.v1.rejects"]
JOURNALS = ["crane-overload.v1.journal", "dust-exceedance.v1.journal",
            "site-loads.v1.journal", "site-loads.v1.stage2.journal", "dust-hours.v1.journal"]


SEED = int(os.environ.get("SEED", str(time.time_ns() % 1_000_000)))
NAME = pathlib.Path(sys.argv[0]).stem
# A hang is a failure too.
LONGEST_SECONDS = 300


def fail(message):
    sys.exit(f"{NAME}: {message}\n(SEED={SEED})")


def check(condition, message):
    if not condition:
        fail(message)


def say(message):
    print(f"{NAME}: {message}", flush=True)


@contextlib.contextmanager
def scratch():
    """A directory that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=f"plumbline-{NAME}-") as name:
        yield pathlib.Path(name)


def copy(data, to):
    """A fresh copy of a data directory that no process holds."""
    shutil.rmtree(to, ignore_errors=True)
    # Not copytree: a killed run leaves its socket behind.
    subprocess.run(["cp", "-a", data, to], check=True)
    return to


def execute(*arguments, prefix=(), stdin=None):
    """Runs the program to its end: exit code, standard output, standard error, as texts."""
    done = subprocess.run(
        [*prefix, PLUMBLINE, *map(str, arguments)], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, input=stdin, timeout=LONGEST_SECONDS)
    return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")


def refused(arguments, *texts, expect=1, prefix=(), stdin=None):
    """The program must end with exit code `expect` and say each of the texts on stderr."""
    code, output, errors = execute(*arguments, prefix=prefix, stdin=stdin)
    shown = f"{' '.join(map(str, arguments))}\nexit {code}\n{output[-2000:]}{errors[-2000:]}"
    check(code == expect, f"exit code {expect} was expected: {shown}")
    for text in texts:
        check(str(text) in errors, f"standard error does not say {str(text)!r}: {shown}")
    return errors


def check_same(expected, data, what):
    """What `data` holds must be `expected`, record by record, and re-execute to the same."""
    difference = first_difference(expected, exported(data))
    check(difference is None, f"{what}: the records differ: {difference}")
    code, output, errors = execute("replay", "--data", data)
    check(code == 0, f"{what}: replay ends with exit {code}\n{output}{errors}")


def run_options(source):
    """Options of `run` that change no record, drawn from `source`; small epochs."""
    return [
        "--epoch-rows", source.choice([200, 500, 1500]),
        "--snapshot-rows", source.choice([500, 2000, 1_000_000]),
        "--batch-rows", source.choice([1, 2, 7, 64, 2048]), "--workers", source.randint(1, 4)]


def plumbline(*arguments, expect=0):
    """Runs the program to its end; its standard output. Any exit but `expect` ends the script."""
    command = [PLUMBLINE, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != expect:
        errors = done.stderr.decode(errors="replace")
        fail(f"exit {done.returncode}, not {expect}: {' '.join(command)}\n{errors}")
    return done.stdout


# Topic and file of the fixture day.
SITE_DAY = [
    ("registry.crane", "registry.ndjson"), ("telemetry.crane", "crane.ndjson"),
    ("registry.project", "project.ndjson"), ("registry.monitor", "monitor.ndjson"),
    ("telemetry.dust", "dust.hj212")]
# Topic and file of the sixty days.
SITE_60D = [
    ("events.hazard", "hazard.ndjson"), ("registry.pit-point", "pit-point.ndjson"),
    ("telemetry.pit", "pit.ndjson")]
SITES = [("site-day", SITE_DAY), ("site-60d", SITE_60D)]
# Schema and key of a topic with JSON lines.
SHAPES = {
    "registry.crane": ("crane", "device"), "telemetry.crane": ("crane-load", "device"),
    "registry.project": ("project", "project"), "registry.monitor": ("monitor", "device"),
    "events.hazard": ("hazard-event", "item"), "registry.pit-point": ("pit-point", "point"),
    "telemetry.pit": ("pit-reading", "point")}


def import_arguments(data, topic, file, *options):
    """Arguments of an import of a file of a simulated site, or of a part of one."""
    fields = ["--format", "hj212"]
    if topic in SHAPES:
        schema, key = SHAPES[topic]
        fields = ["--format", "json", "--key", key, "--time", "ts", "--arrival", "arrival",
                  "--schema", ROOT / f"topologies/schemas/{schema}.yaml"]
    return ["import", "--data", data, "--topic", topic, *fields, *options, file]


def import_site_day(data, *options):
    """The fixture day into a new data directory, as `make run` imports it."""
    for topic, name in SITE_DAY:
        plumbline(*import_arguments(data, topic, ROOT / "fixtures/site-day" / name, *options))


def site_files():
    """Topic and file of both simulated sites."""
    return [(topic, ROOT / "fixtures" / folder / name)
            for folder, site in SITES for topic, name in site]


def bounded_run(data, *options):
    """Arguments of a bounded run of both topologies."""
    return ["run", "--data", data, *TOPOLOGIES, "--until-end", *options]


def undisturbed(scratch):
    """A data directory with the fixture day, and all records of a run over a copy of it."""
    base, done = scratch / "base", scratch / "undisturbed"
    import_site_day(base)
    copy(base, done)
    plumbline(*bounded_run(done))
    expected = exported(done)
    for topic, lines in expected.items():
        check(lines, f"the undisturbed run gave no record in {topic}: nothing would be tested")
    return base, done, expected


def exported(data):
    """Every output and reject record, by topic: (partition, offset) and all that was exported."""
    result = {}
    for topic in OUTPUTS + REJECTS:
        if not (pathlib.Path(data) / "kafka" / f"{topic}-0").is_dir():
            result[topic] = []
            continue
        lines = plumbline("export", "--data", data, "--topic", topic).splitlines()
        result[topic] = sorted(lines, key=place)
    return result


def place(line):
    record = json.loads(line)
    return record["partition"], record["offset"]


def first_difference(expected, found):
    """The first record that differs between two `exported`, in words; None when there is none."""
    for topic, lines in expected.items():
        for one, other in zip(lines, found[topic]):
            if one != other:
                return f"{topic}:\n  expected {one.decode()}\n  found    {other.decode()}"
        if len(lines) != len(found[topic]):
            return f"{topic}: {len(found[topic])} records, not {len(lines)}"
    return None


def high_watermarks(data):
    """Published ends by (topic, partition), from `replication-offset-checkpoint`."""
    try:
        text = (pathlib.Path(data) / "kafka/replication-offset-checkpoint").read_text()
    except FileNotFoundError:
        return {}
    lines = [line.split() for line in text.splitlines()[2:]]
    return {(topic, int(partition)): int(end) for topic, partition, end in lines}


def log_end(directory):
    """The offset after the last whole record batch, and whether a torn one follows it."""
    segments = sorted(pathlib.Path(directory).glob("*.log"))
    end = 0
    for segment in segments:
        content = segment.read_bytes()
        end = max(end, int(segment.stem))
        position = 0
        while position < len(content):
            if position + 61 > len(content):
                return end, True
            base, length = struct.unpack_from(">qi", content, position)
            if length <= 0 or position + 12 + length > len(content):
                return end, True
            (delta,) = struct.unpack_from(">i", content, position + 23)
            end = base + delta + 1
            position += 12 + length
    return end, False


def written_partitions(data):
    """Directories of the partitions that a run writes: outputs, rejects, journals."""
    kafka = pathlib.Path(data) / "kafka"
    found = []
    for topic in OUTPUTS + REJECTS + JOURNALS:
        found += [path for path in kafka.glob(f"{topic}-*") if path.name[len(topic) + 1:].isdigit()]
    return found


def has_uncommitted_bytes(data):
    """Whether a run's partitions hold anything that was never published: a broken-off epoch."""
    published = high_watermarks(data)
    for directory in written_partitions(data):
        topic, _, partition = directory.name.rpartition("-")
        end, is_torn = log_end(directory)
        if is_torn or end > published.get((topic, int(partition)), 0):
            return True
    return False
