import Dataflow
import Primitives
import RecordLog
import Synchronization

/// Appends what imports bring, in the process that holds the log.
///
/// It judges each batch as a broker judges an idempotent producer's: a batch is taken only where
/// its number follows the producer's last, so that a repeated or a lost one is an error. Threading:
/// any thread.
package final class ImportAppender: Sendable {
    /// The partitions of a topic that an import creates and states none.
    package static let defaultPartitions = 4

    private struct Writer: Hashable {
        var place: TopicPartition
        var producerID: Int64
    }

    private struct State {
        /// Partitions whose unpublished tail is gone.
        var opened: Set<TopicPartition> = []
        /// Records of each producer so far.
        var counts: [Writer: Int64] = [:]
    }

    private let log: EmbeddedLog
    private let state = Mutex(State())

    package init(log: EmbeddedLog) { self.log = log }

    /// As ``ImportTarget/ensureTopic(_:partitions:)``.
    package func ensureTopic(_ name: String, partitions: Int?) throws -> [Int64] {
        try state.withLock { state in
            try checkWritable(name)
            let existing = try log.partitionCount(of: name)
            let count = partitions ?? existing ?? Self.defaultPartitions
            try log.ensureTopic(name, partitions: count)
            try checkPublishedEnds(name, count)
            return try (0..<count).map { partition in
                let place = TopicPartition(name, partition)
                try open(place, &state)
                return try log.visibleEnd(place)
            }
        }
    }

    /// As ``ImportTarget/recordCounts(topic:producerID:from:)``.
    package func recordCounts(
        topic: String, producerID: Int64, from offsets: [Int64]
    ) throws -> [Int64] {
        try state.withLock { state in
            try offsets.enumerated().map { partition, offset in
                let writer = Writer(
                    place: TopicPartition(topic, partition), producerID: producerID)
                try open(writer.place, &state)
                let count = try log.recordCount(
                    ofProducer: producerID, in: writer.place, from: offset)
                state.counts[writer] = count
                return count
            }
        }
    }

    /// As ``ImportTarget/append(topic:_:)``; a batch without a producer is taken as it comes.
    package func append(topic: String, _ batches: [ImportBatch]) throws {
        try state.withLock { state in
            try checkWritable(topic)
            var counts = state.counts
            var appends: [Int: [[UInt8]]] = [:]
            for batch in batches {
                let place = TopicPartition(topic, batch.partition)
                try open(place, &state)
                try check(batch, place, &counts)
                appends[batch.partition, default: []].append(batch.bytes)
            }
            try log.commit(
                appends.sorted { $0.key < $1.key }.map { partition, batches in
                    PartitionAppend(place: TopicPartition(topic, partition), batches: batches)
                }, .any)
            state.counts = counts
        }
    }

    private func check(
        _ batch: ImportBatch, _ place: TopicPartition, _ counts: inout [Writer: Int64]
    ) throws {
        let header = try RecordBatch.validate(batch.bytes)
        guard !header.isTransactional, !header.isControl else {
            throw Diagnostic("\(place): a batch of a transaction cannot be imported")
        }
        guard header.producerID >= 0 else { return }
        let writer = Writer(place: place, producerID: header.producerID)
        let count =
            try counts[writer]
            ?? log.recordCount(ofProducer: header.producerID, in: place, from: 0)
        guard header.baseSequence == RecordBatch.Producer.sequence(count) else {
            throw Diagnostic(
                "\(place): record \(header.baseSequence) of this import is out of turn,"
                    + " \(RecordBatch.Producer.sequence(count)) is next",
                hint: "start the same import again; it goes on where the log ends")
        }
        counts[writer] = count + Int64(header.recordCount)
    }

    /// Throws when records that a finished import has stored lie behind the published ends: the
    /// file of those is an older one, and what it does not count would be cut.
    private func checkPublishedEnds(_ topic: String, _ count: Int) throws {
        let places = (0..<count).map { TopicPartition(topic, $0) }
        guard try places.contains(where: { try log.unpublishedCount($0) > 0 }) else { return }
        for state in try ImportStateFile.all(dataPath: log.path, topic: topic)
        where state.isComplete && state.startOffsets.count == count {
            var stored: Int64 = 0
            for (place, start) in zip(places, state.startOffsets) {
                stored += max(0, try log.visibleEnd(place) - start)
            }
            guard stored < Int64(state.records) else { continue }
            throw Diagnostic(
                "\(topic): \(state.records) records were imported from \(state.file), and the"
                    + " published ends leave room for \(stored); the records are there",
                hint:
                    "\(log.path)/kafka/replication-offset-checkpoint is older than the log: restore"
                    + " both from one copy; if the topic was made anew on purpose, remove"
                    + " \(log.path)/state/imports")
        }
    }

    /// What was stored and never published was never accepted.
    private func open(_ place: TopicPartition, _ state: inout State) throws {
        guard !state.opened.contains(place) else { return }
        try log.dropUnpublished(place)
        state.opened.insert(place)
    }

    /// Throws when a topic has a name that topologies give to theirs.
    static func refuseOwnName(_ topic: String) throws {
        if let suffix = OwnTopics.suffix(of: topic) {
            throw Diagnostic(
                "topic \(topic) cannot be imported into: names that end in \(suffix) are the"
                    + " engine's own", hint: "choose another topic")
        }
    }

    /// One task is the only writer of a partition: what a topology writes nobody else does.
    private func checkWritable(_ topic: String) throws {
        try Self.refuseOwnName(topic)
        // The name becomes a path below.
        if let reason = TopicPartition.fault(inTopicName: topic) {
            throw RecordLogError.invalidTopicName(topic, reason: reason)
        }
        let path = "\(log.path)/state/owners/\(topic)"
        guard let bytes = try PosixStorage().contents(of: path) else { return }
        let owner =
            String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n").first.map(String.init) ?? "a topology"
        throw Diagnostic(
            "topic \(topic) is written by \(owner); a topic has one writer",
            hint: "import into a topic that no topology writes")
    }
}
