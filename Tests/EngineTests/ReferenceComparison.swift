import Columnar
import Dataflow
import Engine
import RecordLog
import TestKit
import Topology

/// Runs a script on the reference engine and on the real one, and compares.
struct ReferenceComparison {
    let topology: ReferenceTopology
    let plan: Plan

    init(_ topology: ReferenceTopology) throws {
        self.topology = topology
        plan = try TopologyLoader.load(topology.texts).plan
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

    /// What a run gave, one text a record: sinks in order, then rejects, then the state.
    struct Outcome: Equatable {
        var sinks: [[OutputRecord]]
        var rejects: [OutputRecord]
        var state: [UInt8]
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
        let read = plan.sources.map { source in
            Set(source.fieldsRead.map { source.schema.fields[$0].name })
        }
        let engine = ReferenceEngine(topology, fieldsRead: read)
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
        var driver = TopologyDriver(plan: plan, options: options)
        var sinks = plan.sinks.map { _ in [OutputRecord]() }
        var rejects: [OutputRecord] = []
        func collect() {
            for index in plan.sinks.indices { sinks[index] += driver.records(sink: index) }
            rejects += driver.rejects
        }
        var isMerged = true
        var restart = variant.restart
        // Appended together, so that batches of more than one row are cut.
        var waiting = plan.sources.map { _ in [OutputRecord]() }
        for (index, action) in script.enumerated() {
            switch action {
            case .append(let source, let record):
                waiting[source].append(outputRecord(record))
                isMerged = false
            case .merge:
                for source in waiting.indices {
                    try driver.append(source: source, waiting[source])
                    waiting[source] = []
                }
                try driver.merge()
                isMerged = true
            case .tick(let time): try driver.tick(at: time * 1000)
            case .flush: try driver.flush()
            }
            if let place = restart, index >= place, isMerged {
                collect()
                driver = try driver.restarted(options: options)
                restart = nil
            }
        }
        collect()
        return Outcome(sinks: sinks, rejects: rejects, state: driver.state())
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
