import Primitives

/// Values that an expression may name.
struct ReferenceScope {
    var fields: [ReferenceExpression] = []
    private(set) var nullable: Set<ReferenceExpression> = []

    init(_ name: String, _ fields: [ReferenceField]) {
        for field in fields {
            add(.field(field.name, text: "\(name).\(field.name)", field.type), field)
        }
    }

    mutating func add(_ table: ReferenceSource) {
        for field in table.fields.dropFirst(2) {
            let name = "\(table.name).\(field.name)"
            add(.field(name, text: name, field.type), field)
        }
    }

    private mutating func add(_ expression: ReferenceExpression, _ field: ReferenceField) {
        fields.append(expression)
        if field.isNullable { nullable.insert(expression) }
    }
}

extension ReferenceGenerator {
    /// A literal that fits beside a value of a type.
    private mutating func literal(beside type: ReferenceType) -> ReferenceExpression {
        if type == .int { return .literal("\(random.int(in: 0...5))", .int) }
        let scale = random.int(in: 1...2)
        let number = ReferenceNumber(
            units: random.int(in: 0...20) * (scale == 1 ? 5 : 25), scale: scale)
        return .literal(number.text(scale: scale), .decimal(scale))
    }

    /// A numeric expression; never of literals alone.
    mutating func numeric(_ scope: ReferenceScope, depth: Int) -> ReferenceExpression {
        let fields = scope.fields.filter { $0.type.isNumeric && $0.type != .number }
        let decimals = fields.filter { if case .decimal = $0.type { true } else { false } }
        let curve = scope.fields.first { $0.type == .curve }
        if let curve, !decimals.isEmpty, chance(40) {
            return .interpolate(curve, pick(decimals), .ratio(5))
        }
        guard !fields.isEmpty else {
            // Nothing numeric: compare what there is, and choose between two literal sums.
            return .choice(
                .isNull(scope.fields[0], true), .literal("1", .int), .literal("2", .int))
        }
        if depth == 0 || chance(35) { return pick(fields) }
        if chance(15) {
            let value = pick(fields)
            return .choice(condition(scope), value, .literal("null", value.type))
        }
        let left = numeric(scope, depth: depth - 1)
        let right =
            chance(50) ? literal(beside: left.type) : numeric(scope, depth: depth - 1)
        if left.type.isRatio, right.type.isRatio { return left }
        let result = ReferenceExpression.arithmetic(pick(["+", "-", "*", "/"]), left, right)
        return result.type.scale > 9 ? left : result
    }

    /// Any value of the scope that JSON can show.
    mutating func anything(_ scope: ReferenceScope) -> ReferenceExpression {
        chance(30)
            ? condition(scope, depth: 1) : pick(scope.fields.filter { $0.type != .curve })
    }

    /// A condition that is never null.
    private mutating func condition(_ scope: ReferenceScope) -> ReferenceExpression {
        let field = pick(scope.fields.filter { $0.type != .curve })
        if scope.nullable.contains(field) || !field.type.isNumeric || field.type == .number {
            return .isNull(field, chance(50))
        }
        return .comparison(
            pick(["<", "<=", ">", ">=", "==", "!="]), field, literal(beside: field.type))
    }

    /// A condition, null where its operands are.
    mutating func condition(_ scope: ReferenceScope, depth: Int) -> ReferenceExpression {
        if depth > 0, chance(40) {
            let (a, b) = (condition(scope, depth: depth - 1), condition(scope, depth: depth - 1))
            return chance(50) ? .and(a, b) : chance(80) ? .or(a, b) : .not(a)
        }
        let texts = scope.fields.filter { $0.type == .string }
        if !texts.isEmpty, chance(20) {
            return .comparison(pick(["==", "!=", "<"]), pick(texts), .text(pick(["x", "y", "A"])))
        }
        if chance(15) { return condition(scope) }
        let left = numeric(scope, depth: 1)
        let right = chance(70) ? literal(beside: left.type) : numeric(scope, depth: 0)
        return .comparison(pick(["<", "<=", ">", ">=", "==", "!="]), left, right)
    }
}
