import Connectors
import Dataflow
import Engine
import Foundation
import Primitives
import RecordLog
import Simulation

/// Reads alarm records, of a data directory or of exported files, as episodes. One thread.
///
/// Alarms are the records of sinks whose value has an `event` of `levels` or `machine`. The rule is
/// the value's field `rule` (the name of a machine's invariant or deadline, or of a `levels` step),
/// else the name of the step that the sink takes them from.
struct AlarmReader {
    /// What stands in an alarm's value.
    private struct Value: Decodable {
        var event: String?
        var level: String?
        var rule: String?

        private enum Members: String, CodingKey { case event, level, rule, specversion, data }

        /// Of an event that stands in the value as a whole, what stands in its data.
        init(from decoder: any Decoder) throws {
            var members = try decoder.container(keyedBy: Members.self)
            if members.contains(.specversion), members.contains(.data) {
                members = try members.nestedContainer(keyedBy: Members.self, forKey: .data)
            }
            event = try members.decodeIfPresent(String.self, forKey: .event)
            level = try members.decodeIfPresent(String.self, forKey: .level)
            rule = try members.decodeIfPresent(String.self, forKey: .rule)
        }
    }

    /// A line of `plumbline export`.
    private struct Line: Decodable {
        var timestamp: Int64
        var key: String?
        var value: Value
    }

    private struct Sink {
        var topology: String
        var rule: String
        /// Levels of each ladder of the topology, from the lowest, by the name of its step.
        var ladders: [String: [String]]
    }

    private(set) var collector = EpisodeCollector()
    private var sinks: [String: Sink] = [:]
    private let decoder = JSONDecoder()

    init(plans: [Plan]) {
        for plan in plans {
            var ladders: [String: [String]] = [:]
            for step in plan.steps {
                if case .levels(let ladder) = step.operation { ladders[step.name] = ladder.levels }
            }
            for sink in plan.sinks {
                guard case .step(let step) = sink.input else { continue }
                sinks[sink.topic] = Sink(
                    topology: plan.name, rule: plan.steps[step].name, ladders: ladders)
            }
        }
    }

    /// The topics that the plans write.
    var topics: [String] { sinks.keys.sorted() }

    /// Takes a topic of a data directory; nothing when it has none of that name.
    mutating func read(topic: String, dataPath: String) throws {
        let logPath = EmbeddedLog.logPath(dataPath)
        guard let found = try LogDirectory.topics(in: logPath).first(where: { $0.name == topic })
        else { return }
        for partition in 0..<found.partitionCount {
            let reader = try PartitionReader(
                directory: logPath, topic: topic, partition: partition)
            defer { reader.close() }
            var offset = reader.logStartOffset
            while offset < reader.visibleEnd, let block = try reader.read(from: offset) {
                for row in 0..<block.count where block.offsets[row] < reader.visibleEnd {
                    guard let bytes = block.value(row),
                        let value = try? decoder.decode(Value.self, from: Data(bytes))
                    else { continue }
                    let key = block.key(row).map { String(decoding: $0, as: UTF8.self) }
                    add(value, key: key, time: block.timestamps[row], topic)
                }
                offset = block.nextOffset
            }
        }
    }

    /// Takes a file of `plumbline export`; its name without extension is the topic.
    mutating func read(file: String) throws {
        let url = URL(fileURLWithPath: file)
        let topic = url.deletingPathExtension().lastPathComponent
        guard sinks[topic] != nil else {
            throw Diagnostic(
                "\(file) is not named after a topic of the topologies",
                hint: "their topics: \(topics.joined(separator: ", "))")
        }
        let lines = try Self.lines(of: file)
        for (number, line) in lines.enumerated() {
            guard let record = try? decoder.decode(Line.self, from: Data(line)) else {
                throw Diagnostic(
                    "\(file), line \(number + 1) is no line of plumbline export",
                    hint: "write it with: plumbline export --data DIR --topic \(topic)")
            }
            add(record.value, key: record.key, time: record.timestamp, topic)
        }
    }

    private mutating func add(_ value: Value, key: String?, time: Int64, _ topic: String) {
        guard let sink = sinks[topic], let event = value.event else { return }
        // A machine's rows have no level.
        let level = value.level ?? "alarm"
        let rule = value.rule ?? sink.rule
        _ = collector.add(
            topology: sink.topology, rule: rule, key: key ?? "", event: event, level: level,
            rank: sink.ladders[rule]?.firstIndex(of: level) ?? 0, time: time)
    }

    /// A file's lines without the empty ones.
    static func lines(of file: String) throws -> [Data.SubSequence] {
        do {
            return try Data(contentsOf: URL(fileURLWithPath: file)).split(separator: 0x0A)
        } catch {
            throw Diagnostic(
                "cannot read \(file): \(String(cString: strerror(errno)))",
                hint: "name a file that exists")
        }
    }
}
