"""`run --brokers`: the same topologies on a cluster give the records of the embedded log.

Always on librdkafka's mock cluster, which isolates nothing: its outputs are read through the
journal. With KAFKA_BOOTSTRAP=HOST:PORT also on that cluster, whose topics of the fixture's names
are deleted: there every committed record is compared too, and group offsets are those of the
journal. KILLS says how often runs are killed (a fifth of it here, at least two); SEED=n repeats.
"""
import collections
import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import time

import kafka

import _harness as harness
import _kafka as cluster

KILLS = max(2, int(os.environ.get("KILLS", "20")) // 5)
CRANE = [topic for topic in cluster.OUTPUTS if "crane" in topic]


def bounded(address, expected):
    """One run, and a second one that has nothing to do."""
    harness.plumbline(*cluster.run_arguments(address))
    cluster.check_same(expected, cluster.through_journal(address), "a run")
    output = harness.plumbline(*cluster.run_arguments(address)).decode()
    harness.check("crane-overload.v1: 0 records read, 0 epochs" in output,
                  f"the second run does something:\n{output}")
    harness.check("re-executed" not in output, f"the snapshots are not used:\n{output}")
    cluster.check_same(expected, cluster.through_journal(address), "a second run")


def killed(make, base, scratch, source, check, topologies):
    """Runs that are killed, some with snapshots and some without, until one comes through."""
    trace, kills, in_epoch, rounds = scratch / "trace", 0, 0, 0
    while kills < KILLS:
        rounds += 1
        with make() as address:
            cluster.produce(address, base)
            while True:
                process = cluster.spawn(cluster.run_arguments(
                    address, "--trace", *options(source), topologies=topologies), trace)
                if kills < KILLS:
                    wait_for_lines(process, trace, source.randint(1, 40))
                    time.sleep(source.choice([0, source.uniform(0, 0.1)]))
                    process.send_signal(signal.SIGKILL)
                try:
                    code = process.wait(harness.LONGEST_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    harness.fail(f"a run hangs after {kills} kills:\n{trace.read_text()[-2000:]}")
                if code == 0:
                    break
                harness.check(code == -signal.SIGKILL,
                              f"exit {code} after {kills} kills:\n{trace.read_text()[-2000:]}")
                kills += 1
                in_epoch += is_in_epoch(trace)
            check(address, f"after {kills} kills")
    return f"{kills} kills until {rounds} runs came through, {in_epoch} in the middle of an epoch"


def options(source):
    """Options that change no record; snapshots or none."""
    chosen = ["--epoch-rows", source.choice([200, 500, 1500]), "--workers", source.randint(1, 3),
              "--batch-rows", source.choice([7, 2048])]
    if source.random() < 0.7:
        chosen += ["--snapshot-rows", source.choice([500, 2000])]
    return chosen


def wait_for_lines(process, trace, count):
    """Returns when the trace has so many lines, or the process has ended."""
    cluster.wait_for(
        lambda: process.poll() is not None or trace.read_bytes().count(b"trace:") >= count,
        f"{count} lines of the trace")


def is_in_epoch(trace):
    """Whether some task's last line says that an epoch begins or commits, not that it has."""
    last = {}
    for line in trace.read_text().splitlines():
        words = line.split(maxsplit=4)
        if len(words) == 5 and words[0] == "trace:":
            last[words[1]] = words[4]
    return bool({"begins", "commits"} & set(last.values()))


def following(address, base, expected, scratch, isolates):
    """Two processes follow the crane's topics; one is killed, one is stopped.

    Where the cluster isolates transactions, one of them sleeps for longer than its session before:
    when it wakes up, what it has begun for tasks that are no longer its own must not count.
    """
    arguments = ["run", "--brokers", address, harness.SHIPPED[0], "--trace", "--workers", 2,
                 "--set", "session.timeout.ms=6000"]
    traces = [scratch / "first", scratch / "second"]
    topics = ["registry.crane", "telemetry.crane"]

    def done(last):
        """Whether every task has read its input up to a number of records."""
        wanted = [len(cluster.stored(base, topics[1], partition)[:last])
                  for partition in range(cluster.PARTITIONS)]
        ends = [cluster.epochs(address, "crane-overload.v1.journal", partition)
                for partition in range(cluster.PARTITIONS)]
        return all(not count or (end and end[-1]["positions"][1] >= count)
                   for count, end in zip(wanted, ends))

    cluster.produce(address, base, topics[:1])
    processes = [cluster.spawn(arguments, trace) for trace in traces]
    try:
        cluster.produce(address, base, topics[1:], slice(0, 2000))
        cluster.wait_for(lambda: done(2000), "the first part of the input")
        if isolates:
            processes[1].send_signal(signal.SIGSTOP)
            cluster.produce(address, base, topics[1:], slice(2000, 3000))
            cluster.wait_for(lambda: done(3000), "more, by the process that is awake")
            processes[1].send_signal(signal.SIGCONT)
        shares = [len({line.split()[1] for line in trace.read_text().splitlines()
                       if line.startswith("trace:")}) for trace in traces]
        processes[0].send_signal(signal.SIGKILL)
        cluster.produce(address, base, topics[1:], slice(3000 if isolates else 2000, None))
        cluster.wait_for(lambda: done(None), "all of the input, by the process that is left")
        processes[1].send_signal(signal.SIGTERM)
        harness.check(processes[1].wait(60) == 0,
                      f"SIGTERM ends with another exit code than 0:\n{traces[1].read_text()}")
    finally:
        for process in processes:
            process.kill()
            process.wait()
    found = cluster.through_journal(address, ["crane-overload.v1.journal"])
    for topic in CRANE:
        for partition in range(cluster.PARTITIONS):
            place = topic, partition
            # How much of the registry was known at a reading is up to when it came.
            difference = collections.Counter(timeless(one) for one in expected[place])
            difference.subtract(timeless(one) for one in found[place])
            harness.check(not any(difference.values()),
                          f"following: {place} differs: "
                          f"{[(r, n) for r, n in difference.items() if n][:3]}")
    return shares


def timeless(record):
    """A record without what tells which inputs were read when it was made."""
    return record._replace(headers=re.sub(rb",?plumbline\.asof=[^,]*", b"", record.headers))


def bad_input(address):
    """What must be refused, with the way out."""
    folder = harness.SHIPPED[0]
    harness.refused(["run", folder], "either --data or --brokers", expect=64)
    harness.refused(["run", "--data", "x", "--brokers", address, folder],
                    "either --data or --brokers", expect=64)
    harness.refused(["run", "--data", "x", "--set", "a=b", folder], "go with --brokers", expect=64)
    run = ["run", "--brokers", address, folder, "--until-end", "--set"]
    harness.refused([*run, "enable.idempotence=false"], "enable.idempotence", "engine's own")
    harness.refused([*run, "no.such.setting=1"], "no.such.setting", "CONFIGURATION.md")
    harness.refused([*run, "linger.ms"], "linger.ms is not NAME=VALUE")
    with contextlib.closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{unused.getsockname()[1]}"
        harness.refused(["run", "--brokers", place, folder, "--until-end"],
                        "the cluster does not answer", place, "check --brokers")


def bad_topics(make):
    """Topics that do not fit; `make` gives the address of a cluster with just some topics."""
    run = ["run", "--brokers", None, harness.SHIPPED[0], "--until-end"]
    good = cluster.topics()
    missing = {topic: count for topic, count in good.items() if topic != "telemetry.crane"}
    for made, texts in [
            (missing, ["there is no topic telemetry.crane", "plumbline deploy"]),
            ({**good, "registry.crane": 3}, ["registry.crane has 3 partitions",
                                             "telemetry.crane has 4"]),
            ({**good, "alarms.crane": 2}, ["topic alarms.crane has 2 partitions",
                                           "4 are needed"])]:
        with make(made) as address:
            run[2] = address
            harness.refused(run, *texts)


def cannot_create():
    """The mock cluster makes no topics: the message says what to make."""
    made = {topic: count for topic, count in cluster.topics().items() if topic in cluster.INPUTS}
    with cluster.mock_cluster(made) as address:
        harness.refused(["run", "--brokers", address, harness.SHIPPED[0], "--until-end"],
                        "topic crane-overload.v1.plans cannot be made", "make it with 1 partition")


def group_offsets(address):
    """The group's offsets on a real cluster are the journal's positions."""
    tables = [("registry.project", partition) for partition in range(cluster.PARTITIONS)]
    for name, inputs in [
            ("site-loads.v1", lambda own: [("telemetry.crane", own)]),
            ("crane-overload.v1", lambda own: [("registry.crane", own), ("telemetry.crane", own)]),
            ("dust-exceedance.v1",
             lambda own: tables + [("registry.monitor", own), ("telemetry.dust", own)])]:
        consumer = kafka.KafkaConsumer(
            bootstrap_servers=address, api_version=cluster.VERSION, group_id=name,
            enable_auto_commit=False)
        for partition in range(cluster.PARTITIONS):
            journal = cluster.epochs(address, f"{name}.journal", partition)
            positions = journal[-1]["positions"] if journal else []
            for (topic, number), position in zip(inputs(partition), positions):
                committed = consumer.committed(kafka.TopicPartition(topic, number))
                harness.check(number != partition or committed == position,
                              f"{name}: {topic}/{number} is committed at {committed}, the"
                              f" journal says {position}")
        consumer.close()
    # Of the substreams in a partition the one that was read least.
    name = "site-loads.v1.stage2"
    consumer = kafka.KafkaConsumer(
        bootstrap_servers=address, api_version=cluster.VERSION, group_id=name,
        enable_auto_commit=False)
    for partition in range(cluster.PARTITIONS):
        journal = cluster.epochs(address, f"{name}.journal", partition)
        committed = consumer.committed(kafka.TopicPartition(cluster.REKEYED, partition))
        harness.check(committed == min(journal[-1]["positions"]),
                      f"{name}/{partition} is committed at {committed}")
    consumer.close()


def on_mock(base, expected, scratch, source):
    with cluster.mock_cluster() as address:
        cluster.produce(address, base)
        bounded(address, expected)
        bad_input(address)
    harness.say("mock cluster: the embedded run's records; a second run adds none")
    bad_topics(cluster.mock_cluster)
    cannot_create()
    harness.say("wrong usage, no cluster, wrong topics: refused, with the way out")

    def check(address, what):
        found = cluster.through_journal(address, cluster.JOURNALS[:2])
        cluster.check_same({place: records for place, records in expected.items()
                            if "loads" not in place[0]}, found, what)

    # A second stage would read what the first one had to abort.
    kills = killed(cluster.mock_cluster, base, scratch, source, check, harness.SHIPPED)
    harness.say(f"mock cluster: {kills}: the embedded run's records")
    with cluster.mock_cluster() as address:
        shares = following(address, base, expected, scratch, isolates=False)
    harness.say(f"mock cluster: following, {shares} tasks in two processes, one was killed")


def on_broker(address, base, expected, scratch, source):
    inputs = {topic: cluster.PARTITIONS for topic in cluster.INPUTS}

    @contextlib.contextmanager
    def fresh(made=inputs):
        cluster.create(address, made)
        yield address

    def check(_, what):
        cluster.check_same(expected, cluster.through_journal(address), what)
        committed = {topic: cluster.consume_all(address, topic) for topic in cluster.OUTPUTS}
        # Causes in the rekeyed topic are compared through the journal.
        def comparable(place, records):
            return [one._replace(headers=b"") if place[0] == "loads.site" else one
                    for one in records]
        cluster.check_same(
            {place: comparable(place, records) for place, records in expected.items()},
            {place: comparable(place, committed[place[0]][place[1]].values())
             for place in expected}, f"committed records {what}")
        group_offsets(address)

    with fresh():
        cluster.produce(address, base)
        bounded(address, expected)
        check(address, "of a run")
    harness.say(f"{address}: the embedded run's records, and nothing else is committed")
    kills = killed(fresh, base, scratch, source, check, cluster.TOPOLOGIES)
    harness.say(f"{address}: {kills}: the embedded run's records")
    with fresh():
        shares = following(address, base, expected, scratch, isolates=True)
    harness.say(f"{address}: following, {shares} tasks in two processes, one slept, one was killed")
    bad_topics(fresh)


def main():
    source = random.Random(harness.SEED)
    harness.say(f"SEED={harness.SEED}")
    with harness.scratch() as scratch:
        base, done, _ = harness.undisturbed(scratch)
        expected = cluster.expected(done)
        on_mock(base, expected, scratch, source)
        address = os.environ.get("KAFKA_BOOTSTRAP")
        if address:
            on_broker(address, base, expected, scratch, source)
        else:
            harness.say("SKIPPED on a real cluster: KAFKA_BOOTSTRAP=HOST:PORT is not set")


if __name__ == "__main__":
    main()
