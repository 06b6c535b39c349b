#!/usr/bin/env python3
"""Writes the table of time zones that is compiled into the program.

    Scripts/zone-table.py [ZONEINFO-FOLDER]

Reads compiled TZif files (RFC 9636), by default those of Debian's tzdata in /usr/share/zoneinfo,
and writes Sources/Primitives/Zones/ZoneTable+Data*.swift. The data is the IANA time zone
database, which is in the public domain. A newer table may change results: raise the semantics
version (EpochRecord.currentSemantics) with it, and make the vectors of the tests anew
(Tests/PrimitivesTests/Fixtures/zones.py).

One zone: names|offsets|transitions|rule;  Newlines mean nothing.
  offsets      seconds ahead of UTC, by commas; the first holds before the first transition
  transitions  time and offset of each: three digits of base 64 for the time since the one before
               in quarters of an hour, or ~SECONDS~ (the first: since 1970); then one digit of
               base 64 for the offset
  rule         after the last transition, when it goes on for ever:
               standard/daylight/start/end, a start as month.week.weekday.seconds of local time
"""

import os
import re
import struct
import sys
from datetime import date, timedelta

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
LEFT_OUT = {"localtime", "posixrules", "Factory"}
LINES_A_FILE = 600
WIDTH = 92
OUTPUT = os.path.join(os.path.dirname(__file__), "..", "Sources", "Primitives", "Zones")


def read_zone(data):
    """(first offset, [(time, offset)], footer) of a TZif file, without idle transitions."""

    def header(at):
        return struct.unpack(">6l", data[at + 20 : at + 44])

    isut, isstd, leap, times, types, chars = header(0)
    at = 44 + times * 5 + types * 6 + chars + leap * 8 + isstd + isut
    isut, isstd, leap, times, types, chars = header(at)
    at += 44
    moments = struct.unpack(f">{times}q", data[at : at + 8 * times])
    at += 8 * times
    indexes = data[at : at + times]
    at += times
    offsets = [struct.unpack(">l", data[at + 6 * i : at + 6 * i + 4])[0] for i in range(types)]
    at += 6 * types + chars + leap * 12 + isstd + isut
    current = offsets[0]
    transitions = []
    for moment, index in zip(moments, indexes):
        if offsets[index] != current:
            current = offsets[index]
            transitions.append((moment, current))
    return offsets[0], transitions, data[at:].decode().strip()


def seconds(text):
    """Seconds of [+-]h[:m[:s]]."""
    sign = -1 if text.startswith("-") else 1
    parts = [int(part) for part in text.lstrip("+-").split(":")] + [0, 0]
    return sign * (parts[0] * 3600 + parts[1] * 60 + parts[2])


def read_rule(footer):
    """(standard, daylight, start, end) of a POSIX TZ text, None when nothing changes any more."""
    head, *changes = footer.split(",")
    name = r"(?:<[^>]*>|[A-Za-z]+)"
    match = re.fullmatch(rf"{name}([-+\d:]+)(?:{name}([-+\d:]*))?", head)
    standard = -seconds(match[1])
    if not changes:
        return standard, None
    daylight = -seconds(match[2]) if match[2] else standard + 3600

    def change(text):
        day, _, time = text.partition("/")
        month, week, weekday = (int(part) for part in day[1:].split("."))
        assert day[0] == "M", f"a rule of another kind: {footer}"
        return month, week, weekday, seconds(time or "2")

    return standard, (standard, daylight, change(changes[0]), change(changes[1]))


def moment(year, change, offset):
    """When a change of a rule comes in a year, the clock being ahead by offset."""
    month, week, weekday, time = change
    first = date(year, month, 1)
    day = first + timedelta((weekday - (first.weekday() + 1)) % 7 + 7 * (week - 1))
    while day.month != month:
        day -= timedelta(7)
    return (day - date(1970, 1, 1)).days * 86400 + time - offset


def expand(rule):
    standard, daylight, start, end = rule
    result = []
    for year in range(1900, 2038):
        result.append((moment(year, start, standard), daylight))
        result.append((moment(year, end, daylight), standard))
    return sorted(result)


def trim(transitions, rule):
    """Without the transitions that the rule gives too, but for the one before them."""
    known = [change for change in expand(rule) if change[0] <= transitions[-1][0]]
    last = None
    while transitions and known and transitions[-1] == known[-1]:
        last = transitions.pop()
        known.pop()
    if last:
        transitions.append(last)
    return transitions


def encode(first, transitions, rule):
    offsets = [first]
    text = ""
    previous = None
    for time, offset in transitions:
        if offset not in offsets:
            offsets.append(offset)
        distance = time if previous is None else time - previous
        quarters, rest = divmod(distance, 900)
        if previous is None or rest or quarters >= 64**3:
            text += f"~{distance}~"
        else:
            text += DIGITS[quarters >> 12] + DIGITS[quarters >> 6 & 63] + DIGITS[quarters & 63]
        text += DIGITS[offsets.index(offset)]
        previous = time
    tail = ""
    if rule:
        standard, daylight, start, end = rule
        changes = [".".join(str(part) for part in change) for change in (start, end)]
        tail = f"{standard}/{daylight}/{changes[0]}/{changes[1]}"
    return f"|{','.join(str(offset) for offset in offsets)}|{text}|{tail};"


def read_folder(folder):
    zones = {}
    for parent, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            path = os.path.join(parent, name)
            zone = os.path.relpath(path, folder)
            if zone.startswith(("posix/", "right/")) or zone in LEFT_OUT:
                continue
            with open(path, "rb") as file:
                data = file.read()
            if not data.startswith(b"TZif"):
                continue
            first, transitions, footer = read_zone(data)
            standard, rule = read_rule(footer)
            if rule:
                transitions = trim(transitions, rule)
            else:
                assert (transitions[-1][1] if transitions else first) == standard, zone
            zones.setdefault(encode(first, transitions, rule), []).append(zone)
    return zones


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/zoneinfo"
    with open(os.path.join(folder, "tzdata.zi")) as file:
        version = file.readline().split()[-1]
    zones = read_folder(folder)
    text = "".join(
        ",".join(names) + data for data, names in sorted(zones.items(), key=lambda item: item[1])
    )
    lines = [text[at : at + WIDTH] for at in range(0, len(text), WIDTH)]
    for old in os.listdir(OUTPUT):
        if old.startswith("ZoneTable+Data"):
            os.remove(os.path.join(OUTPUT, old))
    parts = [lines[at : at + LINES_A_FILE] for at in range(0, len(lines), LINES_A_FILE)]
    for number, part in enumerate(parts, 1):
        with open(os.path.join(OUTPUT, f"ZoneTable+Data{number}.swift"), "w") as file:
            file.write("// Written by Scripts/zone-table.py from the IANA time zone database, ")
            file.write(f"version {version},\n// which is in the public domain.\n\n")
            file.write("extension ZoneTable {\n")
            if number == 1:
                file.write("    /// Version of the IANA time zone database.\n")
                file.write(f'    package static let version = "{version}"\n\n')
                parts_list = " + ".join(f"data{n}" for n in range(1, len(parts) + 1))
                file.write(f"    static var data: String {{ {parts_list} }}\n\n")
            file.write(f'    static let data{number} = """\n')
            for line in part:
                file.write(f"        {line}\n")
            file.write('        """\n}\n')
    print(f"{len(zones)} zones, {sum(len(names) for names in zones.values())} names", end=", ")
    print(f"{len(text)} characters, version {version}")


main()
