import Columnar

/// One stream of a union: puts its columns into the union's order.
///
///     a:      1     4  5                 b:         2  3     6
///     union:  1  2  3  4  5  6           watermark: the least of a's and b's
///
/// Rows keep the order of the task's merge: by event time, then by source, as far as they have
/// arrived. Each stream of a union has one of these; together they are the step.
final class UnionOperator: Operator {
    private let columns: [Int]
    private let causeInputs: [Int]

    /// `columns` gives the stream's column for each field of the union, `causeInputs` the inputs
    /// from which any row of the union may come.
    init(columns: [Int], causeInputs: [Int]) {
        self.columns = columns
        self.causeInputs = causeInputs
    }

    func push(_ batch: Batch, _ context: RowContext, _ output: inout StepOutput) {
        var result = batch
        result.columns = columns.map { batch.columns[$0] }
        let none = Array(repeating: Int64(-1), count: batch.rowCount)
        result.causes = causeInputs.map { input in
            batch.causes.first { $0.input == input }
                ?? CauseColumn(input: input, first: none, last: none)
        }
        output.emit(result, context)
    }
}
