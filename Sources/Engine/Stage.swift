import Connectors
import Crypto
import Dataflow
import RecordLog
import Topology

/// One stage of a topology in a run: its topics checked or made, its plan in the log, its tasks.
final class Stage {
    let plan: Plan
    let planHash: String
    let partitionCount: Int
    let tasks: [TaskRunner]

    /// What a stage needs, checked against what is there; nothing is written yet.
    struct Opening {
        fileprivate let plan: Plan
        fileprivate let planHash: String
        fileprivate let partitionCount: Int
        fileprivate let substreams: Substreams
        /// Topics that are still to be claimed, with their partitions.
        fileprivate let unclaimed: [(topics: [String], partitions: Int)]
        /// Partitions of the topics that the stage writes.
        let written: [String: Int]

        /// Throws when a stage does not fit the topics. `planned` are partitions of topics that
        /// earlier stages of the run will make.
        init(_ plan: Plan, _ transport: any Transport, planned: [String: Int]) throws {
            self.plan = plan
            planHash = Stage.hash(plan)
            let substreams: Substreams = transport.sharesSubstreams ? .shared : .own
            self.substreams = substreams
            let count = try Stage.commonPartitionCount(of: plan, transport, planned)
            partitionCount = count
            try PlanTopic(plan, transport).refuseChange(of: plan, hash: planHash)
            let lost = try transport.lostPartitions(of: plan.journalTopic, count: count)
            if let first = lost.first { throw Self.lostJournal(plan, first) }
            let isKnown = try transport.partitionCount(of: plan.journalTopic) != nil
            // The journal is made last: where it stands, the other topics are the topology's own.
            let groups = [
                (plan.rekeys.map(\.topic), substreams.partitionCount(taskCount: count)),
                (plan.sinks.map(\.topic) + [plan.rejectTopic, plan.journalTopic], count),
            ]
            unclaimed = try groups.map { topics, partitions in
                let topics = try transport.unclaimed(
                    topics, owner: plan.taskName, partitions: partitions, isKnown: isKnown)
                return (topics, partitions)
            }
            var written: [String: Int] = [:]
            for (topics, partitions) in groups {
                for topic in topics { written[topic] = partitions }
            }
            self.written = written
        }

        private static func lostJournal(_ plan: Plan, _ partition: Int) -> EngineError {
            let folder = "\(plan.journalTopic)-\(partition)"
            return EngineError(
                "partition \(partition) of the journal \(plan.journalTopic) is gone, and it"
                    + " cannot be made again",
                hint: "restore the folder \(folder) from a copy, or run the topology on a fresh"
                    + " directory with --data")
        }
    }

    /// Opens a stage on a transport; its tasks are the run's from number `firstTask` on.
    init(
        _ opening: Opening, transport: any Transport, options: TaskOptions, workers: Int,
        firstTask: Int, monitor: RunMonitor
    ) throws {
        plan = opening.plan
        planHash = opening.planHash
        partitionCount = opening.partitionCount
        if try PlanTopic(plan, transport).register(plan, hash: planHash) {
            try transport.disown(
                owner: plan.taskName, besides: Set(opening.written.keys))
        }
        for (topics, partitions) in opening.unclaimed {
            try transport.claim(topics, owner: plan.taskName, partitions: partitions)
        }
        try transport.ensureState(plan.stateTopic, partitions: partitionCount)
        var tasks: [TaskRunner] = []
        let owned = try transport.ownedTasks(
            group: plan.taskName, lead: Self.lead(of: plan).topic, count: partitionCount)
        for partition in owned {
            let identity = try TaskIdentity(
                plan: plan, planHash: planHash, partition: partition,
                partitionCount: partitionCount, substreams: opening.substreams,
                topicPartitions: { try transport.partitionCount(of: $0) ?? 0 })
            tasks.append(
                try TaskRunner(
                    identity, transport: transport,
                    worker: (firstTask + tasks.count) % workers, options: options,
                    monitor: monitor))
        }
        self.tasks = tasks
    }

    /// SHA-256 of a plan's canonical text, in hexadecimal.
    static func hash(_ plan: Plan) -> String {
        hexadecimal(SHA256.hash(data: Array(plan.canonicalText.utf8)))
    }

    /// Throws when a source's topic is missing that no stage of the run writes.
    static func checkSources(
        of plan: Plan, _ transport: any Transport, writtenHere: Set<String>
    ) throws {
        for source in plan.sources where !writtenHere.contains(source.topic) {
            if try transport.partitionCount(of: source.topic) != nil { continue }
            let known = try transport.topics().map(\.name).filter { !$0.hasPrefix(plan.name) }
            throw EngineError(
                "topology \(plan.name): there is no topic \(source.topic)",
                hint: transport.hint(forMissingTopic: source.topic)
                    + (known.isEmpty ? "" : "; topics there: \(known.joined(separator: ", "))"))
        }
    }

    /// The first source of which there is not all in every task.
    private static func lead(of plan: Plan) throws -> SourcePlan {
        guard let lead = plan.sources.first(where: { $0.partitions != .all }) else {
            throw hasNoLead(plan)
        }
        return lead
    }

    private static func hasNoLead(_ plan: Plan) -> EngineError {
        EngineError("topology \(plan.name) has no source but global tables")
    }

    /// The partition count of the sources, which must be the same: task `p` reads partition `p`
    /// of each. Global tables may have any, and of substreams there is one a pair of tasks.
    private static func commonPartitionCount(
        of plan: Plan, _ transport: any Transport, _ planned: [String: Int]
    ) throws -> Int {
        var counts: [(topic: String, count: Int)] = []
        for source in plan.sources where source.partitions != .all {
            var count =
                try transport.partitionCount(of: source.topic) ?? planned[source.topic] ?? 0
            if source.partitions == .substreams {
                count = (transport.sharesSubstreams ? Substreams.shared : .own)
                    .taskCount(partitionCount: count)
            }
            counts.append((source.topic, count))
        }
        guard let first = counts.first else { throw Self.hasNoLead(plan) }
        if let other = counts.first(where: { $0.count != first.count }) {
            throw EngineError(
                "topology \(plan.name): \(first.topic) has \(first.count) partitions,"
                    + " \(other.topic) has \(other.count)",
                hint: "sources of one topology need the same number; import them into a fresh"
                    + " --data with --partitions \(first.count), or make a table 'global: true'")
        }
        return first.count
    }
}

extension Plan {
    /// The topic in which the stage's plans are kept.
    package var planTopic: String { "\(taskName).plans" }
}

/// The topic in which a topology's plans are kept by hash, so that replay needs no files.
struct PlanTopic {
    private let place: TopicPartition
    private let journal: String
    private let transport: any Transport

    init(_ plan: Plan, _ transport: any Transport) {
        place = TopicPartition(plan.planTopic, 0)
        journal = plan.journalTopic
        self.transport = transport
    }

    /// Throws when the last stored plan is another one, with what differs, unless nothing was
    /// ever done under it. Changes nothing.
    func refuseChange(of plan: Plan, hash: String) throws {
        guard let (lastHash, lastText) = try last(), lastHash != hash else { return }
        // Elsewhere another process may be about to begin the journal.
        if transport.isExclusive, try isJournalEmpty() { return }
        let differences = PlanDifference.describe(lastText, plan.canonicalText)
        throw EngineError(
            "topology \(plan.taskName) has changed since its journal was written:\n    "
                + differences.joined(separator: "\n    "),
            hint: "raise its version, or run it on a fresh directory with --data")
    }

    private func isJournalEmpty() throws -> Bool {
        for partition in 0..<(try transport.partitionCount(of: journal) ?? 0) {
            let end = try transport.source(TopicPartition(journal, partition)).committedEnd()
            if end > 0 { return false }
        }
        return true
    }

    private func last() throws -> (hash: String, text: String)? {
        guard try transport.partitionCount(of: place.topic) != nil,
            let (block, row) = try transport.source(place).lastRecord()
        else { return nil }
        guard let key = block.key(row), let value = block.value(row) else {
            throw EngineError("topic \(place.topic) cannot be read")
        }
        return (String(decoding: key, as: UTF8.self), String(decoding: value, as: UTF8.self))
    }

    /// Stores a plan that is not the last stored one; true when it takes the place of another.
    @discardableResult
    func register(_ plan: Plan, hash: String) throws -> Bool {
        try transport.ensureTopic(place.topic, partitions: 1)
        let last = try last()
        guard last?.hash != hash else { return false }
        try transport.append(
            key: Array(hash.utf8), value: Array(plan.canonicalText.utf8), to: place)
        return last != nil
    }

    /// Hash and canonical text of all plans of a topic, in their order.
    static func all(_ source: any RecordSource) throws -> [(hash: String, text: String)] {
        var plans: [(hash: String, text: String)] = []
        var offset = try source.firstOffset()
        while let block = try source.read(from: offset, limit: nil) {
            for row in 0..<block.count where block.offsets[row] >= offset {
                guard let key = block.key(row), let value = block.value(row) else { continue }
                plans.append(
                    (String(decoding: key, as: UTF8.self), String(decoding: value, as: UTF8.self)))
            }
            offset = block.nextOffset
        }
        return plans
    }
}
