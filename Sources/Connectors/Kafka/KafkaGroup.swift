import CRdkafka
import Foundation
import Primitives

/// This process's part in the consumer group of one topology. Who owns a partition of the lead
/// source owns the task of that number; the records themselves are read by other clients, so that
/// the lead source is read as the others are.
///
/// A thread of its own serves it. Partitions are given back only when ``release()`` has said that
/// their tasks have ended. Threading: any thread.
final class KafkaGroup: @unchecked Sendable {
    // `@unchecked`: `handle` is used by the group's thread; everything else is guarded by
    // `condition`.
    private let name: String
    private let lead: String
    private let handle: KafkaHandle
    private let patience: KafkaPatience
    private let signal: ChangeSignal
    private let condition = NSCondition()
    private var partitions: [Int]?
    /// Of the generation in which the partitions were given: a later one must not pass for it.
    private var generation: OpaquePointer?
    private var isRevoking = false
    private var isReleased = false
    private var isClosing = false
    private var isClosed = false
    private let metrics: Metrics?

    init(
        _ name: String, lead: String, _ settings: KafkaSettings, patience: KafkaPatience,
        signal: ChangeSignal
    ) throws {
        self.name = name
        self.lead = lead
        self.patience = patience
        self.signal = signal
        metrics = settings.metrics
        let context = KafkaHandle.Context()
        let relay = Relay()
        context.onRebalance = { relay.group?.rebalance($0, $1, $2) }
        handle = try KafkaHandle(
            RD_KAFKA_CONSUMER, settings,
            [
                ("group.id", name), ("enable.auto.commit", "false"),
                ("enable.auto.offset.store", "false"), ("auto.offset.reset", "latest"),
                ("partition.assignment.strategy", "range,roundrobin"),
            ], context: context)
        relay.group = self
        rd_kafka_poll_set_consumer(handle.client)
        let topics = rd_kafka_topic_partition_list_new(1)
        defer { rd_kafka_topic_partition_list_destroy(topics) }
        rd_kafka_topic_partition_list_add(topics, lead, -1)
        do {
            try KafkaError.check(rd_kafka_subscribe(handle.client, topics))
        } catch {
            throw error.diagnostic("the consumer group \(name) cannot be joined")
        }
        Thread.detachNewThread { self.serve() }
    }

    /// The callback is set before the group is made.
    private final class Relay: @unchecked Sendable {
        // `@unchecked`: set before the client is polled.
        weak var group: KafkaGroup?
    }

    deinit { if let generation { rd_kafka_consumer_group_metadata_destroy(generation) } }

    /// The partitions of this process; waits until the group has given them out.
    func owned() throws -> [Int] {
        condition.lock()
        defer { condition.unlock() }
        var wait = KafkaPatience.Wait(what: "the group \(name) to give out its partitions")
        while partitions == nil || isRevoking {
            _ = condition.wait(until: Date().addingTimeInterval(0.2))
            try patience.check(&wait, handle.lastLog)
        }
        isReleased = false
        return partitions ?? []
    }

    /// Fences what is written for tasks that are no longer this process's.
    func metadata() throws -> OpaquePointer {
        condition.lock()
        defer { condition.unlock() }
        guard let generation else { throw TasksLost() }
        return generation
    }

    /// Whether the tasks are to end, because the group gives out its partitions anew.
    var mustRelease: Bool {
        condition.lock()
        defer { condition.unlock() }
        return isRevoking
    }

    /// The tasks have ended.
    func release() {
        condition.lock()
        isReleased = true
        condition.broadcast()
        condition.unlock()
    }

    /// Leaves the group, so that others get the partitions at once.
    func close() {
        condition.lock()
        isClosing = true
        isReleased = true
        condition.broadcast()
        while !isClosed { condition.wait() }
        condition.unlock()
    }

    // MARK: The group's thread

    private func serve() {
        while true {
            condition.lock()
            let isEnd = isClosing
            condition.unlock()
            if isEnd { break }
            // Partitions are paused, so only errors come; callbacks are served meanwhile.
            if let message = rd_kafka_consumer_poll(handle.client, 100) {
                rd_kafka_message_destroy(message)
            }
        }
        rd_kafka_consumer_close(handle.client)
        condition.lock()
        isClosed = true
        condition.broadcast()
        condition.unlock()
    }

    private func rebalance(
        _ client: OpaquePointer, _ code: rd_kafka_resp_err_t, _ list: KafkaHandle.PartitionList
    ) {
        if code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            rd_kafka_assign(client, list)
            rd_kafka_pause_partitions(client, list)
            let elements = UnsafeBufferPointer(
                start: list.pointee.elems, count: Int(list.pointee.cnt))
            condition.lock()
            partitions = elements.map { Int($0.partition) }.sorted()
            generation = rd_kafka_consumer_group_metadata(client)
            metrics?.add(.rebalances, 1, [("group", name)])
        } else {
            condition.lock()
            isRevoking = partitions != nil
            signal.change()
            while isRevoking, !isReleased { condition.wait() }
            rd_kafka_assign(client, nil)
            partitions = nil
            if let generation { rd_kafka_consumer_group_metadata_destroy(generation) }
            generation = nil
            isRevoking = false
        }
        condition.broadcast()
        condition.unlock()
    }
}
