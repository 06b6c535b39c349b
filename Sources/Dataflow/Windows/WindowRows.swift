import Columnar

/// Rows of one batch on their way into panes.
struct WindowRun {
    let inputs: [Column]
    let batch: Batch
    /// Per row: its pane; 0 takes what does not count.
    var slots: [Int32]
    /// Rows before this one are in their panes.
    var added = 0

    init(inputs: [Column], batch: Batch) {
        self.inputs = inputs
        self.batch = batch
        slots = Array(repeating: 0, count: batch.rowCount)
    }
}

/// A window that was flushed or corrected: what was last said of it.
struct WindowVersion {
    var end: Int64
    var revision: Int32
    /// Rows came since it was flushed.
    var isDirty = false
    /// Its last row was taken away, and that was said.
    var isWithdrawn = false
    /// The row last flushed, one column an aggregate; empty when it was closed when corrected.
    var columns: [Column] = []
    var causes: [PaneCause] = []
}

/// Result rows in the order in which they are emitted, each by the place of its values among the
/// ``WindowResults``.
struct WindowEmission {
    struct Mark {
        var before: Int64
        var after: Int64
        var sequence: Int64
        var change = Change.new
        var revision: Int32 = 0
    }

    private struct Row {
        var key: Int32
        var end: Int64
        var mark: Mark
        var result: Int32
    }

    /// Whether a move of the partition's watermark has made the rows.
    var isFired = false
    private var rows: [Row] = []
    /// Flushed windows, with the results to remember of them.
    private(set) var said: [(key: Int32, end: Int64, result: Int32)] = []
    /// Moves of keys' clocks that steps downstream with timers must hear of.
    private var moves: [RowContext.Ghost] = []

    var rowCount: Int { rows.count }
    var isEmpty: Bool { rows.isEmpty && moves.isEmpty }

    /// Takes a row whose values are those of a result.
    mutating func append(key: Int32, end: Int64, _ mark: Mark, result: Int32) {
        rows.append(Row(key: key, end: end, mark: mark, result: result))
    }

    /// Notes that a result is the last that was said of a window.
    mutating func remember(key: Int32, end: Int64, result: Int32) {
        said.append((key, end, result))
    }

    /// Passes a move on, after the rows so far.
    mutating func pass(_ move: RowContext.Ghost) {
        var move = move
        move.position = rows.count
        moves.append(move)
    }

    /// Where a batch that begins at a row ends: an earlier version stays with the correction that
    /// follows it.
    func batchEnd(from start: Int, maximumRowCount: Int) -> Int {
        let end = min(start + maximumRowCount, rows.count)
        guard end > start, rows[end - 1].mark.change == .before else { return end }
        return end - start > 1 ? end - 1 : end + 1
    }

    /// The hidden columns of a run of rows, its clocks, and which of `results` they are.
    func batch(
        _ range: Range<Int>, of results: WindowResults, causeInputs: [Int]
    ) -> (batch: Batch, context: RowContext, ends: [Int64], results: [Int32]) {
        let rows = rows[range]
        let places = rows.map(\.result)
        let ends = rows.map(\.end)
        var batch = Batch(columns: [], times: ends.map { $0 - 1000 }, keys: rows.map(\.key))
        if rows.contains(where: { $0.mark.change != .new }) {
            batch.changes = rows.map(\.mark.change.rawValue)
            batch.revisions = rows.map(\.mark.revision)
        }
        for (causes, input) in zip(results.causes, causeInputs) {
            batch.causes.append(
                CauseColumn(
                    input: input, first: places.map { causes[Int($0)].firstOffset },
                    last: places.map { causes[Int($0)].lastOffset },
                    counts: places.map { causes[Int($0)].count }))
        }
        // An earlier version moves no clock: the correction that follows it does, and must come
        // first where a step drops the earlier one.
        var context = RowContext(
            before: rows.map(\.mark.before),
            after: rows.map { $0.mark.change == .before ? $0.mark.before : $0.mark.after },
            sequences: rows.map(\.mark.sequence))
        context.isFired = isFired
        return (batch, context, ends, places)
    }

    /// Takes out the moves that stand among rows or, when those are the last, after them.
    mutating func takeMoves(among range: Range<Int>) -> [RowContext.Ghost] {
        if moves.isEmpty { return [] }
        let isLast = range.upperBound == rows.count
        let count = moves.firstIndex { $0.position >= range.upperBound && !isLast } ?? moves.count
        let taken = moves.prefix(count).map { move in
            var move = move
            move.position -= range.lowerBound
            return move
        }
        moves.removeFirst(count)
        return taken
    }
}

/// The rows of every pane, for steps whose input may be corrected: an aggregate is then made anew
/// from what is left. Such rows are results of windows, so there are few.
struct RetainedRows {
    struct Row {
        var time: Int64
        /// One row each, as the window's program gives them.
        var inputs: [Column]
        /// One entry a causing input.
        var causes: [PaneCause]
    }

    /// Whether earlier versions are found by their values: behind a rekey they are records of
    /// their own, so that their causes are others.
    private let matchesValues: Bool
    private var slots: [[Row]] = []

    init(matchesValues: Bool) { self.matchesValues = matchesValues }

    func rows(_ slot: Int32) -> [Row] { Int(slot) < slots.count ? slots[Int(slot)] : [] }

    mutating func reset(_ slot: Int32) {
        while slots.count <= Int(slot) { slots.append([]) }
        slots[Int(slot)] = []
    }

    /// Follows a pane to another slot.
    mutating func move(from: Int, to: Int) {
        while slots.count <= max(from, to) { slots.append([]) }
        slots.swapAt(from, to)
    }

    mutating func append(_ row: Int, of run: WindowRun, slot: Int32) {
        slots[Int(slot)].append(Self.row(row, of: run))
    }

    mutating func restore(_ row: Row, slot: Int32) { slots[Int(slot)].append(row) }

    /// Takes out the row with the time and causes, or values, of another, the last when several
    /// have them; false when there is none.
    mutating func remove(_ row: Int, of run: WindowRun, slot: Int32) -> Bool {
        let wanted = Self.row(row, of: run)
        let values = matchesValues ? Self.bytes(wanted.inputs) : []
        guard
            let index = slots[Int(slot)].lastIndex(where: { kept in
                guard kept.time == wanted.time else { return false }
                return matchesValues
                    ? Self.bytes(kept.inputs) == values : kept.causes == wanted.causes
            })
        else { return false }
        slots[Int(slot)].remove(at: index)
        return true
    }

    /// Equal for equal values.
    private static func bytes(_ columns: [Column]) -> [UInt8] {
        var writer = SnapshotWriter()
        for column in columns { writer.write(column) }
        return writer.bytes
    }

    private static func row(_ row: Int, of run: WindowRun) -> Row {
        Row(
            time: run.batch.times[row], inputs: run.inputs.map { $0.gather([Int32(row)]) },
            causes: causes(row, of: run))
    }

    private static func causes(_ row: Int, of run: WindowRun) -> [PaneCause] {
        run.batch.causes.map {
            PaneCause(first: $0.first[row], last: $0.last[row], count: $0.counts?[row] ?? 1)
        }
    }
}
