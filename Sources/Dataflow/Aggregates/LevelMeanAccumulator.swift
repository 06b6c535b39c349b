import Columnar
import Primitives

/// `leq`: the level of the mean power of sound levels in decibels.
///
/// Powers are added in whole numbers, so the result depends on no order and panes merge exactly.
final class LevelMeanAccumulator: Accumulator {
    private let scale: Int
    private let resultScale: Int
    private var sums: [UInt256] = []
    private var counts: [Int64] = []
    private var results: [Int64] = []
    private var validity = ResultBuilder()
    /// Powers of the levels seen; readings have few digits, so there are few of them.
    private var known: [Int64: UInt256] = [:]
    private static let mostKnown = 65_536

    /// `scale` is that of the levels, `resultScale` that of the result, at least as many digits.
    init(scale: Int, resultScale: Int) {
        self.scale = scale
        self.resultScale = resultScale
    }

    func grow(to count: Int) {
        while sums.count < count {
            sums.append(UInt256(low: 0))
            counts.append(0)
        }
    }

    func reset(_ slot: Int) {
        sums[slot] = UInt256(low: 0)
        counts[slot] = 0
    }

    func move(from: Int, to: Int) {
        sums[to] = sums[from]
        counts[to] = counts[from]
    }

    func add(_ input: Column?, rows: Range<Int>, slots: [Int32], times: [Int64]) {
        guard case .int64(let values)? = input?.values else { return }
        let validity = input?.validity
        // Slot 0 takes rows that do not count, whatever stands in them.
        for row in rows where slots[row] != 0 && validity?[row] ?? true {
            let slot = Int(slots[row])
            sums[slot] = sums[slot] + power(values[row])
            counts[slot] += 1
        }
    }

    private func power(_ level: Int64) -> UInt256 {
        if let power = known[level] { return power }
        if known.count >= Self.mostKnown { known.removeAll(keepingCapacity: true) }
        let power = SoundLevel.power(level, scale: scale)
        known[level] = power
        return power
    }

    func appendResult(_ panes: PaneRun, end: Int64) -> Bool {
        var sum = UInt256(low: 0)
        var count: Int64 = 0
        for slot in panes {
            sum = sum + sums[slot]
            count += counts[slot]
        }
        validity.append(valid: count > 0)
        results.append(
            count > 0 ? SoundLevel.level(sum: sum, count: count, scale: resultScale) : 0)
        return true
    }

    func takeResults() -> Column {
        defer { results = [] }
        return Column(.int64(results), validity: validity.take())
    }

    func save(_ slot: Int, to snapshot: inout SnapshotWriter) {
        snapshot.write(sums[slot].high)
        snapshot.write(sums[slot].low)
        snapshot.write(counts[slot])
    }

    func restore(_ slot: Int, from snapshot: inout SnapshotReader) throws(SnapshotError) {
        sums[slot] = UInt256(high: try snapshot.read(), low: try snapshot.read())
        counts[slot] = try snapshot.read()
    }
}
