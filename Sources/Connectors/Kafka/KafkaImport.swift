import Foundation
import Primitives
import RecordLog

/// An import into a topic of a cluster: each chunk is a transaction that also says how far it came.
///
/// What is known of imports is kept in the compacted topic `plumbline.imports`, under the topic's
/// name and the content's hash. Threading: one thread.
package final class KafkaImport: ImportTarget, ImportStates {
    /// Where imports are noted.
    package static let topic = "plumbline.imports"
    private static let place = TopicPartition(topic, 0)

    private let cluster: KafkaTransport
    private let codec: CompressionCodec
    private var producer: KafkaProducer?
    /// The state's key.
    private var key: [UInt8] = []
    private var state: ImportState?

    /// `codec` is that of the batches in which the records are sent.
    package init(_ cluster: KafkaTransport, codec: CompressionCodec) {
        self.cluster = cluster
        self.codec = codec
    }

    var log: any TopicReader { cluster }

    /// Takes the import for this process: another one that is at it can commit nothing more.
    func begin(topic: String, hash: String) throws -> any ImportStates {
        try ImportAppender.refuseOwnName(topic)
        try cluster.ensureTopic(Self.topic, partitions: 1, .latest)
        key = Array("\(topic)/\(hash)".utf8)
        let producer = cluster.producer("plumbline-import-\(topic)-\(hash)")
        try producer.prepare()
        self.producer = producer
        return self
    }

    // MARK: State

    func read() throws -> ImportState? {
        let source = try cluster.source(Self.place)
        var found: [UInt8]?
        var offset = try source.firstOffset()
        while let block = try source.read(from: offset, limit: nil) {
            for row in 0..<block.count where block.offsets[row] >= offset {
                if block.key(row) == key { found = block.value(row) }
            }
            offset = block.nextOffset
        }
        guard let found else { return nil }
        guard let state = try? JSONDecoder().decode(ImportState.self, from: Data(found)) else {
            throw Diagnostic(
                "\(Self.topic): what is noted of this import cannot be read",
                hint: "something else wrote to this topic")
        }
        self.state = state
        return state
    }

    func write(_ state: ImportState) throws {
        var state = state
        state.stored = state.stored ?? self.state?.stored
        try commit([], state)
    }

    /// The transactional id stays; who uses it next takes over.
    func release() {}

    // MARK: Records

    /// As the protocol says; the offsets are those of the cluster.
    package func ensureTopic(_ name: String, partitions: Int?) throws -> [Int64] {
        let count =
            try partitions ?? cluster.partitionCount(of: name) ?? ImportAppender.defaultPartitions
        try cluster.ensureTopic(name, partitions: count, .log)
        return try (0..<count).map { try cluster.source(TopicPartition(name, $0)).committedEnd() }
    }

    /// As noted with the records themselves.
    package func recordCounts(
        topic: String, producerID: Int64, from offsets: [Int64]
    ) throws -> [Int64] {
        guard let stored = state?.stored, stored.count == offsets.count else {
            return offsets.map { _ in 0 }
        }
        return stored
    }

    /// One transaction, with the number of records that are stored after it.
    package func append(topic: String, _ batches: [ImportBatch]) throws {
        guard var state else { throw Diagnostic("the import into \(topic) was not begun") }
        var stored = state.stored ?? state.startOffsets.map { _ in 0 }
        var appends: [Int: [[UInt8]]] = [:]
        for batch in batches {
            stored[batch.partition] += Int64(try RecordBatch.validate(batch.bytes).recordCount)
            appends[batch.partition, default: []].append(batch.bytes)
        }
        state.stored = stored
        try commit(
            appends.sorted { $0.key < $1.key }.map { partition, batches in
                PartitionAppend(place: TopicPartition(topic, partition), batches: batches)
            }, state)
    }

    private func commit(_ appends: [PartitionAppend], _ state: ImportState) throws {
        guard let producer else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let value = Array(try encoder.encode(state))
        let last = try EmbeddedLog.single(key: key, value: value, at: 0, Self.place)
        let content = KafkaProducer.Content(
            outputs: appends.map { EpochOutput(append: $0, offsets: 0..<0) },
            codecs: Dictionary(uniqueKeysWithValues: appends.map { ($0.place, codec) })
        ) { _ in last }
        do {
            _ = try producer.commit(content, what: "records to be stored") { _ in
                // Fencing ends what was open, so what stands now is what holds.
                try producer.prepare()
                return try self.read() == state
            }
        } catch is TasksLost {
            throw Diagnostic(
                "another process imports this file into \(state.topic) right now",
                hint: "wait until it has ended; it has taken the import over")
        }
        self.state = state
    }

    package func close() {}
}
