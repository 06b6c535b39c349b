import CRdkafka
import Primitives
import RecordLog

/// Topics of a cluster: listing and making them. Threading: as its handle.
struct KafkaTopics {
    /// How long the cluster may take for an answer at the start of a run.
    static let patienceMilliseconds: Int32 = 15_000

    let handle: KafkaHandle

    /// All topics, by name. Never makes one, as asking for one by its name may.
    func list() throws -> [TopicDescription] {
        var found: UnsafePointer<rd_kafka_metadata>?
        do {
            try KafkaError.check(
                rd_kafka_metadata(handle.client, 1, nil, &found, Self.patienceMilliseconds))
        } catch {
            // The reason is known a little later than that there is none.
            handle.poll(100)
            throw error.diagnostic("the cluster does not answer", lastLog: handle.lastLog)
        }
        guard let found else { return [] }
        defer { rd_kafka_metadata_destroy(found) }
        let topics = UnsafeBufferPointer(
            start: found.pointee.topics, count: Int(found.pointee.topic_cnt))
        return topics.compactMap { topic in
            guard topic.err == RD_KAFKA_RESP_ERR_NO_ERROR, topic.partition_cnt > 0 else {
                return nil
            }
            return TopicDescription(
                name: String(cString: topic.topic), partitionCount: Int(topic.partition_cnt))
        }
        .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// Number of partitions of a topic; nil when there is none of the name.
    func partitionCount(of name: String) throws -> Int? {
        try list().first { $0.name == name }?.partitionCount
    }

    /// Throws when a topic exists with another number of partitions; false when there is none.
    func check(_ name: String, partitions: Int) throws -> Bool {
        guard let count = try partitionCount(of: name) else { return false }
        guard count == partitions else {
            throw Diagnostic(
                "topic \(name) has \(count) partitions, and \(partitions) are needed",
                hint: "a topology's sinks have as many partitions as its sources; make the topic"
                    + " anew, or name another")
        }
        return true
    }

    /// Makes a topic that keeps what it is given: no retention, and any time stamp is accepted.
    /// Returns when the cluster lists it.
    func create(_ name: String, partitions: Int) throws {
        do {
            try request(name, partitions: partitions)
        } catch let error as KafkaError {
            throw Diagnostic(
                "topic \(name) cannot be made: \(error)",
                hint: "make it with \(partitions) partitions, message.timestamp.type=CreateTime"
                    + " and the retention that you want, then start again")
        }
        for _ in 0..<100 {
            if try check(name, partitions: partitions) { return }
            handle.poll(100)
        }
        throw Diagnostic(
            "topic \(name) was made, but the cluster does not list it after 10 seconds",
            hint: "start again; if it stays so, look at the brokers' logs")
    }

    private static let settings = [
        ("message.timestamp.type", "CreateTime"), ("cleanup.policy", "delete"),
        ("retention.ms", "-1"), ("retention.bytes", "-1"),
        ("message.timestamp.before.max.ms", "9223372036854775807"),
        ("message.timestamp.after.max.ms", "9223372036854775807"),
    ]

    private func request(_ name: String, partitions: Int) throws {
        var reason = [CChar](repeating: 0, count: 512)
        // -1: as many replicas as the cluster's default.
        guard let topic = rd_kafka_NewTopic_new(name, Int32(partitions), -1, &reason, 512) else {
            let text = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw KafkaError(
                RD_KAFKA_RESP_ERR__INVALID_ARG, String(decoding: text, as: UTF8.self))
        }
        defer { rd_kafka_NewTopic_destroy(topic) }
        for (key, value) in Self.settings { rd_kafka_NewTopic_set_config(topic, key, value) }
        let queue = rd_kafka_queue_new(handle.client)
        defer { rd_kafka_queue_destroy(queue) }
        let options = rd_kafka_AdminOptions_new(handle.client, RD_KAFKA_ADMIN_OP_CREATETOPICS)
        defer { rd_kafka_AdminOptions_destroy(options) }
        rd_kafka_AdminOptions_set_request_timeout(options, Self.patienceMilliseconds, nil, 0)
        var topics: [OpaquePointer?] = [topic]
        rd_kafka_CreateTopics(handle.client, &topics, 1, options, queue)
        guard let event = rd_kafka_queue_poll(queue, Self.patienceMilliseconds + 1000) else {
            throw KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT)
        }
        defer { rd_kafka_event_destroy(event) }
        guard rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR,
            let result = rd_kafka_event_CreateTopics_result(event)
        else {
            throw KafkaError(
                rd_kafka_event_error(event),
                rd_kafka_event_error_string(event).map { String(cString: $0) })
        }
        var count = 0
        guard let results = rd_kafka_CreateTopics_result_topics(result, &count), count > 0 else {
            return
        }
        let code = rd_kafka_topic_result_error(results[0])
        // Two processes may start at once.
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR, code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS
        else { return }
        throw KafkaError(
            code, rd_kafka_topic_result_error_string(results[0]).map { String(cString: $0) })
    }
}
