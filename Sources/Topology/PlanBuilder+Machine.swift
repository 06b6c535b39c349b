import Columnar
import Dataflow
import Expression
import Primitives

extension PlanBuilder {
    /// What the expressions of one machine see.
    private struct MachineScope {
        /// The event's fields, then `machine.state`, `machine.since` and the variables.
        var scope: Scope
        /// Number of the event's fields.
        var eventWidth: Int
        var states: [String]
    }

    func plan(_ machine: MachineSpec, _ step: StepSpec, _ input: Stream) -> Stream? {
        let count = collector.count
        let variables = machine.remember.compactMap { variable($0) }
        checkNames(machine, step, input)
        checkStates(machine)
        checkClocks(machine, input)
        let own = [Field("state", .string), Field("since", .timestamp)]
        let remembered = machine.remember.map {
            Field($0.name.value, $0.type, isNullable: $0.isNullable)
        }
        var place = MachineScope(
            scope: scope(input), eventWidth: input.schema.fields.count,
            states: machine.states.map(\.value))
        place.scope.add(
            Schema(name: "machine", fields: own + remembered), qualifier: "machine",
            firstColumn: place.eventWidth,
            knownTexts: { $0 == 0 ? machine.states.map(\.value) : nil })
        let transitions = machine.transitions.compactMap { transition($0, machine, place) }
        let invariants = machine.invariants.compactMap { invariant($0, place) }
        let deadlines = machine.deadlines.compactMap { deadline($0, place) }
        guard collector.count == count,
            let initial = place.states.firstIndex(of: machine.initial.value)
        else { return nil }
        let plan = MachinePlan(
            order: machine.order, states: place.states, initial: initial, variables: variables,
            transitions: transitions, invariants: invariants, deadlines: deadlines,
            unexpected: machine.unexpected)
        checkReach(plan, machine)
        checkCover(plan, machine)
        guard collector.count == count else { return nil }
        var fields = input.schema.fields.map(PlanBuilder.carried)
        fields += [
            Field("state", .string), Field("previous", .string), Field("event", .string),
            Field("name", .string, isNullable: true), Field("since", .timestamp),
        ]
        let personal = personalVariables(plan, input)
        for (index, var field) in remembered.enumerated() {
            field.isPersonal = personal.contains(index)
            fields.append(field)
        }
        return append(step.name.value, .machine(plan), input, fields: fields)
    }

    // MARK: Names and states

    private func checkNames(_ machine: MachineSpec, _ step: StepSpec, _ input: Stream) {
        let own = ["state", "previous", "event", "name", "since"]
        _ = checkFreeNames(
            own, in: input.schema, operation: "machine", at: step.from.location)
        if input.qualifier == "machine" {
            collector.report(
                "a machine cannot read '\(input.qualifier)': expressions need that name",
                at: step.from.location, hint: "rename the source or step")
        }
        var taken: [String: SourceLocation] = [:]
        for variable in machine.remember {
            let name = variable.name.value
            if own.contains(name) || input.schema.index(of: name) != nil {
                collector.report(
                    "variable '\(name)' has the name of another field that comes out",
                    at: variable.name.location, hint: "rename the variable")
            } else if taken[name] != nil {
                collector.report(
                    "variable '\(name)' stands twice", at: variable.name.location,
                    hint: "rename one")
            }
            taken[name] = variable.name.location
        }
        var rules: [String: SourceLocation] = [:]
        for name in machine.invariants.map(\.name) + machine.deadlines.map(\.name) {
            if let first = rules[name.value] {
                collector.report(
                    "'\(name.value)' is the name of two rules", at: name.location,
                    hint: "it stands on line \(first.line) too; rename one")
            }
            rules[name.value] = name.location
        }
        let set = Set(machine.transitions.flatMap { $0.set.map(\.name.value) })
        for variable in machine.remember where !set.contains(variable.name.value) {
            collector.report(
                "nothing sets variable '\(variable.name.value)'", at: variable.name.location,
                hint: "set it in a transition: 'set: {\(variable.name.value): …}', or remove it")
        }
    }

    private func checkStates(_ machine: MachineSpec) {
        var known: Set<String> = []
        for state in machine.states {
            if !NameRules.isLabel(state.value) || state.value == "any" {
                collector.report(
                    "'\(state.value)' is not a name of a state", at: state.location,
                    hint: "letters, digits, '_' and '-'; not 'any'")
            } else if !known.insert(state.value).inserted {
                collector.report(
                    "state '\(state.value)' stands twice", at: state.location, hint: "remove one")
            }
        }
        var used = [machine.initial]
        for transition in machine.transitions {
            used += (transition.from ?? []) + [transition.to].compactMap(\.self)
        }
        for deadline in machine.deadlines {
            used += (deadline.states ?? []) + [deadline.to].compactMap(\.self)
        }
        for state in used where !known.contains(state.value) {
            collector.report(
                "there is no state '\(state.value)'", at: state.location,
                hint: Suggestion.hint(
                    for: state.value, in: machine.states.map(\.value), kind: "states"))
        }
    }

    /// Rows that wait for a clock that never moves would be counted as absent.
    private func checkClocks(_ machine: MachineSpec, _ input: Stream) {
        let rule = input.rule
        guard machine.order == .time, rule.clock != .carried,
            let deadline = machine.deadlines.first(where: { $0.clock == .tick })
        else { return }
        let key = rule.clock == .key ? "abandon" : "idle"
        if rule.clock == .key ? rule.abandon != nil : rule.idle != nil { return }
        collector.report(
            "deadline '\(deadline.name.value)' counts ticks, while the last events of source "
                + "'\(sources[input.source].name)' wait for the watermark without end",
            at: deadline.name.location,
            hint: "give the source's 'time' an '\(key)', or the machine 'order: arrival'")
    }

    /// Indexes of states, ascending; unknown ones are reported elsewhere.
    private func indexes(_ names: [Located<String>]?, _ states: [String]) -> [Int] {
        guard let names else { return Array(states.indices) }
        return Set(names.compactMap { states.firstIndex(of: $0.value) }).sorted()
    }

    // MARK: Rules

    private func expression(_ typed: TypedExpression, _ place: MachineScope)
        -> MachinePlan.Expression
    {
        MachinePlan.Expression(
            program: Program([typed]),
            readsMachine: typed.columns.contains { $0 >= place.eventWidth })
    }

    /// A condition; with `eventOnly` it must not see the machine.
    private func condition(
        _ text: ExpressionText, _ name: String, _ place: MachineScope, eventOnly: Bool
    ) -> MachinePlan.Expression? {
        guard let typed = check(text, in: place.scope) else { return nil }
        guard typed.type == .bool else {
            collector.report(
                "'\(name)' must be bool, this is \(typed.type)", at: text.location,
                hint: "compare it, such as '… == \"started\"'")
            return nil
        }
        let result = expression(typed, place)
        guard eventOnly, result.readsMachine else { return result }
        collector.report(
            "'\(name)' sees the event alone, not the machine", at: text.location,
            hint: name == "on"
                ? "name states in 'from'; what the machine remembers is for 'when' and 'require'"
                : "name states in 'in'")
        return nil
    }

    private func transition(
        _ spec: TransitionSpec, _ machine: MachineSpec, _ place: MachineScope
    ) -> MachinePlan.Transition? {
        let on = condition(spec.on, "on", place, eventOnly: true)
        let when = spec.when.flatMap { condition($0, "when", place, eventOnly: false) }
        var values: [(variable: Int, value: MachinePlan.Expression)] = []
        for entry in spec.set {
            let names = machine.remember.map(\.name.value)
            guard let index = names.firstIndex(of: entry.name.value) else {
                collector.report(
                    "there is no variable '\(entry.name.value)'", at: entry.name.location,
                    hint: Suggestion.hint(
                        for: entry.name.value, in: names, kind: "variables of 'remember'")
                        ?? "declare it under 'remember'")
                continue
            }
            let value = value(entry.expression, of: machine.remember[index], in: place.scope)
            if let value { values.append((index, expression(value, place))) }
        }
        guard let on else { return nil }
        return MachinePlan.Transition(
            on: on, from: indexes(spec.from, place.states), when: when,
            to: spec.to.flatMap { place.states.firstIndex(of: $0.value) }, set: values)
    }

    /// An expression that a variable can take, or nil after a diagnostic.
    private func value(
        _ text: ExpressionText, of variable: RememberSpec, in scope: Scope
    ) -> TypedExpression? {
        guard check(text, in: scope) != nil else { return nil }
        let name = variable.name.value
        let typed: TypedExpression
        do {
            typed = try TypedExpression(text.canonical, in: scope, beside: variable.type)
        } catch {
            for problem in error.errors.prefix(1) {
                collector.report(problem.message, at: text.location, hint: problem.hint)
            }
            return nil
        }
        guard typed.type == variable.type || typed.type == .null, typed.typeName == nil else {
            collector.report(
                "variable '\(name)' is \(variable.type), this is \(typed.type)",
                at: text.location, hint: "convert one of them, or declare another type")
            return nil
        }
        guard typed.type != .null || variable.isNullable else {
            collector.report(
                "variable '\(name)' cannot be null", at: text.location,
                hint: "declare it '\(variable.type)?'")
            return nil
        }
        return typed
    }

    private func variable(_ spec: RememberSpec) -> MachinePlan.Variable? {
        let name = spec.name.value
        switch spec.type {
        case .list, .map, .structure:
            collector.report(
                "variable '\(name)' is \(spec.type)", at: spec.name.location,
                hint: "a machine remembers single values")
            return nil
        default: break
        }
        guard let text = spec.initial else {
            if spec.isNullable {
                return MachinePlan.Variable(
                    name: name, type: spec.type, isNullable: true, initial: nil)
            }
            collector.report(
                "variable '\(name)' has no value at first", at: spec.name.location,
                hint: "give it one: {type: \(spec.type), initial: …}, or say '\(spec.type)?'")
            return nil
        }
        guard let typed = value(text, of: spec, in: Scope()) else { return nil }
        let program = Program([typed])
        let evaluation = Evaluator(program).evaluate([], rowCount: 1)
        let isNull = typed.type == .null || !evaluation.columns[0].isValid(0)
        if !evaluation.faults.isEmpty || (isNull && !spec.isNullable) {
            collector.report(
                "'initial' of '\(name)' has no value: "
                    + (evaluation.faults.first?.code.name ?? "it is null"), at: text.location,
                hint: "write a constant")
            return nil
        }
        return MachinePlan.Variable(
            name: name, type: spec.type, isNullable: spec.isNullable, initial: program)
    }

    private func invariant(
        _ spec: InvariantSpec, _ place: MachineScope
    ) -> MachinePlan.Invariant? {
        let on = condition(spec.on, "on", place, eventOnly: true)
        let require = condition(spec.require, "require", place, eventOnly: false)
        guard let on, let require else { return nil }
        return MachinePlan.Invariant(name: spec.name.value, on: on, require: require)
    }

    private func deadline(_ spec: DeadlineSpec, _ place: MachineScope) -> MachinePlan.Deadline? {
        let since = spec.since.flatMap { condition($0, "since", place, eventOnly: true) }
        let until = spec.until.flatMap { condition($0, "until", place, eventOnly: true) }
        guard let after = length(spec.after, place) else { return nil }
        return MachinePlan.Deadline(
            name: spec.name.value, states: spec.states.map { indexes($0, place.states) },
            since: since, until: until, after: after, every: spec.every, clock: spec.clock,
            to: spec.to.flatMap { place.states.firstIndex(of: $0.value) })
    }

    private func length(
        _ spec: DeadlineSpec.Length, _ place: MachineScope
    ) -> MachinePlan.Deadline.Length? {
        guard case .expression(let text) = spec else {
            if case .constant(let length) = spec { return .constant(length) }
            return nil
        }
        guard let typed = check(text, in: place.scope) else { return nil }
        guard typed.type == .duration else {
            collector.report(
                "'after' must be a duration, this is \(typed.type)", at: text.location,
                hint: "such as 24h, a field of type duration, or the difference of two times")
            return nil
        }
        let result = expression(typed, place)
        guard result.readsMachine else { return .expression(result) }
        collector.report(
            "'after' sees the event alone, not the machine", at: text.location,
            hint: "compute the length from the event that begins the deadline")
        return nil
    }

    // MARK: The machine as a whole

    private func checkReach(_ plan: MachinePlan, _ machine: MachineSpec) {
        var reached: Set<Int> = [plan.initial]
        var count = 0
        while count < reached.count {
            count = reached.count
            for transition in plan.transitions where !reached.isDisjoint(with: transition.from) {
                if let to = transition.to { reached.insert(to) }
            }
            for deadline in plan.deadlines
            where deadline.states.map({ !reached.isDisjoint(with: $0) }) ?? true {
                if let to = deadline.to { reached.insert(to) }
            }
        }
        for (index, state) in machine.states.enumerated() where !reached.contains(index) {
            collector.report(
                "nothing leads to state '\(state.value)'", at: state.location,
                hint: "add a transition with 'to: \(state.value)' from a state that is reached, "
                    + "or remove it")
        }
    }

    /// A transition that earlier ones leave nothing to can never be taken.
    private func checkCover(_ plan: MachinePlan, _ machine: MachineSpec) {
        for (index, transition) in machine.transitions.enumerated() {
            var left = Set(plan.transitions[index].from)
            var last: TransitionSpec?
            for (other, earlier) in machine.transitions.prefix(index).enumerated()
            where covers(earlier, transition)
                && !left.isDisjoint(with: plan.transitions[other].from)
            {
                left.subtract(plan.transitions[other].from)
                last = earlier
            }
            guard left.isEmpty, let last else { continue }
            collector.report(
                "this transition is never taken: the one on line \(last.location.line) comes first",
                at: transition.location,
                hint: "put it before that one, or give that one a 'when'")
        }
    }

    /// Whether `earlier` takes every event that `later` would, in a state of both.
    private func covers(_ earlier: TransitionSpec, _ later: TransitionSpec) -> Bool {
        let on = earlier.on.canonical
        guard on == "true" || on == later.on.canonical else { return false }
        return earlier.when == nil || earlier.when?.canonical == later.when?.canonical
    }

    /// Variables into which personal data may come.
    private func personalVariables(_ plan: MachinePlan, _ input: Stream) -> Set<Int> {
        let width = input.schema.fields.count
        var personal: Set<Int> = []
        var count = -1
        while count < personal.count {
            count = personal.count
            for (variable, value) in plan.transitions.flatMap(\.set) {
                let isPersonal = value.program.outputs[0].columns.contains { column in
                    column < width
                        ? input.schema.fields[column].isPersonal
                        : personal.contains(column - width - 2)
                }
                if isPersonal { personal.insert(variable) }
            }
        }
        return personal
    }
}
