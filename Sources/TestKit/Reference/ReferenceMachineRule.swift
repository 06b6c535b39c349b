/// A state machine as a topology states it. Durations in milliseconds.
package struct ReferenceMachineRule: Sendable, Codable {
    /// A variable of each key.
    package struct Variable: Sendable, Codable {
        package var name: String
        package var type: ReferenceType
        package var isNullable: Bool
        package var initial: ReferenceValue
    }

    /// What an event does. `from` nil is any state.
    package struct Transition: Sendable, Codable {
        package var on: ReferenceExpression
        package var from: [Int]?
        package var when: ReferenceExpression?
        package var to: Int?
        package var set: [Assignment]
    }

    /// A new value of a variable, by its index.
    package struct Assignment: Sendable, Codable {
        package var variable: Int
        package var value: ReferenceExpression

        package init(_ variable: Int, _ value: ReferenceExpression) {
            self.variable = variable
            self.value = value
        }
    }

    /// What must hold when an event comes.
    package struct Invariant: Sendable, Codable {
        package var name: String
        package var on: ReferenceExpression
        package var require: ReferenceExpression
    }

    /// What must come in time.
    package struct Deadline: Sendable, Codable {
        package var name: String
        package var states: [Int]?
        package var since: ReferenceExpression?
        package var until: ReferenceExpression?
        package var after: Int64
        package var every: Int64?
        package var countsTicks: Bool
        package var to: Int?
    }

    package var byTime: Bool
    package var states: [String]
    package var initial: Int
    package var variables: [Variable]
    package var transitions: [Transition]
    package var invariants: [Invariant]
    package var deadlines: [Deadline]
    package var rejectsUnexpected: Bool

    /// The fields that it adds to those of its input.
    package var addedFields: [ReferenceField] {
        [
            ReferenceField("state", .string), ReferenceField("previous", .string),
            ReferenceField("event", .string), ReferenceField("name", .string, isNullable: true),
            ReferenceField("since", .timestamp),
        ] + variables.map { ReferenceField($0.name, $0.type, isNullable: $0.isNullable) }
    }

    /// The lines of YAML under `machine:`.
    var yaml: [String] {
        func list(_ set: [Int]?) -> String {
            set.map { "[\($0.map { states[$0] }.joined(separator: ", "))]" } ?? "any"
        }
        var lines = [
            "order: \(byTime ? "time" : "arrival")", "initial: \(states[initial])",
            "states: \(list(Array(states.indices)))",
            "unexpected: \(rejectsUnexpected ? "reject" : "ignore")",
        ]
        if !variables.isEmpty { lines.append("remember:") }
        for variable in variables {
            let mark = variable.isNullable ? "?" : ""
            let type =
                if case .decimal(let scale) = variable.type { "decimal(\(scale))" } else {
                    "\(variable.type)"
                }
            var text = "type: \"\(type)\(mark)\""
            if case .number(let number) = variable.initial {
                text += ", initial: \(number.text(scale: variable.type.scale))"
            }
            lines.append("  \(variable.name): {\(text)}")
        }
        lines.append("transitions:")
        for rule in transitions {
            lines += ["  - on: \"\(rule.on.cel)\"", "    from: \(list(rule.from))"]
            if let to = rule.to { lines.append("    to: \(states[to])") }
            if let when = rule.when { lines.append("    when: \"\(when.cel)\"") }
            if !rule.set.isEmpty { lines.append("    set:") }
            for assignment in rule.set {
                let name = variables[assignment.variable].name
                lines.append("      \(name): \"\(assignment.value.cel)\"")
            }
        }
        if !invariants.isEmpty { lines.append("invariants:") }
        for rule in invariants {
            lines += [
                "  - name: \(rule.name)", "    on: \"\(rule.on.cel)\"",
                "    require: \"\(rule.require.cel)\"",
            ]
        }
        if !deadlines.isEmpty { lines.append("deadlines:") }
        for rule in deadlines {
            lines += ["  - name: \(rule.name)", "    after: \(rule.after)ms"]
            lines.append("    clock: \(rule.countsTicks ? "tick" : "event")")
            if let states = rule.states { lines.append("    in: \(list(states))") }
            if let since = rule.since { lines.append("    since: \"\(since.cel)\"") }
            if let until = rule.until { lines.append("    until: \"\(until.cel)\"") }
            if let every = rule.every { lines.append("    repeat: \(every)ms") }
            if let to = rule.to { lines.append("    to: \(states[to])") }
        }
        return lines
    }
}
