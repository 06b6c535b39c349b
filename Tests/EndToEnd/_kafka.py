"""What the Kafka scripts share: clusters, topics, writing and reading by other clients than ours.

Records are written with kafka-python and read with kcat.
"""
import collections
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time
from typing import NamedTuple, Optional

import kafka
import kafka.admin

import _harness as harness
import _records as records

HERE = pathlib.Path(__file__).resolve().parent
PARTITIONS = 4
INPUTS = [topic for topic, _ in harness.SITE_DAY]
# Two topologies, and one of two stages.
TOPOLOGIES = [*harness.SHIPPED, harness.ROOT / "Tests/EndToEnd/topologies/site-loads"]
STAGES = ["crane-overload.v1", "dust-exceedance.v1", "site-loads.v1", "site-loads.v1.stage2"]
JOURNALS = [f"{name}.journal" for name in STAGES]
# The tasks of the first stage share its partitions: a header names the sender.
REKEYED = "site-loads.v1.by_site"
OUTPUTS = [*harness.SHIPPED_OUTPUTS, "loads.device", "loads.site",
           *(f"{name}.rejects" for name in STAGES)]
IMPORTS = "plumbline.imports"
# What kafka-python is told to speak; it is what the mock cluster and Kafka 4 both know.
VERSION = (2, 0, 0)


class Record(NamedTuple):
    """A record without its offset."""
    time: int
    key: Optional[bytes]
    value: Optional[bytes]
    # `name=value`, joined by commas, as kcat writes them.
    headers: bytes


def spawn(arguments, trace):
    """Starts the program; its standard error goes to a file."""
    with open(trace, "wb") as errors:
        return subprocess.Popen(
            [harness.PLUMBLINE, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=errors)


def wait_for(condition, what, seconds=90):
    """Returns when a condition holds; a hang is a failure."""
    deadline = time.monotonic() + seconds
    while not condition():
        harness.check(time.monotonic() < deadline, f"{what}: not after {seconds} s")
        time.sleep(0.05)


def topics():
    """All topics of a run of all topologies, with their numbers of partitions."""
    states = [f"{name}.state" for name in STAGES]
    written = OUTPUTS + JOURNALS + states + [REKEYED]
    return {**{topic: PARTITIONS for topic in INPUTS + written},
            **{f"{name}.plans": 1 for name in STAGES}, IMPORTS: 1}


class Address(str):
    """Where a mock cluster is, and a way to make it fail."""
    def order(self, *words):
        """Has the mock cluster do something; see `_mock_cluster.py`."""
        self.process.stdin.write(" ".join(map(str, words)).encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().decode().strip()
        harness.check(answer == "done", f"mock cluster, {words}: {answer}")


@contextlib.contextmanager
def mock_cluster(made=None, brokers=1):
    """The address of a mock cluster with these topics."""
    made = topics() if made is None else made
    command = [sys.executable, HERE / "_mock_cluster.py", str(brokers),
               *(f"{t}:{n}" for t, n in made.items())]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        address = Address(process.stdout.readline().decode().strip())
        address.process = process
        harness.check(address, "the mock cluster does not start")
        yield address
    finally:
        process.stdin.close()
        process.wait()


def create(address, made):
    """Makes topics on a real cluster, after deleting what is left of them."""
    admin = kafka.admin.KafkaAdminClient(bootstrap_servers=address, api_version=VERSION)
    there = set(admin.list_topics())
    old = [topic for topic in topics() if topic in there]
    if old:
        admin.delete_topics(old)
    while set(admin.list_topics()) & set(old):
        time.sleep(0.1)
    admin.create_topics([
        kafka.admin.NewTopic(topic, count, 1, topic_configs={"retention.ms": "-1"})
        for topic, count in made.items()])
    while set(made) - set(admin.list_topics()):
        time.sleep(0.1)
    admin.close()


def decode_headers(encoded):
    """Name and value of each header, from their encoded form."""
    count, position = records.read_varint(encoded, 0)
    found = []
    for _ in range(count):
        name, position = records.read_bytes(encoded, position)
        value, position = records.read_bytes(encoded, position)
        found.append((name.decode(), value))
    return found


def stored(data, topic, partition):
    """The records of a partition of an embedded log, with their offsets."""
    return records.read_partition(pathlib.Path(data) / "kafka" / f"{topic}-{partition}")


def produce(address, data, wanted=INPUTS, part=slice(None)):
    """Copies input topics of an embedded log, or a part of each of their partitions."""
    producer = kafka.KafkaProducer(
        bootstrap_servers=address, api_version=VERSION, linger_ms=20, retries=20,
        max_in_flight_requests_per_connection=1)
    sent = []
    for topic in wanted:
        for partition in range(PARTITIONS):
            for record in stored(data, topic, partition)[part]:
                sent.append(producer.send(
                    topic, record.value, record.key, decode_headers(record.headers), partition,
                    record.time))
    producer.flush()
    for future in sent:
        future.get(1)
    producer.close()


def consume(address, topic, partition):
    """Everything committed that kcat reads of a partition: records by offset."""
    return consume_all(address, topic)[partition]


def consume_all(address, topic):
    """Everything committed that kcat reads of a topic: by partition, records by offset."""
    command = [
        "kcat", "-C", "-b", address, "-t", topic, "-o", "beginning", "-e", "-q",
        "-X", "isolation.level=read_committed", "-f", "%p %o %T %K %S\\n%k%s%h\\x1e\\n"]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    harness.check(done.returncode == 0, f"{' '.join(command)}: {done.stderr.decode()}")
    text, position, found = done.stdout, 0, collections.defaultdict(dict)
    while position < len(text):
        line = text.index(b"\n", position)
        partition, offset, time, key_length, length = map(int, text[position:line].split())
        position = line + 1
        end_of_key = position + max(key_length, 0)
        end = end_of_key + max(length, 0)
        after = text.index(b"\x1e\n", end)
        found[partition][offset] = Record(
            time, None if key_length < 0 else text[position:end_of_key],
            None if length < 0 else text[end_of_key:end], text[end:after])
        position = after + 2
    return found


def expected(data):
    """The records of an embedded run, by topic and partition, in their order."""
    result = {}
    for topic in OUTPUTS:
        for partition in range(PARTITIONS):
            result[topic, partition] = [
                Record(record.time, record.key, record.value, b",".join(
                    name.encode() + b"=" + value
                    for name, value in decode_headers(record.headers)))
                for record in stored(data, topic, partition)]
    return result


def epochs(address, journal, partition, records_there=None):
    """The journal of a task: each epoch once, one after the other."""
    there = consume(address, journal, partition) if records_there is None else records_there
    found = [json.loads(record.value) for record in there.values()]
    if address != os.environ.get("KAFKA_BOOTSTRAP"):
        # The mock cluster shows what was aborted, too: the epoch comes again right behind.
        found = [one for one, later in zip(found, [*found[1:], None])
                 if later is None or later["epoch"] != one["epoch"]]
    numbers = [epoch["epoch"] for epoch in found]
    harness.check(
        numbers == list(range(len(numbers))), f"{journal}/{partition} has the epochs {numbers}")
    for before, after in zip(found, found[1:]):
        harness.check(after["starts"] == before["positions"],
                      f"{journal}/{partition}: epoch {after['epoch']} does not start where the one"
                      " before it ends")
    return found


def through_journal(address, journals=tuple(JOURNALS)):
    """The records that journals name, by topic and partition, in their order.

    Causes in a rekeyed topic are told as an embedded log has them.
    """
    result = {(topic, partition): [] for topic in OUTPUTS for partition in range(PARTITIONS)}
    everything, substreams = {}, {}
    for journal in journals:
        tasks = consume_all(address, journal)
        for task in range(PARTITIONS):
            for epoch in epochs(address, journal, task, tasks[task]):
                for output in epoch["outputs"]:
                    topic, partition = place = output["topic"], output["partition"]
                    if topic not in everything:
                        everything[topic] = consume_all(address, topic)
                    named = {offset: record for offset, record in
                             everything[topic][partition].items()
                             if output["from"] <= offset < output["to"]}
                    if output["topic"] == REKEYED:
                        named = {offset: record for offset, record in named.items()
                                 if record.headers.startswith(f"plumbline.sender={task},".encode())}
                        for offset in named:
                            own = substreams.setdefault((place[1], task), {})
                            own[offset] = len(own)
                    harness.check(
                        len(named) == output["records"],
                        f"{place}: the journal names {output['records']} records from"
                        f" {output['from']} to {output['to']}, there are {len(named)}")
                    result.setdefault(place, []).extend(named.values())
    for place, found in result.items():
        result[place] = [record._replace(headers=embedded_causes(record.headers, substreams))
                         for record in found]
    return result


def embedded_causes(headers, substreams):
    """Offsets in the rekeyed topic as an embedded log counts them: a partition a substream."""
    def place(match):
        partition, first, last = int(match[1]), int(match[2]), match[3]
        for (target, sender), offsets in substreams.items():
            if target == partition and first in offsets:
                text = f"{REKEYED}/{target * PARTITIONS + sender}:{offsets[first]}"
                return (text + (f"-{offsets[int(last)]}" if last else "")).encode()
        return match[0]
    pattern = re.escape(REKEYED).encode() + rb"/(\d+):(\d+)(?:-(\d+))?"
    return re.sub(pattern, place, headers)


def check_same(wanted, found, what):
    """All records must be the same, in the same order."""
    for place, records_there in wanted.items():
        harness.check(place in found, f"{what}: nothing was read of {place}")
        for index, (one, other) in enumerate(zip(records_there, found[place])):
            harness.check(one == other, f"{what}: {place}, record {index}:\n  expected {one}\n"
                          f"  found    {other}")
        harness.check(
            len(records_there) == len(found[place]),
            f"{what}: {place} has {len(found[place])} records, not {len(records_there)}")


def run_arguments(address, *options, topologies=tuple(TOPOLOGIES)):
    """Arguments of a bounded run on a cluster."""
    return ["run", "--brokers", address, *topologies, "--until-end",
            "--set", "session.timeout.ms=6000", *options]

