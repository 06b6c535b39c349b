import CRdkafka
import Foundation
import Primitives
import RecordLog

/// One task on a cluster: its epochs are transactions. Threading: one thread at a time.
final class KafkaTask: TaskTransport {
    private let places: TaskPlaces
    private let readers: KafkaReaders
    private let producer: KafkaProducer
    private let group: KafkaGroup
    /// Sees what is not committed, too.
    private let control: KafkaControl
    private let codecs: [TopicPartition: CompressionCodec]
    let snapshots: any SnapshotChunks

    init(
        _ places: TaskPlaces, readers: KafkaReaders, producer: KafkaProducer, group: KafkaGroup,
        control: KafkaControl
    ) {
        self.places = places
        self.readers = readers
        self.producer = producer
        self.group = group
        self.control = control
        codecs = Dictionary(
            places.outputs.map { ($0.place, $0.codec) }, uniquingKeysWith: { first, _ in first })
        snapshots = KafkaSnapshots(
            "\(places.group)/\(places.journal.partition)", in: places.state, readers: readers,
            producer: producer)
    }

    /// librdkafka takes records and makes batches of its own.
    var storesBatches: Bool { false }

    func source(_ place: TopicPartition) throws -> any RecordSource {
        KafkaSource(place, readers)
    }

    /// What a former owner has left open ends first: by commit, abort or its timeout.
    func journal() throws -> any RecordSource {
        let written = try control.end(of: places.journal, patience: readers.patience)
        let source = KafkaSource(places.journal, readers)
        var wait = KafkaPatience.Wait(
            what: "the end of a transaction that is open on \(places.journal)")
        while true {
            // A new one, since an end once observed counts for a while.
            let committed = try KafkaSource(places.journal, readers).committedEnd()
            if committed >= written { return source }
            Thread.sleep(forTimeInterval: 0.1)
            try readers.patience.check(&wait, nil)
        }
    }

    /// Transactions are atomic, so there is nothing to cut.
    func settle(outputEnds: [Int64]) throws -> (stored: [Int64], cutRecords: Int) {
        for (output, end) in zip(places.outputs, outputEnds) where end > 0 {
            let stored = try KafkaSource(output.place, readers).committedEnd()
            guard stored >= end else {
                throw Diagnostic(
                    "\(output.place) ends at offset \(stored), and the journal names records up to"
                        + " \(end)",
                    hint: "the cluster lost records or the topic was made anew; to begin anew"
                        + " raise the topology's version")
            }
        }
        return (outputEnds, 0)
    }

    /// Nothing is ever missing here.
    func restore(_ outputs: [EpochOutput]) throws {
        throw Diagnostic(
            "records of \(outputs.first.map { "\($0.append.place)" } ?? "an output") are missing")
    }

    func publish() throws {}

    func commit(
        _ outputs: [EpochOutput], positions: [Int64], journal: ([Range<Int64>]) throws -> [UInt8]
    ) throws -> [Range<Int64>] {
        // All tasks read a global table's partitions; each states its own. Of substreams that
        // share a partition the one that is read least decides.
        var offsets: [TopicPartition: Int64] = [:]
        for (place, position) in zip(places.sources, positions)
        where place.partition == places.journal.partition {
            offsets[place] = min(offsets[place] ?? .max, position)
        }
        let sorted = offsets.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        return try withoutActuallyEscaping(journal) { journal in
            let content = KafkaProducer.Content(outputs: outputs, codecs: codecs) { ranges in
                try EmbeddedLog.single(
                    key: nil, value: try journal(ranges), at: 0, self.places.journal)
            }
            return try producer.commit(
                content, what: "an epoch of \(places.journal) to be committed",
                fence: { KafkaProducer.Fence(offsets: sorted, group: try self.group.metadata()) },
                stands: { last in try self.lastRecord() == Self.value(of: last) })
        }
    }

    /// The journal knows: the record is there, or nothing of its transaction is.
    private func lastRecord() throws -> [UInt8]? {
        try journal().lastRecord().flatMap { $0.block.value($0.row) }
    }

    private static func value(of last: PartitionAppend) throws -> [UInt8]? {
        try last.batches.last.flatMap { try RecordBatchDecoder().decodeAll($0).value(0) }
    }
}
