import Connectors
import Dataflow
import RecordLog

/// Runs one task of a stage in memory, step by step: for the cases of topologies and for tests.
///
/// The same core as a task on a log: only the storage is missing. Threading: one thread.
package final class TopologyDriver {
    package let plan: Plan
    private let core: TaskCore
    private let sources: [MemorySource]
    private let partitionCount: Int
    private let topicPartitions: Int
    private let collected: [Collected]

    private final class Collected {
        var records: [OutputRecord] = []
    }

    /// `partition` of `partitionCount` decides which keys are in their place and where rekeyed
    /// rows go; a global table has `topicPartitions`.
    package init(
        plan: Plan, partition: Int = 0, partitionCount: Int = 1, topicPartitions: Int = 1,
        options: TaskOptions = TaskOptions()
    ) {
        self.plan = plan
        self.partitionCount = partitionCount
        self.topicPartitions = topicPartitions
        let slots = InputSlot.all(
            of: plan, partition: partition, partitionCount: partitionCount, substreams: .own,
            topicPartitions: { _ in topicPartitions })
        let sources = slots.map { _ in MemorySource() }
        let places = OutputSlot.all(
            of: plan, partition: partition, partitionCount: partitionCount, substreams: .own
        ).map { TopicPartition($0.topic, $0.partition) }
        let collected = places.map { _ in Collected() }
        self.sources = sources
        self.collected = collected
        let outputs = zip(places, collected).map { place, collected in
            OutputTopic(place) { collected.records.append($0) }
        }
        core = TaskCore(
            plan: plan, partition: partition, partitionCount: partitionCount,
            inputs: slots.indices.map { index in
                TaskInput(
                    slots, index: index, of: plan, source: sources[index], position: 0,
                    maximumRowCount: options.batchRows)
            }, outputs: outputs, options: options)
    }

    /// Adds committed records to a source's (first) partition; offsets count on from 0.
    package func append(source: Int, _ records: [OutputRecord]) throws {
        guard let input = core.inputs.firstIndex(where: { $0.slot.source == source }) else {
            return
        }
        try sources[input].append(records)
    }

    /// Adds committed records to one partition of a source, if this task reads it.
    package func append(source: Int, partition: Int, _ records: [OutputRecord]) throws {
        for (index, input) in core.inputs.enumerated()
        where input.slot.source == source && input.slot.partition == partition {
            try sources[index].append(records)
        }
    }

    /// Takes everything that is there, as a step of a following or bounded run.
    package func merge() throws {
        while try core.merge(mostRows: .max).taken > 0 {}
    }

    /// A recorded tick, all sources being at their end.
    package func tick(at time: Int64) throws {
        try core.tick(at: time, atEnd: Array(core.inputs.indices))
    }

    /// The end of a bounded run.
    package func flush() throws { try core.flush() }

    /// Records of a sink so far.
    package func records(sink: Int) -> [OutputRecord] { collected[sink].records }

    /// Rejects so far.
    package var rejects: [OutputRecord] { collected[collected.count - 1].records }

    /// Records of a rekeyed stream so far, for one task of the next stage.
    func records(rekey: Int, target: Int) -> [OutputRecord] {
        collected[plan.sinks.count + rekey * partitionCount + target].records
    }

    /// The state in canonical form.
    package func state() -> [UInt8] {
        var snapshot = SnapshotWriter()
        core.pipeline.save(to: &snapshot)
        return snapshot.bytes
    }

    /// A driver with the state of this one and nothing collected: as after a restart.
    package func restarted(options: TaskOptions = TaskOptions()) throws -> TopologyDriver {
        let next = TopologyDriver(
            plan: plan, partition: core.partition, partitionCount: partitionCount,
            topicPartitions: topicPartitions, options: options)
        var reader = SnapshotReader(state())
        try next.core.pipeline.restore(from: &reader)
        for (old, new) in zip(sources, next.sources) { new.skip(to: old.end) }
        for (input, source) in zip(next.core.inputs, next.sources) {
            input.move(to: source.end)
        }
        return next
    }
}

/// Records of one partition in memory.
final class MemorySource: RecordSource {
    private var blocks: [RecordBlock] = []
    private(set) var end: Int64 = 0
    private let builder = RecordBatchBuilder()
    private let decoder = RecordBatchDecoder()

    /// Encodes and decodes the records, so that they pass through the log's format.
    func append(_ records: [OutputRecord]) throws {
        guard !records.isEmpty else { return }
        for record in records {
            builder.append(
                timestampMilliseconds: record.timestamp, key: record.key?.span,
                value: record.value?.span, encodedHeaders: record.headers.span,
                headerCount: record.headerCount)
        }
        let batch = try builder.finish(baseOffset: end, codec: .none)
        blocks.append(try decoder.decodeAll(batch))
        end += Int64(records.count)
    }

    func skip(to offset: Int64) { end = offset }

    func read(from offset: Int64, limit: Int64?) throws -> RecordBlock? {
        blocks.first { $0.nextOffset > offset }
    }

    func committedEnd() throws -> Int64 { end }

    func firstOffset() throws -> Int64 { 0 }
}
