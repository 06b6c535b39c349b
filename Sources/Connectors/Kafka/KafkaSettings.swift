import CRdkafka
import Primitives

/// How to reach a cluster: its addresses and settings of librdkafka's, as the user gives them.
package struct KafkaSettings: Sendable {
    package let brokers: String
    private let given: [(name: String, value: String)]

    /// Settings that the promise of exactly once rests on.
    private static let own: Set<String> = [
        "bootstrap.servers", "metadata.broker.list", "group.id", "transactional.id",
        "enable.idempotence", "isolation.level", "enable.auto.commit",
        "enable.auto.offset.store", "enable.partition.eof", "auto.offset.reset",
        "allow.auto.create.topics", "enable.gapless.guarantee", "acks",
        "request.required.acks", "partition.assignment.strategy",
    ]

    /// `settings` as `name=value`. Throws a diagnostic for one that is not of this form, that
    /// librdkafka does not know, or that is the engine's own.
    package init(brokers: String, settings: [String]) throws {
        self.brokers = brokers
        given = try settings.map { text in
            guard let sign = text.firstIndex(of: "="), sign > text.startIndex else {
                throw Diagnostic(
                    "--set \(text) is not NAME=VALUE", hint: "write --set security.protocol=ssl")
            }
            let name = String(text[..<sign])
            guard !Self.own.contains(name) else {
                throw Diagnostic(
                    "--set \(name): this setting is the engine's own",
                    hint: "leave it out; exactly-once processing depends on it")
            }
            return (name, String(text[text.index(after: sign)...]))
        }
        rd_kafka_conf_destroy(try configuration([]))
    }

    /// A configuration with defaults of ours, then what the user gave, then `fixed`. The caller
    /// owns it.
    func configuration(_ fixed: [(String, String)]) throws -> OpaquePointer {
        guard let configuration = rd_kafka_conf_new() else {
            throw Diagnostic("librdkafka gives no configuration: out of memory")
        }
        let defaults = [
            ("client.id", "plumbline"), ("session.timeout.ms", "10000"),
            ("heartbeat.interval.ms", "2000"), ("linger.ms", "5"),
            ("queued.max.messages.kbytes", "16384"), ("fetch.wait.max.ms", "100"),
        ]
        let addresses = [("bootstrap.servers", brokers), ("log.connection.close", "false")]
        for (name, value) in defaults + given + addresses + fixed {
            var reason = [CChar](repeating: 0, count: 512)
            let result = rd_kafka_conf_set(configuration, name, value, &reason, reason.count)
            guard result == RD_KAFKA_CONF_OK else {
                rd_kafka_conf_destroy(configuration)
                let text = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
                throw Diagnostic(
                    "setting \(name)=\(value): \(String(decoding: text, as: UTF8.self))",
                    hint: "librdkafka's CONFIGURATION.md lists the settings")
            }
        }
        return configuration
    }
}
