import Dataflow
import Expression
import Primitives

extension Explainer {
    /// Adds what a machine is made of: states, transitions, invariants, deadlines, variables.
    func explain(_ machine: MachinePlan, _ rule: TimeRule, in node: inout ExplainedNode) {
        let states = machine.states
        node.add("states", states.joined(separator: ", "))
        node.add("initial", states[machine.initial])
        for variable in machine.variables {
            let first = variable.initial.map { ", at first \($0.outputs[0].text)" } ?? ""
            let type = "\(variable.type)\(variable.isNullable ? "?" : "")"
            node.add("remembers", "\(variable.name): \(type)\(first)")
        }
        for transition in machine.transitions { add(transition, of: machine, to: &node) }
        for invariant in machine.invariants {
            node.add(invariant.name, "on \(text(invariant.on)) requires \(text(invariant.require))")
        }
        for deadline in machine.deadlines { add(deadline, of: machine, to: &node) }
        node.add("unexpected", machine.unexpected.rawValue)
        node.add("order", machine.order.rawValue)
        node.state += waiting(machine.order, rule)
        let remembered = ["state and since when"] + machine.variables.map(\.name)
        node.state.append(
            ExplainedState(
                what: remembered.joined(separator: ", "), per: "key", kept: "never dropped"))
        if !machine.deadlines.isEmpty {
            node.state.append(
                ExplainedState(
                    what: "deadlines that run", per: "key", kept: "until they end or fall due"))
        }
        node.doubles += doubles(programs(machine).flatMap(\.outputs))
    }

    private func text(_ expression: MachinePlan.Expression) -> String {
        expression.program.outputs.map(\.text).joined(separator: ", ")
    }

    private func names(_ indexes: [Int], _ states: [String]) -> String {
        indexes.count == states.count
            ? "any" : indexes.map { states[$0] }.joined(separator: ", ")
    }

    private func add(
        _ transition: MachinePlan.Transition, of machine: MachinePlan, to node: inout ExplainedNode
    ) {
        let from = names(transition.from, machine.states)
        var value = "from \(from) on \(text(transition.on))"
        if let when = transition.when { value += " when \(text(when))" }
        let set = transition.set.map {
            "\(machine.variables[$0.variable].name) = \(text($0.value))"
        }
        if !set.isEmpty { value += "; sets \(set.joined(separator: ", "))" }
        node.add(transition.to.map { "→ \(machine.states[$0])" } ?? "stays", value)
    }

    private func add(
        _ deadline: MachinePlan.Deadline, of machine: MachinePlan, to node: inout ExplainedNode
    ) {
        var value =
            switch deadline.after {
            case .constant(let length): DurationText.text(length)
            case .expression(let length): text(length)
            }
        if let since = deadline.since { value += " since \(text(since))" }
        if let states = deadline.states { value += " in \(names(states, machine.states))" }
        if let until = deadline.until { value += " until \(text(until))" }
        if let every = deadline.every { value += ", again every \(DurationText.text(every))" }
        if let to = deadline.to { value += ", then \(machine.states[to])" }
        let clock = deadline.clock == .event ? "event time" : "ticks"
        node.add(deadline.name, "\(value); by \(clock)")
    }

    private func programs(_ machine: MachinePlan) -> [Program] {
        var found = machine.variables.compactMap(\.initial)
        for transition in machine.transitions {
            found.append(transition.on.program)
            if let when = transition.when { found.append(when.program) }
            found += transition.set.map(\.value.program)
        }
        for invariant in machine.invariants {
            found += [invariant.on.program, invariant.require.program]
        }
        for deadline in machine.deadlines {
            found += [deadline.since, deadline.until].compactMap { $0?.program }
            if case .expression(let length) = deadline.after { found.append(length.program) }
        }
        return found
    }
}
