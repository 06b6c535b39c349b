#!/usr/bin/env python3
"""Writes zones.tsv: what Python's zoneinfo says of every time zone.

    /usr/bin/python3 zones.py > zones.tsv

Run it on a machine whose tzdata has the version of Sources/Primitives/Zones (see zone-table.py).

version V                         of the machine's tzdata
changes NAME COUNT HASH           changes of offset from 1900 to 2100: how many, and FNV-1a (64 bit)
                                  over the text `time offset;` of each, in seconds
random NAME HASH                  the same over the offsets at 300 instants of the years 1 to 9999,
                                  from the generator that random() below spells out
start NAME YYYY-MM-DD SECONDS     the first instant, in whole minutes, at which clocks show that
                                  date's midnight or later
"""

import zoneinfo
from datetime import date, datetime, timedelta, timezone

zoneinfo.reset_tzpath(["/usr/share/zoneinfo"])
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
FIRST = int((datetime(1900, 1, 1, tzinfo=timezone.utc) - EPOCH).total_seconds())
LAST = int((datetime(2100, 1, 1, tzinfo=timezone.utc) - EPOCH).total_seconds())
MINIMUM = -62135596800 + 2 * 86400
MAXIMUM = 253402300799 - 2 * 86400
STEP = 43200


def offset(zone, instant):
    moment = (EPOCH + timedelta(seconds=instant)).astimezone(zone)
    return int(moment.utcoffset().total_seconds())


def fnv(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def changes(zone):
    result = []
    before = offset(zone, FIRST)
    for instant in range(FIRST, LAST, STEP):
        after = offset(zone, instant + STEP)
        if after == before:
            continue
        low, high = instant, instant + STEP
        while high - low > 1:
            middle = (low + high) // 2
            if offset(zone, middle) == before:
                low = middle
            else:
                high = middle
        result.append((high, after))
        before = after
    return result


def random():
    """Instants from a linear congruential generator (Knuth's MMIX)."""
    state = 2026
    for _ in range(300):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield MINIMUM + (state >> 11) % (MAXIMUM - MINIMUM)


def start(zone, day):
    local = datetime(day.year, day.month, day.day)
    instant = int((local - datetime(1970, 1, 1)).total_seconds()) - 30 * 3600
    while True:
        shown = (EPOCH + timedelta(seconds=instant)).astimezone(zone).replace(tzinfo=None)
        if shown >= local:
            return instant
        instant += 60


STARTS = {
    "Asia/Shanghai": ["2026-01-31", "1986-05-04", "1991-09-15"],
    "Europe/Berlin": ["2026-03-29", "2026-03-30", "2026-10-25", "2026-10-26", "2500-03-30"],
    "America/New_York": ["2026-03-08", "2026-11-01", "2026-11-02", "2199-07-04"],
    "America/Sao_Paulo": ["2018-11-04", "2018-11-05", "2018-02-17", "2018-02-18"],
    "America/St_Johns": ["2010-11-07", "2010-11-08", "2010-03-14"],
    "America/Havana": ["2026-11-01", "2026-03-08"],
    "Asia/Beirut": ["2026-03-29", "2026-10-25"],
    "Asia/Gaza": ["2026-03-28", "2026-10-31"],
    "Asia/Kathmandu": ["2026-02-01"],
    "Pacific/Apia": ["2011-12-29", "2011-12-30", "2011-12-31", "2012-01-01"],
    "Pacific/Kiritimati": ["1994-12-31", "1995-01-01"],
    "Australia/Lord_Howe": ["2026-04-05", "2026-04-06", "2026-10-04"],
    "Africa/Cairo": ["2026-04-24", "2026-10-30"],
}


def main():
    with open("/usr/share/zoneinfo/tzdata.zi") as file:
        print("version", file.readline().split()[-1], sep="\t")
    for name in sorted(zoneinfo.available_timezones() - {"localtime", "Factory"}):
        zone = zoneinfo.ZoneInfo(name)
        found = changes(zone)
        text = "".join(f"{time} {shift};" for time, shift in found)
        print("changes", name, len(found), fnv(text), sep="\t")
        text = "".join(f"{offset(zone, instant)};" for instant in random())
        print("random", name, fnv(text), sep="\t")
    for name, days in STARTS.items():
        for day in days:
            found = start(zoneinfo.ZoneInfo(name), date.fromisoformat(day))
            print("start", name, day, found, sep="\t")


main()
