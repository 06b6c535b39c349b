import Foundation
import Primitives
import RecordLog

extension EmbeddedLog: Transport {
    /// The data directory.
    package var name: String { path }

    /// Each has a partition, whose only writer is a task.
    package var sharesSubstreams: Bool { false }

    /// One process holds the log.
    package var isExclusive: Bool { true }

    /// Names the command that makes a topic.
    package func hint(forMissingTopic topic: String) -> String {
        "import into it first: plumbline import --data \(path) --topic \(topic) …"
    }

    // MARK: Owners

    /// The folder with a note for each topic that a topology writes: the owner's name.
    private var ownersFolder: URL {
        URL(fileURLWithPath: path).appendingPathComponent("state/owners")
    }

    /// See the protocol. The journal is made last, so where it stands (`isKnown`) the other topics
    /// are the owner's: then the notes were lost with the state directory, which holds nothing
    /// that cannot be made again.
    package func unclaimed(
        _ topics: [String], owner: String, partitions: Int, isKnown: Bool
    ) throws -> [String] {
        var unclaimed: [String] = []
        for topic in topics {
            let note = ownersFolder.appendingPathComponent(topic)
            if let data = try? Data(contentsOf: note) {
                let noted = String(decoding: data, as: UTF8.self)
                guard noted == owner else {
                    throw Diagnostic(
                        "topic \(topic) is written by topology \(noted), not by \(owner)",
                        hint: "a topic has one writer; name another sink topic")
                }
                if try partitionCount(of: topic) != nil,
                    try lostPartitions(of: topic, count: partitions).isEmpty
                {
                    continue
                }
            } else if !isKnown, try partitionCount(of: topic) != nil {
                throw Diagnostic(
                    "topic \(topic) exists already and topology \(owner) did not make it",
                    hint: "a topic has one writer; name another sink topic")
            }
            unclaimed.append(topic)
        }
        return unclaimed
    }

    /// See the protocol: writes the notes.
    package func claim(_ topics: [String], owner: String, partitions: Int) throws {
        try fileCall(.createDirectory, ownersFolder.path) {
            try FileManager.default.createDirectory(
                at: ownersFolder, withIntermediateDirectories: true)
        }
        for topic in topics {
            let note = ownersFolder.appendingPathComponent(topic)
            try fileCall(.write, note.path) {
                try Data(owner.utf8).write(to: note, options: .atomic)
            }
            let lost = try lostPartitions(of: topic, count: partitions)
            if lost.isEmpty {
                try ensureTopic(topic, partitions: partitions)
            } else {
                try restorePartitions(of: topic, lost)
            }
        }
    }

    /// See the protocol: removes notes, and topics that never had a record.
    package func disown(owner: String, besides topics: Set<String>) throws {
        let notes = (try? FileManager.default.contentsOfDirectory(atPath: ownersFolder.path)) ?? []
        for topic in notes.sorted() where !topics.contains(topic) {
            let note = ownersFolder.appendingPathComponent(topic)
            guard let data = try? Data(contentsOf: note), data == Data(owner.utf8) else { continue }
            guard try removeTopicWithoutRecords(topic) else { continue }
            try fileCall(.remove, note.path) { try FileManager.default.removeItem(at: note) }
        }
    }

    /// Snapshots are files here.
    package func ensureState(_ topic: String, partitions: Int) throws {}

    // MARK: Ownership

    /// One process holds the log, so all are its.
    package func ownedTasks(group: String, lead: String, count: Int) throws -> [Int] {
        Array(0..<count)
    }

    /// Never: nobody else could have them.
    package var mustRelease: Bool { false }

    /// See the protocol: there is nobody to tell.
    package func release() {}

    // MARK: Records

    /// See the protocol. What was stored and never published of the place goes first.
    package func append(key: [UInt8], value: [UInt8], to place: TopicPartition) throws {
        try dropUnpublished(place)
        try commit([Self.single(key: key, value: value, at: try visibleEnd(place), place)])
    }

    /// A batch of one record, of now.
    static func single(
        key: [UInt8]?, value: [UInt8], at offset: Int64, _ place: TopicPartition
    ) throws -> PartitionAppend {
        let builder = RecordBatchBuilder()
        builder.append(
            timestampMilliseconds: Int64(Date().timeIntervalSince1970 * 1000), key: key,
            value: value)
        return PartitionAppend(
            place: place, batches: [try builder.finish(baseOffset: offset, codec: .none)])
    }

    /// See the protocol; every worker uses the one committer.
    package func task(_ places: TaskPlaces, worker: Int) throws -> any TaskTransport {
        EmbeddedTask(self, places)
    }
}

/// One task on the embedded log: appends that are synced and then published together.
///
/// Threading: one thread at a time.
final class EmbeddedTask: TaskTransport {
    private let log: EmbeddedLog
    private let places: TaskPlaces
    let snapshots: any SnapshotChunks

    init(_ log: EmbeddedLog, _ places: TaskPlaces) {
        self.log = log
        self.places = places
        snapshots = SnapshotDirectory(
            "\(log.path)/state/snapshots/\(places.group)/\(places.journal.partition)")
    }

    var storesBatches: Bool { true }

    func source(_ place: TopicPartition) throws -> any RecordSource { try log.source(place) }

    func journal() throws -> any RecordSource {
        // What is whole counts, published or not: its outputs were synced no later.
        let end = try log.storedEnd(places.journal, isDerived: false)
        return StoredSource(try log.storedRecords(places.journal), end: end)
    }

    func settle(outputEnds: [Int64]) throws -> (stored: [Int64], cutRecords: Int) {
        var stored: [Int64] = []
        for output in places.outputs {
            stored.append(try log.storedEnd(output.place, isDerived: true))
        }
        var cutRecords: Int64 = 0
        for (index, end) in outputEnds.enumerated() where stored[index] > end {
            try cut(places.outputs[index].place, to: end)
            cutRecords += stored[index] - end
            stored[index] = end
        }
        return (stored, Int(cutRecords))
    }

    /// Cuts what no journal record names. What readers have seen is never cut: journal and outputs
    /// are published together, so another hand wrote it.
    private func cut(_ place: TopicPartition, to offset: Int64) throws {
        guard try log.visibleEnd(place) <= offset else {
            throw Diagnostic(
                "\(place) holds published records from offset \(offset) on that no record of"
                    + " \(places.journal) names",
                hint: "something else wrote to this topic: export those records, and restore the"
                    + " data directory from a copy or name another sink topic")
        }
        try log.truncate(place, to: offset)
    }

    func restore(_ outputs: [EpochOutput]) throws { try log.commit(outputs.map(\.append)) }

    func publish() throws { try log.publish(places.outputs.map(\.place) + [places.journal]) }

    func commit(
        _ outputs: [EpochOutput], positions: [Int64], journal: ([Range<Int64>]) throws -> [UInt8]
    ) throws -> [Range<Int64>] {
        let ranges = outputs.map(\.offsets)
        let end = try log.storedEnd(places.journal, isDerived: false)
        let record = try EmbeddedLog.single(
            key: nil, value: try journal(ranges), at: end, places.journal)
        try log.commit(outputs.map(\.append) + [record])
        return ranges
    }
}

/// The stored records of a partition, published or not.
final class StoredSource: RecordSource {
    private let reader: PartitionReader
    private let end: Int64

    init(_ reader: PartitionReader, end: Int64) {
        self.reader = reader
        self.end = end
    }

    deinit { reader.close() }

    func read(from offset: Int64, limit: Int64?) throws -> RecordBlock? {
        try reader.read(from: offset, maxBytes: 1 << 16)
    }

    func committedEnd() throws -> Int64 { end }

    func firstOffset() throws -> Int64 { reader.logStartOffset }
}
