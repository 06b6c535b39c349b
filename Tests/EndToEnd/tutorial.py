"""The tutorial: every file is written and every command typed as it stands, in both languages.

In docs/tutorial.md a block is, by its first line,
  ```sh          commands, typed into one shell; exit 0
  ```sh fails    the same, the last of them ends with another exit code
  ```sh ctrl-c   one command that is interrupted once it has printed what is shown
  ```sh build    how the program is built: not run here
  ```LANGUAGE PATH   a file
  ```text        what the commands before it print, both outputs together; "…" is any text within a
                 line, and alone in a line any number of lines; lines of progress, which a slow
                 machine brings, do not count
"""
import os
import re
import signal
import subprocess
import time

import _harness as harness

DOCS = harness.ROOT / "docs"
PROGRESS = re.compile(r"^(?:run|import): [0-9,]+ records\n", re.M)
BUILD = 'make build\nexport PATH="$PWD/.build/release:$PATH"\n'


def blocks(text):
    """(first line without backquotes, content) of all fenced blocks."""
    return re.findall(r"^```([^\n]+)\n(.*?)^```$", text, re.S | re.M)


def pattern(expected):
    """A regular expression for what a block shows."""
    parts = []
    for line in expected.splitlines():
        if line == "…":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*".join(re.escape(part) for part in line.split("…")) + r" *\n")
    return re.compile("".join(parts))


class Shell:
    """Runs blocks one after the other; the working directory goes from one to the next."""

    def __init__(self, folder):
        self.folder = folder
        found = folder / "bin"
        found.mkdir(parents=True)
        (found / "plumbline").symlink_to(harness.PLUMBLINE)
        self.environment = dict(os.environ, PATH=f"{found}:{os.environ['PATH']}", LC_ALL="C.UTF-8")
        self.place = folder

    def write(self, name, content):
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def start(self, commands):
        note = self.folder / "place"
        commands = f"set -euo pipefail\ntrap 'pwd >{note}' EXIT\n{commands}"
        return subprocess.Popen(
            ["bash", "-c", commands], cwd=self.place, env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, commands, fails):
        process = self.start(commands)
        output = process.communicate(timeout=harness.LONGEST_SECONDS)[0].decode()
        harness.check(
            (process.returncode != 0) == fails,
            f"exit {process.returncode}:\n{commands}\n{output}")
        self.place = type(self.folder)((self.folder / "place").read_text().strip())
        return output

    def run_until(self, command, expected):
        """Interrupts one command once it has printed what is expected."""
        process = self.start(f"exec {command}")
        os.set_blocking(process.stdout.fileno(), False)
        output = b""
        limit = time.monotonic() + harness.LONGEST_SECONDS
        while not expected.fullmatch(output.decode()) and time.monotonic() < limit:
            output += process.stdout.read() or b""
            if process.poll() is not None:
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=harness.LONGEST_SECONDS)
        harness.check(process.returncode == 0, f"exit {process.returncode}: {command}")
        return output.decode()


def run_tutorial(page, folder):
    """How many blocks were run."""
    shell = Shell(folder)
    count = 0
    found = blocks(page.read_text())
    for index, (head, content) in enumerate(found):
        kind, _, rest = head.partition(" ")
        shown = found[index + 1] if index + 1 < len(found) else ("", "")
        expected = pattern(shown[1]) if shown[0] == "text" else None
        if head == "sh build":
            harness.check(content == BUILD, f"{page.name}: how to build it? {content}")
            continue
        if kind == "text":
            continue
        if kind != "sh":
            shell.write(rest, content)
            continue
        if rest == "ctrl-c":
            output = shell.run_until(content, expected)
        else:
            output = PROGRESS.sub("", shell.run(content, rest == "fails"))
        count += 1
        harness.check(
            expected is None or expected.fullmatch(output),
            f"{page.name}: after\n{content}\nit says\n{output}\nnot\n{shown[1]}")
    return count


def main():
    pages = [DOCS / "tutorial.md", DOCS / "tutorial.zh-CN.md"]
    first, second = [blocks(page.read_text()) for page in pages]
    for one, other in zip(first, second):
        harness.check(one == other, f"the languages differ:\n{one}\n{other}")
    harness.check(len(first) == len(second), "one language has more blocks than the other")
    with harness.scratch() as scratch:
        # The blocks are the same: once is enough.
        count = run_tutorial(pages[0], scratch / "tutorial")
    harness.check(count > 10, f"only {count} blocks were run")
    harness.say(f"{count} blocks of commands print what both languages show")


if __name__ == "__main__":
    main()
