import Columnar
import Primitives

// Comparisons, and making two operands the same type.

extension Checker {
    /// Gives numbers as written the type, and with `takesUnit` the unit, of what stands beside.
    mutating func settleNumbers(_ a: Node, _ b: Node, takesUnit: Bool, _ offset: Int) -> (
        Node, Node
    )? {
        switch (a.number, b.number) {
        case (nil, .some):
            guard let b = settle(b, beside: a.type, takesUnit, offset) else { return nil }
            return (a, b)
        case (.some, nil):
            guard let a = settle(a, beside: b.type, takesUnit, offset) else { return nil }
            return (a, b)
        default: return (a, b)
        }
    }

    /// A number as written takes the type that it has beside a value of `type`.
    mutating func settle(_ node: Node, beside type: ValueType) -> Node? {
        settle(node, beside: type, true, 0)
    }

    private mutating func settle(
        _ node: Node, beside type: ValueType, _ takesUnit: Bool, _ offset: Int
    ) -> Node? {
        guard let number = node.number else { return node }
        let unit = node.type.unit ?? (takesUnit ? type.unit : nil)
        switch type {
        case .decimal, .ratio:
            guard let (units, scale) = number.decimal else {
                return fail(offset, "\(number.text) has more digits than a decimal holds")
            }
            return Node(.constant(.int64(units)), [], .decimal(scale: scale, unit: unit))
        case .int where !number.isDouble && node.type.unit == nil && unit != nil:
            return Node(node.operation, [], .int(unit: unit))
        case .double where number.isDouble && node.type.unit == nil && unit != nil:
            return Node(node.operation, [], .double(unit: unit))
        default: return node
        }
    }

    /// Reports a text that can never stand in the column that it is compared with and is nearly one
    /// that can: it is misspelt.
    mutating func checkKnown(_ node: Node, _ other: Syntax) {
        guard case .column(let column) = node.operation, case .string(let text) = other.kind,
            let (name, texts) = scope.knownTexts(ofColumn: column), !texts.contains(text),
            let near = Suggestion.nearest(text, among: texts)
        else { return }
        _ = fail(
            other.offset, "'\(name)' is never \"\(text)\"", hint: "did you mean \"\(near)\"?")
    }

    mutating func equality(_ isEqual: Bool, _ a: Node, _ b: Node, _ offset: Int) -> Node? {
        if let x = a.typeName, let y = b.typeName {
            return Node(.constant(.bool((x == y) == isEqual)), [], .bool)
        }
        if a.typeName != nil || b.typeName != nil {
            return fail(offset, "a type is compared with a type only")
        }
        switch (a.type, b.type) {
        case (.null, .null): return Node(.constant(.bool(isEqual)), [], .bool)
        case (.null, _): return Node(.isNull(isEqual), [b], .bool, isNullable: false)
        case (_, .null): return Node(.isNull(isEqual), [a], .bool, isNullable: false)
        case (.list, .list), (.map, .map), (.structure, .structure):
            guard areComparable(a.type, b.type) else { return incomparable(a, b, offset) }
            return Node(.equalNested(isEqual: isEqual), [a, b], .bool)
        default: return comparison(isEqual ? .equal : .notEqual, a, b, offset)
        }
    }

    private mutating func incomparable(_ a: Node, _ b: Node, _ offset: Int) -> Node? {
        fail(offset, "\(a.type) and \(b.type) cannot be compared")
    }

    /// Whether values of two types are stored alike; null goes with anything.
    private func areComparable(_ a: ValueType, _ b: ValueType) -> Bool {
        switch (a, b) {
        case (.null, _), (_, .null): true
        case (.list(let x), .list(let y)): areComparable(x, y)
        case (.map(let k, let x), .map(let l, let y)):
            areComparable(k, l) && areComparable(x, y)
        case (.structure(let x), .structure(let y)):
            x.count == y.count
                && zip(x, y).allSatisfy {
                    $0.name == $1.name && areComparable($0.type, $1.type)
                }
        default: a == b
        }
    }

    mutating func comparison(_ op: BinaryOperator, _ a: Node, _ b: Node, _ offset: Int) -> Node? {
        let comparison = Self.comparison(op)
        guard let (a, b) = settleNumbers(a, b, takesUnit: true, offset) else { return nil }
        if a.type.isNumeric, b.type.isNumeric {
            guard sameUnit(a, b, op.rawValue, offset) else { return nil }
            return numericComparison(comparison, op, a, b, offset)
        }
        guard a.type == b.type else { return incomparable(a, b, offset) }
        switch a.type {
        case .bool: return Node(.compareBool(comparison), [a, b], .bool)
        case .string, .bytes: return Node(.compareBytes(comparison), [a, b], .bool)
        case .timestamp, .duration: return Node(.compareInt64(comparison), [a, b], .bool)
        default:
            return fail(offset, "'\(op.rawValue)' is not defined for \(a.type)")
        }
    }

    private static func comparison(_ op: BinaryOperator) -> Comparison {
        switch op {
        case .equal: .equal
        case .notEqual: .notEqual
        case .less: .less
        case .lessOrEqual: .lessOrEqual
        case .greater: .greater
        default: .greaterOrEqual
        }
    }

    private mutating func numericComparison(
        _ comparison: Comparison, _ op: BinaryOperator, _ a: Node, _ b: Node, _ offset: Int
    ) -> Node? {
        switch (a.type, b.type) {
        case (.double, .double): return Node(.compareDouble(comparison), [a, b], .bool)
        case (.double, _), (_, .double): return mixedDouble(op.rawValue, a, b, offset)
        case (.ratio, _), (_, .ratio):
            return Node(.compareRatio(comparison, divisor(a), divisor(b)), [a, b], .bool)
        default:
            let (x, y) = (a.type.decimalScale ?? 0, b.type.decimalScale ?? 0)
            if x == y { return Node(.compareInt64(comparison), [a, b], .bool) }
            let scale = max(x, y)
            // A constant that fits the other's scale is scaled now, and rows compare directly.
            if let scaled = scaledConstant(b, by: scale - y) {
                return Node(.compareInt64(comparison), [a, scaled], .bool)
            }
            if let scaled = scaledConstant(a, by: scale - x) {
                return Node(.compareInt64(comparison), [scaled, b], .bool)
            }
            return Node(
                .compareScaled(
                    comparison, Decimal.powerOfTen(scale - x), Decimal.powerOfTen(scale - y)),
                [a, b], .bool)
        }
    }

    /// A constant with `power` more digits after the point; nil when it is none or does not fit.
    func scaledConstant(_ node: Node, by power: Int) -> Node? {
        guard power > 0, case .constant(.int64(let units)) = node.operation,
            let scale = node.type.decimalScale
        else { return nil }
        let (product, overflow) = units.multipliedReportingOverflow(by: Decimal.powerOfTen(power))
        let type = ValueType.decimal(scale: scale + power, unit: node.type.unit)
        return overflow ? nil : Node(.constant(.int64(product)), [], type)
    }

    /// Both operands in one type: for `?:`, list elements, min and max.
    mutating func unify(_ a: Node, _ b: Node, _ what: String, _ offset: Int) -> (Node, Node)? {
        guard let (a, b) = settleNumbers(a, b, takesUnit: true, offset) else { return nil }
        if a.type == b.type { return (a, b) }
        switch (a.type, b.type) {
        case (.null, _):
            return (Node(.constant(.null(b.type)), [], b.type, isNullable: true), b)
        case (_, .null):
            return (a, Node(.constant(.null(a.type)), [], a.type, isNullable: true))
        case (.list, .list), (.map, .map):
            guard let type = merged(a.type, b.type) else { break }
            return (retyped(a, type), retyped(b, type))
        default: break
        }
        if a.type.isNumeric, b.type.isNumeric {
            guard sameUnit(a, b, what, offset) else { return nil }
            let unit = a.type.unit ?? b.type.unit
            switch (a.type, b.type) {
            case (.double, _), (_, .double):
                _ = mixedDouble(what, a, b, offset)
                return nil
            case (.ratio(let x, _), .ratio(let y, _)):
                let type = ValueType.ratio(scale: max(x, y), unit: unit)
                return (retyped(a, type), retyped(b, type))
            case (.ratio(let scale, _), _):
                return (a, ratio(b, .ratio(scale: scale, unit: unit)))
            case (_, .ratio(let scale, _)):
                return (ratio(a, .ratio(scale: scale, unit: unit)), b)
            case (.int, .int): return (a, retyped(b, a.type))
            default:
                let scale = max(a.type.decimalScale ?? 0, b.type.decimalScale ?? 0)
                let type = ValueType.decimal(scale: scale, unit: unit)
                return (retyped(rescaled(a, scale), type), retyped(rescaled(b, scale), type))
            }
        }
        _ = fail(offset, "\(what) must have one type, not \(a.type) and \(b.type)")
        return nil
    }

    private func ratio(_ node: Node, _ type: ValueType) -> Node {
        Node(.int64ToRatio(divisor(node) ?? 1), [node], type)
    }

    /// The same node under a type of the same storage.
    func retyped(_ node: Node, _ type: ValueType) -> Node {
        if node.type == type { return node }
        return Node(
            node.operation, node.arguments, type, isNullable: node.isNullable,
            hasNullableElements: node.hasNullableElements)
    }

    /// One type for two that differ in parts which are empty or null only.
    private func merged(_ a: ValueType, _ b: ValueType) -> ValueType? {
        switch (a, b) {
        case (.null, _): return b
        case (_, .null): return a
        case (.list(let x), .list(let y)): return merged(x, y).map { .list($0) }
        case (.map(let k, let x), .map(let l, let y)):
            guard let key = merged(k, l), let value = merged(x, y) else { return nil }
            return .map(key: key, value: value)
        default: return a == b ? a : nil
        }
    }
}
