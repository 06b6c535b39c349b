"""Faults of brokers and coordinators while transactions run: the records stay the same.

The scenarios are those of librdkafka's own tests of transactions (0105-transactions_mock.c) that
apply, on its mock cluster: requests fail with every class of error, answers come late, brokers
hang up, coordinators and leaders move, another process takes over.
"""
import os
import random
import signal
import time

import _harness as harness
import _kafka as cluster

# With fewer than 100 only two scenarios are tried, other ones each time.
KILLS = int(os.environ.get("KILLS", "20"))
TOPICS = ["registry.crane", "telemetry.crane"]
# Numbers of the protocol's requests.
PRODUCE, FETCH, LIST_OFFSETS, METADATA, FIND_COORDINATOR = 0, 1, 2, 3, 10
INIT_PRODUCER, ADD_PARTITIONS, ADD_OFFSETS, END_TRANSACTION, OFFSETS = 22, 24, 25, 26, 28
# Numbers of its errors.
NOT_LEADER, TIMED_OUT, LOADING, UNAVAILABLE, NOT_COORDINATOR = 6, 7, 14, 15, 16
UNKNOWN_MEMBER, OUT_OF_ORDER, CONCURRENT, OLD_EPOCH, UNKNOWN_PRODUCER = 25, 45, 51, 47, 59
COORDINATOR_FENCED, DISK = 52, 56

# What happens while a run is at work; each list is one order after the other.
SCENARIOS = {
    "the coordinator is loading": [
        ["errors", INIT_PRODUCER, LOADING, NOT_COORDINATOR, UNAVAILABLE],
        ["errors", FIND_COORDINATOR, UNAVAILABLE, UNAVAILABLE]],
    "partitions and offsets are added late": [
        ["errors", ADD_PARTITIONS, CONCURRENT, NOT_COORDINATOR, LOADING, CONCURRENT],
        ["errors", ADD_OFFSETS, NOT_COORDINATOR, UNAVAILABLE, CONCURRENT],
        ["errors", OFFSETS, LOADING, NOT_COORDINATOR, TIMED_OUT]],
    "the end of a transaction fails and is asked again": [
        ["errors", END_TRANSACTION, UNAVAILABLE, NOT_COORDINATOR, LOADING, CONCURRENT]],
    "records have to be sent again": [
        ["errors", PRODUCE, NOT_LEADER, TIMED_OUT, NOT_LEADER, DISK]],
    "records out of order: the transaction is aborted": [
        ["errors", PRODUCE, OUT_OF_ORDER], ["errors", PRODUCE, UNKNOWN_PRODUCER]],
    "a fatal error: a new client, and the journal decides": [
        ["errors", END_TRANSACTION, OLD_EPOCH], ["errors", ADD_OFFSETS, COORDINATOR_FENCED]],
    "the end of a transaction is answered late": [
        ["slow", broker, END_TRANSACTION, 1000, 1] for broker in (1, 2, 3)],
    "reading fails": [
        ["errors", FETCH, NOT_LEADER, TIMED_OUT, DISK],
        ["errors", LIST_OFFSETS, NOT_LEADER, TIMED_OUT], ["errors", METADATA, TIMED_OUT]],
    "the group moved on while offsets were sent": [["errors", OFFSETS, UNKNOWN_MEMBER]],
}


def arguments(address, *options):
    return ["run", "--brokers", address, harness.SHIPPED[0], "--trace", "--until-end",
            "--epoch-rows", 300, "--set", "session.timeout.ms=6000", *options]


def is_under_way(process, trace):
    return process.poll() is not None or trace.read_bytes().count(b"is committed") >= 2


def disturbed(address, base, expected, scratch, what, disturb):
    """One run, started again if it ends early; `disturb` is called when it has begun."""
    cluster.produce(address, base, TOPICS)
    trace = scratch / "trace"
    disturbances = 0
    for _ in range(5):
        process = cluster.spawn(arguments(address, "--workers", 2), trace)
        try:
            cluster.wait_for(lambda: is_under_way(process, trace), f"{what}: a run")
            if process.poll() is None and not disturbances:
                disturb(address)
                disturbances += 1
            code = process.wait(harness.LONGEST_SECONDS)
        finally:
            process.kill()
            process.wait()
        if code == 0:
            break
        harness.check(code != -signal.SIGKILL, f"{what}: it was killed")
    harness.check(code == 0, f"{what}: exit {code}:\n{trace.read_text()[-3000:]}")
    harness.check(disturbances, f"{what}: the run was over before it was disturbed")
    found = cluster.through_journal(address, cluster.JOURNALS[:1])
    cluster.check_same(
        {place: records for place, records in expected.items() if "crane" in place[0]}, found,
        what)


def scenario(orders):
    def disturb(address):
        for order in orders:
            address.order(*order)
    return disturb


def brokers_hang_up(address):
    """One broker after the other is away for a second."""
    for broker in (1, 2, 3):
        address.order("down", broker)
        time.sleep(1)
        address.order("up", broker)


def leaders_move(address):
    outputs = [topic for topic in cluster.OUTPUTS if "crane" in topic]
    for round in range(3):
        for topic in outputs + TOPICS + cluster.JOURNALS[:1]:
            for partition in range(cluster.PARTITIONS):
                address.order("leader", topic, partition, 1 + (round + partition) % 3)
        time.sleep(0.3)


def groups_move(address):
    for round in range(4):
        for name in cluster.STAGES[:1]:
            address.order("coordinator", "group", name, 1 + round % 3)
        time.sleep(0.5)


def long_silence(address, base, scratch):
    """No broker answers for a while: the run says so, waits and goes on; a signal ends it."""
    trace = scratch / "silent"
    process = cluster.spawn(["run", "--brokers", address, harness.SHIPPED[0], "--trace"], trace)
    try:
        cluster.produce(address, base, TOPICS)
        cluster.wait_for(lambda: is_under_way(process, trace), "epochs")
        for broker in (1, 2, 3):
            address.order("down", broker)
        cluster.wait_for(
            lambda: b"waiting for the cluster" in trace.read_bytes(), "a word about it", 80)
        harness.check(process.poll() is None, f"the run gives up: {trace.read_text()[-500:]}")
        process.send_signal(signal.SIGTERM)
        code = process.wait(90)
        harness.check(code in (0, 1), f"exit {code}: {trace.read_text()[-500:]}")
    finally:
        process.kill()
        process.wait()


def main():
    source = random.Random(harness.SEED)
    harness.say(f"SEED={harness.SEED}")
    with harness.scratch() as scratch:
        base, done, _ = harness.undisturbed(scratch)
        expected = cluster.expected(done)
        todo = {what: scenario(orders) for what, orders in SCENARIOS.items()}
        todo |= {"brokers hang up": brokers_hang_up, "leaders move": leaders_move,
                 "the groups' coordinators move": groups_move}
        for what in source.sample(sorted(todo), len(todo) if KILLS >= 100 else 2):
            began = time.monotonic()
            with cluster.mock_cluster(brokers=3) as address:
                disturbed(address, base, expected, scratch, what, todo[what])
            harness.say(f"{what}: the same records, {time.monotonic() - began:.1f} s")
        with cluster.mock_cluster(brokers=3) as address:
            long_silence(address, base, scratch)
        harness.say("no broker at all: it is said, and waited for")


if __name__ == "__main__":
    main()
