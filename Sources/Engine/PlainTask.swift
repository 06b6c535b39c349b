import Connectors
import Dataflow
import RecordLog

/// One task of a topology over records that are at hand, without a log: for measuring what a task
/// does between reading and writing.
///
/// The same core as a task of a run: rows are merged, judged and executed as there, outputs are
/// composed, hashed and made into record batches as for an epoch. Nothing is stored and nothing is
/// journaled. Threading: one thread.
package final class PlainTask {
    private let core: TaskCore
    private let options: TaskOptions

    /// `sources` are those of the plan, in its order; each is the only partition of its topic.
    /// Batches are not compressed.
    package init(
        plan: Plan, sources: [any RecordSource], options: TaskOptions = TaskOptions()
    ) {
        self.options = options
        let slots = InputSlot.all(
            of: plan, partition: 0, partitionCount: 1, substreams: .own,
            topicPartitions: { _ in 1 })
        let outputs = OutputSlot.all(
            of: plan, partition: 0, partitionCount: 1, substreams: .own)
        core = TaskCore(
            plan: plan, partition: 0, partitionCount: 1,
            inputs: slots.indices.map { index in
                TaskInput(
                    slots, index: index, of: plan, source: sources[slots[index].source],
                    position: 0, maximumRowCount: options.batchRows)
            },
            outputs: outputs.map {
                OutputTopic(TopicPartition($0.topic, $0.partition), codec: .none, start: 0)
            }, options: options)
    }

    /// Takes all that the sources have, as a bounded run does, in epochs of
    /// ``TaskOptions/epochRows``. `deliver` gets the record batches of each output, in the order of
    /// the sinks and the rejects last. Returns the number of records taken.
    ///
    /// Throws what a source or `deliver` throws.
    package func run(_ deliver: (_ output: Int, _ batches: [[UInt8]]) throws -> Void) throws -> Int
    {
        var count = 0
        while true {
            let taken = try core.merge(mostRows: options.epochRows).taken
            if taken == 0 { break }
            count += taken
            try finishEpoch(deliver)
        }
        try core.flush()
        try finishEpoch(deliver)
        return count
    }

    private func finishEpoch(
        _ deliver: (_ output: Int, _ batches: [[UInt8]]) throws -> Void
    ) throws {
        for (index, output) in core.outputs.enumerated() {
            if let written = try output.finishEpoch() { try deliver(index, written.batches) }
        }
    }
}
