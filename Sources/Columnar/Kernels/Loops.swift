// Macros over lists and maps: the body runs once over the elements of all rows together.

/// The elements of every row's list (entries of its map), one after another.
package struct LoopRows: Sendable {
    /// The row that each element belongs to.
    package let rows: [Int32]
    /// Row `i` owns the elements `offsets[i]..<offsets[i + 1]`.
    package let offsets: [Int32]
    /// Elements of a list, keys of a map.
    package let elements: Column
    /// Positions in a list from 0, values of a map.
    package let seconds: Column

    package var count: Int { rows.count }

    /// Rows without a value or with a fault own no element. O(elements).
    package init(_ range: Vector, count: Int) {
        let base = NestedRows(range)
        let validity = base.validity(range, count: count)
        var rows: [Int32] = []
        var children: [Int32] = []
        var positions: [Int64] = []
        var offsets: [Int32] = [0]
        offsets.reserveCapacity(count + 1)
        let stored: [Int32]
        switch base.base.values {
        case .list(let lists): stored = lists.offsets
        case .map(let maps): stored = maps.offsets
        default: stored = []
        }
        for row in 0..<count {
            if !stored.isEmpty, validity?[row] ?? true, range.faults?.rows[row] != true {
                let index = base.row(row)
                for (position, child) in (stored[index]..<stored[index + 1]).enumerated() {
                    rows.append(Int32(row))
                    children.append(child)
                    positions.append(Int64(position))
                }
            }
            offsets.append(Int32(rows.count))
        }
        self.rows = rows
        self.offsets = offsets
        switch base.base.values {
        case .list(let lists):
            elements = dictionary(lists.elements, children)
            seconds = Column(.int64(positions))
        case .map(let maps):
            elements = dictionary(maps.keys, children)
            seconds = dictionary(maps.values, children)
        default:
            elements = Column(.null(count: 0))
            seconds = Column(.null(count: 0))
        }
    }
}

/// The rows `rows[0]`, `rows[1]`, … of a vector of `count` rows: what a macro's body sees of its
/// surroundings.
package func gather(_ vector: Vector, _ rows: [Int32]) -> Vector {
    var faults: RowFaults?
    if let old = vector.faults {
        for (target, row) in rows.enumerated() {
            if let code = old.code(Int(row)) { record(code, target, rows.count, in: &faults) }
        }
    }
    return Vector(vector.column.gather(rows), faults: faults)
}

/// `all` (`decisive` false) and `exists` (`decisive` true): one decisive element settles a row;
/// else a fault does, else null.
package func quantify(
    _ body: Vector, _ loop: LoopRows, _ range: Vector, decisive: Bool, count: Int
) -> Vector {
    let values = body.bool
    var result = [Bool](repeating: !decisive, count: count)
    var validity = NestedRows(range).validity(range, count: count)
    var faults = range.faults
    for row in 0..<count {
        var code: FaultCode?
        var isUnknown = false
        for index in Int(loop.offsets[row])..<Int(loop.offsets[row + 1]) {
            if body.isLive(index) {
                if values[index] == decisive {
                    result[row] = decisive
                    break
                }
            } else if let fault = body.faults?.code(index) {
                code = code ?? fault
            } else {
                isUnknown = true
            }
        }
        if result[row] == decisive { continue }
        if let code {
            record(code, row, count, in: &faults)
        } else if isUnknown {
            var bits = validity ?? Bitmap(repeating: true, count: count)
            bits[row] = false
            validity = bits
        }
    }
    return Vector(.bool(result), validity, faults)
}

/// `exists_one`: any fault in a row's elements is the row's.
package func existsOne(
    _ body: Vector, _ loop: LoopRows, _ range: Vector, count: Int
) -> Vector {
    let values = body.bool
    var result = [Bool](repeating: false, count: count)
    var faults = range.faults
    for row in 0..<count {
        var found = 0
        for index in Int(loop.offsets[row])..<Int(loop.offsets[row + 1]) {
            if let code = body.faults?.code(index) {
                record(code, row, count, in: &faults)
            } else if body.isLive(index), values[index] {
                found += 1
            }
        }
        result[row] = found == 1
    }
    return Vector(.bool(result), NestedRows(range).validity(range, count: count), faults)
}

/// `map` and `filter`: the elements where the condition is true, as lists again.
package func collect(
    _ element: Vector, where condition: Vector?, _ loop: LoopRows, _ range: Vector, count: Int
) -> Vector {
    var kept: [Int32] = []
    var offsets: [Int32] = [0]
    var faults = range.faults
    let tests = condition?.bool
    for row in 0..<count {
        for index in Int(loop.offsets[row])..<Int(loop.offsets[row + 1]) {
            if let code = condition?.faults?.code(index) {
                record(code, row, count, in: &faults)
            } else if let condition, let tests, !condition.isLive(index) || !tests[index] {
                continue
            } else if let code = element.faults?.code(index) {
                record(code, row, count, in: &faults)
            } else {
                kept.append(Int32(index))
            }
        }
        offsets.append(Int32(kept.count))
    }
    let elements = element.column.flattened().gather(kept)
    return Vector(
        .list(ListValues(offsets: offsets, elements: elements)),
        NestedRows(range).validity(range, count: count), faults)
}
