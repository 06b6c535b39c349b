import Columnar
import Primitives
import RecordLog

/// Kafka record headers as bytes: a zig-zag varint count, then for each header its key's length
/// (zig-zag varint) and bytes, and its value's length (-1 for null) and bytes.
package enum RecordHeaders {
    /// Header of an imported record: when it arrived, decimal milliseconds since the epoch.
    package static let arrival = "plumbline.arrival"
    private static let arrivalKey = Array(arrival.utf8)
    /// Header of a record that is a row of CSV: the row that names its columns.
    package static let csvHeader = "plumbline.csv.header"
    private static let csvHeaderKey = Array(csvHeader.utf8)

    // MARK: Writing

    /// Appends a whole header blob, count included.
    package static func encode(_ headers: [RecordHeader], to bytes: inout [UInt8]) {
        Varint.appendSigned(Int64(headers.count), to: &bytes)
        for header in headers { header.encode(into: &bytes) }
    }

    /// The headers of a blob that starts with its count; nil when it is malformed.
    package static func decode(_ bytes: [UInt8]) -> [RecordHeader]? {
        var position = 0
        guard let count = readVarint(bytes, &position), count >= 0 else { return nil }
        return decode(bytes, at: &position, count: count)
    }

    // MARK: Reading a block

    /// Arrival times of rows in milliseconds: the arrival header's, else the record's time stamp.
    /// A header that is no whole number counts as none. O(rows + header bytes).
    package static func arrivalTimes(_ block: RecordBlock, _ rows: Range<Int>) -> [Int64] {
        read(block, rows).arrivals
    }

    /// The header blobs of rows without those that describe the input alone (arrival, columns of
    /// CSV), as ``Batch/headers`` holds them: a row without others has a count of zero. Nil when no
    /// row has any. O(rows + header bytes).
    package static func carried(_ block: RecordBlock, _ rows: Range<Int>) -> ByteValues? {
        read(block, rows).carried
    }

    /// Arrival times and carried headers of rows together; see ``arrivalTimes(_:_:)`` and
    /// ``carried(_:_:)``. A row with no more than the headers of an import takes a short path.
    package static func read(
        _ block: RecordBlock, _ rows: Range<Int>
    ) -> (arrivals: [Int64], carried: ByteValues?) {
        var arrivals = Array(block.timestamps[rows])
        let bytes = block.bytes
        let name = encodedArrivalName
        var hasOthers = false
        for row in rows where block.headerCounts[row] > 0 {
            if block.headerCounts[row] <= 2 {
                let time = bytes.withUnsafeBytes { raw -> Int64? in
                    let first = arrivalHeader(raw, at: Int(block.headerStarts[row]), name)
                    guard let first else { return nil }
                    let isWhole =
                        block.headerCounts[row] == 1 || isCSVHeaderName(raw, at: first.end)
                    return isWhole ? first.time : nil
                }
                if let time {
                    arrivals[row - rows.lowerBound] = time
                    continue
                }
            }
            scan(bytes, block, row) { key, value in
                if isKey(arrivalKey, bytes, key) {
                    if let value, let time = number(bytes, value) {
                        arrivals[row - rows.lowerBound] = time
                    }
                } else if !isKey(csvHeaderKey, bytes, key) {
                    hasOthers = true
                }
            }
        }
        guard hasOthers else { return (arrivals, nil) }
        var carried = ByteValues()
        var blob: [UInt8] = []
        for row in rows {
            blob.removeAll(keepingCapacity: true)
            encode(others(bytes, block, row), to: &blob)
            carried.append(blob)
        }
        return (arrivals, carried)
    }

    /// The arrival header that stands at a position, its time written as up to 18 digits, and where
    /// it ends; nil for any other header. Compares the encoded name in three words.
    @inline(__always)
    private static func arrivalHeader(
        _ bytes: UnsafeRawBufferPointer, at start: Int, _ name: EncodedName
    ) -> (time: Int64, end: Int)? {
        guard start >= 0, start + name.count + 1 <= bytes.count,
            bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self) == name.first,
            bytes.loadUnaligned(fromByteOffset: start + 8, as: UInt64.self) == name.second,
            bytes.loadUnaligned(fromByteOffset: start + 16, as: UInt16.self) == name.last
        else { return nil }
        let valueStart = start + name.count + 1
        let length = bytes[valueStart - 1]
        let count = Int(length >> 1)
        guard length & 1 == 0, (1...18).contains(count), valueStart + count <= bytes.count
        else { return nil }
        if count == 13 {
            // Milliseconds from 2001 to 2286: the first eight digits, and the last eight.
            let first =
                bytes.loadUnaligned(fromByteOffset: valueStart, as: UInt64.self) ^ DigitWord.zeros
            let last =
                bytes.loadUnaligned(fromByteOffset: valueStart + 5, as: UInt64.self)
                ^ DigitWord.zeros
            guard DigitWord.others(first) | DigitWord.others(last) == 0 else { return nil }
            let time = DigitWord.value(first << 24) * 100_000_000 + DigitWord.value(last)
            return (Int64(time), valueStart + count)
        }
        var value: Int64 = 0
        for index in valueStart..<valueStart + count {
            let digit = bytes[index] &- 48
            guard digit <= 9 else { return nil }
            value = value &* 10 &+ Int64(digit)
        }
        return (value, valueStart + count)
    }

    /// Whether a header at a position names the columns of CSV.
    private static func isCSVHeaderName(_ bytes: UnsafeRawBufferPointer, at start: Int) -> Bool {
        let end = start + encodedCSVHeaderName.count
        return end <= bytes.count && bytes[start..<end].elementsEqual(encodedCSVHeaderName)
    }

    /// Length and bytes of the name as a record holds them.
    private static let encodedCSVHeaderName = [UInt8(csvHeaderKey.count * 2)] + csvHeaderKey

    /// Length and bytes of the arrival header's name as a record holds them, in words.
    private static let encodedArrivalName: EncodedName = {
        let encoded = [UInt8(arrivalKey.count * 2)] + arrivalKey
        return encoded.withUnsafeBytes { bytes in
            EncodedName(
                count: bytes.count, first: bytes.loadUnaligned(as: UInt64.self),
                second: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                last: bytes.loadUnaligned(fromByteOffset: 16, as: UInt16.self))
        }
    }()

    /// 18 bytes as two words and a half.
    private struct EncodedName {
        let count: Int
        let first: UInt64
        let second: UInt64
        let last: UInt16
    }

    /// Where the row that names a CSV record's columns stands among its `count` headers, which
    /// begin at `start`; nil without one. O(header bytes before it).
    static func csvHeaderRow(
        _ bytes: UnsafeBufferPointer<UInt8>, at start: Int, count: Int
    ) -> Range<Int>? {
        let span = bytes.span
        var position = start
        var left = max(0, count)
        let first =
            left > 0
            ? arrivalHeader(UnsafeRawBufferPointer(bytes), at: start, encodedArrivalName) : nil
        if let first {
            position = first.end
            left -= 1
        }
        for _ in 0..<left {
            guard let keyCount = Varint.readSigned32(span, at: &position), keyCount >= 0,
                Int(keyCount) <= bytes.count - position
            else { return nil }
            let isWanted =
                Int(keyCount) == csvHeaderKey.count
                && bytes[position..<position + csvHeaderKey.count].elementsEqual(csvHeaderKey)
            position += Int(keyCount)
            guard let valueCount = Varint.readSigned32(span, at: &position), valueCount >= -1,
                Int(valueCount) <= bytes.count - position
            else { return nil }
            let end = position + max(0, Int(valueCount))
            if isWanted { return valueCount < 0 ? nil : position..<end }
            position = end
        }
        return nil
    }

    /// Calls `body` with the places of the key and value of each of `count` headers, which begin at
    /// `start`. Malformed ones end the walk. O(header bytes).
    static func each(
        _ bytes: UnsafeBufferPointer<UInt8>, at start: Int, count: Int,
        _ body: (Range<Int>, Range<Int>?) -> Void
    ) {
        let span = bytes.span
        var position = start
        for _ in 0..<max(0, count) {
            guard let keyCount = Varint.readSigned32(span, at: &position), keyCount >= 0,
                Int(keyCount) <= bytes.count - position
            else { return }
            let key = position..<position + Int(keyCount)
            position = key.upperBound
            guard let valueCount = Varint.readSigned32(span, at: &position), valueCount >= -1,
                Int(valueCount) <= bytes.count - position
            else { return }
            let value = position..<position + max(0, Int(valueCount))
            position = value.upperBound
            body(key, valueCount < 0 ? nil : value)
        }
    }

    /// All headers of one row. Malformed ones end the list.
    package static func headers(_ block: RecordBlock, _ row: Int) -> [RecordHeader] {
        let bytes = block.bytes
        var result: [RecordHeader] = []
        scan(bytes, block, row) { key, value in
            result.append(
                RecordHeader(
                    key: Array(block.bytes[key]), value: value.map { Array(block.bytes[$0]) }))
        }
        return result
    }

    private static func others(
        _ bytes: [UInt8], _ block: RecordBlock, _ row: Int
    ) -> [RecordHeader] {
        guard block.headerCounts[row] > 0 else { return [] }
        return headers(block, row).filter { $0.key != arrivalKey && $0.key != csvHeaderKey }
    }

    /// Calls `body` with the key and value range of each header of a row.
    private static func scan(
        _ bytes: [UInt8], _ block: RecordBlock, _ row: Int,
        _ body: (Range<Int>, Range<Int>?) -> Void
    ) {
        var position = Int(block.headerStarts[row])
        for _ in 0..<max(0, block.headerCounts[row]) {
            guard let header = readHeader(bytes, &position) else { return }
            body(header.key, header.value)
        }
    }

    private static func readHeader(
        _ bytes: [UInt8], _ position: inout Int
    ) -> (key: Range<Int>, value: Range<Int>?)? {
        guard let keyCount = readVarint(bytes, &position), keyCount >= 0,
            keyCount <= bytes.count - position
        else { return nil }
        let key = position..<position + keyCount
        position += keyCount
        guard let valueCount = readVarint(bytes, &position), valueCount >= -1,
            valueCount <= bytes.count - position
        else { return nil }
        if valueCount < 0 { return (key, nil) }
        let value = position..<position + valueCount
        position += valueCount
        return (key, value)
    }

    private static func decode(
        _ bytes: [UInt8], at position: inout Int, count: Int
    ) -> [RecordHeader]? {
        var result: [RecordHeader] = []
        for _ in 0..<count {
            guard let header = readHeader(bytes, &position) else { return nil }
            result.append(
                RecordHeader(
                    key: Array(bytes[header.key]), value: header.value.map { Array(bytes[$0]) }))
        }
        return position == bytes.count ? result : nil
    }

    /// A zig-zag varint that fits an Int32, as Kafka's lengths do.
    private static func readVarint(_ bytes: [UInt8], _ position: inout Int) -> Int? {
        Varint.readSigned32(bytes.span, at: &position).map { Int($0) }
    }

    private static func isKey(_ key: [UInt8], _ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        guard range.count == key.count else { return false }
        for index in 0..<range.count where bytes[range.lowerBound + index] != key[index] {
            return false
        }
        return true
    }

    /// A decimal whole number of at most 15 digits, a sign before it or none.
    private static func number(_ bytes: [UInt8], _ range: Range<Int>) -> Int64? {
        var index = range.lowerBound
        let isNegative = index < range.upperBound && bytes[index] == 0x2D
        if isNegative { index += 1 }
        guard index < range.upperBound, range.upperBound - index <= 15 else { return nil }
        var value: Int64 = 0
        while index < range.upperBound {
            guard bytes[index] &- 0x30 < 10 else { return nil }
            value = value * 10 + Int64(bytes[index]) - 0x30
            index += 1
        }
        return isNegative ? -value : value
    }
}
