import Columnar
import Expression

/// As-of join with a table of the same key: each row gets the newest version known whose time is
/// not after the row's.
///
///     table:   chart v1 at 08:00 ─────────── chart v2 at 10:00 ───
///     row at 09:59 → v1        row at 10:00 → v2        row at 07:59 → reject `unmatched`
///
/// Appends the table's columns as references; nothing is copied.
final class LookupOperator: Operator {
    private let table: TableState
    private let tableName: String
    /// Gives the key that is looked up; nil for the row's own.
    private let evaluator: Evaluator?

    init(table: TableState, key: Program?, name: String) {
        self.table = table
        tableName = name
        evaluator = key.map { Evaluator($0) }
    }

    func push(_ batch: Batch, _ context: RowContext, _ output: inout StepOutput) {
        let count = batch.rowCount
        var usable = Array(repeating: true, count: count)
        let keys = keys(of: batch, context, &usable, &output)
        var rows: [Int32] = []
        rows.reserveCapacity(count)
        var missing = 0
        for row in 0..<count {
            let version =
                keys[row] < 0 ? -1 : table.version(key: keys[row], at: batch.times[row])
            rows.append(version)
            if version < 0 { missing += 1 }
        }
        guard missing > 0 else {
            output.emit(joined(batch, rows), context)
            return
        }
        let keep = rows.map { $0 >= 0 }
        for row in 0..<count where !keep[row] && usable[row] {
            if batch.change(row) == .before || batch.change(row) == .withdraw { continue }
            output.reject(
                .unmatched, "no version of \(tableName) is known for this key and time",
                row: row, of: batch, context)
        }
        let (kept, keptContext) = selectRows(
            keep, of: batch, context, keepsGhosts: output.keepsGhosts)
        output.emit(joined(kept, rows.filter { $0 >= 0 }), keptContext)
    }

    /// The key code that each row looks up; -1 where it is null or no key of the task.
    private func keys(
        of batch: Batch, _ context: RowContext, _ usable: inout [Bool],
        _ output: inout StepOutput
    ) -> [Int32] {
        guard let evaluator else { return batch.keys }
        let evaluation = evaluator.evaluate(batch.columns, rowCount: batch.rowCount)
        rejectFaults(evaluation.faults, of: batch, context, keep: &usable, &output) { _ in
            evaluator.program.outputs[0].text
        }
        return evaluation.columns[0].keyCodes(rowCount: batch.rowCount, usable, output.keys)
    }

    private func joined(_ batch: Batch, _ rows: [Int32]) -> Batch {
        var result = batch
        for column in table.columns {
            result.columns.append(
                Column(.dictionary(DictionaryValues(indices: rows, base: column))))
        }
        for cause in table.causes(rows) {
            if let index = result.causes.firstIndex(where: { $0.input == cause.input }) {
                // A table looked up before: the later version of the two stands for both.
                result.causes[index] = cause
            } else {
                result.causes.append(cause)
            }
        }
        return result
    }
}

extension Column {
    /// The task's code of each row's value as a key; -1 where it is null, not usable, or no key
    /// that the task has met. For strings and whole numbers. O(bytes).
    fileprivate func keyCodes(rowCount: Int, _ usable: [Bool], _ keys: KeyTable) -> [Int32] {
        let flat = flattened()
        return (0..<rowCount).map { row in
            guard usable[row], flat.isValid(row) else { return -1 }
            switch flat.values {
            case .bytes(let values): return keys.find(values.array(row).span)
            case .int64(let values): return keys.find(Array(String(values[row]).utf8).span)
            default: return -1
            }
        }
    }
}
