import Columnar

/// One step of one task at work: immutable plan outside, all mutable state inside.
///
/// Synchronous, without clock, randomness or I/O. Threading: one task owns it, one thread at a
/// time calls it. What it emits depends only on the rows and watermarks it was given, in order,
/// never on how they were cut into batches.
protocol Operator: AnyObject {
    /// Takes rows in the order in which they were judged upstream.
    func push(_ batch: Batch, _ context: RowContext, _ output: inout StepOutput)

    /// The smallest time after `watermark` at which this step could have a timer, whatever rows
    /// come; `Int64.max` when it has none. Under a partition clock a batch is cut there.
    func boundary(after watermark: Int64) -> Int64

    /// Time of the earliest pending timer; `Int64.max` when there is none.
    var nextTimer: Int64 { get }

    /// The partition's watermark has risen: fires what is due, in (key bytes, timer id) order.
    func advance(to watermark: Int64, _ output: inout StepOutput)

    /// The end of a bounded run: emits what waits, without moving a watermark.
    func flush(_ output: inout StepOutput)

    /// Keys that have been silent for long enough: as `flush`, for these keys only.
    func abandon(_ keys: [Int32], _ output: inout StepOutput)

    /// A recorded tick at which the source of the rows was at its end.
    func tick(at time: Int64, gridMicroseconds: Int64, _ output: inout StepOutput)

    /// After `flush` or `abandon`: fires timers that are not after the greatest accepted event
    /// time, for these keys or, when nil, for all.
    func end(at times: AcceptedTimes, of keys: [Int32]?, _ output: inout StepOutput)

    /// Writes the state in canonical order: by key bytes, independent of codes and batches.
    func save(to snapshot: inout SnapshotWriter, keys: KeyTable)

    /// Takes up a saved state; the operator is fresh.
    func restore(from snapshot: inout SnapshotReader, keys: inout KeyTable) throws(SnapshotError)
}

/// What most operators need not say.
extension Operator {
    func boundary(after watermark: Int64) -> Int64 { .max }
    var nextTimer: Int64 { .max }
    func advance(to watermark: Int64, _ output: inout StepOutput) {}
    func flush(_ output: inout StepOutput) {}
    func abandon(_ keys: [Int32], _ output: inout StepOutput) {}
    func tick(at time: Int64, gridMicroseconds: Int64, _ output: inout StepOutput) {}
    func end(at times: AcceptedTimes, of keys: [Int32]?, _ output: inout StepOutput) {}
    func save(to snapshot: inout SnapshotWriter, keys: KeyTable) {}
    func restore(from snapshot: inout SnapshotReader, keys: inout KeyTable) throws(SnapshotError) {}
}

/// What an operator gives back from one call, in order.
struct StepOutput {
    /// Batches for the steps downstream, each with its context.
    var batches: [(batch: Batch, context: RowContext)] = []
    private(set) var rejects: [Reject] = []
    /// Per reject: its row in the batch taken.
    private var rejectedRows: [Int] = []
    /// Number for the next row that a timer makes.
    var nextSequence: Int64
    /// Index of the step in the plan; orders rejects of one row.
    let step: Int
    /// Whether a step downstream has timers under key clocks.
    let keepsGhosts: Bool
    /// The task's keys.
    let keys: KeyTable
    /// Greatest number of rows in a batch.
    let maximumRowCount: Int

    init(
        nextSequence: Int64, step: Int, keepsGhosts: Bool, keys: KeyTable, maximumRowCount: Int
    ) {
        self.nextSequence = nextSequence
        self.step = step
        self.keepsGhosts = keepsGhosts
        self.keys = keys
        self.maximumRowCount = maximumRowCount
    }

    mutating func emit(_ batch: Batch, _ context: RowContext) {
        if batch.rowCount > 0 || !context.ghosts.isEmpty { batches.append((batch, context)) }
    }

    /// Puts the rejects so far, all of one batch, in the order of their rows: what is found in
    /// several passes over a batch must not depend on how batches were cut.
    mutating func orderRejects() {
        guard rejects.count > 1 else { return }
        let order = rejects.indices.sorted { (rejectedRows[$0], $0) < (rejectedRows[$1], $1) }
        rejects = order.map { rejects[$0] }
        rejectedRows.sort()
    }

    /// Rejects a row of a batch, with its original record when that is at hand.
    mutating func reject(
        _ reason: RejectReason, _ detail: String, row: Int, of batch: Batch,
        _ context: RowContext
    ) {
        let record = batch.ownRecord(row)
        rejectedRows.append(row)
        rejects.append(
            Reject(
                reason: reason, detail: detail, step: step, sequence: context.sequences[row],
                origin: batch.origin(row), time: batch.times[row],
                key: key(of: row, in: batch, record),
                value: record.flatMap { batch.raw?.value(at: $0) }))
    }

    /// The original record's key where that is at hand, else the row's.
    private func key(of row: Int, in batch: Batch, _ record: RecordPlace?) -> [UInt8]? {
        guard let raw = batch.raw, let record else { return keys.bytes(batch.keys[row]) }
        return raw.key(at: record)
    }
}

/// A record or row that could not be used.
package struct Reject: Sendable {
    package var reason: RejectReason
    package var detail: String
    /// Index of the step that rejected it; -1 for the source itself.
    package var step: Int
    package var sequence: Int64
    /// The (first causing) record; nil when none is known.
    package var origin: RecordPlace?
    /// Event time in microseconds; nil when it could not be read.
    package var time: Int64?
    /// Original bytes; a derived row has its key and no value.
    package var key: [UInt8]?
    package var value: [UInt8]?

    package init(
        reason: RejectReason, detail: String, step: Int, sequence: Int64, origin: RecordPlace?,
        time: Int64?, key: [UInt8]?, value: [UInt8]?
    ) {
        self.reason = reason
        self.detail = detail
        self.step = step
        self.sequence = sequence
        self.origin = origin
        self.time = time
        self.key = key
        self.value = value
    }
}
