import RecordLog

/// Reads one partition of a source: committed records only, in offset order.
///
/// Threading: one task owns it, one thread at a time.
package protocol RecordSource: AnyObject {
    /// Records from `offset` on; nil when none is committed there yet. May hold records past
    /// `limit`, which the caller leaves alone.
    func read(from offset: Int64, limit: Int64?) throws -> RecordBlock?
    /// The committed end, observed now.
    func committedEnd() throws -> Int64
}

/// Record batches for the end of one partition, each built for the offset at which it will stand.
package struct PartitionAppend: Sendable {
    package var place: TopicPartition
    package var batches: [[UInt8]]

    package init(place: TopicPartition, batches: [[UInt8]]) {
        self.place = place
        self.batches = batches
    }
}
