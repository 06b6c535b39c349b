import Primitives
import RecordLog

/// What a listing says of one topic.
package struct TopicFigures: Hashable, Sendable {
    /// What a listing says of one partition.
    package struct Partition: Hashable, Sendable {
        package var number: Int
        /// Offset of the first record, and the published end: the offset after the last.
        package var start: Int64
        package var end: Int64
        /// Bytes of the segments on disk, indexes not counted; nil where they are not told.
        package var bytes: Int?
        /// Time stamp of the first record and the greatest one, in milliseconds; nil without
        /// records.
        package var firstTimestamp: Int64?
        package var lastTimestamp: Int64?
        /// Kafka's names for how its batches are compressed, sorted.
        package var codecs: [String]

        /// Published records: offsets, so that gaps that compaction has left count too.
        package var records: Int64 { max(0, end - start) }
    }

    package var name: String
    package var partitions: [Partition]
    /// The topology that writes it, such as `crane-overload.v1`; nil when it is imported into.
    package var writer: String?

    package var records: Int64 { partitions.reduce(0) { $0 + $1.records } }
    package var bytes: Int? {
        partitions.reduce(0) { sum, part in
            part.bytes.flatMap { bytes in sum.map { $0 + bytes } }
        }
    }
    package var firstTimestamp: Int64? { partitions.compactMap(\.firstTimestamp).min() }
    package var lastTimestamp: Int64? { partitions.compactMap(\.lastTimestamp).max() }
    package var codecs: [String] { Set(partitions.flatMap(\.codecs)).sorted() }

    /// The topics of a data directory, by name. Any process may ask, while another one writes.
    /// `progress` is told each partition before it is looked through. O(batches).
    package static func all(
        dataPath: String, progress: (TopicPartition) -> Void = { _ in }
    ) throws -> [TopicFigures] {
        let path = EmbeddedLog.logPath(dataPath)
        return try LogDirectory.topics(in: path).map { topic in
            TopicFigures(
                name: topic.name,
                partitions: try (0..<topic.partitionCount).map { number in
                    progress(TopicPartition(topic.name, number))
                    return try partition(topic.name, number, path)
                }, writer: try writer(of: topic.name, dataPath))
        }
    }

    /// The topics that a reader sees, by name; `writer` knows who writes them. Sizes and codecs are
    /// not told; the last time is that of the last record. O(partitions).
    package static func all(
        _ log: any TopicReader, writer: (String) -> String?,
        progress: (TopicPartition) -> Void = { _ in }
    ) throws -> [TopicFigures] {
        try log.topics().map { topic in
            TopicFigures(
                name: topic.name,
                partitions: try (0..<topic.partitionCount).map { number in
                    let place = TopicPartition(topic.name, number)
                    progress(place)
                    let source = try log.source(place)
                    let first = try source.firstRecord()
                    let last = try source.lastRecord()
                    return Partition(
                        number: number, start: try source.firstOffset(),
                        end: try source.committedEnd(), bytes: nil,
                        firstTimestamp: first.map { $0.block.timestamps[$0.row] },
                        lastTimestamp: last.map { $0.block.timestamps[$0.row] }, codecs: [])
                }, writer: writer(topic.name))
        }
    }

    private static func partition(
        _ topic: String, _ number: Int, _ path: String
    ) throws -> Partition {
        let storage = PosixStorage()
        let reader = try PartitionReader(directory: path, topic: topic, partition: number)
        defer { reader.close() }
        let survey = try reader.survey()
        var bytes = 0
        let directory = "\(path)/\(TopicPartition(topic, number))"
        for name in try storage.list(directory) where name.hasSuffix(".log") {
            let file = try storage.open("\(directory)/\(name)", .read)
            defer { file.close() }
            bytes += try file.size()
        }
        return Partition(
            number: number, start: reader.logStartOffset, end: reader.visibleEnd, bytes: bytes,
            firstTimestamp: survey.firstTimestamp, lastTimestamp: survey.lastTimestamp,
            codecs: survey.codecs.map { CompressionCodec(rawValue: $0)?.name ?? "codec \($0)" }
                .sorted())
    }

    /// As noted when a topology took the topic for its own; the topic of plans by its name.
    private static func writer(of topic: String, _ dataPath: String) throws -> String? {
        let note = try PosixStorage().contents(of: "\(dataPath)/state/owners/\(topic)")
        if let note {
            return String(decoding: note, as: UTF8.self).split(separator: "\n").first
                .map(String.init)
        }
        return topic.hasSuffix(".plans") ? String(topic.dropLast(".plans".count)) : nil
    }
}
