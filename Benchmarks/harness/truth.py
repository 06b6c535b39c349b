"""The exact results of the queries, in integers, from the text of the numbers.

Independent of every contender: no floating point, no watermarks, no assumption about the order
of devices. A crane's readings are judged as they stand in the file; a window is the sum of its
minutes, whenever they came.
"""
import array
import bisect
import json

from .workload import CHART

MINUTE = 60_000
WINDOW = 15
LIMIT = 250
LEVELS = ["normal", "warning", "alarm", "critical"]


def scaled(text, digits):
    """A decimal's text as a whole number of 10^-digits; refuses what has more digits."""
    whole, _, fraction = text.partition(".")
    if len(fraction) > digits:
        raise ValueError(f"{text} has more than {digits} digits after the point")
    return int(whole + fraction.ljust(digits, "0"))


def readings(path):
    """The rows of a file; numbers with a point stay text."""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line, parse_float=str)


def level(load, radius, chart):
    """0 to 3: how many of the levels 0.9, 1.0 and 1.1 a load (kg) at a radius (cm) has reached."""
    at = max(bisect.bisect_left(chart, (radius,)), 1)
    (near, heavy), (far, light) = chart[at - 1], chart[at]
    width = far - near
    capacity = heavy * width + (light - heavy) * (radius - near)
    return sum(load * 10 * width >= capacity * tenths for tenths in (9, 10, 11))


def c1(path, out):
    """A line for every rise of a crane's level."""
    chart = [(scaled(radius, 2), scaled(load, 3)) for radius, load in CHART]
    held = {}
    for row in readings(path):
        load, radius = scaled(str(row["load_t"]), 3), scaled(str(row["radius_m"]), 2)
        if not chart[0][0] <= radius <= chart[-1][0]:
            continue
        device, now = row["device"], level(load, radius, chart)
        if now > held.get(device, 0):
            out.write(f'{{"device":"{device}","ts":{row["ts"]},"level":"{LEVELS[now]}"}}\n')
        held[device] = now


def minutes_of(path):
    """The first minute, and for each device the sums (tenths) and counts of its minutes."""
    base, sums, counts = None, {}, {}
    for row in readings(path):
        minute = row["ts"] // MINUTE
        if base is None:
            base = minute - 24 * 60
        device, at = row["device"], minute - base
        if device not in sums:
            sums[device], counts[device] = array.array("q"), array.array("q")
        if at < 0:
            raise ValueError(f"{device}: more than a day older than the first reading")
        missing = at + 1 - len(sums[device])
        if missing > 0:
            sums[device].extend([0] * missing)
            counts[device].extend([0] * missing)
        sums[device][at] += scaled(str(row["tsp"]), 1)
        counts[device][at] += 1
    return base, sums, counts


def write_means(path, every, out):
    """A line for every window with a reading in it."""
    base, sums, counts = minutes_of(path)
    for device, own in sums.items():
        # With empty minutes before and after, and what came before each of them.
        total, rows = [0], [0]
        for tenths, count in zip(own, counts[device]):
            total.append(total[-1] + tenths)
            rows.append(rows[-1] + count)
        first = 1 - WINDOW + -(base + 1 - WINDOW) % every
        for start in range(first, len(own), every):
            low, high = max(start, 0), min(start + WINDOW, len(own))
            count = rows[high] - rows[low]
            if count == 0:
                continue
            tenths = total[high] - total[low]
            mean, rest = divmod(tenths * 1000, count)
            mean += rest * 2 > count or (rest * 2 == count and mean % 2)
            exceeded = "true" if tenths > LIMIT * 10 * count else "false"
            out.write(
                f'{{"device":"{device}","start":{(base + start) * MINUTE},'
                f'"mean":{mean // 10000}.{mean % 10000:04},"exceeded":{exceeded}}}\n')


def write(query, path, out):
    """Writes the lines of a query over a file, in no particular order."""
    if query == "c1":
        c1(path, out)
    else:
        write_means(path, {"d1": WINDOW, "d2": 1}[query], out)
