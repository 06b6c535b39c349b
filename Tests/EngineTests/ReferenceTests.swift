import Foundation
import TestKit
import Testing

/// Random topologies and data: the real engine against the row-by-row one.
///
/// `PLUMBLINE_SEEDS=N` tries N seeds of each family, `PLUMBLINE_SEED=K` only that one,
/// `PLUMBLINE_FAMILY=joined` only those of one family.
@Suite struct ReferenceTests {
    static let environment = ProcessInfo.processInfo.environment

    @Test(arguments: ReferenceFamily.allCases)
    func agreesWithTheReferenceEngine(family: ReferenceFamily) throws {
        if let name = Self.environment["PLUMBLINE_FAMILY"], name != family.rawValue { return }
        let count = Self.environment["PLUMBLINE_SEEDS"].flatMap { UInt64($0) } ?? 200
        let only = Self.environment["PLUMBLINE_SEED"].flatMap { UInt64($0) }
        var failures = 0
        for seed in only.map({ $0...$0 }) ?? 1...max(count, 1) {
            guard let text = try ReferenceSearch.failure(seed, family) else { continue }
            Issue.record("\(text)")
            failures += 1
            if failures >= 5 { break }
        }
        print("reference engine, \(family): seeds \(only.map { "\($0)" } ?? "1 to \(count)")")
    }

    @Test(arguments: try ReferenceRegressions.all())
    func staysFixed(_ regression: ReferenceRegressions.Scenario) throws {
        let text = try ReferenceSearch.failure(regression.scenario, named: regression.what)
        if let text { Issue.record("\(text)") }
    }

    /// Unions, look-ups that wait and rekeyed rows pass on what those before them made.
    @Test(arguments: [ReferenceFamily.joined, .staged])
    func reachesOutcomesBehindJoins(family: ReferenceFamily) throws {
        var counts: [String: Int] = [:]
        for seed: UInt64 in 1...200 {
            counts.merge(try ReferenceSearch.coverage(seed, family), uniquingKeysWith: +)
        }
        for name in [
            "new", "correct", "withdraw", "raised", "cleared", "transition", "deadline", "late",
            "out-of-order", "duplicate", "unmatched", "null-value",
        ] + (family == .staged ? ["wrong-partition"] : []) {
            #expect(counts[name, default: 0] >= 3, "\(name): too rare to be tested")
        }
        print("reference engine, \(family):", counts.sorted { $0.key < $1.key })
    }

    @Test func reachesEveryOutcome() throws {
        var counts: [String: Int] = [:]
        for seed: UInt64 in 1...400 {
            counts.merge(try ReferenceSearch.coverage(seed, .plain), uniquingKeysWith: +)
        }
        for name in [
            "new", "correct", "withdraw", "raised", "escalated", "eased", "cleared", "correction",
            "transition", "breach", "deadline", "unexpected",
            "malformed", "missing-field", "wrong-type", "clock", "late", "out-of-order",
            "duplicate", "unmatched", "null-value", "division-by-zero", "out-of-range",
        ] {
            #expect(counts[name, default: 0] >= 3, "\(name): too rare to be tested")
        }
        print("reference engine:", counts.sorted { $0.key < $1.key })
    }
}
