import Primitives

/// Copies of a row's parts, for callers that are not in a hurry.
extension RecordBlock {
    /// The key of a row, nil when it is null.
    package func key(_ row: Int) -> [UInt8]? {
        part(keyStarts[row], keyLengths[row])
    }

    /// The value of a row, nil when it is null.
    package func value(_ row: Int) -> [UInt8]? {
        part(valueStarts[row], valueLengths[row])
    }

    /// Whether the value of a row is null.
    package func isNullValue(_ row: Int) -> Bool { valueLengths[row] < 0 }

    /// The headers of a row, in their order.
    package func headers(_ row: Int) -> [RecordHeader] {
        let count = headerCounts[row]
        guard count > 0 else { return [] }
        var cursor = ByteCursor(bytes, in: Int(headerStarts[row])..<bytes.count)
        var headers: [RecordHeader] = []
        for _ in 0..<count {
            guard let keyLength = cursor.readVarint(),
                let key = cursor.readBytes(Int(clamping: keyLength)),
                let valueLength = cursor.readVarint()
            else { break }
            if valueLength < 0 {
                headers.append(RecordHeader(key: key, value: nil))
                continue
            }
            guard let value = cursor.readBytes(Int(clamping: valueLength)) else { break }
            headers.append(RecordHeader(key: key, value: value))
        }
        return headers
    }

    /// The bytes of a row's headers as they are in the record, without their count: what
    /// `RecordBatchBuilder.append(…encodedHeaders:headerCount:)` takes.
    package func encodedHeaders(_ row: Int) -> Range<Int> {
        let start = Int(headerStarts[row])
        var cursor = ByteCursor(bytes, in: start..<bytes.count)
        for _ in 0..<headerCounts[row] {
            guard let keyLength = cursor.readVarint(), cursor.skip(Int(clamping: keyLength)),
                let valueLength = cursor.readVarint(),
                cursor.skip(max(Int(clamping: valueLength), 0))
            else { break }
        }
        return start..<max(start, cursor.position)
    }

    private func part(_ start: Int32, _ length: Int32) -> [UInt8]? {
        guard length >= 0 else { return nil }
        return Array(bytes[Int(start)..<Int(start) + Int(length)])
    }
}
