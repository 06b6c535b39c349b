// Three-valued logic with faults, as bitmaps beside the values.
// Source: cel-spec, "Logical Operators"; null as in SQL.

/// `a && b`: false wins over a fault, a fault over null, null over true.
package func logicalAnd(_ a: Vector, _ b: Vector, count: Int) -> Vector {
    combine(a, b, count, decisive: false)
}

/// `a || b`: true wins over a fault, a fault over null, null over false.
package func logicalOr(_ a: Vector, _ b: Vector, count: Int) -> Vector {
    combine(a, b, count, decisive: true)
}

/// `!a`.
package func logicalNot(_ a: Vector, count: Int) -> Vector {
    Vector(.bool(mapped(a.bool, count, false) { !$0 }), a.column.validity, a.faults)
}

private func combine(_ a: Vector, _ b: Vector, _ count: Int, decisive: Bool) -> Vector {
    let x = a.bool
    let y = b.bool
    var result =
        decisive
        ? mapped(x, y, count, false) { $0 || $1 } : mapped(x, y, count, false) { $0 && $1 }
    if a.faults == nil, b.faults == nil, a.column.validity == nil, b.column.validity == nil {
        return Vector(.bool(result), nil, nil)
    }
    var validity = Bitmap(repeating: true, count: count)
    var faults: RowFaults?
    for row in 0..<count {
        let left = a.isLive(row)
        let right = b.isLive(row)
        if (left && x[row] == decisive) || (right && y[row] == decisive) {
            result[row] = decisive
        } else if let code = a.faults?.code(row) ?? b.faults?.code(row) {
            record(code, row, count, in: &faults)
        } else if !left || !right {
            validity[row] = false
        }
    }
    return Vector(.bool(result), validity.isAllSet ? nil : validity, faults)
}

/// Whether each row is null; a fault stays one.
package func isNull(_ a: Vector, equals expected: Bool, count: Int) -> Vector {
    var result = [Bool](repeating: !expected, count: count)
    for row in 0..<count where !isValid(a.column, row) { result[row] = expected }
    return Vector(.bool(result), nil, a.faults)
}

/// Whether a row has a value; `.null` storage has none.
func isValid(_ column: Column, _ row: Int) -> Bool {
    switch column.values {
    case .null: false
    case .dictionary(let dictionary):
        (column.validity?[row] ?? true)
            && isValid(dictionary.base, Int(dictionary.indices[row]))
    default: column.validity?[row] ?? true
    }
}

/// `condition ? a : b`, row by row: faults and nulls of the branch not taken do not count.
/// A null condition gives null. Both branches have the storage of `type`.
package func choose(
    _ condition: Vector, _ a: Vector, _ b: Vector, type: ValueType, count: Int
) -> Vector {
    let takes = condition.bool
    let values: ColumnValues
    switch type.storage {
    case .int64: values = .int64(chosen(takes, a.int64, b.int64, count, 0))
    case .double: values = .double(chosen(takes, a.double, b.double, count, 0))
    case .bool: values = .bool(chosen(takes, a.bool, b.bool, count, false))
    case .ratio:
        let x = a.ratio
        let y = b.ratio
        values = .ratio(
            RatioValues(
                numerators: chosen(takes, x.numerators, y.numerators, count, 0),
                denominators: chosen(takes, x.denominators, y.denominators, count, 1)))
    case .null: values = .null(count: count)
    case .bytes, .nested:
        var stacked = a.column.slice(0..<count).flattened()
        stacked.append(b.column.slice(0..<count).flattened())
        let rows = (0..<count).map { Int32(takes[$0] ? $0 : count + $0) }
        let column =
            type.storage == .bytes
            ? stacked.gather(rows)
            : Column(.dictionary(DictionaryValues(indices: rows, base: stacked)))
        return chosenState(condition, a, b, column, count)
    }
    return chosenState(condition, a, b, Column(values), count)
}

@inline(__always)
private func chosen<Value>(
    _ takes: [Bool], _ a: [Value], _ b: [Value], _ count: Int, _ zero: Value
) -> [Value] {
    var result = [Value](repeating: zero, count: count)
    let condition = takes.span.extracting(0..<count)
    let x = a.span.extracting(0..<count)
    let y = b.span.extracting(0..<count)
    var out = result.mutableSpan
    for row in 0..<count { out[row] = condition[row] ? x[row] : y[row] }
    return result
}

private func chosenState(
    _ condition: Vector, _ a: Vector, _ b: Vector, _ column: Column, _ count: Int
) -> Vector {
    let takes = condition.bool
    let vectors = [condition, a, b]
    var faults: RowFaults?
    var validity = column.validity
    if vectors.contains(where: { $0.faults != nil }) {
        for row in 0..<count {
            let branch = takes[row] ? a : b
            if let code = condition.faults?.code(row) {
                record(code, row, count, in: &faults)
            } else if condition.isLive(row), let code = branch.faults?.code(row) {
                record(code, row, count, in: &faults)
            }
        }
    }
    if vectors.contains(where: { $0.column.validity != nil }) {
        var bits = validity ?? Bitmap(repeating: true, count: count)
        for row in 0..<count {
            let branch = takes[row] ? a : b
            if condition.column.validity?[row] == false || branch.column.validity?[row] == false {
                bits[row] = false
            }
        }
        validity = bits
    }
    return Vector(column.values, validity, faults)
}
