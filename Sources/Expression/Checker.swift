import Columnar
import Primitives

/// Gives every part of an expression a type and a unit, and names a column.
///
/// Errors are collected: a part that has none is nil, and what stands above it is checked as far
/// as it can be, so that one run reports several.
struct Checker {
    let scope: Scope
    var errors: [ExpressionError] = []
    /// Variables of the enclosing macros, the innermost last.
    var variables: [(name: String, node: Node)] = []
    var loopCount = 0
    /// Offsets count Unicode scalars here.
    var doubleConversions: [DoubleConversion] = []

    init(scope: Scope) { self.scope = scope }

    mutating func fail(_ offset: Int, _ message: String, hint: String? = nil) -> Node? {
        errors.append(ExpressionError(offset: offset, message: message, hint: hint))
        return nil
    }

    /// Checks a part that is used as a value.
    mutating func check(_ syntax: Syntax) -> Node? {
        guard let node = checkAny(syntax) else { return nil }
        if node.typeName != nil {
            return fail(
                syntax.offset, "a type is not a value",
                hint: "compare it with == or !=, as in type(x) == int")
        }
        return node
    }

    /// Checks a part that may be the name of a type.
    mutating func checkAny(_ syntax: Syntax) -> Node? {
        switch syntax.kind {
        case .int(let text): return integer(text, syntax.offset)
        case .double(let text): return double(text, syntax.offset)
        case .uint:
            return fail(
                syntax.offset, "unsigned integers are not supported", hint: "leave out the u")
        case .string(let text):
            return Node(.constant(.bytes(Array(text.utf8))), [], .string)
        case .bytes(let bytes): return Node(.constant(.bytes(bytes)), [], .bytes)
        case .bool(let value): return Node(.constant(.bool(value)), [], .bool)
        case .null: return Node(.constant(.null(.null)), [], .null, isNullable: true)
        case .name, .select: return path(syntax)
        case .index(let operand, let index): return element(operand, index, syntax.offset)
        case .call(let name, let target, let arguments):
            return call(name, target, arguments, syntax.offset)
        case .list(let elements): return list(elements)
        case .map(let entries): return map(entries, syntax.offset)
        case .message(let name):
            return fail(
                syntax.offset, "messages such as \(name){} are not supported",
                hint: "declare the fields in a schema")
        case .not(let operand):
            guard let node = checkBool(operand, "!") else { return nil }
            return Node(.not, [node], .bool)
        case .negate(let operand): return negate(operand, syntax.offset)
        case .binary(let op, let left, let right): return binary(op, left, right, syntax.offset)
        case .conditional(let condition, let first, let second):
            return conditional(condition, first, second, syntax.offset)
        }
    }

    private mutating func integer(_ text: String, _ offset: Int) -> Node? {
        guard let value = WrittenNumber.int(text) else {
            return fail(offset, "\(text) does not fit in an int")
        }
        return Node(
            .constant(.int64(value)), [], .int, number: WrittenNumber(text, isDouble: false))
    }

    private mutating func double(_ text: String, _ offset: Int) -> Node? {
        guard let value = Double(text) else { return fail(offset, "\(text) is no number") }
        return Node(
            .constant(.double(value.bitPattern)), [], .double,
            number: WrittenNumber(text, isDouble: true))
    }

    /// Checks an operand of a logical operator; a bare `null` is a bool without a value.
    mutating func checkBool(_ syntax: Syntax, _ user: String) -> Node? {
        guard let node = check(syntax) else { return nil }
        if node.type == .null { return Node(.constant(.null(.bool)), [], .bool, isNullable: true) }
        guard node.type == .bool else {
            return fail(
                syntax.offset, "'\(user)' needs a bool, not \(node.type)",
                hint: "compare it with something, as in x > 0")
        }
        return node
    }

    private mutating func negate(_ operand: Syntax, _ offset: Int) -> Node? {
        guard let node = check(operand) else { return nil }
        if let number = node.number {
            let text =
                number.text.hasPrefix("-") ? String(number.text.dropFirst()) : "-" + number.text
            return number.isDouble ? double(text, offset) : integer(text, offset)
        }
        switch node.type {
        case .int, .decimal, .duration: return Node(.negateInt64, [node], node.type)
        case .double: return Node(.negateDouble, [node], node.type)
        case .ratio: return Node(.negateRatio, [node], node.type)
        default: return fail(offset, "'-' needs a number, not \(node.type)")
        }
    }

    private mutating func binary(
        _ op: BinaryOperator, _ left: Syntax, _ right: Syntax, _ offset: Int
    ) -> Node? {
        switch op {
        case .and, .or:
            let a = checkBool(left, op.rawValue)
            let b = checkBool(right, op.rawValue)
            guard let a, let b else { return nil }
            return Node(op == .and ? .and : .or, [a, b], .bool)
        case .in:
            let a = check(left)
            let b = check(right)
            guard let a, let b else { return nil }
            if case .list(let elements) = right.kind {
                for element in elements { checkKnown(a, element) }
            }
            return membership(a, b, offset)
        case .equal, .notEqual:
            let a = checkAny(left)
            let b = checkAny(right)
            guard let a, let b else { return nil }
            checkKnown(a, right)
            checkKnown(b, left)
            return equality(op == .equal, a, b, offset)
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            let a = check(left)
            let b = check(right)
            guard let a, let b else { return nil }
            return comparison(op, a, b, offset)
        case .add, .subtract, .multiply, .divide, .remainder:
            let a = check(left)
            let b = check(right)
            guard let a, let b else { return nil }
            return arithmetic(op, a, b, offset)
        }
    }

    private mutating func conditional(
        _ condition: Syntax, _ first: Syntax, _ second: Syntax, _ offset: Int
    ) -> Node? {
        let test = checkBool(condition, "?")
        let a = check(first)
        let b = check(second)
        guard let test, let a, let b, let (x, y) = unify(a, b, "both results of '?'", offset)
        else { return nil }
        return Node(
            .choose, [test, x, y], x.type,
            hasNullableElements: x.hasNullableElements || y.hasNullableElements)
    }
}
