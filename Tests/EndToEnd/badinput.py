"""Bad input of every kind: a clear message, the right exit code, nothing accepted is lost.

`import_export.py` has what concerns the reading of files alone.
"""
import json
import os
import random
import shutil
import signal
import subprocess
import time

import _harness as harness
import _records as records

CRANE = harness.ROOT / "topologies/crane-overload"
FIELDS = ["--format", "json", "--key", "device", "--time", "ts", "--arrival", "arrival"]


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# -- Topologies ------------------------------------------------------------------------------------

def topology_errors(scratch):
    """Each edit of a good topology must be refused with file, line, column and a hint."""
    edits = [
        ("topology.yaml", "sources:", "sources: [", "topology.yaml:"),
        ("topology.yaml", "topic: telemetry.crane", "topik: telemetry.crane", "topic"),
        ("topology.yaml", "disorder: 5s", "disorder: soon", "'soon'"),
        ("topology.yaml", "disorder: 5s, ", "", "disorder"),
        ("topology.yaml", "once.mass / interpolate", "once.massive / interpolate", "mass"),
        ("topology.yaml", "filter: once.wind != null", "filter: once.wind + once.mass > 1", "m/s"),
        ("topology.yaml", "filter: once.wind != null", "filter: once.wind", "bool"),
        ("topology.yaml", "schema: crane-load", "schema: crane-lod", "crane-lod"),
        ("topology.yaml", "from: rated\n      key", "from: rate\n      key", "rated"),
        ("topology.yaml", "与载荷表相差 {value}", "与载荷表相差 {values}", "'values'"),
        ("topology.yaml", "format: cloudevents", "format: json", "'alarm' goes with"),
        ("../schemas/crane-load.yaml", "decimal(2) t", "decimal(2) tonne", "tonne"),
        ("../schemas/crane-load.yaml", "decimal(2) t", "decimol(2) t", "decimol"),
    ]
    for file, old, new, text in edits:
        folder = scratch / "topologies"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(harness.ROOT / "topologies", folder)
        path = folder / "crane-overload" / file
        content = path.read_text()
        harness.check(old in content, f"{file} has no {old!r}: mend this test")
        path.write_text(content.replace(old, new, 1))
        errors = harness.refused(["check", folder / "crane-overload"], text, "error:", "hint:")
        place = errors.split(": error:")[0].splitlines()[-1].split(":")
        harness.check(len(place) == 3 and place[1].isdigit() and place[2].isdigit(),
                      f"{new!r}: no file:line:column in {errors}")
        harness.refused(["run", "--data", scratch / "none", folder / "crane-overload",
                         "--until-end"], text)
    folder = scratch / "topologies"
    shutil.rmtree(folder)
    shutil.copytree(harness.ROOT / "topologies", folder)
    path = folder / "crane-overload/topology.yaml"
    text = path.read_text().replace("disorder: 5s", "disorder: soon").replace("mass:", "mas s:", 1)
    path.write_text(text.replace("topic: alarms.crane\n", "topik: alarms.crane\n"))
    errors = harness.refused(["check", folder / "crane-overload"])
    harness.check(errors.count("error:") >= 2, f"several faults, one message: {errors}")
    path.write_bytes(b"\xff\xfe topology")
    harness.refused(["check", folder / "crane-overload"], "topology.yaml", "error:")
    path.write_bytes(b"")
    harness.refused(["check", folder / "crane-overload"], "topology.yaml", "error:")
    harness.refused(["check", folder / "nowhere"], "nowhere", "error:")
    harness.say(f"{len(edits) + 4} bad topologies: each refused with place and hint")


def options(scratch):
    """Wrong usage is exit code 64."""
    data = scratch / "options"
    for arguments in [
            ["run", "--data", data, CRANE, "--until-the-end"], ["run", "--data", data],
            ["run", CRANE], ["nonsense"], ["run", "--data", data, CRANE, "--workers", "0"],
            ["run", "--data", data, CRANE, "--batch-rows", "4096"],
            ["replay"], ["replay", "--data", data, "--verbose"],
            ["export", "--data", data], ["import", "--data", data, "--topic", "t", "x"]]:
        code, output, errors = harness.execute(*arguments)
        harness.check(code == 64 and "rror" in errors, f"{arguments}: {code} {output}{errors}")
    harness.check(not data.exists(), "wrong usage has made a data directory")
    harness.say("wrong usage: exit 64")


# -- Topics ----------------------------------------------------------------------------------------

def missing(scratch):
    """Topics, schemas, files that are not there; topics that belong to someone else."""
    data, day = scratch / "missing", harness.ROOT / "fixtures/site-day"
    run = ["run", "--data", data, CRANE, "--until-end"]
    harness.refused(run, "registry.crane", "import")
    harness.plumbline(*harness.import_arguments(data, "registry.crane", day / "registry.ndjson"))
    harness.refused(run, "telemetry.crane", "import")
    harness.refused(["replay", "--data", data], "no journal", "run")
    harness.refused(["export", "--data", data, "--topic", "alarms.crane"], "alarms.crane")
    harness.refused(["import", "--data", data, "--topic", "t", "--format", "json", "--schema",
                     "no-such-schema", day / "crane.ndjson"], "no-such-schema")
    # Sources with different partition counts.
    other = scratch / "counts"
    harness.plumbline(*harness.import_arguments(other, "registry.crane", day / "registry.ndjson"))
    harness.plumbline(*harness.import_arguments(other, "telemetry.crane", day / "crane.ndjson",
                                                "--partitions", 3))
    harness.refused(["run", "--data", other, CRANE, "--until-end"], "has 3", "--partitions")
    # A topic that a file was imported into is no topology's; the same name elsewhere still works.
    harness.plumbline(*harness.import_arguments(data, "telemetry.crane", day / "crane.ndjson"))
    file = write(scratch / "foreign.ndjson", '{"device":"x"}\n')
    harness.plumbline("import", "--data", data, "--topic", "alarms.crane", "--format", "json", file)
    harness.refused(run, "alarms.crane", "one writer")
    folder = scratch / "renamed"
    shutil.copytree(harness.ROOT / "topologies", folder)
    path = folder / "crane-overload/topology.yaml"
    path.write_text(path.read_text().replace("topic: alarms.crane\n", "topic: alarms.crane.mine\n"))
    harness.plumbline("run", "--data", data, folder / "crane-overload", "--until-end")
    # And the other way round.
    harness.refused(["import", "--data", data, "--topic", "alarms.crane.mine", "--format", "json",
                     file], "crane-overload", "one writer")
    harness.say("missing or foreign topics and schemas: refused, with the way out")


def changed_plan(scratch, done):
    data = harness.copy(done, scratch / "changed")
    before = harness.exported(data)
    folder = scratch / "changed-topologies"
    shutil.copytree(harness.ROOT / "topologies", folder)
    path = folder / "crane-overload/topology.yaml"
    text = path.read_text()
    path.write_text(text.replace("alarm: 1.00, critical: 1.10", "alarm: 0.99, critical: 1.10"))
    harness.refused(["run", "--data", data, folder / "crane-overload", "--until-end"],
                    "has changed", "overload", "0.99", "--data")
    path.write_text("# a remark\n" + text.replace("describe: Tower", "describe: Other tower"))
    harness.plumbline("run", "--data", data, folder / "crane-overload", "--until-end")
    harness.check_same(before, data, "a changed plan")
    harness.say("a changed plan: refused with the difference; remarks and describe may change")


# -- Records ---------------------------------------------------------------------------------------

READING = ('{"device":"%s","site":"S1","ts":%d,"seq":1,"mass":%s,"radius":10.00,"height":2.00,'
           '"slew":0.0,"wind":3.1,"tilt":0.07,"falls":4,"percent":0.0,"arrival":%d}')
START = 1772402400000


def reading(number, mass="0.10", device="S1-TC-01", arrival=None, time=None):
    time = START + 10_000 * number if time is None else time
    return READING % (device, time, mass, time + 200 if arrival is None else arrival)


def bad_records():
    """Lines and the reason for which each must be a reject; None for a good one."""
    good = reading(1)
    lines = [
        (good, None), (good[:40], "malformed"), ("garbage", "malformed"), ("[1,2]", "wrong-type"),
        (good.encode()[:-1] + b',"x":"\xff\xfe"}', "malformed"),
        (reading(2, mass='"heavy"'), "wrong-type"), (reading(3, mass="1.234"), "precision"),
        (reading(4, mass="9" * 30), "out-of-range"), (reading(5, mass="1e400"), "out-of-range"),
        (reading(6, mass="null"), "missing-field"), (reading(7, device="S1-TC-99"), "unmatched"),
        (reading(8, mass="0." + "1" * 5000), "precision"),
        (reading(9), None), (reading(5), "out-of-order"), (reading(9), "duplicate"),
        (reading(0, time=START + 86_400_000, arrival=START + 95_000), "clock"),
        (reading(0, device="K" * 1_000_000), "unmatched"), (reading(10), None),
        ('{"device":"S1-TC-01","ts":"never","mass":1}', "wrong-type"), ("{}", "missing-field"),
        ("[" * 5000, "malformed"), (reading(11, mass="-0.0"), None), (reading(12), None),
    ]
    return [(line if isinstance(line, bytes) else line.encode(), reason) for line, reason in lines]


def bad_readings(scratch):
    """A bad record never stops a topology: it is a reject with its reason, bytes and origin."""
    data, lines = scratch / "readings", bad_records()
    file = scratch / "readings.ndjson"
    file.write_bytes(b"\n".join(line for line, _ in lines) + b"\n")
    harness.plumbline(*harness.import_arguments(
        data, "registry.crane", harness.ROOT / "fixtures/site-day/registry.ndjson"))
    harness.plumbline("import", "--data", data, "--topic", "telemetry.crane", *FIELDS, file)
    harness.plumbline("run", "--data", data, CRANE, "--until-end")
    inputs = {(path.name[-1], record.offset): record
              for path in (data / "kafka").glob("telemetry.crane-?")
              for record in records.read_partition(path)}
    harness.check(sorted(record.value for record in inputs.values())
                  == sorted(line for line, _ in lines), "the stored records are not the lines")
    found, places = [], []
    topic = "crane-overload.v1.rejects"
    for path in (data / "kafka").glob(f"{topic}-?"):
        bodies = records.read_partition(path)
        exported = harness.plumbline(
            "export", "--data", data, "--topic", topic, "--partition", path.name[-1])
        for body, record in zip(bodies, map(json.loads, exported.splitlines()), strict=True):
            topic_of_origin, _, place = record["headers"]["plumbline.origin"].partition("/")
            partition, offset = place.split(":")
            origin = inputs[partition, int(offset)]
            harness.check(
                topic_of_origin == "telemetry.crane" and partition == path.name[-1]
                and (body.key, body.value) == (origin.key, origin.value),
                f"the reject {record} is not the record of its origin")
            found.append((body.value, record["headers"]["plumbline.reason"]))
            places.append((place, record["headers"]["plumbline.step"]))
    wanted = [(line, reason) for line, reason in lines if reason]
    for line, reason in set(wanted) ^ set(found):
        word = "should not be" if (line, reason) in found else "should be"
        harness.say(f"{line[:60]!r} {word} a reject {reason}")
    harness.check(set(found) == set(wanted), "other rejects than expected")
    # A row out of order is refused by each of the steps that mind.
    harness.check(len(set(places)) == len(places), "a step has rejected a record twice")
    total = len(set(place for place, _ in places))
    harness.check(total == len(wanted), f"{total} records rejected, not {len(wanted)}")
    code, output, _ = harness.execute("replay", "--data", data)
    harness.check(code == 0, output)
    harness.say(f"{len(lines)} readings, good and bad: {total} rejected with reason and origin")


def frame(number, value="85.9", crc=None):
    """An HJ 212 frame, CRC by Annex A of HJ 212-2017."""
    minute = time.strftime("%Y%m%d%H%M%S", time.gmtime(START / 1000 + 28_800 + 60 * number))
    text = (f"QN={minute}000;ST=39;CN=2011;PW=123456;MN=510100A8900016F000169DC1;Flag=4;CP=&&"
            f"DataTime={minute};a34001-Rtd={value},a34001-Flag=N&&").encode()
    value = 0xFFFF
    for byte in text:
        value = value >> 8 ^ byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    shown = f"{value:04X}" if crc is None else crc
    arrival = START + 60_000 * number + 900
    return b"%d\t##%04d%s%s" % (arrival, len(text), text, shown.encode())


def bad_frames(scratch):
    data, file = scratch / "frames", scratch / "frames.hj212"
    day = 1440
    lines = [
        (frame(1), None), (frame(2, crc="0000"), "crc"), (frame(3)[:90], "malformed"),
        (b"noise", "malformed"), (frame(4, value="1" * 40), "out-of-range"), (frame(5), None),
        (frame(5), "duplicate"), (frame(5 + 2 * day), None), (frame(6), "late"),
    ]
    file.write_bytes(b"\r\n".join(line for line, _ in lines) + b"\r\n")
    for topic, name in [("registry.project", "project"), ("registry.monitor", "monitor")]:
        harness.plumbline(*harness.import_arguments(
            data, topic, harness.ROOT / f"fixtures/site-day/{name}.ndjson"))
    harness.plumbline("import", "--data", data, "--topic", "telemetry.dust", "--format", "hj212",
                      file)
    harness.plumbline("run", "--data", data, harness.SHIPPED[1], "--until-end")
    rejects = [json.loads(line)["headers"]["plumbline.reason"] for line in harness.plumbline(
        "export", "--data", data, "--topic", "dust-exceedance.v1.rejects").splitlines()]
    wanted = sorted(reason for _, reason in lines if reason)
    harness.check(sorted(rejects) == wanted, f"rejects {sorted(rejects)}, not {wanted}")
    means = [json.loads(line, parse_float=str)["value"] for line in harness.plumbline(
        "export", "--data", data, "--topic", "means.dust").splitlines()]
    counted = sum(int(mean["n"]) for mean in means)
    harness.check(counted + len(rejects) == len(lines),
                  f"{counted} in means and {len(rejects)} rejects of {len(lines)} frames")
    harness.say(f"{len(lines)} frames: {counted} in means and {len(rejects)} rejects")


CHAIN = """topology: {name}
version: 1
sources:
  rows: {{topic: {reads}, schema: row, key: id, time: {{field: ts, disorder: 0s, lateness: 0s, \
ahead: 1h}}}}
steps:
  - kept: {{from: rows, filter: "rows.id != ''"}}
sinks: [{{from: kept, topic: {writes}}}]
"""


def between_topologies(scratch):
    """A circle of topologies, and two writers of one topic, are refused by check and run."""
    def topology(name, reads, writes):
        folder = scratch / "chains" / name
        (folder / "schemas").mkdir(parents=True)
        write(folder / "topology.yaml", CHAIN.format(name=name, reads=reads, writes=writes))
        write(folder / "schemas/row.yaml", "schema: row\nfields: {id: string, ts: timestamp}\n")
        return folder

    one, two = topology("one", "a", "b"), topology("two", "b", "a")
    three = topology("three", "c", "b")
    data = scratch / "chained"
    for command in (["check"], ["run", "--data", data, "--until-end"]):
        harness.refused([*command, one, two], "form a circle", "one.v1", "two.v1", " a ", " b ")
        harness.refused([*command, one, three], "topic b is written by both one.v1 and three.v1")
        harness.refused([*command, one, one], "one.v1 is given twice")
    harness.say("circles and second writers between topologies: refused")


def empty_file(scratch):
    """An empty file is imported as nothing; a run over empty topics ends well, with nothing."""
    data, file = scratch / "empty", write(scratch / "empty.ndjson", "")
    for topic in ["registry.crane", "telemetry.crane"]:
        code, _, errors = harness.execute("import", "--data", data, "--topic", topic, *FIELDS, file)
        harness.check(code == 0 and "empty" in errors, f"{code}: {errors}")
    code, _, errors = harness.execute("run", "--data", data, CRANE, "--until-end")
    harness.check(code == 0 or "import" in errors, f"{code}: {errors}")
    harness.say("an empty file: said so, exit 0")


# -- The directory ---------------------------------------------------------------------------------

def permission(scratch, done):
    data = harness.copy(done, scratch / "closed")
    prefix = []
    if os.geteuid() == 0:
        prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        probe = subprocess.run([*prefix, harness.PLUMBLINE, "--help"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        if probe.returncode != 0:
            harness.say("SKIPPED: the program cannot be run by another user here")
            return
        scratch.chmod(0o755)
    data.chmod(0o755 if prefix else 0o555)
    for path in [data / "kafka", *data.glob("kafka/*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    file = write(scratch / "more.ndjson", reading(99) + "\n")
    for arguments in [harness.bounded_run(data),
                      ["import", "--data", data, "--topic", "more", *FIELDS, file],
                      ["run", "--data", scratch / "kept/new", CRANE, "--until-end"]]:
        (scratch / "kept").mkdir(mode=0o555, exist_ok=True)
        errors = harness.refused(arguments, "ermission", prefix=prefix)
        harness.check("/" in errors, f"no place is named: {errors}")
    (data / "kafka").chmod(0)
    for arguments in [["export", "--data", data, "--topic", "alarms.crane"],
                      ["replay", "--data", data], ["topics", "--data", data]]:
        harness.refused(arguments, "ermission", prefix=prefix)
    (data / "kafka").chmod(0o755)
    harness.say("a directory without permission: refused, the place named")


def flipped_byte(scratch, base, expected, source):
    """A flipped bit below the published end of an input cannot be mended: said, nothing cut."""
    segment = "kafka/telemetry.crane-1/00000000000000000000.log"
    for trial in range(3):
        data = harness.copy(base, scratch / "flipped")
        content = bytearray((data / segment).read_bytes())
        place = source.randrange(70, len(content))
        content[place] ^= 1 << source.randrange(8)
        (data / segment).write_bytes(content)
        harness.refused(harness.bounded_run(data), "telemetry.crane-1", "byte ", "copy")
        harness.refused(["export", "--data", data, "--topic", "telemetry.crane"],
                        "telemetry.crane-1")
        harness.check((data / segment).read_bytes() == content, "the damaged segment was changed")
        shutil.copy(base / segment, data / segment)
        harness.plumbline(*harness.bounded_run(data))
        harness.check_same(expected, data, "a flipped byte, then the file from a copy")
    harness.say("a flipped byte in an input: place named, nothing cut; works with the copy")


def damaged_outputs(scratch, done, expected, source):
    """What can be made again is: torn tails, flipped bytes, lost indexes of outputs."""
    def segment(data, topic):
        return max((data / "kafka").glob(f"{topic}-*/*.log"), key=lambda path: path.stat().st_size)

    def torn(data):
        path = segment(data, "means.dust")
        path.write_bytes(path.read_bytes()[:-source.randrange(1, 400)])

    def junk(data):
        for topic in ["means.dust", "crane-overload.v1.rejects"]:
            with open(segment(data, topic), "ab") as file:
                file.write(source.randbytes(source.randrange(1, 200)))

    def flipped(data):
        path = segment(data, "alarms.crane")
        content = bytearray(path.read_bytes())
        content[source.randrange(61, len(content))] ^= 1
        path.write_bytes(content)

    def indexes(data):
        for path in [*data.glob("kafka/*/*.index"), *data.glob("kafka/*/*.timeindex")]:
            path.unlink()

    def garbage_indexes(data):
        for path in [*data.glob("kafka/*/*.index"), *data.glob("kafka/*/*.timeindex")]:
            path.write_bytes(source.randbytes(24))

    def checkpoints(data):
        (data / "kafka/recovery-point-offset-checkpoint").unlink()

    for name, damage in [("a torn tail", torn), ("bytes after the end", junk),
                         ("a flipped byte", flipped), ("deleted indexes", indexes),
                         ("indexes of garbage", garbage_indexes),
                         ("a lost recovery point", checkpoints)]:
        data = harness.copy(done, scratch / "damaged")
        # As after a crash: after a clean stop nobody looks at the segments.
        (data / "kafka/.kafka_cleanshutdown").unlink()
        shutil.rmtree(data / "state/snapshots")
        damage(data)
        harness.plumbline(*harness.bounded_run(data))
        harness.check_same(expected, data, f"outputs: {name}")
    harness.say("outputs with torn tails, flipped bytes, lost indexes: made again, the same")


def deleted_index_reads(scratch, done, expected):
    """Readers do without indexes, also after a clean stop."""
    data = harness.copy(done, scratch / "unindexed")
    for path in [*data.glob("kafka/*/*.index"), *data.glob("kafka/*/*.timeindex")]:
        path.unlink()
    harness.check_same(expected, data, "without indexes")
    part = harness.plumbline("export", "--data", data, "--topic", "means.dust", "--partition", 1,
                             "--from", 100, "--to", 103).splitlines()
    harness.check([json.loads(line)["offset"] for line in part] == [100, 101, 102], f"{part}")
    harness.plumbline(*harness.bounded_run(data))
    harness.check_same(expected, data, "without indexes, run")
    harness.say("deleted indexes: read and run as before")


def deleted_topics(scratch, done, expected):
    """Outputs, rejects and substreams that are gone whole are made again; foreign files are let be.
    """
    for topic in ["loads.device", "site-loads.v1.by_site", "crane-overload.v1.rejects"]:
        data = harness.copy(done, scratch / "deleted")
        for path in (data / "kafka").glob(f"{topic}-*"):
            shutil.rmtree(path)
        harness.plumbline(*harness.bounded_run(data))
        harness.check_same(expected, data, f"{topic} deleted whole")
    data = harness.copy(done, scratch / "deleted")
    for name in ["lost+found", "no-number-x", "-0", "a--1", "b-99999999999999999999"]:
        (data / "kafka" / name).mkdir()
    for name in ["kafka/notes.txt", "kafka/alarms.crane-0/junk.log", "state/notes"]:
        write(data / name, "not ours")
    harness.plumbline(*harness.bounded_run(data))
    harness.check_same(expected, data, "foreign files")
    harness.say("deleted outputs, rejects, substreams: made again; foreign files change nothing")


def torn_input(scratch, base, expected, source):
    """Bytes after the published end of an input were never accepted: they are cut."""
    data = harness.copy(base, scratch / "torn")
    (data / "kafka/.kafka_cleanshutdown").unlink()
    segment = max((data / "kafka/telemetry.crane-1").glob("*.log"))
    with open(segment, "ab") as file:
        file.write(segment.read_bytes()[:source.randrange(20, 3000)])
    harness.plumbline(*harness.bounded_run(data))
    harness.check_same(expected, data, "an input with a torn tail")
    # Below the published end a missing tail is a loss, and said to be one.
    data = harness.copy(base, scratch / "torn")
    (data / "kafka/.kafka_cleanshutdown").unlink()
    segment = max((data / "kafka/telemetry.crane-1").glob("*.log"))
    segment.write_bytes(segment.read_bytes()[:-100])
    harness.refused(harness.bounded_run(data), "telemetry.crane-1", "copy")
    harness.say("a torn tail of an input: cut when never accepted, else refused")


def second_run(scratch, base, expected):
    data = harness.copy(base, scratch / "second")
    first = subprocess.Popen(
        [harness.PLUMBLINE, *map(str, harness.bounded_run(data))][:-1],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not harness.high_watermarks(data).get(("alarms.crane", 0)):
            harness.check(first.poll() is None and time.monotonic() < deadline, "no alarm came")
            time.sleep(0.05)
        for arguments in [harness.bounded_run(data), harness.bounded_run(data)[:-1]]:
            harness.refused(arguments, "in use by another process", str(data))
    finally:
        first.send_signal(signal.SIGTERM)
        code = first.wait(60)
    harness.check(code == 0, f"SIGTERM: exit {code}")
    harness.plumbline(*harness.bounded_run(data))
    harness.check_same(expected, data, "a second run that was refused")
    harness.say("a second run: refused, the first one goes on")


def main():
    source = random.Random(harness.SEED)
    with harness.scratch() as scratch:
        base, done, expected = harness.undisturbed(scratch)
        topology_errors(scratch)
        options(scratch)
        missing(scratch)
        changed_plan(scratch, done)
        bad_readings(scratch)
        bad_frames(scratch)
        between_topologies(scratch)
        empty_file(scratch)
        permission(scratch, done)
        flipped_byte(scratch, base, expected, source)
        torn_input(scratch, base, expected, source)
        damaged_outputs(scratch, done, expected, source)
        deleted_index_reads(scratch, done, expected)
        deleted_topics(scratch, done, expected)
        second_run(scratch, base, expected)


if __name__ == "__main__":
    main()
