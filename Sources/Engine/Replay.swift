import Connectors
import Dataflow
import Foundation
import RecordLog
import Topology

/// What re-executing one task's journal found.
package struct ReplayResult: Sendable {
    package var task: String
    package var epochs: Int64
    /// Output records compared.
    package var records: Int
    /// The first record that differs; nil when all are identical.
    package var difference: ReplayDifference?
}

/// Where the stored outputs and the re-executed ones part.
package struct ReplayDifference: Sendable, CustomStringConvertible {
    package var place: TopicPartition
    package var offset: Int64
    package var reason: String

    package var description: String {
        "\(place.topic), partition \(place.partition), offset \(offset): \(reason)"
    }
}

/// Re-executes journals from their beginning and compares every output and reject with what is
/// stored. Needs nothing but the topics: plans are read from them.
package struct Replay {
    private let log: any TopicReader
    private let options: TaskOptions
    /// Told of each epoch that was executed: task and epoch.
    private let onEpoch: (String, Int64) -> Void

    package init(
        _ log: any TopicReader, options: TaskOptions = TaskOptions(),
        onEpoch: @escaping (String, Int64) -> Void = { _, _ in }
    ) {
        self.log = log
        self.options = options
        self.onEpoch = onEpoch
    }

    /// All journals, by topology and partition; `report` is told of each task as it ends. Reads
    /// what is published only, and works while a run goes on.
    package func run(_ report: (ReplayResult) -> Void) throws -> Bool {
        let topics = try log.topics()
        let journals = topics.filter { $0.name.hasSuffix(".journal") }
        guard !journals.isEmpty else { throw StoredPlans.isEmpty(log, what: "journal") }
        let counts = Dictionary(uniqueKeysWithValues: topics.map { ($0.name, $0.partitionCount) })
        try checkJournals(counts)
        var isIdentical = true
        for journal in journals {
            let name = String(journal.name.dropLast(".journal".count))
            let plans = try plans(of: name)
            for partition in 0..<journal.partitionCount {
                let result = try replay(
                    task: name, partition, of: journal.partitionCount, plans, counts)
                if result.difference != nil { isIdentical = false }
                report(result)
            }
        }
        return isIdentical
    }

    /// Throws when a topology has written records and has no journal for each of its tasks.
    private func checkJournals(_ counts: [String: Int]) throws {
        for name in counts.keys.sorted() where name.hasSuffix(".plans") {
            let task = String(name.dropLast(".plans".count))
            guard let plan = try plans(of: task).values.first else { continue }
            let found = counts[plan.journalTopic] ?? 0
            let wanted = counts[plan.rejectTopic] ?? 0
            guard found < wanted else { continue }
            for topic in plan.sinks.map(\.topic) + [plan.rejectTopic] {
                for partition in 0..<(counts[topic] ?? 0) {
                    let end = try log.source(TopicPartition(topic, partition)).committedEnd()
                    guard end > 0 else { continue }
                    throw EngineError(
                        "\(log.name) has \(found) of \(wanted) partitions of"
                            + " \(plan.journalTopic), and \(topic) holds records",
                        hint: "the journal is gone; restore the data directory from a copy")
                }
            }
        }
    }

    private func plans(of task: String) throws -> [String: Plan] {
        var plans: [String: Plan] = [:]
        for (hash, text) in try PlanTopic.all(log.source(TopicPartition("\(task).plans", 0))) {
            plans[hash] = try TopologyLoader.load(canonicalText: text)
                .first { $0.taskName == task }
        }
        return plans
    }

    private func replay(
        task: String, _ partition: Int, of partitionCount: Int, _ plans: [String: Plan],
        _ counts: [String: Int]
    ) throws -> ReplayResult {
        let place = TopicPartition("\(task).journal", partition)
        var result = ReplayResult(
            task: "\(task)/\(partition)", epochs: 0, records: 0, difference: nil)
        // What is committed of the outputs now, the journal names when it is read afterwards.
        let ends = try outputEnds(plans.values.first, partition, partitionCount, counts)
        var journal = JournalCursor(try log.source(place), place)
        guard let first = try journal.next() else {
            if let end = ends.first(where: { $0 > 0 }) {
                throw EngineError(
                    "\(place) is empty, and outputs of the task hold \(end) records",
                    hint: "the journal is gone; restore the data directory from a copy")
            }
            return result
        }
        guard let plan = plans[first.record.plan] else {
            throw EngineError(
                "the plan \(first.record.plan) that \(place) names is not in \(log.name)")
        }
        let identity = try identity(plan, first.record.plan, partition, partitionCount, counts)
        let outputs = try storedOutputs(identity, ends)
        let core = try makeCore(identity, outputs)
        var task = ReplayedTask(core: core, outputs: outputs, identity: identity)
        var next: (offset: Int64, record: EpochRecord)? = first
        do {
            while let (offset, record) = next {
                try task.execute(record, at: TopicPartitionOffset(place, offset))
                result.epochs += 1
                onEpoch(result.task, record.epoch)
                next = try journal.next()
            }
            for output in outputs { try output.expectEnd() }
        } catch let difference as DifferenceFound {
            result.difference = difference.difference
        }
        result.records = outputs.reduce(0) { $0 + $1.compared }
        return result
    }

    private func identity(
        _ plan: Plan, _ hash: String, _ partition: Int, _ partitionCount: Int,
        _ counts: [String: Int]
    ) throws -> TaskIdentity {
        // A copy of a cluster's topics has the cluster's way of keeping substreams.
        let rekeyed =
            plan.rekeys.map(\.topic)
            + plan.sources.filter { $0.partitions == .substreams }.map(\.topic)
        let isShared = rekeyed.contains { counts[$0] == partitionCount }
        return TaskIdentity(
            plan: plan, planHash: hash, partition: partition, partitionCount: partitionCount,
            substreams: isShared ? .shared : .own, topicPartitions: { counts[$0] ?? 0 })
    }

    private func outputEnds(
        _ plan: Plan?, _ partition: Int, _ partitionCount: Int, _ counts: [String: Int]
    ) throws -> [Int64] {
        guard let plan else { return [] }
        return try identity(plan, "", partition, partitionCount, counts).places.outputs.map {
            try log.source($0.place).committedEnd()
        }
    }

    private func storedOutputs(
        _ identity: TaskIdentity, _ ends: [Int64]
    ) throws -> [StoredRecords] {
        try zip(identity.outputs, identity.places.outputs).enumerated().map { index, output in
            let (slot, (place, _)) = output
            var source = try log.source(place)
            if slot.sharesPartition {
                let splitter = SubstreamSplitter(source, place, senders: identity.partitionCount)
                source = SubstreamSource(splitter, sender: identity.partition)
            }
            return StoredRecords(source, place, end: ends[index])
        }
    }

    private func makeCore(
        _ identity: TaskIdentity, _ stored: [StoredRecords]
    ) throws -> TaskCore {
        let sources = try identity.sources { try log.source($0) }
        let inputs = try identity.inputs.indices.map { index in
            TaskInput(
                identity.inputs, index: index, of: identity.plan, source: sources[index],
                position: try sources[index].firstOffset(), maximumRowCount: options.batchRows)
        }
        let outputs = zip(identity.places.outputs, stored).map { slot, records in
            OutputTopic(slot.place) { try records.compare($0) }
        }
        return TaskCore(
            plan: identity.plan, partition: identity.partition,
            partitionCount: identity.partitionCount, inputs: inputs, outputs: outputs,
            options: options)
    }
}
