import Columnar
import Dataflow
import Expression
import Primitives

extension PlanBuilder {
    /// A limit of a ladder, checked by itself.
    private struct Limit {
        var text: ExpressionText
        /// The number, when it is a literal.
        var literal: ExactNumber?
        /// Its type, when it is none.
        var type: ValueType?
    }

    /// The one type that all limits of a ladder come out in.
    private enum LimitForm {
        case int, double
        case decimal(scale: Int)
        case ratio(scale: Int)

        func type(unit: Unit?) -> ValueType {
            switch self {
            case .int: .int(unit: unit)
            case .double: .double(unit: unit)
            case .decimal(let scale): .decimal(scale: scale, unit: unit)
            case .ratio(let scale): .ratio(scale: scale, unit: unit)
            }
        }
    }

    func plan(_ levels: LevelsSpec, _ step: StepSpec, _ input: Stream) -> Stream? {
        let scope = scope(input)
        let isFree = checkFreeNames(
            ["level", "previous", "event", "value", "limit", "since"], in: input.schema,
            operation: "levels", at: step.from.location)
        guard let value = check(levels.of, in: scope) else { return nil }
        guard value.type.isNumeric else {
            collector.report(
                "'of' must be a number, this is \(value.type)", at: levels.of.location,
                hint: "levels compare a quantity with limits")
            return nil
        }
        checkLadder(levels)
        let limits = (levels.raise + levels.clear).compactMap {
            limit($0.expression, in: scope)
        }
        guard limits.count == levels.raise.count * 2, isFree,
            let form = form(limits, of: value.type),
            let program = program(levels, value, limits, form, scope)
        else { return nil }
        var fields = input.schema.fields.map(PlanBuilder.carried)
        fields += [
            Field("level", .string), Field("previous", .string), Field("event", .string),
            Field("value", value.type, isNullable: value.isNullable),
            Field("limit", form.type(unit: value.type.unit)), Field("since", .timestamp),
        ]
        let plan = LevelsPlan(
            levels: levels.raise.map(\.name.value), program: program,
            confirmReadings: levels.confirmReadings, confirmDuration: levels.confirmDuration,
            hold: levels.hold, order: levels.order, judgesTies: levels.judgesTies)
        return append(step.name.value, .levels(plan), input, fields: fields)
    }

    /// Whether an operator's own output names are free in its input; a diagnostic if not.
    func checkFreeNames(
        _ names: [String], in schema: Schema, operation: String, at place: SourceLocation
    ) -> Bool {
        let taken = schema.fields.map(\.name).filter { names.contains($0) }
        if taken.isEmpty { return true }
        collector.report(
            "\(operation) adds \(taken.map { "'\($0)'" }.joined(separator: ", ")), which the input "
                + "has already", at: place,
            hint: "rename the input's field in a select step before this one")
        return false
    }

    /// Constant limits must rise from level to level, and clear on the right side of raise.
    private func checkLadder(_ levels: LevelsSpec) {
        func isOrdered(_ a: ExactNumber, _ b: ExactNumber) -> Bool {
            levels.isAbove ? a < b : b < a
        }
        let (order, side) = levels.isAbove ? ("rise", "above") : ("fall", "below")
        for (name, limits, isStrict) in [
            ("raise", levels.raise, true), ("clear", levels.clear, false),
        ] where name == "raise" || levels.hasOwnClear {
            for (lower, upper) in zip(limits, limits.dropFirst()) {
                guard let a = lower.expression.literal, let b = upper.expression.literal,
                    !isOrdered(a, b), isStrict || a != b
                else { continue }
                collector.report(
                    "'\(name)' limits must \(order) from level to level: "
                        + "\(upper.name.value) \(upper.expression.canonical) after "
                        + "\(lower.name.value) \(lower.expression.canonical)",
                    at: upper.expression.location,
                    hint: "write the lowest level first; for limits that fall, say "
                        + "'direction: \(levels.isAbove ? "below" : "above")'")
            }
        }
        for (raise, clear) in zip(levels.raise, levels.clear) {
            guard let a = raise.expression.literal, let b = clear.expression.literal,
                isOrdered(a, b)
            else { continue }
            collector.report(
                "'clear' of \(raise.name.value) is \(side) its 'raise': "
                    + "\(clear.expression.canonical) \(side) \(raise.expression.canonical)",
                at: clear.expression.location,
                hint: "a level that is raised would clear at once; move it to the other side")
        }
    }

    private func limit(_ text: ExpressionText, in scope: Scope) -> Limit? {
        if let literal = text.literal { return Limit(text: text, literal: literal) }
        guard let typed = check(text, in: scope) else { return nil }
        guard typed.type.isNumeric else {
            collector.report(
                "a limit must be a number, this is \(typed.type)", at: text.location,
                hint: "a constant, or a numeric expression")
            return nil
        }
        return Limit(text: text, type: typed.type)
    }

    private func form(_ limits: [Limit], of value: ValueType) -> LimitForm? {
        var scale = 0
        var ratioScales: Set<Int> = []
        var hasDouble = if case .double = value { true } else { false }
        var isInt = if case .int = value { true } else { false }
        for limit in limits {
            switch limit.type {
            case .double: hasDouble = true
            case .ratio(let digits, _): ratioScales.insert(digits)
            case .decimal(let digits, _):
                scale = max(scale, digits)
                isInt = false
            default: break
            }
            if let literal = limit.literal { scale = max(scale, literal.scale) }
        }
        if hasDouble { return .double }
        if ratioScales.isEmpty {
            guard scale <= Decimal.maximumScale else {
                return refuse(limits, "a limit has more than 18 digits after the point")
            }
            return isInt && scale == 0 ? .int : .decimal(scale: scale)
        }
        let allRatios = limits.allSatisfy { limit in
            if case .ratio = limit.type { true } else { false }
        }
        if allRatios, ratioScales.count == 1, let scale = ratioScales.first {
            return .ratio(scale: scale)
        }
        return refuse(limits, "the limits are of different types, some of them quotients")
    }

    private func refuse(_ limits: [Limit], _ message: String) -> LimitForm? {
        let place = limits.first { if case .ratio = $0.type { true } else { false } } ?? limits[0]
        collector.report(
            message, at: place.text.location, hint: "write them as round(x, n), all with one n")
        return nil
    }

    /// The text that computes a limit in the form of all limits; nil after a diagnostic.
    private func lowered(_ limit: Limit, _ form: LimitForm) -> String? {
        let text = limit.text.canonical
        switch (form, limit.literal) {
        case (.int, _), (.ratio, _): return "(\(text))"
        case (.double, _?): return "double(\(text))"
        case (.double, nil):
            if case .double = limit.type { return "(\(text))" }
            return "double(\(text))"
        case (.decimal(let scale), let literal?):
            guard let padded = literal.text(scale: scale) else {
                collector.report(
                    "'\(text)' has too many digits", at: limit.text.location,
                    hint: "at most 18 in all")
                return nil
            }
            return "decimal(\(padded), \(scale))"
        case (.decimal(let scale), nil):
            if case .decimal(scale, _) = limit.type { return "(\(text))" }
            return "decimal(\(text), \(scale))"
        }
    }

    /// The text of a limit as it stands beside the value. A literal beside a decimal or quotient
    /// takes its type and unit; beside an int or a double it must be given them.
    private func beside(_ value: ValueType, _ limit: Limit, _ form: LimitForm) -> String {
        let text = limit.text.canonical
        guard let literal = limit.literal, limit.text.isBareNumber else { return text }
        switch (form, value) {
        case (.decimal(let scale), .int(let unit)):
            let digits = literal.text(scale: scale) ?? text
            let quantity = unit.map { "quantity(\(digits), \"\($0.code)\")" } ?? digits
            return "decimal(\(quantity), \(scale))"
        case (.decimal(let scale), _): return literal.text(scale: scale) ?? text
        case (.double, .double): return text.contains { ".eE".contains($0) } ? text : text + ".0"
        default: return text
        }
    }

    /// How the value is compared with a limit; clearing is the opposite of raising, so that without
    /// a limit of its own a level falls as soon as it would not be raised.
    private func sign(_ levels: LevelsSpec, raises: Bool) -> String {
        switch (levels.isAbove == raises, levels.isStrict == raises) {
        case (true, true): ">"
        case (true, false): ">="
        case (false, true): "<"
        case (false, false): "<="
        }
    }

    private func program(
        _ levels: LevelsSpec, _ value: TypedExpression, _ limits: [Limit], _ form: LimitForm,
        _ scope: Scope
    ) -> Program? {
        let of = levels.of.canonical
        let count = levels.raise.count
        var comparisons: [TypedExpression] = []
        var outputs: [TypedExpression] = []
        for (index, limit) in limits.enumerated() {
            // What is wrong with raise is mostly wrong with clear too: said once.
            if index == count, comparisons.count < count { return nil }
            let sign = sign(levels, raises: index < count)
            let side = beside(value.type, limit, form)
            guard
                let comparison = check(
                    composed: "(\(of)) \(sign) (\(side))", in: scope, part: limit.text),
                let text = lowered(limit, form),
                let output = check(composed: text, in: scope, part: limit.text)
            else { continue }
            comparisons.append(comparison)
            outputs.append(output)
        }
        guard comparisons.count == limits.count else { return nil }
        return Program([value] + comparisons + outputs)
    }
}
