import Primitives

/// Collects records and encodes them as one record batch, version 2, of the log's own: leader epoch
/// 0, offsets one after the other, no producer unless one is given.
///
/// The buffer is reused from batch to batch. Threading: one thread at a time.
package struct RecordBatchBuilder {
    /// The batch so far: room for the header, then the records. Only `used` bytes count.
    private var buffer: [UInt8]
    private var used: Int
    private var baseTimestamp: Int64
    private var maxTimestamp: Int64
    private let compressor: Compressor
    private var headerScratch: [UInt8]

    /// The number of records since the last `finish` or `reset`.
    package private(set) var recordCount: Int

    package init(capacity: Int = 80 << 10) {
        buffer = [UInt8](repeating: 0, count: max(capacity, RecordBatch.headerSize))
        used = RecordBatch.headerSize
        baseTimestamp = -1
        maxTimestamp = -1
        compressor = Compressor()
        headerScratch = []
        recordCount = 0
    }

    /// The size in bytes of the batch if it were finished uncompressed.
    package var estimatedByteCount: Int { used }

    package var isEmpty: Bool { recordCount == 0 }

    /// Forgets all records.
    package mutating func reset() {
        used = RecordBatch.headerSize
        recordCount = 0
    }

    /// Adds a record. A nil key or value is null, which differs from empty.
    package mutating func append(
        timestampMilliseconds: Int64, key: Span<UInt8>?, value: Span<UInt8>?,
        headers: [RecordHeader]
    ) {
        guard !headers.isEmpty else {
            let none: [UInt8] = []
            return append(
                timestampMilliseconds: timestampMilliseconds, key: key, value: value,
                encodedHeaders: none.span, headerCount: 0)
        }
        var encoded: [UInt8] = []
        swap(&encoded, &headerScratch)
        encoded.removeAll(keepingCapacity: true)
        for header in headers { header.encode(into: &encoded) }
        append(
            timestampMilliseconds: timestampMilliseconds, key: key, value: value,
            encodedHeaders: encoded.span, headerCount: headers.count)
        swap(&encoded, &headerScratch)
    }

    /// Adds a record from arrays; for callers that are not in a hurry.
    package mutating func append(
        timestampMilliseconds: Int64, key: [UInt8]?, value: [UInt8]?, headers: [RecordHeader] = []
    ) {
        append(
            timestampMilliseconds: timestampMilliseconds, key: key?.span, value: value?.span,
            headers: headers)
    }

    /// Adds a record whose `headerCount` headers are already encoded one after the other as
    /// `RecordHeader.encode(into:)` does (the count itself is not in `encodedHeaders`).
    package mutating func append(
        timestampMilliseconds: Int64, key: Span<UInt8>?, value: Span<UInt8>?,
        encodedHeaders: Span<UInt8>, headerCount: Int
    ) {
        if recordCount == 0 {
            baseTimestamp = timestampMilliseconds
            maxTimestamp = timestampMilliseconds
        } else if timestampMilliseconds > maxTimestamp {
            maxTimestamp = timestampMilliseconds
        }
        let timestampDelta = Varint.zigZag(timestampMilliseconds &- baseTimestamp)
        let offsetDelta = Varint.zigZag(Int64(recordCount))
        let keyCount = key?.count ?? -1
        let valueCount = value?.count ?? -1
        let bodyCount =
            1 + Varint.encodedLength(timestampDelta) + Varint.encodedLength(offsetDelta)
            + Varint.signedLength(Int64(keyCount)) + max(keyCount, 0)
            + Varint.signedLength(Int64(valueCount)) + max(valueCount, 0)
            + Varint.signedLength(Int64(headerCount)) + encodedHeaders.count
        reserve(bodyCount + 10)
        let start = used
        used = buffer.withUnsafeMutableBytes { bytes in
            var writer = RecordWriter(bytes: bytes, position: start)
            writer.varint(Varint.zigZag(Int64(bodyCount)))
            writer.byte(0)
            writer.varint(timestampDelta)
            writer.varint(offsetDelta)
            writer.varint(Varint.zigZag(Int64(keyCount)))
            if let key { writer.copy(key) }
            writer.varint(Varint.zigZag(Int64(valueCount)))
            if let value { writer.copy(value) }
            writer.varint(Varint.zigZag(Int64(headerCount)))
            writer.copy(encodedHeaders)
            return writer.position
        }
        recordCount += 1
    }

    /// Encodes the records as a batch from `baseOffset` on and forgets them. Call it with at least
    /// one record. `producer` says who wrote them, and the place of the first among its records;
    /// a control batch of a transaction (`isControl`) is passed over by readers.
    ///
    /// Throws `batchTooLarge` beyond 2 GiB, and keeps the records when it throws.
    package mutating func finish(
        baseOffset: Int64, codec: CompressionCodec, producer: RecordBatch.Producer = .none,
        isControl: Bool = false
    ) throws(RecordLogError) -> [UInt8] {
        guard used <= Int(Int32.max), recordCount <= Int(Int32.max) else {
            throw .batchTooLarge(bytes: used)
        }
        var batch: [UInt8]
        if codec == .none {
            batch = Array(buffer[..<used])
        } else {
            batch = []
            batch.reserveCapacity(used + 128)
            batch.append(contentsOf: repeatElement(0, count: RecordBatch.headerSize))
            let records = buffer.span.extracting(RecordBatch.headerSize..<used)
            try records.withUnsafeBytes { (bytes) throws(RecordLogError) in
                try compressor.compress(bytes, codec, onto: &batch)
            }
        }
        guard batch.count <= Int(Int32.max) else { throw .batchTooLarge(bytes: batch.count) }
        let header = RecordBatch.Header(
            baseOffset: baseOffset, byteCount: batch.count, partitionLeaderEpoch: 0, checksum: 0,
            attributes: Int16(codec.rawValue) | (isControl ? 0x30 : 0),
            lastOffsetDelta: Int32(max(recordCount - 1, 0)),
            baseTimestamp: baseTimestamp, maxTimestamp: maxTimestamp, producerID: producer.id,
            producerEpoch: producer.epoch, baseSequence: producer.baseSequence,
            recordCount: Int32(recordCount))
        header.write(over: &batch)
        reset()
        return batch
    }

    private mutating func reserve(_ count: Int) {
        let needed = used + count
        guard needed > buffer.count else { return }
        let grown = max(needed, buffer.count * 2)
        buffer.append(contentsOf: repeatElement(0, count: grown - buffer.count))
    }
}

/// Writes the fields of a record into reserved space.
private struct RecordWriter {
    let bytes: UnsafeMutableRawBufferPointer
    var position: Int

    @inline(__always)
    mutating func byte(_ value: UInt8) {
        bytes[position] = value
        position &+= 1
    }

    @inline(__always)
    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest &>>= 7
        }
        byte(UInt8(truncatingIfNeeded: rest))
    }

    @inline(__always)
    mutating func copy(_ source: Span<UInt8>) {
        source.withUnsafeBytes { from in
            UnsafeMutableRawBufferPointer(rebasing: bytes[position..<(position + from.count)])
                .copyMemory(from: from)
        }
        position &+= source.count
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
