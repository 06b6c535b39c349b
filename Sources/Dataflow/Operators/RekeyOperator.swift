import Columnar

/// The sending end of a rekeyed stream: passes on the rows that have a new key.
///
///     task 0 (by device)   a→S1  b→S2 ──┬──▶ task 0 (by site)   S2: b, d
///     task 1 (by device)   c→S1  d→S2 ──┴──▶ task 1 (by site)   S1: a, c
///
/// A row whose new key is null is a reject `null-value`.
final class RekeyOperator: Operator {
    private let keyField: Int
    private let fieldName: String

    init(keyField: Int, fieldName: String) {
        self.keyField = keyField
        self.fieldName = fieldName
    }

    func push(_ batch: Batch, _ context: RowContext, _ output: inout StepOutput) {
        let keys = batch.columns[keyField].flattened()
        guard keys.validity?.isAllSet == false else {
            output.emit(batch, context)
            return
        }
        let keep = (0..<batch.rowCount).map { keys.isValid($0) }
        for row in keep.indices where !keep[row] && batch.change(row) != .before {
            output.reject(
                .nullValue, "the new key '\(fieldName)' is null", row: row, of: batch, context)
        }
        let (kept, keptContext) = selectRows(
            keep, of: batch, context, keepsGhosts: output.keepsGhosts)
        output.emit(kept, keptContext)
    }
}
