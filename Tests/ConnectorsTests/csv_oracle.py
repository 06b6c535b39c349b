"""Writes CSV and says what it holds, by Python's own csv module and the grammar of RFC 4180.

    csv_oracle.py SEED DOCUMENTS ROWS

Prints one JSON object a line: DOCUMENTS files with a header row, written by csv.writer in random
dialects ({"separator", "text", "rows"}), then ROWS random texts ({"text", "cells"}): cells are
texts, null where nothing stands between two separators; cells is null for what is no row.
"""
import csv
import io
import json
import random
import re
import sys

PLAIN = r'[^",\r\n]*'
QUOTED = r'"(?:[^"]|"")*"'
CELL = re.compile(f"(?:{QUOTED}|{PLAIN})(?=,|$)")
ROW = re.compile(f"(?:{QUOTED}|{PLAIN})(?:,(?:{QUOTED}|{PLAIN}))*")
PIECES = ["", "a", "塔吊", " ", "x y", "0.90", '"', '""', ",", ";", "\t", "|", "\n", "\r\n", "'",
          "null", "\\", "é", "-1", "{}"]


def text(source, most):
    return "".join(source.choice(PIECES) for _ in range(source.randint(0, most)))


def document(source):
    separator = source.choice([",", ";", "\t", "|"])
    columns = source.randint(0, 5)
    out = io.StringIO(newline="")
    writer = csv.writer(
        out, delimiter=separator, lineterminator=source.choice(["\n", "\r\n"]),
        quoting=source.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    written = [["k", "t"] + [f"c{index}" for index in range(columns)]]
    for _ in range(source.randint(0, 40)):
        written.append(["a", "0"] + [text(source, 4) for _ in range(columns)])
    writer.writerows(written)
    content = out.getvalue()
    if source.random() < 0.3:
        content = content.rstrip("\r\n")
    if source.random() < 0.2:
        content = "\ufeff" + content
    rows = list(csv.reader(
        io.StringIO(content.removeprefix("\ufeff"), newline=""), delimiter=separator,
        strict=True))
    assert rows == written
    return {"separator": separator, "text": content, "rows": rows[1:]}


def row(source):
    pieces = ["a", '"', ",", " ", '""', '"a"', "\n", "\r"]
    weights = [8, 4, 8, 2, 4, 6, 1, 1]
    count = source.randint(0, 8)
    content = "a,0," + "".join(source.choices(pieces, weights, k=count))
    # One line end after the row is no part of it.
    line = re.sub(r"(\r\n|\n|\r)\Z", "", content)
    if not ROW.fullmatch(line):
        return {"text": content, "cells": None}
    values = next(csv.reader([line], strict=True))
    position, cells = 0, []
    for value in values:
        raw = CELL.match(line, position).group()
        cells.append(None if raw == "" else value)
        position += len(raw) + 1
    assert position == len(line) + 1, (line, values)
    return {"text": content, "cells": cells}


def main(seed, documents, rows):
    source = random.Random(seed)
    for _ in range(documents):
        print(json.dumps(document(source)))
    for _ in range(rows):
        print(json.dumps(row(source)))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
