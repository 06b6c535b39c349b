import ArgumentParser
import Connectors
import Engine
import Foundation
import Primitives
import RecordLog

/// `plumbline topics`
struct Topics: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topics",
        abstract: "List the topics of a data directory or of a cluster.",
        discussion: """
            Of each topic: partitions, published records, bytes of the log on disk, how its \
            batches are compressed, who writes it (a topology, or import), the time of the first \
            record and the greatest time. With --partitions a line for each partition, with its \
            first offset and its end. It may be asked while a run or an import writes. A cluster \
            does not tell bytes and compression; last is there the time of the last record.

            Examples:
              plumbline topics --data data
              plumbline topics --brokers localhost:9092

            \(Terminal.exitCodes)
            """)

    @OptionGroup var location: LogLocation
    @Flag(help: "A line for each partition in the table; JSON has them always.")
    var partitions = false
    @Flag(help: "Write a JSON array instead of a table.")
    var json = false

    private struct Row: Encodable {
        struct Partition: Encodable {
            var partition: Int
            var start: Int64
            var end: Int64
            var records: Int64
            var bytes: Int?
            var firstTime: Int64?
            var lastTime: Int64?
            var codecs: [String]
        }
        var name: String
        var partitions: Int
        var records: Int64
        var bytes: Int?
        var firstTime: Int64?
        var lastTime: Int64?
        var codecs: [String]
        var writer: String?
        var byPartition: [Partition]
    }

    func run() throws {
        try Terminal.run { try list() }
    }

    private func list() throws {
        let topics = try figures()
        if json { return try Terminal.json(topics.map(row)) }
        guard !topics.isEmpty else {
            let name = location.data ?? location.brokers ?? ""
            return Terminal.note("\(name) has no topics; plumbline import makes the first")
        }
        var table = TextTable([
            .left("topic"), .right("partitions"), .right("records"), .right("bytes"),
            .left("codec"), .left("written by"), .left("first"), .left("last"),
        ])
        for topic in topics {
            table.add([
                topic.name, String(topic.partitions.count), Report.grouped(Int(topic.records)),
                bytes(topic.bytes), topic.codecs.joined(separator: ", "),
                topic.writer ?? "import", time(topic.firstTimestamp), time(topic.lastTimestamp),
            ])
            for part in partitions ? topic.partitions : [] {
                table.add([
                    "  \(part.number): \(part.start) to \(part.end)", "",
                    Report.grouped(Int(part.records)), bytes(part.bytes),
                    part.codecs.joined(separator: ", "), "", time(part.firstTimestamp),
                    time(part.lastTimestamp),
                ])
            }
        }
        try Terminal.print(table.text, terminator: "")
    }

    private func figures() throws -> [TopicFigures] {
        var progress = Progress()
        func show(_ place: TopicPartition) {
            progress.show { "topics: looking through \(place)" }
        }
        guard let data = location.data else {
            let cluster = try location.reader()
            // Who writes a topic is in the plans.
            let writers = try StoredPlans.writers(cluster)
            return try TopicFigures.all(cluster, writer: { writers[$0] }, progress: show)
        }
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: data, isDirectory: &isDirectory),
            isDirectory.boolValue
        else {
            throw Diagnostic(
                "no data directory \(data)", hint: "plumbline import creates one")
        }
        return try TopicFigures.all(dataPath: data, progress: show)
    }

    private func bytes(_ count: Int?) -> String { count.map { Report.bytes($0) } ?? "" }

    private func time(_ milliseconds: Int64?) -> String {
        milliseconds.map { RecordLine.time($0) } ?? ""
    }

    private func row(_ topic: TopicFigures) -> Row {
        Row(
            name: topic.name, partitions: topic.partitions.count, records: topic.records,
            bytes: topic.bytes, firstTime: topic.firstTimestamp, lastTime: topic.lastTimestamp,
            codecs: topic.codecs, writer: topic.writer,
            byPartition: topic.partitions.map { part in
                .init(
                    partition: part.number, start: part.start, end: part.end,
                    records: part.records, bytes: part.bytes, firstTime: part.firstTimestamp,
                    lastTime: part.lastTimestamp, codecs: part.codecs)
            })
    }
}
