import Connectors
import Crypto
import Dataflow
import Foundation
import RecordLog
import Topology

/// One topology of a run: its topics checked or made, its plan in the log, its tasks recovered.
final class Stage {
    let plan: Plan
    let planHash: String
    let partitionCount: Int
    let tasks: [TaskRunner]

    /// Opens a topology on a log. Nothing is written before every check has passed.
    init(
        _ plan: Plan, log: EmbeddedLog, options: TaskOptions,
        trace: (@Sendable (String) -> Void)?
    ) throws {
        self.plan = plan
        planHash = Self.hash(plan)
        partitionCount = try Self.commonPartitionCount(of: plan, log)
        try PlanTopic(plan, log).register(plan, hash: planHash)
        try Self.claimTopics(of: plan, log, partitions: partitionCount)
        var tasks: [TaskRunner] = []
        for partition in 0..<partitionCount {
            let identity = TaskIdentity(
                plan: plan, planHash: planHash, partition: partition,
                partitionCount: partitionCount)
            tasks.append(
                try TaskRunner(identity, log: log, options: options, trace: trace))
        }
        self.tasks = tasks
    }

    /// SHA-256 of a plan's canonical text, in hexadecimal.
    static func hash(_ plan: Plan) -> String {
        hexadecimal(SHA256.hash(data: Array(plan.canonicalText.utf8)))
    }

    /// The partition count of the sources, which must be the same: task `p` reads partition `p`
    /// of each.
    private static func commonPartitionCount(of plan: Plan, _ log: EmbeddedLog) throws -> Int {
        var counts: [(topic: String, count: Int)] = []
        for source in plan.sources {
            guard let count = try log.partitionCount(of: source.topic) else {
                let known = try log.topics().map(\.name).filter { !$0.hasPrefix(plan.name) }
                throw EngineError(
                    "topology \(plan.name): there is no topic \(source.topic)",
                    hint: "import into it first: plumbline import --data \(log.path) --topic"
                        + " \(source.topic) …"
                        + (known.isEmpty
                            ? "" : "; topics there: \(known.joined(separator: ", "))"))
            }
            counts.append((source.topic, count))
        }
        guard let first = counts.first else {
            throw EngineError("topology \(plan.name) has no source")
        }
        if let other = counts.first(where: { $0.count != first.count }) {
            throw EngineError(
                "topology \(plan.name): \(first.topic) has \(first.count) partitions,"
                    + " \(other.topic) has \(other.count)",
                hint: "sources of one topology need the same number; import one of them anew with"
                    + " --partitions \(first.count)")
        }
        return first.count
    }

    /// Makes the topics that the topology writes and notes it as their only writer.
    private static func claimTopics(
        of plan: Plan, _ log: EmbeddedLog, partitions: Int
    ) throws {
        let folder = URL(fileURLWithPath: log.path).appendingPathComponent("state/owners")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let topics = plan.sinks.map(\.topic) + [plan.rejectTopic, plan.journalTopic]
        for topic in topics {
            let file = folder.appendingPathComponent(topic)
            if let data = try? Data(contentsOf: file) {
                let owner = String(decoding: data, as: UTF8.self)
                guard owner == plan.taskName else {
                    throw EngineError(
                        "topic \(topic) is written by topology \(owner), not by \(plan.taskName)",
                        hint: "a topic has one writer; name another sink topic")
                }
            } else {
                if try log.partitionCount(of: topic) != nil, topic != plan.journalTopic {
                    throw EngineError(
                        "topic \(topic) exists already and topology \(plan.taskName) did not"
                            + " make it",
                        hint: "a topic has one writer; name another sink topic")
                }
                try Data(plan.taskName.utf8).write(to: file, options: .atomic)
            }
            try log.ensureTopic(topic, partitions: partitions)
        }
    }
}

/// The topic in which a topology's plans are kept by hash, so that replay needs no files.
struct PlanTopic {
    private let place: TopicPartition
    private let log: EmbeddedLog

    init(_ plan: Plan, _ log: EmbeddedLog) {
        place = TopicPartition("\(plan.taskName).plans", 0)
        self.log = log
    }

    /// Stores a plan the first time; refuses one that differs from the last.
    func register(_ plan: Plan, hash: String) throws {
        try log.ensureTopic(place.topic, partitions: 1)
        try log.dropUnpublished(place)
        let end = try log.visibleEnd(place)
        if end > 0 {
            guard let (lastHash, lastText) = try Self.plan(at: end - 1, try log.source(place))
            else { throw EngineError("topic \(place.topic) cannot be read") }
            guard lastHash == hash else {
                let differences = PlanDifference.describe(lastText, plan.canonicalText)
                throw EngineError(
                    "topology \(plan.taskName) has changed since its journal was written:\n    "
                        + differences.joined(separator: "\n    "),
                    hint: "raise its version, or run it on a fresh directory with --data")
            }
            return
        }
        var builder = RecordBatchBuilder()
        builder.append(
            timestampMilliseconds: Int64(Date().timeIntervalSince1970 * 1000),
            key: Array(hash.utf8), value: Array(plan.canonicalText.utf8))
        try log.commit([
            PartitionAppend(
                place: place, batches: [try builder.finish(baseOffset: 0, codec: .none)])
        ])
    }

    /// Hash and canonical text of the plan at an offset.
    static func plan(
        at offset: Int64, _ source: any RecordSource
    ) throws -> (hash: String, text: String)? {
        guard let block = try source.read(from: offset, limit: nil),
            let row = block.row(at: offset), let key = block.key(row),
            let value = block.value(row)
        else { return nil }
        return (String(decoding: key, as: UTF8.self), String(decoding: value, as: UTF8.self))
    }
}
