"""Commands with `--brokers`: import, export, topics, tail, replay, archive, deploy, metrics.

On librdkafka's mock cluster; with KAFKA_BOOTSTRAP=HOST:PORT also on that cluster, whose topics of
the fixture's names are deleted: only there topics can be made and interrupted imports be proved.
"""
import contextlib
import json
import os
import random
import re
import select
import signal
import socket
import struct
import subprocess
import threading
import time
import urllib.error
import urllib.request

import kafka
import kafka.admin

import _harness as harness
import _kafka as cluster

CRANE = harness.SHIPPED[0]


def arguments(address, command, *rest):
    return [command, "--brokers", address, *rest]


# Reading and writing


def test_import(address, base, scratch):
    """The same files give the records of the embedded import, and twice is once."""
    for topic, name in harness.SITE_DAY:
        given = harness.import_arguments("", topic, harness.ROOT / "fixtures/site-day" / name)
        given[1:3] = ["--brokers", address]
        first = json.loads(harness.plumbline(*given, "--json"))
        second = json.loads(harness.plumbline(*given, "--json"))
        harness.check(not first["skipped"] and second["skipped"], f"{topic}: {first}, {second}")
        for partition in range(cluster.PARTITIONS):
            wanted = [cluster.Record(one.time, one.key, one.value, b",".join(
                f"{key}=".encode() + value for key, value in cluster.decode_headers(one.headers)))
                for one in cluster.stored(base, topic, partition)]
            found = list(cluster.consume(address, topic, partition).values())
            harness.check(without_import_time(found) == without_import_time(wanted),
                          f"{topic}/{partition}: {len(found)} records, not {len(wanted)}")


def test_import_refusals(address, scratch):
    file = scratch / "empty.ndjson"
    file.write_text("{}\n")
    into = arguments(address, "import", "--format", "json", file, "--topic")
    harness.refused([*into, "alarms.crane"], "is written by crane-overload.v1")
    harness.refused([*into, "x.journal"], "the engine's own")
    harness.refused([*into, "registry.crane", "--partitions", 3], "4 partitions")


def without_import_time(records):
    """A line without a readable arrival has that of its import, and without a time that, too."""
    def is_now(text):
        return abs(int(text) / 1000 - time.time()) < 3600
    return [one._replace(time=0 if is_now(one.time) else one.time, headers=b"")
            if is_now(one.headers.partition(b"arrival=")[2]) else one for one in records]


def test_reading(address, data):
    """export and tail give the lines of --data but for offsets, topics the counted figures."""
    def lines(*options):
        found = harness.plumbline("export", *options, "--topic", "alarms.crane").splitlines()
        return [re.sub(rb'"offset":\d+', b"", line) for line in found]
    harness.check(lines("--brokers", address) == lines("--data", data), "export differs")
    part = harness.plumbline(*arguments(
        address, "export", "--topic", "telemetry.crane", "--partition", 1, "--from", 5, "--to", 9))
    harness.check([harness.place(line) for line in part.splitlines()]
                  == [(1, offset) for offset in range(5, 9)], f"{part}")
    listed = {one["name"]: one for one in
              json.loads(harness.plumbline(*arguments(address, "topics", "--json")))}
    for topic, writer in [("telemetry.crane", None), ("alarms.crane", "crane-overload.v1"),
                          ("crane-overload.v1.journal", "crane-overload.v1"),
                          (cluster.REKEYED, "site-loads.v1")]:
        one = listed[topic]
        harness.check(one.get("writer") == writer and one["partitions"] == cluster.PARTITIONS,
                      f"{one}")
        for part in one["byPartition"]:
            found = cluster.consume(address, topic, part["partition"])
            harness.check(part["records"] >= len(found) and "bytes" not in part, f"{part}")
            times = [record.time for record in found.values()]
            harness.check(part.get("firstTime") == (times[0] if times else None)
                          and part.get("lastTime") == (times[-1] if times else None), f"{part}")
    table = harness.plumbline(*arguments(address, "topics", "--partitions")).decode()
    harness.check(re.search(r"^alarms\.crane +4 .*crane-overload\.v1", table, re.M), table)
    harness.refused(arguments(address, "export", "--topic", "none"), "no topic none", address)
    harness.refused(arguments(address, "export", "--topic", "alarms.crane", "--partition", 9),
                    "no partition 9")
    test_tail(address)


def test_tail(address):
    """The last records, then what comes."""
    process = subprocess.Popen(
        [harness.PLUMBLINE, *map(str, arguments(
            address, "tail", "--topic", "telemetry.crane", "--last", 3))], stdout=subprocess.PIPE)
    try:
        lines = [process.stdout.readline() for _ in range(3)]
        everything = harness.plumbline(*arguments(address, "export", "--topic", "telemetry.crane"))
        last = []
        for partition in range(cluster.PARTITIONS):
            last += [line for line in everything.splitlines(keepends=True)
                     if harness.place(line)[0] == partition][-3:]
        last.sort(key=lambda line: (json.loads(line)["timestamp"], harness.place(line)))
        harness.check(lines == last[-3:], f"tail --last 3 gives {lines}")
        producer = kafka.KafkaProducer(bootstrap_servers=address, api_version=cluster.VERSION)
        producer.send("telemetry.crane", b'{"n":1}', b"TC-99", [], 2, 1000).get(10)
        producer.close()
        ready, _, _ = select.select([process.stdout], [], [], 20)
        line = json.loads(process.stdout.readline()) if ready else {}
        harness.check(line.get("key") == "TC-99" and line.get("value") == {"n": 1}, f"tail: {line}")
        process.send_signal(signal.SIGTERM)
        harness.check(process.wait(10) == 0, "tail does not end with 0")
    finally:
        process.kill()
        process.wait()


# Proof


def test_archive(address, scratch):
    """The copy has the cluster's records at their offsets, re-executes, goes on, finds changes."""
    data = scratch / "archive"
    patterns = [*cluster.INPUTS, "alarms.*", "means.*", "loads.*", "site-loads.v1*",
                "crane-overload.v1*", "dust-exceedance.v1*"]
    given = arguments(address, "archive", "--data", data, "--until-end", "--verify", "--topics",
                      *patterns)
    figures = json.loads(harness.plumbline(*given, "--json"))
    harness.check(all(one["complete"] for one in figures), f"not complete: {figures}")
    for topic in ["alarms.crane", "telemetry.crane", "crane-overload.v1.journal", cluster.REKEYED]:
        ours, theirs = (harness.plumbline("export", *place, "--topic", topic)
                        for place in [("--data", data), ("--brokers", address)])
        harness.check(ours == theirs and ours, f"{topic}: the archive's export differs")
    output = harness.plumbline("replay", "--data", data).decode()
    harness.check(output.count("identical") == 4 * len(cluster.STAGES), f"replay:\n{output}")
    producer = kafka.KafkaProducer(bootstrap_servers=address, api_version=cluster.VERSION)
    producer.send("telemetry.crane", b'{"n":2}', b"TC-99", [], 2, 2000).get(10)
    harness.plumbline(*given)
    last = harness.plumbline("export", "--data", data, "--topic", "telemetry.crane",
                             "--partition", 2).splitlines()[-1]
    harness.check(json.loads(last)["value"] == {"n": 2}, f"the archive does not go on: {last}")
    # A record that no task wrote.
    producer.send("alarms.crane", b"{}", b"TC-99", [], 1, 3000).get(10)
    producer.close()
    code, output, _ = harness.execute(*arguments(address, "replay"))
    harness.check(code == 1 and "crane-overload.v1/1: DIFFERENT" in output
                  and "no journal record names this record" in output, f"exit {code}: {output}")
    harness.refused(arguments(address, "archive", "--data", data, "--topics", "nothing*"),
                    "no topic nothing*")


def test_replaced(address, scratch):
    """A topic that was made anew is not taken for the one that was archived."""
    other = scratch / "other"
    line = scratch / "line.ndjson"
    line.write_text('{"device": "A", "ts": 1}\n')
    harness.plumbline("import", "--data", other, "--topic", "alarms.crane", "--format", "json",
                      "--partitions", 4, line)
    harness.refused(arguments(address, "archive", "--data", other, "--until-end", "--topics",
                              "alarms.crane"), "is not the one that was archived")


# Watching


def test_metrics(scratch, place, folder, topic, rows):
    """Prometheus text of a following run that reads so many rows; `place` says where it runs."""
    errors = open(scratch / "metrics", "wb+")
    process = subprocess.Popen(
        [harness.PLUMBLINE, "run", *map(str, place), str(folder), "--metrics", "0"],
        stderr=errors)
    try:
        port = None
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            text = (scratch / "metrics").read_text()
            harness.check(process.poll() is None, f"the run ends: {text}")
            port = port or next(iter(re.findall(r"http://127\.0\.0\.1:(\d+)/metrics", text)), None)
            if port and read_metrics(port, "crane-overload.v1", topic, rows):
                break
            time.sleep(0.2)
        else:
            harness.fail(f"no figures: {text}\n{scrape(port) if port else ''}")
        for method, path, status in [("GET", "/other", 404), ("POST", "/metrics", 405)]:
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
            try:
                urllib.request.urlopen(request, timeout=10)
                harness.fail(f"{method} {path} is answered")
            except urllib.error.HTTPError as error:
                harness.check(error.code == status, f"{method} {path}: {error.code}")
        if "--brokers" in place:
            harness.refused(["run", *place, folder, "--metrics", port], f"--metrics {port}: ",
                            "name another port")
        return scrape(port)
    finally:
        process.send_signal(signal.SIGTERM)
        harness.check(process.wait(60) == 0, "SIGTERM ends with another exit code than 0")


def scrape(port):
    return urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()


def read_metrics(port, task, topic, rows):
    """Whether all has been read; the text must have Prometheus' form."""
    found = {}
    for line in scrape(port).splitlines():
        if line.startswith("#"):
            harness.check(re.fullmatch(r"# (HELP|TYPE) plumbline_[a-z_]+ .+", line), line)
            continue
        match = re.fullmatch(r'(plumbline_[a-z_]+)(?:\{((?:[a-z]+="[^"]*",?)+)\})? (-?[0-9.e+-]+)',
                             line)
        harness.check(match, f"not a sample: {line}")
        found[match[1], match[2] or ""] = float(match[3])
    lags = [value for (name, labels), value in found.items()
            if name == "plumbline_lag_records" and f'topic="{topic}"' in labels]
    read = sum(value for (name, labels), value in found.items()
               if name == "plumbline_records_read_total" and f'task="{task}' in labels)
    delays = [value for (name, _), value in found.items()
              if name == "plumbline_commit_seconds_count"]
    return len(lags) == 4 and not any(lags) and read >= rows and delays


# Settings


def test_settings(address, scratch):
    """Files of settings, names that librdkafka does not know, a cluster that refuses the user."""
    file = scratch / "client.properties"
    topics = arguments(address, "topics", "--config", file)

    def write(text):
        file.write_text("# settings\n\n" + text + "\n")

    write("linger.ms = 7\nclient.id=ours")
    harness.plumbline(*topics)
    for text, texts in [
            ("sasl.usernme=x", ["properties:3: sasl.usernme", "did you mean 'sasl.username'"]),
            ("acks=1", ["client.properties:3: acks", "the engine's own"]),
            ("bootstrap.servers=x:1", ["the addresses are given with --brokers"]),
            ("linger.ms", ["client.properties:3:1", "not name=value"]),
            ("sasl.jaas.config=x", ["Java's clients", "sasl.username"]),
            ("session.timeout.ms=soon", ["client.properties:3: session.timeout.ms"])]:
        write(text)
        harness.refused(topics, *texts)
    secret = arguments(address, "topics", "--set", "sasl.password=hidden", "--set", "no.such=1")
    harness.check("hidden" not in harness.refused(secret, "no.such"), "a password is shown")
    harness.refused(arguments(address, "topics", "--config", scratch / "none"), "cannot be read")
    harness.refused(["topics", "--data", scratch, "--config", file], "go with --brokers", expect=64)
    with refusing_broker() as place:
        began = time.monotonic()
        harness.refused(
            arguments(place, "topics", "--set", "security.protocol=sasl_plaintext", "--set",
                      "sasl.mechanisms=PLAIN", "--set", "sasl.username=site", "--set",
                      "sasl.password=wrong"),
            "refuses the connection", "user and password do not fit", "check the user")
        harness.check(time.monotonic() - began < 10, "it is not told at once")


@contextlib.contextmanager
def refusing_broker():
    """Speaks as much of the protocol as it takes to refuse a user (SaslAuthenticate, error 58)."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer(client):
        with client:
            while True:
                head = client.recv(4, socket.MSG_WAITALL)
                if len(head) < 4:
                    return
                body = client.recv(struct.unpack(">i", head)[0], socket.MSG_WAITALL)
                api, version, correlation = struct.unpack_from(">hhi", body)
                if api == 18:
                    keys = [(17, 0, 1), (18, 0, 0), (36, 0, 0), (3, 0, 1)]
                    reply = struct.pack(">hi", 0 if version == 0 else 35, len(keys))
                    reply += b"".join(struct.pack(">hhh", *key) for key in keys)
                elif api == 17:
                    reply = struct.pack(">hih", 0, 1, 5) + b"PLAIN"
                else:
                    text = b"user and password do not fit"
                    reply = struct.pack(">hh", 58, len(text)) + text + struct.pack(">i", 0)
                client.sendall(struct.pack(">ii", len(reply) + 4, correlation) + reply)

    def serve():
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=[client], daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.close()


# Deployment


def plan(address, *options, expect=0):
    code, output, errors = harness.execute(
        *arguments(address, "deploy", "--json", *options, *cluster.TOPOLOGIES))
    harness.check(code == expect, f"deploy ends with {code}, not {expect}: {output}{errors}")
    return {one["topic"]: one for one in json.loads(output)}


def test_deploy_without_admin(address):
    """The mock cluster makes no topics and tells no settings; partitions it does."""
    items = plan(address)
    harness.check({one["state"] for one in items.values()} == {"fine"}, f"{items}")
    harness.check(set(items) == set(cluster.topics()) - {cluster.IMPORTS}, f"{sorted(items)}")
    for topic, count in cluster.topics().items():
        harness.check(topic == cluster.IMPORTS or items[topic]["partitions"] == count, topic)


def test_deploy(address):
    """Topics are made as the reference says; what is there is told, and refused where it breaks."""
    admin = kafka.admin.KafkaAdminClient(bootstrap_servers=address, api_version=cluster.VERSION)
    cluster.create(address, {})
    deploy = arguments(address, "deploy", *cluster.TOPOLOGIES)
    harness.refused(deploy, "there is no topic", "--partitions N")
    items = plan(address, "--dry-run", "--partitions", 4)
    harness.check({one["state"] for one in items.values()} == {"create"}, f"{items}")
    harness.check("alarms.crane" not in admin.list_topics(), "a dry run makes topics")
    plan(address, "--partitions", 4)
    harness.check({one["state"] for one in plan(address).values()} == {"fine"}, "twice")
    wanted = {"message.timestamp.type": "CreateTime", "retention.ms": "-1",
              "message.timestamp.after.max.ms": str(2**63 - 1)}
    for topic, policy in [("telemetry.crane", "delete"), ("alarms.crane", "delete"),
                          ("crane-overload.v1.journal", "delete"),
                          ("crane-overload.v1.state", "compact")]:
        found = described(admin, topic)
        for name, value in [*wanted.items(), ("cleanup.policy", policy)]:
            harness.check(found[name] == value, f"{topic}: {name} is {found[name]}")
    cluster.create(address, {**cluster.topics(), "telemetry.crane": 3, "registry.crane": 3})
    harness.check(plan(address, expect=1)["alarms.crane"]["state"] == "refused", "partitions")
    made = {topic: count for topic, count in cluster.topics().items() if "journal" not in topic}
    cluster.create(address, made)
    admin.create_topics([kafka.admin.NewTopic(
        "crane-overload.v1.journal", 4, 1, topic_configs={"cleanup.policy": "compact"})])
    time.sleep(1)
    items = plan(address, expect=1)
    journal = items["crane-overload.v1.journal"]
    harness.check(journal["state"] == "refused" and "compaction" in " ".join(journal["notes"]),
                  f"{journal}")
    harness.check("dust-exceedance.v1.journal" not in admin.list_topics(), "refused, but made")
    # Made by others with a broker's defaults.
    harness.check(items["alarms.crane"]["state"] == "differs", f"{items['alarms.crane']}")
    admin.close()


def described(admin, topic):
    resource = kafka.admin.ConfigResource(kafka.admin.ConfigResourceType.TOPIC, topic)
    (answer,) = admin.describe_configs([resource])
    return {entry[0]: entry[1] for entry in answer.resources[0][4]}


def test_killed_imports(address, source):
    """An import that is killed and started again stores every line once."""
    cluster.create(address, {topic: 4 for topic in cluster.INPUTS})
    file = harness.ROOT / "fixtures/site-day/crane.ndjson"
    given = harness.import_arguments("", "telemetry.crane", file)
    given[1:3] = ["--brokers", address]
    given = [str(part) for part in given]
    kills = 0
    while True:
        process = subprocess.Popen([harness.PLUMBLINE, *given], stderr=subprocess.DEVNULL)
        time.sleep(source.uniform(0.05, 0.5))
        process.kill()
        if process.wait() == 0:
            break
        kills += 1
        if kills >= 4:
            harness.plumbline(*given)
            break
    found = sum(len(cluster.consume(address, "telemetry.crane", partition))
                for partition in range(4))
    lines = sum(1 for line in open(file, "rb") if line.strip())
    harness.check(found == lines, f"{found} records of {lines} lines after {kills} kills")
    return kills


def main():
    source = random.Random(harness.SEED)
    with harness.scratch() as scratch:
        base, done, _ = harness.undisturbed(scratch)
        with cluster.mock_cluster() as address:
            test_deploy_without_admin(address)
            test_import(address, base, scratch)
            harness.plumbline(*cluster.run_arguments(address))
            output = harness.plumbline(*arguments(address, "replay")).decode()
            harness.check(output.count("identical") == 16, f"replay:\n{output}")
            test_import_refusals(address, scratch)
            test_reading(address, done)
            test_archive(address, scratch)
            test_replaced(address, scratch)
            test_settings(address, scratch)
            text = test_metrics(scratch, ["--brokers", address], CRANE, "telemetry.crane", 1)
            for name in ["rebalances_total", "transaction_seconds_count"]:
                harness.check(f"\nplumbline_{name}" in text, f"no {name}:\n{text}")
        harness.say("mock cluster: import, replay, metrics, export, topics, tail, archive, set")
        text = test_metrics(scratch, ["--data", base], CRANE, "telemetry.crane", 1000)
        harness.check("plumbline_records_written_total" in text, "no records of the embedded run")
        harness.say("metrics of an embedded run")
        address = os.environ.get("KAFKA_BOOTSTRAP")
        if not address:
            harness.say("SKIPPED on a real cluster: KAFKA_BOOTSTRAP=HOST:PORT is not set")
            return
        test_deploy(address)
        kills = test_killed_imports(address, source)
        cluster.create(address, {})
        harness.plumbline(*arguments(address, "deploy", "--partitions", 4, *cluster.TOPOLOGIES))
        test_import(address, base, scratch)
        harness.plumbline(*cluster.run_arguments(address))
        harness.plumbline(*arguments(address, "replay"))
        test_reading(address, done)
        scratch.joinpath("real").mkdir()
        test_archive(address, scratch / "real")
        harness.say(f"{address}: deploy, import with {kills} kills, replay, reading, archive")


if __name__ == "__main__":
    main()
