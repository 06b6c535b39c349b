import Benchmark
import Micro

/// A case while it is being measured, and its samples.
///
/// The package `benchmark` runs one benchmark after the other.
final class CaseState: @unchecked Sendable {
    /// Figures of some batches in whole numbers, as the package takes them.
    struct Sample {
        /// CPU time a unit.
        var picoseconds: Int
        /// Allocations in a thousand batches.
        var allocations: Int
    }

    private let entry: MicroEntry
    private var measured: MicroCase?
    private var digest = Digest()
    /// Batches a sample: whole rounds, for windows close in some batches only; about 4 ms or more.
    private var batches = 1
    private var samples: [Sample] = []

    init(_ entry: MicroEntry) { self.entry = entry }

    /// Makes the case and brings it to its steady state.
    func begin() throws {
        var measured = try entry.make()
        digest = measured.warmUp()
        let trial = measured.measure(batches: measured.round)
        batches = measured.round * max(1, Int(4_000_000 / max(trial.nanoseconds, 1)))
        samples = []
        self.measured = measured
    }

    /// Measures the next batches.
    func sample() -> Sample? {
        guard let found = measured?.measure(batches: batches), let measured else { return nil }
        let sample = Sample(
            picoseconds: Int(found.nanoseconds) * 1000 / (batches * measured.count),
            allocations: found.allocations * 1000 / batches)
        samples.append(sample)
        return sample
    }

    /// A row of the table; the case is given up.
    func end() -> String {
        guard let measured, !samples.isEmpty else {
            return "| \(entry.name) | not measured | | | |"
        }
        let times = samples.map(\.picoseconds).sorted()
        let median = times[times.count / 2]
        let (low, high) = (times[times.count / 10], times[times.count * 9 / 10])
        let rate = median == 0 ? 0 : 1_000_000 * 10 / median
        let allocations = samples.map(\.allocations).sorted()[samples.count / 2]
        self.measured = nil
        return "| \(entry.name) | \(measured.unit) | \(decimal(median)) (\(decimal(low))–"
            + "\(decimal(high))) | \(rate / 10).\(rate % 10) | "
            + "\(allocations / 1000).\(allocations % 1000 / 100) | \(digest.text) |"
    }

    /// Thousandths with two digits.
    private func decimal(_ thousandths: Int) -> String {
        let hundredths = (thousandths + 5) / 10
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
