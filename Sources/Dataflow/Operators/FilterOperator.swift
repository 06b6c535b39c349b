import Columnar
import Expression

/// Keeps the rows for which a condition is true, or the others. A null condition is not true.
///
///     mass:      2.1   0.0   3.4   null
///     filter: mass > 0.0
///     out:       2.1         3.4
///     otherwise:       0.0         null
final class FilterOperator: Operator {
    private let evaluator: Evaluator
    private let condition: String
    private let keepsOthers: Bool

    /// `keepsOthers` stands beside a filter that rejects the rows that fault.
    init(_ program: Program, keepsOthers: Bool) {
        self.keepsOthers = keepsOthers
        evaluator = Evaluator(program)
        condition = program.outputs[0].text
    }

    func push(_ batch: Batch, _ context: RowContext, _ output: inout StepOutput) {
        let evaluation = evaluator.evaluate(batch.columns, rowCount: batch.rowCount)
        var keep = evaluation.columns[0].trueRows(count: batch.rowCount)
        if keepsOthers {
            for row in keep.indices { keep[row].toggle() }
            for fault in evaluation.faults { keep[Int(fault.row)] = false }
        } else {
            rejectFaults(evaluation.faults, of: batch, context, keep: &keep, &output) { _ in
                condition
            }
        }
        let (kept, keptContext) = selectRows(
            keep, of: batch, context, keepsGhosts: output.keepsGhosts)
        output.emit(kept, keptContext)
    }
}

extension Column {
    /// For every row, whether a boolean column has a value and it is true.
    func trueRows(count: Int) -> [Bool] {
        let flat = flattened()
        guard case .bool(var values) = flat.values else {
            return Array(repeating: false, count: count)
        }
        if let validity = flat.validity, !validity.isAllSet {
            for row in 0..<count where !validity[row] { values[row] = false }
        }
        return values
    }
}
