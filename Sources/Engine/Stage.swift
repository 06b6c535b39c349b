import Connectors
import Crypto
import Dataflow
import Foundation
import Primitives
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
        monitor: RunMonitor
    ) throws {
        self.plan = plan
        planHash = Self.hash(plan)
        partitionCount = try Self.commonPartitionCount(of: plan, log)
        let plans = PlanTopic(plan, log)
        try plans.refuseChange(of: plan, hash: planHash)
        let unclaimed = try Self.unclaimedTopics(of: plan, log)
        try plans.register(plan, hash: planHash)
        try Self.claim(unclaimed, for: plan, log, partitions: partitionCount)
        var tasks: [TaskRunner] = []
        for partition in 0..<partitionCount {
            let identity = TaskIdentity(
                plan: plan, planHash: planHash, partition: partition,
                partitionCount: partitionCount)
            tasks.append(
                try TaskRunner(identity, log: log, options: options, monitor: monitor))
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

    private static func ownersFolder(_ log: EmbeddedLog) -> URL {
        URL(fileURLWithPath: log.path).appendingPathComponent("state/owners")
    }

    /// The topics that the topology writes and that have no owner's note yet. Throws when one
    /// belongs to someone else.
    ///
    /// The journal is made last, so where it stands the other topics are the topology's own: then
    /// the notes were lost with the state directory, which holds nothing that cannot be made again.
    private static func unclaimedTopics(of plan: Plan, _ log: EmbeddedLog) throws -> [String] {
        let isKnown = try log.partitionCount(of: plan.journalTopic) != nil
        var unclaimed: [String] = []
        for topic in plan.sinks.map(\.topic) + [plan.rejectTopic, plan.journalTopic] {
            let note = ownersFolder(log).appendingPathComponent(topic)
            if let data = try? Data(contentsOf: note) {
                let owner = String(decoding: data, as: UTF8.self)
                guard owner == plan.taskName else {
                    throw EngineError(
                        "topic \(topic) is written by topology \(owner), not by \(plan.taskName)",
                        hint: "a topic has one writer; name another sink topic")
                }
                if try log.partitionCount(of: topic) != nil { continue }
            } else if !isKnown, try log.partitionCount(of: topic) != nil {
                throw EngineError(
                    "topic \(topic) exists already and topology \(plan.taskName) did not make it",
                    hint: "a topic has one writer; name another sink topic")
            }
            unclaimed.append(topic)
        }
        return unclaimed
    }

    /// Notes the topology as the only writer of topics, and makes those that are missing.
    private static func claim(
        _ topics: [String], for plan: Plan, _ log: EmbeddedLog, partitions: Int
    ) throws {
        let folder = ownersFolder(log)
        try fileCall(.createDirectory, folder.path) {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true)
        }
        for topic in topics {
            let note = folder.appendingPathComponent(topic)
            try fileCall(.write, note.path) {
                try Data(plan.taskName.utf8).write(to: note, options: .atomic)
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

    /// Throws when the last stored plan is another one, with what differs. Changes nothing.
    func refuseChange(of plan: Plan, hash: String) throws {
        guard let (lastHash, lastText) = try last(), lastHash != hash else { return }
        let differences = PlanDifference.describe(lastText, plan.canonicalText)
        throw EngineError(
            "topology \(plan.taskName) has changed since its journal was written:\n    "
                + differences.joined(separator: "\n    "),
            hint: "raise its version, or run it on a fresh directory with --data")
    }

    private func last() throws -> (hash: String, text: String)? {
        guard try log.partitionCount(of: place.topic) != nil else { return nil }
        let end = try log.visibleEnd(place)
        guard end > 0 else { return nil }
        guard let found = try Self.plan(at: end - 1, try log.source(place)) else {
            throw EngineError("topic \(place.topic) cannot be read")
        }
        return found
    }

    /// Stores a plan the first time.
    func register(_ plan: Plan, hash: String) throws {
        try log.ensureTopic(place.topic, partitions: 1)
        try log.dropUnpublished(place)
        guard try last() == nil else { return }
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
