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
        var wait = KafkaPatience.Wait(what: "an epoch of \(places.journal) to be committed")
        // All tasks read a global table's partitions; each states its own.
        let offsets = zip(places.sources, positions).filter {
            $0.0.partition == places.journal.partition
        }
        while true {
            var sent: (record: [UInt8], ranges: [Range<Int64>])?
            do {
                return try producer.transaction(
                    outputs, codecs: codecs, journal: places.journal, offsets: offsets,
                    group: try group.metadata()
                ) { ranges in
                    let record = try journal(ranges)
                    sent = (record, ranges)
                    return record
                }
            } catch KafkaProducer.Failure.aborted(let error) {
                try readers.patience.check(&wait, error.text)
                Thread.sleep(forTimeInterval: 0.1)
            } catch KafkaProducer.Failure.indefinite(let error) {
                try readers.patience.check(&wait, error.text)
                // The journal knows: the record is there, or nothing of the transaction is.
                if let sent, try lastRecord() == sent.record { return sent.ranges }
                if error.isFenced { throw TasksLost() }
            }
        }
    }

    private func lastRecord() throws -> [UInt8]? {
        try journal().lastRecord().flatMap { $0.block.value($0.row) }
    }
}
