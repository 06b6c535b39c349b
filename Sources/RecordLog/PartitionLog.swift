import Primitives

/// The writing end of one partition: batches at the end of its newest segment.
///
/// Segments are left by size, by age in record time and when an index is full
/// (`LogSegment.shouldRoll`). After an error, disk full for example, the log is as it was before
/// the call and the call may be repeated; only a failed `sync()` first needs `truncate(to:)` down
/// to `durableEndOffset`.
///
/// Threading: one thread at a time; it may move between threads, hence `@unchecked`.
package final class PartitionLog: @unchecked Sendable {
    package let place: TopicPartition
    /// The partition's directory.
    package let path: String
    let storage: any Storage
    let options: LogOptions
    let state: DirectoryState
    /// First offsets of the segments, ascending; the last one is `active`.
    var segments: [Int64]
    var active: Segment
    /// What opening found.
    package internal(set) var recovery: RecoveryReport
    /// Records below are known to survive a crash.
    package internal(set) var durableEndOffset: Int64
    var syncFailed = false
    private var isClosed = false

    init(
        _ place: TopicPartition, path: String, _ storage: any Storage, _ options: LogOptions,
        _ state: DirectoryState, segments: [Int64], active: Segment, recovery: RecoveryReport
    ) {
        self.place = place
        self.path = path
        self.storage = storage
        self.options = options
        self.state = state
        self.segments = segments
        self.active = active
        self.recovery = recovery
        durableEndOffset = active.nextOffset
    }

    /// The offset of the next record.
    package var logEndOffset: Int64 { active.nextOffset }

    /// The offset of the first record that the segments hold.
    package var logStartOffset: Int64 { segments.first ?? active.baseOffset }

    /// The published end, where readers stop.
    package var highWatermark: Int64 { state.published(place) }

    /// Appends one batch, built for `logEndOffset`, or with `leavingGap` for that or a later
    /// offset: the copy of a log lacks what its original lacks. It is not durable before `sync()`.
    ///
    /// The checksum is not verified: use `RecordBatch.validate` for bytes from elsewhere.
    package func append(_ batch: [UInt8], leavingGap: Bool = false) throws(RecordLogError) {
        guard !isClosed else { throw .directoryClosed(path) }
        guard !syncFailed else {
            throw .syncFailedBefore(partition: "\(place)", durableEnd: durableEndOffset)
        }
        let header = try Self.header(of: batch)
        let isNext = header.baseOffset == logEndOffset
        guard isNext || (leavingGap && header.baseOffset > logEndOffset) else {
            throw .wrongBaseOffset(
                partition: "\(place)", expected: logEndOffset, found: header.baseOffset)
        }
        do {
            if shouldRoll(before: header) { try roll() }
            try active.append(batch, header)
        } catch { throw .storage(error) }
    }

    private static func header(
        of batch: [UInt8]
    ) throws(RecordLogError) -> RecordBatch.Header {
        let fault: BatchFault
        switch RecordBatch.parseHeader(batch.span, at: 0) {
        case .incomplete: fault = .truncated
        case .fault(let found): fault = found
        case .header(let header):
            if header.byteCount == batch.count, header.recordCount > 0 { return header }
            fault =
                header.recordCount == 0
                ? .badCount(0) : header.byteCount > batch.count ? .truncated : .trailingBytes
        }
        throw .corruptBatch(path: "", position: 0, reason: fault)
    }

    private func shouldRoll(before header: RecordBatch.Header) -> Bool {
        guard active.size > 0 else { return false }
        let age = header.maxTimestamp.subtractingReportingOverflow(active.firstTimestamp)
        return active.size > options.segmentBytes - header.byteCount
            || (active.firstTimestamp >= 0 && !age.overflow
                && age.partialValue > options.segmentMilliseconds)
            || active.index.isFull
            || header.lastOffset - active.baseOffset > Int64(Int32.max)
    }

    /// Leaves the active segment, durable, for a new one.
    private func roll() throws(StorageError) {
        try active.finish()
        let end = active.nextOffset
        let next = try Segment.create(end, in: path, storage)
        try storage.syncDirectory(path)
        active.close()
        active = next
        segments.append(end)
        durableEndOffset = end
        state.setRecoveryPoint(place, end)
    }

    /// Makes all appended batches durable.
    ///
    /// Index entries are written too but not waited for: they can be rebuilt, and an error in
    /// writing them is raised when the segment is left or closed.
    package func sync() throws(RecordLogError) {
        guard !syncFailed else {
            throw .syncFailedBefore(partition: "\(place)", durableEnd: durableEndOffset)
        }
        guard durableEndOffset < logEndOffset else { return }
        do {
            try active.sync()
        } catch {
            syncFailed = true
            throw .storage(error)
        }
        durableEndOffset = logEndOffset
        _ = try? active.flushIndex()
    }

    /// Says up to where readers may see the log once `publishHighWatermarks()` has run.
    ///
    /// Throws `offsetOutOfRange` beyond what is durable.
    package func setHighWatermark(_ offset: Int64) throws(RecordLogError) {
        guard offset >= 0, offset <= durableEndOffset else {
            throw .offsetOutOfRange(
                partition: "\(place)", offset: offset, valid: 0...durableEndOffset)
        }
        state.setPublished(place, offset)
    }

    /// The records of the last batch, or nil when the log holds none.
    package func lastBatch() throws(RecordLogError) -> RecordBlock? {
        if let batch = active.lastBatch { return try decode(batch, in: active) }
        // The active segment is empty only after a failed first append or a cut at its start.
        guard segments.count > 1 else { return nil }
        let previous = try storageCall { () throws(StorageError) in
            try Segment.open(segments[segments.count - 2], in: path, storage)
        }
        defer { previous.close() }
        if try !previous.load(), let fault = try previous.recover() { throw fault }
        guard let batch = previous.lastBatch else { return nil }
        return try decode(batch, in: previous)
    }

    func decode(
        _ batch: SegmentScanner.Batch, in segment: Segment
    ) throws(RecordLogError) -> RecordBlock {
        try decode(try storageCall { () throws(StorageError) in try segment.read(batch) })
    }

    func decode(_ batch: [UInt8]) throws(RecordLogError) -> RecordBlock {
        try RecordBatchDecoder(maximumBytes: options.maximumDecompressedBytes).decodeAll(batch)
    }

    /// A reader of this partition up to `limit`, published or not; by default up to the log's end.
    package func reader(limit: Int64? = nil) throws(RecordLogError) -> PartitionReader {
        try PartitionReader(
            partitionPath: path, place, storage: storage, limit: .upTo(limit ?? logEndOffset),
            maximumDecompressedBytes: options.maximumDecompressedBytes)
    }

    /// Makes the log durable and its files final; the object must not be used afterwards.
    package func close() throws(RecordLogError) {
        guard !isClosed else { return }
        guard !syncFailed else {
            throw .syncFailedBefore(partition: "\(place)", durableEnd: durableEndOffset)
        }
        do { try active.finish() } catch { throw .storage(error) }
        durableEndOffset = logEndOffset
        state.setRecoveryPoint(place, logEndOffset)
        active.close()
        isClosed = true
    }
}
