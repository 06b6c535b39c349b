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
              plumbline export --brokers localhost:9092 --topic alarms.crane
            """)

    @OptionGroup var location: LogLocation
    @Option(help: "The topic.")
    var topic: String
    @Option(parsing: .unconditional, help: "One partition; all when not given.")
    var partition: Int?
    @Option(parsing: .unconditional, help: "The first offset.")
    var from: Int64?
    @Option(parsing: .unconditional, help: "The offset to stop before.")
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
        let log = try location.reader()
        let partitions = try TopicArgument.partitions(of: topic, partition, in: log)
        var progress = Progress()
        for number in partitions {
            try export(try log.source(TopicPartition(topic, number)), number, &progress)
        }
    }

    private func export(
        _ source: any RecordSource, _ number: Int, _ progress: inout Progress
    ) throws {
        var offset = max(from ?? 0, try source.firstOffset())
        let end = min(to ?? .max, try source.committedEnd())
        let format = RecordJSON()
        var output: [UInt8] = []
        while offset < end, let block = try source.read(from: offset, limit: end) {
            for row in 0..<block.count where offset..<end ~= block.offsets[row] {
                format.write(block, row, partition: number, to: &output)
                if output.count >= 1 << 16 { try StandardOutput.write(&output) }
            }
            offset = block.nextOffset
            progress.show { "export: partition \(number), offset \(offset) of \(end)" }
        }
        try StandardOutput.write(&output)
    }
}
