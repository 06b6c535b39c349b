// Lists, maps and structs are followed by index into their base: a table's column arrives as a
// dictionary over all its versions, and flattening it would copy every list for every row.

/// A nested vector as base storage and the base row of each row.
struct NestedRows {
    let base: Column
    /// Nil when row `i` is base row `i`.
    let indices: [Int32]?

    init(_ vector: Vector) {
        if case .dictionary(let dictionary) = vector.column.values {
            base = dictionary.base
            indices = dictionary.indices
        } else {
            base = Column(vector.column.values)
            indices = nil
        }
    }

    @inline(__always)
    func row(_ row: Int) -> Int { indices.map { Int($0[row]) } ?? row }

    /// Validity of the vector's rows: its own, and its base's.
    func validity(_ vector: Vector, count: Int) -> Bitmap? {
        guard let baseValidity = base.validity, !baseValidity.isAllSet else {
            return vector.column.validity
        }
        var bits = vector.column.validity ?? Bitmap(repeating: true, count: count)
        for index in 0..<count where bits[index] && !baseValidity[row(index)] {
            bits[index] = false
        }
        return bits
    }
}

/// A field of each struct.
package func structField(_ a: Vector, _ field: Int, type: ValueType, count: Int) -> Vector {
    let rows = NestedRows(a)
    guard case .structure(let columns) = rows.base.values else {
        return Vector(nullColumn(type, count: count), faults: a.faults)
    }
    let validity = rows.validity(a, count: count)
    let child = columns[field]
    guard let indices = rows.indices else {
        var column = child
        column.validity = Bitmap.intersection(child.validity, validity)
        return Vector(column, faults: a.faults)
    }
    return Vector(dictionary(child, indices).values, validity, a.faults)
}

/// Rows of `base` by index, never a dictionary over a dictionary.
func dictionary(_ base: Column, _ indices: [Int32]) -> Column {
    guard base.count > 0 else { return Column(.null(count: indices.count)) }
    guard case .dictionary(let inner) = base.values else {
        return Column(.dictionary(DictionaryValues(indices: indices, base: base)))
    }
    let direct = take(inner.indices, indices)
    var column = Column(.dictionary(DictionaryValues(indices: direct, base: inner.base)))
    if let validity = base.validity {
        var bits = Bitmap(repeating: true, count: indices.count)
        for (row, index) in indices.enumerated() where !validity[Int(index)] { bits[row] = false }
        column.validity = bits
    }
    return column
}

/// `list[index]`: an index below 0 or past the end faults `indexOutOfBounds`.
package func listElement(_ list: Vector, _ index: Vector, type: ValueType, count: Int) -> Vector {
    let rows = NestedRows(list)
    let positions = index.int64
    var validity = Bitmap.intersection(rows.validity(list, count: count), index.column.validity)
    var faults = RowFaults.merged(list.faults, index.faults)
    guard case .list(let lists) = rows.base.values else {
        return Vector(nullColumn(type, count: count), faults: faults)
    }
    var children = [Int32](repeating: 0, count: count)
    for row in 0..<count where validity?[row] ?? true {
        if let faults, faults.rows[row] { continue }
        let base = rows.row(row)
        let length = Int64(lists.offsets[base + 1] - lists.offsets[base])
        let position = positions[row]
        if position >= 0, position < length {
            children[row] = lists.offsets[base] + Int32(position)
        } else {
            record(.indexOutOfBounds, row, count, in: &faults)
        }
    }
    if validity?.isAllSet == true { validity = nil }
    let column = dictionary(lists.elements, children)
    return Vector(
        column.values, Bitmap.intersection(column.validity, validity), faults)
}

/// `map[key]`: a key that is not there faults `noSuchKey`. A short linear search a row.
package func mapElement(_ map: Vector, _ key: Vector, type: ValueType, count: Int) -> Vector {
    let rows = NestedRows(map)
    let validity = Bitmap.intersection(rows.validity(map, count: count), key.column.validity)
    var faults = RowFaults.merged(map.faults, key.faults)
    guard case .map(let maps) = rows.base.values, maps.keys.count > 0 else {
        for row in 0..<count where validity?[row] ?? true {
            record(.noSuchKey, row, count, in: &faults)
        }
        return Vector(nullColumn(type, count: count).values, validity, faults)
    }
    let children = findKeys(rows, maps, key, validity, count)
    var found = children
    if children.contains(-1) {
        for row in 0..<count where children[row] < 0 {
            found[row] = 0
            if validity?[row] ?? true { record(.noSuchKey, row, count, in: &faults) }
        }
    }
    let column = dictionary(maps.values, found)
    return Vector(column.values, Bitmap.intersection(column.validity, validity), faults)
}

/// `key in map`.
package func mapContains(_ map: Vector, _ key: Vector, count: Int) -> Vector {
    let rows = NestedRows(map)
    let validity = Bitmap.intersection(rows.validity(map, count: count), key.column.validity)
    let faults = RowFaults.merged(map.faults, key.faults)
    guard case .map(let maps) = rows.base.values, maps.keys.count > 0 else {
        return Vector(.bool(Array(repeating: false, count: count)), validity, faults)
    }
    let children = findKeys(rows, maps, key, validity, count)
    return Vector(.bool(children.map { $0 >= 0 }), validity, faults)
}

/// The entry of each row's key, or -1. Keys are int64, bytes or bool. Rows that are not `live` are
/// not looked at: their index may point anywhere.
private func findKeys(
    _ rows: NestedRows, _ maps: MapValues, _ key: Vector, _ live: Bitmap?, _ count: Int
) -> [Int32] {
    var result = [Int32](repeating: -1, count: count)
    let keys = maps.keys.flattened()
    switch keys.values {
    case .int64(let stored):
        let wanted = key.int64
        let offsets = maps.offsets.span
        let entries = stored.span
        for row in 0..<count where live?[row] ?? true {
            let base = rows.row(row)
            let value = wanted[row]
            for entry in Int(offsets[base])..<Int(offsets[base + 1]) where entries[entry] == value {
                result[row] = Int32(entry)
                break
            }
        }
    case .bool(let stored):
        let wanted = key.bool
        for row in 0..<count where live?[row] ?? true {
            let base = rows.row(row)
            for entry in Int(maps.offsets[base])..<Int(maps.offsets[base + 1])
            where stored[entry] == wanted[row] {
                result[row] = Int32(entry)
                break
            }
        }
    case .bytes(let stored):
        let wanted = key.bytes
        let entries = stored.bytes.span
        let text = wanted.bytes.span
        for row in 0..<count where live?[row] ?? true {
            let base = rows.row(row)
            for entry in Int(maps.offsets[base])..<Int(maps.offsets[base + 1])
            where order(entries, stored.range(entry), text, wanted.range(row)) == 0 {
                result[row] = Int32(entry)
                break
            }
        }
    default: break
    }
    return result
}

/// Elements of each list, entries of each map.
package func elementCount(_ a: Vector, count: Int) -> Vector {
    let rows = NestedRows(a)
    let offsets: [Int32]
    switch rows.base.values {
    case .list(let lists): offsets = lists.offsets
    case .map(let maps): offsets = maps.offsets
    default:
        return Vector(nullColumn(.int, count: count), faults: a.faults)
    }
    let validity = rows.validity(a, count: count)
    var result = [Int64](repeating: 0, count: count)
    for row in 0..<count where validity?[row] ?? true {
        let base = rows.row(row)
        result[row] = Int64(offsets[base + 1] - offsets[base])
    }
    return Vector(.int64(result), validity, a.faults)
}
