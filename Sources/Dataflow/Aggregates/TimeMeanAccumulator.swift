import Columnar
import Primitives

/// `timeMean`: the mean over time of a value that holds from its row until the next one.
///
///     value   20 ──┐        ┌── 26        window 08:00 to 08:10
///                  └── 23 ──┘             (20 × 2 + 23 × 5 + 26 × 1) / 8, the first two
///     08:02       08:04    08:09  08:10   minutes having no value
///
/// The last value holds until the window's end. What stood before the window's first row is not
/// known to the window and does not count. Of several rows with one time the last taken holds.
/// Keeps every value with its time, for late ones may come between.
final class TimeMeanAccumulator: Accumulator {
    private struct Point {
        var time: Int64
        /// A scaled integer, or the bits of a double.
        var value: Int64
    }

    private let isDouble: Bool
    private let unit: Int128
    private var points: [[Point]] = []
    private var ratios = RatioValues()
    private var doubles: [Double] = []
    private var validity = ResultBuilder()

    /// `scale` is that of exact values, nil for doubles.
    init(scale: Int?) {
        isDouble = scale == nil
        unit = Int128(Decimal.powerOfTen(scale ?? 0))
    }

    func grow(to count: Int) { while points.count < count { points.append([]) } }

    func reset(_ slot: Int) { points[slot].removeAll(keepingCapacity: true) }

    func move(from: Int, to: Int) { points.swapAt(from, to) }

    func add(_ input: Column?, rows: Range<Int>, slots: [Int32], times: [Int64]) {
        // Slot 0 takes rows that do not count.
        guard let input else { return }
        for row in rows where slots[row] != 0 && input.isValid(row) {
            let value: Int64
            switch input.values {
            case .int64(let values): value = values[row]
            case .double(let values): value = Int64(bitPattern: values[row].bitPattern)
            default: continue
            }
            insert(Point(time: times[row], value: value), Int(slots[row]))
        }
    }

    /// After the points of the same time and before later ones.
    private func insert(_ point: Point, _ slot: Int) {
        var index = points[slot].count
        while index > 0, points[slot][index - 1].time > point.time { index -= 1 }
        points[slot].insert(point, at: index)
    }

    func appendResult(_ panes: PaneRun, end: Int64) -> Bool {
        var sum: Int128 = 0
        var doubleSum = 0.0
        var covered: Int64 = 0
        var held: Point?
        func hold(until time: Int64) {
            guard let point = held, time > point.time else { return }
            let duration = time - point.time
            covered += duration
            if isDouble {
                doubleSum +=
                    Double(bitPattern: UInt64(bitPattern: point.value)) * Double(duration)
            } else {
                sum += Int128(point.value) * Int128(duration)
            }
        }
        for slot in panes {
            for point in points[slot] {
                hold(until: point.time)
                held = point
            }
        }
        hold(until: end)
        validity.append(valid: covered > 0)
        if isDouble {
            doubles.append(covered > 0 ? doubleSum / Double(covered) : 0)
        } else {
            ratios.numerators.append(sum)
            ratios.denominators.append(covered > 0 ? Int128(covered) * unit : 1)
        }
        return true
    }

    func takeResults() -> Column {
        defer {
            ratios = RatioValues()
            doubles = []
        }
        return Column(isDouble ? .double(doubles) : .ratio(ratios), validity: validity.take())
    }

    func save(_ slot: Int, to snapshot: inout SnapshotWriter) {
        snapshot.write(points[slot].map(\.time))
        snapshot.write(points[slot].map(\.value))
    }

    func restore(_ slot: Int, from snapshot: inout SnapshotReader) throws(SnapshotError) {
        let times = try snapshot.readInt64s()
        let values = try snapshot.readInt64s()
        guard times.count == values.count else {
            throw SnapshotError("the snapshot holds times without values")
        }
        points[slot] = zip(times, values).map { Point(time: $0, value: $1) }
    }
}
