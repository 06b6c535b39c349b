import Primitives

/// A segment under writing: the log file and its two index files.
///
/// Threading: one thread at a time.
final class Segment {
    let baseOffset: Int64
    let directory: String
    private let storage: any Storage
    private let log: any StorageFile
    private(set) var index: SegmentIndex
    /// Valid bytes in the log file; more may stand behind them after a failed write.
    private(set) var size = 0
    private(set) var nextOffset: Int64
    /// The last batch, for a look at the journal's end.
    private(set) var lastBatch: SegmentScanner.Batch?
    /// The greatest time stamp of the first batch, from which the segment's age counts.
    private(set) var firstTimestamp: Int64 = -1
    private var flushedOffsetBytes = 0
    private var flushedTimeBytes = 0
    /// The log file may hold bytes beyond `size`.
    private var needsCut = false

    var path: String { log.path }

    private init(
        _ baseOffset: Int64, in directory: String, _ storage: any Storage,
        _ log: any StorageFile
    ) {
        self.baseOffset = baseOffset
        self.directory = directory
        self.storage = storage
        self.log = log
        nextOffset = baseOffset
        index = SegmentIndex(baseOffset: baseOffset)
    }

    static func path(_ baseOffset: Int64, _ suffix: String, in directory: String) -> String {
        directory + "/" + SegmentName.file(baseOffset, suffix)
    }

    /// Creates the three files, empty; what a failed attempt left is overwritten. The caller syncs
    /// the directory.
    static func create(
        _ baseOffset: Int64, in directory: String, _ storage: any Storage
    ) throws(StorageError) -> Segment {
        for suffix in [".index", ".timeindex"] {
            try storage.open(path(baseOffset, suffix, in: directory), .replace).close()
        }
        let log = try storage.open(path(baseOffset, ".log", in: directory), .replace)
        return Segment(baseOffset, in: directory, storage, log)
    }

    /// Opens an existing segment without looking into it; `load` or `recover` comes next.
    static func open(
        _ baseOffset: Int64, in directory: String, _ storage: any Storage
    ) throws(StorageError) -> Segment {
        Segment(
            baseOffset, in: directory, storage,
            try storage.open(path(baseOffset, ".log", in: directory), .update))
    }

    /// Appends a batch whose header was checked against the log.
    ///
    /// On an error nothing of it counts; the bytes that were written are cut or overwritten before
    /// the next batch.
    func append(_ batch: [UInt8], _ header: RecordBatch.Header) throws(StorageError) {
        if needsCut {
            try log.truncate(to: size)
            needsCut = false
        }
        needsCut = true
        try log.write(batch.span, at: size)
        needsCut = false
        admit(SegmentScanner.Batch(header: header, position: size))
    }

    private func admit(_ batch: SegmentScanner.Batch) {
        if batch.position == 0 { firstTimestamp = batch.header.maxTimestamp }
        index.add(batch.header, at: batch.position)
        size = batch.position + batch.header.byteCount
        nextOffset = batch.header.nextOffset
        lastBatch = batch
    }

    /// The log file is durable up to `size` when this returns.
    func sync() throws(StorageError) {
        if needsCut {
            try log.truncate(to: size)
            needsCut = false
        }
        try log.sync()
    }

    /// Writes new index entries to the files.
    func flushIndex() throws(StorageError) {
        if index.offsetBytes.count > flushedOffsetBytes {
            try write(index.offsetBytes, from: flushedOffsetBytes, ".index")
            flushedOffsetBytes = index.offsetBytes.count
        }
        if index.timeBytes.count > flushedTimeBytes {
            try write(index.timeBytes, from: flushedTimeBytes, ".timeindex")
            flushedTimeBytes = index.timeBytes.count
        }
    }

    private func write(
        _ bytes: [UInt8], from start: Int, _ suffix: String
    ) throws(StorageError) {
        let file = try storage.open(Self.path(baseOffset, suffix, in: directory), .create)
        defer { file.close() }
        try file.write(bytes.span.extracting(start..<bytes.count), at: start)
    }

    /// Makes log and indexes durable and final, with the last time entry, for leaving the segment
    /// or closing it. May be repeated after an error.
    func finish() throws(StorageError) {
        try sync()
        index.finish()
        try flushIndex()
        for suffix in [".index", ".timeindex"] {
            let file = try storage.open(Self.path(baseOffset, suffix, in: directory), .create)
            defer { file.close() }
            try file.truncate(
                to: suffix == ".index" ? index.offsetBytes.count : index.timeBytes.count)
            try file.sync()
        }
    }

    func close() { log.close() }

    func read(_ batch: SegmentScanner.Batch) throws(StorageError) -> [UInt8] {
        try log.read(at: batch.position, count: batch.header.byteCount)
    }

    /// The first batch that reaches beyond `offset`, or nil.
    func batch(reaching offset: Int64) throws(RecordLogError) -> SegmentScanner.Batch? {
        let start = index.entry(atOrBelow: offset)?.position ?? 0
        var scanner = SegmentScanner(log, from: start, end: size, verifiesChecksums: false)
        while let batch = try scanner.next() {
            if batch.header.lastOffset >= offset { return batch }
        }
        return nil
    }
}

extension Segment {
    /// Takes over a cleanly closed segment: indexes from their files, the end from the last entry.
    ///
    /// Returns false, and has read nothing, when an index is missing or does not fit the log.
    func load() throws(RecordLogError) -> Bool {
        let (total, offsets, times) = try storageCall { () throws(StorageError) in
            (
                try log.size(),
                try storage.contents(of: Self.path(baseOffset, ".index", in: directory)),
                try storage.contents(of: Self.path(baseOffset, ".timeindex", in: directory))
            )
        }
        var loaded = SegmentIndex(baseOffset: baseOffset)
        guard let offsets, let times,
            loaded.load(offsets: offsets, times: times, logSize: total)
        else { return false }
        do {
            guard try locateEnd(loaded.entry(atOrBelow: .max), total) else { return false }
        } catch {
            if case .corruptBatch = error { return false }
            throw error
        }
        index = loaded
        flushedOffsetBytes = loaded.offsetBytes.count
        flushedTimeBytes = loaded.timeBytes.count
        size = total
        return true
    }

    /// Finds the first and the last batch; false when the last index entry names no batch.
    private func locateEnd(
        _ last: (lastOffset: Int64, position: Int)?, _ total: Int
    ) throws(RecordLogError) -> Bool {
        var first = SegmentScanner(log, end: total, verifiesChecksums: false)
        let firstBatch = try first.next()
        var scanner = SegmentScanner(
            log, from: last?.position ?? 0, end: total, verifiesChecksums: false)
        var end: SegmentScanner.Batch?
        while let batch = try scanner.next() {
            if end == nil, let last, batch.header.lastOffset != last.lastOffset { return false }
            end = batch
        }
        firstTimestamp = firstBatch?.header.maxTimestamp ?? -1
        lastBatch = end
        nextOffset = end?.header.nextOffset ?? baseOffset
        return true
    }

    /// Checks every batch and builds the indexes anew (`LogSegment.recover`).
    ///
    /// Returns what stopped it before the end of the file, or nil. Nothing on disk is changed: the
    /// caller decides and calls `cut()`.
    func recover() throws(RecordLogError) -> RecordLogError? {
        let total: Int
        do { total = try log.size() } catch { throw .storage(error) }
        index = SegmentIndex(baseOffset: baseOffset)
        size = 0
        nextOffset = baseOffset
        lastBatch = nil
        firstTimestamp = -1
        flushedOffsetBytes = 0
        flushedTimeBytes = 0
        var scanner = SegmentScanner(log, end: total)
        do {
            while let batch = try scanner.next() {
                guard batch.header.baseOffset >= nextOffset,
                    batch.header.lastOffset - baseOffset <= Int64(Int32.max)
                else {
                    return .corruptBatch(
                        path: log.path, position: batch.position, reason: .badOffset)
                }
                admit(batch)
            }
        } catch {
            if case .corruptBatch = error { return error }
            throw error
        }
        index.finish()
        index.restartCount()
        return nil
    }

    /// Bytes behind the valid ones.
    func excess() throws(StorageError) -> Int { try log.size() - size }

    /// Cuts the log file to its valid bytes and writes the indexes as they are in memory.
    func cut() throws(StorageError) {
        try log.truncate(to: size)
        needsCut = false
        index.finish()
        index.restartCount()
        flushedOffsetBytes = 0
        flushedTimeBytes = 0
        for (suffix, bytes) in [(".index", index.offsetBytes), (".timeindex", index.timeBytes)] {
            let file = try storage.open(Self.path(baseOffset, suffix, in: directory), .replace)
            defer { file.close() }
            try file.write(bytes.span, at: 0)
            try file.sync()
        }
        flushedOffsetBytes = index.offsetBytes.count
        flushedTimeBytes = index.timeBytes.count
        try log.sync()
    }
}
