import Dataflow
import Primitives

extension SpecReader {
    func readMachine(_ node: YAMLNode, step: String) -> MachineSpec? {
        let example = "machine: {initial: open, states: [open, closed], transitions: […]}"
        guard
            let reader = MappingReader(
                node, what: "'machine' of step '\(step)'",
                keys: [
                    "order", "initial", "states", "remember", "transitions", "invariants",
                    "deadlines", "unexpected",
                ], collector, example: example)
        else { return nil }
        let order = reader.choice(
            "order", [("time", RowOrder.time), ("arrival", .arrival)], default: .time)
        let states = reader.required("states", hint: "states: [open, closed]").flatMap {
            names($0, of: "states", example: "states: [open, closed]")
        }
        let initial = reader.requiredText(
            "initial", hint: "initial: the state of a key at its first event")
        let unexpected = reader.choice(
            "unexpected",
            [("reject", MachinePlan.Unexpected.reject), ("ignore", .ignore)], default: .reject)
        let remember = reader["remember"].map { readVariables($0) } ?? []
        let transitions = items(
            reader, "transitions", example: "{on: load.kind == 'open', from: closed, to: open}",
            read: readTransition)
        let invariants = items(
            reader, "invariants",
            example: "{name: early, on: load.kind == 'start', require: machine.state == 'ready'}",
            read: readInvariant)
        let deadlines = items(
            reader, "deadlines", example: "{name: overdue, in: open, after: 24h}",
            read: readDeadline)
        guard let order, let states, let initial, let unexpected, let remember, let transitions,
            let invariants, let deadlines
        else { return nil }
        return MachineSpec(
            order: order, states: states, initial: initial, remember: remember,
            transitions: transitions, invariants: invariants, deadlines: deadlines,
            unexpected: unexpected)
    }

    /// One name or a list of names; nil after a diagnostic.
    private func names(
        _ node: YAMLNode, of key: String, example: String
    ) -> [Located<String>]? {
        let nodes = node.text == nil ? node.items ?? [] : [node]
        let found = nodes.compactMap { item -> Located<String>? in
            guard let text = item.text, !text.isEmpty else { return nil }
            return Located(value: text, location: item.location)
        }
        guard !found.isEmpty, found.count == nodes.count else {
            collector.report(
                "'\(key)' must be a state or a list of states, not "
                    + (nodes.isEmpty && node.items != nil ? "an empty list" : node.kind),
                at: node.location, hint: example)
            return nil
        }
        return found
    }

    /// The items of a list of mappings, none when the key is absent; nil after a diagnostic.
    private func items<Item>(
        _ reader: MappingReader, _ key: String, example: String, read: (YAMLNode, String) -> Item?
    ) -> [Item]? {
        guard let node = reader[key], !node.isEmpty else { return [] }
        guard let nodes = node.items else {
            collector.report(
                "'\(key)' must be a list, not \(node.kind)", at: node.location,
                hint: "- \(example)")
            return nil
        }
        let found = nodes.compactMap { read($0, example) }
        return found.count == nodes.count ? found : nil
    }

    private func readVariables(_ node: YAMLNode) -> [RememberSpec]? {
        let example = "remember: {count: {type: int, initial: 0}, note: string?}"
        if node.isEmpty { return [] }
        guard let entries = node.entries else {
            collector.report(
                "'remember' must be a mapping of names to types, not \(node.kind)",
                at: node.location, hint: example)
            return nil
        }
        let found = entries.compactMap { readVariable($0, example: example) }
        return found.count == entries.count ? found : nil
    }

    private func readVariable(_ entry: YAMLNode.Entry, example: String) -> RememberSpec? {
        if let problem = NameRules.problem(identifier: entry.key) {
            collector.report(problem, at: entry.keyLocation, hint: "rename the variable")
            return nil
        }
        var typeNode = entry.value
        var initial: ExpressionText?
        if entry.value.text == nil {
            guard
                let reader = MappingReader(
                    entry.value, what: "variable '\(entry.key)'", keys: ["type", "initial"],
                    collector, example: example),
                let node = reader.required("type", hint: example)
            else { return nil }
            typeNode = node
            if let node = reader["initial"] {
                initial = expression(node, name: "initial", example: "initial: 0")
                if initial == nil { return nil }
            }
        }
        guard let text = typeNode.text, !text.isEmpty else {
            collector.report("a type is missing", at: typeNode.location, hint: example)
            return nil
        }
        do {
            let (type, isNullable) = try TypeText.parse(text)
            return RememberSpec(
                name: Located(value: entry.key, location: entry.keyLocation), type: type,
                isNullable: isNullable, initial: initial)
        } catch {
            collector.report(
                error.message, at: typeNode.location(ofCharacter: error.offset), hint: error.hint)
            return nil
        }
    }

    /// An expression under a key; nil in nil when the key is absent, nil after a diagnostic.
    private func optional(
        _ reader: MappingReader, _ key: String, example: String
    ) -> ExpressionText?? {
        guard let node = reader[key] else { return .some(nil) }
        return expression(node, name: key, example: example).map { .some($0) }
    }

    private func readTransition(_ node: YAMLNode, example: String) -> TransitionSpec? {
        guard
            let reader = MappingReader(
                node, what: "a transition", keys: ["on", "from", "to", "when", "set", "describe"],
                collector, example: example)
        else { return nil }
        let on = reader.required("on", hint: example).flatMap {
            expression($0, name: "on", example: example)
        }
        let fromNode = reader.required("from", hint: "from: the states, or any", reason: nil)
        var from: [Located<String>]?
        var isWhole = fromNode != nil
        if let fromNode, fromNode.text != "any" {
            from = names(fromNode, of: "from", example: "from: open, from: [a, b] or from: any")
            isWhole = isWhole && from != nil
        }
        let when = optional(reader, "when", example: "when: load.mass > 0.0")
        let to = reader.text("to", hint: "to: a state")
        var set: [NamedExpression]? = []
        if let node = reader["set"] {
            set = named(
                node, name: "set", example: "set: {count: machine.count + 1}",
                nameProblem: NameRules.problem(identifier:))
        }
        guard let on, isWhole, let when, let set, reader["to"] == nil || to != nil else {
            return nil
        }
        return TransitionSpec(
            on: on, from: from, when: when, to: to, set: set, location: node.location)
    }

    /// The name of an invariant or a deadline.
    private func ruleName(_ reader: MappingReader, example: String) -> Located<String>? {
        guard let name = reader.requiredText("name", hint: example) else { return nil }
        guard NameRules.isLabel(name.value) else {
            collector.report(
                "'\(name.value)' is not a name: letters, digits, '_' and '-'", at: name.location,
                hint: example)
            return nil
        }
        return name
    }

    private func readInvariant(_ node: YAMLNode, example: String) -> InvariantSpec? {
        guard
            let reader = MappingReader(
                node, what: "an invariant", keys: ["name", "on", "require", "describe"],
                collector, example: example)
        else { return nil }
        let name = ruleName(reader, example: example)
        let on = reader.required("on", hint: example).flatMap {
            expression($0, name: "on", example: example)
        }
        let require = reader.required("require", hint: example).flatMap {
            expression($0, name: "require", example: example)
        }
        guard let name, let on, let require else { return nil }
        return InvariantSpec(name: name, on: on, require: require)
    }

    private func readDeadline(_ node: YAMLNode, example: String) -> DeadlineSpec? {
        guard
            let reader = MappingReader(
                node, what: "a deadline",
                keys: [
                    "name", "in", "since", "until", "after", "repeat", "clock", "to", "describe",
                ], collector, example: example)
        else { return nil }
        let name = ruleName(reader, example: example)
        var states: [Located<String>]?
        if let node = reader["in"] {
            states = names(node, of: "in", example: "in: open, or in: [a, b]")
        }
        let since = optional(reader, "since", example: "since: load.kind == 'reading'")
        let until = optional(reader, "until", example: "until: load.kind == 'report'")
        let after = readLength(reader)
        let every = reader.duration("repeat", minimum: 1000, example: "24h")
        let clock = reader.choice(
            "clock", [("event", MachinePlan.Deadline.Clock.event), ("tick", .tick)],
            default: .event)
        let to = reader.text("to", hint: "to: a state")
        guard let name, let since, let until, let after, let clock,
            reader["in"] == nil || states != nil, reader["to"] == nil || to != nil,
            reader["repeat"] == nil || every != nil
        else { return nil }
        if states == nil, since == nil {
            collector.report(
                "nothing begins deadline '\(name.value)'", at: node.location,
                hint: "say 'in: <state>', or 'since: <event>', or both")
            return nil
        }
        return DeadlineSpec(
            name: name, states: states, since: since, until: until, after: after, every: every,
            clock: clock, to: to)
    }

    /// What begins with a digit is a duration, anything else an expression.
    private func readLength(_ reader: MappingReader) -> DeadlineSpec.Length? {
        let hint = "after: 24h, or an expression over the event, such as after: load.limit"
        guard let node = reader.required("after", hint: hint) else { return nil }
        if let first = node.text?.first, first.isNumber || first == "-" {
            return reader.duration("after", minimum: 1000, example: "24h").map { .constant($0) }
        }
        return expression(node, name: "after", example: hint).map { .expression($0) }
    }
}
