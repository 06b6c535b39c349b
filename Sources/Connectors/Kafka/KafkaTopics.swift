import CRdkafka
import Foundation
import Primitives
import RecordLog

/// What a topic is for, and so how it must be set.
package enum TopicUse: Sendable {
    /// Keeps every record, with the time that its writer gave it.
    case log
    /// Keeps the newest record of each key.
    case latest

    /// Settings that differ from brokers' defaults.
    package var settings: [(name: String, value: String)] {
        [
            ("message.timestamp.type", "CreateTime"),
            ("cleanup.policy", self == .log ? "delete" : "compact"),
            ("retention.ms", "-1"), ("retention.bytes", "-1"),
            ("message.timestamp.before.max.ms", "9223372036854775807"),
            ("message.timestamp.after.max.ms", "9223372036854775807"),
        ]
    }
}

/// Topics of a cluster: listing and making them. Threading: as its handle.
struct KafkaTopics {
    /// How long the cluster may take for an answer at the start of a run.
    static let patienceMilliseconds: Int32 = 15_000

    let handle: KafkaHandle

    /// All topics, by name. Never makes one, as asking for one by its name may.
    func list() throws -> [TopicDescription] {
        guard let found = try metadata() else { return [] }
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

    /// Waits for an answer, but not when the cluster refuses the client.
    private func metadata() throws -> UnsafePointer<rd_kafka_metadata>? {
        let end = Date(timeIntervalSinceNow: Double(Self.patienceMilliseconds) / 1000)
        while true {
            var found: UnsafePointer<rd_kafka_metadata>?
            do {
                try KafkaError.check(rd_kafka_metadata(handle.client, 1, nil, &found, 1000))
                return found
            } catch {
                // The reason is known a little later than that there is none.
                handle.poll(100)
                if let refusal = handle.refusal {
                    throw refusal.diagnostic(
                        "the cluster refuses the connection", lastLog: handle.lastLog)
                }
                guard error.isTemporary, Date() < end else {
                    throw error.diagnostic("the cluster does not answer", lastLog: handle.lastLog)
                }
            }
        }
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
    func create(_ name: String, partitions: Int, _ use: TopicUse) throws {
        do {
            try request(name, partitions: partitions, use)
        } catch let error as KafkaError {
            throw Diagnostic(
                "topic \(name) cannot be made: \(error)",
                hint: "make it with \(partitions) partitions, message.timestamp.type=CreateTime"
                    + (use == .log ? ", retention.ms=-1" : ", cleanup.policy=compact")
                    + ", then start again")
        }
        for _ in 0..<100 {
            if try check(name, partitions: partitions) { return }
            handle.poll(100)
        }
        throw Diagnostic(
            "topic \(name) was made, but the cluster does not list it after 10 seconds",
            hint: "start again; if it stays so, look at the brokers' logs")
    }

    private func request(_ name: String, partitions: Int, _ use: TopicUse) throws {
        var reason = [CChar](repeating: 0, count: 512)
        // -1: as many replicas as the cluster's default.
        guard let topic = rd_kafka_NewTopic_new(name, Int32(partitions), -1, &reason, 512) else {
            let text = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw KafkaError(
                RD_KAFKA_RESP_ERR__INVALID_ARG, String(decoding: text, as: UTF8.self))
        }
        defer { rd_kafka_NewTopic_destroy(topic) }
        for (key, value) in use.settings { rd_kafka_NewTopic_set_config(topic, key, value) }
        var topics: [OpaquePointer?] = [topic]
        try ask(RD_KAFKA_ADMIN_OP_CREATETOPICS) { options, queue in
            rd_kafka_CreateTopics(handle.client, &topics, 1, options, queue)
        } answer: { event in
            var count = 0
            guard let result = rd_kafka_event_CreateTopics_result(event),
                let results = rd_kafka_CreateTopics_result_topics(result, &count), count > 0
            else { return }
            let code = rd_kafka_topic_result_error(results[0])
            // Two processes may start at once.
            guard code != RD_KAFKA_RESP_ERR_NO_ERROR,
                code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS
            else { return }
            throw KafkaError(
                code, rd_kafka_topic_result_error_string(results[0]).map { String(cString: $0) })
        }
    }

    /// How topics are set, by name; nil when the cluster does not tell.
    func settings(of names: [String]) throws -> [String: [String: String]]? {
        guard !names.isEmpty else { return [:] }
        var resources: [OpaquePointer?] = names.map {
            rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, $0)
        }
        defer { for resource in resources { rd_kafka_ConfigResource_destroy(resource) } }
        var found: [String: [String: String]] = [:]
        do {
            try ask(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, milliseconds: 5000) { options, queue in
                rd_kafka_DescribeConfigs(
                    handle.client, &resources, resources.count, options, queue)
            } answer: { event in
                var count = 0
                guard let result = rd_kafka_event_DescribeConfigs_result(event),
                    let results = rd_kafka_DescribeConfigs_result_resources(result, &count)
                else { return }
                for index in 0..<count { Self.note(results[index], in: &found) }
            }
        } catch let error as KafkaError {
            // A cluster without a controller keeps silent.
            let codes = [RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, RD_KAFKA_RESP_ERR__TIMED_OUT]
            guard codes.contains(error.code) else {
                throw error.diagnostic("the settings of topics are not told")
            }
            return nil
        }
        return found
    }

    private static func note(
        _ resource: OpaquePointer?, in found: inout [String: [String: String]]
    ) {
        var count = 0
        guard let name = rd_kafka_ConfigResource_name(resource),
            let entries = rd_kafka_ConfigResource_configs(resource, &count)
        else { return }
        for index in 0..<count {
            guard let key = rd_kafka_ConfigEntry_name(entries[index]),
                let value = rd_kafka_ConfigEntry_value(entries[index])
            else { continue }
            found[String(cString: name), default: [:]][String(cString: key)] =
                String(cString: value)
        }
    }

    /// Makes an administrative request and waits for its answer.
    private func ask(
        _ operation: rd_kafka_admin_op_t, milliseconds: Int32 = patienceMilliseconds,
        _ request: (OpaquePointer?, OpaquePointer?) -> Void,
        answer: (OpaquePointer) throws -> Void
    ) throws {
        let queue = rd_kafka_queue_new(handle.client)
        defer { rd_kafka_queue_destroy(queue) }
        let options = rd_kafka_AdminOptions_new(handle.client, operation)
        defer { rd_kafka_AdminOptions_destroy(options) }
        rd_kafka_AdminOptions_set_request_timeout(options, milliseconds, nil, 0)
        request(options, queue)
        guard let event = rd_kafka_queue_poll(queue, milliseconds + 1000) else {
            throw KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT)
        }
        defer { rd_kafka_event_destroy(event) }
        guard rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaError(
                rd_kafka_event_error(event),
                rd_kafka_event_error_string(event).map { String(cString: $0) })
        }
        try answer(event)
    }
}
