/// Physical storage of a type: which kernels read it.
package enum StorageKind: Hashable, Sendable {
    case null, bool, int64, double, ratio, bytes, nested
}

extension ValueType {
    /// How values of the type are stored.
    package var storage: StorageKind {
        switch self {
        case .null: .null
        case .bool: .bool
        case .int, .decimal, .timestamp, .duration: .int64
        case .double: .double
        case .ratio: .ratio
        case .string, .bytes: .bytes
        case .list, .map, .structure: .nested
        }
    }
}

/// `count` rows of `kind` without a value.
package func nullColumn(_ type: ValueType, count: Int) -> Column {
    let values: ColumnValues
    switch type {
    case .null: values = .null(count: count)
    case .bool: values = .bool(Array(repeating: false, count: count))
    case .int, .decimal, .timestamp, .duration:
        values = .int64(Array(repeating: 0, count: count))
    case .double: values = .double(Array(repeating: 0, count: count))
    case .ratio:
        values = .ratio(
            RatioValues(
                numerators: Array(repeating: 0, count: count),
                denominators: Array(repeating: 1, count: count)))
    case .string, .bytes:
        values = .bytes(ByteValues(offsets: Array(repeating: 0, count: count + 1), bytes: []))
    case .list(let element):
        values = .list(
            ListValues(
                offsets: Array(repeating: 0, count: count + 1),
                elements: nullColumn(element, count: 0)))
    case .map(let key, let value):
        values = .map(
            MapValues(
                offsets: Array(repeating: 0, count: count + 1), keys: nullColumn(key, count: 0),
                values: nullColumn(value, count: 0)))
    case .structure(let fields):
        values = .structure(fields.map { nullColumn($0.type, count: count) })
    }
    return Column(values, validity: Bitmap(repeating: false, count: count))
}

/// The same rows in the storage that scalar kernels read: no dictionary, no `.null`.
///
/// O(1) when the column is flat already. Nested columns stay behind their dictionary.
package func flatten(_ vector: Vector, type: ValueType, count: Int) -> Vector {
    switch vector.column.values {
    case .null: return Vector(nullColumn(type, count: count), faults: vector.faults)
    case .dictionary(let dictionary):
        if type.storage == .nested, dictionary.base.count > 0 { return vector }
        if case .null = dictionary.base.values {
            return Vector(nullColumn(type, count: count), faults: vector.faults)
        }
        guard dictionary.base.count > 0 else {
            return Vector(nullColumn(type, count: count), faults: vector.faults)
        }
        let column = flattened(dictionary, validity: vector.column.validity, count: count)
        return Vector(column, faults: vector.faults)
    default: return vector
    }
}

private func flattened(_ dictionary: DictionaryValues, validity: Bitmap?, count: Int) -> Column {
    let indices =
        dictionary.indices.count == count
        ? dictionary.indices : Array(dictionary.indices.prefix(count))
    var valid = validity
    if let base = dictionary.base.validity {
        var bits = validity ?? Bitmap(repeating: true, count: count)
        for row in 0..<count where !base[Int(indices[row])] { bits[row] = false }
        valid = bits
    }
    switch dictionary.base.values {
    case .int64(let values): return Column(.int64(take(values, indices)), validity: valid)
    case .double(let values): return Column(.double(take(values, indices)), validity: valid)
    default:
        var column = Column(dictionary.base.values).gather(indices)
        column.validity = valid
        return column
    }
}

/// `count` rows of a one-row column: scalars repeated, nested values behind a dictionary.
package func broadcast(_ column: Column, count: Int) -> Column {
    let zeros = [Int32](repeating: 0, count: count)
    switch column.values {
    case .null: return Column(.null(count: count))
    case .bool(let values): return repeated(.bool(take(values, zeros)), column, count)
    case .int64(let values): return repeated(.int64(take(values, zeros)), column, count)
    case .double(let values): return repeated(.double(take(values, zeros)), column, count)
    case .ratio, .bytes:
        return repeated(Column(column.values).gather(zeros).values, column, count)
    case .list, .map, .structure:
        return Column(.dictionary(DictionaryValues(indices: zeros, base: column)))
    case .dictionary(let dictionary):
        return Column(
            .dictionary(
                DictionaryValues(indices: take(dictionary.indices, zeros), base: dictionary.base)))
    }
}

private func repeated(_ values: ColumnValues, _ column: Column, _ count: Int) -> Column {
    Column(values, validity: column.isValid(0) ? nil : Bitmap(repeating: false, count: count))
}
