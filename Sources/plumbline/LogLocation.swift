import ArgumentParser
import Connectors
import Primitives
import RecordLog

/// How a Kafka cluster is reached.
struct ClusterSettings: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "With --brokers: a setting of librdkafka's, for example security.protocol=ssl.",
            valueName: "name=value"))
    var set: [String] = []

    @Option(
        help: ArgumentHelp(
            "With --brokers: a file of such settings, a line each; --set comes after it.",
            valueName: "file"), completion: .file())
    var config: String?

    /// Connects; throws when no cluster answers, or when it refuses the connection.
    func connect(
        _ brokers: String, metrics: Metrics? = nil,
        isStopping: @escaping @Sendable () -> Bool = { false }
    ) throws -> KafkaTransport {
        let ofFile = try config.map { try KafkaSettings.settings(ofFile: $0) } ?? []
        let settings = try ofFile + KafkaSettings.settings(fromArguments: set)
        return try KafkaTransport(
            KafkaSettings(brokers: brokers, settings: settings, metrics: metrics),
            isStopping: isStopping, note: { Terminal.note($0) })
    }
}

/// Where the topics of a command are: a data directory or a cluster.
struct LogLocation: ParsableArguments {
    @Option(
        help: ArgumentHelp("Data directory; its log is in D/kafka.", valueName: "dir"),
        completion: .directory)
    var data: String?

    @Option(
        help: ArgumentHelp(
            "Brokers of a Kafka cluster, HOST:PORT[,...], instead of --data.",
            valueName: "host:port"))
    var brokers: String?

    @OptionGroup var cluster: ClusterSettings

    func validate() throws {
        guard (data == nil) != (brokers == nil) else {
            throw ValidationError("give either --data or --brokers")
        }
        guard brokers != nil || (cluster.set.isEmpty && cluster.config == nil) else {
            throw ValidationError("--set and --config go with --brokers")
        }
    }

    /// The topics, to be read; a wait for a cluster ends when `isStopping`.
    func reader(
        isStopping: @escaping @Sendable () -> Bool = { false }
    ) throws -> any TopicReader {
        if let brokers { return try cluster.connect(brokers, isStopping: isStopping) }
        return PublishedLog(data ?? "")
    }
}

/// A topic and partition of a command line.
enum TopicArgument {
    /// The partitions meant: one, or all of the topic. Throws when there is no such topic.
    static func partitions(
        of topic: String, _ partition: Int?, in log: any TopicReader
    ) throws -> ClosedRange<Int> {
        let topics = try log.topics()
        guard let found = topics.first(where: { $0.name == topic }) else {
            let names = topics.isEmpty ? "it has none" : topics.map(\.name).joined(separator: ", ")
            throw Diagnostic("no topic \(topic) in \(log.name)", hint: "its topics: \(names)")
        }
        guard let partition else { return 0...(found.partitionCount - 1) }
        guard partition < found.partitionCount else {
            throw Diagnostic(
                "topic \(topic) has no partition \(partition)",
                hint: "its partitions are 0 to \(found.partitionCount - 1)")
        }
        return partition...partition
    }
}
