/// Records of one or several consecutive record batches, decompressed, as ranges into one buffer.
///
/// What a format decoder reads: row `i` has `offsets[i]`, and its key, value and headers are byte
/// ranges of `bytes`. Control batches are not in it, so offsets ascend but may have gaps.
/// Immutable, so it may be kept for as long as a row of it may still be rejected.
package final class RecordBlock: Sendable {
    /// The decompressed records, back to back; ranges point into it.
    package let bytes: [UInt8]
    package let offsets: [Int64]
    /// Record time stamps in milliseconds since the epoch.
    package let timestamps: [Int64]
    package let keyStarts: [Int32]
    /// Key lengths in bytes; -1 where the key is null.
    package let keyLengths: [Int32]
    package let valueStarts: [Int32]
    /// Value lengths in bytes; -1 where the value is null.
    package let valueLengths: [Int32]
    /// Where a row's headers start: the zig-zag varint count is already read, so the first
    /// header's key length stands here.
    package let headerStarts: [Int32]
    /// Number of headers of a row; almost always 0 or 1.
    package let headerCounts: [Int32]
    /// The offset after the last one covered, control records and gaps included: where the next
    /// read starts.
    package let nextOffset: Int64

    package var count: Int { offsets.count }

    package init(
        bytes: [UInt8], offsets: [Int64], timestamps: [Int64], keyStarts: [Int32],
        keyLengths: [Int32], valueStarts: [Int32], valueLengths: [Int32], headerStarts: [Int32],
        headerCounts: [Int32], nextOffset: Int64
    ) {
        self.bytes = bytes
        self.offsets = offsets
        self.timestamps = timestamps
        self.keyStarts = keyStarts
        self.keyLengths = keyLengths
        self.valueStarts = valueStarts
        self.valueLengths = valueLengths
        self.headerStarts = headerStarts
        self.headerCounts = headerCounts
        self.nextOffset = nextOffset
    }

    /// The row with an offset, or nil. O(log count).
    package func row(at offset: Int64) -> Int? {
        var low = 0
        var high = offsets.count
        while low < high {
            let middle = (low + high) / 2
            if offsets[middle] < offset { low = middle + 1 } else { high = middle }
        }
        return low < offsets.count && offsets[low] == offset ? low : nil
    }
}
