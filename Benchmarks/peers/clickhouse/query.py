"""The queries in ClickHouse, as one statement each. usage: query.py c1|d1|d2|p0-… IN OUT"""
import sys

import chdb

CHART = [
    (2.5, 6.0), (13.7, 6.0), (16, 5.0), (20, 3.9), (25, 3.0), (30, 2.4), (35, 2.0), (40, 1.7),
    (45, 1.45), (50, 1.3),
]


def capacity(radius):
    """The chart as a multiIf: cheaper here than a join with ten rows."""
    cases = [
        f"{radius} <= {r1}, {c0} + ({c1} - {c0}) * ({radius} - {r0}) / ({r1} - {r0})"
        for (r0, c0), (r1, c1) in zip(CHART, CHART[1:])
    ]
    return f"multiIf({', '.join(cases)}, 0)"


CRANE = """file('{path}', JSONEachRow,
    'device LowCardinality(String), ts Int64, load_t Float64, radius_m Float64')"""
DUST = "file('{path}', JSONEachRow, 'device LowCardinality(String), ts Int64, tsp Float64')"
MEANS = """SELECT device, start, toDecimal64(sum / count + 0.00005, 4) AS mean,
    sum / count > 250 AS exceeded"""

QUERIES = {
    "c1": f"""
        WITH rated AS (SELECT device, ts, load_t / {capacity('radius_m')} AS ratio FROM {CRANE}),
            judged AS (SELECT device, ts,
                toInt8((ratio >= 0.9) + (ratio >= 1.0) + (ratio >= 1.1)) AS step FROM rated),
            moved AS (SELECT device, ts, step, lagInFrame(step, 1, toInt8(0)) OVER (
                PARTITION BY device ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
                ) AS previous FROM judged)
        SELECT device, ts, ['warning', 'alarm', 'critical'][step] AS level FROM moved
        WHERE step > previous""",
    "d1": f"""
        {MEANS} FROM (SELECT device, intDiv(ts, 900000) * 900000 AS start, sum(tsp) AS sum,
            count() AS count FROM {DUST} GROUP BY device, start)""",
    # Panes of a minute, then a frame of 15. Where the next reading is far, empty panes stand in.
    "d2": f"""
        WITH panes AS (SELECT device, intDiv(ts, 60000) AS minute, sum(tsp) AS sum,
                count() AS count FROM {DUST} GROUP BY device, minute),
            gaps AS (SELECT device, minute, sum, count, leadInFrame(minute, 1, minute + 15) OVER (
                PARTITION BY device ORDER BY minute
                ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) - minute AS gap FROM panes),
            filled AS (SELECT device, minute + step AS minute, if(step = 0, sum, 0) AS sum,
                if(step = 0, count, 0) AS count FROM gaps ARRAY JOIN range(least(gap, 15)) AS step),
            framed AS (SELECT device, (minute - 14) * 60000 AS start, sum(sum) OVER frame AS sum,
                sum(count) OVER frame AS count FROM filled WINDOW frame AS (PARTITION BY device
                ORDER BY minute RANGE BETWEEN 14 PRECEDING AND CURRENT ROW))
        {MEANS} FROM framed""",
    "d2-exploded": f"""
        {MEANS} FROM (SELECT device, (intDiv(ts, 60000) - step) * 60000 AS start,
            sum(tsp) AS sum, count() AS count FROM {DUST} ARRAY JOIN range(15) AS step
            GROUP BY device, start)""",
    "p0-crane": f"""SELECT sum(length(device)), sum(ts), sum(load_t), sum(radius_m) FROM {CRANE}""",
    "p0-dust": f"SELECT sum(length(device)), sum(ts), sum(tsp) FROM {DUST}",
}
# One thread: fewest CPU seconds. The rest makes the output the same bytes as everybody's.
SETTINGS = """SETTINGS max_threads = 1, max_parsing_threads = 1,
    input_format_skip_unknown_fields = 1, input_format_parallel_parsing = 0,
    output_format_parallel_formatting = 0, output_format_json_quote_64bit_integers = 0,
    output_format_decimal_trailing_zeros = 1, output_format_json_quote_decimals = 0,
    engine_file_truncate_on_insert = 1"""


def main():
    """Runs one query from file to file."""
    query, path, output = sys.argv[1:]
    statement = QUERIES[query].format(path=path)
    if query.startswith("d"):
        statement = statement.replace("> 250 AS exceeded", "> 250 ? true : false AS exceeded")
    chdb.query(f"INSERT INTO FUNCTION file('{output}', JSONEachRow) {statement} {SETTINGS}")


main()
