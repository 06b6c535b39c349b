/// A parsed expression: what was written, before any name or type is known.
struct Syntax {
    indirect enum Kind {
        /// Digits as written, decimal or `0x…`, with the sign when one stood directly before them.
        case int(String)
        case uint(String)
        case double(String)
        case string(String)
        case bytes([UInt8])
        case bool(Bool)
        case null
        case name(String)
        /// `operand.field`.
        case select(Syntax, String)
        case index(Syntax, Syntax)
        /// `function(arguments)` or `target.function(arguments)`.
        case call(String, target: Syntax?, [Syntax])
        case list([Syntax])
        case map([(key: Syntax, value: Syntax)])
        /// `Type{field: value}`: parsed so that it can be refused by name.
        case message(String)
        case not(Syntax)
        case negate(Syntax)
        case binary(BinaryOperator, Syntax, Syntax)
        case conditional(Syntax, Syntax, Syntax)
    }

    let kind: Kind
    /// Unicode scalars from the start of the expression.
    let offset: Int
    /// Height of the tree, bounded by ``Parser/maximumHeight``.
    let height: Int
}

/// Operators between two operands, by how they are written.
enum BinaryOperator: String {
    case or = "||"
    case and = "&&"
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case `in` = "in"
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case remainder = "%"

    /// Higher binds tighter. Source: cel-spec, "Syntax".
    var precedence: Int {
        switch self {
        case .or: 1
        case .and: 2
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .in: 3
        case .add, .subtract: 4
        case .multiply, .divide, .remainder: 5
        }
    }
}
