import Columnar

/// Why an expression has no result for a row.
package typealias FaultCode = Columnar.FaultCode

/// One row for which one output has no result.
package struct RowFault: Hashable, Sendable {
    package var row: Int32
    /// Index of the output expression.
    package var output: Int32
    package var code: FaultCode

    package init(row: Int32, output: Int32, code: FaultCode) {
        self.row = row
        self.output = output
        self.code = code
    }
}

/// Results of a program over one batch.
package struct Evaluation: Sendable {
    /// One column for each output, as many rows as went in; a constant's may have more where rows
    /// are read one by one. Rows with a fault hold anything.
    package var columns: [Column]
    /// Ascending by row; at most one a row, the one of the first faulting output.
    package var faults: [RowFault]
}

/// Several expressions lowered together to a flat list of column kernels. Immutable and shared;
/// an ``Evaluator`` runs it.
package struct Program: Sendable {
    package let outputs: [TypedExpression]
    let block: Block

    /// Lowers checked expressions; equal subexpressions are computed once, constant ones now.
    package init(_ outputs: [TypedExpression]) {
        self.outputs = outputs
        var lowering = Lowering()
        let results = outputs.map { lowering.lower($0.root) }
        block = lowering.finish(results)
    }
}
