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

/// Re-executes a data directory's journals from their beginning and compares every output and
/// reject with what is stored. Needs the directory alone: plans are read from the log.
package struct Replay {
    private let dataPath: String
    private let options: TaskOptions
    /// Told of each epoch that was executed: task and epoch.
    private let onEpoch: (String, Int64) -> Void

    package init(
        dataPath: String, options: TaskOptions = TaskOptions(),
        onEpoch: @escaping (String, Int64) -> Void = { _, _ in }
    ) {
        self.dataPath = dataPath
        self.options = options
        self.onEpoch = onEpoch
    }

    /// All journals of the directory, by topology and partition; `report` is told of each task as
    /// it ends. Reads what is published only, and works while a run holds the directory.
    package func run(_ report: (ReplayResult) -> Void) throws -> Bool {
        let logPath = EmbeddedLog.logPath(dataPath)
        let topics = try LogDirectory.topics(in: logPath)
        let journals = topics.filter { $0.name.hasSuffix(".journal") }
        guard !journals.isEmpty else {
            throw EngineError(
                "\(dataPath) holds no journal",
                hint: "run a topology on it first: plumbline run --data \(dataPath) DIR")
        }
        var isIdentical = true
        for journal in journals {
            let name = String(journal.name.dropLast(".journal".count))
            let plans = try plans(of: name, in: logPath)
            func partitions(_ topic: String) -> Int {
                topics.first { $0.name == topic }?.partitionCount ?? 0
            }
            for partition in 0..<journal.partitionCount {
                let result = try replay(
                    task: name, partition, of: journal.partitionCount, plans, in: logPath,
                    topicPartitions: partitions)
                if result.difference != nil { isIdentical = false }
                report(result)
            }
        }
        return isIdentical
    }

    private func plans(of task: String, in logPath: String) throws -> [String: Plan] {
        let source = try PublishedSource(
            logPath, TopicPartition("\(task).plans", 0))
        var plans: [String: Plan] = [:]
        var offset: Int64 = 0
        while let (hash, text) = try PlanTopic.plan(at: offset, source) {
            plans[hash] = try TopologyLoader.load(canonicalText: text)
                .first { $0.taskName == task }
            offset += 1
        }
        return plans
    }

    private func replay(
        task: String, _ partition: Int, of partitionCount: Int, _ plans: [String: Plan],
        in logPath: String, topicPartitions: (String) -> Int
    ) throws -> ReplayResult {
        let journal = TopicPartition("\(task).journal", partition)
        let source = try PublishedSource(logPath, journal)
        var result = ReplayResult(
            task: "\(task)/\(partition)", epochs: 0, records: 0, difference: nil)
        guard let first = try epoch(0, source, journal) else { return result }
        guard let plan = plans[first.plan] else {
            throw EngineError("the plan \(first.plan) that \(journal) names is not in the log")
        }
        let identity = TaskIdentity(
            plan: plan, planHash: first.plan, partition: partition,
            partitionCount: partitionCount, topicPartitions: topicPartitions)
        let outputs = try identity.places.outputs.map { output in
            StoredRecords(try PublishedSource(logPath, output.place), output.place)
        }
        let core = try makeCore(identity, logPath, outputs)
        var next: EpochRecord? = first
        do {
            while let record = next {
                guard record.semantics == Semantics.version else {
                    throw EngineError(
                        "\(journal), epoch \(record.epoch) has semantics version"
                            + " \(record.semantics); this build has"
                            + " \(Semantics.version)")
                }
                let starts = core.positions
                for step in record.steps { try core.execute(step) }
                try compareRanges(core, record, partition)
                try compareState(
                    core, record, number: result.epochs, starts: starts, identity.planHash,
                    journal)
                result.epochs += 1
                onEpoch(result.task, record.epoch)
                next = try epoch(result.epochs, source, journal)
            }
            for output in outputs { try output.expectEnd() }
        } catch let difference as DifferenceFound {
            result.difference = difference.difference
        }
        result.records = outputs.reduce(0) { $0 + $1.compared }
        return result
    }

    private func makeCore(
        _ identity: TaskIdentity, _ logPath: String, _ stored: [StoredRecords]
    ) throws -> TaskCore {
        let places = identity.places
        let inputs = try identity.inputs.indices.map { index in
            let records = try PublishedSource(logPath, places.sources[index])
            return TaskInput(
                identity.inputs, index: index, of: identity.plan, source: records,
                position: try records.firstOffset(), maximumRowCount: options.batchRows)
        }
        let outputs = zip(places.outputs, stored).map { slot, records in
            let output = OutputTopic(slot.place, codec: .none, start: 0)
            output.storedEnd = .max
            output.observer = { try records.compare($0) }
            return output
        }
        return TaskCore(
            plan: identity.plan, partition: identity.partition,
            partitionCount: identity.partitionCount, inputs: inputs, outputs: outputs,
            options: options)
    }

    private func epoch(
        _ number: Int64, _ source: PublishedSource, _ journal: TopicPartition
    ) throws -> EpochRecord? {
        guard let block = try source.read(from: number, limit: nil),
            let row = block.row(at: number), let value = block.value(row)
        else { return nil }
        return try EpochRecord(decoding: value, place: "\(journal), offset \(number)")
    }

    /// The journal must name just the records that were composed.
    private func compareRanges(_ core: TaskCore, _ record: EpochRecord, _ partition: Int) throws {
        var ranges: [OutputRange] = []
        for output in core.outputs {
            if let (range, _) = try output.finishEpoch() { ranges.append(range) }
        }
        guard ranges != record.outputs else { return }
        let wrong = record.outputs.first { !ranges.contains($0) } ?? ranges.first
        throw DifferenceFound(
            difference: ReplayDifference(
                place: TopicPartition(wrong?.topic ?? "", wrong?.partition ?? partition),
                offset: wrong?.from ?? 0,
                reason: "the journal's epoch \(record.epoch) names other records than"
                    + " re-execution gives"))
    }

    /// What the journal says beside the records must be what re-execution comes to.
    private func compareState(
        _ core: TaskCore, _ record: EpochRecord, number: Int64, starts: [Int64],
        _ planHash: String, _ journal: TopicPartition
    ) throws {
        let watermark = core.pipeline.watermark.flatMap { $0 == .min ? nil : $0 }
        let wrong: String? =
            if record.epoch != number {
                "it says it is epoch \(record.epoch)"
            } else if record.plan != planHash {
                "it names the plan \(record.plan), the epochs before it \(planHash)"
            } else if record.starts != starts {
                "it starts at \(record.starts), the inputs before it end at \(starts)"
            } else if record.positions != core.positions {
                "the positions are \(record.positions), re-execution gives \(core.positions)"
            } else if record.outputEnds != core.outputs.map(\.nextOffset) {
                "the ends of the outputs are \(record.outputEnds), re-execution gives"
                    + " \(core.outputs.map(\.nextOffset))"
            } else if record.watermark != watermark {
                "the watermark differs from that of re-execution"
            } else {
                nil
            }
        guard let wrong else { return }
        throw DifferenceFound(
            difference: ReplayDifference(place: journal, offset: number, reason: wrong))
    }
}

struct DifferenceFound: Error {
    let difference: ReplayDifference
}

/// A partition read up to its published end from outside the committer.
final class PublishedSource: RecordSource {
    private let reader: PartitionReader

    init(_ logPath: String, _ place: TopicPartition) throws {
        reader = try PartitionReader(
            directory: logPath, topic: place.topic, partition: place.partition)
    }

    func read(from offset: Int64, limit: Int64?) throws -> RecordBlock? {
        guard offset < reader.visibleEnd else { return nil }
        return try reader.read(from: offset, maxBytes: 256 << 10)
    }

    func committedEnd() throws -> Int64 { reader.visibleEnd }

    func firstOffset() throws -> Int64 { reader.logStartOffset }
}

/// The stored records of one output partition, compared one by one with composed ones.
final class StoredRecords {
    private let source: PublishedSource
    private let place: TopicPartition
    private var block: RecordBlock?
    private var row = 0
    private(set) var offset: Int64 = 0
    private(set) var compared = 0

    init(_ source: PublishedSource, _ place: TopicPartition) {
        self.source = source
        self.place = place
    }

    private func next() throws -> (offset: Int64, record: OutputRecord)? {
        while block == nil || row >= (block?.count ?? 0) {
            guard let read = try source.read(from: offset, limit: nil) else { return nil }
            block = read
            row = 0
            while row < read.count, read.offsets[row] < offset { row += 1 }
        }
        guard let block else { return nil }
        defer { row += 1 }
        return (
            block.offsets[row],
            OutputRecord(
                timestamp: block.timestamps[row], key: block.key(row), value: block.value(row),
                headers: Array(block.bytes[block.encodedHeaders(row)]),
                headerCount: Int(block.headerCounts[row]))
        )
    }

    /// Compares the next stored record with a composed one.
    func compare(_ record: OutputRecord) throws {
        guard let (found, stored) = try next() else {
            throw difference("the record is missing")
        }
        guard found == offset else { throw difference("the record is missing") }
        guard stored == record else {
            throw difference(Self.describe(stored, record))
        }
        offset += 1
        compared += 1
    }

    private static func describe(_ stored: OutputRecord, _ record: OutputRecord) -> String {
        func text(_ bytes: [UInt8]?) -> String {
            bytes.map { String(decoding: $0, as: UTF8.self) } ?? "null"
        }
        if stored.key != record.key {
            return "the key is \(text(stored.key)), re-execution gives \(text(record.key))"
        }
        if stored.value != record.value {
            return "the value is \(text(stored.value)), re-execution gives \(text(record.value))"
        }
        if stored.timestamp != record.timestamp {
            return "the time is \(stored.timestamp), re-execution gives \(record.timestamp)"
        }
        return "the headers differ from those of re-execution"
    }

    /// Nothing may follow what the journal names.
    func expectEnd() throws {
        if try next() != nil { throw difference("no journal record names this record") }
    }

    private func difference(_ reason: String) -> DifferenceFound {
        DifferenceFound(
            difference: ReplayDifference(place: place, offset: offset, reason: reason))
    }
}
