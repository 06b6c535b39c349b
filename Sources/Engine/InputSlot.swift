import Dataflow

/// One input of a task: a partition of one of its sources.
struct InputSlot: Equatable {
    /// Index of the source in the plan.
    var source: Int
    var topic: String
    var partition: Int
    /// Partitions over which the topic's keys are spread.
    var partitionCount: Int

    /// The inputs of task `partition` of `partitionCount`, by source and partition: the order in
    /// which the merge takes rows of one time. `topicPartitions` counts a topic's partitions.
    static func all(
        of plan: Plan, partition: Int, partitionCount: Int,
        topicPartitions: (String) throws -> Int
    ) rethrows -> [InputSlot] {
        var slots: [InputSlot] = []
        for (index, source) in plan.sources.enumerated() {
            let partitions: Range<Int> =
                switch source.partitions {
                case .own: partition..<partition + 1
                case .all: 0..<(try topicPartitions(source.topic))
                case .substreams: Substream.partitions(ofTarget: partition, of: partitionCount)
                }
            let spread = source.partitions == .all ? partitions.count : partitionCount
            slots += partitions.map {
                InputSlot(
                    source: index, topic: source.topic, partition: $0, partitionCount: spread)
            }
        }
        return slots
    }
}

/// One output of a task: a partition that it alone writes.
struct OutputSlot: Equatable {
    var topic: String
    var partition: Int
    var codec: SinkPlan.Codec

    /// The outputs of a task: one a sink, one a receiving task for each rekeyed stream, and its
    /// rejects.
    static func all(of plan: Plan, partition: Int, partitionCount: Int) -> [OutputSlot] {
        var slots = plan.sinks.map {
            OutputSlot(topic: $0.topic, partition: partition, codec: $0.codec)
        }
        for rekey in plan.rekeys {
            slots += (0..<partitionCount).map { target in
                OutputSlot(
                    topic: rekey.topic,
                    partition: Substream.partition(
                        from: partition, to: target, of: partitionCount), codec: .lz4)
            }
        }
        return slots + [OutputSlot(topic: plan.rejectTopic, partition: partition, codec: .lz4)]
    }
}

/// Where the substreams of a rekeyed topic stand: each pair of a sending and a receiving task has
/// a partition of its own, so that every partition has one writer.
enum Substream {
    /// Partitions of the topic between two stages of `taskCount` tasks each.
    static func partitionCount(taskCount: Int) -> Int { taskCount * taskCount }

    /// The other way round.
    static func taskCount(partitionCount: Int) -> Int {
        Int(Double(partitionCount).squareRoot().rounded())
    }

    /// The partition that task `sender` writes for task `target`.
    static func partition(from sender: Int, to target: Int, of taskCount: Int) -> Int {
        target * taskCount + sender
    }

    /// All that task `target` reads, by sender.
    static func partitions(ofTarget target: Int, of taskCount: Int) -> Range<Int> {
        target * taskCount..<(target + 1) * taskCount
    }

    /// The task that writes a partition.
    static func sender(ofPartition partition: Int, of taskCount: Int) -> Int {
        partition % taskCount
    }
}
