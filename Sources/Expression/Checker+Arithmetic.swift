import Columnar
import Primitives

// Arithmetic with units, exact where it can be.

extension Checker {
    mutating func arithmetic(_ op: BinaryOperator, _ a: Node, _ b: Node, _ offset: Int) -> Node? {
        let keepsUnit = op == .add || op == .subtract
        guard let (a, b) = settleNumbers(a, b, takesUnit: keepsUnit, offset) else { return nil }
        if a.type.isNumeric, b.type.isNumeric {
            guard let unit = resultUnit(op, a, b, offset) else { return nil }
            return numeric(op, a, b, unit.unit, offset)
        }
        if let result = other(op, a, b) { return result }
        if a.type == .null || b.type == .null {
            return fail(offset, "'\(op.rawValue)' has no value with null")
        }
        return fail(
            offset, "'\(op.rawValue)' is not defined for \(a.type) and \(b.type)",
            hint: a.type == .string || b.type == .string
                ? "string(x) makes text of a value" : nil)
    }

    private struct UnitResult { let unit: Unit? }

    private mutating func resultUnit(
        _ op: BinaryOperator, _ a: Node, _ b: Node, _ offset: Int
    ) -> UnitResult? {
        switch op {
        case .multiply: return UnitResult(unit: Unit.product(a.type.unit, b.type.unit))
        case .divide: return UnitResult(unit: Unit.quotient(a.type.unit, b.type.unit))
        default:
            guard sameUnit(a, b, op.rawValue, offset) else { return nil }
            return UnitResult(unit: a.type.unit)
        }
    }

    /// Reports two different units under an operator that needs the same.
    mutating func sameUnit(_ a: Node, _ b: Node, _ user: String, _ offset: Int) -> Bool {
        let (x, y) = (a.type.unit, b.type.unit)
        if Unit.areSame(x, y) { return true }
        let hint: String
        if let x, let y {
            hint =
                y.factor(to: x) != nil
                ? "convert one of them: to(…, \"\(x)\")" : "they measure different things"
        } else {
            let unit = x ?? y ?? Unit("1")
            hint =
                Unit("1").factor(to: unit) != nil
                ? "convert the other one: to(…, \"\(unit)\")"
                : "give the other one its unit: quantity(…, \"\(unit)\")"
        }
        _ = fail(
            offset, "'\(user)' needs the same unit on both sides, not \(name(x)) and \(name(y))",
            hint: hint)
        return false
    }

    private func name(_ unit: Unit?) -> String { unit?.code ?? "no unit" }

    private mutating func numeric(
        _ op: BinaryOperator, _ a: Node, _ b: Node, _ unit: Unit?, _ offset: Int
    ) -> Node? {
        switch (a.type, b.type) {
        case (.int, .int): return integers(op, a, b, unit)
        case (.double, .double):
            guard let op = doubleOperator(op) else { return noRemainder(a, offset) }
            return Node(.double(op), [a, b], .double(unit: unit))
        case (.ratio, .ratio):
            guard let operation = doubleOperator(op) else { return noRemainder(a, offset) }
            doubleConversions.append(
                DoubleConversion(offset: offset, cause: "'\(op.rawValue)' between two ratios"))
            return Node(
                .double(operation), [asDouble(a), asDouble(b)],
                .double(unit: unit))
        case (.double, _), (_, .double): return mixedDouble(op.rawValue, a, b, offset)
        case (.ratio, _), (_, .ratio): return ratios(op, a, b, unit, offset)
        default: return decimals(op, a, b, unit, offset)
        }
    }

    private mutating func noRemainder(_ a: Node, _ offset: Int) -> Node? {
        fail(offset, "'%' is for int only, not \(a.type)")
    }

    /// `double` beside an exact type, or an int beside a double.
    mutating func mixedDouble(_ user: String, _ a: Node, _ b: Node, _ offset: Int) -> Node? {
        let hint: String
        if let number = a.number ?? b.number, !number.isDouble {
            hint = "write \(number.text).0"
        } else if a.number != nil || b.number != nil {
            hint = "write double(x), or a whole number"
        } else {
            hint = "write double(x) for the one that is not a double"
        }
        return fail(
            offset, "'\(user)' is not defined for \(a.type) and \(b.type)", hint: hint)
    }

    private func doubleOperator(_ op: BinaryOperator) -> DoubleOperator? {
        switch op {
        case .add: .add
        case .subtract: .subtract
        case .multiply: .multiply
        case .divide: .divide
        default: nil
        }
    }

    private func integers(_ op: BinaryOperator, _ a: Node, _ b: Node, _ unit: Unit?) -> Node {
        let operation: Int64Operator =
            switch op {
            case .add: .add
            case .subtract: .subtract
            case .multiply: .multiply
            case .divide: .divide
            default: .remainder
            }
        return Node(.int64(operation), [a, b], .int(unit: unit))
    }

    private mutating func decimals(
        _ op: BinaryOperator, _ a: Node, _ b: Node, _ unit: Unit?, _ offset: Int
    ) -> Node? {
        let (x, y) = (a.type.decimalScale ?? 0, b.type.decimalScale ?? 0)
        switch op {
        case .add, .subtract:
            let scale = max(x, y)
            let type = ValueType.decimal(scale: scale, unit: unit)
            let a = scaledConstant(a, by: scale - x) ?? a
            let b = scaledConstant(b, by: scale - y) ?? b
            let (left, right) = (a.type.decimalScale ?? 0, b.type.decimalScale ?? 0)
            if left == right {
                return Node(.int64(op == .add ? .add : .subtract), [a, b], type)
            }
            return Node(
                .addScaled(
                    Decimal.powerOfTen(scale - left), Decimal.powerOfTen(scale - right),
                    subtracts: op == .subtract), [a, b], type)
        case .multiply:
            guard x + y <= Decimal.maximumScale else {
                return fail(
                    offset,
                    "the product would have \(x + y) digits after the point, 18 is the most",
                    hint: "round one factor first, as in round(x, 2)")
            }
            return Node(.int64(.multiply), [a, b], .decimal(scale: x + y, unit: unit))
        case .divide:
            return Node(
                .ratio(.divide, Decimal.powerOfTen(x), Decimal.powerOfTen(y)), [a, b],
                .ratio(scale: min(x + 3, Decimal.maximumScale), unit: unit))
        default: return noRemainder(a.type.decimalScale == nil ? b : a, offset)
        }
    }

    private mutating func ratios(
        _ op: BinaryOperator, _ a: Node, _ b: Node, _ unit: Unit?, _ offset: Int
    ) -> Node? {
        let operation: RatioOperator
        switch op {
        case .add: operation = .add
        case .subtract: operation = .subtract
        case .multiply: operation = .multiply
        case .divide: operation = .divide
        default: return noRemainder(a, offset)
        }
        let (left, right) = (divisor(a), divisor(b))
        var scale = max(writtenScale(a), writtenScale(b))
        if op == .multiply || op == .divide {
            if case .ratio(let own, _) = a.type {
                scale = own
            } else if op == .divide {
                scale = (a.type.decimalScale ?? 0) + 3
            } else {
                scale = writtenScale(b)
            }
        }
        return Node(
            .ratio(operation, left, right), [a, b],
            .ratio(scale: min(scale, Decimal.maximumScale), unit: unit))
    }

    /// 10^scale of a decimal or int, nil for a ratio.
    func divisor(_ node: Node) -> Int64? {
        node.type.decimalScale.map { Decimal.powerOfTen($0) }
    }

    private func writtenScale(_ node: Node) -> Int {
        if case .ratio(let scale, _) = node.type { return scale }
        return node.type.decimalScale ?? 0
    }

    /// The same value in units of 10^-`scale`, at least its own.
    func rescaled(_ node: Node, _ scale: Int) -> Node {
        let own = node.type.decimalScale ?? 0
        let type = ValueType.decimal(scale: scale, unit: node.type.unit)
        if own == scale, case .decimal = node.type { return node }
        return Node(.scaleInt64(Decimal.powerOfTen(scale - own)), [node], type)
    }

    /// Sums and differences of what is not a number.
    private func other(_ op: BinaryOperator, _ a: Node, _ b: Node) -> Node? {
        switch (op, a.type, b.type) {
        case (.add, .string, .string), (.add, .bytes, .bytes):
            return Node(.concatenate, [a, b], a.type)
        case (.add, .timestamp, .duration), (.add, .duration, .timestamp):
            return inRange(Node(.int64(.add), [a, b], .timestamp))
        case (.subtract, .timestamp, .duration):
            return inRange(Node(.int64(.subtract), [a, b], .timestamp))
        case (.subtract, .timestamp, .timestamp), (.subtract, .duration, .duration):
            return inRange(Node(.int64(.subtract), [a, b], .duration))
        case (.add, .duration, .duration): return inRange(Node(.int64(.add), [a, b], .duration))
        case (.add, .list(let x), .list(let y)):
            guard x == y || x == .null || y == .null else { return nil }
            return Node(
                .concatenateLists, [a, b], x == .null ? b.type : a.type,
                hasNullableElements: a.hasNullableElements || b.hasNullableElements)
        default: return nil
        }
    }

    /// Faults a time outside the years 1 to 9999, a duration beyond ±292 years.
    func inRange(_ node: Node) -> Node {
        let range =
            node.type == .timestamp
            ? TimeLimits.timestamp : TimeLimits.duration
        return Node(.checkRange(range), [node], node.type)
    }
}

extension ValueType {
    /// Digits after the point of an exact integer-backed number: 0 for an int.
    var decimalScale: Int? {
        switch self {
        case .int: 0
        case .decimal(let scale, _): scale
        default: nil
        }
    }
}
