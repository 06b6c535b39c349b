import Columnar
import Primitives

/// Running values of one aggregate, a slot for each pane. Slots are given and reset by
/// ``WindowOperator``; rows are added in runs, in row order.
///
/// Merging combines panes in time order, so that floating-point sums do not depend on batches.
protocol Accumulator: AnyObject {
    /// Makes slots `0..<count` usable; new ones are empty.
    func grow(to count: Int)
    func reset(_ slot: Int)
    /// Takes a slot's value to another slot.
    func move(from: Int, to: Int)
    /// Adds row `rows[i]` of the input to `slots[rows[i]]`; rows without a value are passed over.
    func add(_ input: Column?, rows: Range<Int>, slots: [Int32], times: [Int64])
    /// Appends the result over panes in ascending order to the column being built; the window ends
    /// at `end`. False when the result does not fit its type.
    func appendResult(_ panes: PaneRun, end: Int64) -> Bool
    /// Appends the results of windows; what does not fit its type is noted in `fits`.
    func appendResults(_ windows: [PaneRun], ends: [Int64], fits: inout [Bool])
    /// The column built since the last call.
    func takeResults() -> Column
    func save(_ slot: Int, to snapshot: inout SnapshotWriter)
    func restore(_ slot: Int, from snapshot: inout SnapshotReader) throws(SnapshotError)
}

extension Accumulator {
    func appendResults(_ windows: [PaneRun], ends: [Int64], fits: inout [Bool]) {
        for (index, panes) in windows.enumerated()
        where !appendResult(panes, end: ends[index]) { fits[index] = false }
    }
}

/// Results of one aggregate under construction, with validity.
struct ResultBuilder {
    private var validity: [Bool] = []
    private var isAllValid = true

    mutating func append(valid: Bool) {
        validity.append(valid)
        if !valid { isAllValid = false }
    }

    mutating func take() -> Bitmap? {
        defer {
            validity.removeAll(keepingCapacity: true)
            isAllValid = true
        }
        guard !isAllValid else { return nil }
        var bits = Bitmap(repeating: false, count: 0)
        for valid in validity { bits.append(valid) }
        return bits
    }
}

/// Makes the accumulator of an aggregate over inputs of a type; nil where there is none.
func makeAccumulator(_ function: AggregateFunction, input: ValueType?) -> (any Accumulator)? {
    guard let input else { return function == .count ? CountAccumulator() : nil }
    switch (function, input) {
    case (.count, _): return CountAccumulator()
    case (.sum, .int), (.sum, .decimal), (.sum, .duration):
        return ExactSumAccumulator(result: .sum)
    case (.mean, .int): return ExactSumAccumulator(result: .mean(scale: 0))
    case (.mean, .decimal(let scale, _)): return ExactSumAccumulator(result: .mean(scale: scale))
    case (.sum, .double): return DoubleSumAccumulator(isMean: false)
    case (.mean, .double), (.mean, .ratio): return DoubleSumAccumulator(isMean: true)
    case (.min, _): return ExtremeAccumulator(choice: .least, of: input)
    case (.max, _): return ExtremeAccumulator(choice: .greatest, of: input)
    case (.first, _): return ExtremeAccumulator(choice: .earliest, of: input)
    case (.last, _): return ExtremeAccumulator(choice: .latest, of: input)
    case (.leq, .int): return LevelMeanAccumulator(scale: 0, resultScale: 3)
    case (.leq, .decimal(let scale, _)):
        return LevelMeanAccumulator(scale: scale, resultScale: Swift.max(scale, 3))
    case (.stddev, .int): return ExactDeviationAccumulator(addedDigits: 3)
    case (.stddev, .decimal(let scale, _)):
        return ExactDeviationAccumulator(
            addedDigits: Swift.min(3, Decimal.maximumScale - scale))
    case (.stddev, .double), (.stddev, .ratio): return DoubleDeviationAccumulator()
    case (.timeMean, .int): return TimeMeanAccumulator(scale: 0)
    case (.timeMean, .decimal(let scale, _)): return TimeMeanAccumulator(scale: scale)
    case (.timeMean, .double): return TimeMeanAccumulator(scale: nil)
    default: return nil
    }
}

/// `count()` and `count(x)`.
final class CountAccumulator: Accumulator {
    private var counts: [Int64] = []
    private var results: [Int64] = []

    func grow(to count: Int) { while counts.count < count { counts.append(0) } }

    func reset(_ slot: Int) { counts[slot] = 0 }

    func move(from: Int, to: Int) { counts[to] = counts[from] }

    func add(_ input: Column?, rows: Range<Int>, slots: [Int32], times: [Int64]) {
        for row in rows where input?.isValid(row) ?? true { counts[Int(slots[row])] += 1 }
    }

    func appendResult(_ panes: PaneRun, end: Int64) -> Bool {
        var total: Int64 = 0
        for slot in panes { total += counts[slot] }
        results.append(total)
        return true
    }

    func takeResults() -> Column {
        defer { results = [] }
        return Column(.int64(results))
    }

    func save(_ slot: Int, to snapshot: inout SnapshotWriter) { snapshot.write(counts[slot]) }

    func restore(_ slot: Int, from snapshot: inout SnapshotReader) throws(SnapshotError) {
        counts[slot] = try snapshot.read()
    }
}

/// Sums and means of scaled integers, exact: `Int128` sums cannot overflow over `Int64` values.
final class ExactSumAccumulator: Accumulator {
    enum Result {
        case sum
        /// Exact quotient of sum and count, in units of 10^-scale.
        case mean(scale: Int)
    }

    private let result: Result
    private let unit: Int128
    private var sums: [Int128] = []
    private var counts: [Int64] = []
    private var totals: [Int64] = []
    private var ratios = RatioValues()
    private var validity = ResultBuilder()

    init(result: Result) {
        self.result = result
        var unit: Int128 = 1
        if case .mean(let scale) = result { for _ in 0..<scale { unit *= 10 } }
        self.unit = unit
    }

    func grow(to count: Int) {
        while sums.count < count {
            sums.append(0)
            counts.append(0)
        }
    }

    func reset(_ slot: Int) {
        sums[slot] = 0
        counts[slot] = 0
    }

    func move(from: Int, to: Int) {
        sums[to] = sums[from]
        counts[to] = counts[from]
    }

    func add(_ input: Column?, rows: Range<Int>, slots: [Int32], times: [Int64]) {
        guard case .int64(let values)? = input?.values else { return }
        Self.add(values, input?.validity, rows, slots, &sums, &counts)
    }

    private static func add(
        _ values: [Int64], _ validity: Bitmap?, _ rows: Range<Int>, _ slots: [Int32],
        _ sums: inout [Int128], _ counts: inout [Int64]
    ) {
        for row in rows where validity?[row] ?? true {
            let slot = Int(slots[row])
            sums[slot] &+= Int128(values[row])
            counts[slot] &+= 1
        }
    }

    func appendResult(_ panes: PaneRun, end: Int64) -> Bool {
        var sum: Int128 = 0
        var count: Int64 = 0
        let (sums, counts) = (sums, counts)
        for slot in panes {
            sum &+= sums[slot]
            count &+= counts[slot]
        }
        validity.append(valid: count > 0)
        switch result {
        case .sum:
            let total = Int64(exactly: sum)
            totals.append(total ?? 0)
            return total != nil
        case .mean:
            ratios.numerators.append(sum)
            ratios.denominators.append(count > 0 ? Int128(count) * unit : 1)
            return true
        }
    }

    func appendResults(_ windows: [PaneRun], ends: [Int64], fits: inout [Bool]) {
        // Whole means have a loop of their own: it keeps its arrays at hand.
        guard case .mean = result else {
            for (index, panes) in windows.enumerated()
            where !appendResult(panes, end: ends[index]) { fits[index] = false }
            return
        }
        Self.appendMeans(windows, sums, counts, unit, &ratios, &validity)
    }

    private static func appendMeans(
        _ windows: [PaneRun], _ sums: [Int128], _ counts: [Int64], _ unit: Int128,
        _ ratios: inout RatioValues, _ validity: inout ResultBuilder
    ) {
        let (sums, counts) = (sums.span, counts.span)
        for panes in windows {
            var sum: Int128 = 0
            var count: Int64 = 0
            let (first, second) = panes.parts
            for slot in first {
                sum &+= sums[slot]
                count &+= counts[slot]
            }
            for slot in second {
                sum &+= sums[slot]
                count &+= counts[slot]
            }
            validity.append(valid: count > 0)
            ratios.numerators.append(sum)
            ratios.denominators.append(count > 0 ? Int128(count) * unit : 1)
        }
    }

    func takeResults() -> Column {
        defer {
            totals = []
            ratios = RatioValues()
        }
        switch result {
        case .sum: return Column(.int64(totals), validity: validity.take())
        case .mean: return Column(.ratio(ratios), validity: validity.take())
        }
    }

    func save(_ slot: Int, to snapshot: inout SnapshotWriter) {
        snapshot.write(sums[slot])
        snapshot.write(counts[slot])
    }

    func restore(_ slot: Int, from snapshot: inout SnapshotReader) throws(SnapshotError) {
        sums[slot] = try snapshot.read()
        counts[slot] = try snapshot.read()
    }
}

/// Sums and means of doubles: added left to right within a pane, panes combined in time order.
final class DoubleSumAccumulator: Accumulator {
    private let isMean: Bool
    private var sums: [Double] = []
    private var counts: [Int64] = []
    private var results: [Double] = []
    private var validity = ResultBuilder()

    init(isMean: Bool) { self.isMean = isMean }

    func grow(to count: Int) {
        while sums.count < count {
            sums.append(0)
            counts.append(0)
        }
    }

    func reset(_ slot: Int) {
        sums[slot] = 0
        counts[slot] = 0
    }

    func move(from: Int, to: Int) {
        sums[to] = sums[from]
        counts[to] = counts[from]
    }

    func add(_ input: Column?, rows: Range<Int>, slots: [Int32], times: [Int64]) {
        guard let input else { return }
        for row in rows where input.isValid(row) {
            guard let value = input.doubleValue(row) else { continue }
            sums[Int(slots[row])] += value
            counts[Int(slots[row])] += 1
        }
    }

    func appendResult(_ panes: PaneRun, end: Int64) -> Bool {
        var sum = 0.0
        var count: Int64 = 0
        for slot in panes {
            sum += sums[slot]
            count += counts[slot]
        }
        validity.append(valid: count > 0)
        results.append(isMean && count > 0 ? sum / Double(count) : sum)
        return true
    }

    func takeResults() -> Column {
        defer { results = [] }
        return Column(.double(results), validity: validity.take())
    }

    func save(_ slot: Int, to snapshot: inout SnapshotWriter) {
        snapshot.write(sums[slot])
        snapshot.write(counts[slot])
    }

    func restore(_ slot: Int, from snapshot: inout SnapshotReader) throws(SnapshotError) {
        sums[slot] = try snapshot.readDouble()
        counts[slot] = try snapshot.read()
    }
}
