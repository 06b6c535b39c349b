"""`import`, `export` and `topics` as a user runs them, against an independent reading of the files.

Expected keys, partitions (Java's murmur2), times and values are computed here from the input lines
by Python's own JSON reader. PLUMBLINE names the program; SEED=n repeats a series of kills, and
KILLS says how many there are (default 20).
"""
import base64
import datetime
import fcntl
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PLUMBLINE = os.environ.get("PLUMBLINE", str(ROOT / ".build/release/plumbline"))
KILLS = int(os.environ.get("KILLS", "20"))
SEED = int(os.environ.get("SEED", str(time.time_ns() % 1_000_000)))
FIELDS = ["--format", "json", "--key", "device", "--time", "ts", "--arrival", "arrival"]
SKIPPED = []


def check(condition, message):
    if not condition:
        sys.exit(f"import_export: {message}")


def run(*arguments, expect=0, stdin=None, prefix=()):
    """Runs the program to its end: standard output and standard error."""
    command = [*prefix, PLUMBLINE, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, input=stdin)
    errors = done.stderr.decode(errors="replace")
    check(done.returncode == expect, f"exit {done.returncode}, not {expect}: {command}\n{errors}")
    return done.stdout, errors


def murmur2(key):
    """Java's `Utils.murmur2`, written from its definition."""
    mask, multiplier = 0xFFFFFFFF, 0x5BD1E995
    value = 0x9747B28C ^ len(key)
    whole = len(key) // 4 * 4
    for index in range(0, whole, 4):
        word = int.from_bytes(key[index:index + 4], "little") * multiplier & mask
        word = (word ^ word >> 24) * multiplier & mask
        value = value * multiplier & mask ^ word
    if rest := key[whole:]:
        value = (value ^ int.from_bytes(rest, "little")) * multiplier & mask
    value = (value ^ value >> 13) * multiplier & mask
    return value ^ value >> 15


def milliseconds(value):
    """An instant of a document; None when it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value >= 0 else None
    if isinstance(value, str):
        try:
            moment = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            return None
        epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        return (moment - epoch) // datetime.timedelta(milliseconds=1)
    return None


NOT_JSON = object()


def document(line):
    """The line as JSON, strictly; NOT_JSON when it is not, or deeper than the 64 levels allowed."""
    if line.startswith(b"[" * 65):
        return NOT_JSON
    def refuse(_):
        raise ValueError
    try:
        return json.loads(line.decode(), parse_constant=refuse)
    except ValueError:
        return NOT_JSON


def expected_records(lines, partitions):
    """By partition: (time, key, arrival, value bytes); None where only the clock would know."""
    result = [[] for _ in range(partitions)]
    for line in lines:
        fields = document(line)
        fields = fields if isinstance(fields, dict) else {}
        key = fields.get("device")
        if isinstance(key, (bool, type(None), dict, list)):
            key = None
        key = None if key is None else str(key).encode()
        partition = 0 if key is None else (murmur2(key) & 0x7FFFFFFF) % partitions
        arrival = milliseconds(fields.get("arrival"))
        moment = milliseconds(fields.get("ts"))
        result[partition].append((arrival if moment is None else moment, key, arrival, line))
    return result


def text_of(value):
    """Bytes of an exported key, header or value that is no JSON."""
    if value is None:
        return None
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value.encode()


def compare(lines, output, partitions, name):
    """Every exported record against its line, in order."""
    expected = expected_records(lines, partitions)
    found = [[] for _ in range(partitions)]
    for line in output.splitlines():
        record = json.loads(line)
        check(list(record) == ["partition", "offset", "timestamp", "key", "headers", "value"],
              f"{name}: members {list(record)}")
        check(record["offset"] == len(found[record["partition"]]), f"{name}: offset {record}")
        found[record["partition"]].append((record, line))
    for partition in range(partitions):
        check(len(found[partition]) == len(expected[partition]),
              f"{name}: partition {partition} has {len(found[partition])} records,"
              f" not {len(expected[partition])}")
        for (moment, key, arrival, value), (record, line) in zip(
                expected[partition], found[partition]):
            check(text_of(record["key"]) == key, f"{name}: key {line}")
            header = int(record["headers"]["plumbline.arrival"])
            check(arrival is None or header == arrival, f"{name}: arrival {line}")
            check(record["timestamp"] == (header if moment is None else moment),
                  f"{name}: time {line}")
            if document(value) is not NOT_JSON:
                # As it stands in the line: the digits are the device's.
                stated = line[line.index(b',"value":') + 9:-1]
                check(stated == value, f"{name}: value {line}")
            else:
                check(text_of(record["value"]) == value, f"{name}: value {line}")


def odd_lines():
    """Documents of every kind, and lines that are none."""
    good = [
        '{"device":"C1","ts":1760000000123,"arrival":1760000000500,"load":3.210,"n":1e5}',
        '{"device":"C2","ts":"2026-03-02T08:00:01.5Z","arrival":"2026-03-02T16:00:02+08:00"}',
        ' {"device" : "C3" , "ts":1760000000123, "arrival":5, "deep":{"device":"no"}} ',
        '{"device":"\\u5854\\ud83d\\ude00\\n","ts":1,"arrival":2}',
        '{"device":"塔机","ts":1,"arrival":2}',
        '{"dev\\u0069ce":"escaped name","ts":1,"arrival":2}', '{"device":42,"ts":1,"arrival":2}',
        '{"device":null,"ts":1,"arrival":2}', '{"device":"no time","arrival":2}',
        '{"device":"bad time","ts":"yesterday","arrival":2}',
        '{"device":"before","ts":-5,"arrival":2}',
        '{"device":"","ts":1,"arrival":2}', '{}', '[1,2]', '"text"', '17', 'null', 'true',
        '{"device":"plain","list":[1,{"ts":5}],"ts":7,"arrival":8}',
    ]
    bad = [b'junk', b'{"a":1', b'{"a":1}}', b'\xff\xfe{', b'nul\x00byte', b'{"a":01}', b'\x01',
           b'{"a":"\xff"}', b'[' * 70 + b']' * 70, b'{"a":NaN}', b'tab\there "quoted" \\ slash']
    return [line.encode() for line in good] + bad


def many_lines(count, source):
    lines = []
    for number in range(count):
        lines.append(json.dumps({
            "device": f"C{source.randrange(200):05}", "site": "S001",
            "ts": 1_760_000_000_000 + 100 * number, "seq": number,
            "arrival": 1_760_000_000_500 + 100 * number, "load_t": source.randrange(1000) / 100,
            "radius_m": source.randrange(600) / 10, "wind_ms": source.randrange(300) / 10,
        }, separators=(",", ":")).encode())
    return lines


def test_round_trip(work):
    lines = odd_lines() + many_lines(5000, random.Random(1))
    file = work / "round.ndjson"
    # Line ends of both kinds, blank lines, none after the last line.
    file.write_bytes(b"\r\n".join(lines[:2500]) + b"\n\n \t\n" + b"\n".join(lines[2500:]))
    for codec in ["none", "lz4", "zstd"]:
        for partitions in [1, 4, 7]:
            data = work / f"round-{codec}-{partitions}"
            out, errors = run("import", "--data", data, "--topic", "t", *FIELDS, "--codec", codec,
                              "--partitions", partitions, "--json", file)
            summary = json.loads(out)
            check(summary["records"] == len(lines) and not summary["skipped"], f"summary {out}")
            check(sum(summary["recordsByPartition"]) == len(lines), f"summary {out}")
            check(summary["unreadable"] > len(odd_lines()) // 2, f"unreadable {out}")
            check("could not be read" in errors, errors)
            out, _ = run("export", "--data", data, "--topic", "t")
            compare(lines, out, partitions, f"{codec}, {partitions} partitions")
    one, _ = run("export", "--data", data, "--topic", "t", "--partition", 2, "--from", 3, "--to", 6)
    check([json.loads(line)["offset"] for line in one.splitlines()] == [3, 4, 5], "--from --to")
    topics, _ = run("topics", "--data", data, "--json")
    check(json.loads(topics)[0]["records"] == len(lines), f"topics {topics}")
    check(json.loads(topics)[0]["partitions"] == 7, f"topics {topics}")
    check(b"t " in run("topics", "--data", data)[0], "topics as a table")
    print(f"round trip: {len(lines)} lines, 3 codecs, 3 partition counts")


def test_again(work):
    lines = many_lines(3000, random.Random(2))
    file, copy = work / "again.ndjson", work / "copy.ndjson"
    file.write_bytes(b"\n".join(lines) + b"\n")
    shutil.copy(file, copy)
    data = work / "again"
    run("import", "--data", data, "--topic", "t", *FIELDS, file)
    before, _ = run("export", "--data", data, "--topic", "t")
    for source in [file, copy, "-"]:
        out, errors = run("import", "--data", data, "--topic", "t", *FIELDS, "--json", source,
                          stdin=file.read_bytes() if source == "-" else None)
        check(json.loads(out)["skipped"] and "skipped" in errors, f"{source} again: {errors}")
    run("import", "--data", data, "--topic", "other", *FIELDS, file)
    # Without what is beside the log, the log itself tells.
    shutil.rmtree(data / "state")
    run("import", "--data", data, "--topic", "t", *FIELDS, file)
    check(run("export", "--data", data, "--topic", "t")[0] == before, "doubled or lost")
    more = work / "more.ndjson"
    more.write_bytes(lines[0])
    run("import", "--data", data, "--topic", "t", *FIELDS, more)
    after = run("export", "--data", data, "--topic", "t")[0].splitlines()
    check(len(after) == 3001, "another file with a line of the first")
    print("a file again: skipped by content, from a pipe too, and without the state directory")


def test_grown(work):
    """A file that has grown: its first lines are not stored twice unless that is asked for."""
    lines = many_lines(3000, random.Random(7))
    file, data = work / "grown.ndjson", work / "grown"
    for count in [1000, 2000]:
        file.write_bytes(b"".join(line + b"\n" for line in lines[:count]))
        if count == 1000:
            run("import", "--data", data, "--topic", "t", *FIELDS, file)
    _, errors = run("import", "--data", data, "--topic", "t", *FIELDS, file, expect=1)
    check("begins with what is in t already: 1000 records" in errors and "--repeat" in errors,
          errors)
    # The command that the hint gives.
    command = errors.split("alone: ")[1].split(" | plumbline")[0]
    rest = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, check=True).stdout
    check(rest == b"".join(line + b"\n" for line in lines[1000:2000]), f"'{command}'")
    run("import", "--data", data, "--topic", "t", *FIELDS, "-", stdin=rest)
    compare(lines[:2000], run("export", "--data", data, "--topic", "t")[0], 4, "new lines alone")
    # Another topic, another beginning, and a beginning that was never finished, are no repeats.
    run("import", "--data", data, "--topic", "other", *FIELDS, file)
    other = work / "other.ndjson"
    other.write_bytes(b"\n".join(lines[2000:] + lines[:1000]))
    run("import", "--data", data, "--topic", "t", *FIELDS, other)
    before = len(run("export", "--data", data, "--topic", "t")[0].splitlines())
    run("import", "--data", data, "--topic", "t", *FIELDS, "--repeat", file)
    after = len(run("export", "--data", data, "--topic", "t")[0].splitlines())
    check(after == before + 2000, f"--repeat: {after - before} records")
    header = b"device;ts;arrival\n"
    rows = [b"C1;%d;5" % number for number in range(20)]
    csv = ["--format", "csv", "--separator", ";", "--key", "device", "--time", "ts"]
    for count in [10, 20]:
        file.write_bytes(header + b"".join(row + b"\n" for row in rows[:count]))
        _, errors = run("import", "--data", data, "--topic", "c", *csv, file,
                        expect=0 if count == 10 else 1)
    command = errors.split("alone: ")[1].split(" | plumbline")[0]
    rest = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, check=True).stdout
    check(rest == header + b"".join(row + b"\n" for row in rows[10:]), f"'{command}': {rest}")
    print("a grown file: refused, with the command for its new lines")


def test_long_topic(work):
    """The longest name that Kafka allows, and two that differ in their last character only."""
    file = work / "long-name.ndjson"
    file.write_bytes(b"\n".join(many_lines(10, random.Random(8))))
    data = work / "long-name"
    for name in ["t" * 200, "t" * 248 + "a", "t" * 248 + "b"]:
        for skipped in [False, True]:
            out, _ = run("import", "--data", data, "--topic", name, *FIELDS, "--json", file)
            check(json.loads(out)["skipped"] == skipped, f"{name}: {out}")
        check(len(run("export", "--data", data, "--topic", name)[0].splitlines()) == 10, name)
    run("import", "--data", data, "--topic", "t" * 250, *FIELDS, file, expect=1)
    print("topics of 249 characters")


def test_older_ends(work):
    """Published ends from before the last import: what they leave out is not cut away."""
    lines = many_lines(3000, random.Random(9))
    data = work / "older"
    checkpoint = data / "kafka/replication-offset-checkpoint"
    for number in range(2):
        file = work / f"older-{number}.ndjson"
        file.write_bytes(b"\n".join(lines[1000 * number:1000 * (number + 1)]))
        run("import", "--data", data, "--topic", "t", *FIELDS, file)
        if number == 0:
            older = checkpoint.read_bytes()
    newer = checkpoint.read_bytes()
    checkpoint.write_bytes(older)
    file.write_bytes(b"\n".join(lines[2000:]))
    _, errors = run("import", "--data", data, "--topic", "t", *FIELDS, file, expect=1)
    check("older-1.ndjson" in errors and str(checkpoint) in errors and "older than" in errors,
          errors)
    checkpoint.write_bytes(newer)
    run("import", "--data", data, "--topic", "t", *FIELDS, file)
    compare(lines, run("export", "--data", data, "--topic", "t")[0], 4, "the right ends again")
    print("older published ends: noticed before anything is cut")


def test_frames(work):
    rows = (ROOT / "Tests/ConnectorsTests/Fixtures/hj212-samples.txt").read_text().splitlines()
    frames = [row.split("\t")[3] for row in rows if row.startswith(("REAL", "SYN"))]
    frames = [frame for frame in frames if frame.startswith("##")]
    file = work / "frames.hj212"
    prefixes = ["", "1760000000000\t", "2026-03-02T08:00:00+08:00\t"]
    lines = [prefixes[number % 3] + frame for number, frame in enumerate(frames)]
    file.write_text("\r\n".join(lines) + "\r\n")
    data = work / "frames"
    run("import", "--data", data, "--topic", "d", "--format", "hj212", file)
    records = [json.loads(line)
               for line in run("export", "--data", data, "--topic", "d")[0].splitlines()]
    values = sorted(record["value"] for record in records)
    check(values == sorted(frames), "the frames are not those of the file")
    arrivals = {"1760000000000": 0, "1772409600000": 0}
    for record in records:
        found = [part[3:] for part in record["value"].replace("&&", ";").split(";")
                 if part.startswith("MN=")]
        key = found[0] if found else None
        check(record["key"] == key, f"key of {record}")
        partition = 0 if key is None else (murmur2(key.encode()) & 0x7FFFFFFF) % 4
        check(record["partition"] == partition, f"partition of {record}")
        arrival = record["headers"]["plumbline.arrival"]
        if arrival in arrivals:
            arrivals[arrival] += 1
        if "DataTime=20160801085857" in record["value"]:
            check(record["timestamp"] // 1000 == 1470013137, f"time of {record}")
    check(sum(arrivals.values()) == len(frames) - (len(frames) + 2) // 3, f"arrivals {arrivals}")
    print(f"frames: {len(frames)} HJ 212 frames, with and without an arrival time")


def bad(work, arguments, text, expect=1, **more):
    command = ["import", "--data", work / "bad", "--topic", "t", *arguments]
    _, errors = run(*command, expect=expect, **more)
    check(text in errors, f"{arguments}: '{text}' is not in: {errors}")


def test_bad_input(work):
    file = work / "good.ndjson"
    file.write_bytes(b"\n".join(many_lines(10, random.Random(3))))
    json_format = ["--format", "json"]
    bad(work, [*json_format, work / "none"], "No such file")
    bad(work, [*json_format, work], "is a directory")
    bad(work, [*json_format, "--schema", "none", file], "cannot read the schema")
    bad(work, ["--format", "xml", file], "format", expect=64)
    bad(work, [*json_format, "--codec", "gzip", file], "codec", expect=64)
    bad(work, [*json_format, "--partitions", "0", file], "partitions", expect=64)
    empty = work / "empty"
    empty.write_bytes(b"")
    bad(work, [*json_format, empty], "is empty: 0 records", expect=0)
    long = work / "long.ndjson"
    long.write_bytes(b'{"a":1}\n{"a":"' + b"x" * (17 << 20) + b'"}\n')
    bad(work, [*json_format, long], "line 2: longer than 16 MiB")
    check(not (work / "bad/kafka/t-0").exists(), "a refused file left records")
    long.write_bytes(b'{"a":"' + b"x" * (15 << 20) + b'"}\n{"a":"' + b"y" * (9 << 20) + b'"}')
    bad(work, [*json_format, long], "2 records", expect=0)
    out, _ = run("export", "--data", work / "bad", "--topic", "t")
    check([len(line) > 9 << 20 for line in out.splitlines()] == [True, True], "long lines")
    bad(work, [*json_format, "--partitions", "7", file], "has 4 partitions, not 7")
    for name, text in [("x.journal", "engine's own"), ("x.rejects", "engine's own"),
                       ("a/b", "is not valid"), ("../x", "is not valid"),
                       ("owned", "crane-overload")]:
        (work / "bad/state/owners").mkdir(parents=True, exist_ok=True)
        (work / "bad/state/owners/owned").write_text("crane-overload\n")
        _, errors = run("import", "--data", work / "bad", "--topic", name, *json_format, file,
                        expect=1)
        check(text in errors, f"topic {name}: {errors}")
    unfit = work / "unfit"
    unfit.write_text("a file")
    _, errors = run("import", "--data", unfit, "--topic", "t", *json_format, file, expect=1)
    check(str(unfit) in errors, errors)
    for command in [["export", "--data", work / "bad", "--topic", "none"],
                    ["export", "--data", work / "bad", "--topic", "t", "--partition", 9],
                    ["topics", "--data", work / "nowhere"]]:
        check("error:" in run(*command, expect=1)[1], f"{command}")
    test_permission(work, file)
    print("bad input: each refused with its reason")


def test_permission(work, file):
    hidden = work / "hidden.ndjson"
    shutil.copy(file, hidden)
    hidden.chmod(0)
    closed = work / "closed"
    closed.mkdir(mode=0o700)
    prefix = []
    if os.geteuid() == 0:
        # As root nothing is forbidden.
        prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        work.chmod(0o755)
    else:
        closed.chmod(0)
    probe = subprocess.run([*prefix, PLUMBLINE, "--help"], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    if probe.returncode != 0:
        SKIPPED.append("permission: the program cannot be run by another user here")
        return
    open_data = work / "open"
    open_data.mkdir(exist_ok=True)
    open_data.chmod(0o777)
    for data, source in [(open_data, hidden), (closed / "data", file)]:
        _, errors = run("import", "--data", data, "--topic", "t", "--format", "json", source,
                        expect=1, prefix=prefix)
        check("Permission denied" in errors, errors)


def test_locked(work):
    file = work / "locked.ndjson"
    file.write_bytes(b"\n".join(many_lines(100, random.Random(4))))
    data = work / "locked"
    run("import", "--data", data, "--topic", "t", *FIELDS, file)
    with open(data / "kafka/.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        check(len(run("export", "--data", data, "--topic", "t")[0].splitlines()) == 100, "export")
        run("topics", "--data", data)
        _, errors = run("import", "--data", data, "--topic", "u", *FIELDS, file, expect=1)
        check("in use by another process" in errors, errors)
    run("import", "--data", data, "--topic", "u", *FIELDS, file)
    print("locked: export reads, import says who is in the way")


def records_in(data):
    """Published records of topic t, by the checkpoint file."""
    try:
        text = (data / "kafka/replication-offset-checkpoint").read_text()
    except FileNotFoundError:
        return 0
    return sum(int(line.split()[2]) for line in text.splitlines()[2:])


def test_kills(work):
    source = random.Random(SEED)
    lines = many_lines(400_000, random.Random(5))
    file = work / "kills.ndjson"
    file.write_bytes(b"\n".join(lines) + b"\n")
    whole = work / "undisturbed"
    start = time.monotonic()
    run("import", "--data", whole, "--topic", "t", *FIELDS, file)
    seconds = time.monotonic() - start
    expected, _ = run("export", "--data", whole, "--topic", "t")
    compare(lines, expected, 4, "undisturbed")
    done = broken_off = series = 0
    while done < KILLS:
        data = work / "killed"
        shutil.rmtree(data, ignore_errors=True)
        series += 1
        for _ in range(4):
            if done == KILLS:
                break
            process = subprocess.Popen(
                [PLUMBLINE, "import", "--data", data, "--topic", "t", *FIELDS, file],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if source.random() < 0.5:
                time.sleep(source.uniform(0, seconds))
            else:
                before = records_in(data)
                while process.poll() is None and records_in(data) == before:
                    time.sleep(0.001)
                time.sleep(source.uniform(0, seconds / 4))
            process.send_signal(signal.SIGKILL)
            if process.wait() == -signal.SIGKILL:
                done += 1
                broken_off += 0 < records_in(data) < len(lines)
            else:
                break
        run("import", "--data", data, "--topic", "t", *FIELDS, file)
        check(run("export", "--data", data, "--topic", "t")[0] == expected,
              f"SEED={SEED}: after kills the records differ")
    check(broken_off * 4 >= done, f"SEED={SEED}: only {broken_off} of {done} kills hit an import")
    print(f"kills: {done} in {series} series, {broken_off} with a part of the file stored,"
          f" SEED={SEED}")
    return file, expected


def test_full_disk(work, file, expected):
    disk = work / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", disk],
                             stderr=subprocess.PIPE)
    if mounted.returncode != 0:
        SKIPPED.append(f"full disk: {mounted.stderr.decode().strip()}")
        return
    try:
        data = disk / "data"
        _, errors = run("import", "--data", data, "--topic", "t", *FIELDS, file, expect=1)
        check("No space left" in errors and "free some space" in errors, errors)
        _, errors = run("import", "--data", data, "--topic", "t", *FIELDS, "-", expect=1,
                        stdin=file.read_bytes())
        check("No space left" in errors, errors)
        subprocess.run(["mount", "-o", "remount,size=512m", disk], check=True)
        out, _ = run("import", "--data", data, "--topic", "t", *FIELDS, "--json", file)
        check(run("export", "--data", data, "--topic", "t")[0] == expected,
              "after a full disk the records differ")
        print(f"full disk: {json.loads(out)['resumed']} records were kept, the rest followed")
    finally:
        subprocess.run(["umount", disk], check=True)


def test_hand_over(work):
    help_text, _ = run("--help")
    if b"\n  run " not in help_text:
        SKIPPED.append("hand-over to a run: the program has no command 'run'")
        return
    data = work / "run"
    file = work / "handed.ndjson"
    lines = many_lines(50_000, random.Random(6))
    file.write_bytes(b"\n".join(lines) + b"\n")
    # Its sources must be there before a run starts.
    for topic in ["telemetry.crane", "registry.crane"]:
        seed = work / "seed.ndjson"
        seed.write_bytes(b'{"device":"C0","ts":1,"arrival":1}\n')
        run("import", "--data", data, "--topic", topic, *FIELDS, seed)
    process = subprocess.Popen(
        [PLUMBLINE, "run", "--data", data, ROOT / "topologies/crane-overload"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        for _ in range(300):
            if (data / "plumbline.sock").exists() or process.poll() is not None:
                break
            time.sleep(0.1)
        check(process.poll() is None, "the run has ended by itself")
        imports = [subprocess.Popen([PLUMBLINE, "import", "--data", data, "--topic", topic, *FIELDS,
                                     file], stderr=subprocess.PIPE) for topic in ["t", "u"]]
        for one in imports:
            errors = one.communicate()[1].decode()
            check(one.returncode == 0, errors)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()
    for topic in ["t", "u"]:
        compare(lines, run("export", "--data", data, "--topic", topic)[0], 4, "handed over")
    check(not (data / "plumbline.sock").exists(), "the socket was left")
    print("hand-over: two imports at once into a run")


def main():
    with tempfile.TemporaryDirectory(prefix="plumbline-import-") as name:
        work = pathlib.Path(name)
        test_round_trip(work)
        test_again(work)
        test_grown(work)
        test_long_topic(work)
        test_older_ends(work)
        test_frames(work)
        test_bad_input(work)
        test_locked(work)
        file, expected = test_kills(work)
        test_full_disk(work, file, expected)
        test_hand_over(work)
    for reason in SKIPPED:
        print(f"SKIPPED: {reason}")


main()
