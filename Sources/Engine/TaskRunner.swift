import Connectors
import Dataflow
import Foundation
import RecordLog

/// One task of one topology: steps, epochs, journal, snapshots.
///
/// An epoch is what the task commits atomically: outputs and a journal record. If the process ends
/// at any moment, ``recover()`` brings the task to the last journaled epoch by re-execution, and
/// checks every regenerated record on the way. Threading: one worker at a time.
final class TaskRunner {
    let identity: TaskIdentity
    /// Number of the thread that runs it.
    let worker: Int
    let transport: any TaskTransport
    let options: TaskOptions
    var core: TaskCore
    let snapshots: SnapshotStore
    /// Number of the next epoch.
    var epoch: Int64 = 0
    /// Offset after the last record of each output.
    private var outputEnds: [Int64]
    /// Positions before the epoch under way.
    private var starts: [Int64]
    /// Steps of the epoch under way.
    private var steps: [JournalStep] = []
    private var rowsInEpoch = 0
    private var rowsSinceSnapshot = 0
    private var boundedTo: [Int64]?
    /// Where the stages of the bounded run have ended.
    private var ends: WriterEnds?
    /// Nothing was taken since the last flush.
    private var isFlushed = true
    private var lastSnapshot: SnapshotMark?
    /// The journal's last record.
    private var lastRecord: EpochRecord?
    /// The encoded epoch whose commit has failed; the same bytes are sent again.
    private var pending: PendingEpoch?
    private(set) var counters = TaskCounters()
    /// Told of what the task does.
    let monitor: RunMonitor
    private(set) var metrics: TaskMetrics?

    init(
        _ identity: TaskIdentity, transport: any Transport, worker: Int, options: TaskOptions,
        monitor: RunMonitor
    ) throws {
        self.identity = identity
        self.worker = worker
        let places = identity.places
        let own = try transport.task(places, worker: worker)
        self.transport = own
        self.options = options
        self.monitor = monitor
        metrics = TaskMetrics(monitor.metrics, identity)
        snapshots = SnapshotStore(own.snapshots)
        starts = try places.sources.map { try own.source($0).firstOffset() }
        outputEnds = identity.outputs.map { _ in 0 }
        core = try Self.makeCore(
            identity, own, options, positions: starts, outputStarts: outputEnds)
    }

    static func makeCore(
        _ identity: TaskIdentity, _ transport: any TaskTransport, _ options: TaskOptions,
        positions: [Int64], outputStarts: [Int64]
    ) throws -> TaskCore {
        let places = identity.places
        let sources = try identity.sources { try transport.source($0) }
        let inputs = identity.inputs.indices.map { index in
            TaskInput(
                identity.inputs, index: index, of: identity.plan, source: sources[index],
                position: positions[index], maximumRowCount: options.batchRows)
        }
        let outputs = places.outputs.enumerated().map { index, output in
            OutputTopic(
                output.place, codec: transport.storesBatches ? output.codec : .none,
                start: outputStarts[index],
                sender: identity.outputs[index].sharesPartition ? identity.partition : nil)
        }
        return TaskCore(
            plan: identity.plan, partition: identity.partition,
            partitionCount: identity.partitionCount, inputs: inputs, outputs: outputs,
            options: options)
    }

    // MARK: Recovered state

    /// Takes up where a journal record ends.
    func resume(after record: EpochRecord, snapshot: SnapshotMark?, executedRows: Int) {
        lastRecord = record
        epoch = record.epoch + 1
        starts = record.positions
        outputEnds = record.outputEnds
        boundedTo = record.boundedTo
        isFlushed = record.isFlushed
        lastSnapshot = snapshot
        rowsSinceSnapshot = executedRows
    }

    // MARK: Bounded runs

    /// Stands for the end of an input that another stage of the run writes.
    private static let writersEnd: Int64 = -1

    /// Fixes the end positions of a bounded run, unless one is under way. Of inputs that another
    /// stage of the run writes, `ends` tells the end when that stage has reached its own.
    func beginBounded(_ ends: WriterEnds) throws {
        self.ends = ends
        let places = identity.places.sources
        if boundedTo == nil {
            boundedTo = try places.map {
                ends.isAwaited($0.topic)
                    ? Self.writersEnd : try transport.source($0).committedEnd()
            }
        }
        for (index, end) in (boundedTo ?? []).enumerated() {
            let place = places[index]
            if end != Self.writersEnd {
                core.inputs[index].limit = end
            } else if ends.isAwaited(place.topic) {
                // Re-execution has left the limit at the last journaled position.
                core.inputs[index].limit = nil
                let writer = identity.inputs[index].writer
                core.inputs[index].writerEnd = { ends.end(of: place, task: writer) }
            } else {
                // The writer is not in this run.
                core.inputs[index].limit = try transport.source(place).committedEnd()
            }
        }
    }

    /// How a bounded run gets on.
    enum BoundedProgress {
        case advanced
        /// For rows of another stage.
        case waiting
        /// Everything is committed.
        case complete
    }

    /// Takes the next rows of a bounded run.
    func stepBounded() throws -> BoundedProgress {
        let (taken, atEnd) = try core.merge(mostRows: options.epochRows - rowsInEpoch)
        note(taken: taken, atEnd: atEnd)
        if taken > 0 {
            if rowsInEpoch >= options.epochRows { try commitEpoch() }
            return .advanced
        }
        guard atEnd.count == core.inputs.count else { return .waiting }
        if !isFlushed {
            note(.flush)
            try core.flush()
            isFlushed = true
        }
        boundedTo = nil
        try commitEpoch()
        for (output, end) in zip(identity.places.outputs, outputEnds) {
            ends?.note(output.place, task: identity.partition, end: end)
        }
        return .complete
    }

    // MARK: Following runs

    /// A following run reads on as records are committed.
    func beginFollowing() {
        boundedTo = nil
        for input in core.inputs {
            input.limit = nil
            input.writerEnd = nil
        }
    }

    /// Notes where the task stands, for who watches it.
    func noteState() throws { try metrics?.noteState(core) }

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
        where try input.fill(keys: &core.pipeline.keys) == .ended {
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

    /// Notes rows taken. Two merges in a row are one, as long as no input that was at its end in
    /// the first gave rows in the second: the rule then takes them in the same order.
    private func note(taken: Int, atEnd: [Int]) {
        guard taken > 0 else { return }
        rowsInEpoch += taken
        rowsSinceSnapshot += taken
        counters.rows += taken
        metrics?.read(taken)
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
        let began = Date()
        let epochToCommit = try pending ?? encodeEpoch()
        pending = epochToCommit
        let stored = try transport.commit(
            epochToCommit.outputs, positions: epochToCommit.record.positions
        ) { try epochToCommit.record(storedAt: $0).encoded() }
        pending = nil
        let record = epochToCommit.record(storedAt: stored)
        for range in record.outputs {
            counters.outputs[range.topic, default: 0] += Int(range.records)
        }
        lastRecord = record
        outputEnds = record.outputEnds
        starts = record.positions
        epoch += 1
        counters.epochs += 1
        metrics?.committed(record, seconds: Date().timeIntervalSince(began))
        steps = []
        rowsInEpoch = 0
        monitor.trace?("\(identity.name) epoch \(epoch - 1) is committed")
        if rowsSinceSnapshot >= options.snapshotRows { try writeSnapshot() }
    }

    /// An epoch as it is committed.
    private struct PendingEpoch {
        /// With the outputs where they were composed.
        var record: EpochRecord
        /// Those that have records, and their places in the record's ends.
        var outputs: [EpochOutput]
        var indices: [Int]

        /// The journal record, once it is known where the outputs stand.
        func record(storedAt stored: [Range<Int64>]) -> EpochRecord {
            var record = record
            for (number, range) in stored.enumerated() {
                record.outputs[number].from = range.lowerBound
                record.outputs[number].to = range.upperBound
                record.outputEnds[indices[number]] = range.upperBound
            }
            return record
        }
    }

    private func encodeEpoch() throws -> PendingEpoch {
        var outputs: [EpochOutput] = []
        var indices: [Int] = []
        var ranges: [OutputRange] = []
        for (index, output) in core.outputs.enumerated() {
            guard let (range, batches) = try output.finishEpoch() else { continue }
            ranges.append(range)
            indices.append(index)
            outputs.append(
                EpochOutput(
                    append: PartitionAppend(place: output.place, batches: batches),
                    offsets: range.from..<range.to))
        }
        let record = EpochRecord(
            epoch: epoch, plan: identity.planHash, steps: steps, starts: starts,
            positions: core.positions, outputs: ranges, outputEnds: outputEnds,
            watermark: core.pipeline.watermark.flatMap { $0 == .min ? nil : $0 },
            boundedTo: boundedTo, isFlushed: isFlushed, snapshot: lastSnapshot)
        return PendingEpoch(record: record, outputs: outputs, indices: indices)
    }

    /// Writes the state as of the last committed epoch.
    func writeSnapshot() throws {
        guard let lastRecord, rowsSinceSnapshot > 0, steps.isEmpty else { return }
        var snapshot = SnapshotWriter()
        core.pipeline.save(to: &snapshot)
        lastSnapshot = try snapshots.write(snapshot.bytes, after: lastRecord)
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
    let inputs: [InputSlot]
    let outputs: [OutputSlot]

    /// `topicPartitions` counts a topic's partitions.
    init(
        plan: Plan, planHash: String, partition: Int, partitionCount: Int, substreams: Substreams,
        topicPartitions: (String) throws -> Int
    ) rethrows {
        self.plan = plan
        self.planHash = planHash
        self.partition = partition
        self.partitionCount = partitionCount
        inputs = try InputSlot.all(
            of: plan, partition: partition, partitionCount: partitionCount,
            substreams: substreams, topicPartitions: topicPartitions)
        outputs = OutputSlot.all(
            of: plan, partition: partition, partitionCount: partitionCount, substreams: substreams)
    }

    /// A source for each input; substreams that share a partition read it once.
    func sources(
        _ open: (TopicPartition) throws -> any RecordSource
    ) rethrows -> [any RecordSource] {
        var splitters: [TopicPartition: SubstreamSplitter] = [:]
        return try inputs.map { slot in
            let place = TopicPartition(slot.topic, slot.partition)
            guard slot.sharesPartition else { return try open(place) }
            let splitter =
                try splitters[place]
                ?? SubstreamSplitter(try open(place), place, senders: partitionCount)
            splitters[place] = splitter
            return SubstreamSource(splitter, sender: slot.writer)
        }
    }

    var name: String { "\(plan.taskName)/\(partition)" }

    var journal: TopicPartition { TopicPartition(plan.journalTopic, partition) }

    var places: TaskPlaces {
        TaskPlaces(
            group: plan.taskName,
            sources: inputs.map { TopicPartition($0.topic, $0.partition) },
            outputs: outputs.map { (TopicPartition($0.topic, $0.partition), $0.codec.compression) },
            journal: journal, state: TopicPartition(plan.stateTopic, partition))
    }
}

extension SinkPlan.Codec {
    /// The same codec, as the log names it.
    fileprivate var compression: CompressionCodec {
        switch self {
        case .none: .none
        case .lz4: .lz4
        case .zstd: .zstd
        }
    }
}

/// What a task has done since it was started.
package struct TaskCounters: Sendable {
    package var rows = 0
    package var epochs = 0
    /// Records by topic.
    package var outputs: [String: Int] = [:]
}
