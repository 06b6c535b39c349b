/// Says in words what differs between two plans.
package enum PlanDifference {
    /// One line for each difference between two canonical texts, such as
    /// `sources.load.time.disorder: 5s → 10s` or `schemas.crane-load.fields.mass: added`; empty
    /// when they say the same. In the order of the new text, what was removed last.
    package static func describe(_ old: String, _ new: String) -> [String] {
        guard let oldValue = JSONReader.read(old), let newValue = JSONReader.read(new) else {
            return old == new ? [] : ["one of the plans is not readable"]
        }
        var lines: [String] = []
        for section in ["topology", "schemas"] {
            let path = section == "topology" ? "" : section
            compare(named(oldValue[section]), named(newValue[section]), path, &lines)
        }
        compare(namedRows(oldValue["rules"]), namedRows(newValue["rules"]), "rules", &lines)
        for section in ["avro", "protobuf"] {
            compareNames(oldValue[section], newValue[section], section, &lines)
        }
        compare(oldValue["plumbline"], newValue["plumbline"], "plumbline", &lines)
        return lines
    }

    /// Lists of steps and sinks as objects by step name and by sink topic.
    private static func named(_ topology: JSONValue?) -> JSONValue? {
        guard case .object(let members) = topology else { return topology }
        return .object(
            members.map { member in
                guard case .array(let items) = member.value else { return member }
                let entries = items.map { item -> JSONValue.Member in
                    if member.name == "sinks", case .string(let topic) = item["topic"] {
                        return .init(topic, item)
                    }
                    if case .object(let step) = item, let first = step.first { return first }
                    return .init("?", item)
                }
                return .init(member.name, .object(entries))
            })
    }

    private static func compare(
        _ old: JSONValue?, _ new: JSONValue?, _ path: String, _ lines: inout [String]
    ) {
        guard old != new else { return }
        guard let old else { return lines.append("\(path): added") }
        guard let new else { return lines.append("\(path): removed") }
        guard case .object(let oldMembers) = old, case .object(let newMembers) = new else {
            return lines.append("\(path): \(short(old)) → \(short(new))")
        }
        func sub(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
        for member in newMembers {
            compare(old[member.name], member.value, sub(member.name), &lines)
        }
        for member in oldMembers where new[member.name] == nil {
            lines.append("\(sub(member.name)): removed")
        }
        let kept = oldMembers.map(\.name).filter { new[$0] != nil }
        if kept != newMembers.map(\.name).filter({ old[$0] != nil }) {
            let order = newMembers.map(\.name).joined(separator: ", ")
            lines.append("\(path): order is now \(order)")
        }
    }

    /// As ``compare(_:_:_:_:)``, without saying what differs inside a member.
    private static func compareNames(
        _ old: JSONValue?, _ new: JSONValue?, _ path: String, _ lines: inout [String]
    ) {
        func members(_ value: JSONValue?) -> [JSONValue.Member] {
            if case .object(let members) = value { members } else { [] }
        }
        for member in members(new) where old?[member.name] != member.value {
            let isNew = old?[member.name] == nil
            lines.append("\(path).\(member.name): \(isNew ? "added" : "changed")")
        }
        for member in members(old) where new?[member.name] == nil {
            lines.append("\(path).\(member.name): removed")
        }
    }

    private static func short(_ value: JSONValue) -> String {
        if case .string(let text) = value { return text.isEmpty ? "\"\"" : text }
        return value.text
    }
}
