/// Parses an expression. Source: cel-spec, "Syntax".
///
/// Stops at the first syntax error, after the lexer has reported all of its own.
struct Parser {
    /// Deepest nesting of brackets, calls and prefix operators.
    static let maximumDepth = 64
    /// Greatest height of the tree: bounds the recursion of every later pass.
    static let maximumHeight = 256
    /// Longest expression, in Unicode scalars.
    static let maximumLength = 100_000

    private let tokens: [Token]
    private var position = 0
    private var depth = 0

    private init(tokens: [Token]) { self.tokens = tokens }

    static func parse(_ text: String) throws(ExpressionErrors) -> Syntax {
        guard text.utf8.count <= maximumLength * 4 else {
            throw ExpressionErrors([
                ExpressionError(offset: 0, message: "the expression is too long")
            ])
        }
        var lexer = Lexer(text)
        let tokens = lexer.tokens()
        guard lexer.errors.isEmpty else { throw ExpressionErrors(lexer.errors) }
        var parser = Parser(tokens: tokens)
        do throws(ExpressionError) {
            let syntax = try parser.expression()
            guard parser.current.kind == .end else { throw parser.unexpected() }
            return syntax
        } catch { throw ExpressionErrors([error]) }
    }

    private var current: Token { tokens[position] }

    private mutating func take(_ symbol: String) -> Bool {
        guard current.kind == .symbol(symbol) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ symbol: String, _ purpose: String) throws(ExpressionError) {
        guard take(symbol) else {
            throw ExpressionError(
                offset: current.offset, message: "expected '\(symbol)' \(purpose)")
        }
    }

    private func unexpected() -> ExpressionError {
        if let percentage = percentage() { return percentage }
        return switch current.kind {
        case .end:
            ExpressionError(
                offset: current.offset, message: "the expression ends too early",
                hint: "an operand is missing at the end")
        case .symbol(let symbol):
            ExpressionError(offset: current.offset, message: "unexpected '\(symbol)'")
        case .name(let name), .quotedName(let name):
            ExpressionError(
                offset: current.offset, message: "unexpected '\(name)'",
                hint: "an operator is missing before it")
        default:
            ExpressionError(
                offset: current.offset, message: "unexpected value",
                hint: "an operator is missing before it")
        }
    }

    /// What to say where a number and a percent sign stand before the place.
    private func percentage() -> ExpressionError? {
        guard position >= 2, tokens[position - 1].kind == .symbol("%") else { return nil }
        let number: String
        switch tokens[position - 2].kind {
        case .int(let text), .double(let text): number = text
        default: return nil
        }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.joined().allSatisfy({ "0"..."9" ~= $0 }) else { return nil }
        let whole = String(repeating: "0", count: max(0, 3 - parts[0].count)) + parts[0]
        let ratio = "\(whole.dropLast(2)).\(whole.suffix(2))\(parts.count > 1 ? parts[1] : "")"
        return ExpressionError(
            offset: tokens[position - 1].offset, message: "'%' is the remainder of a division",
            hint:
                "write \(ratio) for \(number) % of a ratio, or \(number) alone where the unit is %")
    }

    private func make(_ kind: Syntax.Kind, at offset: Int, over operands: [Syntax] = [])
        throws(ExpressionError) -> Syntax
    {
        let height = 1 + (operands.map(\.height).max() ?? 0)
        guard height <= Self.maximumHeight else { throw tooDeep(offset) }
        return Syntax(kind: kind, offset: offset, height: height)
    }

    private func tooDeep(_ offset: Int) -> ExpressionError {
        ExpressionError(
            offset: offset, message: "the expression is nested too deeply",
            hint: "compute a part of it in an earlier step")
    }

    private mutating func expression() throws(ExpressionError) -> Syntax {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else { throw tooDeep(current.offset) }
        let condition = try binary(minimum: 1)
        let offset = current.offset
        guard take("?") else { return condition }
        let first = try binary(minimum: 1)
        try expect(":", "between the two results of '?'")
        let second = try expression()
        return try make(
            .conditional(condition, first, second), at: offset, over: [condition, first, second])
    }

    private func binaryOperator() -> BinaryOperator? {
        switch current.kind {
        case .symbol(let symbol): BinaryOperator(rawValue: symbol)
        case .name("in"): .in
        default: nil
        }
    }

    private mutating func binary(minimum: Int) throws(ExpressionError) -> Syntax {
        var left = try unary()
        while let op = binaryOperator(), op.precedence >= minimum {
            let offset = current.offset
            position += 1
            let right = try binary(minimum: op.precedence + 1)
            left = try make(.binary(op, left, right), at: offset, over: [left, right])
        }
        return left
    }

    private mutating func unary() throws(ExpressionError) -> Syntax {
        let offset = current.offset
        for symbol in ["!", "-"] where take(symbol) {
            var count = 1
            while take(symbol) { count += 1 }
            var signed = false
            // The sign belongs to a number directly after it: -9223372036854775808 is an int.
            if symbol == "-" {
                switch current.kind {
                case .int, .double: signed = true
                default: break
                }
            }
            var operand = try member(negative: signed)
            for _ in 0..<(signed ? count - 1 : count) {
                operand = try make(
                    symbol == "!" ? .not(operand) : .negate(operand), at: offset, over: [operand])
            }
            return operand
        }
        return try member(negative: false)
    }

    private mutating func member(negative: Bool) throws(ExpressionError) -> Syntax {
        var operand = try primary(negative: negative)
        while true {
            let offset = current.offset
            if take(".") {
                operand = try memberAccess(operand, offset)
            } else if take("[") {
                let index = try expression()
                try expect("]", "after the index")
                operand = try make(.index(operand, index), at: offset, over: [operand, index])
            } else if case .symbol("{") = current.kind, let name = qualifiedName(operand) {
                position += 1
                try skipMessage()
                operand = try make(.message(name), at: operand.offset)
            } else {
                return operand
            }
        }
    }

    private mutating func memberAccess(_ operand: Syntax, _ offset: Int)
        throws(ExpressionError) -> Syntax
    {
        let nameOffset = current.offset
        switch current.kind {
        case .name(let name):
            guard !Self.keywords.contains(name) else { throw unexpected() }
            position += 1
            guard take("(") else {
                return try make(.select(operand, name), at: nameOffset, over: [operand])
            }
            let arguments = try arguments(until: ")")
            return try make(
                .call(name, target: operand, arguments), at: nameOffset,
                over: [operand] + arguments)
        case .quotedName(let name):
            position += 1
            return try make(.select(operand, name), at: nameOffset, over: [operand])
        default:
            throw ExpressionError(
                offset: offset, message: "expected a field or function name after '.'")
        }
    }

    private func qualifiedName(_ syntax: Syntax) -> String? {
        switch syntax.kind {
        case .name(let name): name
        case .select(let operand, let field): qualifiedName(operand).map { "\($0).\(field)" }
        default: nil
        }
    }

    private mutating func skipMessage() throws(ExpressionError) {
        while !take("}") {
            _ = take("?")
            switch current.kind {
            case .name, .quotedName: position += 1
            default: throw unexpected()
            }
            try expect(":", "after the field name")
            _ = try expression()
            if !take(",") {
                try expect("}", "at the end of the message")
                return
            }
        }
    }

    private mutating func arguments(until end: String) throws(ExpressionError) -> [Syntax] {
        var result: [Syntax] = []
        while !take(end) {
            result.append(try expression())
            if !take(",") {
                try expect(end, "at the end of the list")
                return result
            }
            // A list may end with a comma, a call may not.
            if end == ")", current.kind == .symbol(")") { throw unexpected() }
        }
        return result
    }

    private static let keywords: Set<String> = ["true", "false", "null", "in"]
    /// Reserved words may be fields, never names. Source: cel-spec, "RESERVED".
    private static let reserved: Set<String> = [
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
        "loop", "package", "namespace", "return", "var", "void", "while",
    ]

    private mutating func primary(negative: Bool) throws(ExpressionError) -> Syntax {
        let offset = current.offset
        let sign = negative ? "-" : ""
        let kind = current.kind
        switch kind {
        case .int(let text): return try literal(.int(sign + text), offset)
        case .uint(let text): return try literal(.uint(text), offset)
        case .double(let text): return try literal(.double(sign + text), offset)
        case .string(let text): return try literal(.string(text), offset)
        case .bytes(let bytes): return try literal(.bytes(bytes), offset)
        case .name("true"): return try literal(.bool(true), offset)
        case .name("false"): return try literal(.bool(false), offset)
        case .name("null"): return try literal(.null, offset)
        case .name(let name): return try nameOrCall(name, offset)
        case .symbol("."):
            position += 1
            guard case .name(let name) = current.kind else { throw unexpected() }
            return try nameOrCall(name, offset)
        case .symbol("("):
            position += 1
            let inner = try expression()
            try expect(")", "to close the parenthesis")
            return inner
        case .symbol("["):
            position += 1
            let elements = try arguments(until: "]")
            return try make(.list(elements), at: offset, over: elements)
        case .symbol("{"): return try map(offset)
        default: throw unexpected()
        }
    }

    private mutating func literal(_ kind: Syntax.Kind, _ offset: Int) throws(ExpressionError)
        -> Syntax
    {
        position += 1
        return try make(kind, at: offset)
    }

    private mutating func nameOrCall(_ name: String, _ offset: Int) throws(ExpressionError)
        -> Syntax
    {
        guard !Self.keywords.contains(name) else { throw unexpected() }
        guard !Self.reserved.contains(name) else {
            throw ExpressionError(offset: offset, message: "'\(name)' is a reserved word")
        }
        position += 1
        guard take("(") else { return try make(.name(name), at: offset) }
        let arguments = try arguments(until: ")")
        return try make(.call(name, target: nil, arguments), at: offset, over: arguments)
    }

    private mutating func map(_ offset: Int) throws(ExpressionError) -> Syntax {
        position += 1
        var entries: [(key: Syntax, value: Syntax)] = []
        while !take("}") {
            let key = try expression()
            try expect(":", "between a key and its value")
            entries.append((key, try expression()))
            if !take(",") {
                try expect("}", "at the end of the map")
                break
            }
        }
        return try make(.map(entries), at: offset, over: entries.flatMap { [$0.key, $0.value] })
    }
}
