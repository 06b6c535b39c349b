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
    private var scratch: [UInt8] = []

    init(_ place: TopicPartition, codec: CompressionCodec, start: Int64) {
        self.place = place
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
    }

    func append(_ record: OutputRecord) throws {
        scratch.removeAll(keepingCapacity: true)
        record.appendCanonicalBytes(to: &scratch)
        scratch.withUnsafeBytes { hash.update(bufferPointer: $0) }
        try observer?(record)
        if nextOffset >= storedEnd {
            if builder.isEmpty { batchStart = nextOffset }
            builder.append(
                timestampMilliseconds: record.timestamp, key: record.key?.span,
                value: record.value?.span, encodedHeaders: record.headers.span,
                headerCount: record.headerCount)
        }
        nextOffset += 1
        if builder.estimatedByteCount >= Self.batchBytes { try finishBatch() }
    }

    private func finishBatch() throws {
        guard !builder.isEmpty else { return }
        batches.append(try builder.finish(baseOffset: batchStart, codec: codec))
    }

    /// Ends the epoch: the range it wrote, and the batches to store. Nil when it wrote nothing.
    func finishEpoch() throws -> (range: OutputRange, batches: [[UInt8]])? {
        guard nextOffset > epochStart else { return nil }
        try finishBatch()
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

/// One record as a task exports it.
package struct OutputRecord: Hashable, Sendable {
    /// Milliseconds since the epoch.
    package var timestamp: Int64
    package var key: [UInt8]?
    package var value: [UInt8]?
    /// Encoded one after the other, without their count.
    package var headers: [UInt8]
    package var headerCount: Int

    package init(
        timestamp: Int64, key: [UInt8]?, value: [UInt8]?, headers: [UInt8], headerCount: Int
    ) {
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
        self.headerCount = headerCount
    }

    /// Time, key, headers and value, each with its length: what record hashes cover.
    func appendCanonicalBytes(to bytes: inout [UInt8]) {
        func put(_ value: Int64) {
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: value >> Int64(shift)))
            }
        }
        put(timestamp)
        for part in [key, value] {
            put(part.map { Int64($0.count) } ?? -1)
            if let part { bytes += part }
        }
        put(Int64(headerCount))
        bytes += headers
    }
}
