import CRdkafka
import Primitives
import RecordLog

/// Copies librdkafka's messages into record blocks. Buffers are reused. Threading: one thread.
final class RecordBlockCopier {
    private var bytes: [UInt8] = []
    private var offsets: [Int64] = []
    private var timestamps: [Int64] = []
    private var keyStarts: [Int32] = []
    private var keyLengths: [Int32] = []
    private var valueStarts: [Int32] = []
    private var valueLengths: [Int32] = []
    private var headerStarts: [Int32] = []
    private var headerCounts: [Int32] = []
    /// Bytes of the block before: what to make room for.
    private var expectedBytes = 1 << 16

    var count: Int { offsets.count }

    /// Forgets the block before.
    func begin() {
        bytes = []
        bytes.reserveCapacity(expectedBytes)
        offsets = []
        timestamps = []
        keyStarts = []
        keyLengths = []
        valueStarts = []
        valueLengths = []
        headerStarts = []
        headerCounts = []
    }

    /// Copies a message's parts; it may be freed afterwards.
    func append(_ message: UnsafeMutablePointer<rd_kafka_message_t>) throws {
        let parts = message.pointee
        // Positions in a block are 32 bits wide.
        guard bytes.count + parts.key_len + parts.len < Int(Int32.max) - (1 << 24) else {
            throw Diagnostic(
                "\(count) messages that were fetched together hold 2 GB",
                hint: "lower --set queued.max.messages.kbytes")
        }
        offsets.append(parts.offset)
        // -1 where a message of an old format has no time.
        timestamps.append(max(rd_kafka_message_timestamp(message, nil), 0))
        keyStarts.append(Int32(truncatingIfNeeded: bytes.count))
        keyLengths.append(copy(parts.key, parts.key_len))
        valueStarts.append(Int32(truncatingIfNeeded: bytes.count))
        valueLengths.append(copy(parts.payload, parts.len))
        headerStarts.append(Int32(truncatingIfNeeded: bytes.count))
        headerCounts.append(copyHeaders(message))
    }

    /// The messages as a block.
    func finish(nextOffset: Int64) -> RecordBlock {
        expectedBytes = max(bytes.count + bytes.count / 8, 1 << 12)
        return RecordBlock(
            bytes: bytes, offsets: offsets, timestamps: timestamps, keyStarts: keyStarts,
            keyLengths: keyLengths, valueStarts: valueStarts, valueLengths: valueLengths,
            headerStarts: headerStarts, headerCounts: headerCounts, nextOffset: nextOffset)
    }

    private func copy(_ start: UnsafeMutableRawPointer?, _ length: Int) -> Int32 {
        guard let start else { return -1 }
        bytes.append(contentsOf: UnsafeRawBufferPointer(start: start, count: length))
        return Int32(truncatingIfNeeded: length)
    }

    /// Headers as they stand in a record; returns how many.
    private func copyHeaders(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> Int32 {
        var headers: OpaquePointer?
        guard rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR,
            let headers
        else { return 0 }
        var index = 0
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var length = 0
        while rd_kafka_header_get_all(headers, index, &name, &value, &length)
            == RD_KAFKA_RESP_ERR_NO_ERROR
        {
            let header = RecordHeader(
                key: name.map { Array(String(cString: $0).utf8) } ?? [],
                value: value.map { Array(UnsafeRawBufferPointer(start: $0, count: length)) })
            header.encode(into: &bytes)
            index += 1
        }
        return Int32(truncatingIfNeeded: index)
    }
}
