/// What a row says about an earlier row of the same (key, time).
package enum Change: UInt8, Sendable {
    case new = 0
    /// Replaces the earlier result.
    case correct = 1
    /// Takes the earlier result back.
    case withdraw = 2
    /// Inside a task only: the earlier result itself, directly before the `correct` that replaces
    /// it, so that a filter can tell whether a correction appears, changes or vanishes.
    case before = 3
}

/// For every row, which records of one input of the task caused it.
package struct CauseColumn: Sendable {
    /// Index of the input: one partition that the task reads.
    package var input: Int
    /// Smallest and greatest causing offset of each row; -1 where none of this input did.
    package var first: [Int64]
    package var last: [Int64]
    /// Number of causing records of each row; nil when it is one everywhere.
    package var counts: [Int32]?

    package init(input: Int, first: [Int64], last: [Int64], counts: [Int32]? = nil) {
        self.input = input
        self.first = first
        self.last = last
        self.counts = counts
    }
}

/// Place of a record among a task's inputs.
package struct RecordPlace: Hashable, Sendable {
    /// Index of the input: one partition that the task reads.
    package var input: Int
    package var offset: Int64

    package init(input: Int, offset: Int64) {
        self.input = input
        self.offset = offset
    }
}

/// The original records of a batch's rows, kept so that a rejected row can be written whole.
package protocol RawRecords: AnyObject, Sendable {
    /// Key and value bytes of the record at a place; nil for null, or when it is not held.
    func key(at place: RecordPlace) -> [UInt8]?
    func value(at place: RecordPlace) -> [UInt8]?
}

/// Rows as columns: what operators exchange. At most ``maximumRowCount`` rows.
///
/// `columns` follow the schema of the step or source that made the batch; a slot that the plan
/// does not read holds `.null`. Beside them stand hidden columns: event time, key, change,
/// revision, causes and headers. A value type, owned by one thread at a time.
package struct Batch: Sendable {
    package static let maximumRowCount = 2048

    package var columns: [Column]
    /// Event times in microseconds since the epoch.
    package var times: [Int64]
    /// Codes of the task's ``KeyTable``.
    package var keys: [Int32]
    /// ``Change`` raw values; nil when all rows are new.
    package var changes: [UInt8]?
    /// Number of earlier versions of each row; nil when all are 0.
    package var revisions: [Int32]?
    /// One entry for every input that may contribute, the same in all batches of a step: those
    /// of its streams first, then those of looked-up tables.
    package var causes: [CauseColumn]
    /// Encoded Kafka headers of each row (zig-zag count, then each header); nil when none has any.
    package var headers: ByteValues?
    /// The original records, while they are at hand.
    package var raw: (any RawRecords)?

    package init(
        columns: [Column], times: [Int64], keys: [Int32], changes: [UInt8]? = nil,
        revisions: [Int32]? = nil, causes: [CauseColumn] = [], headers: ByteValues? = nil,
        raw: (any RawRecords)? = nil
    ) {
        self.columns = columns
        self.times = times
        self.keys = keys
        self.changes = changes
        self.revisions = revisions
        self.causes = causes
        self.headers = headers
        self.raw = raw
    }

    package var rowCount: Int { times.count }

    /// The change of a row. O(1).
    package func change(_ row: Int) -> Change {
        guard let changes else { return .new }
        return Change(rawValue: changes[row]) ?? .new
    }

    /// The record that the row itself comes from, or the first of those; nil when none is known.
    /// O(causes).
    package func origin(_ row: Int) -> RecordPlace? {
        for cause in causes where cause.first[row] >= 0 {
            return RecordPlace(input: cause.input, offset: cause.first[row])
        }
        return nil
    }

    /// The place of the record that a row is; nil for one that came of several.
    package func ownRecord(_ row: Int) -> RecordPlace? {
        for cause in causes where cause.first[row] >= 0 {
            guard cause.first[row] == cause.last[row] else { return nil }
            return RecordPlace(input: cause.input, offset: cause.first[row])
        }
        return nil
    }

    /// The rows `rows[0]`, `rows[1]`, … of every column. O(rows × columns).
    package func gather(_ rows: [Int32]) -> Batch {
        Batch(
            columns: columns.map { $0.gather(rows) }, times: take(times, rows),
            keys: take(keys, rows), changes: changes.map { take($0, rows) },
            revisions: revisions.map { take($0, rows) },
            causes: causes.map {
                CauseColumn(
                    input: $0.input, first: take($0.first, rows), last: take($0.last, rows),
                    counts: $0.counts.map { take($0, rows) })
            },
            headers: headers.map { $0.gather(rows) }, raw: raw)
    }

    /// A run of rows. O(1) for all of them, else O(rows × columns).
    package func slice(_ range: Range<Int>) -> Batch {
        if range == 0..<rowCount { return self }
        return gather(range.map { Int32($0) })
    }
}
