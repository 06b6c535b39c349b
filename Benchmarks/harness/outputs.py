"""Compares outputs line by line with the exact ones."""
import dataclasses
import json
import os
import pathlib
import subprocess

from . import truth, workload


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The hash of an output's sorted lines, how many there are, and what is wrong with them."""

    hash: str
    lines: int
    findings: str
    compared: bool = True


def sort(source, target):
    """Sorts a file's lines by their bytes."""
    subprocess.run(
        ["sort", "--buffer-size=1G", f"--temporary-directory={target.parent}", source,
         "--output", target],
        env={**os.environ, "LC_ALL": "C"}, check=True)


def expect(query, path, folder):
    """The file of a query's exact lines over a file of readings, sorted; computed once."""
    target = folder / f"{query}-{path.name}.expected"
    if not target.exists():
        raw = folder / f"{query}.raw"
        with open(raw, "w", encoding="utf-8") as out:
            truth.write(query, path, out)
        sort(raw, target)
        raw.unlink()
    return target


def judge(output, expected, hashes):
    """The verdict on an output, without an expected one only its hash.

    `hashes` remembers the expected files' hashes.
    """
    ordered = pathlib.Path(f"{output}.sorted")
    sort(output, ordered)
    found, findings = workload.digest(ordered), ""
    if expected is not None:
        if expected not in hashes:
            hashes[expected] = workload.digest(expected)
        if found != hashes[expected]:
            findings = differences(ordered, expected)
    verdict = Verdict(
        found[:16], workload.count_lines(ordered), findings, expected is not None)
    ordered.unlink()
    return verdict


def only_in(option, left, right):
    """The lines that only one of two sorted files has, by their device and time."""
    rows = {}
    process = subprocess.Popen(
        ["comm", option, left, right], env={**os.environ, "LC_ALL": "C"},
        stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        row = json.loads(line, parse_float=str)
        key = row["device"], row.get("start", row.get("ts"))
        if key in rows:
            row["twice"] = True
        rows[key] = row
    process.wait()
    return rows


def differences(output, expected):
    """What differs, counted by kind."""
    extra, missing = only_in("-23", output, expected), only_in("-13", output, expected)
    both = extra.keys() & missing.keys()
    kinds = {"missing": len(missing.keys() - both), "too many": len(extra.keys() - both)}
    for key in both:
        mine, right = extra[key], missing[key]
        for field in right:
            if mine.get(field) == right[field]:
                continue
            kind = f"{field} differs"
            if field == "exceeded" and right.get("mean") == "250.0000":
                kind = "exceeded wrong where the mean is exactly 250"
            kinds[kind] = kinds.get(kind, 0) + 1
    return "; ".join(f"{kind}: {count:,}" for kind, count in kinds.items() if count) or "order"
