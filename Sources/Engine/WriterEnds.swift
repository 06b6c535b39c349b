import Foundation
import RecordLog

/// Where the tasks of a bounded run have ended: what the stages that read their outputs wait for.
///
/// Threading: any thread.
final class WriterEnds: @unchecked Sendable {
    // `@unchecked`: guarded by `lock`.

    /// A task in a partition that it writes, alone or with others.
    private struct Writer: Hashable {
        var place: TopicPartition
        var task: Int
    }

    private let lock = NSLock()
    private let topics: Set<String>
    private var ends: [Writer: Int64] = [:]

    /// `topics` are those that stages of the run write.
    init(topics: Set<String>) { self.topics = topics }

    /// Whether a topic's end is that of its writer in this run.
    func isAwaited(_ topic: String) -> Bool { topics.contains(topic) }

    /// A task has ended, with this end of one of its outputs committed.
    func note(_ place: TopicPartition, task: Int, end: Int64) {
        lock.lock()
        ends[Writer(place: place, task: task)] = end
        lock.unlock()
    }

    /// The end of what a task writes to a partition; nil as long as it has not ended.
    func end(of place: TopicPartition, task: Int) -> Int64? {
        lock.lock()
        defer { lock.unlock() }
        return ends[Writer(place: place, task: task)]
    }
}
