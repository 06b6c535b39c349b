import Columnar

/// Why an expression has no result for a row.
package enum FaultCode: UInt8, Sendable {
    case divisionByZero, overflow, invalidArgument, noSuchKey, indexOutOfBounds, outOfRange
    case noSuchOverload

    /// The name that stands in a reject record.
    package var name: String { "" }
}

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
    /// One column for each output, as many rows as went in. Rows with a fault hold anything.
    package var columns: [Column]
    /// Ascending by row; at most one a row, the one of the first faulting output.
    package var faults: [RowFault]
}

/// Several expressions lowered together to a flat list of column kernels. Immutable and shared;
/// an ``Evaluator`` runs it.
package struct Program: Sendable {
    package let outputs: [TypedExpression]

    /// Lowers checked expressions; equal subexpressions are computed once.
    package init(_ outputs: [TypedExpression]) { self.outputs = outputs }
}

/// Runs a program. Holds scratch storage: one thread, one evaluator.
package final class Evaluator {
    package let program: Program

    package init(_ program: Program) { self.program = program }

    /// Evaluates over `rowCount` rows (at most ``Batch/maximumRowCount``). `columns` must be bound
    /// as the scope said. Deterministic and row by row: a row's result depends on that row only.
    package func evaluate(_ columns: [Column], rowCount: Int) -> Evaluation {
        Evaluation(columns: [], faults: [])
    }
}
