import CRdkafka
import Expression
import Foundation
import Primitives

/// How to reach a cluster: its addresses and settings of librdkafka's, as the user gives them.
package struct KafkaSettings: Sendable {
    /// One setting and where the user wrote it.
    package struct Setting: Sendable {
        var name: String
        var value: String
        var origin: String
    }

    package let brokers: String
    /// Where clients note their figures.
    let metrics: Metrics?
    private let given: [Setting]

    /// Settings that the promise of exactly once rests on.
    private static let own: Set<String> = [
        "group.id", "transactional.id",
        "enable.idempotence", "isolation.level", "enable.auto.commit",
        "enable.auto.offset.store", "enable.partition.eof", "auto.offset.reset",
        "allow.auto.create.topics", "enable.gapless.guarantee", "acks",
        "request.required.acks", "partition.assignment.strategy", "statistics.interval.ms",
    ]
    /// What Java's clients are set with, and librdkafka's words for it.
    private static let javaSettings = [
        "sasl.jaas.config": "sasl.username=… and sasl.password=…",
        "ssl.truststore.location": "ssl.ca.location=FILE.pem",
        "ssl.truststore.password": "ssl.ca.location=FILE.pem, which needs none",
    ]

    /// `settings` are checked: throws a diagnostic for one that librdkafka does not know, that
    /// does not fit the others, or that is the engine's own.
    package init(brokers: String, settings: [Setting], metrics: Metrics? = nil) throws {
        self.brokers = brokers
        self.metrics = metrics
        given = settings
        for setting in settings { try Self.refuseOwn(setting) }
        rd_kafka_conf_destroy(try configuration([]))
    }

    /// Settings of a command line, `NAME=VALUE` each.
    package static func settings(fromArguments texts: [String]) throws -> [Setting] {
        try texts.map { text in
            guard let sign = text.firstIndex(of: "="), sign > text.startIndex else {
                throw Diagnostic(
                    "--set \(text) is not NAME=VALUE", hint: "write --set security.protocol=ssl")
            }
            return Setting(
                name: String(text[..<sign]), value: String(text[text.index(after: sign)...]),
                origin: "--set \(text[..<sign])")
        }
    }

    /// Settings of a file: a line each, `name=value`; empty lines and those that begin with `#`
    /// say nothing.
    package static func settings(ofFile path: String) throws -> [Setting] {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw Diagnostic(
                "the settings in \(path) cannot be read",
                hint: "--config names a text file with lines such as security.protocol=ssl")
        }
        var settings: [Setting] = []
        for (number, line) in text.split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline
        ).enumerated() {
            let line = line.trimmingCharacters(in: .whitespaces)
            if line.isEmpty || line.hasPrefix("#") { continue }
            let location = SourceLocation(file: path, line: number + 1, column: 1)
            guard let sign = line.firstIndex(of: "="), sign > line.startIndex else {
                throw Diagnostic(
                    "this line is not name=value", at: location,
                    hint: "write security.protocol=ssl; a comment begins with #")
            }
            settings.append(
                Setting(
                    name: line[..<sign].trimmingCharacters(in: .whitespaces),
                    value: line[line.index(after: sign)...].trimmingCharacters(in: .whitespaces),
                    origin: "\(path):\(number + 1): \(line[..<sign])"))
        }
        return settings
    }

    private static func refuseOwn(_ setting: Setting) throws {
        if ["bootstrap.servers", "metadata.broker.list"].contains(setting.name) {
            throw Diagnostic(
                "\(setting.origin): the addresses are given with --brokers",
                hint: "leave this setting out")
        }
        guard own.contains(setting.name) else { return }
        throw Diagnostic(
            "\(setting.origin): this setting is the engine's own",
            hint: "leave it out; exactly-once processing depends on it")
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
            ("statistics.interval.ms", metrics == nil ? "0" : "5000"),
        ]
        let addresses = [("bootstrap.servers", brokers), ("log.connection.close", "false")]
        func settings(_ pairs: [(String, String)]) -> [Setting] {
            pairs.map { Setting(name: $0.0, value: $0.1, origin: "setting \($0.0)") }
        }
        for setting in settings(defaults) + given + settings(addresses + fixed) {
            var reason = [CChar](repeating: 0, count: 512)
            let result = rd_kafka_conf_set(
                configuration, setting.name, setting.value, &reason, reason.count)
            guard result != RD_KAFKA_CONF_OK else { continue }
            let text = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            let hint = Self.hint(for: setting.name, isUnknown: result == RD_KAFKA_CONF_UNKNOWN)
            rd_kafka_conf_destroy(configuration)
            // Without the value, which may be a password.
            throw Diagnostic(
                "\(setting.origin): \(String(decoding: text, as: UTF8.self))", hint: hint)
        }
        return configuration
    }

    private static func hint(for name: String, isUnknown: Bool) -> String {
        if let words = javaSettings[name] {
            return "this is a setting of Java's clients; librdkafka's is \(words)"
        }
        let list = "librdkafka's CONFIGURATION.md lists the settings"
        guard isUnknown, let near = Suggestion.nearest(name, among: names()) else { return list }
        return "did you mean '\(near)'? \(list)"
    }

    /// All names that librdkafka knows: it prints a table with one a line.
    private static func names() -> [String] {
        var text: UnsafeMutablePointer<CChar>?
        var size = 0
        withUnsafeMutablePointer(to: &text) { text in
            withUnsafeMutablePointer(to: &size) { size in
                guard let file = open_memstream(text, size) else { return }
                rd_kafka_conf_properties_show(file)
                fclose(file)
            }
        }
        defer { free(text) }
        return text.map { String(cString: $0) }?.split(separator: "\n").compactMap { line in
            let name = line.prefix { $0 != " " }
            return line.contains("|") && name.contains(".") ? String(name) : nil
        } ?? []
    }
}
