import Connectors
import Dataflow
import Foundation
import RecordLog

/// One task of one topology on the embedded log: steps, epochs, journal, snapshots.
///
/// An epoch is what the task commits atomically: outputs and a journal record. If the process ends
/// at any moment, ``recover()`` brings the task to the last journaled epoch by re-execution, and
/// checks every regenerated record on the way. Threading: one worker at a time.
final class TaskRunner {
    let identity: TaskIdentity
    let log: EmbeddedLog
    let options: TaskOptions
    var core: TaskCore
    let snapshots: SnapshotStore
    /// Number of the next epoch: its offset in the journal.
    var epoch: Int64 = 0
    /// Steps of the epoch under way.
    private var steps: [JournalStep] = []
    private var rowsInEpoch = 0
    private var rowsSinceSnapshot = 0
    private var boundedTo: [Int64]?
    /// Nothing was taken since the last flush.
    private var isFlushed = true
    private var lastSnapshot: SnapshotMark?
    /// The encoded epoch whose commit has failed; the same bytes are sent again.
    private var pending: PendingEpoch?
    private(set) var counters = TaskCounters()
    /// Told of what the task does.
    let monitor: RunMonitor

    init(
        _ identity: TaskIdentity, log: EmbeddedLog, options: TaskOptions,
        monitor: RunMonitor
    ) throws {
        self.identity = identity
        self.log = log
        self.options = options
        self.monitor = monitor
        snapshots = SnapshotStore(
            dataPath: log.path, task: identity.plan.taskName, partition: identity.partition)
        core = try Self.makeCore(
            identity, log, options, positions: identity.plan.sources.map { _ in 0 },
            outputStarts: identity.outputTopics.map { _ in 0 })
    }

    static func makeCore(
        _ identity: TaskIdentity, _ log: EmbeddedLog, _ options: TaskOptions,
        positions: [Int64], outputStarts: [Int64]
    ) throws -> TaskCore {
        var inputs: [TaskInput] = []
        for (index, source) in identity.plan.sources.enumerated() {
            let place = TopicPartition(source.topic, identity.partition)
            inputs.append(
                TaskInput(
                    source, index: index, source: try log.source(place),
                    position: positions[index], partition: identity.partition,
                    partitionCount: identity.partitionCount,
                    maximumRowCount: options.batchRows))
        }
        let outputs = identity.outputTopics.enumerated().map { index, topic in
            OutputTopic(topic: topic.name, codec: topic.codec, start: outputStarts[index])
        }
        return TaskCore(
            plan: identity.plan, partition: identity.partition, inputs: inputs,
            outputs: outputs, options: options)
    }

    // MARK: Recovered state

    /// Takes up where a journal record ends.
    func resume(after record: EpochRecord, snapshot: SnapshotMark?, executedRows: Int) {
        epoch = record.epoch + 1
        boundedTo = record.boundedTo
        isFlushed = record.isFlushed
        lastSnapshot = snapshot
        rowsSinceSnapshot = executedRows
    }

    // MARK: Bounded runs

    /// Fixes the end positions of a bounded run, unless one is under way.
    func beginBounded() throws {
        if boundedTo == nil {
            boundedTo = try identity.plan.sources.map { source in
                try log.visibleEnd(TopicPartition(source.topic, identity.partition))
            }
        }
        for (input, end) in zip(core.inputs, boundedTo ?? []) { input.limit = end }
    }

    /// Takes the next rows of a bounded run. False when it is complete and committed.
    func stepBounded() throws -> Bool {
        let (taken, atEnd) = try core.merge(mostRows: options.epochRows - rowsInEpoch)
        note(taken: taken, atEnd: atEnd)
        if taken > 0 {
            if rowsInEpoch >= options.epochRows { try commitEpoch() }
            return true
        }
        if !isFlushed {
            note(.flush)
            try core.flush()
            isFlushed = true
        }
        boundedTo = nil
        try commitEpoch()
        return false
    }

    // MARK: Following runs

    /// A following run reads on as records are committed.
    func beginFollowing() {
        boundedTo = nil
        for input in core.inputs { input.limit = nil }
    }

    /// Takes what is there; commits when the epoch is full or the task has caught up. False when
    /// there was nothing to do.
    func stepFollowing() throws -> Bool {
        if pending != nil { try commitEpoch() }
        let (taken, atEnd) = try core.merge(mostRows: options.epochRows - rowsInEpoch)
        note(taken: taken, atEnd: atEnd)
        if rowsInEpoch >= options.epochRows || (taken == 0 && rowsInEpoch > 0) {
            try commitEpoch()
        }
        return taken > 0
    }

    /// Whether ticks can change anything in this task.
    var needsTicks: Bool { core.pipeline.needsTicks }

    /// Most ticks that wait in an epoch without rows before it is committed.
    private static let mostIdleTicks = 600

    /// A tick of the grid.
    func tick(at time: Int64) throws {
        if pending != nil { try commitEpoch() }
        var atEnd: [Int] = []
        for (index, input) in core.inputs.enumerated()
        where !(try input.fill(keys: &core.pipeline.keys)) {
            atEnd.append(index)
        }
        note(.tick(at: time, atEnd: atEnd))
        try core.tick(at: time, atEnd: atEnd)
        let hasOutput = core.outputs.contains { $0.nextOffset > $0.epochStart }
        if hasOutput || steps.count >= Self.mostIdleTicks { try commitEpoch() }
    }

    // MARK: Epochs

    private func note(_ step: JournalStep) {
        if steps.isEmpty { monitor.trace?("\(identity.name) epoch \(epoch) begins") }
        steps.append(step)
    }

    /// Notes rows taken. Two merges in a row are one, as long as no source that was at its end in
    /// the first gave rows in the second: the rule then takes them in the same order.
    private func note(taken: Int, atEnd: [Int]) {
        guard taken > 0 else { return }
        rowsInEpoch += taken
        rowsSinceSnapshot += taken
        counters.rows += taken
        monitor.recordsRead?(taken)
        isFlushed = false
        let positions = core.positions
        if case .merge(let ends, let earlierAtEnd)? = steps.last,
            earlierAtEnd.allSatisfy({ ends[$0] == positions[$0] })
        {
            steps[steps.count - 1] = .merge(to: positions, atEnd: atEnd)
        } else {
            note(.merge(to: positions, atEnd: atEnd))
        }
    }

    /// Commits the epoch under way: outputs and its journal record become durable and visible
    /// together. Nothing happens when there were no steps.
    ///
    /// When it throws, a full disk for example, the encoded epoch is kept, no further step may be
    /// taken, and calling it again sends the same bytes again.
    func commitEpoch() throws {
        guard !steps.isEmpty else { return }
        monitor.trace?("\(identity.name) epoch \(epoch) commits")
        let epochToCommit = try pending ?? encodeEpoch()
        pending = epochToCommit
        try log.commit(epochToCommit.appends)
        pending = nil
        for range in epochToCommit.record.outputs {
            counters.outputs[range.topic, default: 0] += Int(range.to - range.from)
        }
        epoch += 1
        counters.epochs += 1
        steps = []
        rowsInEpoch = 0
        monitor.trace?("\(identity.name) epoch \(epoch - 1) is committed")
        if rowsSinceSnapshot >= options.snapshotRows { try writeSnapshot() }
    }

    /// An epoch as it is written to the log.
    private struct PendingEpoch {
        var record: EpochRecord
        var appends: [PartitionAppend]
    }

    private func encodeEpoch() throws -> PendingEpoch {
        var appends: [PartitionAppend] = []
        var ranges: [OutputRange] = []
        for output in core.outputs {
            guard let (range, batches) = try output.finishEpoch() else { continue }
            ranges.append(range)
            appends.append(
                PartitionAppend(
                    place: TopicPartition(output.topic, identity.partition), batches: batches))
        }
        let record = EpochRecord(
            epoch: epoch, plan: identity.planHash, steps: steps, positions: core.positions,
            outputs: ranges, outputEnds: core.outputs.map(\.nextOffset),
            watermark: core.pipeline.watermark.flatMap { $0 == .min ? nil : $0 },
            boundedTo: boundedTo, isFlushed: isFlushed, snapshot: lastSnapshot)
        appends.append(try journalAppend(record))
        return PendingEpoch(record: record, appends: appends)
    }

    private func journalAppend(_ record: EpochRecord) throws -> PartitionAppend {
        var builder = RecordBatchBuilder()
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        builder.append(timestampMilliseconds: now, key: nil, value: try record.encoded())
        return PartitionAppend(
            place: identity.journal,
            batches: [try builder.finish(baseOffset: record.epoch, codec: .none)])
    }

    /// Writes the state as of the last committed epoch.
    func writeSnapshot() throws {
        guard epoch > 0, rowsSinceSnapshot > 0, steps.isEmpty else { return }
        var snapshot = SnapshotWriter()
        core.pipeline.save(to: &snapshot)
        lastSnapshot = try snapshots.write(
            snapshot.bytes, epoch: epoch - 1, plan: identity.planHash)
        rowsSinceSnapshot = 0
    }

    /// A clean stop: the epoch under way is committed and the state kept.
    func finish() throws {
        try commitEpoch()
        try writeSnapshot()
    }
}

/// Which task this is.
struct TaskIdentity {
    let plan: Plan
    let planHash: String
    let partition: Int
    let partitionCount: Int

    var name: String { "\(plan.taskName)/\(partition)" }

    var journal: TopicPartition { TopicPartition(plan.journalTopic, partition) }

    /// The sinks' topics, then that of the rejects.
    var outputTopics: [(name: String, codec: CompressionCodec)] {
        plan.sinks.map { sink in
            let codec: CompressionCodec =
                switch sink.codec {
                case .none: .none
                case .lz4: .lz4
                case .zstd: .zstd
                }
            return (sink.topic, codec)
        } + [(plan.rejectTopic, .lz4)]
    }
}

extension Plan {
    /// Name of the stage's tasks: also that of its consumer group on a cluster.
    var taskName: String { "\(name).v\(version)" }
}

/// What a task has done since it was started.
package struct TaskCounters: Sendable {
    package var rows = 0
    package var epochs = 0
    /// Records by topic.
    package var outputs: [String: Int] = [:]
}
