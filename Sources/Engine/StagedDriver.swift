import Dataflow

/// Runs all stages of a topology in memory, one task each: for the cases of topologies.
///
/// What a stage rekeys goes to the next one after each call. Threading: one thread.
package final class StagedDriver {
    private let stages: [TopologyDriver]
    /// Per stage and rekeyed stream: records handed on.
    private var handedOn: [[Int]]

    /// `plans` are the stages of one topology, upstream first.
    package init(plans: [Plan], options: TaskOptions = TaskOptions()) {
        stages = plans.map { TopologyDriver(plan: $0, options: options) }
        handedOn = plans.map { $0.rekeys.map { _ in 0 } }
    }

    /// Adds committed records to a source, by its name, in every stage that reads it.
    package func append(source name: String, _ records: [OutputRecord]) throws {
        for stage in stages {
            for (index, source) in stage.plan.sources.enumerated()
            where source.name == name && source.partitions != .substreams {
                try stage.append(source: index, records)
            }
        }
    }

    /// Takes everything that is there, stage after stage.
    package func merge() throws { try forEachStage { try $0.merge() } }

    /// A recorded tick, all sources being at their end.
    package func tick(at time: Int64) throws {
        try forEachStage { stage in
            try stage.merge()
            try stage.tick(at: time)
        }
    }

    /// The end of a bounded run: each stage takes all that the ones before it have written.
    package func flush() throws {
        try forEachStage { stage in
            try stage.merge()
            try stage.flush()
        }
    }

    private func forEachStage(_ body: (TopologyDriver) throws -> Void) throws {
        for index in stages.indices {
            try body(stages[index])
            try handOn(from: index)
        }
    }

    private func handOn(from index: Int) throws {
        for (number, rekey) in stages[index].plan.rekeys.enumerated() {
            let records = stages[index].records(rekey: number)[handedOn[index][number]...]
            handedOn[index][number] += records.count
            for stage in stages[(index + 1)...] {
                for (source, plan) in stage.plan.sources.enumerated()
                where plan.topic == rekey.topic {
                    try stage.append(source: source, Array(records))
                }
            }
        }
    }

    /// Records of every sink so far, by topic.
    package var sinkRecords: [String: [OutputRecord]] {
        var result: [String: [OutputRecord]] = [:]
        for stage in stages {
            for (index, sink) in stage.plan.sinks.enumerated() {
                result[sink.topic] = stage.records(sink: index)
            }
        }
        return result
    }

    /// Rejects of all stages so far.
    package var rejects: [OutputRecord] { stages.flatMap(\.rejects) }
}
