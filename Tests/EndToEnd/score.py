"""Simulated sites through all topologies, scored against their ground truth.

Without faults, with three seeds: every incident is found with its level, and nothing else is
raised. With all faults: incidents are kept away from them, so the same holds. A truth that does not
fit and alarms that are missing end with exit code 1 and are named.
"""
import json

import _harness as harness

TOPOLOGIES = [harness.ROOT / "topologies" / name for name in
              ("crane-overload", "dust-exceedance", "hazard-project", "pit-monitoring")]
# Streams, days, seconds between two crane readings.
PARTS = [("crane,dust", 1, 10), ("hazard,pit", 60, 10)]
RULES = {
    "crane,dust": {"overload", "wind_stop", "unidentified", "climb_wind", "exceedance"},
    "hazard,pit": {
        "work_without_plan", "over_scale_without_review", "next_step_without_acceptance",
        "monitoring_missing", "leader_absent", "deviation_unreported", "cumulative", "rate",
        "missing"}}
FAULTY_RULES = {"chart_mismatch", "pressure_unit", "frozen", "clock"}


def simulated(scratch, seed, part, faults):
    """A data directory with the alarms of simulated sites, and their truth."""
    streams, days, interval = part
    folder, data = scratch / "sites", scratch / "data"
    harness.plumbline(
        "simulate", "--seed", seed, "--sites", 2, "--days", days, "--interval", interval,
        "--streams", streams, "--faults", faults, "--out", folder)
    for topic, name in harness.SITE_DAY + harness.SITE_60D:
        if (folder / name).exists():
            harness.plumbline(*harness.import_arguments(data, topic, folder / name))
    names = ("crane-overload", "dust-exceedance") if "crane" in streams \
        else ("hazard-project", "pit-monitoring")
    chosen = [path for path in TOPOLOGIES if path.name in names]
    harness.plumbline("run", "--data", data, *chosen, "--until-end")
    return data, folder / "truth.ndjson", chosen


def score(seed, part, faults):
    with harness.scratch() as scratch:
        data, truth, chosen = simulated(scratch, seed, part, faults)
        arguments = ["score", "--truth", truth, "--require", "recall=1,precision=1"]
        code, output, errors = harness.execute(*arguments, "--data", data, "--json")
        harness.check(code == 0, f"seed {seed}, faults {faults}: {output}\n{errors}")
        result = json.loads(output)
        rules = {rule["rule"] for rule in result["rules"] if rule["incidents"]}
        expected = set(RULES[part[0]])
        if faults == "all" and part[0] == "crane,dust":
            expected |= FAULTY_RULES
        harness.check(rules == expected, f"incidents of {sorted(rules ^ expected)} only in one")
        harness.say("seed %s, %s, faults %s: %d incidents found, no false alarm" % (
            seed, part[0], faults, result["total"]["found"]))
        if seed == 1:
            exported_too(scratch, data, arguments, chosen, output)
            not_enough(scratch, data, truth)


def exported_too(scratch, data, arguments, chosen, output):
    """Files of `export` give the same score as the data directory."""
    files = []
    for path in (data / "kafka").glob("alarms.*-0"):
        topic = path.name.removesuffix("-0")
        files.append(scratch / f"{topic}.ndjson")
        files[-1].write_bytes(harness.plumbline("export", "--data", data, "--topic", topic))
    again = harness.plumbline(
        *arguments, "--json", "--alarms", *files, "--topology", *chosen).decode()
    harness.check(again == output, f"exported files give another score: {again}")


def not_enough(scratch, data, truth):
    """An incident too many is a miss, one too few a false alarm; both are named."""
    lines = truth.read_text().splitlines()
    first = next(index for index, line in enumerate(lines)
                 if '"level":"normal"' not in line and '"rule"' in line)
    more, fewer = scratch / "more.ndjson", scratch / "fewer.ndjson"
    moved = json.loads(lines[first])
    more.write_text("\n".join([*lines, json.dumps({**moved, "key": "nobody"})]) + "\n")
    fewer.write_text("\n".join(lines[:first] + lines[first + 1:]) + "\n")
    require = ["--data", data, "--require", "recall=1,precision=1"]
    code, output, errors = harness.execute("score", "--truth", more, *require)
    harness.check(code == 1 and "missed: " in output and "nobody" in output, output + errors)
    code, output, errors = harness.execute("score", "--truth", fewer, *require)
    harness.check(code == 1 and f"false: {moved['topology']}/{moved['rule']}" in output,
                  output + errors)
    broken = scratch / "broken.ndjson"
    broken.write_text(lines[0] + "\n{}\n")
    harness.refused(["score", "--truth", broken, "--data", data], "line 2", "ground truth")


def refused(scratch):
    """Wrong options name what they take."""
    out = ["simulate", "--out", scratch / "none"]
    for options, *texts in [
            (["--faults", "gaps,typos"], "typos", "duplicates"),
            (["--streams", "none"], "none", "hazard"), (["--days", 0], "--days", "3660"),
            (["--day", "yesterday"], "yesterday", "2026-03-02"), (["--sites", -1], "--sites"),
            (["--incidents", "many"], "some")]:
        harness.refused(out + options, *texts, expect=64)
    harness.check(not (scratch / "none").exists(), "a refused simulation has written")
    truth = ["score", "--truth", "x"]
    for options, text in [([], "--data"), (["--alarms", "a"], "--topology"),
                          (["--data", "d", "--require", "recall=2"], "recall=2"),
                          (["--data", "d", "--tolerance", "soon"], "soon")]:
        harness.refused(truth + options, text, expect=64)
    harness.refused(["score", "--truth", scratch / "gone", "--data", scratch], "gone")
    harness.say("wrong options: refused with what they take")


def main():
    with harness.scratch() as scratch:
        refused(scratch)
    for seed in (1, 2, 3):
        for part in PARTS:
            score(seed, part, "none")
    for part in PARTS:
        score(4, part, "all")


if __name__ == "__main__":
    main()
