import Columnar
import Primitives

/// `stddev` of scaled integers: the sample standard deviation, from exact sums of the values and
/// of their squares, rounded once. No order matters and panes merge exactly.
final class ExactDeviationAccumulator: Accumulator {
    /// How many more digits the result has.
    private let addedDigits: Int
    private var sums: [Int128] = []
    private var squares: [UInt256] = []
    private var counts: [Int64] = []
    private var results: [Int64] = []
    private var validity = ResultBuilder()

    init(addedDigits: Int) { self.addedDigits = addedDigits }

    func grow(to count: Int) {
        while sums.count < count {
            sums.append(0)
            squares.append(UInt256(low: 0))
            counts.append(0)
        }
    }

    func reset(_ slot: Int) {
        sums[slot] = 0
        squares[slot] = UInt256(low: 0)
        counts[slot] = 0
    }

    func move(from: Int, to: Int) {
        sums[to] = sums[from]
        squares[to] = squares[from]
        counts[to] = counts[from]
    }

    func add(_ input: Column?, rows: Range<Int>, slots: [Int32], times: [Int64]) {
        guard case .int64(let values)? = input?.values else { return }
        let validity = input?.validity
        for row in rows where validity?[row] ?? true {
            let slot = Int(slots[row])
            let value = Int128(values[row])
            sums[slot] &+= value
            squares[slot] = squares[slot] + UInt256(low: (value * value).magnitude)
            counts[slot] &+= 1
        }
    }

    func appendResult(_ panes: PaneRun, end: Int64) -> Bool {
        var sum: Int128 = 0
        var square = UInt256(low: 0)
        var count: Int64 = 0
        for slot in panes {
            sum &+= sums[slot]
            square = square + squares[slot]
            count &+= counts[slot]
        }
        validity.append(valid: count > 1)
        guard count > 1 else {
            results.append(0)
            return true
        }
        let spread =
            square * UInt128(count) - UInt256(product: sum.magnitude, sum.magnitude)
        let result = Self.root(spread, over: count, addedDigits: addedDigits)
        results.append(result ?? 0)
        return result != nil
    }

    /// √(spread / (count × (count − 1))) × 10^addedDigits, rounded half-even; nil when it does not
    /// fit. By bisection on exact products.
    private static func root(_ spread: UInt256, over count: Int64, addedDigits: Int) -> Int64? {
        let factor = UInt128(Decimal.powerOfTen(addedDigits))
        let sought = spread * (4 * factor * factor)
        /// (2k + 1)² × count × (count − 1): four times the square of k + ½.
        func bound(_ k: Int64) -> UInt256 {
            let odd = 2 * UInt128(k) + 1
            return UInt256(product: odd, odd) * UInt128(count) * UInt128(count - 1)
        }
        var low: Int64 = 0
        var high = Int64.max
        guard bound(high) > sought else { return nil }
        while low < high {
            let middle = low + (high - low) / 2
            if bound(middle) >= sought { high = middle } else { low = middle + 1 }
        }
        return bound(low) == sought && low % 2 == 1 ? low + 1 : low
    }

    func takeResults() -> Column {
        defer { results = [] }
        return Column(.int64(results), validity: validity.take())
    }

    func save(_ slot: Int, to snapshot: inout SnapshotWriter) {
        snapshot.write(sums[slot])
        snapshot.write(squares[slot].high)
        snapshot.write(squares[slot].low)
        snapshot.write(counts[slot])
    }

    func restore(_ slot: Int, from snapshot: inout SnapshotReader) throws(SnapshotError) {
        sums[slot] = try snapshot.read()
        squares[slot] = UInt256(high: try snapshot.read(), low: try snapshot.read())
        counts[slot] = try snapshot.read()
    }
}

/// `stddev` of doubles: mean and squared distance kept as rows come (Welford), panes combined in
/// time order (Chan, Golub, LeVeque), so that results do not depend on batches.
final class DoubleDeviationAccumulator: Accumulator {
    private struct Moments {
        var count: Int64 = 0
        var mean = 0.0
        var distance = 0.0

        mutating func add(_ value: Double) {
            count += 1
            let before = value - mean
            mean += before / Double(count)
            distance += before * (value - mean)
        }

        mutating func add(_ other: Moments) {
            guard other.count > 0 else { return }
            let total = Double(count + other.count)
            let gap = other.mean - mean
            distance += other.distance + gap * gap * (Double(count) * Double(other.count) / total)
            mean += gap * (Double(other.count) / total)
            count += other.count
        }
    }

    private var moments: [Moments] = []
    private var results: [Double] = []
    private var validity = ResultBuilder()

    func grow(to count: Int) { while moments.count < count { moments.append(Moments()) } }

    func reset(_ slot: Int) { moments[slot] = Moments() }

    func move(from: Int, to: Int) { moments[to] = moments[from] }

    func add(_ input: Column?, rows: Range<Int>, slots: [Int32], times: [Int64]) {
        guard let input else { return }
        for row in rows where input.isValid(row) {
            if let value = input.doubleValue(row) { moments[Int(slots[row])].add(value) }
        }
    }

    func appendResult(_ panes: PaneRun, end: Int64) -> Bool {
        var total = Moments()
        for slot in panes { total.add(moments[slot]) }
        validity.append(valid: total.count > 1)
        results.append(
            total.count > 1 ? (total.distance / Double(total.count - 1)).squareRoot() : 0)
        return true
    }

    func takeResults() -> Column {
        defer { results = [] }
        return Column(.double(results), validity: validity.take())
    }

    func save(_ slot: Int, to snapshot: inout SnapshotWriter) {
        snapshot.write(moments[slot].count)
        snapshot.write(moments[slot].mean)
        snapshot.write(moments[slot].distance)
    }

    func restore(_ slot: Int, from snapshot: inout SnapshotReader) throws(SnapshotError) {
        moments[slot].count = try snapshot.read()
        moments[slot].mean = try snapshot.readDouble()
        moments[slot].distance = try snapshot.readDouble()
    }
}

extension Column {
    /// A double, or the nearest one to a quotient; nil for other columns. The row has a value.
    func doubleValue(_ row: Int) -> Double? {
        switch values {
        case .double(let values): values[row]
        case .ratio(let values):
            Double(values.numerators[row]) / Double(values.denominators[row])
        default: nil
        }
    }
}
