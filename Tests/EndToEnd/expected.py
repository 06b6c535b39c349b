"""The fixtures through all topologies, against results computed by Python scripts.

Every topic is compared by fixtures/expected/compare.py, in exact arithmetic. Then: other batch
sizes, epochs and workers give the same bytes; a second run and a second import add nothing, and
`replay` finds everything identical.
"""
import random
import subprocess

import _harness as harness

FILES = {
    "crane": ["alarms.crane", "alarms.crane-chart", "alarms.crane-wind", "alarms.crane-card",
              "alarms.crane-climb", "alarms.crane-clock", "crane-overload.v1.rejects"],
    "dust": ["alarms.dust", "alarms.dust-unit", "alarms.dust-frozen", "alarms.dust-clock",
             "means.dust", "dust-exceedance.v1.rejects"],
    "hazard": ["alarms.hazard", "states.hazard", "hazard-project.v1.rejects"],
    "pit": ["alarms.pit", "alarms.pit-rate", "alarms.pit-missing", "pit-monitoring.v1.rejects"]}


def compare(data):
    folder = harness.ROOT / "fixtures/expected"
    for name, topics in FILES.items():
        for topic in topics:
            exported = harness.plumbline("export", "--data", data, "--topic", topic)
            done = subprocess.run(
                ["/usr/bin/python3", folder / "compare.py", folder / f"{name}.expected.ndjson",
                 topic, "-"], input=exported, stdout=subprocess.PIPE)
            text = done.stdout.decode().strip()
            harness.check(done.returncode == 0, f"not as computed\n{text}")
            harness.say(text)


def records(data):
    """All that `export` shows of every topic."""
    return {topic: harness.plumbline("export", "--data", data, "--topic", topic)
            for topics in FILES.values() for topic in topics}


def otherwise_cut(data, wanted):
    """The same imports with other batches, epochs and workers."""
    options = harness.run_options(random.Random(harness.SEED))
    harness.plumbline("run", "--data", data, *harness.ALL_SHIPPED, "--until-end", *options)
    for topic, found in records(data).items():
        harness.check(found == wanted[topic], f"{topic} differs with {options}")
    harness.say("the same with " + " ".join(map(str, options)))


def filled(data):
    """Published ends of the partitions that hold anything; journals and inputs too."""
    return {place: end for place, end in harness.high_watermarks(data).items() if end > 0}


def main():
    with harness.scratch() as scratch:
        data = scratch / "data"
        files = harness.site_files()
        for topic, file in files:
            harness.plumbline(*harness.import_arguments(data, topic, file))
        imported = harness.copy(data, scratch / "imported")
        run = ["run", "--data", data, *harness.ALL_SHIPPED, "--until-end"]
        harness.plumbline(*run)
        compare(data)
        otherwise_cut(imported, records(data))
        first, ends = harness.exported(data), filled(data)

        harness.plumbline(*run)
        harness.check_same(first, data, "a second run")
        for topic, file in files:
            code, _, errors = harness.execute(*harness.import_arguments(data, topic, file))
            harness.check(
                code == 0 and "skipped" in errors, f"{file.name} again: {code}, {errors}")
        harness.plumbline(*run)
        harness.check_same(first, data, "a second import and a third run")
        harness.check(filled(data) == ends, "a partition has grown")
    harness.say("again: skipped aloud, nothing doubled, replay identical")


if __name__ == "__main__":
    main()
