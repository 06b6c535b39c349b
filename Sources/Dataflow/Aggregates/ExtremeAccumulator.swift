import Columnar

/// `min`, `max`, `first` and `last`: keeps one row's value a pane.
final class ExtremeAccumulator: Accumulator {
    enum Choice {
        case least, greatest
        /// By event time; of equal times the first (last) taken.
        case earliest, latest
    }

    /// One value of a scalar type, comparable where the type is.
    private enum Value {
        case none
        case int64(Int64)
        case double(Double)
        case ratio(Int128, Int128)
        case bool(Bool)
        case bytes([UInt8])
    }

    private let choice: Choice
    private let type: ValueType
    private var values: [Value] = []
    private var times: [Int64] = []
    private var results: [Value] = []

    init(choice: Choice, of type: ValueType) {
        self.choice = choice
        self.type = type
    }

    func grow(to count: Int) {
        while values.count < count {
            values.append(.none)
            times.append(0)
        }
    }

    func reset(_ slot: Int) { values[slot] = .none }

    func move(from: Int, to: Int) {
        values[to] = values[from]
        times[to] = times[from]
    }

    func add(_ input: Column?, rows: Range<Int>, slots: [Int32], times rowTimes: [Int64]) {
        guard let input = input?.flattened() else { return }
        for row in rows where input.isValid(row) {
            let slot = Int(slots[row])
            let value = value(input, row)
            if wins(value, rowTimes[row], over: values[slot], times[slot]) {
                values[slot] = value
                times[slot] = rowTimes[row]
            }
        }
    }

    private func value(_ column: Column, _ row: Int) -> Value {
        switch column.values {
        case .int64(let values): .int64(values[row])
        case .double(let values): .double(values[row])
        case .ratio(let values): .ratio(values.numerators[row], values.denominators[row])
        case .bool(let values): .bool(values[row])
        case .bytes(let values): .bytes(values.array(row))
        default: .none
        }
    }

    /// Whether a value taken later replaces the one that is held.
    private func wins(_ new: Value, _ newTime: Int64, over old: Value, _ oldTime: Int64) -> Bool {
        if case .none = old { return true }
        switch choice {
        case .least: return precedes(new, old)
        case .greatest: return precedes(old, new)
        case .earliest: return newTime < oldTime
        case .latest: return newTime >= oldTime
        }
    }

    private func precedes(_ a: Value, _ b: Value) -> Bool {
        switch (a, b) {
        case (.int64(let x), .int64(let y)): x < y
        case (.double(let x), .double(let y)): x < y
        case (.ratio(let n, let d), .ratio(let m, let e)): ratioPrecedes(n, d, m, e)
        case (.bool(let x), .bool(let y)): !x && y
        case (.bytes(let x), .bytes(let y)): x.lexicographicallyPrecedes(y)
        default: false
        }
    }

    func appendResult(_ panes: PaneRun, end: Int64) -> Bool {
        var best = Value.none
        var bestTime: Int64 = 0
        for slot in panes {
            if case .none = values[slot] { continue }
            if wins(values[slot], times[slot], over: best, bestTime) {
                best = values[slot]
                bestTime = times[slot]
            }
        }
        results.append(best)
        return true
    }

    func takeResults() -> Column {
        defer { results = [] }
        var bits = Bitmap(repeating: true, count: results.count)
        for (row, value) in results.enumerated() {
            if case .none = value { bits[row] = false }
        }
        let validity = bits.isAllSet ? nil : bits
        switch type {
        case .int, .decimal, .timestamp, .duration:
            let values: [Int64] = results.map {
                if case .int64(let value) = $0 { return value } else { return 0 }
            }
            return Column(.int64(values), validity: validity)
        case .double:
            let values: [Double] = results.map {
                if case .double(let value) = $0 { return value } else { return 0 }
            }
            return Column(.double(values), validity: validity)
        case .bool:
            let values: [Bool] = results.map {
                if case .bool(let value) = $0 { return value } else { return false }
            }
            return Column(.bool(values), validity: validity)
        case .ratio:
            var values = RatioValues()
            for result in results {
                guard case .ratio(let numerator, let denominator) = result else {
                    values.numerators.append(0)
                    values.denominators.append(1)
                    continue
                }
                values.numerators.append(numerator)
                values.denominators.append(denominator)
            }
            return Column(.ratio(values), validity: validity)
        case .string, .bytes:
            var values = ByteValues()
            for result in results {
                if case .bytes(let bytes) = result {
                    values.append(bytes)
                } else {
                    values.append([])
                }
            }
            return Column(.bytes(values), validity: validity)
        case .null, .list, .map, .structure: return Column(.null(count: results.count))
        }
    }

    func save(_ slot: Int, to snapshot: inout SnapshotWriter) {
        switch values[slot] {
        case .none: snapshot.write(UInt8(0))
        case .int64(let value):
            snapshot.write(UInt8(1))
            snapshot.write(value)
        case .double(let value):
            snapshot.write(UInt8(2))
            snapshot.write(value)
        case .ratio(let numerator, let denominator):
            snapshot.write(UInt8(3))
            snapshot.write(numerator)
            snapshot.write(denominator)
        case .bool(let value):
            snapshot.write(UInt8(4))
            snapshot.write(value)
        case .bytes(let value):
            snapshot.write(UInt8(5))
            snapshot.write(value)
        }
        if case .none = values[slot] { return }
        snapshot.write(times[slot])
    }

    func restore(_ slot: Int, from snapshot: inout SnapshotReader) throws(SnapshotError) {
        switch try snapshot.read(UInt8.self) {
        case 0:
            values[slot] = .none
            return
        case 1: values[slot] = .int64(try snapshot.read())
        case 2: values[slot] = .double(try snapshot.readDouble())
        case 3: values[slot] = .ratio(try snapshot.read(), try snapshot.read())
        case 4: values[slot] = .bool(try snapshot.readBool())
        case 5: values[slot] = .bytes(try snapshot.readBytes())
        default: throw SnapshotError("the snapshot holds an unknown kind of value")
        }
        times[slot] = try snapshot.read()
    }
}

/// Whether n/d < m/e, exactly; denominators are positive.
private func ratioPrecedes(_ n: Int128, _ d: Int128, _ m: Int128, _ e: Int128) -> Bool {
    let left = n.multipliedFullWidth(by: e)
    let right = m.multipliedFullWidth(by: d)
    return left.high != right.high ? left.high < right.high : left.low < right.low
}
