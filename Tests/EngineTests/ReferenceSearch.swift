import Foundation
import Primitives
import TestKit
import Topology

/// Looks for a seed on which the engines differ, and makes its script short.
enum ReferenceSearch {
    /// What a seed shows, with everything needed to see it; nil when all agree.
    static func failure(_ seed: UInt64, _ family: ReferenceFamily) throws -> String? {
        try failure(ReferenceScenario(family, seed: seed), named: "\(family) seed \(seed)")
    }

    /// What a scenario shows, made as short as it goes.
    static func failure(_ scenario: ReferenceScenario, named name: String) throws -> String? {
        let comparison: ReferenceComparison
        do {
            comparison = try ReferenceComparison(scenario)
        } catch let error as DiagnosticList {
            let text = error.diagnostics.map { "\($0)" }.joined(separator: "\n")
            return "\(name): not a topology\n\(scenario.topology.yaml)\n\(text)"
        }
        guard var difference = try comparison.difference(scenario.script) else { return nil }
        var shortest = scenario
        var index = 0
        while index < shortest.script.count {
            var candidate = shortest.script
            candidate.remove(at: index)
            if Self.isValid(candidate), let found = try comparison.difference(candidate) {
                (shortest.script, difference) = (candidate, found)
            } else {
                index += 1
            }
        }
        let json = try JSONEncoder().encode(shortest)
        return "\(name), \(scenario.taskCount) tasks: \(difference)\n"
            + "\(scenario.topology.yaml)\n\(Self.text(shortest.script, scenario.topology))\n"
            + "to keep it in Fixtures/regressions: {\"what\":\"\",\"scenario\":"
            + String(decoding: json, as: UTF8.self) + "}"
    }

    /// What a seed's script brings about in the reference engine: changes, events and reasons, by
    /// name. Tells whether random scripts reach what they are to test.
    static func coverage(_ seed: UInt64, _ family: ReferenceFamily) throws -> [String: Int] {
        let scenario = ReferenceScenario(family, seed: seed)
        let engine = try ReferenceComparison(scenario).reference(scenario.script)
        var counts: [String: Int] = [:]
        for output in scenario.topology.sinks.indices.flatMap({ engine.outputs(sink: $0) }).joined()
        {
            counts[output.change, default: 0] += 1
            for (field, value) in zip(output.fields, output.values) where field.name == "event" {
                if case .string(let event) = value { counts[event, default: 0] += 1 }
            }
        }
        for reject in engine.rejects.joined().joined() { counts[reject.reason, default: 0] += 1 }
        return counts
    }

    /// Ticks and flushes come when everything is merged.
    private static func isValid(_ script: [ReferenceAction]) -> Bool {
        var isMerged = true
        for action in script {
            switch action {
            case .append: isMerged = false
            case .merge: isMerged = true
            default: if !isMerged { return false }
            }
        }
        return isMerged
    }

    private static func text(_ script: [ReferenceAction], _ topology: ReferenceTopology) -> String {
        var offsets: [[Int]: Int] = [:]
        return script.map { action in
            switch action {
            case .append(let source, let record):
                let offset = offsets[[source, record.partition], default: 0]
                offsets[[source, record.partition]] = offset + 1
                return "\(topology.sources[source].name)/\(record.partition):\(offset) at "
                    + "\(record.arrival): \(record.text)"
            case .merge: return "merge"
            case .tick(let time): return "tick \(time)"
            case .flush: return "flush"
            }
        }.joined(separator: "\n")
    }
}
