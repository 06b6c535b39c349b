"""`schema`: prints what docs/schema holds; every list of words in it is the parser's own list.

The parser names its words when it refuses one, so each place with an `enum` is tried with a word
that nobody knows. That both know the same keys is a rule of TidyTests.
"""
import json
import re

import _harness as harness

TOPOLOGY = """topology: t
version: 1
sources:
  load:
    topic: raw
    schema: reading
    key: device
    {source}
    time: {{field: ts, disorder: 5s, lateness: 1m, ahead: 10m{time}}}
  calm:
    topic: calm
    schema: reading
    key: device
    time: {{field: ts, disorder: 5s, lateness: 1m, ahead: 10m, idle: 30s}}
steps:
  - once: {{from: load, key: device, distinct: {{{distinct}}}}}
  - run: {{from: calm, key: device, machine: {{initial: a, states: [a, b], {machine}
      transitions: [{{on: mass > 1.5, from: a, to: b}}],
      deadlines: [{{name: d, in: b, after: 1h, to: a{deadline}}}]}}}}
  - days: {{from: calm, key: device, window: {{calendar: {window}, zone: UTC,
      aggregate: {{n: count()}}}}}}
  - high: {{from: once, key: device, levels: {{of: mass, raise: {{big: 1.5}}{levels}}}}}
sinks:
  - {{from: high, topic: out{sink}}}
  - {{from: run, topic: states}}
  - {{from: days, topic: days}}
"""
SCHEMA = """schema: reading
fields: {{device: string, ts: {{type: timestamp{field}}}, mass: decimal(2) t}}
"""
CASE = """case: a
input: [{{load: x}}]
expect:
  out: [{{{record}}}]
  rejects: [{{{reject}}}]
"""
# Where a list of words stands in the schema, and what is filled in to try it.
PLACES = {
    "topology.$defs.time.properties.clock": ("time", ", clock: {}"),
    "topology.$defs.format.oneOf.0": ("source", "format: {}"),
    "topology.$defs.cloudevents.properties.mode": (
        "source", "format: {{cloudevents: {{mode: {}}}}}"),
    "topology.$defs.protobuf.properties.wire": (
        "source", "format: {{protobuf: {{descriptors: a, message: B, wire: {}}}}}"),
    "topology.$defs.order": ("distinct", "order: {}"),
    "topology.$defs.levels.properties.direction": ("levels", ", direction: {}"),
    "topology.$defs.levels.properties.bounds": ("levels", ", bounds: {}"),
    "topology.$defs.levels.properties.ties": ("levels", ", ties: {}"),
    "topology.$defs.window.properties.calendar": ("window", "{}"),
    "topology.$defs.machine.properties.order": ("machine", "order: {},"),
    "topology.$defs.machine.properties.unexpected": ("machine", "unexpected: {},"),
    "topology.$defs.deadline.properties.clock": ("deadline", ", clock: {}"),
    "topology.$defs.sink.properties.format": ("sink", ", format: {}"),
    "topology.$defs.sink.properties.mode": ("sink", ", format: cloudevents, mode: {}"),
    "topology.$defs.sink.properties.codec": ("sink", ", codec: {}"),
    "schema.$defs.field.properties.encoding": ("field", ", encoding: {}"),
    "case.$defs.record.properties.change": ("record", "change: {}"),
    "case.$defs.reject.properties.reason": ("reject", "reason: {}"),
}


def enums(value, path):
    """Lists of words of a schema by where they stand; not those that are forbidden."""
    if isinstance(value, dict):
        if "enum" in value:
            yield path, value["enum"]
        for name, part in value.items():
            if name != "not":
                yield from enums(part, f"{path}.{name}")
    if isinstance(value, list):
        for number, part in enumerate(value):
            yield from enums(part, f"{path}.{number}")


def problems(scratch, place, text):
    """What `check` says of a topology with something filled in at a place."""
    names = ["source", "time", "distinct", "levels", "machine", "deadline", "sink",
             "field", "record", "reject"]
    parts = {name: text if name == place else "" for name in names}
    parts["window"] = text if place == "window" else "day"
    folder = scratch / "t"
    for name, content in [("topology.yaml", TOPOLOGY), ("schemas/reading.yaml", SCHEMA),
                          ("cases/a.yaml", CASE)]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content.format(**parts))
    code, output, errors = harness.execute("check", folder, "--json")
    harness.check(code in (0, 1), f"{errors}")
    # There are no files of the producers' schemas here.
    return [problem for problem in json.loads(output)["problems"]
            if not re.match(r"there are no (schemas|descriptors) ", problem["message"])]


def main():
    with harness.scratch() as scratch:
        found = {}
        for kind in ["topology", "schema", "rules", "case"]:
            printed = harness.plumbline("schema", kind)
            shipped = (harness.ROOT / f"docs/schema/{kind}.schema.json").read_bytes()
            harness.check(printed == shipped, f"{kind}: not what docs/schema holds")
            found.update(enums(json.loads(printed), kind))
        harness.check(found.keys() == PLACES.keys(), "lists of words in docs/schema and in this"
                      f" script: {sorted(found.keys() ^ PLACES.keys())}")
        harness.check(problems(scratch, None, "") == [], "the document is wrong without words")
        for path, words in found.items():
            place, text = PLACES[path]
            for word in words:
                refused = problems(scratch, place, text.format(word))
                harness.check(refused == [], f"{path}: the parser refuses '{word}': {refused}")
            (problem,) = problems(scratch, place, text.format("qqqqqqqq"))
            own = re.findall(r"[a-z][a-z0-9-]*", problem["hint"].split(": ", 1)[1])
            if path == "topology.$defs.format.oneOf.0":
                own = re.findall(r"\w+", problem["hint"].split(", or with")[0])
                own = set(own) - {"format", "or"}
            harness.check(set(own) == set(words), f"{path}: {words}, the parser: {own}")
        harness.refused(["schema", "plan"], "topology", expect=64)
    harness.say(f"four schemas as shipped; {len(found)} lists of words as the parser has them")


if __name__ == "__main__":
    main()
