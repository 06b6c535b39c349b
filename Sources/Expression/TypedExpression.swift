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
    /// Set when the expression is a type, as in `type(x)`: its CEL name. The value is then the
    /// name as a string; a topology has no use for it.
    package let typeName: String?
    /// Where exact values (decimals, ratios) become doubles, by place.
    package let doubleConversions: [DoubleConversion]
    let root: Node

    /// The column whose values it passes on as they are; nil when it computes something.
    package var copiedColumn: Int? {
        if case .column(let column) = root.operation { column } else { nil }
    }

    /// Parses and checks an expression.
    ///
    /// Source: the Common Expression Language definition (google/cel-spec), statically typed.
    /// `neighbour` is the type of a value that the result will be compared with: a number as
    /// written then becomes a decimal or takes the unit, as it would beside that value.
    package init(_ text: String, in scope: Scope, beside neighbour: ValueType? = nil)
        throws(ExpressionErrors)
    {
        do throws(ExpressionErrors) {
            let syntax = try Parser.parse(text)
            var checker = Checker(scope: scope)
            var root = checker.checkAny(syntax)
            if let node = root, let neighbour { root = checker.settle(node, beside: neighbour) }
            guard let root, checker.errors.isEmpty else { throw ExpressionErrors(checker.errors) }
            self.text = text
            self.root = root
            type = root.type
            isNullable = root.isNullable
            typeName = root.typeName
            doubleConversions = Self.inOrder(checker.doubleConversions, text)
            columns = Self.columns(root)
        } catch {
            // Inside, places count Unicode scalars; a reader counts characters.
            throw ExpressionErrors(
                error.errors.map {
                    let scalars = text.unicodeScalars.prefix($0.offset)
                    return ExpressionError(
                        offset: String(scalars).count, message: $0.message, hint: $0.hint)
                })
        }
    }

    /// The same expression with values outside a range of whole numbers, or of units of a decimal,
    /// as the row fault `out-of-range`. The type is int, decimal, timestamp or duration.
    package func limited(to range: ClosedRange<Int64>) -> TypedExpression {
        TypedExpression(self, root: Node(.checkRange(range), [root], type))
    }

    private init(_ other: TypedExpression, root: Node) {
        text = other.text
        type = other.type
        isNullable = other.isNullable
        columns = other.columns
        typeName = other.typeName
        self.root = root
        doubleConversions = other.doubleConversions
    }

    /// Each once, by place; a part of an expression may have been checked more than once.
    private static func inOrder(
        _ found: [DoubleConversion], _ text: String
    ) -> [DoubleConversion] {
        Set(found).sorted { ($0.offset, $0.cause) < ($1.offset, $1.cause) }.map {
            let scalars = text.unicodeScalars.prefix($0.offset)
            return DoubleConversion(offset: String(scalars).count, cause: $0.cause)
        }
    }

    private static func columns(_ root: Node) -> [Int] {
        var found = Set<Int>()
        var pending = [root]
        var seen: Set<ObjectIdentifier> = []
        while let node = pending.popLast() {
            guard seen.insert(ObjectIdentifier(node)).inserted else { continue }
            if case .column(let column) = node.operation { found.insert(column) }
            pending += node.arguments
        }
        return found.sorted()
    }
}

/// A place in an expression from which on a value is a double that was exact before.
package struct DoubleConversion: Hashable, Sendable {
    /// Characters from the start of the expression.
    package var offset: Int
    /// What makes it one, such as `'/' between two ratios`.
    package var cause: String
}

/// All that is wrong with one expression; never empty.
package struct ExpressionErrors: Error, Sendable {
    package let errors: [ExpressionError]

    package init(_ errors: [ExpressionError]) { self.errors = errors }
}
