import Columnar

/// What is wrong with an expression, and where in its text.
package struct ExpressionError: Error, Hashable, Sendable {
    /// Characters from the start of the expression.
    package var offset: Int
    package var message: String
    package var hint: String?

    package init(offset: Int, message: String, hint: String? = nil) {
        self.offset = offset
        self.message = message
        self.hint = hint
    }
}

/// A parsed and type-checked expression, ready to be lowered.
package struct TypedExpression: Sendable {
    package let text: String
    package let type: ValueType
    package let isNullable: Bool
    /// Columns of the batch that it reads, ascending.
    package let columns: [Int]

    /// Parses and checks an expression.
    ///
    /// Source: the Common Expression Language definition (google/cel-spec), statically typed.
    package init(_ text: String, in scope: Scope) throws(ExpressionErrors) {
        throw ExpressionErrors([ExpressionError(offset: 0, message: "not written yet")])
    }
}

/// All that is wrong with one expression; never empty.
package struct ExpressionErrors: Error, Sendable {
    package let errors: [ExpressionError]

    package init(_ errors: [ExpressionError]) { self.errors = errors }
}
