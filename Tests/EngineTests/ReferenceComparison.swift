import Columnar
import Dataflow
import Engine
import RecordLog
import TestKit
import Topology

/// Runs a script on the reference engine and on the real one, and compares.
struct ReferenceComparison {
    let topology: ReferenceTopology
    let taskCount: Int
    /// One a stage.
    let plans: [Plan]

    init(_ scenario: ReferenceScenario) throws {
        topology = scenario.topology
        taskCount = scenario.taskCount
        plans = try TopologyLoader.load(topology.texts).plans
    }

    /// How the real engine runs.
    struct Variant: CustomStringConvertible {
        var batchRows = 2048
        var collides = false
        /// Restart after this action.
        var restart: Int?

        var description: String {
            "batches of \(batchRows)\(collides ? ", colliding hashes" : "")"
                + (restart.map { ", restarted after action \($0)" } ?? "")
        }
    }

    /// What a run gave.
    struct Outcome {
        /// By sink and task.
        var sinks: [[[OutputRecord]]]
        /// By stage and task.
        var rejects: [[[OutputRecord]]]
        var state: [UInt8]

        /// Adds what came before this.
        mutating func prepend(_ earlier: Outcome) {
            for sink in sinks.indices {
                for task in sinks[sink].indices {
                    sinks[sink][task] = earlier.sinks[sink][task] + sinks[sink][task]
                }
            }
            for stage in rejects.indices {
                for task in rejects[stage].indices {
                    rejects[stage][task] = earlier.rejects[stage][task] + rejects[stage][task]
                }
            }
        }
    }

    func variants(_ actionCount: Int) -> [Variant] {
        [
            Variant(batchRows: 1), Variant(batchRows: 2, collides: true), Variant(batchRows: 7),
            Variant(batchRows: 2048, restart: actionCount / 2),
            Variant(batchRows: 7, collides: true, restart: actionCount * 3 / 4),
        ]
    }

    /// The first difference, nil when all agree.
    func difference(_ script: [ReferenceAction]) throws -> String? {
        let outcome = try run(script, Variant())
        if let text = compare(outcome, reference(script)) { return text }
        for variant in variants(script.count) {
            let other = try run(script, variant)
            if let text = compare(outcome, other) { return "\(variant): \(text)" }
        }
        return nil
    }

    func reference(_ script: [ReferenceAction]) -> ReferenceEngine {
        var read: [String: Set<String>] = [:]
        for source in plans.flatMap(\.sources) {
            read[source.name, default: []].formUnion(
                source.fieldsRead.map { source.schema.fields[$0].name })
        }
        let engine = ReferenceEngine(topology, fieldsRead: read, taskCount: taskCount)
        for action in script {
            switch action {
            case .append(let source, let record): engine.append(source, record)
            case .merge: engine.merge()
            case .tick(let time): engine.tick(at: time)
            case .flush: engine.flush()
            }
        }
        return engine
    }

    func run(_ script: [ReferenceAction], _ variant: Variant) throws -> Outcome {
        var options = TaskOptions()
        options.batchRows = variant.batchRows
        options.collidingHashes = variant.collides
        var driver = StagedDriver(plans: plans, taskCount: taskCount, options: options)
        func outcome() -> Outcome {
            Outcome(
                sinks: topology.sinks.indices.map { driver.records(sink: "out.\($0)") },
                rejects: driver.rejectsByTask, state: driver.state())
        }
        var earlier: Outcome?
        var isMerged = true
        var restart = variant.restart
        // Appended together, so that batches of more than one row are cut.
        let none = Array(repeating: [OutputRecord](), count: taskCount)
        var waiting = topology.sources.map { _ in none }
        for (index, action) in script.enumerated() {
            switch action {
            case .append(let source, let record):
                waiting[source][record.partition].append(outputRecord(record))
                isMerged = false
            case .merge:
                for (source, partitions) in zip(topology.sources, waiting) {
                    for (partition, records) in partitions.enumerated() {
                        try driver.append(source: source.name, partition: partition, records)
                    }
                }
                waiting = topology.sources.map { _ in none }
                try driver.merge()
                isMerged = true
            case .tick(let time): try driver.tick(at: time * 1000)
            case .flush: try driver.flush()
            }
            if let place = restart, index >= place, isMerged {
                earlier = outcome()
                driver = try driver.restarted(options: options)
                restart = nil
            }
        }
        var result = outcome()
        if let earlier { result.prepend(earlier) }
        return result
    }

    private func outputRecord(_ record: ReferenceRecord) -> OutputRecord {
        var headers: [UInt8] = []
        if record.arrivalIsHeader {
            RecordHeader("plumbline.arrival", "\(record.arrival)").encode(into: &headers)
        }
        return OutputRecord(
            timestamp: record.arrivalIsHeader ? 1 : record.arrival, key: nil,
            value: Array(record.text.utf8), headers: headers,
            headerCount: record.arrivalIsHeader ? 1 : 0)
    }
}
