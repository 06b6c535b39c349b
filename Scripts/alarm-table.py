#!/usr/bin/env python3
"""Prints a table of alarms from files written by `plumbline export`, and counts rejects.

usage: alarm-table.py [--limit N] TOPIC.ndjson...

The name of a file is its topic. Files of `*.rejects` topics are counted by reason; all others are
alarms, shown in order of time, at most N of a topic (default 20).
"""
import argparse
import collections
import datetime
import decimal
import json
import pathlib
import sys

COLUMNS = ["time (UTC)", "topic", "key", "rule", "event", "level", "severity", "value", "limit",
           "since (UTC)"]
RIGHT_ALIGNED = {"value", "limit"}


def read(path):
    """The records of one export file; numbers keep their digits."""
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line, parse_float=decimal.Decimal) for line in lines if line.strip()]


def utc(milliseconds):
    moment = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def short(text):
    """A timestamp of a value (RFC 3339) as the table shows it."""
    return str(text).replace("T", " ").split(".")[0].removesuffix("Z") if text else ""


def number(value):
    return "" if value is None else str(value)


def row(topic, record):
    value = record.get("value") or {}
    # A machine's breaches and deadlines have no levels.
    level = value.get("level") or ""
    if value.get("previous") not in (None, level):
        level = f"{value['previous']} > {level}"
    return [
        utc(record["timestamp"]), topic, str(record.get("key") or ""),
        value.get("rule", ""), value.get("event", ""), level, value.get("severity") or "",
        number(value.get("value")), number(value.get("limit")), short(value.get("since")),
    ]


def reason(record):
    headers = record.get("headers") or {}
    if isinstance(headers, list):
        headers = {header.get("key"): header.get("value") for header in headers}
    return headers.get("plumbline.reason", "unknown")


def print_table(rows):
    widths = [max(len(line[i]) for line in [COLUMNS] + rows) for i in range(len(COLUMNS))]

    def show(line):
        cells = [
            cell.rjust(width) if name in RIGHT_ALIGNED else cell.ljust(width)
            for cell, width, name in zip(line, widths, COLUMNS)
        ]
        print("  ".join(cells).rstrip())

    show(COLUMNS)
    print("  ".join("-" * width for width in widths))
    for line in rows:
        show(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=int, default=20, help="rows shown of each topic")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()

    shown, counts, rejects = [], {}, {}
    for path in arguments.files:
        topic = path.name.removesuffix(".ndjson")
        records = read(path)
        if topic.endswith(".rejects"):
            rejects[topic] = collections.Counter(reason(record) for record in records)
            continue
        records.sort(key=lambda r: (r["timestamp"], str(r.get("key")), r["offset"]))
        counts[topic] = len(records)
        for record in records[: arguments.limit]:
            shown.append((record["timestamp"], topic, row(topic, record)))

    if not shown:
        print("no alarms")
    else:
        shown.sort(key=lambda entry: entry[:2])
        print_table([line for _, _, line in shown])
    print()
    for topic, count in sorted(counts.items()):
        more = f", the first {arguments.limit} shown" if count > arguments.limit else ""
        print(f"{topic}: {count} records{more}")
    for topic, reasons in sorted(rejects.items()):
        listed = ", ".join(f"{name} {count}" for name, count in sorted(reasons.items()))
        print(f"{topic}: {sum(reasons.values())} records" + (f" ({listed})" if listed else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
