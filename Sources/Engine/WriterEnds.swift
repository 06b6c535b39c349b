import Foundation
import RecordLog

/// Where the tasks of a bounded run have ended: what the stages that read their outputs wait for.
///
/// Threading: any thread.
final class WriterEnds: @unchecked Sendable {
    // `@unchecked`: guarded by `lock`.
    private let lock = NSLock()
    private let topics: Set<String>
    private var ends: [TopicPartition: Int64] = [:]

    /// `topics` are those that stages of the run write.
    init(topics: Set<String>) { self.topics = topics }

    /// Whether a topic's end is that of its writer in this run.
    func isAwaited(_ topic: String) -> Bool { topics.contains(topic) }

    /// A task has ended, with this end of one of its outputs committed.
    func note(_ place: TopicPartition, end: Int64) {
        lock.lock()
        ends[place] = end
        lock.unlock()
    }

    /// The end of a partition whose writer has ended; nil as long as it has not.
    func end(of place: TopicPartition) -> Int64? {
        lock.lock()
        defer { lock.unlock() }
        return ends[place]
    }
}
