"""The queries in Pathway, one thread. usage: query.py c1|d1|d2 INPUT OUTPUT"""
import os
import sys

os.environ.setdefault("PATHWAY_THREADS", "1")
import pathway as pw  # noqa: E402

CHART = [
    (2.5, 6.0), (13.7, 6.0), (16, 5.0), (20, 3.9), (25, 3.0), (30, 2.4), (35, 2.0), (40, 1.7),
    (45, 1.45), (50, 1.3),
]


class Crane(pw.Schema):
    """A crane's reading: the fields that the query reads."""

    device: str
    ts: int
    load_t: float
    radius_m: float


class Dust(pw.Schema):
    """A monitor's reading: the fields that the queries read."""

    device: str
    ts: int
    tsp: float


def capacity(radius):
    """The chart as nested conditions, evaluated by the engine, not by Python."""
    value = CHART[-1][1]
    for (r0, c0), (r1, c1) in reversed(list(zip(CHART, CHART[1:]))):
        value = pw.if_else(radius <= r1, c0 + (c1 - c0) * (radius - r0) / (r1 - r0), value)
    return value


def c1(path):
    """Rises of a level: each reading beside the one before it in time."""
    rows = pw.io.jsonlines.read(path, schema=Crane, mode="static")
    rated = rows.select(pw.this.device, pw.this.ts, ratio=pw.this.load_t / capacity(rows.radius_m))
    judged = rated.select(
        pw.this.device, pw.this.ts,
        step=pw.if_else(pw.this.ratio >= 1.1, 3, pw.if_else(
            pw.this.ratio >= 1.0, 2, pw.if_else(pw.this.ratio >= 0.9, 1, 0))))
    ordered = judged + judged.sort(key=judged.ts, instance=judged.device)
    earlier = ordered.select(
        pw.this.device, pw.this.ts, pw.this.step,
        previous=pw.coalesce(ordered.ix(ordered.prev, optional=True).step, 0))
    return earlier.filter(pw.this.step > pw.this.previous).select(
        pw.this.device, pw.this.ts,
        level=pw.if_else(pw.this.step == 3, "critical", pw.if_else(
            pw.this.step == 2, "alarm", "warning")))


def means(path, every):
    """Means of 15 minutes."""
    rows = pw.io.jsonlines.read(path, schema=Dust, mode="static")
    window = (
        pw.temporal.tumbling(duration=900_000) if every == 15
        else pw.temporal.sliding(duration=900_000, hop=60_000))
    found = rows.windowby(rows.ts, window=window, instance=rows.device).reduce(
        device=pw.this._pw_instance, start=pw.this._pw_window_start,
        mean=pw.reducers.avg(pw.this.tsp))
    return found.select(
        pw.this.device, pw.this.start, pw.this.mean, exceeded=pw.this.mean > 250)


query, path, output = sys.argv[1:]
result = c1(path) if query == "c1" else means(path, 15 if query == "d1" else 1)
pw.io.jsonlines.write(result, output)
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
