/// A small expression: prints itself as CEL and evaluates itself naively.
package indirect enum ReferenceExpression: Hashable, Sendable, Codable {
    /// Name of the value in the row and how CEL text reaches it.
    case field(String, text: String, ReferenceType)
    case literal(String, ReferenceType)
    case text(String)
    case arithmetic(String, ReferenceExpression, ReferenceExpression)
    case comparison(String, ReferenceExpression, ReferenceExpression)
    case and(ReferenceExpression, ReferenceExpression)
    case or(ReferenceExpression, ReferenceExpression)
    case not(ReferenceExpression)
    case choice(ReferenceExpression, ReferenceExpression, ReferenceExpression)
    /// `x == null`, or `x != null`.
    case isNull(ReferenceExpression, Bool)
    case interpolate(ReferenceExpression, ReferenceExpression, ReferenceType)

    /// The expression in CEL, every operation in parentheses.
    package var cel: String {
        switch self {
        case .field(_, let text, _): text
        case .literal(let digits, _): digits
        case .text(let text): "'\(text)'"
        case .arithmetic(let op, let a, let b), .comparison(let op, let a, let b):
            "(\(a.cel) \(op) \(b.cel))"
        case .and(let a, let b): "(\(a.cel) && \(b.cel))"
        case .or(let a, let b): "(\(a.cel) || \(b.cel))"
        case .not(let a): "(!\(a.cel))"
        case .choice(let c, let a, let b): "(\(c.cel) ? \(a.cel) : \(b.cel))"
        case .isNull(let a, let isEqual): "(\(a.cel) \(isEqual ? "==" : "!=") null)"
        case .interpolate(let curve, let x, _): "interpolate(\(curve.cel), \(x.cel))"
        }
    }

    /// The static type, by the rules of the language for decimals and quotients.
    package var type: ReferenceType {
        switch self {
        case .field(_, _, let type), .literal(_, let type), .interpolate(_, _, let type): type
        case .text: .string
        case .arithmetic(let op, let a, let b): Self.type(op, a.type, b.type)
        case .choice(_, let a, _): a.type
        default: .bool
        }
    }

    private static func type(
        _ op: String, _ a: ReferenceType, _ b: ReferenceType
    ) -> ReferenceType {
        if a == .int, b == .int { return .int }
        if !a.isRatio, !b.isRatio {
            switch op {
            case "*": return .decimal(a.scale + b.scale)
            case "/": return .ratio(a.scale + 3)
            default: return .decimal(max(a.scale, b.scale))
            }
        }
        if op == "+" || op == "-" { return .ratio(max(a.scale, b.scale)) }
        if a.isRatio { return a }
        return op == "/" ? .ratio(a.scale + 3) : b
    }

    /// Evaluates on a row.
    package func evaluate(_ row: [String: ReferenceValue]) -> ReferenceResult {
        switch self {
        case .field(let name, _, _): return .value(row[name] ?? .null)
        case .literal(let digits, _):
            return .value(ReferenceNumber(digits).map { .number($0) } ?? .null)
        case .text(let text): return .value(.string(text))
        case .arithmetic(let op, let a, let b):
            return strict(a, b, row) { x, y in arithmetic(op, x, y) }
        case .comparison(let op, let a, let b):
            return strict(a, b, row) { x, y in
                .value(.bool(Self.compare(op, x, y)))
            }
        case .and(let a, let b): return Self.logic(a.evaluate(row), b.evaluate(row), decides: false)
        case .or(let a, let b): return Self.logic(a.evaluate(row), b.evaluate(row), decides: true)
        case .not(let a):
            if case .value(.bool(let value)) = a.evaluate(row) { return .value(.bool(!value)) }
            return a.evaluate(row)
        case .choice(let c, let a, let b):
            let condition = c.evaluate(row)
            guard case .value(.bool(let holds)) = condition else { return condition }
            return holds ? a.evaluate(row) : b.evaluate(row)
        case .isNull(let a, let isEqual):
            guard case .value(let value) = a.evaluate(row) else { return a.evaluate(row) }
            return .value(.bool((value == .null) == isEqual))
        case .interpolate(let curve, let x, _):
            return strict(curve, x, row) { curve, x in Self.interpolate(curve, x) }
        }
    }

    /// Both operands first: the left fault, the right fault, then null.
    private func strict(
        _ a: Self, _ b: Self, _ row: [String: ReferenceValue],
        _ body: (ReferenceValue, ReferenceValue) -> ReferenceResult
    ) -> ReferenceResult {
        let (left, right) = (a.evaluate(row), b.evaluate(row))
        guard case .value(let x) = left else { return left }
        guard case .value(let y) = right else { return right }
        return x == .null || y == .null ? .value(.null) : body(x, y)
    }

    private func arithmetic(
        _ op: String, _ x: ReferenceValue, _ y: ReferenceValue
    ) -> ReferenceResult {
        guard case .number(let a) = x, case .number(let b) = y else { return .value(.null) }
        switch op {
        case "+": return .value(.number(a + b))
        case "-": return .value(.number(a - b))
        case "*": return .value(.number(a * b))
        default:
            guard let quotient = a / b else { return .fault("division-by-zero") }
            return .value(.number(type == .int ? quotient.truncated : quotient))
        }
    }

    private static func compare(_ op: String, _ x: ReferenceValue, _ y: ReferenceValue) -> Bool {
        if op == "==" { return x == y }
        if op == "!=" { return x != y }
        let order =
            switch (x, y) {
            case (.number(let a), .number(let b)): a < b ? -1 : a == b ? 0 : 1
            case (.time(let a), .time(let b)): a < b ? -1 : a == b ? 0 : 1
            case (.string(let a), .string(let b)):
                a == b ? 0 : a.utf8.lexicographicallyPrecedes(b.utf8) ? -1 : 1
            default: 0
            }
        switch op {
        case "<": return order < 0
        case "<=": return order <= 0
        case ">": return order > 0
        default: return order >= 0
        }
    }

    /// CEL's `&&` and `||`: the deciding value wins over faults, those over nulls.
    private static func logic(
        _ a: ReferenceResult, _ b: ReferenceResult, decides: Bool
    ) -> ReferenceResult {
        let decided = ReferenceResult.value(.bool(decides))
        if a == decided || b == decided { return decided }
        for case .fault(let reason) in [a, b] { return .fault(reason) }
        if a == .value(.null) || b == .value(.null) { return .value(.null) }
        return .value(.bool(!decides))
    }

    private static func interpolate(_ list: ReferenceValue, _ x: ReferenceValue)
        -> ReferenceResult
    {
        guard case .curve(let points) = list, case .number(let x) = x else { return .value(.null) }
        for point in points where point.x == x { return .value(.number(point.y)) }
        for (a, b) in zip(points, points.dropFirst()) where a.x < x && x < b.x {
            guard let part = (x - a.x) / (b.x - a.x) else { continue }
            return .value(.number(a.y + (b.y - a.y) * part))
        }
        return .fault("out-of-range")
    }
}
