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

/// Result rows in the order in which they are emitted.
struct WindowEmission {
    struct Mark {
        var before: Int64
        var after: Int64
        var sequence: Int64
        var change = Change.new
        var revision: Int32 = 0
    }

    struct Row {
        var key: Int32
        var end: Int64
        var mark: Mark
        /// One row each.
        var columns: [Column]
        var causes: [PaneCause]
        /// Whether every aggregate fits its type.
        var fits: Bool
    }

    var rows: [Row] = []
    /// Moves of keys' clocks that steps downstream with timers must hear of.
    private(set) var moves: [RowContext.Ghost] = []

    /// Passes a move on, after the rows so far.
    mutating func pass(_ move: RowContext.Ghost) {
        var move = move
        move.position = rows.count
        moves.append(move)
    }

    /// Takes out the moves that stand among rows or, when those are the last, after them.
    mutating func takeMoves(between start: Int, and end: Int) -> [RowContext.Ghost] {
        let isLast = end == rows.count
        let count = moves.firstIndex { $0.position >= end && !isLast } ?? moves.count
        let taken = moves.prefix(count).map { move in
            var move = move
            move.position -= start
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

    private var slots: [[Row]] = []

    func rows(_ slot: Int32) -> [Row] { Int(slot) < slots.count ? slots[Int(slot)] : [] }

    mutating func reset(_ slot: Int32) {
        while slots.count <= Int(slot) { slots.append([]) }
        slots[Int(slot)] = []
    }

    mutating func append(_ row: Int, of run: WindowRun, slot: Int32) {
        slots[Int(slot)].append(Self.row(row, of: run))
    }

    mutating func restore(_ row: Row, slot: Int32) { slots[Int(slot)].append(row) }

    /// Takes out the row with the time and causes of another, the last when several have them;
    /// false when there is none.
    mutating func remove(_ row: Int, of run: WindowRun, slot: Int32) -> Bool {
        let causes = Self.causes(row, of: run)
        let time = run.batch.times[row]
        guard
            let index = slots[Int(slot)].lastIndex(where: {
                $0.time == time && $0.causes == causes
            })
        else { return false }
        slots[Int(slot)].remove(at: index)
        return true
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
