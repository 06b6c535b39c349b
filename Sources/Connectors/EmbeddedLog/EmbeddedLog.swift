import Dispatch
import Foundation
import RecordLog

/// The log of a data directory, held by its one committer.
///
/// `<data>/kafka/` is the log directory. What is appended becomes visible to readers, in this
/// process and others, only when a whole ``commit(_:)`` is durable. Threading: any thread.
package final class EmbeddedLog: @unchecked Sendable {
    // `@unchecked`: `directory` is thread-safe, everything else is guarded by `lock`.

    /// The data directory.
    package let path: String
    private let directory: LogDirectory
    private let lock = NSLock()
    private let signal = ChangeSignal()
    /// Ends to which partitions are still to be cut, after a failed commit.
    private var pendingCuts: [TopicPartition: Int64] = [:]

    private init(path: String, directory: LogDirectory) {
        self.path = path
        self.directory = directory
    }

    /// The log directory of a data directory.
    package static func logPath(_ dataPath: String) -> String { dataPath + "/kafka" }

    /// Opens a data directory for committing, creating it when missing.
    ///
    /// Throws `RecordLogError.directoryLocked` while another process commits to it.
    package static func open(
        _ path: String, options: LogOptions = LogOptions()
    ) throws -> EmbeddedLog {
        EmbeddedLog(
            path: path,
            directory: try LogDirectory.open(logPath(path), options: options))
    }

    /// Makes sure that a topic exists with this many partitions.
    package func ensureTopic(_ name: String, partitions: Int) throws {
        lock.lock()
        defer { lock.unlock() }
        try directory.createTopic(name, partitions: partitions)
    }

    /// Removes a topic of which no record was ever published; false when there was one.
    func removeTopicWithoutRecords(_ name: String) throws -> Bool {
        lock.lock()
        defer { lock.unlock() }
        return try directory.removeTopicWithoutRecords(name)
    }

    /// See ``Transport``: their directories are gone.
    package func lostPartitions(of topic: String, count: Int) throws -> [Int] {
        try directory.lostPartitions(of: topic, count: count)
    }

    /// Makes lost partitions again, without records.
    func restorePartitions(of topic: String, _ partitions: [Int]) throws {
        lock.lock()
        defer { lock.unlock() }
        try directory.restorePartitions(of: topic, partitions)
    }

    /// Number of partitions of a topic; nil when there is none of the name.
    package func partitionCount(of topic: String) throws -> Int? {
        try directory.partitionCount(of: topic)
    }

    /// The topics, by name.
    package func topics() throws -> [TopicDescription] { try directory.topics() }

    /// The published end of a partition: what readers see.
    package func visibleEnd(_ place: TopicPartition) throws -> Int64 {
        lock.lock()
        defer { lock.unlock() }
        return try directory.partition(place.topic, place.partition).highWatermark
    }

    /// The end of what is stored, published or not. The checksums of the last segment are checked
    /// when the partition is opened by this. Damage in the published part is an error, unless
    /// `isDerived`: what can be made again is cut at the damage.
    package func storedEnd(_ place: TopicPartition, isDerived: Bool) throws -> Int64 {
        lock.lock()
        defer { lock.unlock() }
        return try directory.partition(
            place.topic, place.partition, checkingBatches: true, cuttingDamage: isDerived
        ).logEndOffset
    }

    /// Records of a partition that are stored and not published.
    func unpublishedCount(_ place: TopicPartition) throws -> Int64 {
        lock.lock()
        defer { lock.unlock() }
        let log = try directory.partition(place.topic, place.partition)
        return max(0, log.logEndOffset - log.highWatermark)
    }

    /// Cuts a partition at an offset.
    package func truncate(_ place: TopicPartition, to offset: Int64) throws {
        lock.lock()
        defer { lock.unlock() }
        let log = try directory.partition(place.topic, place.partition)
        if log.logEndOffset > offset { try log.truncate(to: offset) }
    }

    /// Cuts what was stored but never published of a partition: it was never accepted.
    package func dropUnpublished(_ place: TopicPartition) throws {
        lock.lock()
        defer { lock.unlock() }
        let log = try directory.partition(place.topic, place.partition)
        if log.logEndOffset > log.highWatermark { try log.truncate(to: log.highWatermark) }
    }

    /// How many stored records of a partition from `offset` on a producer wrote; see
    /// `PartitionLog.recordCount(ofProducer:from:)`.
    package func recordCount(
        ofProducer producerID: Int64, in place: TopicPartition, from offset: Int64
    ) throws -> Int64 {
        lock.lock()
        defer { lock.unlock() }
        return try directory.partition(place.topic, place.partition)
            .recordCount(ofProducer: producerID, from: offset)
    }

    /// For which offsets batches are built.
    package enum Offsets {
        /// The next ones.
        case next
        /// Any: they get the next ones.
        case any
        /// The next or later ones, which leaves a gap.
        case nextOrLater
    }

    /// Appends to several partitions, syncs them in parallel and then publishes them together.
    ///
    /// On an error (a full disk, for example) nothing of it becomes visible and each partition is
    /// cut back to its former end, so the same call can be made again. O(bytes) and one sync.
    package func commit(_ appends: [PartitionAppend], _ offsets: Offsets = .next) throws {
        lock.lock()
        defer { lock.unlock() }
        var touched: [(log: PartitionLog, end: Int64, published: Int64)] = []
        do {
            for append in appends where !append.batches.isEmpty {
                let log = try directory.partition(append.place.topic, append.place.partition)
                try finishCut(of: log)
                touched.append((log, log.logEndOffset, log.highWatermark))
                for var batch in append.batches {
                    if offsets == .any { RecordBatch.rebase(&batch, to: log.logEndOffset) }
                    try log.append(batch, leavingGap: offsets == .nextOrLater)
                }
            }
            try sync(touched.map(\.log))
            for (log, _, _) in touched { try log.setHighWatermark(log.logEndOffset) }
            try directory.publishHighWatermarks()
        } catch {
            // The ends go back first: cutting what counts as published would have to publish that,
            // which a full disk refuses again.
            for (log, _, published) in touched { try log.setHighWatermark(published) }
            for (log, end, _) in touched { cutBack(log, to: end) }
            throw error
        }
        signal.change()
    }

    /// Takes back what a failed commit has appended. A full disk may refuse even that; then the
    /// partition is cut before anything else is appended to it.
    private func cutBack(_ log: PartitionLog, to end: Int64) {
        do {
            try log.truncate(to: end)
        } catch {
            pendingCuts[log.place] = end
        }
    }

    private func finishCut(of log: PartitionLog) throws {
        guard let end = pendingCuts[log.place] else { return }
        try log.truncate(to: end)
        pendingCuts[log.place] = nil
    }

    private func sync(_ logs: [PartitionLog]) throws {
        guard logs.count > 1 else {
            for log in logs { try log.sync() }
            return
        }
        let errors = ErrorBox()
        DispatchQueue.concurrentPerform(iterations: logs.count) { index in
            do { try logs[index].sync() } catch { errors.set(error) }
        }
        if let error = errors.first { throw error }
    }

    /// Publishes the stored ends of partitions that recovery found whole.
    package func publish(_ places: [TopicPartition]) throws {
        lock.lock()
        defer { lock.unlock() }
        for place in places {
            let log = try directory.partition(place.topic, place.partition)
            try log.sync()
            try log.setHighWatermark(log.logEndOffset)
        }
        try directory.publishHighWatermarks()
        signal.change()
    }

    /// See ``Transport``: grows with every commit.
    package var changes: UInt64 { signal.changes }

    /// See ``Transport``: waits for a commit.
    package func waitForChange(after count: UInt64, until deadline: Date) {
        signal.wait(after: count, until: deadline)
    }

    /// See ``Transport``.
    package func wake() { signal.change() }

    /// Reads a partition up to its published end, following commits of this process.
    package func source(_ place: TopicPartition) throws -> any RecordSource {
        lock.lock()
        defer { lock.unlock() }
        let log = try directory.partition(place.topic, place.partition)
        return EmbeddedSource(log: log, reader: try log.reader(limit: log.highWatermark))
    }

    /// All stored records of a partition, published or not: for recovery.
    package func storedRecords(_ place: TopicPartition) throws -> PartitionReader {
        lock.lock()
        defer { lock.unlock() }
        let log = try directory.partition(place.topic, place.partition)
        return try log.reader(limit: log.logEndOffset)
    }

    /// Closes all partitions and lets go of the directory.
    package func close() throws {
        signal.change()
        try directory.close()
    }
}

/// The first of several errors from parallel work.
private final class ErrorBox: @unchecked Sendable {
    private let lock = NSLock()
    private var error: (any Error)?

    func set(_ error: any Error) {
        lock.lock()
        if self.error == nil { self.error = error }
        lock.unlock()
    }

    var first: (any Error)? {
        lock.lock()
        defer { lock.unlock() }
        return error
    }
}

/// A partition of the embedded log as a task reads it.
final class EmbeddedSource: RecordSource {
    /// Bytes of log asked for at a time.
    private static let readBytes = 80 << 10

    private let log: PartitionLog
    private let reader: PartitionReader

    init(log: PartitionLog, reader: PartitionReader) {
        self.log = log
        self.reader = reader
    }

    func read(from offset: Int64, limit: Int64?) throws -> RecordBlock? {
        reader.setLimit(min(log.highWatermark, limit ?? .max))
        guard offset < reader.visibleEnd else { return nil }
        return try reader.read(from: offset, maxBytes: Self.readBytes)
    }

    func committedEnd() throws -> Int64 { log.highWatermark }

    func firstOffset() throws -> Int64 { log.logStartOffset }
}
