"""The shipped alarms as a consumer of CloudEvents sees them.

Segments are read by python3-kafka, an implementation that shares nothing with ours. Each record is
held against the text of CloudEvents 1.0.2 and its Kafka protocol binding, binary mode: which
attributes must be there, what their values may be, which headers there may be. Then the episodes:
their names, computed here, their order, and that no two events share an id.
"""
import datetime
import hashlib
import json
import re

import _harness as harness

from kafka.record.memory_records import MemoryRecords

TOPICS = ["alarms.crane", "alarms.crane-chart", "alarms.crane-wind", "alarms.crane-card",
          "alarms.crane-climb", "alarms.crane-clock", "alarms.dust", "alarms.dust-unit",
          "alarms.dust-frozen", "alarms.dust-clock", "alarms.hazard", "alarms.pit",
          "alarms.pit-rate", "alarms.pit-missing"]
REQUIRED = ["id", "source", "specversion", "type"]
OPTIONAL = ["subject", "time"]
# RFC 3339 §5.6.
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
# RFC 3986 Appendix A: the characters of a URI reference.
URI = re.compile(r"([A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
MEMBERS = ["episode", "rule", "event", "level", "previous", "severity", "majorHazardProposed",
           "value", "limit", "unit", "basis", "message", "since", "key", "time", "fields"]
NEXT = {None: {"raised", "breach", "deadline"}, "breach": {"breach"}, "deadline": set(),
        "raised": {"escalated", "eased", "cleared", "correction"},
        "escalated": {"escalated", "eased", "cleared", "correction"},
        "eased": {"escalated", "eased", "cleared", "correction"},
        "cleared": {"correction"}, "correction": {"escalated", "eased", "cleared", "correction"}}


def records(data, topic):
    for segment in sorted((data / "kafka").glob(f"{topic}-[0-9]*/*.log")):
        batches = MemoryRecords(segment.read_bytes())
        while batches.has_next():
            batch = batches.next_batch()
            harness.check(batch.validate_crc(), f"{segment}: CRC")
            yield from batch


def check_string(name, text):
    """The type String of CloudEvents, and not empty."""
    harness.check(text, f"{name} is empty")
    harness.check(not re.search(r"[\x00-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]", text),
                  f"{name} has characters that are not allowed: {text!r}")


def event(record):
    """Attributes and data of a record in binary mode; ends the script when it is no CloudEvent."""
    headers = {}
    for name, value in record.headers:
        harness.check(name not in headers, f"header {name} stands twice")
        headers[name] = value.decode("utf-8")
    attributes = {name[3:]: text for name, text in headers.items() if name.startswith("ce_")}
    for name, text in attributes.items():
        harness.check(re.fullmatch(r"[a-z0-9]+", name), f"attribute name {name}")
        check_string(name, text)
    for name in REQUIRED:
        harness.check(name in attributes, f"no attribute {name}: {headers}")
    harness.check(set(attributes) <= set(REQUIRED + OPTIONAL), f"attributes {attributes}")
    harness.check(attributes["specversion"] == "1.0", f"version {attributes['specversion']}")
    harness.check(URI.fullmatch(attributes["source"]), f"source {attributes['source']}")
    harness.check(TIME.fullmatch(attributes["time"]), f"time {attributes['time']}")
    # A receiver takes any other type that begins so for structured mode.
    harness.check(headers["content-type"] == "application/json", headers["content-type"])
    check_positions(headers)
    return attributes, json.loads(record.value.decode("utf-8"))


def check_positions(headers):
    """The causes, each before the position up to which its partition had been taken."""
    harness.check("plumbline.causes" in headers, f"the causes are gone: {headers}")
    positions = dict(part.split(":") for part in headers["plumbline.asof"].split(";"))
    for cause in headers["plumbline.causes"].split(";"):
        place, _, offsets = cause.partition(":")
        last = offsets.partition("#")[0].rpartition("-")[2]
        harness.check(int(last) < int(positions.get(place, 0)), f"{cause} after {positions}")


def milliseconds(text):
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int(moment.timestamp() * 1000 + 0.5)


def main():
    with harness.scratch() as scratch:
        data = scratch / "data"
        for topic, file in harness.site_files():
            harness.plumbline(*harness.import_arguments(data, topic, file))
        harness.plumbline("run", "--data", data, *harness.ALL_SHIPPED, "--until-end")
        ids, episodes, last, count = set(), {}, {}, 0
        for topic in TOPICS:
            found = list(records(data, topic))
            harness.check(found, f"no record in {topic}")
            for record in found:
                attributes, alarm = event(record)
                harness.check(list(alarm) == MEMBERS, f"members {list(alarm)}")
                harness.check(set(alarm["message"]) == {"zh", "en"}, alarm["message"])
                for text in alarm["message"].values():
                    harness.check(not set("{}") & set(text), f"a place is not filled: {text}")
                harness.check(re.search("[\u4e00-\u9fff]", alarm["message"]["zh"]), alarm)
                key = record.key.decode()
                harness.check(attributes["subject"] == alarm["key"] == key, f"key of {alarm}")
                harness.check(attributes["time"] == alarm["time"], f"time of {alarm}")
                harness.check(record.timestamp == milliseconds(alarm["time"]), f"time {alarm}")
                parts = [attributes["source"].rpartition("/")[2], alarm["rule"], key,
                         alarm["since"]]
                hashed = b"".join(
                    b"%d:%s," % (len(part.encode()), part.encode()) for part in parts)
                harness.check(alarm["episode"] == hashlib.sha256(hashed).hexdigest()[:32],
                              f"the episode of {alarm}")
                harness.check(
                    attributes["id"] == alarm["episode"] + "-"
                    + hashlib.sha256(record.value).hexdigest()[:16], f"the id of {alarm}")
                identity = attributes["source"], attributes["id"]
                harness.check(identity not in ids, f"twice: {identity}")
                ids.add(identity)
                before = last.get(alarm["episode"])
                harness.check(alarm["event"] in NEXT[before],
                              f"{alarm['event']} after {before}: {alarm}")
                last[alarm["episode"]] = alarm["event"]
                place = topic, key, alarm["since"]
                harness.check(episodes.setdefault(alarm["episode"], place) == place,
                              f"one name for two episodes: {alarm}")
                count += 1
        harness.say(f"{count} alarms of {len(episodes)} episodes are CloudEvents, each id once")


if __name__ == "__main__":
    main()
