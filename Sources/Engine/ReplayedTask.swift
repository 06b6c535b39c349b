import Connectors
import Dataflow
import RecordLog

/// A record's place, for messages.
struct TopicPartitionOffset: CustomStringConvertible {
    let place: TopicPartition
    let offset: Int64

    init(_ place: TopicPartition, _ offset: Int64) {
        self.place = place
        self.offset = offset
    }

    var description: String { "\(place), offset \(offset)" }
}

/// Reads a journal from its beginning, record by record. Threading: one thread at a time.
struct JournalCursor {
    private let source: any RecordSource
    private let place: TopicPartition
    private var block: RecordBlock?
    private var row = 0
    private var offset: Int64?

    init(_ source: any RecordSource, _ place: TopicPartition) {
        self.source = source
        self.place = place
    }

    /// The next epoch and where its record stands; nil at the end.
    mutating func next() throws -> (offset: Int64, record: EpochRecord)? {
        while block == nil || row >= (block?.count ?? 0) {
            let from = try block?.nextOffset ?? source.firstOffset()
            guard let read = try source.read(from: from, limit: nil) else { return nil }
            block = read
            row = read.offsets.firstIndex { $0 >= from } ?? read.count
        }
        guard let block else { return nil }
        defer { row += 1 }
        let name = "\(TopicPartitionOffset(place, block.offsets[row]))"
        guard let value = block.value(row) else {
            throw EngineError("\(name) has no value, so it is not a journal record")
        }
        return (block.offsets[row], try EpochRecord(decoding: value, place: name))
    }
}

/// A task that is executed again, epoch by epoch, and compared with its journal and its outputs.
struct ReplayedTask {
    private let core: TaskCore
    private let outputs: [StoredRecords]
    private let identity: TaskIdentity
    /// Epochs executed.
    private var count: Int64 = 0
    /// Where each output ends by the journal.
    private var ends: [Int64]

    init(core: TaskCore, outputs: [StoredRecords], identity: TaskIdentity) {
        self.core = core
        self.outputs = outputs
        self.identity = identity
        ends = outputs.map { _ in 0 }
    }

    /// Executes an epoch; throws `DifferenceFound` where something is not as it was.
    mutating func execute(_ record: EpochRecord, at place: TopicPartitionOffset) throws {
        guard record.semantics == Semantics.version else {
            throw EngineError(
                "\(place) has semantics version \(record.semantics); this build has"
                    + " \(Semantics.version)")
        }
        let starts = core.positions
        for (index, output) in core.outputs.enumerated() {
            let range = record.outputs.first {
                $0.topic == output.place.topic && $0.partition == output.place.partition
            }
            // On the embedded log an epoch's records follow the ones before it at once; on a
            // cluster the end of a transaction takes an offset.
            output.restart(at: range?.from ?? ends[index], storedEnd: .max)
            if let range {
                try outputs[index].begin(range)
                ends[index] = range.to
            }
        }
        for step in record.steps { try core.execute(step) }
        try compareRanges(record)
        try compareState(record, starts: starts, place)
        count += 1
    }

    /// The journal must name just the records that were composed.
    private func compareRanges(_ record: EpochRecord) throws {
        var ranges: [OutputRange] = []
        for output in core.outputs {
            if let (range, _) = try output.finishEpoch() { ranges.append(range) }
        }
        guard !ranges.elementsEqual(record.outputs, by: { $0.hasSameRecords(as: $1) }) else {
            return
        }
        let wrong =
            record.outputs.first { named in !ranges.contains { $0.hasSameRecords(as: named) } }
            ?? ranges.first
        throw DifferenceFound(
            difference: ReplayDifference(
                place: TopicPartition(wrong?.topic ?? "", wrong?.partition ?? identity.partition),
                offset: wrong?.from ?? 0,
                reason: "the journal's epoch \(record.epoch) names other records than"
                    + " re-execution gives"))
    }

    /// What the journal says beside the records must be what re-execution comes to.
    private func compareState(
        _ record: EpochRecord, starts: [Int64], _ place: TopicPartitionOffset
    ) throws {
        let watermark = core.pipeline.watermark.flatMap { $0 == .min ? nil : $0 }
        let wrong: String? =
            if record.epoch != count {
                "it says it is epoch \(record.epoch)"
            } else if record.plan != identity.planHash {
                "it names the plan \(record.plan), the epochs before it \(identity.planHash)"
            } else if record.starts != starts {
                "it starts at \(record.starts), the inputs before it end at \(starts)"
            } else if record.positions != core.positions {
                "the positions are \(record.positions), re-execution gives \(core.positions)"
            } else if record.outputEnds != ends {
                "the ends of the outputs are \(record.outputEnds), re-execution gives \(ends)"
            } else if record.watermark != watermark {
                "the watermark differs from that of re-execution"
            } else {
                nil
            }
        guard let wrong else { return }
        throw DifferenceFound(
            difference: ReplayDifference(
                place: place.place, offset: place.offset, reason: wrong))
    }
}

struct DifferenceFound: Error {
    let difference: ReplayDifference
}

/// The stored records of one output partition, compared one by one with composed ones.
final class StoredRecords {
    private let source: any RecordSource
    private let place: TopicPartition
    /// What is stored from here on is not looked at, unless the journal names it.
    private let end: Int64
    private var block: RecordBlock?
    private var row = 0
    /// The next record stands here or later.
    private var offset: Int64 = 0
    /// The end of the records that the journal's epoch names.
    private var epochEnd: Int64 = 0
    /// Nothing but the epoch's own records took offsets between them.
    private var isDense = false
    private(set) var compared = 0

    init(_ source: any RecordSource, _ place: TopicPartition, end: Int64) {
        self.source = source
        self.place = place
        self.end = end
    }

    /// The next epoch's records stand in this range, and none before it.
    func begin(_ range: OutputRange) throws {
        try expectNothing(before: range.from)
        offset = range.from
        epochEnd = range.to
        isDense = range.records == range.to - range.from
    }

    /// The next record, which is not taken.
    private func peek() throws -> (offset: Int64, record: OutputRecord)? {
        while true {
            if let block {
                while row < block.count, block.offsets[row] < offset { row += 1 }
                if row < block.count { break }
                offset = max(offset, block.nextOffset)
            }
            guard let read = try source.read(from: offset, limit: nil) else { return nil }
            block = read
            row = 0
        }
        guard let block else { return nil }
        return (
            block.offsets[row],
            OutputRecord(
                timestamp: block.timestamps[row], key: block.key(row), value: block.value(row),
                headers: Array(block.bytes[block.encodedHeaders(row)]),
                headerCount: Int(block.headerCounts[row]))
        )
    }

    /// Compares the next stored record with a composed one.
    func compare(_ record: OutputRecord) throws {
        let expected = offset
        guard let (found, stored) = try peek(), found < epochEnd, !isDense || found == expected
        else {
            throw difference("the record is missing", at: expected)
        }
        guard stored == record else {
            throw difference(Self.describe(stored, record), at: found)
        }
        offset = found + 1
        compared += 1
    }

    private static func describe(_ stored: OutputRecord, _ record: OutputRecord) -> String {
        func text(_ bytes: [UInt8]?) -> String {
            bytes.map { String(decoding: $0, as: UTF8.self) } ?? "null"
        }
        if stored.key != record.key {
            return "the key is \(text(stored.key)), re-execution gives \(text(record.key))"
        }
        if stored.value != record.value {
            return "the value is \(text(stored.value)), re-execution gives \(text(record.value))"
        }
        if stored.timestamp != record.timestamp {
            return "the time is \(stored.timestamp), re-execution gives \(record.timestamp)"
        }
        return "the headers differ from those of re-execution"
    }

    /// Nothing may follow what the journal names.
    func expectEnd() throws { try expectNothing(before: end) }

    private func expectNothing(before limit: Int64) throws {
        guard offset < limit, let (found, _) = try peek(), found < limit else { return }
        throw difference("no journal record names this record", at: found)
    }

    private func difference(_ reason: String, at offset: Int64) -> DifferenceFound {
        DifferenceFound(
            difference: ReplayDifference(place: place, offset: offset, reason: reason))
    }
}
