/// Values of one type, a row each, with optional validity. A value type; storage is shared until
/// changed. What stands in a row that is not valid is unspecified but present.
package struct Column: Sendable {
    package var values: ColumnValues
    /// Rows that have a value; nil when all have.
    package var validity: Bitmap?

    package init(_ values: ColumnValues, validity: Bitmap? = nil) {
        self.values = values
        self.validity = validity
    }

    package var count: Int { values.count }

    /// Whether a row has a value; looks through dictionaries. O(1).
    package func isValid(_ row: Int) -> Bool {
        if let validity, !validity[row] { return false }
        if case .dictionary(let dictionary) = values {
            return dictionary.base.isValid(Int(dictionary.indices[row]))
        }
        return true
    }
}

/// The physical storage of a column.
package enum ColumnValues: Sendable {
    /// `count` rows without a value.
    case null(count: Int)
    case bool([Bool])
    /// int, decimal, timestamp, duration.
    case int64([Int64])
    case double([Double])
    case ratio(RatioValues)
    /// string, bytes.
    case bytes(ByteValues)
    indirect case list(ListValues)
    indirect case map(MapValues)
    /// One column a field, all of the same count.
    case structure([Column])
    /// Rows by reference into another column: table look-ups, keys.
    indirect case dictionary(DictionaryValues)

    package var count: Int {
        switch self {
        case .null(let count): count
        case .bool(let values): values.count
        case .int64(let values): values.count
        case .double(let values): values.count
        case .ratio(let values): values.numerators.count
        case .bytes(let values): values.count
        case .list(let values): values.count
        case .map(let values): values.count
        case .structure(let columns): columns.first?.count ?? 0
        case .dictionary(let values): values.indices.count
        }
    }
}

/// Exact quotients: `numerators[i] / denominators[i]`, denominators positive.
package struct RatioValues: Sendable {
    package var numerators: [Int128]
    package var denominators: [Int128]

    package init(numerators: [Int128] = [], denominators: [Int128] = []) {
        self.numerators = numerators
        self.denominators = denominators
    }
}

/// Byte strings back to back: row `i` is `bytes[offsets[i]..<offsets[i + 1]]`.
package struct ByteValues: Sendable {
    /// `count + 1` ascending offsets, the first 0.
    package var offsets: [Int32]
    package var bytes: [UInt8]

    package init() {
        offsets = [0]
        bytes = []
    }

    package init(offsets: [Int32], bytes: [UInt8]) {
        self.offsets = offsets
        self.bytes = bytes
    }

    package var count: Int { offsets.count - 1 }

    /// Where a row's bytes stand in `bytes`.
    package func range(_ row: Int) -> Range<Int> {
        Int(offsets[row])..<Int(offsets[row + 1])
    }

    /// A copy of a row's bytes: for places that are not hot.
    package func array(_ row: Int) -> [UInt8] { Array(bytes[range(row)]) }

    /// Adds a row with a copy of these bytes. Amortised O(length).
    package mutating func append(_ value: Span<UInt8>) {
        unsafe value.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        endRow()
    }

    package mutating func append(_ value: some Collection<UInt8>) {
        bytes.append(contentsOf: value)
        endRow()
    }

    package mutating func append(_ value: [UInt8]) { append(value.span) }

    /// Adds a copy of a row of others.
    package mutating func append(_ other: ByteValues, _ row: Int) {
        append(other.bytes.span.extracting(other.range(row)))
    }

    /// Makes a row of the bytes that were added to ``bytes`` since the last one.
    @inlinable
    package mutating func endRow() { offsets.append(Int32(truncatingIfNeeded: bytes.count)) }
}

/// Lists: row `i` holds the rows `offsets[i]..<offsets[i + 1]` of `elements`.
package struct ListValues: Sendable {
    package var offsets: [Int32]
    package var elements: Column

    package init(offsets: [Int32] = [0], elements: Column) {
        self.offsets = offsets
        self.elements = elements
    }

    package var count: Int { offsets.count - 1 }
}

/// Maps: row `i` holds the entries `offsets[i]..<offsets[i + 1]`, in the order of the input; keys
/// within a row are distinct.
package struct MapValues: Sendable {
    package var offsets: [Int32]
    package var keys: Column
    package var values: Column

    package init(offsets: [Int32] = [0], keys: Column, values: Column) {
        self.offsets = offsets
        self.keys = keys
        self.values = values
    }

    package var count: Int { offsets.count - 1 }
}

/// Rows by reference: row `i` is row `indices[i]` of `base`. A base is never a dictionary itself.
package struct DictionaryValues: Sendable {
    package var indices: [Int32]
    package var base: Column

    package init(indices: [Int32], base: Column) {
        self.indices = indices
        self.base = base
    }
}
