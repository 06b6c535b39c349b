import Columnar
import Dataflow
import Expression
import Primitives

extension PlanBuilder {
    func plan(_ window: WindowSpec, _ step: StepSpec, _ input: Stream) -> Stream? {
        checkAbandon(step, input)
        let scope = scope(input)
        var inputs: [TypedExpression] = []
        var indexes: [String: Int] = [:]
        var aggregates: [AggregatePlan] = []
        var fields = [
            PlanBuilder.carried(input.key), Field("windowStart", .timestamp),
            Field("windowEnd", .timestamp),
        ]
        var isWhole = true
        for aggregate in window.aggregates {
            let name = aggregate.name.value
            if ["windowStart", "windowEnd", input.key.name].contains(name) {
                collector.report(
                    "a window's result has a field '\(name)' already",
                    at: aggregate.name.location, hint: "give the aggregate another name")
                isWhole = false
            }
            guard let text = aggregate.input else {
                aggregates.append(AggregatePlan(function: aggregate.function, input: nil))
                fields.append(Field(name, .int))
                continue
            }
            guard let typed = check(text, in: scope),
                let type = outputType(aggregate.function, of: typed.type, at: text)
            else {
                isWhole = false
                continue
            }
            let use = (aggregate.function == .leq ? "leq " : "") + text.canonical
            let index = indexes[use] ?? inputs.count
            if index == inputs.count { inputs.append(aggregated(aggregate.function, typed)) }
            indexes[use] = index
            aggregates.append(AggregatePlan(function: aggregate.function, input: index))
            fields.append(Field(name, type, isNullable: aggregate.function != .count))
        }
        guard isWhole else { return nil }
        let plan = WindowPlan(
            grid: window.grid, program: Program(inputs), aggregates: aggregates,
            takesCorrections: input.isWindowed)
        return append(step.name.value, .window(plan), input, fields: fields, isWindowed: true)
    }

    /// Under key clocks a silent key's windows would stay open for ever.
    private func checkAbandon(_ step: StepSpec, _ input: Stream) {
        guard input.rule.clock == .key, input.rule.abandon == nil else { return }
        let name = sources[input.source].name
        var place = fileLocation
        for source in spec.sources where source.name.value == name {
            if case .stream(let time) = source.role { place = time.location }
        }
        collector.report(
            "'time' of source '\(name)' needs 'abandon': step '\(step.name.value)' is a window "
                + "under key clocks", at: place,
            hint: "such as 'abandon: 1h': how long a silent key's windows stay open")
    }

    /// The type of an aggregate's result, or nil after a diagnostic.
    private func outputType(
        _ function: AggregateFunction, of type: ValueType, at text: ExpressionText
    ) -> ValueType? {
        func refuse(_ hint: String) -> ValueType? {
            collector.report(
                "\(function.rawValue)() does not take \(type)", at: text.location, hint: hint)
            return nil
        }
        switch function {
        case .count: return .int
        case .first, .last:
            switch type {
            case .null: return refuse("name a field")
            case .list, .map, .structure: return refuse("a single value, such as a member of it")
            default: return type
            }
        case .min, .max:
            switch type {
            case .timestamp, .duration, .string: return type
            default:
                return type.isNumeric ? type : refuse("a number, timestamp, duration or string")
            }
        case .sum:
            switch type {
            case .int, .double, .decimal: return type
            case .ratio: return refuse("round(x, n) makes a decimal of a quotient")
            default: return refuse("a number")
            }
        case .mean:
            switch type {
            case .int(let unit): return .ratio(scale: 3, unit: unit)
            case .decimal(let scale, let unit):
                return .ratio(scale: Swift.min(scale + 3, Decimal.maximumScale), unit: unit)
            case .double: return type
            case .ratio(_, let unit): return .double(unit: unit)
            default: return refuse("a number")
            }
        case .leq, .stddev, .timeMean: return statisticType(function, of: type, refuse)
        }
    }

    private func statisticType(
        _ function: AggregateFunction, of type: ValueType, _ refuse: (String) -> ValueType?
    ) -> ValueType? {
        let exactHint = "a decimal or int; round(x, 1) makes a decimal"
        switch (function, type) {
        case (.leq, .int(let unit)), (.leq, .decimal(_, let unit)):
            if let unit, !unit.code.hasPrefix("dB") {
                return refuse("sound levels in decibels, such as decimal(1) dB[SPL]")
            }
            let scale = PlanBuilder.scale(type)
            guard scale <= SoundLevel.maximumScale else {
                return refuse("at most \(SoundLevel.maximumScale) digits; round(x, 1)")
            }
            return .decimal(scale: Swift.max(scale, 3), unit: unit)
        case (.stddev, .int(let unit)): return .decimal(scale: 3, unit: unit)
        case (.stddev, .decimal(let scale, let unit)):
            return .decimal(scale: Swift.min(scale + 3, Decimal.maximumScale), unit: unit)
        case (.stddev, .double(let unit)), (.stddev, .ratio(_, let unit)):
            return .double(unit: unit)
        case (.timeMean, .int(let unit)): return .ratio(scale: 3, unit: unit)
        case (.timeMean, .decimal(let scale, let unit)):
            return .ratio(scale: Swift.min(scale + 3, Decimal.maximumScale), unit: unit)
        case (.timeMean, .double): return type
        case (.leq, .double), (.leq, .ratio), (.timeMean, .ratio): return refuse(exactHint)
        default: return refuse("a number")
        }
    }

    private static func scale(_ type: ValueType) -> Int {
        if case .decimal(let scale, _) = type { scale } else { 0 }
    }

    /// The program's input for an aggregate: sound levels beyond what there is are row faults.
    private func aggregated(
        _ function: AggregateFunction, _ typed: TypedExpression
    ) -> TypedExpression {
        guard function == .leq else { return typed }
        let unit = Decimal.powerOfTen(PlanBuilder.scale(typed.type))
        return typed.limited(to: SoundLevel.lowest * unit...SoundLevel.highest * unit)
    }
}
