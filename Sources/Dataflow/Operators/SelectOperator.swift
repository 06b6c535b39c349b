import Columnar
import Expression

/// Computes new columns from each row; exactly these come out. A row for which an expression has
/// no result is a reject that names the fault and the field.
final class SelectOperator: Operator {
    private let evaluator: Evaluator
    private let fields: [Field]

    init(_ program: Program, output schema: Schema) {
        evaluator = Evaluator(program)
        fields = schema.fields
    }

    func push(_ batch: Batch, _ context: RowContext, _ output: inout StepOutput) {
        let evaluation = evaluator.evaluate(batch.columns, rowCount: batch.rowCount)
        var result = batch
        result.columns = evaluation.columns
        guard !evaluation.faults.isEmpty else {
            output.emit(result, context)
            return
        }
        var keep = Array(repeating: true, count: batch.rowCount)
        rejectFaults(evaluation.faults, of: batch, context, keep: &keep, &output) { fault in
            let field = fields[Int(fault.output)].name
            return "\(field): \(evaluator.program.outputs[Int(fault.output)].text)"
        }
        let (kept, keptContext) = selectRows(
            keep, of: result, context, keepsGhosts: output.keepsGhosts)
        output.emit(kept, keptContext)
    }
}
