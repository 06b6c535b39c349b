import Columnar
import Connectors
import Dataflow
import RecordLog

/// The deterministic part of a task: merges its inputs, runs its pipeline, composes its outputs.
///
/// The same for a live run, recovery, replay and tests of topologies: given the same steps over
/// the same inputs it composes the same records. It knows no journal and does not store anything.
/// Threading: one thread at a time.
final class TaskCore {
    let plan: Plan
    let partition: Int
    private let partitionCount: Int
    let pipeline: Pipeline
    let inputs: [TaskInput]
    /// One a sink, then one a task for each rekeyed stream, then the reject topic.
    let outputs: [OutputTopic]
    private let composer: RecordComposer
    private let maximumRowCount: Int
    /// Width of the grid of ticks.
    static let tickMicroseconds: Int64 = 1_000_000

    init(
        plan: Plan, partition: Int, partitionCount: Int, inputs: [TaskInput],
        outputs: [OutputTopic], options: TaskOptions
    ) {
        self.plan = plan
        self.partition = partition
        self.partitionCount = partitionCount
        self.inputs = inputs
        self.outputs = outputs
        maximumRowCount = options.batchRows
        let slots = inputs.map(\.slot)
        composer = RecordComposer(plan: plan, slots: slots)
        pipeline = Pipeline(
            plan: plan, inputSources: slots.map(\.source),
            keys: KeyTable(collides: options.collidingHashes),
            maximumRowCount: options.batchRows)
    }

    var positions: [Int64] { inputs.map(\.position) }

    /// Merges the inputs record by record, by (event time, source, partition), up to `mostRows`
    /// rows or until an input that is not at its end has no record at hand.
    ///
    /// Returns the rows taken and the inputs that were at their observed end when it began.
    func merge(mostRows: Int) throws -> (taken: Int, atEnd: [Int]) {
        var isAtEnd = [Bool](repeating: false, count: inputs.count)
        for (index, input) in inputs.enumerated() {
            isAtEnd[index] = try input.fill(keys: &pipeline.keys) == .ended
        }
        var taken = 0
        while taken < mostRows {
            guard let (index, bound, takesTies) = next(isAtEnd) else { break }
            let input = inputs[index]
            let count = input.runLength(
                before: bound, takesTies: takesTies,
                most: min(maximumRowCount, mostRows - taken))
            // The head itself is always taken: it precedes every other head.
            try take(count, from: index)
            taken += count
            if !isAtEnd[index] { _ = try input.fill(keys: &pipeline.keys) }
        }
        return (taken, isAtEnd.indices.filter { isAtEnd[$0] })
    }

    /// The input whose head comes first, and up to where its rows precede all other heads. Nil
    /// when some input that may still have earlier records has none at hand, or none has any.
    private func next(_ isAtEnd: [Bool]) -> (index: Int, bound: Int64, takesTies: Bool)? {
        var best = -1
        for (index, input) in inputs.enumerated() {
            guard input.hasRow else {
                if isAtEnd[index] { continue }
                return nil
            }
            if best < 0 || input.headTime < inputs[best].headTime { best = index }
        }
        guard best >= 0 else { return nil }
        var bound = Int64.max
        var takesTies = true
        for (index, input) in inputs.enumerated() where index != best && input.hasRow {
            // Ties go to the source that stands first in the topology.
            if input.headTime < bound || (input.headTime == bound && index < best) {
                bound = input.headTime
                takesTies = index > best
            }
        }
        return (best, bound, takesTies)
    }

    private func take(_ count: Int, from index: Int) throws {
        try inputs[index].take(count) { piece in
            switch piece {
            case .rows(let batch):
                pipeline.push(source: inputs[index].slot.source, batch)
                try drain()
            case .reject(let reject, let timestamp):
                if let origin = reject.origin { pipeline.take(origin) }
                try rejectOutput.append(composer.compose(reject, timestamp: timestamp))
            case .watermark(let told, let substream, let offset):
                pipeline.take(RecordPlace(input: index, offset: offset))
                pipeline.pushWatermark(
                    told, source: inputs[index].slot.source, substream: substream)
                try drain()
            }
        }
    }

    private var rejectOutput: OutputTopic { outputs[outputs.count - 1] }

    /// A tick of the grid; `atEnd` lists the inputs at their observed end.
    func tick(at time: Int64, atEnd: [Int]) throws {
        // A source is at its end when all its inputs are.
        var isAtEnd = plan.sources.map { _ in true }
        for index in inputs.indices where !atEnd.contains(index) {
            isAtEnd[inputs[index].slot.source] = false
        }
        pipeline.tick(at: time, isAtEnd: isAtEnd, gridMicroseconds: Self.tickMicroseconds)
        try drain()
    }

    /// The end of a bounded run.
    func flush() throws {
        pipeline.flush()
        try drain()
    }

    private func drain() throws {
        let (emissions, rejects) = pipeline.takeOutput()
        for emission in emissions {
            let rekey = emission.output - plan.sinks.count
            switch emission.content {
            case .rows(let batch) where rekey < 0:
                let records = composer.compose(
                    batch, as: emission.positions, sink: emission.output, keys: pipeline.keys)
                try outputs[emission.output].append(records)
            case .rows(let batch):
                let records = composer.compose(batch, rekey: rekey)
                for index in 0..<records.count {
                    let target = Partitioner.partition(
                        records.keys.array(index), count: partitionCount)
                    // An earlier version stays with the correction that follows it.
                    try substream(rekey, to: target).append(
                        records, index, isFollowed: batch.change(index) == .before)
                }
            case .watermark(let watermark):
                let record = RekeyedRecord.record(watermark: watermark)
                for target in 0..<partitionCount {
                    try substream(rekey, to: target).append(record)
                }
            }
        }
        for reject in rejects {
            try rejectOutput.append(
                composer.compose(reject, timestamp: (reject.time ?? 0) / 1000))
        }
    }

    private func substream(_ rekey: Int, to target: Int) -> OutputTopic {
        outputs[plan.sinks.count + rekey * partitionCount + target]
    }

    /// Takes a recorded step again: records before the given ends, in the order of the rule.
    func execute(_ step: JournalStep) throws {
        switch step {
        case .merge(let ends, _):
            guard ends.count == inputs.count else {
                throw EngineError("a journal step does not fit the plan's sources")
            }
            for (input, end) in zip(inputs, ends) { input.limit = end }
            while true {
                let taken = try merge(mostRows: .max).taken
                if taken == 0 { break }
            }
            guard positions == ends else {
                throw EngineError(
                    "re-execution of partition \(partition) stopped at \(positions), the journal"
                        + " says \(ends)",
                    hint: "input records are missing; restore the data directory from a copy")
            }
        case .tick(let time, let atEnd): try tick(at: time, atEnd: atEnd)
        case .flush: try flush()
        }
    }
}

/// What a run may vary without changing a record.
package struct TaskOptions: Sendable {
    /// Rows in a batch at the most.
    package var batchRows = Batch.maximumRowCount
    /// Sends all keys to one slot of the hash tables: for tests.
    package var collidingHashes = false
    /// Rows in an epoch at the most.
    package var epochRows = 1 << 16
    /// Rows between snapshots.
    package var snapshotRows = 1 << 20

    package init() {}
}
