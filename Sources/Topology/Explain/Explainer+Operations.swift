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
        case .otherwise: "otherwise"
        case .select: "select"
        case .lookup, .rules: "lookup"
        case .union: "union"
        case .rekey: "rekey"
        case .levels: "levels"
        case .distinct: "distinct"
        case .window: "window"
        case .machine: "machine"
        }
    }

    /// Where its rows come from; `first` is the step's own input.
    func inputs(_ first: Upstream) -> [Upstream] {
        if case .union(let union) = self { union.inputs.map(\.upstream) } else { [first] }
    }

    /// Indices of the table sources that it looks up.
    var tables: [Int] {
        if case .lookup(let lookup) = self { [lookup.table] } else { [] }
    }

    /// The time rule of the rows that it emits, from those of its inputs: key clocks end where
    /// several clocks meet.
    func rule(_ rule: (Upstream) -> TimeRule?, _ first: Upstream) -> TimeRule? {
        guard var result = rule(first) else { return nil }
        switch self {
        case .union(let union):
            result.clock = .partition
            result.lateness =
                union.inputs.compactMap { rule($0.upstream)?.lateness }.max() ?? result.lateness
        case .lookup(let lookup) where lookup.awaits: result.clock = .partition
        default: break
        }
        return result
    }
}

extension Explainer {
    /// Adds facts, state and doubles of one operator to its node; `index` is its step's. `rule` is
    /// the time rule of its rows, `origin` the source that they come from.
    func explain(
        _ operation: Operation, _ index: Int, origin: SourcePlan, _ rule: TimeRule,
        in node: inout ExplainedNode
    ) {
        switch operation {
        case .filter(let program):
            node.add("keeps", text(program))
            node.doubles += doubles(program.outputs)
        case .otherwise(let program): node.add("keeps", "the other rows of \(text(program))")
        case .select(let program): node.doubles += doubles(program.outputs)
        case .lookup(let lookup): explain(lookup, origin, in: &node)
        case .rules(let rules): explain(rules, in: &node)
        case .union(let union):
            node.add("joins", "\(union.inputs.count) streams by event time; the least watermark")
        case .rekey(let field): explainRekey(index, field, in: &node)
        case .levels(let levels): explain(levels, rule, in: &node)
        case .distinct(let distinct):
            node.add("order", distinct.order.rawValue)
            node.state += waiting(distinct.order, rule)
            node.state.append(
                ExplainedState(
                    what: "times seen", per: "key",
                    kept: "until the watermark has passed them by "
                        + DurationText.text(rule.lateness)))
        case .window(let window): explain(window, rule, in: &node)
        case .machine(let machine): explain(machine, rule, in: &node)
        }
    }

    /// What computes each field of a step's output; nil for those that the operator adds or
    /// carries.
    func expressions(_ step: StepPlan) -> [String?] {
        switch step.operation {
        case .select(let program): return program.outputs.map(\.text)
        case .lookup(let lookup):
            let source = plan.sources[lookup.table]
            let names = source.schema.fields.map { "\(source.name).\($0.name)" }
            let carried = step.output.fields.count - names.count
            return Array(repeating: nil, count: carried) + names
        case .rules(let rules):
            let names = rules.values.map { "\(rules.name).\($0.name)" }
            return Array(repeating: nil, count: step.output.fields.count - names.count) + names
        case .window(let window):
            let aggregates = window.aggregates.map { aggregate in
                let inner = aggregate.input.map { window.program.outputs[$0].text } ?? ""
                return "\(aggregate.function.rawValue)(\(inner))"
            }
            let own = step.output.fields.count - aggregates.count
            return Array(repeating: nil, count: own) + aggregates
        case .filter, .otherwise, .union, .rekey, .levels, .distinct, .machine:
            return Array(repeating: nil, count: step.output.fields.count)
        }
    }

    private func text(_ program: Program) -> String {
        program.outputs.map(\.text).joined(separator: ", ")
    }

    func doubles(_ expressions: [TypedExpression]) -> [ExplainedDouble] {
        expressions.flatMap { typed in
            typed.doubleConversions.map {
                ExplainedDouble(expression: typed.text, cause: $0.cause)
            }
        }
    }

    /// Rows that wait for their turn, when the order is that of time.
    func waiting(_ order: RowOrder, _ rule: TimeRule) -> [ExplainedState] {
        guard order == .time else { return [] }
        return [
            ExplainedState(
                what: "rows that wait", per: rule.clock == .key ? "key" : "partition",
                kept: "until the watermark has passed them")
        ]
    }

    // MARK: lookup, rekey

    private func explain(_ rules: RulesPlan, in node: inout ExplainedNode) {
        let asked = zip(rules.scope, rules.program.outputs).map { "\($0.name) = \($1.text)" }
        node.add(
            "looks up",
            "rules \(rules.file) (\(rules.rows.count) rows) by \(asked.joined(separator: ", ")):"
                + " the one that holds at the row's time")
        node.doubles += doubles(rules.program.outputs)
    }

    private func explain(
        _ lookup: LookupPlan, _ origin: SourcePlan, in node: inout ExplainedNode
    ) {
        let table = plan.sources[lookup.table].name
        let key = lookup.key.map(text) ?? origin.schema.fields[origin.keyField].name
        node.add("looks up", "\(table) by \(key): the newest version not after the row's time")
        if let program = lookup.key { node.doubles += doubles(program.outputs) }
        guard lookup.awaits else { return }
        node.state.append(
            ExplainedState(
                what: "rows that wait", per: "partition",
                kept: "until the watermarks of the stream and of \(table) have passed them"))
    }

    private func explainRekey(_ index: Int, _ field: Int, in node: inout ExplainedNode) {
        let step = plan.steps[index]
        node.add("new key", step.output.fields[field].name)
        guard let rekey = plan.rekeys.first(where: { $0.input == .step(index) }) else { return }
        node.add("topic", rekey.topic)
        node.add("stage", "what follows runs in tasks of its own, under the senders' watermarks")
        node.state.append(
            ExplainedState(what: "watermark", per: "sending task", kept: "never dropped"))
    }

    // MARK: levels

    private func explain(
        _ levels: LevelsPlan, _ rule: TimeRule, in node: inout ExplainedNode
    ) {
        let value = levels.program.outputs[0]
        let count = levels.levels.count
        node.add("judges", "\(value.text): \(value.type)")
        for (index, level) in levels.levels.enumerated() {
            let raise = comparison(levels.program.outputs[1 + index], with: value)
            let clear = comparison(levels.program.outputs[1 + count + index], with: value)
            node.add(level, "raised at \(raise), cleared at \(clear)")
        }
        var confirm: [String] = []
        if levels.confirmReadings > 1 { confirm.append("\(levels.confirmReadings) readings") }
        if levels.confirmDuration > 0 { confirm.append(DurationText.text(levels.confirmDuration)) }
        if !confirm.isEmpty { node.add("confirm", confirm.joined(separator: ", ")) }
        if levels.hold > 0 { node.add("hold", DurationText.text(levels.hold)) }
        node.add("order", levels.order.rawValue + (levels.judgesTies ? ", ties judged" : ""))
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

    /// Says how a window cuts time; returns the length of a pane in words.
    private func explain(_ grid: WindowGrid, in node: inout ExplainedNode) -> String {
        switch grid {
        case .fixed(let size, let every, let offset):
            let (length, pane) = (DurationText.text(size), DurationText.text(every))
            if size == every {
                node.add("tumbling", length)
            } else {
                node.add("hopping", "\(length) every \(pane)")
            }
            if offset != 0 { node.add("offset", DurationText.text(offset)) }
            return pane
        case .calendar(let calendar):
            node.add("calendar", "\(calendar.unit.rawValue), \(calendar.zone.name)")
            if calendar.offset != 0 { node.add("offset", DurationText.text(calendar.offset)) }
            return "a \(calendar.unit.rawValue)"
        }
    }

    private func explain(
        _ window: WindowPlan, _ rule: TimeRule, in node: inout ExplainedNode
    ) {
        let every = explain(window.grid, in: &node)
        let passed =
            "until the watermark has passed the window's end by \(DurationText.text(rule.lateness))"
        let silent = rule.abandon.map {
            "; after \(DurationText.text($0)) of silence open windows are written as they are"
        }
        node.state.append(
            ExplainedState(
                what: "panes of \(every), their aggregates", per: "key",
                kept: passed + (rule.clock == .key ? silent ?? "" : "")))
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
