import Columnar
import Dataflow
import Expression
import Primitives

// What each kind of operator says of itself. A new kind has its case in each switch here.

extension Operation {
    /// The word for it in topology files.
    var name: String {
        switch self {
        case .filter: "filter"
        case .select: "select"
        case .lookup: "lookup"
        case .levels: "levels"
        case .distinct: "distinct"
        case .window: "window"
        }
    }

    /// Indices of the table sources that it looks up.
    var tables: [Int] {
        if case .lookup(let table) = self { [table] } else { [] }
    }
}

extension Explainer {
    /// Adds facts, state and doubles of one operator to its node. `rule` is the time rule of the
    /// source that its rows come from.
    func explain(
        _ operation: Operation, origin: SourcePlan, _ rule: TimeRule,
        in node: inout ExplainedNode
    ) {
        switch operation {
        case .filter(let program):
            node.facts.append(
                ExplainedFact("keeps", program.outputs.map(\.text).joined(separator: ", ")))
            node.doubles += doubles(program.outputs)
        case .select(let program): node.doubles += doubles(program.outputs)
        case .lookup(let table):
            let key = origin.schema.fields[origin.keyField].name
            node.facts.append(
                ExplainedFact(
                    "looks up",
                    "\(plan.sources[table].name) by \(key): the newest version not after "
                        + "the row's time"))
        case .levels(let levels): explain(levels, rule, in: &node)
        case .distinct(let distinct):
            node.facts.append(ExplainedFact("order", distinct.order.rawValue))
            node.state += waiting(distinct.order, rule)
            let horizon = DurationText.text(rule.disorder + rule.lateness)
            node.state.append(
                ExplainedState(
                    what: "times seen", per: "key",
                    kept: "\(horizon) of event time: disorder + lateness"))
        case .window(let window): explain(window, rule, in: &node)
        }
    }

    /// What computes each field of a step's output; nil for those that the operator adds or
    /// carries.
    func expressions(_ step: StepPlan) -> [String?] {
        switch step.operation {
        case .select(let program): return program.outputs.map(\.text)
        case .lookup(let table):
            let source = plan.sources[table]
            let names = source.schema.fields.map { "\(source.name).\($0.name)" }
            let carried = step.output.fields.count - names.count
            return Array(repeating: nil, count: carried) + names
        case .window(let window):
            let aggregates = window.aggregates.map { aggregate in
                let inner = aggregate.input.map { window.program.outputs[$0].text } ?? ""
                return "\(aggregate.function.rawValue)(\(inner))"
            }
            let own = step.output.fields.count - aggregates.count
            return Array(repeating: nil, count: own) + aggregates
        case .filter, .levels, .distinct:
            return Array(repeating: nil, count: step.output.fields.count)
        }
    }

    private func doubles(_ expressions: [TypedExpression]) -> [ExplainedDouble] {
        expressions.flatMap { typed in
            typed.doubleConversions.map {
                ExplainedDouble(expression: typed.text, cause: $0.cause)
            }
        }
    }

    /// Rows that wait for their turn, when the order is that of time.
    private func waiting(_ order: RowOrder, _ rule: TimeRule) -> [ExplainedState] {
        guard order == .time else { return [] }
        return [
            ExplainedState(
                what: "rows that wait", per: rule.clock.rawValue,
                kept: "until the watermark has passed them, "
                    + "\(DurationText.text(rule.disorder)) behind the newest")
        ]
    }

    // MARK: levels

    private func explain(
        _ levels: LevelsPlan, _ rule: TimeRule, in node: inout ExplainedNode
    ) {
        let value = levels.program.outputs[0]
        let count = levels.levels.count
        node.facts.append(ExplainedFact("judges", "\(value.text): \(value.type)"))
        for (index, level) in levels.levels.enumerated() {
            let raise = comparison(levels.program.outputs[1 + index], with: value)
            let clear = comparison(levels.program.outputs[1 + count + index], with: value)
            node.facts.append(
                ExplainedFact(level, "raised at \(raise), cleared at \(clear)"))
        }
        var confirm: [String] = []
        if levels.confirmReadings > 1 { confirm.append("\(levels.confirmReadings) readings") }
        if levels.confirmDuration > 0 { confirm.append(DurationText.text(levels.confirmDuration)) }
        if !confirm.isEmpty {
            node.facts.append(
                ExplainedFact("confirm", confirm.joined(separator: ", ")))
        }
        if levels.hold > 0 {
            node.facts.append(ExplainedFact("hold", DurationText.text(levels.hold)))
        }
        node.facts.append(
            ExplainedFact(
                "order", levels.order.rawValue + (levels.judgesTies ? ", ties judged" : "")))
        node.state += waiting(levels.order, rule)
        node.state.append(
            ExplainedState(
                what: "level, episode's start, readings in a row", per: "key",
                kept: "never dropped"))
        node.doubles += doubles(Array(levels.program.outputs[...(2 * count)]))
    }

    /// `>= 0.90` of `(ratio) >= (0.90)`, which the plan builder composed; with the value's unit
    /// beside a number alone.
    private func comparison(
        _ comparison: TypedExpression, with value: TypedExpression
    ) -> String {
        let start = "(\(value.text)) "
        guard comparison.text.hasPrefix(start) else { return comparison.text }
        let rest = comparison.text.dropFirst(start.count)
        guard let space = rest.firstIndex(of: " "), rest.hasSuffix(")") else {
            return String(rest)
        }
        let limit = String(rest[space...].dropFirst(2).dropLast())
        let unit = ExactNumber(limit) == nil ? nil : value.type.unit
        return "\(rest[..<space]) \(limit)" + (unit.map { " \($0.code)" } ?? "")
    }

    // MARK: window

    private func explain(
        _ window: WindowPlan, _ rule: TimeRule, in node: inout ExplainedNode
    ) {
        let size = DurationText.text(window.size)
        let every = DurationText.text(window.every)
        node.facts.append(
            window.size == window.every
                ? ExplainedFact("tumbling", size)
                : ExplainedFact("hopping", "\(size) every \(every)"))
        if window.offset != 0 {
            node.facts.append(
                ExplainedFact("offset", DurationText.text(window.offset)))
        }
        let lateness = DurationText.text(rule.lateness)
        let passed = "until the watermark has passed the window's end by \(lateness)"
        let silent = rule.abandon.map {
            "; after \(DurationText.text($0)) of silence open windows are written as they are"
        }
        node.state.append(
            ExplainedState(
                what: "panes of \(every), their aggregates", per: "key",
                kept: passed + (silent ?? "")))
        node.state.append(
            ExplainedState(
                what: "results written before their windows closed, or corrected", per: "key",
                kept: passed))
        node.doubles += doubles(window.program.outputs)
        for aggregate in window.aggregates where aggregate.function == .mean {
            guard let input = aggregate.input.map({ window.program.outputs[$0] }),
                case .ratio = input.type
            else { continue }
            node.doubles.append(
                ExplainedDouble(expression: "mean(\(input.text))", cause: "mean() of ratios"))
        }
    }
}
