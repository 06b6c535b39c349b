import ArgumentParser
import Connectors
import Primitives
import RecordLog

/// `plumbline export`
struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the records of a topic as JSON, one object a line.",
        discussion: """
            A line has partition, offset, timestamp (milliseconds since 1970), key, headers and \
            value. A value that is JSON stands as it is; other text is a string, other bytes are \
            {"base64": "..."}; so are keys and headers. A header's name that stands more than \
            once has an array. Partitions come one after the other, records in their order; only \
            records that are published are seen, also while a run works on the directory.

            Exit codes: 0 done; 1 failed; 64 wrong usage.

            Example:
              plumbline export --data data --topic alarms.crane --from 100 --to 200
            """)

    @Option(
        help: ArgumentHelp("The data directory.", valueName: "dir"), completion: .directory)
    var data: String
    @Option(help: "The topic.")
    var topic: String
    @Option(help: "One partition; all when not given.")
    var partition: Int?
    @Option(help: "The first offset.")
    var from: Int64?
    @Option(help: "The offset to stop before.")
    var to: Int64?
    @Flag(help: "As with every command; the output of export is JSON with and without it.")
    var json = false

    func validate() throws {
        if let partition, partition < 0 {
            throw ValidationError("--partition must not be negative")
        }
        if (from ?? 0) < 0 || (to ?? 0) < 0 {
            throw ValidationError("--from and --to must not be negative")
        }
    }

    func run() throws {
        try Terminal.run { try export() }
    }

    private func export() throws {
        let path = EmbeddedLog.logPath(data)
        let partitions = try TopicArgument.partitions(of: topic, partition, in: data)
        var progress = Progress()
        for number in partitions {
            let reader = try PartitionReader(directory: path, topic: topic, partition: number)
            defer { reader.close() }
            try export(reader, number, &progress)
        }
    }

    private func export(
        _ reader: PartitionReader, _ number: Int, _ progress: inout Progress
    ) throws {
        var offset = max(from ?? 0, reader.logStartOffset)
        let end = min(to ?? .max, reader.visibleEnd)
        let format = RecordJSON()
        var output: [UInt8] = []
        while offset < end, let block = try reader.read(from: offset) {
            for row in 0..<block.count where block.offsets[row] < end {
                format.write(block, row, partition: number, to: &output)
                if output.count >= 1 << 16 { try StandardOutput.write(&output) }
            }
            offset = block.nextOffset
            progress.show { "export: partition \(number), offset \(offset) of \(end)" }
        }
        try StandardOutput.write(&output)
    }
}

/// A topic and partition of a command line.
enum TopicArgument {
    /// The partitions meant: one, or all of the topic. Throws when there is no such topic.
    static func partitions(
        of topic: String, _ partition: Int?, in data: String
    ) throws -> ClosedRange<Int> {
        let topics = try LogDirectory.topics(in: EmbeddedLog.logPath(data))
        guard let found = topics.first(where: { $0.name == topic }) else {
            let names = topics.isEmpty ? "it has none" : topics.map(\.name).joined(separator: ", ")
            throw Diagnostic("no topic \(topic) in \(data)", hint: "its topics: \(names)")
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
