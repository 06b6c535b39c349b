import Primitives
import Synchronization

/// The checkpoints of a log directory, shared by its partitions.
///
/// Threading: any thread; a lock guards everything, writing the files included.
final class DirectoryState: Sendable {
    private struct Values {
        var published: [TopicPartition: Int64]
        var recoveryPoints: [TopicPartition: Int64]
        var recoveryPointsChanged = false
    }

    private let path: String
    private let storage: any Storage
    private let values: Mutex<Values>

    init(path: String, storage: any Storage) throws(RecordLogError) {
        self.path = path
        self.storage = storage
        values = Mutex(
            Values(
                published: try CheckpointFile.readPublished(path, storage),
                recoveryPoints: try CheckpointFile.read(
                    path + "/" + CheckpointFile.recoveryPoint, storage)))
    }

    func published(_ place: TopicPartition) -> Int64 {
        values.withLock { $0.published[place] ?? 0 }
    }

    func setPublished(_ place: TopicPartition, _ offset: Int64) {
        values.withLock { $0.published[place] = offset }
    }

    func recoveryPoint(_ place: TopicPartition) -> Int64 {
        values.withLock { $0.recoveryPoints[place] ?? 0 }
    }

    func setRecoveryPoint(_ place: TopicPartition, _ offset: Int64) {
        values.withLock {
            $0.recoveryPoints[place] = offset
            $0.recoveryPointsChanged = true
        }
    }

    /// Writes the high watermarks, and the recovery points when they have changed.
    func publish() throws(RecordLogError) {
        try values.withLock { (values) throws(RecordLogError) in
            try storageCall { () throws(StorageError) in
                try storage.writeAtomically(
                    CheckpointFile.encode(values.published),
                    to: path + "/" + CheckpointFile.published)
                guard values.recoveryPointsChanged else { return }
                try storage.writeAtomically(
                    CheckpointFile.encode(values.recoveryPoints),
                    to: path + "/" + CheckpointFile.recoveryPoint)
                values.recoveryPointsChanged = false
            }
        }
    }
}
