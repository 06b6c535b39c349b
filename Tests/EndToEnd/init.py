"""`init`: a new directory runs. The commands that it prints, and those of its README, are typed as
they stand into a shell; what it holds belongs to the program, not to a place on this machine."""
import json
import os
import pathlib
import re
import shutil
import subprocess

import _harness as harness


def shell(text, folder, path=None):
    """Runs lines as a user types them: one after the other, the first error ends it."""
    environment = dict(os.environ, PATH=f"{path}:{os.environ['PATH']}" if path else
                       os.environ["PATH"])
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=folder, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    harness.check(done.returncode == 0,
                  f"exit {done.returncode}:\n{text}\n{done.stderr.decode()[-2000:]}")
    return done.stdout.decode()


def check_alarms(text, what):
    """The last command's output: one episode of TC-01, up the ladder and down again.

    3.00 t over the chart of four falls, second of two readings each: 3.11 t at 25 m is 0.965,
    2.84 at 27 is 1.056, 2.61 at 29 is 1.149; back at 24 m (3.27) 0.917, at 22 m (3.615) 0.830.
    """
    alarms = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    found = [(one["key"], one["value"]["event"], one["value"]["level"], one["value"]["radius"])
             for one in alarms]
    expected = [("TC-01", "raised", "warning", 25), ("TC-01", "escalated", "alarm", 27),
                ("TC-01", "escalated", "critical", 29), ("TC-01", "eased", "warning", 24),
                ("TC-01", "cleared", "normal", 22)]
    harness.check(found == expected, f"{what}: {found}")


def test_printed_commands(scratch):
    for name in ["site", "a site's, 工地 $1"]:
        output = harness.plumbline("init", scratch / name).decode()
        commands = output[output.index("\ncd ") + 1:]
        harness.check(len(commands.splitlines()) == 13, f"{commands}")
        check_alarms(shell(commands, scratch), name)
    # A relative program and directory: the printed program is found from the new directory.
    program = pathlib.Path(harness.PLUMBLINE).resolve()
    done = subprocess.run([f"./{program.name}", "init", "../relative"], cwd=program.parent,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    made = program.parent.parent / "relative"
    try:
        harness.check(done.returncode == 0, done.stderr.decode())
        harness.check(str(program.parent) in done.stdout.decode(), "no whole path")
    finally:
        shutil.rmtree(made, ignore_errors=True)


def test_readme(scratch):
    """The README says `plumbline`; both languages say the same."""
    found = scratch / "bin"
    found.mkdir()
    (found / "plumbline").symlink_to(harness.PLUMBLINE)
    blocks = {}
    for name in ["README.md", "README.zh-CN.md"]:
        site = scratch / f"readme-{name}"
        shell(f"plumbline init {site}", scratch, found)
        text = (site / name).read_text()
        harness.check("{{" not in text, f"{name}: {text}")
        blocks[name] = re.findall(r"```sh\n(.*?)```", text, re.S)
        first, more = blocks[name]
        check_alarms(shell(first, site, found), name)
        # The last of the others follows until Ctrl-C.
        shell("\n".join(more.splitlines()[:-1]), site, found)
        harness.check((site / "crane.svg").read_text().startswith("<svg"), "no picture")
    harness.check(blocks["README.md"] == blocks["README.zh-CN.md"], f"{blocks}")


def test_rejects(scratch):
    site = scratch / "site"
    lines = harness.plumbline("export", "--data", site / "data", "--topic",
                              "crane-overload.v1.rejects").splitlines()
    reasons = sorted(json.loads(line)["headers"]["plumbline.reason"] for line in lines)
    harness.check(reasons == ["duplicate", "malformed", "out-of-range"], f"{reasons}")


def test_refusals(scratch):
    site = scratch / "site"
    before = sorted(site.rglob("*"))
    harness.refused(["init", site], f"{site} is not empty", "does not exist yet")
    harness.check(sorted(site.rglob("*")) == before, "a refused init wrote something")
    file = scratch / "file"
    file.write_text("x")
    harness.refused(["init", file], file, "Not a directory", "a file, not a folder")
    harness.refused(["init", file / "below"], file, "a file, not a folder")
    harness.refused(["init"], "Missing expected argument", expect=64)
    harness.refused(["init", ""], "name the directory", expect=64)
    empty = scratch / "empty"
    empty.mkdir()
    harness.plumbline("init", empty)
    harness.plumbline("init", scratch / "deep/er/site")
    # As root a directory without permission would be writable.
    closed = scratch / "closed"
    closed.mkdir(mode=0o555)
    os.chmod(scratch, 0o755)
    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] \
        if os.geteuid() == 0 else []
    harness.refused(["init", closed / "site"], closed / "site", "Permission denied",
                    "where you may write", prefix=prefix)


def test_json(scratch):
    site = scratch / "json"
    result = json.loads(harness.plumbline("init", site, "--json"))
    made = {str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()}
    harness.check(set(result["files"]) == made, f"{result['files']}")
    harness.check(result["directory"] == str(site), f"{result}")
    check_alarms(shell("\n".join(result["commands"]), site), "the commands of --json")


def main():
    with harness.scratch() as scratch:
        test_printed_commands(scratch)
        test_readme(scratch)
        test_rejects(scratch)
        test_refusals(scratch)
        test_json(scratch)
    harness.say("the printed commands and those of both READMEs work as they stand")


if __name__ == "__main__":
    main()
