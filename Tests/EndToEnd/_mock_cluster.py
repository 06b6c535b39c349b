"""Hosts librdkafka's mock cluster, which lives inside a client's process, until its input ends.

Prints the address to connect to. Arguments: topics to make, NAME:PARTITIONS. What it is not: it
runs transactions but isolates nothing (an aborted record stays readable), it drops the offsets
that are sent to them, it answers no admin calls, and a partition keeps 5 MB.
"""
import ctypes
import sys

LIBRARY = ctypes.CDLL("librdkafka.so.1")
PRODUCER = 0


def function(name, result, *arguments):
    found = getattr(LIBRARY, name)
    found.restype, found.argtypes = result, arguments
    return found


def main():
    pointer, text, integer = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    configuration = function("rd_kafka_conf_new", pointer)()
    reason = ctypes.create_string_buffer(512)
    configure = function("rd_kafka_conf_set", integer, pointer, text, text, text, ctypes.c_size_t)
    for name, value in [(b"test.mock.num.brokers", b"1"), (b"log_level", b"4")]:
        if configure(configuration, name, value, reason, len(reason)) != 0:
            sys.exit(reason.value.decode())
    client = function("rd_kafka_new", pointer, integer, pointer, text, ctypes.c_size_t)(
        PRODUCER, configuration, reason, len(reason))
    if not client:
        sys.exit(reason.value.decode())
    cluster = function("rd_kafka_handle_mock_cluster", pointer, pointer)(client)
    create = function("rd_kafka_mock_topic_create", integer, pointer, text, integer, integer)
    for argument in sys.argv[1:]:
        name, _, partitions = argument.rpartition(":")
        if create(cluster, name.encode(), int(partitions), 1) != 0:
            sys.exit(f"topic {name} cannot be made")
    address = function("rd_kafka_mock_cluster_bootstraps", text, pointer)(cluster)
    print(address.decode(), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
