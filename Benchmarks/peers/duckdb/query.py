"""The queries in DuckDB, as one statement each. usage: query.py c1|d1|d2|p0-crane|p0-dust IN OUT"""
import sys

import duckdb

CHART = [
    (2.5, 6.0), (13.7, 6.0), (16, 5.0), (20, 3.9), (25, 3.0), (30, 2.4), (35, 2.0), (40, 1.7),
    (45, 1.45), (50, 1.3),
]


def capacity(radius):
    """The chart as a CASE: cheaper here than a join with ten rows."""
    cases = [
        f"WHEN {radius} <= {r1} THEN {c0} + ({c1} - {c0}) * ({radius} - {r0}) / ({r1} - {r0})"
        for (r0, c0), (r1, c1) in zip(CHART, CHART[1:])
    ]
    return f"CASE {' '.join(cases)} END"


CRANE = """read_ndjson('{path}', columns = {{device: 'VARCHAR', ts: 'BIGINT', load_t: 'DOUBLE',
    radius_m: 'DOUBLE'}})"""
DUST = "read_ndjson('{path}', columns = {{device: 'VARCHAR', ts: 'BIGINT', tsp: 'DOUBLE'}})"
MEANS = """SELECT device, start, CAST(sum / count AS DECIMAL(18, 4)) AS mean,
    sum / count > 250 AS exceeded"""

QUERIES = {
    "c1": f"""
        WITH rated AS (SELECT device, ts, load_t / ({capacity('radius_m')}) AS ratio FROM {CRANE}),
        judged AS (SELECT device, ts,
            (ratio >= 0.9)::INT + (ratio >= 1.0)::INT + (ratio >= 1.1)::INT AS level FROM rated),
        moved AS (SELECT *, lag(level, 1, 0) OVER (PARTITION BY device ORDER BY ts) AS previous
            FROM judged)
        SELECT device, ts, ['warning', 'alarm', 'critical'][level] AS level
        FROM moved WHERE level > previous""",
    "d1": f"""
        {MEANS} FROM (SELECT device, ts // 900000 * 900000 AS start, sum(tsp) AS sum,
            count(*) AS count FROM {DUST} GROUP BY device, start)""",
    # Panes of a minute, then a frame of 15. Where the next reading is far, empty panes stand in.
    "d2": f"""
        WITH panes AS (SELECT device, ts // 60000 AS minute, sum(tsp) AS sum, count(*) AS count
            FROM {DUST} GROUP BY device, minute),
        gaps AS (SELECT device, minute, coalesce(lead(minute) OVER (PARTITION BY device
            ORDER BY minute), minute + 15) - minute AS gap FROM panes),
        filled AS (FROM panes UNION ALL SELECT device, minute + unnest(range(1, least(gap, 15))),
            0, 0 FROM gaps WHERE gap > 1),
        framed AS (SELECT device, (minute - 14) * 60000 AS start, sum(sum) OVER frame AS sum,
            sum(count) OVER frame AS count FROM filled WINDOW frame AS (PARTITION BY device
            ORDER BY minute RANGE BETWEEN 14 PRECEDING AND CURRENT ROW))
        {MEANS} FROM framed""",
    "d2-exploded": f"""
        {MEANS} FROM (SELECT device, (ts // 60000 - unnest(range(15))) * 60000 AS start,
            sum(tsp) AS sum, count(*) AS count FROM {DUST} GROUP BY device, start)""",
    "p0-crane": f"""SELECT sum(length(device)), sum(ts), sum(load_t), sum(radius_m) FROM {CRANE}""",
    "p0-dust": f"SELECT sum(length(device)), sum(ts), sum(tsp) FROM {DUST}",
}


def main():
    """Runs one query from file to file."""
    query, path, output = sys.argv[1:]
    # Fewest CPU seconds: one thread, no order to keep, and no progress to print.
    connection = duckdb.connect(config={"threads": 1, "preserve_insertion_order": False})
    statement = QUERIES[query].format(path=path)
    connection.execute(f"COPY ({statement}) TO '{output}' (FORMAT json)")


main()
