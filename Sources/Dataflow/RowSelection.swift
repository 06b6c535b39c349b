import Columnar
import Expression

/// Keeps some rows of a batch, and turns half-kept corrections into what they have become.
///
/// A `before` row and the `correct` row after it are judged apart. When only the earlier version
/// passes, it leaves as `withdraw`; when only the later one passes, it leaves as `new`.
/// O(rows × columns); nothing is copied when all rows stay.
func selectRows(
    _ keep: [Bool], of batch: Batch, _ context: RowContext, keepsGhosts: Bool
) -> (batch: Batch, context: RowContext) {
    var changes = batch.changes
    var revisions = batch.revisions
    if var edited = changes {
        for row in 0..<max(0, edited.count - 1) where edited[row] == Change.before.rawValue {
            if keep[row], !keep[row + 1] {
                edited[row] = Change.withdraw.rawValue
                // The version that withdraws, not the one that is withdrawn.
                if let next = revisions?[row + 1] { revisions?[row] = next }
            }
            if !keep[row], keep[row + 1] { edited[row + 1] = Change.new.rawValue }
        }
        changes = edited
    }
    var kept: [Int32] = []
    kept.reserveCapacity(keep.count)
    for row in 0..<keep.count where keep[row] { kept.append(Int32(row)) }
    var result = batch
    result.changes = changes
    result.revisions = revisions
    if kept.count == keep.count { return (result, context) }
    return (
        result.gather(kept),
        context.keeping(kept, keys: batch.keys, keepsGhosts: keepsGhosts)
    )
}

/// Rejects the rows that an evaluation faulted on and clears them in `keep`. The earlier version
/// of a corrected or withdrawn row is dropped silently: it was rejected when it came.
func rejectFaults(
    _ faults: [RowFault], of batch: Batch, _ context: RowContext, keep: inout [Bool],
    _ output: inout StepOutput, detail: (RowFault) -> String
) {
    for fault in faults {
        let row = Int(fault.row)
        keep[row] = false
        if batch.change(row) != .before, batch.change(row) != .withdraw {
            output.reject(
                RejectReason(name: fault.code.name), detail(fault), row: row, of: batch, context)
        }
    }
}
