"""The queries in Bytewax, one worker. usage: query.py c1|d1|d2|p0-crane|p0-dust INPUT OUTPUT"""
import bisect
import sys
from datetime import datetime, timedelta, timezone

import bytewax.operators as op
import bytewax.operators.windowing as win
import orjson
from bytewax.dataflow import Dataflow
from bytewax.inputs import DynamicSource, StatelessSourcePartition
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

RADII = [2.5, 13.7, 16, 20, 25, 30, 35, 40, 45, 50]
LOADS = [6.0, 6.0, 5.0, 3.9, 3.0, 2.4, 2.0, 1.7, 1.45, 1.3]
LEVELS = ["normal", "warning", "alarm", "critical"]
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MILLISECOND = timedelta(milliseconds=1)


class Rows(DynamicSource, StatelessSourcePartition):
    """Rows of a file, thousands at a time: what Bytewax hands on in one call."""

    def __init__(self, path):
        self.file = open(path, "rb")

    def build(self, step_id, worker_index, worker_count):
        return self

    def next_batch(self):
        lines = self.file.readlines(1 << 20)
        if not lines:
            raise StopIteration
        loads = orjson.loads
        return [loads(line) for line in lines]


class Lines(DynamicSink, StatelessSinkPartition):
    """Lines to a file."""

    def __init__(self, path):
        self.file = open(path, "w", encoding="ascii", buffering=1 << 18)

    def build(self, step_id, worker_index, worker_count):
        return self

    def write_batch(self, items):
        self.file.writelines(items)

    def close(self):
        self.file.close()


def rise(held, row):
    """The line of a rise, and the level now; `flat_map_value` would need a list."""
    radius = row["radius_m"]
    at = max(bisect.bisect_left(RADII, radius), 1)
    near, heavy = RADII[at - 1], LOADS[at - 1]
    capacity = heavy + (LOADS[at] - heavy) * (radius - near) / (RADII[at] - near)
    ratio = row["load_t"] / capacity
    now = (ratio >= 0.9) + (ratio >= 1.0) + (ratio >= 1.1)
    if now <= (held or 0):
        return now, None
    return now, f'{{"device":"{row["device"]}","ts":{row["ts"]},"level":"{LEVELS[now]}"}}\n'


def mean_line(item):
    """The line of a window's sum and count; windows are numbered from 1970."""
    device, (number, (total, count)) = item
    mean = total / count
    exceeded = "true" if mean > 250 else "false"
    return (
        f'{{"device":"{device}","start":{number * EVERY},"mean":{mean:.4f},'
        f'"exceeded":{exceeded}}}\n')


def add(state, row):
    """Adds a reading to a window's sum and count."""
    return state[0] + row["tsp"], state[1] + 1


def merge(left, right):
    """Adds two sums and counts."""
    return left[0] + right[0], left[1] + right[1]


def instant(row):
    """A reading's time."""
    return EPOCH + row["ts"] * MILLISECOND


def means(query, keyed):
    """The lines of the windows of `query`."""
    size = timedelta(minutes=15)
    clock = win.EventClock(instant, wait_for_system_duration=timedelta(seconds=60))
    windower = (
        win.TumblingWindower(length=size, align_to=EPOCH) if query == "d1"
        else win.SlidingWindower(length=size, offset=timedelta(minutes=1), align_to=EPOCH))
    folded = win.fold_window(
        "mean", keyed, clock, windower, lambda: (0.0, 0), add, merge, ordered=False)
    return op.map("line", folded.down, mean_line)


query, path, output = sys.argv[1:]
EVERY = 900_000 if query == "d1" else 60_000
flow = Dataflow("query")
rows = op.input("rows", flow, Rows(path))
if query.startswith("p0"):
    fields = ["load_t", "radius_m"] if query == "p0-crane" else ["tsp"]
    lines = op.filter("sum", rows, lambda row: sum(row[field] for field in fields) < 0)
else:
    keyed = op.key_on("key", rows, lambda row: row["device"])
    if query == "c1":
        judged = op.stateful_map("rise", keyed, rise)
        lines = op.map("line", op.filter_value("rises", judged, bool), lambda item: item[1])
    else:
        lines = means(query, keyed)
op.output("lines", lines, Lines(output))
run_main(flow)
