import Primitives

/// Reads the records of a batch: byte ranges and numbers into columns, nothing copied.
enum RecordParser {
    /// Parses the records in `bytes[range]` into `columns`, those with offsets from `first` to
    /// below `limit`. Returns what is wrong, or nil; rows may have been added when something is.
    static func parse(
        _ header: RecordBatch.Header, _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>,
        first: Int64, limit: Int64, into columns: RowColumns
    ) -> BatchFault? {
        let count = Int(header.recordCount)
        guard count <= range.count / RecordBatch.minimumRecordSize else {
            return .badCount(header.recordCount)
        }
        guard count > 0, let base = bytes.baseAddress else {
            return range.isEmpty ? nil : .trailingBytes
        }
        columns.reserve(count)
        var reader = Reader(base: base, position: range.lowerBound, end: range.upperBound)
        var row = columns.count
        let offsets = columns.offsets
        let timestamps = columns.timestamps
        let keyStarts = columns.keyStarts
        let keyLengths = columns.keyLengths
        let valueStarts = columns.valueStarts
        let valueLengths = columns.valueLengths
        let headerStarts = columns.headerStarts
        let headerCounts = columns.headerCounts
        var previousDelta: Int64 = -1
        for index in 0..<count {
            let length = reader.signed()
            let recordEnd = reader.position &+ Int(truncatingIfNeeded: length)
            guard !reader.failed, length >= 6, length <= Int64(reader.end &- reader.position)
            else { return .malformedRecord(index: index) }
            reader.position &+= 1
            let timestampDelta = reader.signed()
            let offsetDelta = reader.signed()
            let keyLength = reader.lengthAndSkip(nullable: true)
            let keyStart = reader.position &- max(keyLength, 0)
            let valueLength = reader.lengthAndSkip(nullable: true)
            let valueStart = reader.position &- max(valueLength, 0)
            let headerCount = reader.signed()
            let headerStart = reader.position
            reader.skipHeaders(headerCount)
            guard !reader.failed, reader.position == recordEnd else {
                return .malformedRecord(index: index)
            }
            guard offsetDelta > previousDelta, offsetDelta <= Int64(header.lastOffsetDelta) else {
                return .badOffset
            }
            previousDelta = offsetDelta
            let offset = header.baseOffset &+ offsetDelta
            if offset < first || offset >= limit { continue }
            offsets[row] = offset
            timestamps[row] =
                header.isLogAppendTime
                ? header.maxTimestamp : header.baseTimestamp &+ timestampDelta
            keyStarts[row] = Int32(truncatingIfNeeded: keyStart)
            keyLengths[row] = Int32(truncatingIfNeeded: keyLength)
            valueStarts[row] = Int32(truncatingIfNeeded: valueStart)
            valueLengths[row] = Int32(truncatingIfNeeded: valueLength)
            headerStarts[row] = Int32(truncatingIfNeeded: headerStart)
            headerCounts[row] = Int32(truncatingIfNeeded: headerCount)
            row &+= 1
        }
        columns.count = row
        return reader.position == range.upperBound ? nil : .trailingBytes
    }

    /// A position that never passes `end`; the first failure sticks.
    private struct Reader {
        let base: UnsafePointer<UInt8>
        var position: Int
        let end: Int
        var failed = false

        init(base: UnsafePointer<UInt8>, position: Int, end: Int) {
            self.base = base
            self.position = position
            self.end = end
        }

        @inline(__always)
        mutating func signed() -> Int64 {
            if position < end {
                let byte = base[position]
                if byte < 0x80 {
                    position &+= 1
                    return Int64(byte &>> 1) ^ -Int64(byte & 1)
                }
                if position &+ 1 < end, base[position &+ 1] < 0x80 {
                    let value = Int64(byte & 0x7F) | Int64(base[position &+ 1]) &<< 7
                    position &+= 2
                    return (value &>> 1) ^ -(value & 1)
                }
            }
            let (value, next) = longSigned()
            position = next
            failed = failed || next > end
            return value
        }

        /// The value at the position and the position after it, past the end where there is none.
        /// Changes nothing, so that a reader can be kept in registers.
        @inline(never)
        private func longSigned() -> (value: Int64, next: Int) {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            var next = position
            while next < end, shift < 70 {
                let byte = base[next]
                next &+= 1
                if shift == 63, byte > 1 { break }
                value |= UInt64(byte & 0x7F) &<< shift
                if byte < 0x80 { return (Varint.unZigZag(value), next) }
                shift &+= 7
            }
            return (0, end &+ 1)
        }

        /// Reads a length and moves past as many bytes; -1 for null where that is allowed.
        @inline(__always)
        mutating func lengthAndSkip(nullable: Bool) -> Int {
            let length = signed()
            if length >= 0, length <= Int64(end &- position) {
                position &+= Int(length)
                return Int(length)
            }
            if length != -1 || !nullable { failed = true }
            return -1
        }

        @inline(__always)
        mutating func skipHeaders(_ count: Int64) {
            guard count != 0 else { return }
            // A header has at least two bytes.
            guard count > 0, count <= Int64((end &- position) / 2) else {
                failed = true
                return
            }
            var left = count
            while left > 0, !failed {
                _ = lengthAndSkip(nullable: false)
                _ = lengthAndSkip(nullable: true)
                left &-= 1
            }
        }
    }
}
