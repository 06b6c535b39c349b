"""What the end-to-end scripts share: the program, the fixture site's day, the log on disk.

Nothing here is the project's own code: the log is read by its published layout (Apache Kafka's
record batches v2 and `replication-offset-checkpoint`).
"""
import json
import os
import pathlib
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PLUMBLINE = os.environ.get("PLUMBLINE", str(ROOT / ".build/release/plumbline"))
TOPOLOGIES = [ROOT / "topologies/crane-overload", ROOT / "topologies/dust-exceedance"]
OUTPUTS = ["alarms.crane", "alarms.crane-chart", "alarms.crane-wind", "alarms.dust", "means.dust"]
REJECTS = ["crane-overload.v1.rejects", "dust-exceedance.v1.rejects"]
JOURNALS = ["crane-overload.v1.journal", "dust-exceedance.v1.journal"]


def fail(message):
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {message}")


def plumbline(*arguments, expect=0):
    """Runs the program to its end; its standard output. Any exit but `expect` ends the script."""
    command = [PLUMBLINE, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != expect:
        errors = done.stderr.decode(errors="replace")
        fail(f"exit {done.returncode}, not {expect}: {' '.join(command)}\n{errors}")
    return done.stdout


def import_site_day(data):
    """The fixture day into a new data directory, as `make run` imports it."""
    day, schemas = ROOT / "fixtures/site-day", ROOT / "topologies/schemas"
    json_options = ["--format", "json", "--key", "device", "--time", "ts", "--arrival", "arrival"]
    for topic, schema, name in [
        ("registry.crane", "crane", "registry.ndjson"),
        ("telemetry.crane", "crane-load", "crane.ndjson"),
    ]:
        plumbline(
            "import", "--data", data, "--topic", topic, *json_options,
            "--schema", schemas / f"{schema}.yaml", day / name)
    plumbline(
        "import", "--data", data, "--topic", "telemetry.dust", "--format", "hj212",
        day / "dust.hj212")


def bounded_run(data):
    """Arguments of a bounded run of both topologies."""
    return [PLUMBLINE, "run", "--data", str(data), *map(str, TOPOLOGIES), "--until-end"]


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
