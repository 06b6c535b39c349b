"""Times at the edges of the years 1 to 9999: what is taken, and what a row is rejected as, against
Python's own calendar, which has the same years."""
import datetime
import json

import _harness as harness

TOPOLOGY = """topology: edges
version: 1
sources:
  r:
    topic: r
    schema: s
    key: k
    time: {field: ts, disorder: 1s, lateness: 0s, ahead: 1h}
steps:
  - known: {from: r, filter: r.x != null}
sinks:
  - {from: known, topic: known}
"""
FIRST = datetime.datetime(1, 1, 1, tzinfo=datetime.timezone.utc)
LAST = datetime.datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=datetime.timezone.utc)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MILLISECOND = datetime.timedelta(milliseconds=1)
TEXTS = [
    "0000-01-01T00:00:00Z", "0000-12-31T23:59:59Z", "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+01:00", "0001-01-01T01:00:00+01:00", "0001-01-01T00:30:00-00:30",
    "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-00:01",
    "10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "2026-13-01T00:00:00Z",
    "2026-02-29T00:00:00Z", "2024-02-29T00:00:00Z"]


def reason_of(value):
    """None when it is a time of the calendar; else the reason that formats.md has."""
    if isinstance(value, int):
        return None if FIRST <= EPOCH + value * MILLISECOND <= LAST else "out-of-range"
    try:
        datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).astimezone(
            datetime.timezone.utc)
    except (ValueError, OverflowError):
        return "wrong-type"
    return None


def main():
    low, high = (FIRST - EPOCH) // MILLISECOND, (LAST - EPOCH) // MILLISECOND
    values = TEXTS + [low, high, 0, -1, 1]
    # Python's calendar ends where ours does.
    expected = {json.dumps(value): reason_of(value) for value in values}
    expected |= {json.dumps(value): "out-of-range"
                 for value in [low - 1, high + 1, -2**62, 2**62]}
    with harness.scratch() as scratch:
        folder = scratch / "edges"
        (folder / "schemas").mkdir(parents=True)
        (folder / "topology.yaml").write_text(TOPOLOGY)
        (folder / "schemas/s.yaml").write_text(
            "schema: s\nfields: {k: string, ts: timestamp, x: timestamp}\n")
        file = scratch / "rows.ndjson"
        file.write_text("".join(
            f'{{"k":"a","ts":1772402400000,"x":{value}}}\n' for value in expected))
        data = scratch / "data"
        harness.plumbline("import", "--data", data, "--topic", "r", "--format", "json", "--key",
                          "k", "--time", "ts", file)
        harness.plumbline("run", "--data", data, folder, "--until-end")
        rejects = {}
        for line in harness.plumbline(
                "export", "--data", data, "--topic", "edges.v1.rejects").splitlines():
            record = json.loads(line)
            rejects[json.dumps(record["value"]["x"])] = record["headers"]["plumbline.reason"]
        wrong = {value: reason for value, reason in expected.items() if reason}
        harness.check(rejects == wrong, f"rejects {rejects}\nexpected {wrong}")
        known = harness.plumbline("export", "--data", data, "--topic", "known").splitlines()
        harness.check(len(known) == len(expected) - len(wrong), f"{len(known)} rows")
    harness.say(f"{len(expected)} times at the edges of the calendar, {len(wrong)} of them none")


if __name__ == "__main__":
    main()
