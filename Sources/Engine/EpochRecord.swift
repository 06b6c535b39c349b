import Foundation

/// One step of a task, as the journal keeps it: all that is not in the data.
enum JournalStep: Codable, Equatable {
    /// Sources merged up to these end positions; `atEnd` lists the sources that were at their
    /// observed end.
    case merge(to: [Int64], atEnd: [Int])
    /// A tick of the fixed grid, in microseconds since the epoch.
    case tick(at: Int64, atEnd: [Int])
    /// The end of a bounded run.
    case flush
}

/// What one epoch wrote to one topic.
struct OutputRange: Codable, Equatable {
    var topic: String
    var from: Int64
    /// Exclusive.
    var to: Int64
    /// SHA-256 over time, key, headers and value of the records, in hexadecimal.
    var hash: String
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
    /// Offset of the next record of each source, in the order of the plan.
    var positions: [Int64]
    var outputs: [OutputRange]
    /// Offset after the last record of each output topic, the sinks' first, then the rejects'.
    var outputEnds: [Int64]
    /// Least partition watermark in microseconds, where the plan has one.
    var watermark: Int64?
    /// End positions of the bounded run under way; nil when there is none.
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
        epoch: Int64, plan: String, steps: [JournalStep], positions: [Int64],
        outputs: [OutputRange], outputEnds: [Int64], watermark: Int64?, boundedTo: [Int64]?,
        isFlushed: Bool, snapshot: SnapshotMark?
    ) {
        self.epoch = epoch
        self.plan = plan
        semantics = Self.currentSemantics
        self.steps = steps
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

    /// Raised by any change of results; epochs of another version are not re-executed.
    static let currentSemantics = 1
}
