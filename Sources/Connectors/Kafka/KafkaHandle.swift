import CRdkafka
import Foundation
import Primitives

/// One client of librdkafka's. Threading: one thread at a time uses it; librdkafka's own threads
/// only leave messages.
final class KafkaHandle {
    let client: OpaquePointer
    /// What librdkafka's threads reach.
    private let context: Context
    private var topics: [String: OpaquePointer] = [:]

    /// The one opaque of a configuration: what callbacks need.
    final class Context: @unchecked Sendable {
        // `@unchecked`: `text` is guarded by `lock`; the closures are set before the client is made
        // and called on the thread that polls it.
        private let lock = NSLock()
        private var text: String?
        /// Told of each delivered message: its opaque, offset and error.
        var onDelivery: ((Int, Int64, rd_kafka_resp_err_t) -> Void)?
        /// Told of partitions given or taken.
        var onRebalance: ((OpaquePointer, rd_kafka_resp_err_t, PartitionList) -> Void)?

        /// Why the cluster refuses the client for good; nil as long as it does not.
        private var refusalCode: rd_kafka_resp_err_t?
        var refusal: rd_kafka_resp_err_t? {
            get {
                lock.lock()
                defer { lock.unlock() }
                return refusalCode
            }
            set {
                lock.lock()
                refusalCode = newValue
                lock.unlock()
            }
        }
        /// Where the client's statistics go.
        var metrics: Metrics?

        /// The last trouble that librdkafka logged.
        var lastLog: String? {
            get {
                lock.lock()
                defer { lock.unlock() }
                return text
            }
            set {
                lock.lock()
                text = newValue
                lock.unlock()
            }
        }

        static func of(_ opaque: UnsafeMutableRawPointer?) -> Context? {
            opaque.map { Unmanaged<Context>.fromOpaque($0).takeUnretainedValue() }
        }
    }

    typealias PartitionList = UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    /// Makes a client; no broker is asked anything yet.
    init(
        _ type: rd_kafka_type_t, _ settings: KafkaSettings, _ fixed: [(String, String)],
        context: Context = Context()
    ) throws {
        let configuration = try settings.configuration(fixed)
        rd_kafka_conf_set_opaque(configuration, Unmanaged.passUnretained(context).toOpaque())
        rd_kafka_conf_set_log_cb(configuration) { client, level, facility, text in
            let name = facility.map { String(cString: $0) } ?? ""
            guard level <= 4, name != "CONFWARN", let client, let text else { return }
            Context.of(rd_kafka_opaque(client))?.lastLog = String(cString: text)
        }
        // Without this callback errors are printed.
        rd_kafka_conf_set_error_cb(configuration) { _, code, reason, opaque in
            guard let reason, let context = Context.of(opaque) else { return }
            context.lastLog = String(cString: reason)
            let code = rd_kafka_resp_err_t(code)
            let refusals = [
                RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
                RD_KAFKA_RESP_ERR__SSL,
            ]
            if refusals.contains(code) { context.refusal = code }
        }
        context.metrics = settings.metrics
        rd_kafka_conf_set_stats_cb(configuration) { _, json, length, opaque in
            if let json, let metrics = Context.of(opaque)?.metrics {
                let text = UnsafeRawBufferPointer(start: json, count: length)
                KafkaStatistics.note(text, in: metrics)
            }
            return 0
        }
        if type == RD_KAFKA_PRODUCER {
            rd_kafka_conf_set_dr_msg_cb(configuration) { _, message, opaque in
                guard let message else { return }
                Context.of(opaque)?.onDelivery?(
                    Int(bitPattern: message.pointee._private), message.pointee.offset,
                    message.pointee.err)
            }
        } else if context.onRebalance != nil {
            rd_kafka_conf_set_rebalance_cb(configuration) { client, code, list, opaque in
                guard let client, let list else { return }
                Context.of(opaque)?.onRebalance?(client, code, list)
            }
        }
        var reason = [CChar](repeating: 0, count: 512)
        // On success the client owns the configuration.
        guard let client = rd_kafka_new(type, configuration, &reason, reason.count) else {
            rd_kafka_conf_destroy(configuration)
            let text = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw Diagnostic(
                "the Kafka client cannot be made: \(String(decoding: text, as: UTF8.self))",
                hint: "check the settings given with --set")
        }
        self.client = client
        self.context = context
    }

    deinit {
        for topic in topics.values { rd_kafka_topic_destroy(topic) }
        // Waits for the client's threads, so no callback comes after it.
        rd_kafka_destroy(client)
    }

    /// The last trouble that was logged.
    var lastLog: String? { context.lastLog }

    /// The cluster does not let this client in, and asking again does not help.
    var refusal: KafkaError? { context.refusal.map { KafkaError($0) } }

    /// A topic's object, made on first use with settings of its own.
    func topic(_ name: String, _ settings: [(String, String)] = []) throws -> OpaquePointer {
        if let topic = topics[name] { return topic }
        // A copy of what the user has set for all topics.
        let configuration = rd_kafka_default_topic_conf_dup(client)
        var reason = [CChar](repeating: 0, count: 512)
        for (key, value) in settings {
            guard
                rd_kafka_topic_conf_set(configuration, key, value, &reason, reason.count)
                    == RD_KAFKA_CONF_OK
            else {
                rd_kafka_topic_conf_destroy(configuration)
                throw Diagnostic("topic \(name): \(key)=\(value) cannot be set")
            }
        }
        guard let topic = rd_kafka_topic_new(client, name, configuration) else {
            throw KafkaError(rd_kafka_last_error()).diagnostic("topic \(name)", lastLog: lastLog)
        }
        topics[name] = topic
        return topic
    }

    /// Serves callbacks that wait.
    func poll(_ milliseconds: Int32) { rd_kafka_poll(client, milliseconds) }

    /// First offset and end of a partition: the end of what is committed for a client that reads
    /// committed records only, else of everything. Two round trips.
    func ends(
        _ topic: String, _ partition: Int, milliseconds: Int32 = 5000
    ) throws(KafkaError) -> (first: Int64, end: Int64) {
        let first = try offset(topic, partition, at: Int64(RD_KAFKA_OFFSET_BEGINNING), milliseconds)
        return (first, try end(topic, partition, milliseconds: milliseconds))
    }

    /// The end alone. One round trip.
    func end(
        _ topic: String, _ partition: Int, milliseconds: Int32 = 5000
    ) throws(KafkaError) -> Int64 {
        try offset(topic, partition, at: Int64(RD_KAFKA_OFFSET_END), milliseconds)
    }

    /// Asks by time, of which the protocol gives the beginning and the end numbers: the call that
    /// is made for them (`rd_kafka_query_watermark_offsets`) waits for ever without a broker.
    private func offset(
        _ topic: String, _ partition: Int, at time: Int64, _ milliseconds: Int32
    ) throws(KafkaError) -> Int64 {
        let list = rd_kafka_topic_partition_list_new(1)
        defer { rd_kafka_topic_partition_list_destroy(list) }
        let element = rd_kafka_topic_partition_list_add(list, topic, Int32(partition))
        element?.pointee.offset = time
        try KafkaError.check(rd_kafka_offsets_for_times(client, list, milliseconds))
        guard let element else { throw KafkaError(RD_KAFKA_RESP_ERR__FAIL) }
        try KafkaError.check(element.pointee.err)
        return element.pointee.offset
    }
}
