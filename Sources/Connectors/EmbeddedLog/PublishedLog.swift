import RecordLog

/// The topics of a data directory as any process sees them, while another one may write.
/// Threading: one thread at a time.
package final class PublishedLog: TopicReader {
    /// The data directory.
    package let name: String
    private let logPath: String

    /// Opens nothing yet; a directory that is not there has no topics.
    package init(_ dataPath: String) {
        name = dataPath
        logPath = EmbeddedLog.logPath(dataPath)
    }

    package func topics() throws -> [TopicDescription] { try LogDirectory.topics(in: logPath) }

    package func source(_ place: TopicPartition) throws -> any RecordSource {
        PublishedSource(
            try PartitionReader(
                directory: logPath, topic: place.topic, partition: place.partition))
    }
}

/// A partition read up to its published end, from outside the committer.
final class PublishedSource: RecordSource {
    private static let readBytes = 256 << 10
    private let reader: PartitionReader

    init(_ reader: PartitionReader) { self.reader = reader }

    deinit { reader.close() }

    func read(from offset: Int64, limit: Int64?) throws -> RecordBlock? {
        guard offset < reader.visibleEnd else { return nil }
        return try reader.read(from: offset, maxBytes: Self.readBytes)
    }

    func committedEnd() throws -> Int64 {
        try reader.refresh()
        return reader.visibleEnd
    }

    func firstOffset() throws -> Int64 { reader.logStartOffset }
}
