/// Growing columns that a decoder fills and a `RecordBlock` copies; reused from block to block.
///
/// Raw memory because a row is eight stores into eight columns, and arrays held by a class cost a
/// uniqueness check each.
final class RowColumns {
    private(set) var offsets: UnsafeMutablePointer<Int64>
    private(set) var timestamps: UnsafeMutablePointer<Int64>
    private(set) var keyStarts: UnsafeMutablePointer<Int32>
    private(set) var keyLengths: UnsafeMutablePointer<Int32>
    private(set) var valueStarts: UnsafeMutablePointer<Int32>
    private(set) var valueLengths: UnsafeMutablePointer<Int32>
    private(set) var headerStarts: UnsafeMutablePointer<Int32>
    private(set) var headerCounts: UnsafeMutablePointer<Int32>
    private var capacity: Int
    var count: Int

    init() {
        offsets = .allocate(capacity: 1)
        timestamps = .allocate(capacity: 1)
        keyStarts = .allocate(capacity: 1)
        keyLengths = .allocate(capacity: 1)
        valueStarts = .allocate(capacity: 1)
        valueLengths = .allocate(capacity: 1)
        headerStarts = .allocate(capacity: 1)
        headerCounts = .allocate(capacity: 1)
        capacity = 1
        count = 0
    }

    deinit {
        offsets.deallocate()
        timestamps.deallocate()
        for column in [
            keyStarts, keyLengths, valueStarts, valueLengths, headerStarts, headerCounts,
        ] { column.deallocate() }
    }

    /// Makes room for `more` rows.
    func reserve(_ more: Int) {
        let needed = count + more
        guard needed > capacity else { return }
        let grown = max(needed, capacity * 2)
        grow(&offsets, to: grown)
        grow(&timestamps, to: grown)
        grow(&keyStarts, to: grown)
        grow(&keyLengths, to: grown)
        grow(&valueStarts, to: grown)
        grow(&valueLengths, to: grown)
        grow(&headerStarts, to: grown)
        grow(&headerCounts, to: grown)
        capacity = grown
    }

    /// The rows over `bytes` as a block.
    func block(over bytes: [UInt8], nextOffset: Int64) -> RecordBlock {
        RecordBlock(
            bytes: bytes, offsets: array(offsets), timestamps: array(timestamps),
            keyStarts: array(keyStarts), keyLengths: array(keyLengths),
            valueStarts: array(valueStarts), valueLengths: array(valueLengths),
            headerStarts: array(headerStarts), headerCounts: array(headerCounts),
            nextOffset: nextOffset)
    }

    private func array<T>(_ column: UnsafeMutablePointer<T>) -> [T] {
        Array(UnsafeBufferPointer(start: column, count: count))
    }

    private func grow<T>(_ column: inout UnsafeMutablePointer<T>, to capacity: Int) {
        let larger = UnsafeMutablePointer<T>.allocate(capacity: capacity)
        larger.moveInitialize(from: column, count: count)
        column.deallocate()
        column = larger
    }
}
