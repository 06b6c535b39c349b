"""The benchmark's queries on a small input: our outputs are the exact ones, line by line."""
import subprocess
import sys
import tempfile

from _harness import PLUMBLINE, ROOT, fail

# Enough for alarms, for two rows of windows, and for means that are exactly the limit.
RECORDS = 200_000


def main():
    with tempfile.TemporaryDirectory(prefix="plumbline-benchmark-") as folder:
        command = [sys.executable, ROOT / "Benchmarks/bench.py", "--plumbline", PLUMBLINE]
        command += ["--records", str(RECORDS), "--rounds", "1", "--whole", "--only", "from the log"]
        ended = subprocess.run(
            command + ["--queries", "p0-crane c1 c1-alarms p0-dust d1 d2", "--keep", folder],
            stdout=subprocess.PIPE, text=True)
    if ended.returncode != 0:
        fail(f"bench.py ended with {ended.returncode}:\n{ended.stdout}")
    exact = ended.stdout.count("| yes, ")
    if exact != 3:
        fail(f"not three outputs compared, but {exact}:\n{ended.stdout}")


if __name__ == "__main__":
    main()
