"""Exported records do not depend on batches, workers, hashes, epochs, snapshots, compression.

Every record of every output and reject topic (offset, time, key, headers, value) is compared with
those of one plain run; `replay` must agree too.
"""
import re

import _harness as harness

RUNS = [
    "--batch-rows 1", "--batch-rows 2 --workers 2", "--batch-rows 7 --workers 3",
    "--batch-rows 2048 --workers 4", "--colliding-hashes",
    "--batch-rows 1 --workers 4 --colliding-hashes --epoch-rows 997",
    "--batch-rows 2 --epoch-rows 100 --snapshot-rows 1000",
    "--batch-rows 7 --workers 2 --epoch-rows 1 --snapshot-rows 100000",
    "--epoch-rows 1000 --snapshot-rows 1 --workers 4",
    "--epoch-rows 2049 --snapshot-rows 5000 --colliding-hashes --workers 3",
]
# An epoch a row means a sync a row: only over the first lines.
SHORT_LINES = 300


def short_day(scratch):
    """The first lines of each file: what `--epoch-rows 1` can do in seconds."""
    data = scratch / "short"
    for topic, name in harness.SITE_DAY:
        lines = (harness.ROOT / "fixtures/site-day" / name).read_bytes().splitlines(True)
        part = scratch / name
        part.write_bytes(b"".join(lines[:SHORT_LINES]))
        harness.plumbline(*harness.import_arguments(data, topic, part))
    return data


def without_import_time(records):
    """A line without a readable time has that of its import: the one thing left out here."""
    return {topic: [re.sub(rb'"timestamp":\d+', b"", line) if b'"malformed"' in line else line
                    for line in lines]
            for topic, lines in records.items()}


def main():
    with harness.scratch() as scratch:
        base, _, expected = harness.undisturbed(scratch)
        short = short_day(scratch)
        plain = harness.copy(short, scratch / "plain")
        harness.plumbline(*harness.bounded_run(plain))
        expected_short = harness.exported(plain)
        for options in RUNS:
            is_short = "--epoch-rows 1 " in options
            data = harness.copy(short if is_short else base, scratch / "data")
            harness.plumbline(*harness.bounded_run(data, *options.split()))
            harness.check_same(expected_short if is_short else expected, data, options)
        # A batch on disk is as large as its codec lets it be; inputs are cut elsewhere.
        for codec in ["none", "zstd"]:
            data = scratch / codec
            harness.import_site_day(data, "--codec", codec)
            harness.plumbline(*harness.bounded_run(data))
            difference = harness.first_difference(
                without_import_time(expected), without_import_time(harness.exported(data)))
            harness.check(difference is None, f"import --codec {codec}: {difference}")
    count = sum(map(len, expected.values()))
    harness.say(f"{count} records the same in {len(RUNS)} ways of running and 3 codecs of import")


if __name__ == "__main__":
    main()
