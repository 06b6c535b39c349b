"""The files that everybody reads: crane and dust readings, and the cranes' registry."""
import hashlib
import json
import subprocess

# Radius in metres and rated load in tonnes: ten points, falling from 6 t to 1.3 t.
CHART = [
    ("2.5", "6.0"), ("13.7", "6.0"), ("16", "5.0"), ("20", "3.9"), ("25", "3.0"),
    ("30", "2.4"), ("35", "2.0"), ("40", "1.7"), ("45", "1.45"), ("50", "1.3"),
]
SEED = 1
# SHA-256 of the files of seed 1.
HASHES = {
    ("crane", 200_000): "035a76065c3c9edc751c1b6f274aea92d96dcf46978e80cf5340370750e31376",
    ("crane", 2_000_000): "0bd1f5810c6656370ceb5cd0468251d4928d9a1d12cfc3a902cf2f9fea05a410",
    ("crane", 10_000_000): "9ba256c193cd10ef704540aeed61af4bc231127d300b185ca7159dcb292b8c8d",
    ("dust", 200_000): "24834a2610856872811e799600741619ee26f950975060fac0910192b22a4848",
    ("dust", 2_000_000): "75e42342082d0bfd0d13f5a8e17c0f705db163d2a5ae7547071638c8055ef485",
    ("dust", 10_000_000): "cc1ba8a5680455d5251852c5e0e3ca2d33bc9491df4d5f30af9be746039d646f",
}


class Changed(Exception):
    """A generated file is not the one that figures are compared on."""


def digest(path):
    """The SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Files:
    """The readings of a kind in every size asked for: the first lines of the largest file."""

    def __init__(self, folder, plumbline, own=None):
        self.folder, self.plumbline = folder, plumbline
        # Files that somebody else made, by kind.
        self.own = own or {}

    def cut(self, kind, records):
        """A file of so many records: generated, or the head of somebody's file."""
        path = self.folder / f"{kind}-{records}.ndjson"
        if path.exists():
            return path
        made = self.folder / f"making-{kind}"
        if kind in self.own:
            with open(made, "wb") as out:
                command = ["head", "-n", str(records), self.own[kind]]
                subprocess.run(command, stdout=out, check=True)
            made.rename(path)
            return path
        command = [self.plumbline, "simulate", "--benchmark", kind, "--seed", str(SEED)]
        command += ["--records", str(records), "--out", made]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        (made / f"{kind}.ndjson").rename(path)
        made.rmdir()
        stated, found = HASHES.get((kind, records)), digest(path)
        if stated not in (None, found):
            raise Changed(f"{path} is not the stated file: its SHA-256 is {found}, not {stated}")
        return path


def write_registry(readings, path):
    """A line with the one chart for every crane of the readings; gives how many."""
    devices = {}
    with open(readings, encoding="utf-8") as lines:
        # All cranes report every second, so the first readings name them all.
        for _, line in zip(range(100_000), lines):
            devices[json.loads(line)["device"]] = None
    points = ",".join(f'{{"radius":{radius},"capacity":{load}}}' for radius, load in CHART)
    with open(path, "w", encoding="utf-8") as out:
        for device in devices:
            start = "2000-01-01T00:00:00Z"
            out.write(f'{{"device":"{device}","ts":"{start}","chart":[{points}]}}\n')
    return len(devices)


def count_lines(path):
    """How many lines a file has."""
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
