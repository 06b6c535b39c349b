// Making, joining and comparing lists and maps. Row by row: not for hot paths.

/// One list a row of the vectors' values in order.
package func makeList(_ values: [Vector], element: ValueType, count: Int) -> Vector {
    let (elements, faults) = interleaved(values, element, count)
    let offsets = (0...count).map { Int32($0 * values.count) }
    return Vector(.list(ListValues(offsets: offsets, elements: elements)), nil, faults)
}

/// One map a row; keys and values alternate. A key that stands twice faults `invalidArgument`.
package func makeMap(
    _ entries: [Vector], key: ValueType, value: ValueType, count: Int
) -> Vector {
    let keyVectors = stride(from: 0, to: entries.count, by: 2).map { entries[$0] }
    let valueVectors = stride(from: 1, to: entries.count, by: 2).map { entries[$0] }
    let (keys, keyFaults) = interleaved(keyVectors, key, count)
    let (values, valueFaults) = interleaved(valueVectors, value, count)
    var faults = RowFaults.merged(keyFaults, valueFaults)
    let width = keyVectors.count
    for row in 0..<count where faults?.rows[row] != true {
        for second in 0..<width {
            let isNull = !isValid(keys, row * width + second)
            let repeats = (0..<second).contains {
                areEqual(keys, row * width + $0, keys, row * width + second)
            }
            if isNull || repeats { record(.invalidArgument, row, count, in: &faults) }
        }
    }
    let offsets = (0...count).map { Int32($0 * width) }
    return Vector(.map(MapValues(offsets: offsets, keys: keys, values: values)), nil, faults)
}

/// Values of several vectors, all of row 0 first.
private func interleaved(
    _ vectors: [Vector], _ type: ValueType, _ count: Int
) -> (column: Column, faults: RowFaults?) {
    guard let first = vectors.first else { return (nullColumn(type, count: 0), nil) }
    var stacked = first.column.slice(0..<count).flattened()
    var faults = first.faults
    for vector in vectors.dropFirst() {
        stacked.append(vector.column.slice(0..<count).flattened())
        faults = RowFaults.merged(faults, vector.faults)
    }
    var rows: [Int32] = []
    rows.reserveCapacity(count * vectors.count)
    for row in 0..<count {
        for index in vectors.indices { rows.append(Int32(index * count + row)) }
    }
    return (stacked.gather(rows), faults)
}

/// `a + b` of lists.
package func concatenateLists(_ a: Vector, _ b: Vector, count: Int) -> Vector {
    let faults = RowFaults.merged(a.faults, b.faults)
    let x = NestedRows(a)
    let y = NestedRows(b)
    let validity = Bitmap.intersection(
        x.validity(a, count: count), y.validity(b, count: count))
    guard case .list(let left) = x.base.values, case .list(let right) = y.base.values else {
        return Vector(.null(count: count), validity, faults)
    }
    var elements = left.elements.flattened()
    let shift = Int32(elements.count)
    elements.append(right.elements.flattened())
    var rows: [Int32] = []
    var offsets: [Int32] = [0]
    for row in 0..<count {
        if validity?[row] ?? true {
            rows += left.offsets[x.row(row)]..<left.offsets[x.row(row) + 1]
            let range = right.offsets[y.row(row)]..<right.offsets[y.row(row) + 1]
            rows += range.map { $0 + shift }
        }
        offsets.append(Int32(rows.count))
    }
    let values = ListValues(offsets: offsets, elements: elements.gather(rows))
    return Vector(.list(values), validity, faults)
}

/// `value in list`.
package func listContains(_ value: Vector, _ list: Vector, count: Int) -> Vector {
    let rows = NestedRows(list)
    let faults = RowFaults.merged(value.faults, list.faults)
    let validity = Bitmap.intersection(
        rows.validity(list, count: count), value.column.validity)
    var result = [Bool](repeating: false, count: count)
    if case .list(let lists) = rows.base.values {
        for row in 0..<count where validity?[row] ?? true {
            let base = rows.row(row)
            let range = Int(lists.offsets[base])..<Int(lists.offsets[base + 1])
            result[row] = range.contains { areEqual(lists.elements, $0, value.column, row) }
        }
    }
    return Vector(.bool(result), validity, faults)
}

/// Whether lists, maps or structs are equal, to any depth. Inside, null equals null.
package func equalNested(_ a: Vector, _ b: Vector, isEqual: Bool, count: Int) -> Vector {
    let faults = RowFaults.merged(a.faults, b.faults)
    let validity = Bitmap.intersection(
        NestedRows(a).validity(a, count: count), NestedRows(b).validity(b, count: count))
    var result = [Bool](repeating: false, count: count)
    for row in 0..<count where validity?[row] ?? true {
        if let faults, faults.rows[row] { continue }
        result[row] = areEqual(a.column, row, b.column, row) == isEqual
    }
    return Vector(.bool(result), validity, faults)
}

/// Whether two values of comparable types are equal; null equals null only.
func areEqual(_ a: Column, _ i: Int, _ b: Column, _ j: Int) -> Bool {
    let isThere = isValid(a, i)
    guard isThere == isValid(b, j) else { return false }
    guard isThere else { return true }
    switch (a.values, b.values) {
    case (.dictionary(let x), _): return areEqual(x.base, Int(x.indices[i]), b, j)
    case (_, .dictionary(let y)): return areEqual(a, i, y.base, Int(y.indices[j]))
    case (.bool(let x), .bool(let y)): return x[i] == y[j]
    case (.int64(let x), .int64(let y)): return x[i] == y[j]
    case (.double(let x), .double(let y)): return x[i] == y[j]
    case (.ratio(let x), .ratio(let y)):
        return crossOrder(
            x.numerators[i], x.denominators[i], y.numerators[j], y.denominators[j]) == 0
    case (.bytes(let x), .bytes(let y)):
        return x.bytes[x.range(i)].elementsEqual(y.bytes[y.range(j)])
    case (.list(let x), .list(let y)):
        let left = Int(x.offsets[i])..<Int(x.offsets[i + 1])
        let right = Int(y.offsets[j])..<Int(y.offsets[j + 1])
        return left.count == right.count
            && zip(left, right).allSatisfy { areEqual(x.elements, $0, y.elements, $1) }
    case (.map(let x), .map(let y)):
        let left = Int(x.offsets[i])..<Int(x.offsets[i + 1])
        let right = Int(y.offsets[j])..<Int(y.offsets[j + 1])
        return left.count == right.count
            && left.allSatisfy { entry in
                right.contains {
                    areEqual(x.keys, entry, y.keys, $0) && areEqual(x.values, entry, y.values, $0)
                }
            }
    case (.structure(let x), .structure(let y)):
        return zip(x, y).allSatisfy { areEqual($0, i, $1, j) }
    default: return false
    }
}
