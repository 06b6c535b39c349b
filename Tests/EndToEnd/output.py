"""Where results and errors go: a command that cannot write its result fails and says so, and with
`--json` an error is JSON, too."""
import json
import subprocess

import _harness as harness

CRANE = harness.ROOT / "topologies/crane-overload"


def commands(data, scratch):
    """One command line of each kind that writes to standard output."""
    alarms = scratch / "alarms.crane.ndjson"
    alarms.write_bytes(harness.plumbline("export", "--data", data, "--topic", "alarms.crane"))
    truth = harness.ROOT / "fixtures/site-day/truth.ndjson"
    score = ["score", "--truth", truth, "--alarms", alarms, "--topology", CRANE]
    found = [
        ["check", CRANE], ["check", CRANE, "--json"], ["explain", CRANE],
        ["explain", CRANE, "--json"], ["explain", CRANE, "--format", "svg"],
        ["test", CRANE], ["test", CRANE, "--json"], ["schema", "topology"],
        ["export", "--data", data, "--topic", "alarms.crane"],
        ["tail", "--data", data, "--topic", "alarms.crane"],
        ["topics", "--data", data], ["topics", "--data", data, "--json"],
        ["replay", "--data", data], ["replay", "--data", data, "--json"],
        score, [*score, "--json"],
        harness.bounded_run(data), harness.bounded_run(data, "--json"),
        ["import", "--data", scratch / "more", "--topic", "t", "--format", "json", "--json",
         alarms],
        ["--help"], ["run", "--help"], ["--version"], ["--generate-completion-script", "bash"]]
    found += [["simulate", "--days", 1, "--sites", 0, "--out", scratch / "made", *more]
              for more in ([], ["--json"])]
    found += [["init", scratch / f"site{number}", *more]
              for number, more in enumerate([[], ["--json"]])]
    return found


def full_device(data, scratch):
    """/dev/full refuses every byte, as a full disk behind `> file` does."""
    tried = commands(data, scratch)
    for arguments in tried:
        with open("/dev/full", "wb") as full:
            done = subprocess.run([harness.PLUMBLINE, *map(str, arguments)], stdout=full,
                                  stderr=subprocess.PIPE, timeout=harness.LONGEST_SECONDS)
        errors = done.stderr.decode()
        harness.check(done.returncode == 1 and "No space left on device" in errors,
                      f"{arguments} to /dev/full: exit {done.returncode}: {errors}")
    harness.say(f"{len(tried)} command lines to /dev/full: each ends with 1 and says why")


def closed_output(data):
    """A file that is opened later must not take the place of the closed output and get its text."""
    command = [harness.PLUMBLINE, *map(str, harness.bounded_run(data))]
    before = harness.exported(data)
    done = subprocess.run(["sh", "-c", 'exec "$@" <&- >&-', "sh", *command],
                          stderr=subprocess.PIPE)
    errors = done.stderr.decode()
    harness.check(done.returncode == 1 and "cannot write the output" in errors, errors)
    harness.check_same(before, data, "a run with its output closed")
    # Without a place for messages the exit code tells.
    with open("/dev/full", "wb") as full:
        done = subprocess.run([harness.PLUMBLINE, "check", harness.ROOT / "none"], stderr=full)
    harness.check(done.returncode == 1, f"errors to /dev/full: exit {done.returncode}")
    harness.say("closed output: told, and no file has got the text")


def errors_as_json(data, scratch):
    """With --json every line of an error is an object with error, place, hint and code."""
    wrong = scratch / "wrong/topologies"
    wrong.parent.mkdir(exist_ok=True)
    subprocess.run(["cp", "-r", harness.ROOT / "topologies", wrong.parent], check=True)
    file = wrong / "crane-overload/topology.yaml"
    file.write_text(file.read_text().replace("disorder: 5s", "disorder: soon", 2))
    for arguments, code, text, has_place in [
            (["run", "--data", data, wrong / "crane-overload", "--json"], 1, "'soon'", True),
            (["explain", wrong / "crane-overload", "--json"], 1, "'soon'", True),
            (["test", wrong / "crane-overload", "--json"], 1, "'soon'", True),
            (["export", "--data", data, "--topic", "none", "--json"], 1, "no topic none", False),
            (["topics", "--data", scratch / "none", "--json"], 1, "no data directory", False),
            (["replay", "--data", scratch / "none", "--json"], 1, "journal", False),
            (["import", "--data", data, "--topic", "a/b", "--format", "json", "--json", file], 1,
             "is not valid", False),
            (["run", "--data", data, CRANE, "--workers", -1, "--json"], 64, "--workers", False),
            (["run", "--json"], 64, "--data", False),
            (["topics", "--data", data, "--nonsense", "--json"], 64, "--nonsense", False)]:
        exit_code, output, errors = harness.execute(*arguments)
        harness.check(exit_code == code and output == "", f"{arguments}: {exit_code} {output}")
        found = [json.loads(line) for line in errors.splitlines()]
        harness.check(found, f"{arguments} says nothing")
        for one in found:
            harness.check(set(one) <= {"error", "place", "hint", "code"}, f"{arguments}: {one}")
            harness.check(one["code"] == code, f"{arguments}: {one}")
        harness.check(text in found[0]["error"] + found[0].get("hint", ""), f"{arguments}: {found}")
        if has_place:
            place = found[0]["place"]
            harness.check(place["file"].endswith("crane-overload/topology.yaml")
                          and place["line"] > 1 and place["column"] > 1, f"{place}")
    harness.say("errors with --json: objects with error, place, hint, code")


def negative_values(data):
    """A value below zero is told as such, not as one that is missing."""
    for arguments, name in [
            (["run", "--data", data, CRANE, "--workers", "-1"], "--workers"),
            (["run", "--data", data, CRANE, "--epoch-rows", "-5"], "--epoch-rows"),
            (["run", "--data", data, CRANE, "--metrics", "-5"], "--metrics"),
            (["import", "--data", data, "--topic", "t", "--format", "json", "--partitions", "-2",
              "x"], "--partitions"),
            (["export", "--data", data, "--topic", "t", "--from", "-3"], "--from"),
            (["tail", "--data", data, "--topic", "t", "--last", "-3"], "--last"),
            (["simulate", "--out", data, "--days", "-1"], "--days"),
            (["simulate", "--out", data, "--seed", "-1"], "--seed"),
            (["score", "--truth", "x", "--data", data, "--limit", "-1"], "--limit")]:
        errors = harness.refused(arguments, name, expect=64)
        harness.check("Missing" not in errors, f"{arguments}: {errors}")
    harness.say("values below zero: each told as what it is")


def main():
    with harness.scratch() as scratch:
        _, data, _ = harness.undisturbed(scratch)
        negative_values(data)
        errors_as_json(data, scratch)
        closed_output(data)
        full_device(data, scratch)


if __name__ == "__main__":
    main()
