import Topology

// The topology as the files that a user would write.

extension ReferenceTopology {
    /// `topology.yaml` and the schemas.
    package var texts: TopologyTexts {
        var texts = ["topology.yaml": yaml]
        for source in sources {
            var lines = ["schema: \(source.name)-schema", "fields:"]
            for field in source.fields {
                let type =
                    switch field.type {
                    case .decimal(let scale): "decimal(\(scale))"
                    case .curve: "list<struct{x: decimal(1), y: decimal(2)}>"
                    default: "\(field.type)"
                    }
                lines.append("  \(field.name): \"\(type)\(field.isNullable ? "?" : "")\"")
            }
            texts["schemas/\(source.name)-schema.yaml"] = lines.joined(separator: "\n") + "\n"
        }
        for rules in rules { texts["rules/\(rules.name).yaml"] = rules.yaml }
        return TopologyTexts(texts)
    }

    /// The text of `topology.yaml`.
    package var yaml: String {
        var lines = ["topology: random", "version: 1", "sources:"]
        for source in sources {
            let key = source.fields[0].name
            lines += [
                "  \(source.name):", "    topic: in.\(source.name)",
                "    schema: \(source.name)-schema",
            ]
            if let time = source.time {
                lines += ["    key: \(key)", "    time: {\(Self.text(time))}"]
            } else {
                var parts = ["key: \(key)", "asOf: ts"]
                if source.isGlobal { parts.append("global: true") }
                if let disorder = source.tableDisorder { parts.append("disorder: \(disorder)ms") }
                if let idle = source.tableIdle { parts.append("idle: \(idle)ms") }
                lines.append("    table: {\(parts.joined(separator: ", "))}")
            }
        }
        if !rules.isEmpty {
            let names = rules.map { "\($0.name): \($0.name)" }.joined(separator: ", ")
            lines.append("rules: {\(names)}")
        }
        lines.append("steps:")
        for (index, step) in steps.enumerated() { lines += text(step, index) }
        lines.append("sinks:")
        for (index, sink) in sinks.enumerated() {
            lines.append("  - {from: \(steps[sink].name), topic: out.\(index), codec: none}")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The name of what a step reads.
    func name(_ upstream: ReferenceUpstream) -> String {
        switch upstream {
        case .source(let index): sources[index].name
        case .step(let index): steps[index].name
        }
    }

    private static func text(_ time: ReferenceTimeRule) -> String {
        var parts = [
            "field: ts", "disorder: \(time.disorder)ms", "lateness: \(time.lateness)ms",
            "ahead: \(time.ahead)ms", "granule: \(time.granule)ms",
            "clock: \(time.clocksKeys ? "key" : "partition")",
        ]
        if let abandon = time.abandon { parts.append("abandon: \(abandon)ms") }
        if let idle = time.idle { parts.append("idle: \(idle)ms") }
        return parts.joined(separator: ", ")
    }

    private func keyField(_ step: ReferenceStep) -> String {
        switch step.from {
        case .source(let index): sources[index].fields[0].name
        case .step(let index): steps[index].keyField
        }
    }

    private func text(_ lookup: ReferenceLookup, _ step: ReferenceStep) -> String {
        var key = lookup.key.map { "\"\($0.cel)\"" } ?? keyField(step)
        if lookup.awaits { key = "{key: \(key), await: true}" }
        return "      lookup: {\(sources[lookup.table].name): \(key)}"
    }

    private func text(_ step: ReferenceStep, _ number: Int) -> [String] {
        if case .otherwise = step.operation { return [] }
        if case .union(let streams) = step.operation {
            let names = streams.map { name($0) }.joined(separator: ", ")
            return ["  - \(step.name):", "      union: [\(names)]"]
        }
        var lines = ["  - \(step.name):", "      from: \(name(step.from))"]
        switch step.operation {
        case .shape(let lookup, let filter, let select):
            if let lookup { lines.append(text(lookup, step)) }
            if let filter { lines.append("      filter: \"\(filter.cel)\"") }
            for other in steps {
                guard case .otherwise(_, of: number) = other.operation else { continue }
                lines.append("      otherwise: \(other.name)")
            }
            if let select {
                lines.append("      select:")
                for field in select {
                    lines.append("        \(field.name): \"\(field.expression.cel)\"")
                }
            }
        case .rules(let lookup): lines += text(lookup)
        case .distinct(let byTime):
            lines += [
                "      key: \(keyField(step))",
                "      distinct: {order: \(byTime ? "time" : "arrival")}",
            ]
        case .otherwise, .union: break
        case .rekey(let field): lines.append("      rekey: \(field)")
        case .machine(let rule):
            lines += ["      key: \(keyField(step))", "      machine:"]
            lines += rule.yaml.map { "        " + $0 }
        case .levels(let rule):
            lines.append("      key: \(keyField(step))")
            lines += text(rule)
        case .window(let rule):
            lines += ["      key: \(keyField(step))", "      window:"]
            lines.append(
                rule.zone.map { "        calendar: day\n        zone: \($0.name)" }
                    ?? (rule.size == rule.every
                        ? "        tumbling: \(rule.size)ms"
                        : "        hopping: {size: \(rule.size)ms, every: \(rule.every)ms}"))
            if rule.offset != 0 { lines.append("        offset: \(rule.offset)ms") }
            lines.append("        aggregate:")
            for item in rule.aggregates {
                let call = "\(item.function)(\(item.input?.cel ?? ""))"
                lines.append("          \(item.name): \"\(call)\"")
            }
        }
        return lines
    }

    private func text(_ rule: ReferenceLevelsRule) -> [String] {
        func list(_ limits: [ReferenceNamed]) -> String {
            "{" + limits.map { "\($0.name): \($0.expression.cel)" }.joined(separator: ", ") + "}"
        }
        return [
            "      levels:", "        of: \"\(rule.value.cel)\"",
            "        raise: \(list(rule.raise))", "        clear: \(list(rule.clear))",
            "        direction: \(rule.isAbove ? "above" : "below")",
            "        confirm: \(rule.duration.map { "\($0)ms" } ?? "\(rule.readings) readings")",
            "        hold: \(rule.hold)ms", "        order: \(rule.byTime ? "time" : "arrival")",
            "        ties: \(rule.judgesTies ? "judge" : "reject")",
        ]
    }
}
