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
    let place: TopicPartition
    /// Called for every record.
    private let observer: ((OutputRecord) throws -> Void)?
    private var epoch: EpochRecords

    /// `sender` numbers the task where others write to the partition, too.
    init(_ place: TopicPartition, codec: CompressionCodec, start: Int64, sender: Int? = nil) {
        self.place = place
        observer = nil
        epoch = EpochRecords(
            place, codec: codec, start: start,
            sender: sender.map { RecordHeader(SubstreamRow.header, String($0)).encoded } ?? [])
    }

    /// Records that are shown to an observer and not stored.
    init(_ place: TopicPartition, observer: @escaping (OutputRecord) throws -> Void) {
        self.place = place
        self.observer = observer
        epoch = EpochRecords(place, codec: .none, start: 0, sender: [])
        epoch.restart(at: 0, storedEnd: .max)
    }

    /// Offset of the first record of the epoch.
    var epochStart: Int64 { epoch.start }

    /// Offset of the next record.
    var nextOffset: Int64 { epoch.nextOffset }

    /// Records before this offset are stored already: they are only hashed.
    var storedEnd: Int64 { epoch.storedEnd }

    /// Starts over at an offset; what is stored from there on is not written again.
    func restart(at offset: Int64, storedEnd: Int64) {
        epoch.restart(at: offset, storedEnd: storedEnd)
    }

    /// Writes all records.
    func append(_ records: OutputRecords) throws {
        if let observer {
            for index in 0..<records.count { try observer(records[index]) }
        }
        try epoch.append(records, 0..<records.count)
    }

    /// Writes one of several records; with `isFollowed`, a batch does not end behind it.
    func append(_ records: OutputRecords, _ index: Int, isFollowed: Bool) throws {
        try observer?(records[index])
        try epoch.append(records, index..<index + 1, isFollowed: isFollowed)
    }

    func append(_ record: OutputRecord) throws {
        try observer?(record)
        try epoch.append(
            timestamp: record.timestamp, key: record.key?.span, value: record.value?.span,
            headers: record.headers.span, headerCount: record.headerCount)
    }

    /// Ends the epoch: the range it wrote, and the batches to store. Nil when it wrote nothing.
    func finishEpoch() throws -> (range: OutputRange, batches: [[UInt8]])? {
        let start = epoch.start
        let end = epoch.nextOffset
        guard let (digest, batches) = try epoch.finish() else { return nil }
        let range = OutputRange(
            topic: place.topic, partition: place.partition, from: start, to: end,
            records: end - start, hash: hexadecimal(digest))
        return (range, batches)
    }
}

/// What an epoch has written to a partition.
///
/// A struct, so that its owner claims it once for many records, not at every field.
private struct EpochRecords: ~Copyable {
    /// Batches are finished near this size, so that they hold 16 to 64 KB.
    private static let batchBytes = 48 << 10
    /// A larger record is refused: readers take batches of 256 MiB at the most, and two records
    /// may have to stand in one.
    private static let largestRecordBytes = 64 << 20
    /// Records are hashed some at a time.
    private static let hashedBytes = 16 << 10

    private let place: TopicPartition
    private let codec: CompressionCodec
    /// The encoded header that tells this task's records from those of others in the partition;
    /// empty where there are no others.
    private let sender: [UInt8]
    private(set) var start: Int64
    private(set) var nextOffset: Int64
    private(set) var storedEnd: Int64
    private let builder = RecordBatchBuilder()
    private var batchStart: Int64
    private var batches: [[UInt8]] = []
    private var hash = SHA256()
    /// Records that are not in the hash yet.
    private var unhashed = CanonicalRecords()

    init(_ place: TopicPartition, codec: CompressionCodec, start: Int64, sender: [UInt8]) {
        self.place = place
        self.codec = codec
        self.sender = sender
        self.start = start
        nextOffset = start
        storedEnd = start
        batchStart = start
    }

    mutating func restart(at offset: Int64, storedEnd: Int64) {
        start = offset
        nextOffset = offset
        self.storedEnd = storedEnd
        batchStart = max(offset, storedEnd)
        builder.reset()
        batches = []
        hash = SHA256()
        unhashed.removeAll()
    }

    mutating func append(
        _ records: OutputRecords, _ range: Range<Int>, isFollowed: Bool = false
    ) throws {
        let keys = records.keys.bytes.span
        let values = records.values.bytes.span
        let headers = records.headers.bytes.span
        for index in range {
            try append(
                timestamp: records.timestamps[index],
                key: keys.extracting(records.keys.range(index)),
                value: values.extracting(records.values.range(index)),
                headers: headers.extracting(records.headers.range(index)),
                headerCount: records.headerCounts[index], isFollowed: isFollowed)
        }
    }

    @inline(__always)
    mutating func append(
        timestamp: Int64, key: Span<UInt8>?, value: Span<UInt8>?, headers: Span<UInt8>,
        headerCount: Int, isFollowed: Bool = false
    ) throws {
        let recordBytes = (key?.count ?? 0) + (value?.count ?? 0) + headers.count
        guard recordBytes <= Self.largestRecordBytes else { throw tooLarge(recordBytes, key) }
        unhashed.append(
            timestamp: timestamp, key: key, value: value, headers: headers,
            headerCount: headerCount)
        if unhashed.byteCount >= Self.hashedBytes { unhashed.move(to: &hash) }
        nextOffset += 1
        guard nextOffset > storedEnd else { return }
        if builder.isEmpty { batchStart = nextOffset - 1 }
        let byteCount = builder.append(
            timestampMilliseconds: timestamp, key: key, value: value, firstHeaders: sender.span,
            encodedHeaders: headers, headerCount: headerCount + (sender.isEmpty ? 0 : 1))
        if byteCount >= Self.batchBytes, !isFollowed { try finishBatch() }
    }

    private func tooLarge(_ byteCount: Int, _ key: Span<UInt8>?) -> EngineError {
        var text: [UInt8] = []
        if let key {
            for index in key.indices.prefix(100) { text.append(key[index]) }
        }
        return EngineError(
            "a record of \(byteCount >> 20) MiB for \(place) (key"
                + " \(String(decoding: text, as: UTF8.self))): no more than"
                + " \(Self.largestRecordBytes >> 20) MiB can be read again; it was not stored",
            hint: "let the topology keep its texts shorter, and raise its version")
    }

    private mutating func finishBatch() throws {
        guard !builder.isEmpty else { return }
        batches.append(try builder.finish(baseOffset: batchStart, codec: codec))
    }

    /// Ends the epoch: the hash of its records, and the batches to store. Nil when there are none.
    mutating func finish() throws -> (digest: SHA256.Digest, batches: [[UInt8]])? {
        guard nextOffset > start else { return nil }
        try finishBatch()
        unhashed.move(to: &hash)
        defer {
            start = nextOffset
            batches = []
            hash = SHA256()
        }
        return (hash.finalize(), batches)
    }
}
