import CRdkafka
import Foundation
import Primitives
import RecordLog

/// The client for what belongs to no task: topics, plans, ends that are not committed. Threading:
/// any thread.
final class KafkaControl: @unchecked Sendable {
    // `@unchecked`: everything is guarded by `lock`.
    private let lock = NSLock()
    private let handle: KafkaHandle
    private let topics: KafkaTopics
    private let delivery: Delivery

    private final class Delivery {
        var error: KafkaError?
    }

    init(_ settings: KafkaSettings) throws {
        let context = KafkaHandle.Context()
        let delivery = Delivery()
        context.onDelivery = { _, _, code in
            if code != RD_KAFKA_RESP_ERR_NO_ERROR { delivery.error = KafkaError(code) }
        }
        handle = try KafkaHandle(
            RD_KAFKA_PRODUCER, settings,
            [("enable.idempotence", "true"), ("isolation.level", "read_uncommitted")],
            context: context)
        topics = KafkaTopics(handle: handle)
        self.delivery = delivery
    }

    private func locked<T>(_ body: () throws -> T) rethrows -> T {
        lock.lock()
        defer { lock.unlock() }
        return try body()
    }

    func list() throws -> [TopicDescription] { try locked { try topics.list() } }

    /// Throws when a topic exists with another number of partitions; false when there is none.
    func check(_ topic: String, partitions: Int) throws -> Bool {
        try locked { try topics.check(topic, partitions: partitions) }
    }

    func ensure(_ topic: String, partitions: Int, _ use: TopicUse) throws {
        try locked {
            guard try !topics.check(topic, partitions: partitions) else { return }
            try topics.create(topic, partitions: partitions, use)
        }
    }

    /// See ``KafkaTopics/settings(of:)``.
    func settings(of topics: [String]) throws -> [String: [String: String]]? {
        try locked { try self.topics.settings(of: topics) }
    }

    /// The end of everything in a partition, committed or not.
    func end(of place: TopicPartition, patience: KafkaPatience) throws -> Int64 {
        try locked {
            try patience.call("the end of \(place)", handle) { () throws(KafkaError) in
                try handle.end(place.topic, place.partition)
            }
        }
    }

    /// Stores one record outside any transaction.
    func append(key: [UInt8], value: [UInt8], to place: TopicPartition) throws {
        try locked {
            delivery.error = nil
            let topic = try handle.topic(place.topic)
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            var code = key.withUnsafeBytes { key in
                value.withUnsafeBytes { value in
                    plumbline_rdkafka_produce(
                        handle.client, topic, Int32(place.partition), now, key.baseAddress,
                        key.count, value.baseAddress, value.count, nil, nil)
                }
            }
            if code == RD_KAFKA_RESP_ERR_NO_ERROR {
                code = rd_kafka_flush(handle.client, KafkaTopics.patienceMilliseconds)
            }
            if let error = delivery.error { code = error.code }
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw KafkaError(code).diagnostic(
                    "a record cannot be stored in \(place)", lastLog: handle.lastLog)
            }
        }
    }
}
