import Foundation
import RecordLog

/// Where a run's topics are: the embedded log of a data directory, or a cluster.
///
/// Threading: any thread.
package protocol Transport: TopicReader, Sendable {
    /// Whether the substreams of a rekeyed topic that one task receives share a partition. If
    /// not, each has its own.
    var sharesSubstreams: Bool { get }

    /// Whether no other process can run topologies on it while this one does.
    var isExclusive: Bool { get }

    // MARK: Topics

    /// Number of partitions of a topic; nil when there is none of the name.
    func partitionCount(of topic: String) throws -> Int?
    /// Makes sure that a topic exists with this many partitions.
    func ensureTopic(_ name: String, partitions: Int) throws
    /// The partitions of a topic of `count` that are gone while others of it are there.
    func lostPartitions(of topic: String, count: Int) throws -> [Int]
    /// What a user does about an input topic that is not there.
    func hint(forMissingTopic topic: String) -> String
    /// Those of the topics that their writer has yet to claim. Throws when one belongs to someone
    /// else or has another number of partitions, and changes nothing. `isKnown`: the owner has run
    /// here before.
    func unclaimed(
        _ topics: [String], owner: String, partitions: Int, isKnown: Bool
    ) throws -> [String]
    /// Notes the only writer of topics, and makes those that are missing. Partitions that were lost
    /// are there again, without records.
    func claim(_ topics: [String], owner: String, partitions: Int) throws
    /// The owner, which has never written a record, will write these topics alone: takes back
    /// what ``claim(_:owner:partitions:)`` has done for others.
    func disown(owner: String, besides topics: Set<String>) throws
    /// Makes the topic of a stage's snapshots, where they are kept in one.
    func ensureState(_ topic: String, partitions: Int) throws

    // MARK: Records

    /// Stores one record that belongs to no epoch, durably; only this process writes the place.
    func append(key: [UInt8], value: [UInt8], to place: TopicPartition) throws
    /// The transport as one task uses it; `worker` numbers the thread that will run the task.
    func task(_ places: TaskPlaces, worker: Int) throws -> any TaskTransport

    // MARK: Ownership

    /// The numbers of the tasks that are this process's, of the `count` of a stage. On a cluster
    /// the processes of `group` share them, by the partitions of `lead`, the first source of which
    /// each task reads its own partition; this waits until they are given out.
    func ownedTasks(group: String, lead: String, count: Int) throws -> [Int]
    /// Whether tasks of this process are to be taken away: they must end.
    var mustRelease: Bool { get }
    /// The tasks of this process have ended.
    func release()

    // MARK: Waiting

    /// A number that grows when there may be more to read, for ``waitForChange(after:until:)``.
    var changes: UInt64 { get }
    /// Waits until there may be more to read than at number `count`, or the deadline.
    func waitForChange(after count: UInt64, until deadline: Date)
    /// Wakes every waiter: something outside the transport has changed.
    func wake()
}

/// The partitions of one task.
package struct TaskPlaces: Sendable {
    /// The stage's name and version: on a cluster its consumer group.
    package var group: String
    /// In the order of the plan.
    package var sources: [TopicPartition]
    /// The sinks', then that of the rejects, each with the codec that the plan asks for.
    package var outputs: [(place: TopicPartition, codec: CompressionCodec)]
    package var journal: TopicPartition
    /// Where snapshots are kept, if in a topic.
    package var state: TopicPartition

    package init(
        group: String, sources: [TopicPartition],
        outputs: [(place: TopicPartition, codec: CompressionCodec)], journal: TopicPartition,
        state: TopicPartition
    ) {
        self.group = group
        self.sources = sources
        self.outputs = outputs
        self.journal = journal
        self.state = state
    }
}

/// One task's outputs and journal, which are written together or not at all.
///
/// Threading: one thread at a time.
package protocol TaskTransport: AnyObject {
    /// Whether batches are stored as they were built, with their offsets and their codec. If not,
    /// the records in them are sent, and where they stand is known when they are delivered.
    var storesBatches: Bool { get }

    /// The task's snapshots.
    var snapshots: any SnapshotChunks { get }

    /// Reads one of the task's sources: committed records only.
    func source(_ place: TopicPartition) throws -> any RecordSource
    /// The journal's records that stand, published or not.
    func journal() throws -> any RecordSource
    /// Takes away what the last journal record does not name: records of the outputs from
    /// `outputEnds` on, in their order. Returns where what is stored ends, which is before
    /// `outputEnds` where records are missing, and the number of records that went.
    func settle(outputEnds: [Int64]) throws -> (stored: [Int64], cutRecords: Int)
    /// Writes missing records of outputs again, at their offsets.
    func restore(_ outputs: [EpochOutput]) throws
    /// The journal and the outputs agree: readers may see all of them.
    func publish() throws
    /// Makes an epoch durable and visible: its outputs, its journal record, its positions.
    ///
    /// `journal` makes the journal record from where the outputs stand, in their order; it is
    /// called again when the outputs had to be written again. On an error nothing of the epoch is
    /// visible, and the same call can be made again. Returns where the outputs stand.
    func commit(
        _ outputs: [EpochOutput], positions: [Int64], journal: ([Range<Int64>]) throws -> [UInt8]
    ) throws -> [Range<Int64>]
}

/// Where one task's snapshots are kept: of each epoch a manifest and the pieces of the state.
///
/// Threading: one thread at a time.
package protocol SnapshotChunks: AnyObject {
    /// Epochs that have a manifest, ascending.
    func epochs() throws -> [Int64]
    /// The manifest of an epoch and its pieces, in their order; nil when one of them is missing.
    func read(epoch: Int64) throws -> (manifest: [UInt8], chunks: [[UInt8]])?
    /// Stores a snapshot durably, and drops all but the newest `keeping`.
    func write(epoch: Int64, manifest: [UInt8], chunks: [[UInt8]], keeping: Int) throws
    /// Bytes in a piece at the most.
    var chunkBytes: Int { get }
}

/// What an epoch writes to one partition.
package struct EpochOutput: Sendable {
    package var append: PartitionAppend
    /// The offsets for which the batches were built.
    package var offsets: Range<Int64>

    package init(append: PartitionAppend, offsets: Range<Int64>) {
        self.append = append
        self.offsets = offsets
    }
}

/// Reads one partition of a source: committed records only, in offset order.
///
/// Threading: one task owns it, one thread at a time.
package protocol RecordSource: AnyObject {
    /// Records from `offset` on; nil when none is committed there yet. May hold records past
    /// `limit`, which the caller leaves alone and up to which it knows that all is committed.
    func read(from offset: Int64, limit: Int64?) throws -> RecordBlock?
    /// The committed end, observed now.
    func committedEnd() throws -> Int64
    /// The offset at which the partition's records begin.
    func firstOffset() throws -> Int64
}

extension RecordSource {
    /// The first committed record: its block and row.
    package func firstRecord() throws -> (block: RecordBlock, row: Int)? {
        var next = try firstOffset()
        while let block = try read(from: next, limit: nil) {
            if let row = block.offsets.firstIndex(where: { $0 >= next }) { return (block, row) }
            next = max(next + 1, block.nextOffset)
        }
        return nil
    }

    /// The last committed record: its block and row. Offsets before the end may be without a
    /// record, so it looks further and further back.
    package func lastRecord() throws -> (block: RecordBlock, row: Int)? {
        let first = try firstOffset()
        let end = try committedEnd()
        var distance: Int64 = 16
        while end > first {
            let start = max(end - distance, first)
            var found: (block: RecordBlock, row: Int)?
            var next = start
            while next < end, let block = try read(from: next, limit: end) {
                if let row = block.offsets.lastIndex(where: { $0 >= start && $0 < end }) {
                    found = (block, row)
                }
                next = max(next + 1, block.nextOffset)
            }
            if found != nil || start == first { return found }
            distance *= 16
        }
        return nil
    }
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
