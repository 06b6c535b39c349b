"""`topics`: its figures are those of the files, counted here by the published layout."""
import json
import pathlib
import struct

import _harness as harness

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def batches(segment):
    """Headers of a segment's record batches: base offset, last offset, codec, times."""
    content = segment.read_bytes()
    position = 0
    while position < len(content):
        base, length = struct.unpack_from(">qi", content, position)
        (attributes, last_delta, first, greatest) = struct.unpack_from(
            ">hiqq", content, position + 21)
        yield base, base + last_delta, CODECS[attributes & 7], first, greatest
        position += 12 + length


def counted(data):
    """By topic and partition what the files say."""
    published = harness.high_watermarks(data)
    found = {}
    for directory in sorted(pathlib.Path(data).glob("kafka/*-*")):
        topic, _, number = directory.name.rpartition("-")
        if not number.isdigit():
            continue
        segments = sorted(directory.glob("*.log"))
        end = published.get((topic, int(number)), 0)
        seen = [batch for segment in segments for batch in batches(segment) if batch[0] < end]
        entry = {
            "partition": int(number), "start": int(segments[0].stem), "end": end,
            "records": end - int(segments[0].stem),
            "bytes": sum(segment.stat().st_size for segment in segments),
            "codecs": sorted({batch[2] for batch in seen})}
        if seen:
            entry["firstTime"] = seen[0][3]
            entry["lastTime"] = max(batch[4] for batch in seen)
        found.setdefault(topic, []).append(entry)
    return {topic: sorted(parts, key=lambda part: part["partition"])
            for topic, parts in found.items()}


def check_figures(data, what):
    listed = json.loads(harness.plumbline("topics", "--data", data, "--json"))
    expected = counted(data)
    harness.check([one["name"] for one in listed] == sorted(expected), f"{what}: {listed}")
    for topic in listed:
        parts = expected[topic["name"]]
        harness.check(topic["byPartition"] == parts, f"{what}: {topic}\nnot {parts}")
        times = [part[key] for part in parts for key in ("firstTime", "lastTime") if key in part]
        for name, value in [
                ("partitions", len(parts)), ("records", sum(part["records"] for part in parts)),
                ("bytes", sum(part["bytes"] for part in parts)),
                ("codecs", sorted({codec for part in parts for codec in part["codecs"]})),
                ("lastTime", max(times, default=None)),
                ("firstTime", min((part["firstTime"] for part in parts if "firstTime" in part),
                                  default=None))]:
            harness.check(topic.get(name) == value, f"{what}: {topic['name']}.{name}: {topic}")
    return {topic["name"]: topic for topic in listed}


def main():
    with harness.scratch() as scratch:
        base, done, _ = harness.undisturbed(scratch)
        imported = check_figures(base, "imported")
        harness.check(all("writer" not in topic for topic in imported.values()), "no writers yet")
        # A second codec in one topic.
        file = scratch / "more.ndjson"
        file.write_text('{"device": "TC-09", "ts": 1, "arrival": 1}\n')
        harness.plumbline(*harness.import_arguments(
            base, "telemetry.crane", file, "--codec", "none"))
        mixed = check_figures(base, "two codecs")["telemetry.crane"]
        harness.check(mixed["codecs"] == ["lz4", "none"], f"{mixed}")
        topics = check_figures(done, "run")
        owners = {
            "loads.device": "site-loads.v1", "loads.site": "site-loads.v1.stage2",
            "dust.hours": "dust-hours.v1", "site-loads.v1.journal": "site-loads.v1",
            "site-loads.v1.stage2.journal": "site-loads.v1.stage2",
            "dust-hours.v1.journal": "dust-hours.v1"}
        for topic in harness.OUTPUTS + harness.REJECTS + harness.JOURNALS:
            owner = owners.get(
                topic, "dust-exceedance.v1" if "dust" in topic else "crane-overload.v1")
            harness.check(topics[topic].get("writer") == owner, f"{topics[topic]}")
        harness.check(topics["crane-overload.v1.plans"]["writer"] == "crane-overload.v1", "plans")

        table = harness.plumbline("topics", "--data", done).decode().splitlines()
        harness.check(len(table) == len(topics) + 1, f"{table}")
        harness.check(all(line == line.rstrip() for line in table), "blanks at the end")
        long = harness.plumbline("topics", "--data", done, "--partitions").decode().splitlines()
        parts = sum(topic["partitions"] for topic in topics.values())
        harness.check(len(long) == len(table) + parts, f"{long}")

        empty = scratch / "empty"
        empty.mkdir()
        harness.check(harness.plumbline("topics", "--data", empty, "--json") == b"[]\n", "empty")
        harness.refused(["topics", "--data", scratch / "none"], "no data directory", "import")
        harness.refused(["topics"], "--data", expect=64)
    harness.say(f"figures of {len(topics)} topics as counted in the files")


if __name__ == "__main__":
    main()
