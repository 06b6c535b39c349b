/// A topology, slowly and obviously: row by row, dictionaries by key, results computed anew from
/// all rows; stage after stage, task after task.
///
/// The oracle of the real engine, written from the documented semantics alone. Not thread-safe.
package final class ReferenceEngine {
    private let stages: [[ReferenceTask]]

    /// `fieldsRead` gives, by source, the names of the fields that are decoded; others cannot be
    /// at fault.
    package init(
        _ topology: ReferenceTopology, fieldsRead: [String: Set<String>], taskCount: Int = 1
    ) {
        let graph = ReferenceGraph(topology)
        stages = (1...graph.stageCount).map { stage in
            (0..<taskCount).map { partition in
                ReferenceTask(
                    graph, stage: stage, partition: partition, taskCount: taskCount,
                    fieldsRead: fieldsRead)
            }
        }
    }

    /// Appends a record to its partition of a source; offsets count from 0.
    package func append(_ source: Int, _ record: ReferenceRecord) {
        for task in stages.joined() { task.append(source, record) }
    }

    /// Takes everything that is there, record by record.
    package func merge() { forEachTask { $0.merge() } }

    /// A recorded tick (milliseconds), all sources being at their end.
    package func tick(at time: Int64) {
        forEachTask { task in
            task.merge()
            task.tick(at: time * 1000)
        }
    }

    /// The end of a bounded run.
    package func flush() {
        forEachTask { task in
            task.merge()
            task.flush()
        }
    }

    /// What a stage rekeys is there when the next one begins.
    private func forEachTask(_ body: (ReferenceTask) -> Void) {
        for (index, tasks) in stages.enumerated() {
            for task in tasks {
                body(task)
                let sent = task.takeSent()
                for receiver in stages[(index + 1)...].joined() { receiver.receive(sent) }
            }
        }
    }

    /// Records of a sink so far, by task.
    package func outputs(sink: Int) -> [[ReferenceOutput]] {
        let tasks = stages.first { $0[0].sinks.contains(sink) } ?? []
        return tasks.map { $0.outputs[sink] ?? [] }
    }

    /// Rejects so far, by stage and task.
    package var rejects: [[[ReferenceReject]]] { stages.map { $0.map(\.rejects) } }
}

/// The stages of a topology. A rekeyed stream is a source of the next stage; its index follows
/// those of the topology's sources.
struct ReferenceGraph {
    let topology: ReferenceTopology
    /// Per step; a rekey belongs to the stage that it ends.
    private(set) var stage: [Int] = []
    var stageCount: Int { stage.max() ?? 1 }

    init(_ topology: ReferenceTopology) {
        self.topology = topology
        for step in topology.steps {
            stage.append(inputs(step).map(stageAfter).max() ?? 1)
        }
    }

    func inputs(_ step: ReferenceStep) -> [ReferenceUpstream] {
        if case .union(let streams) = step.operation { return streams }
        return [step.from]
    }

    func isRekey(_ step: Int) -> Bool {
        if case .rekey = topology.steps[step].operation { return true }
        return false
    }

    /// The stage that reads a stream; a source itself is read anywhere.
    private func stageAfter(_ upstream: ReferenceUpstream) -> Int {
        switch upstream {
        case .source: 1
        case .step(let step): stage[step] + (isRekey(step) ? 1 : 0)
        }
    }

    /// The stage whose task writes a sink.
    func stage(ofSink sink: Int) -> Int { stageAfter(.step(topology.sinks[sink])) }

    /// The source whose rows a stage reads as `upstream`; nil for a step of its own.
    func source(_ upstream: ReferenceUpstream) -> Int? {
        switch upstream {
        case .source(let source): source
        case .step(let step): isRekey(step) ? topology.sources.count + step : nil
        }
    }

    /// Sources that a stage reads, in the order in which rows of one time are taken: those of the
    /// file, then rekeyed streams in the order of the steps.
    func sources(ofStage number: Int) -> [Int] {
        var found: Set<Int> = []
        for (index, step) in topology.steps.enumerated() where stage[index] == number {
            for input in inputs(step) { if let source = source(input) { found.insert(source) } }
            if case .shape(let lookup?, _, _) = step.operation { found.insert(lookup.table) }
        }
        for (sink, step) in topology.sinks.enumerated() where stage(ofSink: sink) == number {
            if let source = source(.step(step)) { found.insert(source) }
        }
        return found.sorted()
    }
}
