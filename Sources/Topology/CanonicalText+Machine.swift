import Dataflow
import Primitives

extension CanonicalText {
    /// Sets of states are written out, in the order of `states`.
    static func machine(_ machine: MachineSpec) -> JSONValue {
        let names = machine.states.map(\.value)
        func states(_ set: [Located<String>]?) -> JSONValue {
            guard let set else { return .array(names.map { .string($0) }) }
            let chosen = Set(set.map(\.value))
            return .array(names.filter { chosen.contains($0) }.map { .string($0) })
        }
        let remember = machine.remember.map { variable -> JSONValue.Member in
            var members: [JSONValue.Member] = []
            if let initial = variable.initial {
                members.append(.init("initial", .string(initial.canonical)))
            }
            let mark = variable.isNullable ? "?" : ""
            members.append(.init("type", .string("\(variable.type)\(mark)")))
            return .init(variable.name.value, .object(members))
        }
        let invariants = machine.invariants.map { rule in
            JSONValue.object([
                .init("name", .string(rule.name.value)), .init("on", .string(rule.on.canonical)),
                .init("require", .string(rule.require.canonical)),
            ])
        }
        return .object([
            .init("deadlines", .array(machine.deadlines.map { deadline($0, states) })),
            .init("initial", .string(machine.initial.value)),
            .init("invariants", .array(invariants)),
            .init("order", .string(machine.order.rawValue)),
            .init("remember", .object(remember)),
            .init("states", states(nil)),
            .init("transitions", .array(machine.transitions.map { transition($0, states) })),
            .init("unexpected", .string(machine.unexpected.rawValue)),
        ])
    }

    private static func transition(
        _ rule: TransitionSpec, _ states: ([Located<String>]?) -> JSONValue
    ) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("from", states(rule.from)), .init("on", .string(rule.on.canonical)),
        ]
        if !rule.set.isEmpty { members.append(.init("set", named(rule.set))) }
        if let to = rule.to { members.append(.init("to", .string(to.value))) }
        if let when = rule.when { members.append(.init("when", .string(when.canonical))) }
        return .object(members)
    }

    private static func deadline(
        _ rule: DeadlineSpec, _ states: ([Located<String>]?) -> JSONValue
    ) -> JSONValue {
        let after: JSONValue =
            switch rule.after {
            case .constant(let length): duration(length)
            case .expression(let text): .string(text.canonical)
            }
        var members: [JSONValue.Member] = [
            .init("after", after), .init("clock", .string(rule.clock.rawValue)),
        ]
        if let set = rule.states { members.append(.init("in", states(set))) }
        members.append(.init("name", .string(rule.name.value)))
        if let every = rule.every { members.append(.init("repeat", duration(every))) }
        if let since = rule.since { members.append(.init("since", .string(since.canonical))) }
        if let to = rule.to { members.append(.init("to", .string(to.value))) }
        if let until = rule.until { members.append(.init("until", .string(until.canonical))) }
        return .object(members)
    }
}
