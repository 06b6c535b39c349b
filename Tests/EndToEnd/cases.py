"""Cases with several partitions against runs of the same rows on topics with as many."""
import datetime
import json
import re

import _harness as harness

TOPOLOGY = """topology: counts
version: 1
sources:
  r:
    topic: r
    schema: s
    key: k
    time: {field: ts, disorder: 0s, lateness: 0s, ahead: 1h}
steps:
  - counted:
      from: r
      key: k
      window: {tumbling: 1m, aggregate: {rows: count()}}
sinks:
  - {from: counted, topic: counts}
"""
BEGIN = 1772402400000
KEYS = ["a", "b", "c", "d", "e", "f"]


def rows():
    """Each key in turn is half an hour further, and then each sends a row of its beginning."""
    found = [{"k": key, "ts": BEGIN + 1_800_000 * number} for number, key in enumerate(KEYS)]
    return found + [dict(row, ts=row["ts"] + 1000) for row in found]


def ran(scratch, folder, count):
    """The counts and the rejected rows of a run on `count` partitions."""
    data = scratch / f"data-{count}"
    file = scratch / "rows.ndjson"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows()))
    harness.plumbline("import", "--data", data, "--topic", "r", "--format", "json", "--key", "k",
                      "--time", "ts", "--partitions", count, file)
    harness.plumbline("run", "--data", data, folder, "--until-end")

    def exported(topic):
        lines = harness.plumbline("export", "--data", data, "--topic", topic).splitlines()
        return [json.loads(line) for line in lines]

    counts = sorted((record["timestamp"], record["key"], record["value"]["rows"])
                    for record in exported("counts"))
    rejects = sorted(rows().index(record["value"]) + 1 for record in exported("counts.v1.rejects"))
    return counts, rejects


def case(count, counts, rejects):
    expect = {
        "counts": [{"key": key, "time": f"@{moment}", "rows": number}
                   for moment, key, number in counts],
        "rejects": [{"source": "r", "reason": "late", "row": row} for row in rejects]}
    text = json.dumps({
        "case": "made of a run", "partitions": count, "input": [{"r": row} for row in rows()],
        "expect": expect})
    return text


def instants(text):
    """`@milliseconds` as RFC 3339, which cases have."""
    def instant(found):
        moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=int(found[1]))
        return f"\"{moment.isoformat(timespec='milliseconds')}Z\""
    return re.sub(r'"@(\d+)"', instant, text)


def main():
    with harness.scratch() as scratch:
        folder = scratch / "counts"
        (folder / "schemas").mkdir(parents=True)
        (folder / "cases").mkdir()
        (folder / "topology.yaml").write_text(TOPOLOGY)
        (folder / "schemas/s.yaml").write_text("schema: s\nfields: {k: string, ts: timestamp}\n")
        found = {count: ran(scratch, folder, count) for count in [1, 3, 4]}
        harness.check(found[1] != found[4], "partitions make no difference: nothing is tested")
        file = folder / "cases/a.yaml"
        for stated, (counts, rejects) in found.items():
            for count in found:
                file.write_text(instants(case(count, counts, rejects)))
                code, output, errors = harness.execute("test", folder)
                same = found[count] == found[stated]
                harness.check(code == (0 if same else 1),
                              f"the run on {stated}, a case of {count}: {output}{errors}")
        # A key that is not the row's puts it where its own key is not.
        text = json.dumps({"case": "key", "partitions": 4, "input": [
            {"r": rows()[0], "key": key} for key in KEYS], "expect": {}})
        file.write_text(text)
        harness.check("wrong-partition" in harness.execute("test", folder)[1], "another key")
    harness.say("cases of 1, 3 and 4 partitions give what runs on as many give")


if __name__ == "__main__":
    main()
