import Primitives
import RecordLog

/// A record batch on its way into a partition, built for any offset.
package struct ImportBatch: Sendable {
    package var partition: Int
    package var bytes: [UInt8]

    package init(partition: Int, bytes: [UInt8]) {
        self.partition = partition
        self.bytes = bytes
    }
}

/// Where an import puts its batches: the log itself, or the process that holds it. One thread at a
/// time.
package protocol ImportTarget: AnyObject {
    /// Makes sure that a topic exists with this many partitions; nil takes what there is, or
    /// ``ImportAppender/defaultPartitions``. Returns the published end of each partition.
    func ensureTopic(_ name: String, partitions: Int?) throws -> [Int64]
    /// How many published records of each partition a producer wrote, from these offsets on.
    func recordCounts(
        topic: String, producerID: Int64, from offsets: [Int64]
    ) throws -> [Int64]
    /// Appends; on return the records are durable and visible.
    func append(topic: String, _ batches: [ImportBatch]) throws
    func close() throws
}

/// An import that holds the log itself.
package final class DirectImportTarget: ImportTarget {
    private let log: EmbeddedLog
    private let appender: ImportAppender

    init(log: EmbeddedLog) {
        self.log = log
        appender = ImportAppender(log: log)
    }

    package func ensureTopic(_ name: String, partitions: Int?) throws -> [Int64] {
        try appender.ensureTopic(name, partitions: partitions)
    }

    package func recordCounts(
        topic: String, producerID: Int64, from offsets: [Int64]
    ) throws -> [Int64] {
        try appender.recordCounts(topic: topic, producerID: producerID, from: offsets)
    }

    package func append(topic: String, _ batches: [ImportBatch]) throws {
        try appender.append(topic: topic, batches)
    }

    package func close() throws { try log.close() }
}
