import Columnar

/// As-of join with a table of the same key: each row gets the newest version known whose time is
/// not after the row's.
///
///     table:   chart v1 at 08:00 ─────────── chart v2 at 10:00 ───
///     row at 09:59 → v1        row at 10:00 → v2        row at 07:59 → reject `unmatched`
///
/// Appends the table's columns as references; nothing is copied.
final class LookupOperator: Operator {
    private let table: TableState
    private let tableSource: Int
    private let tableName: String

    init(table: TableState, source: Int, name: String) {
        self.table = table
        tableSource = source
        tableName = name
    }

    func push(_ batch: Batch, _ context: RowContext, _ output: inout StepOutput) {
        let count = batch.rowCount
        var rows: [Int32] = []
        rows.reserveCapacity(count)
        var missing = 0
        for row in 0..<count {
            let version = table.version(key: batch.keys[row], at: batch.times[row])
            rows.append(version)
            if version < 0 { missing += 1 }
        }
        guard missing > 0 else {
            output.emit(joined(batch, rows), context)
            return
        }
        let keep = rows.map { $0 >= 0 }
        for row in 0..<count where !keep[row] {
            if batch.change(row) == .before || batch.change(row) == .withdraw { continue }
            output.reject(
                .unmatched, "no version of \(tableName) is known for this key and time",
                row: row, of: batch, context)
        }
        let (kept, keptContext) = selectRows(
            keep, of: batch, context, keepsGhosts: output.keepsGhosts)
        output.emit(joined(kept, rows.filter { $0 >= 0 }), keptContext)
    }

    private func joined(_ batch: Batch, _ rows: [Int32]) -> Batch {
        var result = batch
        for column in table.columns {
            result.columns.append(
                Column(.dictionary(DictionaryValues(indices: rows, base: column))))
        }
        let offsets = take(table.offsets, rows)
        result.causes.append(CauseColumn(source: tableSource, first: offsets, last: offsets))
        return result
    }
}
