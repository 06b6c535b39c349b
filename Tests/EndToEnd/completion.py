"""Shell completion: scripts for bash, zsh and fish are generated, the shells read them, and bash
completes commands, options and choices."""
import shutil
import subprocess

import _harness as harness

COMMANDS = ["init", "check", "explain", "test", "import", "run", "export", "tail", "topics",
            "replay", "simulate", "score", "schema"]


def completed(script, words):
    """What bash offers for the last of some words."""
    program = """
        source "$1"; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
        _plumbline plumbline "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(["bash", "-c", program, "bash", script, *words],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.stdout.decode().split()


def main():
    with harness.scratch() as scratch:
        for shell in ["bash", "zsh", "fish"]:
            script = scratch / f"plumbline.{shell}"
            script.write_bytes(harness.plumbline("--generate-completion-script", shell))
            text = script.read_text()
            for command in COMMANDS:
                harness.check(command in text, f"{shell}: {command} is not in the script")
            if shutil.which(shell) is None:
                harness.say(f"{shell} is not installed here; its script is generated, not parsed")
                continue
            done = subprocess.run([shell, "-n", script], stderr=subprocess.PIPE)
            harness.check(done.returncode == 0 and not done.stderr,
                          f"{shell} -n: {done.stderr.decode()}")
        bash = scratch / "plumbline.bash"
        offered = completed(bash, ["plumbline", ""])
        harness.check(set(COMMANDS) <= set(offered), f"commands: {offered}")
        offered = completed(bash, ["plumbline", "explain", "--format", ""])
        harness.check(offered == ["text", "dot", "svg"], f"formats: {offered}")
        offered = completed(bash, ["plumbline", "schema", ""])
        harness.check({"topology", "schema", "rules", "case"} <= set(offered), f"kinds: {offered}")
        offered = completed(bash, ["plumbline", "tail", "--la"])
        harness.check(offered == ["--last"], f"options: {offered}")
    harness.say("scripts for bash, zsh and fish; bash completes commands, options and choices")


if __name__ == "__main__":
    main()
