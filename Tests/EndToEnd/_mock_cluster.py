"""Hosts librdkafka's mock cluster, which lives inside a client's process, until its input ends.

Prints the address to connect to. Arguments: how many brokers, then topics to make,
NAME:PARTITIONS. What it is not: it runs transactions but isolates nothing (an aborted record stays
readable), it drops the offsets that are sent to them, it answers no admin calls, and a partition
keeps 5 MB.

Lines of its input make it fail, each answered with `done`:
    errors API CODE...            the next requests of this kind get these errors, one each
    slow BROKER API MS COUNT      the next answers to such requests come that late
    down BROKER | up BROKER       a broker hangs up on all, or takes connections again
    coordinator KIND KEY BROKER   moves the coordinator of a group or a transactional id
    leader TOPIC PARTITION BROKER moves a partition
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
    for name, value in [(b"test.mock.num.brokers", sys.argv[1].encode()), (b"log_level", b"4")]:
        if configure(configuration, name, value, reason, len(reason)) != 0:
            sys.exit(reason.value.decode())
    client = function("rd_kafka_new", pointer, integer, pointer, text, ctypes.c_size_t)(
        PRODUCER, configuration, reason, len(reason))
    if not client:
        sys.exit(reason.value.decode())
    cluster = pointer(function("rd_kafka_handle_mock_cluster", pointer, pointer)(client))
    create = function("rd_kafka_mock_topic_create", integer, pointer, text, integer, integer)
    for argument in sys.argv[2:]:
        name, _, partitions = argument.rpartition(":")
        if create(cluster, name.encode(), int(partitions), 1) != 0:
            sys.exit(f"topic {name} cannot be made")
    address = function("rd_kafka_mock_cluster_bootstraps", text, pointer)(cluster)
    print(address.decode(), flush=True)
    for line in sys.stdin:
        try:
            obey(cluster, *line.split())
            print("done", flush=True)
        except (TypeError, ValueError, KeyError) as error:
            print(f"{line.strip()}: {error}", flush=True)


def obey(cluster, order, *words):
    """Carries out one line of the input."""
    pointer, text, integer = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    if order == "errors":
        codes = [int(code) for code in words[1:]]
        function("rd_kafka_mock_push_request_errors_array", None, pointer, ctypes.c_int16,
                 ctypes.c_size_t, ctypes.POINTER(integer))(
            cluster, int(words[0]), len(codes), (integer * len(codes))(*codes))
    elif order == "slow":
        broker, api, milliseconds, count = map(int, words)
        push = LIBRARY.rd_kafka_mock_broker_push_request_error_rtts
        for _ in range(count):
            push(cluster, ctypes.c_int32(broker), ctypes.c_int16(api), ctypes.c_size_t(1),
                 integer(0), integer(milliseconds))
    elif order in ("down", "up"):
        function(f"rd_kafka_mock_broker_set_{order}", integer, pointer, ctypes.c_int32)(
            cluster, int(words[0]))
    elif order == "coordinator":
        function("rd_kafka_mock_coordinator_set", integer, pointer, text, text, ctypes.c_int32)(
            cluster, words[0].encode(), words[1].encode(), int(words[2]))
    elif order == "leader":
        function("rd_kafka_mock_partition_set_leader", integer, pointer, text, ctypes.c_int32,
                 ctypes.c_int32)(cluster, words[0].encode(), int(words[1]), int(words[2]))
    else:
        raise ValueError("no such order")


if __name__ == "__main__":
    main()
