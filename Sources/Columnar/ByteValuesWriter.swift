import Primitives

/// Rows of bytes under construction: write a row to ``bytes``, then end it.
package struct ByteValuesWriter: ~Copyable {
    package var bytes: ByteWriter
    /// Where each row begins, and the end of the last.
    package private(set) var offsets: [Int32] = [0]

    /// Room for some bytes and rows; more are taken too.
    package init(capacity: Int = 0, rowCount: Int = 0) {
        bytes = ByteWriter(capacity: capacity)
        offsets.reserveCapacity(rowCount + 1)
    }

    package var count: Int { offsets.count - 1 }

    /// Makes a row of what was written since the last one.
    @inline(__always)
    package mutating func endRow() { offsets.append(Int32(truncatingIfNeeded: bytes.count)) }

    /// The rows, copied.
    package func values() -> ByteValues { ByteValues(offsets: offsets, bytes: bytes.array()) }
}
