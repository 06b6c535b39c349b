import Columnar

/// Tumbling, hopping and calendar windows `[start, end)` over event time, by key.
///
///     size 15m, every 5m        08:00     08:05     08:10     08:15     08:20
///     windows of a row at 08:12 [─────────────────────────)
///                                         [─────────────────────────)
///                                                   [─────────────────────────)
///
/// Rows go into panes (of `every`, or a unit of the calendar); a window is the merge of its panes.
/// It closes when the watermark reaches `end`, right after the row that made it so, and gives one
/// row with time `end − 1 ms`.
/// For `lateness` after that a late row makes a `correct`; later it is a reject `late` for the
/// windows it misses. A key without rows in a window gives nothing. Rows that are results of
/// windows themselves may be corrected or withdrawn: the later version takes the earlier one's
/// place, and a window without rows any more is withdrawn.
final class WindowOperator: Operator {
    private var state: WindowState

    /// `isRekeyed`: rows come from an earlier stage.
    init(
        _ plan: WindowPlan, lateness: Int64, usesKeyClocks: Bool, keyIsInteger: Bool,
        isRekeyed: Bool
    ) {
        state = WindowState(
            plan, lateness: lateness, usesKeyClocks: usesKeyClocks, keyIsInteger: keyIsInteger,
            isRekeyed: isRekeyed)
    }

    func push(_ batch: Batch, _ context: RowContext, _ output: inout StepOutput) {
        state.push(batch, context, &output)
    }

    func boundary(after watermark: Int64) -> Int64 { state.boundary(after: watermark) }

    var nextTimer: Int64 { state.nextTimer }

    func advance(to watermark: Int64, _ output: inout StepOutput) {
        state.advance(to: watermark, &output)
    }

    func flush(_ output: inout StepOutput) { state.flush(&output) }

    func abandon(_ keys: [Int32], _ output: inout StepOutput) { state.flush(keys, &output) }

    func save(to snapshot: inout SnapshotWriter, keys: KeyTable) {
        state.save(to: &snapshot, keys: keys)
    }

    func restore(
        from snapshot: inout SnapshotReader, keys: inout KeyTable
    ) throws(SnapshotError) {
        try state.restore(from: &snapshot, keys: &keys)
    }
}
