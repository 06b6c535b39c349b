import Foundation

/// One step of a task, as the journal keeps it: all that is not in the data.
enum JournalStep: Codable, Equatable {
    /// Inputs merged up to these end positions; `atEnd` lists the inputs that were at their
    /// observed end.
    case merge(to: [Int64], atEnd: [Int])
    /// A tick of the fixed grid, in microseconds since the epoch.
    case tick(at: Int64, atEnd: [Int])
    /// The end of a bounded run.
    case flush
}

/// What one epoch wrote to one partition.
struct OutputRange: Codable, Equatable {
    var topic: String
    var partition: Int
    var from: Int64
    /// Exclusive.
    var to: Int64
    /// Number of records; a cluster's own records take offsets too.
    var records: Int64
    /// SHA-256 over time, key, headers and value of the records, in hexadecimal.
    var hash: String

    /// Whether both name the same records from the same offset on. Where they end is the same
    /// too, unless something between them took an offset.
    func hasSameRecords(as other: OutputRange) -> Bool {
        topic == other.topic && partition == other.partition && from == other.from
            && records == other.records
            && hash == other.hash
    }
}

/// A snapshot's name and content.
struct SnapshotMark: Codable, Equatable {
    var epoch: Int64
    /// SHA-256 of the state in canonical form, in hexadecimal.
    var hash: String
}

/// One record of the journal: an epoch of a task. With the inputs it determines everything.
struct EpochRecord: Codable, Equatable {
    var epoch: Int64
    /// SHA-256 of the canonical plan, in hexadecimal.
    var plan: String
    var semantics: Int
    var steps: [JournalStep]
    /// Offset of the first record of each input that the epoch may have taken: by source, in the
    /// order of the plan, and partition.
    var starts: [Int64]
    /// Offset of the next record of each input.
    var positions: [Int64]
    var outputs: [OutputRange]
    /// Offset after the last record of each output: the sinks', those of rekeyed streams by
    /// receiving task, the rejects'.
    var outputEnds: [Int64]
    /// Least partition watermark in microseconds, where the plan has one.
    var watermark: Int64?
    /// End positions of the bounded run under way, -1 where another stage of the run writes the
    /// input; nil when there is none.
    var boundedTo: [Int64]?
    /// Nothing was taken since the last flush.
    var isFlushed: Bool
    /// The last snapshot written before this epoch, with its state hash.
    var snapshot: SnapshotMark?

    /// Canonical JSON: sorted keys, no white space.
    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self))
    }

    init(
        epoch: Int64, plan: String, steps: [JournalStep], starts: [Int64], positions: [Int64],
        outputs: [OutputRange], outputEnds: [Int64], watermark: Int64?, boundedTo: [Int64]?,
        isFlushed: Bool, snapshot: SnapshotMark?
    ) {
        self.epoch = epoch
        self.plan = plan
        semantics = Semantics.version
        self.steps = steps
        self.starts = starts
        self.positions = positions
        self.outputs = outputs
        self.outputEnds = outputEnds
        self.watermark = watermark
        self.boundedTo = boundedTo
        self.isFlushed = isFlushed
        self.snapshot = snapshot
    }

    /// Reads a journal record; `place` names it in the error.
    init(decoding bytes: [UInt8], place: String) throws {
        do {
            self = try JSONDecoder().decode(EpochRecord.self, from: Data(bytes))
        } catch {
            throw EngineError(
                "\(place) is not a journal record: \(error)",
                hint: "the journal is damaged; restore the data directory from a copy")
        }
    }
}

/// What the engine makes of a plan and its inputs.
package enum Semantics {
    /// Raised by any change of results; epochs of another version are not re-executed.
    package static let version = 1
}
