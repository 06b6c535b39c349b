"""CSV as a user brings it: the fixture day's crane readings as CSV give the alarms that they give
as JSON, and what is wrong with a file or a topology is said.

The CSV is written by Python's own csv module, with `;`, quotes, CR LF and a byte-order mark.
"""
import csv
import json
import shutil

import _harness as harness

COLUMNS = ["percent", "ts", "note", "device", "site", "seq", "mass", "radius", "height", "slew",
           "wind", "tilt", "falls", "card", "climbing", "arrival"]
TYPES = {"device": str, "site": str, "card": str, "climbing": bool}
TOPICS = ["alarms.crane", "alarms.crane-chart", "alarms.crane-wind", "alarms.crane-climb"]
REJECTS = "crane-overload.v1.rejects"


def readings():
    """The day's readings whose values have the schema's types; numbers as they are written.

    Without those whose card is the empty text, which Python's csv module writes as it does null.
    """
    for line in (harness.ROOT / "fixtures/site-day/crane.ndjson").read_bytes().splitlines():
        try:
            reading = json.loads(line, parse_int=Number, parse_float=Number)
        except ValueError:
            continue
        if isinstance(reading, dict) and reading.get("card") != "" \
                and all(map(has_type, reading, reading.values())):
            yield line, reading


def has_type(name, value):
    return value is None or name == "ts" or type(value) is TYPES.get(name, Number)


class Number(str):
    """A number's digits."""


def write(json_file, csv_file):
    kept = 0
    with open(json_file, "wb") as lines, open(
            csv_file, "w", encoding="utf-8-sig", newline="") as out:
        rows = csv.writer(out, delimiter=";", lineterminator="\r\n")
        rows.writerow(COLUMNS)
        for line, reading in readings():
            lines.write(line + b"\n")
            reading["note"] = ["plain", "two\nlines", 'says "no"', "a;b", ""][kept % 5]
            rows.writerow(
                [None if reading.get(name) is None else str(reading[name]) for name in COLUMNS])
            kept += 1
    return kept


def topology(folder):
    """crane-overload with its readings as CSV."""
    shutil.copytree(harness.ROOT / "topologies/schemas", folder / "schemas")
    shutil.copytree(harness.ROOT / "topologies/crane-overload", folder / "crane-overload")
    file = folder / "crane-overload/topology.yaml"
    old = "    topic: telemetry.crane\n"
    text = file.read_text()
    harness.check(text.count(old) == 1, "the topology has changed")
    file.write_text(text.replace(old, old + '    format: {csv: {separator: ";"}}\n'))
    return folder / "crane-overload"


def load(data, file, *options):
    schemas = harness.ROOT / "topologies/schemas"
    fields = ["--key", "device", "--time", "ts", "--arrival", "arrival"]
    harness.plumbline(
        "import", "--data", data, "--topic", "registry.crane", "--format", "json", *fields,
        "--schema", schemas / "crane.yaml", harness.ROOT / "fixtures/site-day/registry.ndjson")
    harness.plumbline(
        "import", "--data", data, "--topic", "telemetry.crane", *options, *fields,
        "--schema", schemas / "crane-load.yaml", file)


def records(data, topic):
    lines = harness.plumbline("export", "--data", data, "--topic", topic).splitlines()
    return [json.loads(line, parse_float=str) for line in sorted(lines, key=harness.place)]


def refusals(scratch, file):
    base = ["import", "--data", scratch / "refused", "--topic", "t"]
    options = ["--format", "csv", "--key", "device"]
    harness.refused([*base, *options, file], "has no column 'device'", "--separator")
    harness.refused([*base, *options, "--separator", ";", "--time", "tss", file],
                    "has no column 'tss'", "its columns: percent, ts, note")
    harness.refused([*base, "--format", "json", "--separator", ";", file],
                    "go with --format csv", expect=64)
    harness.refused([*base, *options, "--separator", "a", file], "--separator must be", expect=64)
    harness.refused([*base, *options, "--no-header", file], "needs --schema", expect=64)
    open_quote = scratch / "open.csv"
    open_quote.write_text('device,ts\nC1,1\n"C2,2\nC3,3\n')
    harness.refused([*base, *options, open_quote], "line 3: the quotes of a field",
                    "nothing was imported")
    harness.check(not (scratch / "refused/kafka/t-0").exists(), "a refused file left records")


def main():
    with harness.scratch() as scratch:
        kept = write(scratch / "crane.ndjson", scratch / "crane.csv")
        harness.check(kept > 10_000, f"only {kept} readings are left")
        one, other = scratch / "json", scratch / "csv"
        load(one, scratch / "crane.ndjson", "--format", "json")
        load(other, scratch / "crane.csv", "--format", "csv", "--separator", ";")
        harness.plumbline("run", "--data", one, harness.SHIPPED[0], "--until-end")
        harness.plumbline("run", "--data", other, topology(scratch), "--until-end")
        total = 0
        for topic in TOPICS:
            expected, found = records(one, topic), records(other, topic)
            harness.check(expected and found == expected, f"{topic} differs")
            total += len(found)
        # A reject holds the record's own bytes.
        for record in (rejects := [records(one, REJECTS), records(other, REJECTS)])[1]:
            harness.check(isinstance(record["value"], str) and ";" in record["value"], record)
        for record in rejects[0] + rejects[1]:
            del record["value"]
        harness.check(rejects[0] and rejects[0] == rejects[1], "the rejects differ")
        code, output, errors = harness.execute("replay", "--data", other)
        harness.check(code == 0, f"replay: {output}{errors}")
        harness.say(f"{kept} readings as CSV and as JSON: the same {total} alarms and "
                    f"{len(rejects[1])} rejects; replay identical")
        refusals(scratch, scratch / "crane.csv")
    harness.say("wrong files and options are refused with the place and the way out")


if __name__ == "__main__":
    main()
