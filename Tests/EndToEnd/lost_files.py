"""Files of the log that are gone must be noticed: nothing accepted may vanish without a word.

The published ends, and a journal. Each must be mended or refused; never may a command say that all
is well.
"""
import json
import shutil

import _harness as harness

CHECKPOINT = "kafka/replication-offset-checkpoint"


def one_more(scratch):
    file = scratch / "one.ndjson"
    file.write_text(json.dumps({
        "device": "S1-TC-01", "site": "S1", "ts": 1772488800000, "mass": 1.00, "radius": 10.00,
        "falls": 4, "arrival": 1772488800200}) + "\n")
    return file


def lost_published_ends(scratch, done):
    """A lost checkpoint must not make a writer cut what was accepted."""
    data = harness.copy(done, scratch / "ends")
    sizes = {path: path.stat().st_size for path in data.glob("kafka/telemetry.crane-*/*.log")}
    (data / CHECKPOINT).unlink()
    replay, output, _ = harness.execute("replay", "--data", data)
    harness.check(replay != 0 or " 0 epochs" not in output, f"replay passes on nothing: {output}")
    harness.execute(*harness.import_arguments(data, "telemetry.crane", one_more(scratch)))
    harness.execute(*harness.bounded_run(data))
    for path, size in sizes.items():
        harness.check(path.stat().st_size >= size,
                      f"{path.parent.name}: {size} accepted bytes, now {path.stat().st_size}")


def ends_behind_the_journal(scratch, done):
    """Inputs that end before what the journal has read are refused by run, not passed over."""
    data = harness.copy(done, scratch / "ends")
    lines = (data / CHECKPOINT).read_text().splitlines()
    (data / CHECKPOINT).write_text("".join(
        (f"{line.rpartition(' ')[0]} 3000" if line.startswith("telemetry.crane ") else line) + "\n"
        for line in lines))
    harness.refused(harness.bounded_run(data), "telemetry.crane")


def lost_journal(scratch, done):
    """Published outputs that no journal names are a difference, whatever else is identical."""
    for lost in ["crane-overload.v1.journal-*", "crane-overload.v1.journal-3"]:
        data = harness.copy(done, scratch / "journal")
        for path in (data / "kafka").glob(lost):
            shutil.rmtree(path)
        code, output, _ = harness.execute("replay", "--data", data)
        harness.check(code == 1, f"{lost} is gone, replay ends with {code}: {output}")


def main():
    with harness.scratch() as scratch:
        _, done, _ = harness.undisturbed(scratch)
        lost_published_ends(scratch, done)
        ends_behind_the_journal(scratch, done)
        lost_journal(scratch, done)
        harness.say("lost checkpoints and journals: mended or refused, never passed over")


if __name__ == "__main__":
    main()
