"""What a start notices of files that were changed, damaged or lost after a clean stop, and what a
start that fails leaves behind: nothing that keeps the next one from working."""
import json
import shutil

import _harness as harness
import _records as records

CRANE = harness.ROOT / "topologies/crane-overload"
ALARMS = "alarms.crane"


def partitions(data, topic):
    """The partitions of a topic that have records."""
    return [path for path in sorted((data / "kafka").glob(f"{topic}-[0-9]*"))
            if any(file.stat().st_size for file in path.glob("*.log"))]


def flip(path):
    """One bit near the end of a partition's last segment."""
    file = sorted(path.glob("*.log"))[-1]
    content = bytearray(file.read_bytes())
    content[-20] ^= 4
    file.write_bytes(content)


def regenerated(expected, data, what):
    output = harness.plumbline(*harness.bounded_run(data)).decode()
    harness.check("written again" in output, f"{what}: the run says nothing: {output}")
    harness.check_same(expected, data, what)


def bit_rot(scratch, done, expected):
    """A run makes outputs again, and refuses a damaged journal, which nothing can make."""
    for topic in [ALARMS, "means.dust", "crane-overload.v1.rejects"]:
        data = harness.copy(done, scratch / "rot")
        flip(partitions(data, topic)[-1])
        regenerated(expected, data, f"a flipped bit in {topic}")
    data = harness.copy(done, scratch / "rot")
    path = partitions(data, "crane-overload.v1.journal")[1]
    flip(path)
    harness.refused(harness.bounded_run(data), path.name, "damaged record batch", "from a copy")
    harness.say("a flipped bit after a clean stop: outputs are made again, a journal is refused")


def lost_partitions(scratch, done, expected):
    written = [path.name for topic in harness.OUTPUTS for path in partitions(done, topic)]
    empty = sorted(path.name for path in (done / "kafka").glob(f"{ALARMS}-[0-9]")
                   if path.name not in written)
    # The first partition says that a topic is there, the last how many it has.
    chosen = [next(name for name in written if name.endswith(f"-{number}")) for number in range(4)]
    for name in chosen + empty[:1]:
        data = harness.copy(done, scratch / "lost")
        path = data / "kafka" / name
        topic = name.rpartition("-")[0]
        others = {file.read_text()
                  for file in data.glob(f"kafka/{topic}-[0-9]/partition.metadata")}
        shutil.rmtree(path)
        if name in empty:
            harness.plumbline(*harness.bounded_run(data))
            harness.check_same(expected, data, f"{name} is gone")
        else:
            harness.refused(["export", "--data", data, "--topic", topic],
                            topic if name.endswith("-0") else "plumbline run")
            regenerated(expected, data, f"{name} is gone")
        harness.check({(path / "partition.metadata").read_text()} == others,
                      "the partition has another topic's identifier")
    for number in [0, 2]:
        data = harness.copy(done, scratch / "lost")
        name = f"crane-overload.v1.journal-{number}"
        shutil.rmtree(data / "kafka" / name)
        harness.refused(harness.bounded_run(data), "crane-overload.v1.journal is gone", name,
                        "from a copy", "--data")
    data = harness.copy(done, scratch / "lost")
    shutil.rmtree(data / "kafka/telemetry.crane-2")
    harness.refused(harness.bounded_run(data), "telemetry.crane-2", "from a copy")
    harness.say("lost partitions: outputs are made again, journals and inputs are refused")


def edited_journal(scratch, done):
    """A journal record that was changed, with its checksum, does not fit the snapshot taken with
    it: what it says is executed again, and found wrong."""
    path = partitions(done, "crane-overload.v1.journal")[1]
    found = records.read_partition(path)
    epoch = json.loads(found[-1].value)
    back = [max(0, end - 1) for end in epoch["positions"]]
    steps = [dict(step, merge=dict(step["merge"], to=back)) if "merge" in step else step
             for step in epoch["steps"]]
    # With positions one back the last rows would be taken twice; with one on, one never.
    cases = {
        "positions and steps": dict(positions=back, steps=steps),
        "output ends": dict(outputEnds=[end + 1 for end in epoch["outputEnds"]]),
        "an output's hash": dict(
            outputs=[dict(one, hash=one["hash"][::-1]) for one in epoch["outputs"]]),
        "steps": dict(steps=[{"flush": {}}]),
        "plan": dict(plan=epoch["plan"][::-1]),
    }
    for name, change in cases.items():
        data = harness.copy(done, scratch / "edited")
        value = json.dumps({**epoch, **change}, separators=(",", ":"), sort_keys=True)
        harness.check(value.encode() != found[-1].value, f"{name}: nothing is changed")
        records.write_partition(
            data / "kafka" / path.name, found[:-1] + [found[-1]._replace(value=value.encode())])
        harness.refused(harness.bounded_run(data), "crane-overload.v1", "hint:")
    # Written back as it was it is believed, and nothing is executed again.
    data = harness.copy(done, scratch / "edited")
    records.write_partition(data / "kafka" / path.name, found)
    output = harness.plumbline(*harness.bounded_run(data, "--json"))
    harness.check(json.loads(output)["reexecutedEpochs"] == 0, f"re-execution: {output}")
    harness.say(f"{len(cases)} edits of the last journal record: each is noticed at the start")


def failed_start(scratch, base):
    """Of topologies that one run starts, the last does not fit: the others are as they were."""
    topologies = scratch / "topologies"
    shutil.copytree(harness.ROOT / "topologies", topologies)
    file = scratch / "one.ndjson"
    file.write_text('{"device":"x"}\n')
    data = harness.copy(base, scratch / "failed")
    harness.plumbline("import", "--data", data, "--topic", "alarms.dust", "--format", "json", file)
    before = sorted(path.name for path in (data / "kafka").iterdir())
    harness.refused(["run", "--data", data, topologies / "crane-overload",
                     topologies / "dust-exceedance", "--until-end"], "alarms.dust", "one writer")
    after = sorted(path.name for path in (data / "kafka").iterdir())
    owners = data / "state/owners"
    harness.check([name for name in after if name not in before + [".kafka_cleanshutdown"]] == [],
                  f"the failed start has made {set(after) - set(before)}")
    harness.check(not owners.exists() or not any(owners.iterdir()), "owners were noted")
    # Nothing was done under the plan yet, so it may change.
    path = topologies / "crane-overload/topology.yaml"
    text = path.read_text()
    path.write_text(text.replace("topic: alarms.crane\n", "topic: alarms.mine\n"))
    harness.plumbline("run", "--data", data, topologies / "crane-overload", "--until-end")
    harness.plumbline("import", "--data", data, "--topic", ALARMS, "--format", "json", file)
    path.write_text(text)
    harness.refused(["run", "--data", data, topologies / "crane-overload", "--until-end"],
                    "has changed since its journal was written")
    harness.say("a start that fails leaves nothing behind")


def nothing_done_yet(scratch):
    """A topology that has read nothing yet may change, and gives back what it had claimed."""
    topologies = scratch / "unread"
    shutil.copytree(harness.ROOT / "topologies", topologies)
    path = topologies / "crane-overload/topology.yaml"
    text = path.read_text()
    data = scratch / "nothing"
    file = scratch / "blank.ndjson"
    for source in ["telemetry.crane", "registry.crane"]:
        file.write_text("\n")
        harness.plumbline(*harness.import_arguments(data, source, file))
    run = ["run", "--data", data, topologies / "crane-overload", "--until-end"]
    harness.plumbline(*run)
    path.write_text(text.replace("topic: alarms.crane\n", "topic: alarms.mine\n"))
    harness.plumbline(*run)
    harness.check(not list((data / "kafka").glob(f"{ALARMS}-[0-9]*")), f"{ALARMS} is still there")
    file.write_text('{"device":"x"}\n')
    harness.plumbline("import", "--data", data, "--topic", ALARMS, "--format", "json", file)
    harness.plumbline(*harness.import_arguments(
        data, "telemetry.crane", harness.ROOT / "fixtures/site-day/crane.ndjson"))
    harness.plumbline(*run)
    harness.plumbline("replay", "--data", data)
    path.write_text(text)
    harness.refused(run, "has changed since its journal was written")
    harness.say("a topology that has done nothing yet may change")


def large_record(scratch):
    """A record that nobody could read again is refused before anything of its epoch is stored."""
    folder = scratch / "large"
    (folder / "schemas").mkdir(parents=True)
    (folder / "schemas/s.yaml").write_text("schema: s\nfields: {k: string, ts: timestamp,"
                                           " text: string}\n")
    long = " + ".join(["r.text"] * 20)
    (folder / "topology.yaml").write_text(f"""topology: large
version: 1
sources:
  r:
    topic: r
    schema: s
    key: k
    time: {{field: ts, disorder: 1s, lateness: 0s, ahead: 1h}}
steps:
  - long: {{from: r, select: {{text: {long}}}}}
sinks:
  - {{from: long, topic: long}}
""")
    file = scratch / "large.ndjson"
    data = scratch / "large-data"
    for index, count in enumerate([100, 15 << 20]):
        file.write_text(json.dumps({"k": "a", "ts": 1772402400000, "text": "x" * count}) + "\n")
        harness.plumbline("import", "--data", data, "--topic", "r", "--format", "json",
                          "--key", "k", "--time", "ts", file)
        run = ["run", "--data", data, folder, "--until-end"]
        if index == 0:
            harness.plumbline(*run)
    errors = harness.refused(run, "300 MiB for long", "key a", "64 MiB", "hint:")
    harness.check("replay" not in errors, errors)
    found = harness.plumbline("export", "--data", data, "--topic", "long").splitlines()
    harness.check(len(found) == 1, f"{len(found)} records can be read")
    harness.plumbline("replay", "--data", data)
    harness.say("a record of 300 MiB: refused, and what is there can be read")


def main():
    with harness.scratch() as scratch:
        base, done, expected = harness.undisturbed(scratch)
        large_record(scratch)
        failed_start(scratch, base)
        nothing_done_yet(scratch)
        edited_journal(scratch, done)
        lost_partitions(scratch, done, expected)
        bit_rot(scratch, done, expected)


if __name__ == "__main__":
    main()
