import Dataflow

/// One input of a task: a partition of one of its sources, or the substream of one sending task.
struct InputSlot: Equatable {
    /// Index of the source in the plan.
    var source: Int
    var topic: String
    var partition: Int
    /// Partitions over which the topic's keys are spread.
    var partitionCount: Int
    /// The task that writes the records of this input.
    var writer: Int
    /// Whether other tasks' records stand in the same partition.
    var sharesPartition: Bool

    /// The inputs of task `partition` of `partitionCount`, by source and partition: the order in
    /// which the merge takes rows of one time. `topicPartitions` counts a topic's partitions.
    static func all(
        of plan: Plan, partition: Int, partitionCount: Int, substreams: Substreams,
        topicPartitions: (String) throws -> Int
    ) rethrows -> [InputSlot] {
        var slots: [InputSlot] = []
        for (index, source) in plan.sources.enumerated() {
            func slot(_ number: Int, of count: Int, writer: Int, shares: Bool = false) -> InputSlot
            {
                InputSlot(
                    source: index, topic: source.topic, partition: number, partitionCount: count,
                    writer: writer, sharesPartition: shares)
            }
            switch source.partitions {
            case .own: slots.append(slot(partition, of: partitionCount, writer: partition))
            case .all:
                let count = try topicPartitions(source.topic)
                slots += (0..<count).map { slot($0, of: count, writer: $0) }
            case .substreams:
                slots += (0..<partitionCount).map { sender in
                    slot(
                        substreams.partition(from: sender, to: partition, of: partitionCount),
                        of: partitionCount, writer: sender, shares: substreams == .shared)
                }
            }
        }
        return slots
    }
}

/// One output of a task: a partition, or the substream to one receiving task.
struct OutputSlot: Equatable {
    var topic: String
    var partition: Int
    var codec: SinkPlan.Codec
    /// Whether other tasks write to the same partition.
    var sharesPartition = false

    /// The outputs of a task: one a sink, one a receiving task for each rekeyed stream, and its
    /// rejects.
    static func all(
        of plan: Plan, partition: Int, partitionCount: Int, substreams: Substreams
    ) -> [OutputSlot] {
        var slots = plan.sinks.map {
            OutputSlot(topic: $0.topic, partition: partition, codec: $0.codec)
        }
        for rekey in plan.rekeys {
            slots += (0..<partitionCount).map { target in
                OutputSlot(
                    topic: rekey.topic,
                    partition: substreams.partition(
                        from: partition, to: target, of: partitionCount), codec: .lz4,
                    sharesPartition: substreams == .shared)
            }
        }
        return slots + [OutputSlot(topic: plan.rejectTopic, partition: partition, codec: .lz4)]
    }
}

/// Where the substreams of a rekeyed topic stand, one for each pair of a sending and a receiving
/// task.
enum Substreams {
    /// Each has a partition of its own.
    case own
    /// Those of one receiving task share a partition; a header names the sender.
    case shared

    /// Partitions of the topic between two stages of `taskCount` tasks each.
    func partitionCount(taskCount: Int) -> Int {
        self == .shared ? taskCount : taskCount * taskCount
    }

    /// The other way round.
    func taskCount(partitionCount: Int) -> Int {
        self == .shared ? partitionCount : Int(Double(partitionCount).squareRoot().rounded())
    }

    /// The partition that task `sender` writes for task `target`.
    func partition(from sender: Int, to target: Int, of taskCount: Int) -> Int {
        self == .shared ? target : target * taskCount + sender
    }
}
