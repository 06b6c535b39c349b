import Foundation

/// One figure that a process tells of itself: its name, what it is, how it is counted.
package struct Metric: Sendable {
    /// How Prometheus takes the samples.
    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    package let name: String
    package let kind: Kind
    package let help: String

    package init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = "plumbline_" + name
        self.kind = kind
        self.help = help
    }
}

/// The figures of a running process, as Prometheus reads them. Threading: any thread.
package final class Metrics: @unchecked Sendable {
    // `@unchecked`: `families` is guarded by `lock`.

    /// Upper bounds of the histograms' buckets, in seconds.
    private static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    private struct Family {
        var metric: Metric
        /// By their labels as written.
        var values: [String: Double] = [:]
        var histograms: [String: (counts: [Int], sum: Double)] = [:]
    }

    private let lock = NSLock()
    private var families: [String: Family] = [:]

    package init() {}

    /// Adds to a counter.
    package func add(_ metric: Metric, _ value: Double, _ labels: [(String, String)] = []) {
        change(metric) { $0.values[Self.text(labels), default: 0] += value }
    }

    /// Sets a gauge, or a counter that is counted elsewhere.
    package func set(_ metric: Metric, _ value: Double, _ labels: [(String, String)] = []) {
        change(metric) { $0.values[Self.text(labels)] = value }
    }

    /// Takes seconds into a histogram.
    package func observe(_ metric: Metric, _ seconds: Double, _ labels: [(String, String)] = []) {
        change(metric) { family in
            var (counts, sum) =
                family.histograms[Self.text(labels)]
                ?? (Array(repeating: 0, count: Self.bounds.count + 1), 0)
            counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
            sum += seconds
            family.histograms[Self.text(labels)] = (counts, sum)
        }
    }

    /// Forgets the values of a metric whose labels begin with these: what they spoke of is gone.
    package func forget(_ metric: Metric, _ labels: [(String, String)]) {
        let prefix = Self.text(labels)
        change(metric) { family in
            family.values = family.values.filter { !$0.key.hasPrefix(prefix) }
        }
    }

    private func change(_ metric: Metric, _ body: (inout Family) -> Void) {
        lock.lock()
        defer { lock.unlock() }
        body(&families[metric.name, default: Family(metric: metric)])
    }

    /// `a="1",b="2"`, without braces.
    private static func text(_ labels: [(String, String)]) -> String {
        labels.map { name, value in
            let escaped = value.replacingOccurrences(of: "\\", with: "\\\\")
                .replacingOccurrences(of: "\"", with: "\\\"")
                .replacingOccurrences(of: "\n", with: "\\n")
            return "\(name)=\"\(escaped)\""
        }.joined(separator: ",")
    }

    /// All figures in Prometheus' text format 0.0.4, by name and labels.
    package func text() -> String {
        lock.lock()
        let families = families.values.sorted { $0.metric.name < $1.metric.name }
        lock.unlock()
        var text = ""
        for family in families {
            let name = family.metric.name
            text += "# HELP \(name) \(family.metric.help)\n"
            text += "# TYPE \(name) \(family.metric.kind.rawValue)\n"
            for (labels, value) in family.values.sorted(by: { $0.key < $1.key }) {
                text += Self.line(name, labels, value)
            }
            for (labels, value) in family.histograms.sorted(by: { $0.key < $1.key }) {
                var count = 0
                for (bound, own) in zip(Self.bounds.map { "\($0)" } + ["+Inf"], value.counts) {
                    count += own
                    let all = (labels.isEmpty ? "" : labels + ",") + "le=\"\(bound)\""
                    text += Self.line(name + "_bucket", all, Double(count))
                }
                text += Self.line(name + "_sum", labels, value.sum)
                text += Self.line(name + "_count", labels, Double(count))
            }
        }
        return text
    }

    private static func line(_ name: String, _ labels: String, _ value: Double) -> String {
        let isWhole = value == value.rounded() && abs(value) < 1e15
        let number = isWhole ? "\(Int64(value))" : "\(value)"
        return "\(name)\(labels.isEmpty ? "" : "{\(labels)}") \(number)\n"
    }
}

extension Metric {
    package static let rows = Metric(
        "records_read_total", .counter, "Records that a task has taken from its sources.")
    package static let records = Metric(
        "records_written_total", .counter, "Records that a task has committed, by topic.")
    package static let epochs = Metric("epochs_total", .counter, "Epochs that were committed.")
    package static let commitSeconds = Metric(
        "commit_seconds", .histogram, "Time from an epoch's end to its commit.")
    package static let lag = Metric(
        "lag_records", .gauge, "Offsets between a task's position and the end of its source.")
    package static let watermark = Metric(
        "watermark_seconds", .gauge, "The least watermark of a task, in seconds since 1970.")
    package static let watermarkDelay = Metric(
        "watermark_delay_seconds", .gauge, "How far the watermark is behind the wall clock.")
    package static let recoverySeconds = Metric(
        "recovery_seconds", .histogram, "Time in which a task was brought to its last epoch.")
    package static let reexecuted = Metric(
        "reexecuted_records_total", .counter, "Records that were read again in recovery.")
    package static let rebalances = Metric(
        "rebalances_total", .counter, "How often a consumer group gave out its partitions anew.")
    package static let tasks = Metric("tasks", .gauge, "Tasks that this process runs.")
    package static let transactionSeconds = Metric(
        "transaction_seconds", .histogram, "Time from a transaction's begin to its end.")
    package static let transactions = Metric(
        "transactions_total", .counter, "Transactions, by how they ended.")
    package static let clientBytesSent = Metric(
        "client_sent_bytes_total", .counter, "Bytes that a Kafka client has sent.")
    package static let clientBytesReceived = Metric(
        "client_received_bytes_total", .counter, "Bytes that a Kafka client has received.")
    package static let clientMessages = Metric(
        "client_messages_total", .counter, "Messages that a Kafka client has sent or received.")
    package static let clientQueue = Metric(
        "client_queued_messages", .gauge, "Messages that wait in a Kafka client to be sent.")
    package static let brokerRoundTrip = Metric(
        "broker_round_trip_seconds", .gauge, "Mean round trip of a Kafka client's requests.")
}
