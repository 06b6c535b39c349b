import Columnar

/// A snapshot that does not hold what its reader expects: damaged, or of another plan.
package struct SnapshotError: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Writes state as bytes: little-endian integers, length-prefixed strings. Canonical: equal state
/// gives equal bytes.
package struct SnapshotWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// Appends an integer, least significant byte first, in as many bytes as its type has.
    package mutating func write<Value: FixedWidthInteger>(_ value: Value) {
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    /// Appends one byte, 1 for true.
    package mutating func write(_ value: Bool) { bytes.append(value ? 1 : 0) }

    /// Appends the eight bytes of the bit pattern: -0.0 and 0.0 differ.
    package mutating func write(_ value: Double) { write(value.bitPattern) }

    /// Appends the count as an Int64, then the bytes.
    package mutating func write(_ value: [UInt8]) {
        write(Int64(value.count))
        bytes.append(contentsOf: value)
    }

    /// Appends the UTF-8 bytes after their count.
    package mutating func write(_ value: String) { write(Array(value.utf8)) }

    /// Appends the count as an Int64, then the values, eight bytes each.
    package mutating func write(_ values: [Int64]) {
        write(Int64(values.count))
        for value in values { write(value) }
    }
}

/// Reads what ``SnapshotWriter`` wrote. Every read checks the length, so damage is an error.
package struct SnapshotReader: Sendable {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package var isAtEnd: Bool { position == bytes.count }

    /// Reads an integer that `write` wrote with the same type; throws when too few bytes are left.
    package mutating func read<Value: FixedWidthInteger>(
        _ type: Value.Type = Value.self
    ) throws(SnapshotError) -> Value {
        let size = MemoryLayout<Value>.size
        guard bytes.count - position >= size else {
            throw SnapshotError("the snapshot ends early")
        }
        defer { position += size }
        return unsafe bytes.withUnsafeBytes {
            Value(littleEndian: unsafe $0.loadUnaligned(fromByteOffset: position, as: Value.self))
        }
    }

    /// Reads a Boolean: any byte but 0 is true. Throws at the end.
    package mutating func readBool() throws(SnapshotError) -> Bool {
        try read(UInt8.self) != 0
    }

    /// Reads the eight bytes of a bit pattern; throws when fewer are left.
    package mutating func readDouble() throws(SnapshotError) -> Double {
        Double(bitPattern: try read())
    }

    /// A count that cannot exceed what is left, so that damage allocates nothing absurd.
    package mutating func readCount() throws(SnapshotError) -> Int {
        let count = try read(Int64.self)
        guard count >= 0, count <= Int64(bytes.count - position) else {
            throw SnapshotError("the snapshot holds an impossible count")
        }
        return Int(count)
    }

    /// Reads a count and so many bytes; throws when the count is more than is left.
    package mutating func readBytes() throws(SnapshotError) -> [UInt8] {
        let count = try readCount()
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    /// Reads a count and so many values; throws when the bytes end before the last.
    package mutating func readInt64s() throws(SnapshotError) -> [Int64] {
        let count = try readCount()
        var values: [Int64] = []
        for _ in 0..<count { values.append(try read()) }
        return values
    }
}

extension SnapshotWriter {
    /// Writes the rows of a column; dictionaries are written as what they refer to.
    package mutating func write(_ column: Column) {
        let flat = column.flattened()
        write(Int64(flat.count))
        // Whether there is a bitmap that says nothing depends on how batches were cut.
        let validity = flat.validity.flatMap { $0.isAllSet ? nil : $0 }
        write(validity != nil)
        if let validity {
            for row in 0..<flat.count { write(validity[row]) }
        }
        switch flat.values {
        case .null: write(UInt8(0))
        case .bool(let values):
            write(UInt8(1))
            for value in values { write(value) }
        case .int64(let values):
            write(UInt8(2))
            for value in values { write(value) }
        case .double(let values):
            write(UInt8(3))
            for value in values { write(value) }
        case .ratio(let values):
            write(UInt8(4))
            for value in values.numerators { write(value) }
            for value in values.denominators { write(value) }
        case .bytes(let values):
            write(UInt8(5))
            for row in 0..<values.count { write(values.array(row)) }
        case .list(let values):
            write(UInt8(6))
            for offset in values.offsets { write(offset) }
            write(values.elements)
        case .map(let values):
            write(UInt8(7))
            for offset in values.offsets { write(offset) }
            write(values.keys)
            write(values.values)
        case .structure(let columns):
            write(UInt8(8))
            write(Int64(columns.count))
            for column in columns { write(column) }
        case .dictionary: break  // flattened above
        }
    }
}

extension SnapshotReader {
    /// Reads what `write(Column)` wrote.
    package mutating func readColumn() throws(SnapshotError) -> Column {
        let count = Int(try read(Int64.self))
        guard count >= 0, count <= Int(Int32.max) else {
            throw SnapshotError("the snapshot holds an impossible row count")
        }
        var validity: Bitmap?
        if try readBool() {
            var bits = Bitmap(repeating: false, count: 0)
            for _ in 0..<count { bits.append(try readBool()) }
            validity = bits
        }
        return Column(try readValues(count), validity: validity)
    }

    private mutating func readValues(_ count: Int) throws(SnapshotError) -> ColumnValues {
        switch try read(UInt8.self) {
        case 0: return .null(count: count)
        case 1:
            var values: [Bool] = []
            for _ in 0..<count { values.append(try readBool()) }
            return .bool(values)
        case 2:
            var values: [Int64] = []
            for _ in 0..<count { values.append(try read()) }
            return .int64(values)
        case 3:
            var values: [Double] = []
            for _ in 0..<count { values.append(try readDouble()) }
            return .double(values)
        case 4:
            var values = RatioValues()
            for _ in 0..<count { values.numerators.append(try read()) }
            for _ in 0..<count { values.denominators.append(try read()) }
            return .ratio(values)
        case 5:
            var values = ByteValues()
            for _ in 0..<count { values.append(try readBytes()) }
            return .bytes(values)
        case 6:
            let offsets = try readOffsets(count)
            return .list(ListValues(offsets: offsets, elements: try readColumn()))
        case 7:
            let offsets = try readOffsets(count)
            let keys = try readColumn()
            return .map(MapValues(offsets: offsets, keys: keys, values: try readColumn()))
        case 8:
            var columns: [Column] = []
            for _ in 0..<(try readCount()) { columns.append(try readColumn()) }
            return .structure(columns)
        default: throw SnapshotError("the snapshot holds an unknown kind of column")
        }
    }

    private mutating func readOffsets(_ count: Int) throws(SnapshotError) -> [Int32] {
        var offsets: [Int32] = []
        for _ in 0...count { offsets.append(try read()) }
        return offsets
    }
}
