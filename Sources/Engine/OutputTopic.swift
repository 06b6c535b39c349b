import Columnar
import Connectors
import Crypto
import Dataflow
import RecordLog

/// Records that one task writes to one partition in the epoch under way.
///
/// Every record goes into the epoch's hash; where it is to be stored it also goes into a record
/// batch. Threading: one task owns it.
final class OutputTopic {
    /// Batches are finished near this size, so that they hold 16 to 64 KB.
    private static let batchBytes = 48 << 10
    /// Records are hashed some at a time.
    private static let hashedBytes = 16 << 10

    let place: TopicPartition
    private let codec: CompressionCodec
    /// Offset of the first record of the epoch.
    private(set) var epochStart: Int64
    /// Offset of the next record.
    private(set) var nextOffset: Int64
    /// Records before this offset are stored already: they are only hashed.
    var storedEnd: Int64
    /// Called for every record; for comparing with what is stored.
    var observer: ((OutputRecord) throws -> Void)?

    private var builder = RecordBatchBuilder()
    private var batchStart: Int64
    private var batches: [[UInt8]] = []
    private var hash = SHA256()
    /// Records that are not in the hash yet.
    private var unhashed = CanonicalRecords()
    /// The encoded header that tells this task's records from those of others in the partition.
    private let senderHeader: [UInt8]?

    /// `sender` numbers the task where others write to the partition, too.
    init(_ place: TopicPartition, codec: CompressionCodec, start: Int64, sender: Int? = nil) {
        self.place = place
        senderHeader = sender.map { sender in
            var header: [UInt8] = []
            RecordHeader(SubstreamRow.header, String(sender)).encode(into: &header)
            return header
        }
        self.codec = codec
        epochStart = start
        nextOffset = start
        storedEnd = start
        batchStart = start
    }

    /// Starts over at an offset; what is stored from there on is not written again.
    func restart(at offset: Int64, storedEnd: Int64) {
        epochStart = offset
        nextOffset = offset
        self.storedEnd = storedEnd
        batchStart = max(offset, storedEnd)
        builder.reset()
        batches = []
        hash = SHA256()
        unhashed.removeAll()
    }

    /// Writes all records.
    func append(_ records: OutputRecords) throws {
        for index in 0..<records.count { try append(records, index) }
    }

    /// Writes one of several records; with `isFollowed`, a batch does not end behind it.
    func append(_ records: OutputRecords, _ index: Int, isFollowed: Bool = false) throws {
        try observer?(records[index])
        try append(
            timestamp: records.timestamps[index],
            key: records.keys.bytes.span.extracting(records.keys.range(index)),
            value: records.values.bytes.span.extracting(records.values.range(index)),
            headers: records.headers.bytes.span.extracting(records.headers.range(index)),
            headerCount: records.headerCounts[index], isFollowed: isFollowed)
    }

    func append(_ record: OutputRecord) throws {
        try observer?(record)
        try append(
            timestamp: record.timestamp, key: record.key?.span, value: record.value?.span,
            headers: record.headers.span, headerCount: record.headerCount)
    }

    private func append(
        timestamp: Int64, key: Span<UInt8>?, value: Span<UInt8>?, headers: Span<UInt8>,
        headerCount: Int, isFollowed: Bool = false
    ) throws {
        unhashed.append(
            timestamp: timestamp, key: key, value: value, headers: headers,
            headerCount: headerCount)
        if unhashed.bytes.count >= Self.hashedBytes { hashRecords() }
        if nextOffset >= storedEnd {
            if builder.isEmpty { batchStart = nextOffset }
            if var stored = senderHeader {
                headers.withUnsafeBytes { stored.append(contentsOf: $0) }
                builder.append(
                    timestampMilliseconds: timestamp, key: key, value: value,
                    encodedHeaders: stored.span, headerCount: headerCount + 1)
            } else {
                builder.append(
                    timestampMilliseconds: timestamp, key: key, value: value,
                    encodedHeaders: headers, headerCount: headerCount)
            }
        }
        nextOffset += 1
        if builder.estimatedByteCount >= Self.batchBytes, !isFollowed { try finishBatch() }
    }

    private func hashRecords() {
        unhashed.bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        unhashed.removeAll()
    }

    private func finishBatch() throws {
        guard !builder.isEmpty else { return }
        batches.append(try builder.finish(baseOffset: batchStart, codec: codec))
    }

    /// Ends the epoch: the range it wrote, and the batches to store. Nil when it wrote nothing.
    func finishEpoch() throws -> (range: OutputRange, batches: [[UInt8]])? {
        guard nextOffset > epochStart else { return nil }
        try finishBatch()
        hashRecords()
        let digest = hexadecimal(hash.finalize())
        let range = OutputRange(
            topic: place.topic, partition: place.partition, from: epochStart, to: nextOffset,
            records: nextOffset - epochStart,
            hash: digest)
        defer {
            epochStart = nextOffset
            batches = []
            hash = SHA256()
        }
        return (range, batches)
    }
}
