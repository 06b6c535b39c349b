import Primitives

/// Record batch format version 2 (`DefaultRecordBatch` in Apache Kafka): a header of 61 bytes,
/// big-endian, then the records, together compressed or not.
package enum RecordBatch {
    /// Bytes before the records.
    package static let headerSize = 61
    /// Bytes before the part that `batchLength` counts.
    static let lengthPrefix = 12
    /// The first byte that the checksum covers.
    static let checksumStart = 21
    /// The fewest bytes of a record: seven fields of one byte.
    static let minimumRecordSize = 7

    /// Who wrote a batch, as Kafka's idempotent producers say it: its records in one partition are
    /// numbered from 0 on, and the number starts again after `Int32.max`.
    package struct Producer: Hashable, Sendable {
        package var id: Int64
        package var epoch: Int16
        /// The number of the batch's first record.
        package var baseSequence: Int32

        /// `recordsBefore` records of this producer stand before the batch in its partition.
        package init(id: Int64, epoch: Int16 = 0, recordsBefore: Int64) {
            self.id = id
            self.epoch = epoch
            baseSequence = Self.sequence(recordsBefore)
        }

        init(id: Int64, epoch: Int16, baseSequence: Int32) {
            self.id = id
            self.epoch = epoch
            self.baseSequence = baseSequence
        }

        /// A batch that names no producer.
        package static let none = Self(id: -1, epoch: -1, baseSequence: -1)

        /// The number of the record that stands after so many of its producer.
        package static func sequence(_ recordsBefore: Int64) -> Int32 {
            Int32(truncatingIfNeeded: recordsBefore & Int64(Int32.max))
        }
    }

    /// The header's fields.
    package struct Header: Hashable, Sendable {
        package var baseOffset: Int64
        /// The bytes of the whole batch, header included.
        package var byteCount: Int
        package var partitionLeaderEpoch: Int32
        package var checksum: UInt32
        package var attributes: Int16
        package var lastOffsetDelta: Int32
        /// Milliseconds since the epoch.
        package var baseTimestamp: Int64
        package var maxTimestamp: Int64
        package var producerID: Int64
        package var producerEpoch: Int16
        package var baseSequence: Int32
        package var recordCount: Int32

        package var codecCode: UInt8 { UInt8(truncatingIfNeeded: attributes & 7) }
        package var isLogAppendTime: Bool { attributes & 0x08 != 0 }
        package var isTransactional: Bool { attributes & 0x10 != 0 }
        /// A marker of a transaction or of the broker, which applications never see.
        package var isControl: Bool { attributes & 0x20 != 0 }
        package var lastOffset: Int64 { baseOffset + Int64(lastOffsetDelta) }
        package var nextOffset: Int64 { lastOffset + 1 }
    }

    /// What stands at a position of a buffer.
    enum Parsed {
        case header(Header)
        /// Fewer bytes than a header, and nothing wrong with them so far.
        case incomplete
        case fault(BatchFault)
    }

    /// Reads a header at `position`. Afterwards lengths, counts and offsets are in range, but
    /// neither the presence of all bytes nor the checksum is verified.
    static func parseHeader(_ bytes: Span<UInt8>, at position: Int) -> Parsed {
        let available = bytes.count - position
        guard available >= 17 else { return .incomplete }
        let raw = bytes.bytes
        let length = loadInt32(raw, position + 8)
        guard length >= Int32(headerSize - lengthPrefix) else { return .fault(.badLength(length)) }
        let magic = Int8(bitPattern: bytes[position + 16])
        guard magic == 2 else { return .fault(.unsupportedMagic(magic)) }
        guard available >= headerSize else { return .incomplete }
        let header = Header(
            baseOffset: loadInt64(raw, position), byteCount: Int(length) + lengthPrefix,
            partitionLeaderEpoch: loadInt32(raw, position + 12),
            checksum: UInt32(bitPattern: loadInt32(raw, position + 17)),
            attributes: Int16(bytes[position + 21]) << 8 | Int16(bytes[position + 22]),
            lastOffsetDelta: loadInt32(raw, position + 23),
            baseTimestamp: loadInt64(raw, position + 27),
            maxTimestamp: loadInt64(raw, position + 35),
            producerID: loadInt64(raw, position + 43),
            producerEpoch: Int16(bytes[position + 51]) << 8 | Int16(bytes[position + 52]),
            baseSequence: loadInt32(raw, position + 53),
            recordCount: loadInt32(raw, position + 57))
        guard header.baseOffset >= 0, header.lastOffsetDelta >= 0,
            header.baseOffset <= Int64.max - Int64(Int32.max) - 1
        else { return .fault(.badOffset) }
        // More records than offsets cannot be; compaction leaves fewer.
        guard header.recordCount >= 0,
            Int64(header.recordCount) <= Int64(header.lastOffsetDelta) + 1
        else { return .fault(.badCount(header.recordCount)) }
        return .header(header)
    }

    /// Whether the checksum of a batch that lies wholly in `bytes` is right; nil when it is.
    static func checksumFault(
        _ bytes: Span<UInt8>, at position: Int, _ header: Header
    ) -> BatchFault? {
        let computed = CRC32C.checksum(
            bytes.extracting((position + checksumStart)..<(position + header.byteCount)))
        guard computed != header.checksum else { return nil }
        return .checksum(stored: header.checksum, computed: computed)
    }

    /// The header of a buffer that holds exactly one batch, with lengths and checksum verified.
    package static func validate(_ batch: [UInt8]) throws(RecordLogError) -> Header {
        switch parseHeader(batch.span, at: 0) {
        case .incomplete: throw .corruptBatch(path: "", position: 0, reason: .truncated)
        case .fault(let fault): throw .corruptBatch(path: "", position: 0, reason: fault)
        case .header(let header):
            guard header.byteCount <= batch.count else {
                throw .corruptBatch(path: "", position: 0, reason: .truncated)
            }
            guard header.byteCount == batch.count else {
                throw .corruptBatch(path: "", position: 0, reason: .trailingBytes)
            }
            if let fault = checksumFault(batch.span, at: 0, header) {
                throw .corruptBatch(path: "", position: 0, reason: fault)
            }
            return header
        }
    }

    /// Gives a batch another base offset, which the checksum does not cover. `batch` holds at
    /// least a header.
    package static func rebase(_ batch: inout [UInt8], to baseOffset: Int64) {
        guard batch.count >= headerSize else { return }
        for index in 0..<8 {
            batch[index] = UInt8(truncatingIfNeeded: baseOffset &>> Int64(56 - 8 * index))
        }
    }

    @inline(__always)
    private static func loadInt32(_ raw: RawSpan, _ position: Int) -> Int32 {
        Int32(bigEndian: raw.unsafeLoadUnaligned(fromByteOffset: position, as: Int32.self))
    }

    @inline(__always)
    private static func loadInt64(_ raw: RawSpan, _ position: Int) -> Int64 {
        Int64(bigEndian: raw.unsafeLoadUnaligned(fromByteOffset: position, as: Int64.self))
    }
}
