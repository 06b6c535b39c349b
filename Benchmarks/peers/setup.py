#!/usr/bin/env python3
"""Makes the peers ready in .build/peers: virtual environments, C++ and Java programs.

usage: setup.py [NAME…]          names are those of the folders here; all without one

Versions are pinned in requirements.txt of each. What cannot be made is named at the end, and the
exit code is 1; the others work all the same.
"""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
BUILT = HERE.parent.parent / ".build" / "peers"
# Where the jars stand in a peer's Python package, to compile against.
JARS = {"flink": "pyflink/lib", "spark": "pyspark/jars"}
# Packages of which only what is inside is wanted, not what they depend on.
ALONE = {"flink"}


def environment(name):
    """The virtual environment of a peer, with what its requirements.txt pins."""
    folder, wanted = BUILT / name, HERE / name / "requirements.txt"
    stamp = folder / "requirements.installed"
    if stamp.exists() and stamp.read_text() == wanted.read_text():
        return
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--clear", folder], check=True)
    command = [folder / "bin" / "pip", "install", "--quiet", "--requirement", wanted]
    subprocess.run(command + ["--no-deps"] * (name in ALONE), check=True)
    stamp.write_text(wanted.read_text())


def classes(name):
    """A peer's Java programs, compiled against its own jars."""
    folder = BUILT / name
    jars = next(folder.glob("lib/python3*/site-packages")) / JARS[name]
    command = ["javac", "-proc:none", "-d", folder / "classes", "-cp", f"{jars}/*"]
    subprocess.run(command + sorted((HERE / name).glob("*.java")), check=True)


def yardstick():
    """The C++ programs, for this machine's own processor."""
    folder = BUILT / "yardstick"
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted((HERE / "yardstick").glob("*.cpp")):
        command = ["g++", "-std=c++20", "-O3", "-march=native", "-fno-math-errno", "-Wall"]
        command += ["-Wextra", "-o", folder / source.stem, source, "-lsimdjson"]
        subprocess.run(command, check=True)


def main():
    """Makes what is asked for."""
    every = ["yardstick"] + sorted(path.parent.name for path in HERE.glob("*/requirements.txt"))
    failed = []
    for name in sys.argv[1:] or every:
        if name not in every:
            sys.exit(f"setup: there is no peer {name}; there are {', '.join(every)}")
        try:
            if name == "yardstick":
                yardstick()
            else:
                environment(name)
            if name in JARS:
                classes(name)
        except (subprocess.CalledProcessError, OSError) as error:
            print(f"setup: {name}: {error}", file=sys.stderr)
            failed.append(name)
    if failed:
        sys.exit(f"setup: not made: {', '.join(failed)}")


if __name__ == "__main__":
    main()
