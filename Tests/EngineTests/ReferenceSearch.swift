import Primitives
import TestKit
import Topology

/// Looks for a seed on which the engines differ, and makes its script short.
enum ReferenceSearch {
    /// What a seed shows, with everything needed to see it; nil when all agree.
    /// `varied`: with rules, statistics and windows by days.
    static func failure(_ seed: UInt64, varied: Bool = false) throws -> String? {
        var generator = ReferenceGenerator(seed: seed)
        let topology = varied ? generator.variedTopology() : generator.topology()
        let script = generator.script(topology)
        let comparison: ReferenceComparison
        do {
            comparison = try ReferenceComparison(topology)
        } catch let error as DiagnosticList {
            let text = error.diagnostics.map { "\($0)" }.joined(separator: "\n")
            return "seed \(seed): not a topology\n\(topology.yaml)\n\(text)"
        }
        guard var difference = try comparison.difference(script) else { return nil }
        var shortest = script
        var index = 0
        while index < shortest.count {
            var candidate = shortest
            candidate.remove(at: index)
            if Self.isValid(candidate), let found = try comparison.difference(candidate) {
                (shortest, difference) = (candidate, found)
            } else {
                index += 1
            }
        }
        return "seed \(seed): \(difference)\n\(topology.yaml)\n\(Self.text(shortest, topology))"
    }

    /// What a seed's script brings about in the reference engine: changes, events and reasons, by
    /// name. Tells whether random scripts reach what they are to test.
    static func coverage(_ seed: UInt64) throws -> [String: Int] {
        var generator = ReferenceGenerator(seed: seed)
        let topology = generator.topology()
        let script = generator.script(topology)
        let engine = try ReferenceComparison(topology).reference(script)
        var counts: [String: Int] = [:]
        for output in engine.outputs.joined() {
            counts[output.change, default: 0] += 1
            for (field, value) in zip(output.fields, output.values) where field.name == "event" {
                if case .string(let event) = value { counts[event, default: 0] += 1 }
            }
        }
        for reject in engine.rejects { counts[reject.reason, default: 0] += 1 }
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
        var offsets = topology.sources.map { _ in 0 }
        return script.map { action in
            switch action {
            case .append(let source, let record):
                offsets[source] += 1
                return "\(topology.sources[source].name):\(offsets[source] - 1) at "
                    + "\(record.arrival): \(record.text)"
            case .merge: return "merge"
            case .tick(let time): return "tick \(time)"
            case .flush: return "flush"
            }
        }.joined(separator: "\n")
    }
}
