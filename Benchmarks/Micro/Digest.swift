import Columnar

/// A hash of results, to see that they are the same everywhere: FNV-1a over words.
package struct Digest: Hashable, Sendable {
    package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    package init() {}

    mutating func add(_ word: UInt64) { value = (value ^ word) &* 0x0000_0100_0000_01b3 }

    mutating func add(_ number: some FixedWidthInteger) { add(UInt64(truncatingIfNeeded: number)) }

    mutating func add(_ bytes: [UInt8]) {
        add(bytes.count)
        for byte in bytes { add(byte) }
    }

    mutating func add(_ bytes: ByteValues) {
        for offset in bytes.offsets { add(offset) }
        for byte in bytes.bytes { add(byte) }
    }

    /// The valid rows of a column and which they are.
    mutating func add(_ column: Column) {
        for row in 0..<column.count where column.isValid(row) {
            add(row)
            switch column.values {
            case .bool(let values): add(values[row] ? UInt64(1) : 0)
            case .int64(let values): add(values[row])
            case .double(let values): add(values[row].bitPattern)
            case .ratio(let values):
                add(values.numerators[row])
                add(values.denominators[row])
            case .bytes(let values): for byte in values.bytes[values.range(row)] { add(byte) }
            case .dictionary(let values):
                guard case .bytes(let base) = values.base.values else { continue }
                for byte in base.bytes[base.range(Int(values.indices[row]))] { add(byte) }
            case .null, .list, .map, .structure: continue
            }
        }
    }

    mutating func add(_ batch: Batch) {
        for column in batch.columns { add(column) }
        for time in batch.times { add(time) }
        for key in batch.keys { add(key) }
    }

    /// Sixteen hexadecimal digits.
    package var text: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// Storage that a case's closures share.
final class Box<Value> {
    var value: Value

    init(_ value: Value) { self.value = value }
}
