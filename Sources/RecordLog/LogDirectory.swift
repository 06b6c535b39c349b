import Primitives
import Synchronization

/// A directory of topics in Kafka's layout (a broker's `log.dirs`), held by its one writer.
///
/// Threading: any thread; each `PartitionLog` belongs to one thread at a time.
package final class LogDirectory: Sendable {
    struct Members {
        var lock: (any StorageLock)?
        var logs: [TopicPartition: PartitionLog] = [:]
    }

    package let path: String
    package let storage: any Storage
    let options: LogOptions
    let state: DirectoryState
    /// The last writer closed it; otherwise partitions are recovered as they are opened.
    package let wasClosedCleanly: Bool
    let members: Mutex<Members>

    private init(
        path: String, storage: any Storage, options: LogOptions, state: DirectoryState,
        wasClosedCleanly: Bool, lock: any StorageLock
    ) {
        self.path = path
        self.storage = storage
        self.options = options
        self.state = state
        self.wasClosedCleanly = wasClosedCleanly
        members = Mutex(Members(lock: lock))
    }

    /// Opens a log directory for writing, creating it when missing, and keeps others from it.
    ///
    /// Throws `directoryLocked` while another writer, of this process or another, holds it.
    package static func open(
        _ path: String, storage: any Storage = PosixStorage(), options: LogOptions = LogOptions()
    ) throws(RecordLogError) -> LogDirectory {
        let lock = try storageCall { () throws(StorageError) in
            try storage.createDirectory(path)
            return try storage.lock(path + "/.lock")
        }
        guard let lock else { throw .directoryLocked(path) }
        let marker = path + "/" + cleanMarker
        try storageCall { () throws(StorageError) in try writeFirstFiles(path, storage) }
        let state = try DirectoryState(path: path, storage: storage)
        let wasClean = try storageCall { () throws(StorageError) in
            guard try storage.kind(of: marker) == .file else { return false }
            try storage.remove(marker)
            try storage.syncDirectory(path)
            return true
        }
        return LogDirectory(
            path: path, storage: storage, options: options, state: state,
            wasClosedCleanly: wasClean, lock: lock)
    }

    static let cleanMarker = ".kafka_cleanshutdown"

    /// The writing end of a partition, opened and recovered at the first call.
    ///
    /// With `checkingBatches` every batch of the last segment is checked, as after a crash: O(bytes
    /// of the segment). When published records are damaged it throws `damagedPartition` and changes
    /// nothing; with `cuttingDamage` it cuts the log there by Kafka's rule, for records that can be
    /// made again.
    package func partition(
        _ topic: String, _ partition: Int, checkingBatches: Bool = false,
        cuttingDamage: Bool = false
    ) throws(RecordLogError) -> PartitionLog {
        let place = TopicPartition(topic, partition)
        return try members.withLock { (members) throws(RecordLogError) in
            guard members.lock != nil else { throw .directoryClosed(path) }
            if let log = members.logs[place] { return log }
            let log = try open(
                place,
                PartitionLog.Opening(
                    isClean: wasClosedCleanly && !checkingBatches, cutsPublished: cuttingDamage))
            members.logs[place] = log
            return log
        }
    }

    private func open(
        _ place: TopicPartition, _ opening: PartitionLog.Opening
    ) throws(RecordLogError) -> PartitionLog {
        let kind = try storageCall { () throws(StorageError) in
            try storage.kind(of: "\(path)/\(place)")
        }
        guard TopicPartition.fault(inTopicName: place.topic) == nil, kind == .directory else {
            throw .unknownPartition(
                topic: place.topic, partition: place.partition, directory: path)
        }
        let published = state.published(place)
        let log = try PartitionLog.open(place, in: path, storage, options, state, opening)
        if log.highWatermark < published { try state.publish() }
        return log
    }

    /// Makes each partition's high watermark, as set by `PartitionLog.setHighWatermark(_:)`, the
    /// end that readers in any process see: one file, replaced atomically and durably.
    package func publishHighWatermarks() throws(RecordLogError) {
        try state.publish()
    }

    /// Closes all partitions and marks the directory as closed cleanly, then lets go of it.
    ///
    /// After an unclean start, partitions that nobody opened are recovered first; if one of them
    /// is damaged, the mark is not written and whoever opens that partition gets the error. When
    /// an open partition cannot be closed, the others still are, the mark is not written, and the
    /// first error is thrown.
    package func close() throws(RecordLogError) {
        let (logs, lock) = members.withLock { members in
            defer { members = Members() }
            return (members.logs, members.lock)
        }
        guard let lock else { return }
        defer { lock.release() }
        var first: RecordLogError?
        func attempt(_ body: () throws(RecordLogError) -> Void) {
            do { try body() } catch { first = first ?? error }
        }
        for place in logs.keys.sorted() {
            attempt { () throws(RecordLogError) in try logs[place]?.close() }
        }
        var isWhole = wasClosedCleanly
        if !wasClosedCleanly {
            attempt { () throws(RecordLogError) in
                isWhole = try recoverOthers(besides: Set(logs.keys))
            }
        }
        attempt { () throws(RecordLogError) in try state.publish() }
        if first == nil, isWhole {
            attempt { () throws(RecordLogError) in try writeCleanMarker() }
        }
        if let first { throw first }
    }

    /// Recovers the other partitions; false when one is damaged and was left as it is.
    private func recoverOthers(
        besides open: Set<TopicPartition>
    ) throws(RecordLogError) -> Bool {
        var isWhole = true
        let names = try storageCall { () throws(StorageError) in try storage.list(path) }
        for place in names.compactMap(TopicPartition.init(directoryName:)).sorted()
        where !open.contains(place) {
            do {
                let opening = PartitionLog.Opening(isClean: false, cutsPublished: false)
                try self.open(place, opening).close()
            } catch {
                guard case .damagedPartition = error else { throw error }
                isWhole = false
            }
        }
        return isWhole
    }

    private func writeCleanMarker() throws(RecordLogError) {
        try storageCall { () throws(StorageError) in
            for name in [CheckpointFile.logStart, CheckpointFile.cleaner]
            where try storage.kind(of: path + "/" + name) == nil {
                try storage.writeAtomically(CheckpointFile.encode([:]), to: path + "/" + name)
            }
            try storage.writeAtomically(
                Array(#"{"version":0,"brokerEpoch":-1}"#.utf8), to: path + "/" + Self.cleanMarker)
        }
    }
}
