import Primitives

/// Collects records and encodes them as one record batch, version 2, of the log's own: leader epoch
/// 0, offsets one after the other, no producer unless one is given.
///
/// The room is reused from batch to batch. Threading: one thread at a time.
package final class RecordBatchBuilder {
    /// The batch so far, a struct: one check of exclusive access for each record.
    private struct Records: ~Copyable {
        /// Room for the header, then the records.
        var bytes: ByteWriter
        var count = 0
        var baseTimestamp: Int64 = -1
        var maxTimestamp: Int64 = -1

        init(capacity: Int) {
            bytes = ByteWriter(capacity: capacity)
            removeAll()
        }

        mutating func removeAll() {
            bytes.removeAll()
            for _ in 0..<RecordBatch.headerSize { bytes.put(0) }
            count = 0
        }
    }

    private var records: Records
    private let compressor = Compressor()

    package init(capacity: Int = 80 << 10) { records = Records(capacity: capacity) }

    /// The number of records since the last `finish` or `reset`.
    package var recordCount: Int { records.count }

    /// The size in bytes of the batch if it were finished uncompressed.
    package var estimatedByteCount: Int { records.bytes.count }

    package var isEmpty: Bool { records.count == 0 }

    /// Forgets all records.
    package func reset() { records.removeAll() }

    /// Adds a record. A nil key or value is null, which differs from empty.
    package func append(
        timestampMilliseconds: Int64, key: Span<UInt8>?, value: Span<UInt8>?,
        headers: [RecordHeader]
    ) {
        var encoded: [UInt8] = []
        for header in headers { header.encode(into: &encoded) }
        append(
            timestampMilliseconds: timestampMilliseconds, key: key, value: value,
            encodedHeaders: encoded.span, headerCount: headers.count)
    }

    /// Adds a record from arrays; for callers that are not in a hurry.
    package func append(
        timestampMilliseconds: Int64, key: [UInt8]?, value: [UInt8]?, headers: [RecordHeader] = []
    ) {
        append(
            timestampMilliseconds: timestampMilliseconds, key: key?.span, value: value?.span,
            headers: headers)
    }

    /// Adds a record whose `headerCount` headers are already encoded one after the other as
    /// `RecordHeader.encode(into:)` does (the count itself is not in `encodedHeaders`).
    package func append(
        timestampMilliseconds: Int64, key: Span<UInt8>?, value: Span<UInt8>?,
        encodedHeaders: Span<UInt8>, headerCount: Int
    ) {
        append(
            timestampMilliseconds: timestampMilliseconds, key: key, value: value,
            firstHeaders: Span(), encodedHeaders: encodedHeaders, headerCount: headerCount)
    }

    /// As ``append(timestampMilliseconds:key:value:encodedHeaders:headerCount:)``, with headers
    /// that stand in two places. Returns ``estimatedByteCount``.
    @discardableResult
    package func append(
        timestampMilliseconds: Int64, key: Span<UInt8>?, value: Span<UInt8>?,
        firstHeaders: Span<UInt8>, encodedHeaders: Span<UInt8>, headerCount: Int
    ) -> Int {
        Self.add(
            timestampMilliseconds, key, value, firstHeaders, encodedHeaders, headerCount,
            to: &records)
    }

    @inline(__always)
    private static func add(
        _ timestamp: Int64, _ key: Span<UInt8>?, _ value: Span<UInt8>?,
        _ firstHeaders: Span<UInt8>, _ headers: Span<UInt8>, _ headerCount: Int,
        to records: inout Records
    ) -> Int {
        if records.count == 0 {
            records.baseTimestamp = timestamp
            records.maxTimestamp = timestamp
        } else if timestamp > records.maxTimestamp {
            records.maxTimestamp = timestamp
        }
        let timestampDelta = Varint.zigZag(timestamp &- records.baseTimestamp)
        let offsetDelta = Varint.zigZag(Int64(records.count))
        let keyCount = key?.count ?? -1
        let valueCount = value?.count ?? -1
        let bodyCount =
            1 + Varint.encodedLength(timestampDelta) + Varint.encodedLength(offsetDelta)
            + Varint.signedLength(Int64(keyCount)) + max(keyCount, 0)
            + Varint.signedLength(Int64(valueCount)) + max(valueCount, 0)
            + Varint.signedLength(Int64(headerCount)) + firstHeaders.count + headers.count
        records.bytes.put(varint: Varint.zigZag(Int64(bodyCount)))
        records.bytes.put(0)
        records.bytes.put(varint: timestampDelta)
        records.bytes.put(varint: offsetDelta)
        records.bytes.put(varint: Varint.zigZag(Int64(keyCount)))
        if let key { records.bytes.put(key) }
        records.bytes.put(varint: Varint.zigZag(Int64(valueCount)))
        if let value { records.bytes.put(value) }
        records.bytes.put(varint: Varint.zigZag(Int64(headerCount)))
        records.bytes.put(firstHeaders)
        records.bytes.put(headers)
        records.count += 1
        return records.bytes.count
    }

    /// Encodes the records as a batch from `baseOffset` on and forgets them. Call it with at least
    /// one record. `producer` says who wrote them, and the place of the first among its records;
    /// a control batch of a transaction (`isControl`) is passed over by readers.
    ///
    /// Throws `batchTooLarge` beyond 2 GiB, and keeps the records when it throws.
    package func finish(
        baseOffset: Int64, codec: CompressionCodec, producer: RecordBatch.Producer = .none,
        isControl: Bool = false
    ) throws(RecordLogError) -> [UInt8] {
        let used = estimatedByteCount
        guard used <= Int(Int32.max), recordCount <= Int(Int32.max) else {
            throw .batchTooLarge(bytes: used)
        }
        var batch: [UInt8]
        if codec == .none {
            batch = records.bytes.array()
        } else {
            batch = []
            batch.reserveCapacity(used + 128)
            batch.append(contentsOf: repeatElement(0, count: RecordBatch.headerSize))
            try records.bytes.withBytes { (bytes) throws(RecordLogError) in
                try compressor.compress(
                    UnsafeRawBufferPointer(rebasing: bytes[RecordBatch.headerSize...]), codec,
                    onto: &batch)
            }
        }
        guard batch.count <= Int(Int32.max) else { throw .batchTooLarge(bytes: batch.count) }
        let header = RecordBatch.Header(
            baseOffset: baseOffset, byteCount: batch.count, partitionLeaderEpoch: 0, checksum: 0,
            attributes: Int16(codec.rawValue) | (isControl ? 0x30 : 0),
            lastOffsetDelta: Int32(max(recordCount - 1, 0)),
            baseTimestamp: records.baseTimestamp, maxTimestamp: records.maxTimestamp,
            producerID: producer.id,
            producerEpoch: producer.epoch, baseSequence: producer.baseSequence,
            recordCount: Int32(recordCount))
        header.write(over: &batch)
        reset()
        return batch
    }
}

extension RecordBatch.Header {
    /// Writes the header over the first 61 bytes of a batch, with the checksum of what follows.
    func write(over batch: inout [UInt8]) {
        var fields: [UInt8] = []
        fields.reserveCapacity(RecordBatch.headerSize)
        fields.appendBigEndian(baseOffset)
        fields.appendBigEndian(Int32(batch.count - RecordBatch.lengthPrefix))
        fields.appendBigEndian(partitionLeaderEpoch)
        fields.append(2)
        fields.appendBigEndian(UInt32(0))
        fields.appendBigEndian(attributes)
        fields.appendBigEndian(lastOffsetDelta)
        fields.appendBigEndian(baseTimestamp)
        fields.appendBigEndian(maxTimestamp)
        fields.appendBigEndian(producerID)
        fields.appendBigEndian(producerEpoch)
        fields.appendBigEndian(baseSequence)
        fields.appendBigEndian(recordCount)
        batch.replaceSubrange(0..<RecordBatch.headerSize, with: fields)
        let sum = CRC32C.checksum(batch, in: RecordBatch.checksumStart..<batch.count)
        for index in 0..<4 {
            batch[17 + index] = UInt8(truncatingIfNeeded: sum &>> UInt32(24 - 8 * index))
        }
    }
}
