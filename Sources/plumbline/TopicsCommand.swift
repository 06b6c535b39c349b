import ArgumentParser
import Connectors
import Foundation
import Primitives

/// `plumbline topics`
struct Topics: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topics",
        abstract: "List the topics of a data directory.",
        discussion: """
            Name, partitions, published records, bytes of the log on disk.

            Exit codes: 0 done; 1 failed; 64 wrong usage.

            Example:
              plumbline topics --data data
            """)

    @Option(help: ArgumentHelp("The data directory.", valueName: "dir"))
    var data: String
    @Flag(help: "Write a JSON array instead of a table.")
    var json = false

    private struct Row: Encodable {
        var name: String
        var partitions: Int
        var records: Int64
        var bytes: Int
    }

    func run() throws {
        try Terminal.run { try list() }
    }

    private func list() throws {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: data, isDirectory: &isDirectory),
            isDirectory.boolValue
        else {
            throw Diagnostic(
                "no data directory \(data)", hint: "plumbline import creates one")
        }
        let topics = try TopicFigures.all(dataPath: data)
        if json {
            let rows = topics.map { topic in
                Row(
                    name: topic.name, partitions: topic.partitions, records: topic.records,
                    bytes: topic.bytes)
            }
            try Terminal.json(rows)
            return
        }
        let width = max(5, topics.map(\.name.count).max() ?? 0)
        func line(_ name: String, _ partitions: String, _ records: String, _ bytes: String) {
            func right(_ text: String, _ width: Int) -> String {
                String(repeating: " ", count: max(0, width - text.count)) + text
            }
            let padding = String(repeating: " ", count: max(0, width - name.count))
            print(
                "\(name)\(padding)  \(right(partitions, 10))  \(right(records, 15))"
                    + "  \(right(bytes, 12))")
        }
        line("topic", "partitions", "records", "bytes")
        for topic in topics {
            line(
                topic.name, String(topic.partitions), Report.grouped(Int(topic.records)),
                Report.bytes(topic.bytes))
        }
    }
}
