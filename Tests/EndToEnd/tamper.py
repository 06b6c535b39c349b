"""Whoever changes a log by hand and repairs every checksum is found out by `replay`.

On a finished directory one output partition is rewritten: a value, key, time or header changed, a
record dropped, one added, two swapped; then a journal record or an input value. `replay` must exit
1 each time and name topic, partition and the first offset that differs. An untouched partition,
rewritten as it was, must be found identical: so it is the change that is found.
"""
import json
import random
import re
import shutil

import _harness as harness
import _records as records


def renumbered(found):
    return [record._replace(offset=offset) for offset, record in enumerate(found)]


def changed_value(record, source):
    """Another last digit somewhere in the value, or another byte in one that has no digit."""
    value = bytearray(record.value)
    digits = [index for index, byte in enumerate(value) if 48 <= byte <= 57]
    place = source.choice(digits or range(len(value)))
    value[place] = 48 + (value[place] - 47) % 10
    return record._replace(value=bytes(value))


def changed_header(record):
    """Another digit at the end of the last header."""
    headers = bytearray(record.headers)
    headers[-1] = 48 + (headers[-1] - 47) % 10
    return record._replace(headers=bytes(headers))


def changes(found, source):
    """By name: the records as they are after a change, and the first offset that differs."""
    at = source.randrange(len(found))
    record, end = found[at], len(found)

    def replaced(new):
        return found[:at] + [new] + found[at + 1:]

    result = {
        "a value changed": (replaced(changed_value(record, source)), at),
        "a time changed": (replaced(record._replace(time=record.time + 1)), at),
        "a key changed": (replaced(record._replace(key=b"TC-99")), at),
        "a header changed": (replaced(changed_header(record)), at),
        "a record dropped": (renumbered(found[:at] + found[at + 1:]), at),
        "a record dropped, its offset left out": (found[:at] + found[at + 1:], at),
        "the last record dropped": (found[:-1], end - 1),
        "a record added": (
            renumbered(found[:at] + [changed_value(record, source)] + found[at:]), at),
        "a record added at the end": (renumbered(found + [record]), end),
    }
    if end > 1:
        first = source.randrange(end - 1)
        swapped = list(found)
        swapped[first:first + 2] = [found[first + 1], found[first]]
        result["two records swapped"] = (renumbered(swapped), first)
    # A dropped record that equals the next one shows later.
    return {name: pair for name, pair in result.items() if pair[0]}


# Topologies that read a tampered output give something else, too.
READERS = {"means.dust": "dust-hours.v1"}


def expect_difference(data, topic, partition, offset, what):
    code, output, errors = harness.execute("replay", "--data", data, "--json")
    found = [json.loads(line) for line in output.splitlines()]
    found = [one for one in found if not one["identical"]]
    harness.check(code == 1 and found, f"{what}: replay ends with exit {code}\n{output}{errors}")
    named = [(one["topic"], one["partition"], one["offset"]) for one in found
             if one["task"].rpartition("/")[0] != READERS.get(topic)]
    harness.check(named == [(topic, partition, offset)],
                  f"{what}: {topic}, partition {partition}, offset {offset} was changed; replay"
                  f" names {found}")


def restore(done, data, path):
    """Puts one partition of `data` back as it is in `done`."""
    harness.copy(path, data / "kafka" / path.name)
    for name in ["replication-offset-checkpoint", "recovery-point-offset-checkpoint"]:
        shutil.copy(done / "kafka" / name, data / "kafka" / name)


def fullest(data, topic):
    """The partition of a topic with the most records, and those."""
    found = {path: records.read_partition(path)
             for path in (data / "kafka").glob(f"{topic}-[0-9]*")}
    path = max(found, key=lambda path: len(found[path]))
    return path, found[path]


def tamper_outputs(done, data, source):
    count = 0
    harness.copy(done, data)
    for topic in harness.OUTPUTS + harness.REJECTS:
        path, found = fullest(done, topic)
        partition = int(path.name.rpartition("-")[2])
        cases = changes(found, source)
        # All of them for one topic, a few for each of the others.
        names = list(cases) if topic == "alarms.crane" else source.sample(list(cases), 2)
        for name in names:
            tampered, offset = cases[name]
            records.write_partition(data / "kafka" / path.name, tampered)
            expect_difference(data, topic, partition, offset, f"{topic}: {name}")
            restore(done, data, path)
            count += 1
        # What is written back unchanged must pass: it is the change that was found.
        records.write_partition(data / "kafka" / path.name, found)
        code, output, _ = harness.execute("replay", "--data", data)
        harness.check(code == 0, f"{topic}, rewritten as it was: {output}")
    harness.say(f"{count} changes of outputs and rejects: each offset named")


def journal_changes(found):
    """By name: what a journal may be made to say in its last epoch."""
    epoch = json.loads(found[-1].value)

    def with_epoch(**change):
        value = json.dumps({**epoch, **change}, separators=(",", ":"), sort_keys=True)
        return found[:-1] + [found[-1]._replace(value=value.encode())]

    one, others = epoch["outputs"][0], epoch["outputs"][1:]
    return {
        "another hash": with_epoch(outputs=[dict(one, hash=one["hash"][::-1])] + others),
        "another range": with_epoch(outputs=[dict(one, to=one["to"] - 1)] + others),
        "an output left out": with_epoch(outputs=others),
        "no steps": with_epoch(steps=[]),
        "no flush": with_epoch(steps=[step for step in epoch["steps"] if "flush" not in step]),
        "another plan": with_epoch(plan=epoch["plan"][::-1]),
        "other positions": with_epoch(positions=[end - 1 for end in epoch["positions"]]),
        "other ends": with_epoch(outputEnds=[end + 1 for end in epoch["outputEnds"]]),
        "another number": with_epoch(epoch=epoch["epoch"] + 1),
        "not JSON": found[:-1] + [found[-1]._replace(value=b"{}")],
        "an epoch dropped": found[:-1],
    }


def tamper_journal(done, data):
    path, found = fullest(done, "dust-exceedance.v1.journal")
    cases = journal_changes(found)
    harness.copy(done, data)
    for name, tampered in cases.items():
        records.write_partition(data / "kafka" / path.name, tampered)
        code, output, errors = harness.execute("replay", "--data", data)
        named = re.search(r"dust.*offset \d|plan [0-9a-f]{64}", output + errors)
        harness.check(code == 1 and named, f"journal: {name}: exit {code}\n{output}{errors}")
        restore(done, data, path)
    harness.say(f"{len(cases)} changes of a journal: each found")


def tamper_input(done, data):
    """The reading that the first alarm names as its cause is made another one."""
    alarm = json.loads(harness.exported(done)["alarms.crane"][0])
    cause = alarm["headers"]["plumbline.causes"].split(";")[0]
    place, _, offset = cause.partition(":")
    offset = int(offset.partition("#")[0].partition("-")[2] or offset.partition("#")[0])
    harness.copy(done, data)
    directory = data / "kafka" / place.replace("/", "-")
    for segment in sorted(directory.glob("*.log")):
        found = records.read_segment(segment)
        tampered = [
            record._replace(value=record.value.replace(b'"mass":', b'"mass":1', 1))
            if record.offset == offset else record for record in found]
        if tampered != found:
            records.write_segment(segment, tampered)
    code, output, errors = harness.execute("replay", "--data", data)
    named = f"{'alarms.crane'}, partition {alarm['partition']}, offset {alarm['offset']}"
    harness.check(code == 1 and named in output, f"input {cause}: exit {code}\n{output}{errors}")
    harness.say(f"input {cause} changed: {named} is named")


def main():
    source = random.Random(harness.SEED)
    with harness.scratch() as scratch:
        base = scratch / "base"
        harness.import_site_day(base)
        # Several epochs, so that an offset is found inside the journal too.
        harness.plumbline(*harness.bounded_run(base, "--epoch-rows", 2000))
        tamper_outputs(base, scratch / "data", source)
        tamper_journal(base, scratch / "data")
        tamper_input(base, scratch / "data")


if __name__ == "__main__":
    main()
