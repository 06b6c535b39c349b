/// Settings of a log directory's writer; the defaults are Kafka's.
package struct LogOptions: Sendable {
    /// `segment.bytes`: a segment is left before it would grow beyond this.
    package var segmentBytes: Int
    /// `segment.ms`: a segment is left when a batch's greatest time stamp is more than this after
    /// that of the segment's first batch. Time stamps of records, never the clock.
    package var segmentMilliseconds: Int64
    /// The most bytes that a batch may decompress to.
    package var maximumDecompressedBytes: Int

    package init(
        segmentBytes: Int = 1 << 30, segmentMilliseconds: Int64 = 7 * 24 * 3_600_000,
        maximumDecompressedBytes: Int = 256 << 20
    ) {
        self.segmentBytes = min(max(segmentBytes, 1), Int(Int32.max))
        self.segmentMilliseconds = max(segmentMilliseconds, 1)
        self.maximumDecompressedBytes = maximumDecompressedBytes
    }
}

/// What opening a partition after a crash found and did.
package struct RecoveryReport: Hashable, Sendable {
    package var partition: TopicPartition
    /// Segments whose batches were all checked.
    package var scannedSegments = 0
    /// Segments whose indexes were missing or wrong and were built anew.
    package var rebuiltIndexes = 0
    /// Bytes cut from the end, segments removed included.
    package var truncatedBytes = 0
    package var removedSegments = 0
    /// Why bytes were cut: the file, the position, the fault.
    package var fault: RecordLogError?

    /// Nothing had to be mended.
    package var isClean: Bool { truncatedBytes == 0 && rebuiltIndexes == 0 && fault == nil }
}
