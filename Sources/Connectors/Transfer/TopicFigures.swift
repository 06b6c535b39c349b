import Primitives
import RecordLog

/// How much a topic holds, for readers in any process.
package struct TopicFigures: Hashable, Sendable {
    package var name: String
    package var partitions: Int
    /// Published records: offsets, so that gaps that compaction has left count too.
    package var records: Int64
    /// Bytes of the segments on disk, indexes not counted.
    package var bytes: Int

    /// The topics of a data directory, by name.
    package static func all(dataPath: String) throws -> [TopicFigures] {
        let path = EmbeddedLog.logPath(dataPath)
        let storage = PosixStorage()
        return try LogDirectory.topics(in: path).map { topic in
            var figures = TopicFigures(
                name: topic.name, partitions: topic.partitionCount, records: 0, bytes: 0)
            for partition in 0..<topic.partitionCount {
                let reader = try PartitionReader(
                    directory: path, topic: topic.name, partition: partition)
                defer { reader.close() }
                figures.records += max(0, reader.visibleEnd - reader.logStartOffset)
                let directory = "\(path)/\(TopicPartition(topic.name, partition))"
                for name in try storage.list(directory) where name.hasSuffix(".log") {
                    let file = try storage.open("\(directory)/\(name)", .read)
                    defer { file.close() }
                    figures.bytes += try file.size()
                }
            }
            return figures
        }
    }
}
