// Moving rows: gather, slice, append, and looking through dictionaries.

extension Column {
    /// The rows `rows[0]`, `rows[1]`, … as a new column. Every index must be in range.
    /// O(rows), dictionaries stay dictionaries.
    package func gather(_ rows: [Int32]) -> Column {
        var result = Column(values.gather(rows))
        if let validity {
            var bits = Bitmap(repeating: true, count: rows.count)
            for (target, row) in rows.enumerated() where !validity[Int(row)] {
                bits[target] = false
            }
            result.validity = bits
        }
        return result
    }

    /// A run of rows as a new column. O(range).
    package func slice(_ range: Range<Int>) -> Column {
        if range.lowerBound == 0, range.upperBound == count { return self }
        guard validity == nil, let run = values.run(range) else {
            return gather(range.map { Int32($0) })
        }
        return Column(run)
    }

    /// The same rows without a dictionary: the form that kernels read. O(1) when there is none.
    package func flattened() -> Column {
        guard case .dictionary(let dictionary) = values else { return self }
        var result = dictionary.base.gather(dictionary.indices)
        result.validity = Bitmap.intersection(result.validity, validity)
        return result
    }

    /// Appends the rows of another column of the same type.
    package mutating func append(_ other: Column) {
        let oldCount = count
        let flat = other.flattened()
        // First: a dictionary's base knows which of its rows are null.
        self = flattened()
        if validity != nil || flat.validity != nil || isNullStorage != flat.isNullStorage {
            var bits = validity ?? Bitmap(repeating: !isNullStorage, count: oldCount)
            for row in 0..<flat.count { bits.append(flat.isValid(row) && !flat.isNullStorage) }
            validity = bits
        }
        values.append(flat.values)
    }

    private var isNullStorage: Bool {
        if case .null = values { return true }
        return false
    }
}

extension ColumnValues {
    /// A run of rows of a kind without children: one copy. Nil for the others.
    fileprivate func run(_ range: Range<Int>) -> ColumnValues? {
        switch self {
        case .null: .null(count: range.count)
        case .bool(let values): .bool(Array(values[range]))
        case .int64(let values): .int64(Array(values[range]))
        case .double(let values): .double(Array(values[range]))
        case .ratio(let values):
            .ratio(
                RatioValues(
                    numerators: Array(values.numerators[range]),
                    denominators: Array(values.denominators[range])))
        case .dictionary(let values):
            .dictionary(
                DictionaryValues(indices: Array(values.indices[range]), base: values.base))
        case .bytes, .list, .map, .structure: nil
        }
    }

    fileprivate func gather(_ rows: [Int32]) -> ColumnValues {
        switch self {
        case .null: return .null(count: rows.count)
        case .bool(let values): return .bool(take(values, rows))
        case .int64(let values): return .int64(take(values, rows))
        case .double(let values): return .double(take(values, rows))
        case .ratio(let values):
            return .ratio(
                RatioValues(
                    numerators: take(values.numerators, rows),
                    denominators: take(values.denominators, rows)))
        case .bytes(let values): return .bytes(values.gather(rows))
        case .list(let values):
            let (offsets, children) = spread(values.offsets, rows)
            return .list(ListValues(offsets: offsets, elements: values.elements.gather(children)))
        case .map(let values):
            let (offsets, children) = spread(values.offsets, rows)
            return .map(
                MapValues(
                    offsets: offsets, keys: values.keys.gather(children),
                    values: values.values.gather(children)))
        case .structure(let columns): return .structure(columns.map { $0.gather(rows) })
        case .dictionary(let values):
            return .dictionary(
                DictionaryValues(indices: take(values.indices, rows), base: values.base))
        }
    }

    fileprivate mutating func append(_ other: ColumnValues) {
        switch (self, other) {
        case (.null(let a), .null(let b)): self = .null(count: a + b)
        case (.null(let a), _):
            // Rows without a value still need storage beside rows that have one.
            self = other.emptied(repeatingNull: a)
            append(other)
        case (_, .null(let b)): append(other: emptied(repeatingNull: b))
        default: append(other: other)
        }
    }

    private mutating func append(other: ColumnValues) {
        switch (self, other) {
        case (.bool(var a), .bool(let b)):
            self = .null(count: 0)
            a += b
            self = .bool(a)
        case (.int64(var a), .int64(let b)):
            self = .null(count: 0)
            a += b
            self = .int64(a)
        case (.double(var a), .double(let b)):
            self = .null(count: 0)
            a += b
            self = .double(a)
        case (.ratio(var a), .ratio(let b)):
            self = .null(count: 0)
            a.numerators += b.numerators
            a.denominators += b.denominators
            self = .ratio(a)
        case (.bytes(var a), .bytes(let b)):
            self = .null(count: 0)
            appendOffsets(b.offsets, to: &a.offsets)
            a.bytes += b.bytes
            self = .bytes(a)
        case (.list(var a), .list(let b)):
            self = .null(count: 0)
            appendOffsets(b.offsets, to: &a.offsets)
            a.elements.append(b.elements)
            self = .list(a)
        case (.map(var a), .map(let b)):
            self = .null(count: 0)
            appendOffsets(b.offsets, to: &a.offsets)
            a.keys.append(b.keys)
            a.values.append(b.values)
            self = .map(a)
        case (.structure(var a), .structure(let b)):
            self = .null(count: 0)
            for index in a.indices { a[index].append(b[index]) }
            self = .structure(a)
        default: preconditionFailure("columns of different types cannot be appended")
        }
    }

    /// Storage of the same kind with `count` rows of an arbitrary value.
    private func emptied(repeatingNull count: Int) -> ColumnValues {
        switch self {
        case .null: return .null(count: count)
        case .bool: return .bool(Array(repeating: false, count: count))
        case .int64: return .int64(Array(repeating: 0, count: count))
        case .double: return .double(Array(repeating: 0, count: count))
        case .ratio:
            return .ratio(
                RatioValues(
                    numerators: Array(repeating: 0, count: count),
                    denominators: Array(repeating: 1, count: count)))
        case .bytes:
            return .bytes(ByteValues(offsets: Array(repeating: 0, count: count + 1), bytes: []))
        case .list(let values):
            return .list(
                ListValues(
                    offsets: Array(repeating: 0, count: count + 1),
                    elements: values.elements.gather([])))
        case .map(let values):
            return .map(
                MapValues(
                    offsets: Array(repeating: 0, count: count + 1),
                    keys: values.keys.gather([]), values: values.values.gather([])))
        case .structure(let columns):
            return .structure(
                columns.map { Column($0.flattened().values.emptied(repeatingNull: count)) })
        case .dictionary(let values): return values.base.values.emptied(repeatingNull: count)
        }
    }
}

extension ByteValues {
    /// The rows `rows[0]`, `rows[1]`, … O(rows + bytes).
    package func gather(_ rows: [Int32]) -> ByteValues {
        var byteCount = 0
        for row in rows { byteCount += range(Int(row)).count }
        var newOffsets: [Int32] = []
        newOffsets.reserveCapacity(rows.count + 1)
        newOffsets.append(0)
        var newBytes: [UInt8] = []
        newBytes.reserveCapacity(byteCount)
        for row in rows {
            newBytes.append(contentsOf: bytes[range(Int(row))])
            newOffsets.append(Int32(newBytes.count))
        }
        return ByteValues(offsets: newOffsets, bytes: newBytes)
    }
}

/// The elements of `values` at `rows`.
@inlinable
package func take<Element>(_ values: [Element], _ rows: [Int32]) -> [Element] {
    let span = values.span
    return rows.map { span[Int($0)] }
}

/// Offsets of the gathered lists, and the child rows they cover.
private func spread(_ offsets: [Int32], _ rows: [Int32]) -> (offsets: [Int32], children: [Int32]) {
    var newOffsets: [Int32] = [0]
    var children: [Int32] = []
    for row in rows {
        children.append(contentsOf: offsets[Int(row)]..<offsets[Int(row) + 1])
        newOffsets.append(Int32(children.count))
    }
    return (newOffsets, children)
}

private func appendOffsets(_ other: [Int32], to offsets: inout [Int32]) {
    let base = offsets[offsets.count - 1]
    for offset in other.dropFirst() { offsets.append(base + offset) }
}
