"""Help: every command says what it does, with an example, exit codes and `--json`, and the
reference and both READMEs know it."""
import re

import _harness as harness


def main():
    overview = harness.plumbline("--help").decode()
    listed = overview[overview.index("SUBCOMMANDS:"):]
    commands = re.findall(r"^  ([a-z]+)  ", listed, re.M)
    harness.check(len(commands) >= 12, f"{listed}")
    reference = (harness.ROOT / "docs/reference/command-line.md").read_text()
    readmes = [(harness.ROOT / name).read_text() for name in ("README.md", "README.zh-CN.md")]
    for command in commands:
        text = harness.plumbline(command, "--help").decode()
        for part in ["OVERVIEW: ", "\nExample", f"plumbline {command}", "Exit codes: 0 ", "--json"]:
            harness.check(part in text, f"{command} --help does not say '{part}':\n{text}")
        harness.check(f"\n## {command}\n" in reference, f"{command} is not in the reference")
        for readme in readmes:
            harness.check(f"\n| `plumbline {command}" in readme, f"{command} is in no README")
        harness.refused([command, "--no-such-option"], f"plumbline {command} --help", expect=64)
    version = harness.plumbline("--version").decode()
    harness.check(re.fullmatch(
        r"plumbline \d+\.\d+\.\d+\S*, semantics version \d+\n", version), version)
    harness.say(f"{len(commands)} commands with example, exit codes, --json and a reference")


if __name__ == "__main__":
    main()
