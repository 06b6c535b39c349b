import Primitives

/// Walks the batches of a segment file from a position on.
///
/// Threading: one thread at a time.
package struct SegmentScanner {
    /// A batch and where it lies in the file.
    package struct Batch: Hashable, Sendable {
        package var header: RecordBatch.Header
        package var position: Int
    }

    private let file: any StorageFile
    private let end: Int
    private let verifiesChecksums: Bool
    private let readAhead: Int
    private var chunk: [UInt8] = []
    private var chunkStart: Int
    /// Where the next batch starts: what lies before is valid.
    package private(set) var position: Int
    /// The offset after the last batch returned, or 0.
    private(set) var nextOffset: Int64 = 0

    /// Scans `file` from byte `position` to byte `end`. Without checksums only headers are checked;
    /// then a small `readAhead` leaves what stands between them unread.
    package init(
        _ file: any StorageFile, from position: Int = 0, end: Int, verifiesChecksums: Bool = true,
        readAhead: Int = 1 << 20
    ) {
        self.file = file
        self.end = end
        self.verifiesChecksums = verifiesChecksums
        self.readAhead = readAhead
        self.position = position
        chunkStart = position
    }

    /// The next batch, or nil at the end.
    ///
    /// Throws `corruptBatch` with its position for anything else, a torn last batch included;
    /// `position` then stays at its start.
    package mutating func next() throws(RecordLogError) -> Batch? {
        guard position < end else { return nil }
        try fill(RecordBatch.headerSize)
        let header: RecordBatch.Header
        switch RecordBatch.parseHeader(chunk.span, at: position - chunkStart) {
        case .incomplete: throw fault(.truncated)
        case .fault(let reason): throw fault(reason)
        case .header(let parsed): header = parsed
        }
        guard header.byteCount <= end - position else { throw fault(.truncated) }
        if verifiesChecksums {
            try fill(header.byteCount)
            guard chunk.count - (position - chunkStart) >= header.byteCount else {
                throw fault(.truncated)
            }
            if let reason = RecordBatch.checksumFault(
                chunk.span, at: position - chunkStart, header)
            {
                throw fault(reason)
            }
        }
        let batch = Batch(header: header, position: position)
        position += header.byteCount
        nextOffset = header.nextOffset
        return batch
    }

    /// Has at least `count` bytes from `position` on in the chunk, where the file has them.
    private mutating func fill(_ count: Int) throws(RecordLogError) {
        let inChunk = chunkStart + chunk.count - position
        let wanted = min(count, end - position)
        guard position < chunkStart || inChunk < wanted else { return }
        do {
            chunk = try file.read(
                at: position, count: min(max(wanted, readAhead), end - position))
        } catch { throw .storage(error) }
        chunkStart = position
    }

    private func fault(_ reason: BatchFault) -> RecordLogError {
        .corruptBatch(path: file.path, position: position, reason: reason)
    }
}
