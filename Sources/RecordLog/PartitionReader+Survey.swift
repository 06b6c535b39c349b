import Primitives

/// What the headers of a partition's batches say of its records.
package struct PartitionSurvey: Hashable, Sendable {
    /// Time stamp of the first record, in milliseconds; nil without records.
    package var firstTimestamp: Int64?
    /// The greatest time stamp.
    package var lastTimestamp: Int64?
    /// How its batches are compressed.
    package var codecs: Set<UInt8> = []
}

extension PartitionReader {
    /// Looks through the batch headers of what is visible. Reads some kilobytes a batch, no
    /// record; O(batches).
    ///
    /// Throws `corruptBatch` for a damaged header.
    package func survey() throws(RecordLogError) -> PartitionSurvey {
        var survey = PartitionSurvey()
        for base in try segmentOffsets() where base < visibleEnd {
            let file = try openSegmentFile(base)
            defer { file.close() }
            let size = try storageCall { () throws(StorageError) in try file.size() }
            var scanner = SegmentScanner(
                file, end: size, verifiesChecksums: false, readAhead: RecordBatch.headerSize)
            var next = base
            while next < visibleEnd, let batch = try scanner.next() {
                next = batch.header.nextOffset
                if batch.header.isControl || batch.header.recordCount == 0 { continue }
                survey.firstTimestamp = survey.firstTimestamp ?? batch.header.baseTimestamp
                survey.lastTimestamp = max(
                    survey.lastTimestamp ?? .min, batch.header.maxTimestamp)
                survey.codecs.insert(batch.header.codecCode)
            }
        }
        return survey
    }
}
