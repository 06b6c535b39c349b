import Primitives

/// A naive interpreter: one row, one value at a time, numbers as reduced fractions. Shares nothing
/// with the kernels but the fault names.
indirect enum Formula {
    enum Kind: Equatable {
        case bool, int
        case decimal(Int)
        case ratio
    }

    case column(Int, Kind)
    case int(Int)
    case decimal(Int, scale: Int)
    case boolean(Bool)
    case arithmetic(String, Formula, Formula)
    case negate(Formula)
    case compare(String, Formula, Formula)
    case and(Formula, Formula)
    case or(Formula, Formula)
    case not(Formula)
    case choose(Formula, Formula, Formula)
    case chooseOrNull(Formula, Formula)
    case isNull(Formula)
    case round(Formula, Int)

    var kind: Kind {
        switch self {
        case .column(_, let kind): return kind
        case .int: return .int
        case .decimal(_, let scale): return .decimal(scale)
        case .boolean, .compare, .and, .or, .not, .isNull: return .bool
        case .negate(let x): return x.kind
        case .chooseOrNull(_, let x): return x.kind
        case .choose(_, let x, let y): return Self.common(x.kind, y.kind)
        case .round(_, let scale): return .decimal(scale)
        case .arithmetic(let op, let x, let y):
            switch (x.kind, y.kind) {
            case (.int, .int): return .int
            case (.ratio, _), (_, .ratio): return .ratio
            default:
                if op == "/" { return .ratio }
                let (a, b) = (x.kind.scale, y.kind.scale)
                return .decimal(op == "*" ? a + b : max(a, b))
            }
        }
    }

    static func common(_ a: Kind, _ b: Kind) -> Kind {
        if a == b { return a }
        if a == .ratio || b == .ratio { return .ratio }
        return .decimal(max(a.scale, b.scale))
    }

    var text: String {
        switch self {
        case .column(let index, _): return "c\(index)"
        case .int(let value): return "\(value)"
        case .decimal(let units, let scale):
            return "decimal(\(Decimal.text(Int64(units), scale: scale)), \(scale))"
        case .boolean(let value): return "\(value)"
        case .arithmetic(let op, let x, let y), .compare(let op, let x, let y):
            return "(\(x.text) \(op) \(y.text))"
        case .negate(let x): return "-(\(x.text))"
        case .and(let x, let y): return "(\(x.text) && \(y.text))"
        case .or(let x, let y): return "(\(x.text) || \(y.text))"
        case .not(let x): return "!\(x.text)"
        case .choose(let c, let x, let y): return "(\(c.text) ? \(x.text) : \(y.text))"
        case .chooseOrNull(let c, let x): return "(\(c.text) ? \(x.text) : null)"
        case .isNull(let x): return "(\(x.text) == null)"
        case .round(let x, let scale): return "round(\(x.text), \(scale))"
        }
    }
}

extension Formula.Kind {
    var scale: Int { if case .decimal(let scale) = self { scale } else { 0 } }
}

enum Outcome: Equatable {
    case null
    case fault(String)
    case bool(Bool)
    /// Reduced, denominator positive.
    case number(Int128, Int128)

    static func fraction(_ n: Int128, _ d: Int128) -> Outcome {
        var (a, b) = (n.magnitude, d.magnitude)
        while b != 0 { (a, b) = (b, a % b) }
        let divisor = Int128(a) * (d < 0 ? -1 : 1)
        return .number(n / divisor, d / divisor)
    }

    var isFault: Bool { if case .fault = self { true } else { false } }
}

extension Formula {
    func value(_ row: [Outcome]) -> Outcome {
        switch self {
        case .column(let index, _): return row[index]
        case .int(let value): return .number(Int128(value), 1)
        case .decimal(let units, let scale):
            return .fraction(Int128(units), Int128(Decimal.powerOfTen(scale)))
        case .boolean(let value): return .bool(value)
        case .arithmetic(let op, let x, let y): return arithmetic(op, x, y, row)
        case .negate(let x):
            guard case .number(let n, let d) = x.value(row) else { return x.value(row) }
            return checked(.number(-n, d))
        case .compare(let op, let x, let y): return compare(op, x.value(row), y.value(row))
        case .and(let x, let y): return Self.logic(x.value(row), y.value(row), false)
        case .or(let x, let y): return Self.logic(x.value(row), y.value(row), true)
        case .not(let x):
            guard case .bool(let value) = x.value(row) else { return x.value(row) }
            return .bool(!value)
        case .choose(let c, let x, let y):
            guard case .bool(let test) = c.value(row) else { return c.value(row) }
            let result = test ? x.value(row) : y.value(row)
            return checked(result)
        case .chooseOrNull(let c, let x):
            guard case .bool(let test) = c.value(row) else { return c.value(row) }
            return test ? x.value(row) : .null
        case .isNull(let x):
            let value = x.value(row)
            return value.isFault ? value : .bool(value == .null)
        case .round(let x, let scale):
            guard case .number(let n, let d) = x.value(row) else { return x.value(row) }
            return checked(Self.rounded(n, d, scale))
        }
    }

    /// By doubling: below, above or at the middle of two neighbours.
    private static func rounded(_ n: Int128, _ d: Int128, _ scale: Int) -> Outcome {
        let power = Int128(Decimal.powerOfTen(scale))
        let scaled = n * power
        var floor = scaled / d
        if scaled % d < 0 { floor -= 1 }
        let twice = (scaled - floor * d) * 2
        let up = twice > d || (twice == d && floor % 2 != 0)
        return .fraction(floor + (up ? 1 : 0), power)
    }

    /// Ints and decimals must fit 64 bits at their scale.
    private func checked(_ outcome: Outcome) -> Outcome {
        guard case .number(let n, let d) = outcome, kind != .ratio else { return outcome }
        let units = n * (Int128(Decimal.powerOfTen(kind.scale)) / d)
        return Int64(exactly: units) == nil ? .fault("overflow") : outcome
    }

    private static func logic(_ x: Outcome, _ y: Outcome, _ decisive: Bool) -> Outcome {
        if x == .bool(decisive) || y == .bool(decisive) { return .bool(decisive) }
        if x.isFault { return x }
        if y.isFault { return y }
        return x == .null || y == .null ? .null : .bool(!decisive)
    }

    private func compare(_ op: String, _ x: Outcome, _ y: Outcome) -> Outcome {
        if x.isFault { return x }
        if y.isFault { return y }
        guard case .number(let a, let b) = x, case .number(let c, let d) = y else { return .null }
        let order = Self.order(a, b, c, d)
        switch op {
        case "==": return .bool(order == 0)
        case "!=": return .bool(order != 0)
        case "<": return .bool(order < 0)
        case "<=": return .bool(order <= 0)
        case ">": return .bool(order > 0)
        default: return .bool(order >= 0)
        }
    }

    /// Sign of a/b − c/d by Euclid's algorithm on both at once: nothing is multiplied, so nothing
    /// overflows. b and d are positive.
    private static func order(_ a: Int128, _ b: Int128, _ c: Int128, _ d: Int128) -> Int {
        func floor(_ n: Int128, _ m: Int128) -> (quotient: Int128, rest: Int128) {
            let (quotient, rest) = n.quotientAndRemainder(dividingBy: m)
            return rest < 0 ? (quotient - 1, rest + m) : (quotient, rest)
        }
        let (x, y) = (floor(a, b), floor(c, d))
        if x.quotient != y.quotient { return x.quotient < y.quotient ? -1 : 1 }
        if x.rest == 0 || y.rest == 0 {
            return x.rest == y.rest ? 0 : x.rest == 0 ? -1 : 1
        }
        // r/b < s/d just when d/s < b/r.
        return order(d, y.rest, b, x.rest)
    }

    private func arithmetic(_ op: String, _ x: Formula, _ y: Formula, _ row: [Outcome]) -> Outcome {
        let (left, right) = (x.value(row), y.value(row))
        if left.isFault { return left }
        if right.isFault { return right }
        guard case .number(let a, let b) = left, case .number(let c, let d) = right else {
            return .null
        }
        switch op {
        case "+": return checked(.fraction(a * d + c * b, b * d))
        case "-": return checked(.fraction(a * d - c * b, b * d))
        case "*": return checked(.fraction(a * c, b * d))
        case "%":
            if c == 0 { return .fault("division-by-zero") }
            // As in CEL's implementations, where the machine's division overflows.
            if c == -1, a == Int128(Int64.min) { return .fault("overflow") }
            return checked(.number(a % c, 1))
        default:
            if c == 0 { return .fault("division-by-zero") }
            if kind == .int { return checked(.number(a / c, 1)) }
            return .fraction(a * d, b * c)
        }
    }
}
