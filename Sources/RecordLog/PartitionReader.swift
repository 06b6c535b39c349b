import Primitives

/// Reads a partition from any process, up to its published end, following its segments.
///
/// Threading: one thread at a time.
package final class PartitionReader {
    /// Up to where a reader sees the log.
    package enum Limit: Sendable {
        /// The published high watermark, as of the last `refresh()`.
        case published
        /// A given offset, exclusive, published or not: for the writer's own use.
        case upTo(Int64)
    }

    package let place: TopicPartition
    private let directory: String
    private let partitionPath: String
    private let storage: any Storage
    private let decoder: RecordBatchDecoder
    private var limit: Limit
    private var segments: [Int64] = []
    /// Records from here on are not seen.
    package private(set) var visibleEnd: Int64 = 0

    /// Where the last read ended.
    private var file: (any StorageFile)?
    private var fileBase: Int64 = 0
    private var filePosition = 0
    private var fileOffset: Int64 = -1

    /// Opens a partition of the log directory `directory`.
    ///
    /// Throws `unknownPartition` when it is not there.
    package convenience init(
        directory: String, topic: String, partition: Int, storage: any Storage = PosixStorage(),
        limit: Limit = .published, maximumDecompressedBytes: Int = 256 << 20
    ) throws(RecordLogError) {
        try self.init(
            partitionPath: "\(directory)/\(topic)-\(partition)", TopicPartition(topic, partition),
            storage: storage, limit: limit, maximumDecompressedBytes: maximumDecompressedBytes)
    }

    init(
        partitionPath: String, _ place: TopicPartition, storage: any Storage, limit: Limit,
        maximumDecompressedBytes: Int
    ) throws(RecordLogError) {
        self.place = place
        self.partitionPath = partitionPath
        self.storage = storage
        self.limit = limit
        decoder = RecordBatchDecoder(maximumBytes: maximumDecompressedBytes)
        let slash = partitionPath.lastIndex(of: "/") ?? partitionPath.startIndex
        directory = String(partitionPath[..<slash])
        do {
            guard try storage.kind(of: partitionPath) == .directory else {
                throw RecordLogError.unknownPartition(
                    topic: place.topic, partition: place.partition, directory: directory)
            }
        } catch let error as RecordLogError {
            throw error
        } catch let error as StorageError {
            throw .storage(error)
        } catch {}
        try listSegments()
        try refresh()
    }

    /// The offset of the first record.
    package var logStartOffset: Int64 { segments.first ?? 0 }

    /// Reads the published end anew; true when it has changed.
    @discardableResult
    package func refresh() throws(RecordLogError) -> Bool {
        let before = visibleEnd
        switch limit {
        case .upTo(let offset): visibleEnd = offset
        case .published:
            visibleEnd = try CheckpointFile.readPublished(directory, storage)[place] ?? 0
        }
        return visibleEnd != before
    }

    /// Moves the limit, for a reader inside the writer's process.
    package func setLimit(_ offset: Int64) {
        limit = .upTo(offset)
        visibleEnd = offset
    }

    /// The records from `offset` on, of about `maxBytes` bytes of log and at least one batch; nil
    /// when none is visible yet. Reading on from the last block's `nextOffset` needs no seek.
    ///
    /// A block may have no rows, when there are only control records; go on from its `nextOffset`.
    /// Throws `corruptBatch` for a damaged batch, `offsetOutOfRange` before the log's start.
    package func read(
        from offset: Int64, maxBytes: Int = 1 << 20
    ) throws(RecordLogError) -> RecordBlock? {
        guard offset < visibleEnd else { return nil }
        if offset < logStartOffset {
            try listSegments()
            guard offset >= logStartOffset else {
                throw .offsetOutOfRange(
                    partition: "\(place)", offset: offset,
                    valid: logStartOffset...max(visibleEnd, logStartOffset))
            }
        }
        if offset != fileOffset || file == nil { try seek(to: offset) }
        var wanted = min(max(maxBytes, RecordBatch.headerSize), 1 << 30)
        var reopened = false
        while let file {
            let size = try storageCall { () throws(StorageError) in try file.size() }
            let available = size - filePosition
            if available <= 0 {
                if try openNextSegment(after: offset) { continue }
                if try !reopen(&reopened, at: offset) { return nil }
                continue
            }
            let chunk = try storageCall { () throws(StorageError) in
                try file.read(at: filePosition, count: min(wanted, available))
            }
            switch decoder.attempt(chunk, from: offset, limit: visibleEnd) {
            case .success(let decoded):
                filePosition += decoded.consumed
                let next = decoded.block.nextOffset
                // A block that the limit has cut ends inside a batch: seek to it again.
                fileOffset = decoded.endOffset == next ? next : -1
                if next > offset { return decoded.block }
            case .failure(.needsBytes(let count)):
                if count > available {
                    if try !reopen(&reopened, at: offset) { return nil }
                } else {
                    wanted = max(count, min(wanted * 2, 1 << 30))
                }
            case .failure(.fault(let fault, _)):
                throw corrupt(fault)
            }
        }
        return nil
    }

    /// The offset of the first visible record whose time stamp is not before `timestamp`
    /// (milliseconds), or nil when there is none. Reads batch headers from the log's start on.
    package func offset(forTimestamp timestamp: Int64) throws(RecordLogError) -> Int64? {
        try listSegments()
        for base in segments where base < visibleEnd {
            let file = try openSegmentFile(base)
            defer { file.close() }
            let size = try storageCall { () throws(StorageError) in try file.size() }
            var scanner = SegmentScanner(file, end: size, verifiesChecksums: false)
            while scanner.nextOffset < visibleEnd, let batch = try scanner.next() {
                if batch.header.isControl || batch.header.maxTimestamp < timestamp { continue }
                let block = try read(from: batch.header.baseOffset, maxBytes: 1)
                guard let block else { return nil }
                if let row = block.timestamps.firstIndex(where: { $0 >= timestamp }) {
                    return block.offsets[row]
                }
            }
        }
        return nil
    }

    private func corrupt(_ fault: BatchFault) -> RecordLogError {
        .corruptBatch(path: file?.path ?? partitionPath, position: filePosition, reason: fault)
    }

    /// Opens the current segment again, once: its file may have been replaced. Without it the
    /// visible records are missing, unless the published end has moved back.
    private func reopen(_ done: inout Bool, at offset: Int64) throws(RecordLogError) -> Bool {
        if done {
            fileOffset = -1
            try refresh()
            guard offset < visibleEnd else { return false }
            throw corrupt(.truncated)
        }
        done = true
        try listSegments()
        try seek(to: offset)
        return file != nil
    }

    private func openNextSegment(after offset: Int64) throws(RecordLogError) -> Bool {
        if !segments.contains(where: { $0 > fileBase }) { try listSegments() }
        guard let next = segments.first(where: { $0 > fileBase }) else { return false }
        try openSegment(next)
        return true
    }

    private func openSegment(_ base: Int64) throws(RecordLogError) {
        file?.close()
        file = nil
        file = try openSegmentFile(base)
        fileBase = base
        filePosition = 0
    }

    func openSegmentFile(_ base: Int64) throws(RecordLogError) -> any StorageFile {
        let path = Segment.path(base, ".log", in: partitionPath)
        return try storageCall { () throws(StorageError) in try storage.open(path, .read) }
    }

    /// Base offsets of the segments as they are now.
    func segmentOffsets() throws(RecordLogError) -> [Int64] {
        try listSegments()
        return segments
    }

    private func listSegments() throws(RecordLogError) {
        let names = try storageCall { () throws(StorageError) in
            try storage.list(partitionPath)
        }
        segments = names.compactMap { SegmentName.baseOffset($0, ".log") }.sorted()
    }

    /// Puts the position at the first batch that reaches `offset`.
    private func seek(to offset: Int64) throws(RecordLogError) {
        if let last = segments.last, offset >= last { try listSegments() }
        guard let base = segments.last(where: { $0 <= offset }) else {
            throw corrupt(.truncated)
        }
        try openSegment(base)
        guard let file else { return }
        let size = try storageCall { () throws(StorageError) in try file.size() }
        var scanner = SegmentScanner(
            file, from: try indexedPosition(offset, size), end: size, verifiesChecksums: false)
        filePosition = scanner.position
        while let batch = try scanner.next() {
            if batch.header.lastOffset >= offset { break }
            filePosition = scanner.position
        }
        fileOffset = offset
    }

    /// A batch's start at or before `offset`'s; the index is only believed when the batch there
    /// agrees.
    private func indexedPosition(_ offset: Int64, _ size: Int) throws(RecordLogError) -> Int {
        guard let file else { return 0 }
        let path = Segment.path(fileBase, ".index", in: partitionPath)
        let bytes = try storageCall { () throws(StorageError) in
            try storage.contents(of: path)
        }
        var index = SegmentIndex(baseOffset: fileBase)
        guard let bytes, index.load(offsets: bytes, times: [], logSize: size),
            let entry = index.entry(atOrBelow: offset)
        else { return 0 }
        var probe = SegmentScanner(file, from: entry.position, end: size, verifiesChecksums: false)
        do {
            let batch = try probe.next()
            return batch?.header.lastOffset == entry.lastOffset ? entry.position : 0
        } catch {
            if case .corruptBatch = error { return 0 }
            throw error
        }
    }

    package func close() {
        file?.close()
        file = nil
    }
}
