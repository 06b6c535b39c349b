import Primitives

extension PartitionLog {
    /// How many records from `offset` on a producer wrote, by the headers of the batches.
    ///
    /// Throws `producerGap` when its batches do not follow one another. Reads the header of every
    /// batch in the segments that reach `offset`, not the records.
    package func recordCount(
        ofProducer producerID: Int64, from offset: Int64
    ) throws(RecordLogError) -> Int64 {
        var count: Int64 = 0
        for (index, base) in segments.enumerated() {
            let next = index + 1 < segments.count ? segments[index + 1] : logEndOffset
            guard next > offset, base < logEndOffset else { continue }
            let file = try storageCall { () throws(StorageError) in
                try storage.open(Segment.path(base, ".log", in: path), .read)
            }
            defer { file.close() }
            var position = 0
            while let header = try header(at: position, in: file) {
                position += header.byteCount
                guard header.baseOffset < logEndOffset else { break }
                guard header.producerID == producerID, header.baseOffset >= offset else { continue }
                let expected = RecordBatch.Producer.sequence(count)
                guard header.baseSequence == expected else {
                    throw .producerGap(
                        partition: "\(place)", offset: header.baseOffset, expected: expected,
                        found: header.baseSequence)
                }
                count += Int64(header.recordCount)
            }
        }
        return count
    }

    /// The header of the batch at a byte of a segment; nil at its end.
    private func header(
        at position: Int, in file: any StorageFile
    ) throws(RecordLogError) -> RecordBatch.Header? {
        let bytes = try storageCall { () throws(StorageError) in
            try file.read(at: position, count: RecordBatch.headerSize)
        }
        switch RecordBatch.parseHeader(bytes.span, at: 0) {
        case .header(let header): return header
        case .incomplete: return nil
        case .fault(let fault):
            throw .corruptBatch(path: file.path, position: position, reason: fault)
        }
    }
}
