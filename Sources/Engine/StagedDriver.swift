import Dataflow

/// Runs all stages of a topology in memory: for the cases of topologies and for tests.
///
/// What a stage rekeys goes to the next one after each call. Threading: one thread.
package final class StagedDriver {
    /// By stage and task.
    private let stages: [[TopologyDriver]]
    private let taskCount: Int
    /// Per stage, task, rekeyed stream and receiving task: records handed on.
    private var handedOn: [[[[Int]]]]

    /// `plans` are the stages of one topology, upstream first; each has `taskCount` tasks.
    package convenience init(
        plans: [Plan], taskCount: Int = 1, options: TaskOptions = TaskOptions()
    ) {
        let stages = plans.map { plan in
            (0..<taskCount).map { task in
                TopologyDriver(
                    plan: plan, partition: task, partitionCount: taskCount,
                    topicPartitions: taskCount, options: options)
            }
        }
        self.init(stages: stages, taskCount: taskCount)
    }

    private init(stages: [[TopologyDriver]], taskCount: Int) {
        self.stages = stages
        self.taskCount = taskCount
        handedOn = stages.map { tasks in
            tasks.map { task in
                task.plan.rekeys.map { _ in Array(repeating: 0, count: taskCount) }
            }
        }
    }

    /// A driver with the state of this one and nothing collected: as after a restart.
    package func restarted(options: TaskOptions = TaskOptions()) throws -> StagedDriver {
        StagedDriver(
            stages: try stages.map { try $0.map { try $0.restarted(options: options) } },
            taskCount: taskCount)
    }

    /// Adds committed records to a partition of a source, by its name, in every stage that reads
    /// it.
    package func append(
        source name: String, partition: Int = 0, _ records: [OutputRecord]
    ) throws {
        for task in stages.joined() {
            for (index, source) in task.plan.sources.enumerated()
            where source.name == name && source.partitions != .substreams {
                try task.append(source: index, partition: partition, records)
            }
        }
    }

    /// Takes everything that is there, stage after stage.
    package func merge() throws { try forEachStage { try $0.merge() } }

    /// A recorded tick, all sources being at their end.
    package func tick(at time: Int64) throws {
        try forEachStage { task in
            try task.merge()
            try task.tick(at: time)
        }
    }

    /// The end of a bounded run: each stage takes all that the ones before it have written.
    package func flush() throws {
        try forEachStage { task in
            try task.merge()
            try task.flush()
        }
    }

    private func forEachStage(_ body: (TopologyDriver) throws -> Void) throws {
        for stage in stages.indices {
            for (task, driver) in stages[stage].enumerated() {
                try body(driver)
                try handOn(from: stage, task)
            }
        }
    }

    private func handOn(from stage: Int, _ sender: Int) throws {
        let driver = stages[stage][sender]
        for (number, rekey) in driver.plan.rekeys.enumerated() {
            for target in 0..<taskCount {
                let all = driver.records(rekey: number, target: target)
                let records = Array(all[handedOn[stage][sender][number][target]...])
                handedOn[stage][sender][number][target] = all.count
                let partition = Substreams.own.partition(from: sender, to: target, of: taskCount)
                for tasks in stages[(stage + 1)...] {
                    for (source, plan) in tasks[target].plan.sources.enumerated()
                    where plan.topic == rekey.topic {
                        try tasks[target].append(source: source, partition: partition, records)
                    }
                }
            }
        }
    }

    /// Records of a sink so far, by task; empty for a topic that no sink writes.
    package func records(sink topic: String) -> [[OutputRecord]] {
        for tasks in stages {
            if let index = tasks[0].plan.sinks.firstIndex(where: { $0.topic == topic }) {
                return tasks.map { $0.records(sink: index) }
            }
        }
        return []
    }

    /// Records of every sink of a driver with one task so far, by topic.
    package var sinkRecords: [String: [OutputRecord]] {
        let topics = stages.flatMap { $0[0].plan.sinks.map(\.topic) }
        return Dictionary(
            topics.map { ($0, records(sink: $0).flatMap(\.self)) }, uniquingKeysWith: { a, _ in a })
    }

    /// Rejects so far, by stage and task.
    package var rejectsByTask: [[[OutputRecord]]] { stages.map { $0.map(\.rejects) } }

    /// Rejects of all stages so far.
    package var rejects: [OutputRecord] { rejectsByTask.flatMap { $0.flatMap(\.self) } }

    /// The state of all tasks in canonical form.
    package func state() -> [UInt8] { stages.flatMap { $0.flatMap { $0.state() } } }
}
