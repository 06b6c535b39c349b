import Dataflow
import Primitives

extension SpecReader {
    func readSteps(_ reader: MappingReader) -> [StepSpec] {
        guard let node = reader["steps"] else { return [] }
        let example = "steps: [{rated: {from: load, select: {…}}}]"
        guard let items = node.items else {
            if !node.isEmpty {
                collector.report(
                    "'steps' must be a list, not \(node.kind)", at: node.location, hint: example)
            }
            return []
        }
        var steps: [StepSpec] = []
        for item in items {
            guard let entries = item.entries, entries.count == 1 else {
                collector.report(
                    "a step must be one name with its mapping", at: item.location,
                    hint: "'- rated:' and, further in on the next lines, 'from: load'")
                for entry in item.entries ?? [] { brokenNames.insert(entry.key) }
                continue
            }
            if let step = readStep(entries[0]) {
                steps.append(step)
            } else {
                noteBroken(entries[0])
            }
        }
        return steps
    }

    /// A broken step's name and inputs are known all the same, so that they raise no more errors.
    private func noteBroken(_ entry: YAMLNode.Entry) {
        brokenNames.insert(entry.key)
        if let name = entry.value["otherwise"]?.text { brokenNames.insert(name) }
        if let from = entry.value["from"]?.text { brokenReads.insert(from) }
        for stream in entry.value["union"]?.items ?? [] {
            if let name = stream.text { brokenReads.insert(name) }
        }
        for table in entry.value["lookup"]?.entries ?? [] {
            brokenReads.insert(table.key)
        }
    }

    private func readStep(_ entry: YAMLNode.Entry) -> StepSpec? {
        let isDeclared = declare(entry.key, at: entry.keyLocation, kind: "step")
        let operators = [
            "lookup", "filter", "select", "levels", "distinct", "window", "machine", "union",
            "rekey",
        ]
        guard
            let reader = MappingReader(
                entry.value, what: "step '\(entry.key)'",
                keys: ["from", "key", "otherwise", "describe"] + operators, collector,
                example: "\(entry.key): {from: load, filter: …}")
        else { return nil }
        if reader["union"] != nil { return readUnion(reader, entry, isDeclared: isDeclared) }
        let from = reader.requiredText("from", hint: "from: the name of a source or step")
        let key = reader.text("key", hint: "key: the key field of the source")
        let present = operators.filter { reader[$0] != nil }
        guard let first = present.first else {
            collector.report(
                "step '\(entry.key)' does nothing", at: entry.keyLocation,
                hint: "give it one of: \(operators.joined(separator: ", "))")
            return nil
        }
        let isShape = ["lookup", "filter", "select"].contains(first)
        if present.count > 1, !present.allSatisfy({ ["lookup", "filter", "select"].contains($0) }) {
            let extra = present.last ?? first
            collector.report(
                "'\(first)' and '\(extra)' cannot be in one step",
                at: reader.entry(extra)?.keyLocation,
                hint: "make two steps, the second with 'from: <the first>'")
            return nil
        }
        let hasKey = !isShape && first != "rekey"
        if !hasKey, let key = reader.entry("key") {
            collector.report(
                "'key' has no use in this step", at: key.keyLocation,
                hint: first == "rekey"
                    ? "remove it; 'rekey' itself names the new key"
                    : "remove it; lookup, filter and select keep the source's key")
        }
        if hasKey {
            _ = reader.required(
                "key", hint: "key: the key field of the source, as said there")
        }
        let isSide = readOtherwise(reader, step: entry.key)
        let operation = readOperation(first, reader, step: entry.key)
        guard let from, let operation, isDeclared, isSide, !hasKey || key != nil else {
            return nil
        }
        return StepSpec(
            name: Located(value: entry.key, location: entry.keyLocation), from: from, key: key,
            operation: operation)
    }

    private func readOperation(
        _ name: String, _ reader: MappingReader, step: String
    ) -> StepSpec.Operation? {
        guard let node = reader[name] else { return nil }
        switch name {
        case "levels": return readLevels(node, step: step).map { .levels($0) }
        case "window": return readWindow(node, step: step).map { .window($0) }
        case "rekey":
            return reader.text("rekey", hint: "rekey: the field that becomes the key")
                .map { .rekey($0) }
        case "machine": return readMachine(node, step: step).map { .machine($0) }
        case "distinct":
            let example = "distinct: {order: arrival}"
            guard
                let options = MappingReader(
                    node, what: "'distinct' of step '\(step)'", keys: ["order"], collector,
                    example: example)
            else { return nil }
            return readOrder(options).map { .distinct($0) }
        default: return readShape(reader, step: step).map { .shape($0) }
        }
    }

    private func readOrder(_ reader: MappingReader) -> RowOrder? {
        reader.choice(
            "order", [("arrival", RowOrder.arrival), ("time", .time)], default: .arrival)
    }

    // MARK: lookup, filter, select

    private func readShape(_ reader: MappingReader, step: String) -> ShapeSpec? {
        var shape = ShapeSpec()
        var isWhole = true
        if let node = reader["lookup"] {
            let example = "lookup: {crane: device}"
            let rules = (node.entries ?? []).filter { ruleNames.contains($0.key) }
            shape.rules = rules.compactMap { readRulesLookup($0) }
            isWhole = shape.rules.count == rules.count
            let entries = (node.entries ?? []).filter { !ruleNames.contains($0.key) }
            if entries.isEmpty, !rules.isEmpty {
                // Rules alone.
            } else if entries.count != 1 {
                collector.report(
                    "'lookup' must name one table and the key field", at: node.location,
                    hint: entries.count > 1 ? "one table a step; add a step" : example)
                isWhole = false
            } else if let scope = entries[0].value.entries,
                !scope.contains(where: { $0.key == "key" })
            {
                reportUnknownRules(entries[0])
                isWhole = false
            } else {
                shape.lookup = readLookup(entries[0], example: example)
                isWhole = shape.lookup != nil
            }
        }
        if let node = reader["filter"] {
            shape.filter = expression(node, name: "filter", example: "filter: load.mass > 0.0")
            isWhole = isWhole && shape.filter != nil
        }
        if let node = reader["select"] {
            shape.select = named(
                node, name: "select", example: "select: {ratio: load.mass / load.capacity}",
                nameProblem: NameRules.problem(identifier:))
            isWhole = isWhole && shape.select != nil
        }
        shape.otherwise = reader.text("otherwise", hint: SpecReader.otherwiseExample)
        return isWhole ? shape : nil
    }

    /// `table: field`, or `table: {key: …, await: true}`.
    private func readLookup(_ entry: YAMLNode.Entry, example: String) -> LookupSpec? {
        let table = Located(value: entry.key, location: entry.keyLocation)
        if entry.value.entries == nil {
            guard let text = entry.value.text, !text.isEmpty else {
                collector.report(
                    "'lookup' must name the key field", at: entry.value.location, hint: example)
                return nil
            }
            return LookupSpec(
                table: table, key: ExpressionText(text, node: entry.value), awaits: false)
        }
        let example = "lookup: {\(entry.key): {key: device, await: true}}"
        guard
            let reader = MappingReader(
                entry.value, what: "the look-up in '\(entry.key)'", keys: ["key", "await"],
                collector, example: example)
        else { return nil }
        let key = reader.required("key", hint: example).flatMap {
            expression($0, name: "key", example: example)
        }
        let awaits = reader.choice("await", [("false", false), ("true", true)], default: false)
        guard let key, let awaits else { return nil }
        return LookupSpec(table: table, key: key, awaits: awaits)
    }

    /// `- all: {union: [a, b]}`: it names its streams itself.
    private func readUnion(
        _ reader: MappingReader, _ entry: YAMLNode.Entry, isDeclared: Bool
    ) -> StepSpec? {
        let example = "\(entry.key): {union: [first, second]}"
        let others = [
            "from", "key", "otherwise", "lookup", "filter", "select", "levels", "distinct",
            "window", "machine", "rekey",
        ]
        for key in others {
            guard let extra = reader.entry(key) else { continue }
            collector.report(
                "'union' and '\(key)' cannot be in one step", at: extra.keyLocation,
                hint: key == "from" || key == "key"
                    ? "remove it; 'union' names the streams, and they keep their key"
                    : "make two steps, the second with 'from: \(entry.key)'")
        }
        guard let node = reader["union"], let items = node.items, items.count >= 2 else {
            collector.report(
                "'union' must be a list of two or more sources or steps",
                at: reader["union"]?.location ?? entry.keyLocation, hint: example)
            return nil
        }
        var streams: [Located<String>] = []
        for item in items {
            guard let name = item.text, !name.isEmpty else {
                collector.report(
                    "'union' must list names, not \(item.kind)", at: item.location, hint: example)
                continue
            }
            if streams.contains(where: { $0.value == name }) {
                collector.report(
                    "'\(name)' stands twice in the union", at: item.location,
                    hint: "remove one; each of its rows would come twice")
                continue
            }
            streams.append(Located(value: name, location: item.location))
        }
        guard streams.count == items.count, isDeclared else { return nil }
        return StepSpec(
            name: Located(value: entry.key, location: entry.keyLocation), from: streams[0],
            key: nil, operation: .union(streams))
    }

    private static let otherwiseExample =
        "otherwise: <name>: what reads the rows that do not pass the filter"

    /// Declares the name of a step's side output; false after a diagnostic.
    private func readOtherwise(_ reader: MappingReader, step: String) -> Bool {
        guard let entry = reader.entry("otherwise") else { return true }
        guard reader["filter"] != nil else {
            collector.report(
                "'otherwise' goes with 'filter' only", at: entry.keyLocation,
                hint: "remove it, or add the filter whose other rows it names")
            return false
        }
        guard let name = reader.text("otherwise", hint: SpecReader.otherwiseExample) else {
            return false
        }
        return declare(name.value, at: name.location, kind: "side output")
    }

    /// A scalar as an expression, or nil after a diagnostic.
    func expression(_ node: YAMLNode, name: String, example: String) -> ExpressionText? {
        guard let text = node.text, text.contains(where: { !$0.isWhitespace }) else {
            collector.report(
                "'\(name)' must be an expression, not \(node.kind)", at: node.location,
                hint: example)
            return nil
        }
        return ExpressionText(text, node: node)
    }

    /// A mapping of names to expressions, or nil after a diagnostic.
    func named(
        _ node: YAMLNode, name: String, example: String, nameProblem: (String) -> String?
    ) -> [NamedExpression]? {
        guard let entries = node.entries, !entries.isEmpty else {
            collector.report(
                "'\(name)' must be a mapping of names to expressions, not \(node.kind)",
                at: node.location, hint: example)
            return nil
        }
        var result: [NamedExpression] = []
        for entry in entries {
            if let problem = nameProblem(entry.key) {
                collector.report(problem, at: entry.keyLocation, hint: "rename it")
                continue
            }
            guard let text = expression(entry.value, name: entry.key, example: example) else {
                continue
            }
            result.append(
                NamedExpression(
                    name: Located(value: entry.key, location: entry.keyLocation), expression: text))
        }
        return result.count == entries.count ? result : nil
    }
}

// MARK: levels

extension SpecReader {
    private func readLevels(_ node: YAMLNode, step: String) -> LevelsSpec? {
        guard
            let reader = MappingReader(
                node, what: "'levels' of step '\(step)'",
                keys: [
                    "of", "raise", "clear", "direction", "bounds", "confirm", "hold", "order",
                    "ties",
                ],
                collector, example: "levels: {of: ratio, raise: {warning: 0.90}}")
        else { return nil }
        let example = "raise: {warning: 0.90, alarm: 1.00}"
        func levelProblem(_ name: String) -> String? {
            if name == "normal" { return "'normal' is the state below the lowest level" }
            return NameRules.isLabel(name)
                ? nil : "'\(name)' is not a level name: letters, digits, '_' and '-'"
        }
        let of = reader.required("of", hint: "of: the quantity to judge, such as 'of: ratio'")
            .flatMap { expression($0, name: "of", example: "of: ratio") }
        let raise = reader.required("raise", hint: example).flatMap {
            named($0, name: "raise", example: example, nameProblem: levelProblem)
        }
        var clear = raise
        if let node = reader["clear"] {
            let given = named(
                node, name: "clear", example: "clear: {warning: 0.85, alarm: 0.95}",
                nameProblem: levelProblem)
            clear = raise.flatMap { raise in
                given.flatMap { match($0, to: raise, at: node.location) }
            }
        }
        let isAbove = reader.choice(
            "direction", [("above", true), ("below", false)], default: true)
        let isStrict = reader.choice(
            "bounds", [("inclusive", false), ("exclusive", true)], default: false)
        let confirm = readConfirm(reader)
        let hold = reader["hold"] == nil ? 0 : reader.duration("hold", example: "10m")
        let order = readOrder(reader)
        let ties = reader.choice("ties", [("reject", false), ("judge", true)], default: false)
        guard let of, let raise, let clear, let isAbove, let isStrict, let confirm, let hold,
            let order, let ties
        else { return nil }
        return LevelsSpec(
            of: of, raise: raise, clear: clear, hasOwnClear: reader["clear"] != nil,
            isAbove: isAbove, isStrict: isStrict, confirmReadings: confirm.readings,
            confirmDuration: confirm.duration, hold: hold, order: order, judgesTies: ties)
    }

    /// Clear limits in the order of the raise limits; the names must be the same.
    private func match(
        _ clear: [NamedExpression], to raise: [NamedExpression], at location: SourceLocation
    ) -> [NamedExpression]? {
        let names = raise.map(\.name.value)
        var isWhole = true
        for limit in clear where !names.contains(limit.name.value) {
            collector.report(
                "'clear' names the level '\(limit.name.value)', 'raise' does not",
                at: limit.name.location,
                hint: Suggestion.hint(for: limit.name.value, in: names, kind: "levels of 'raise'"))
            isWhole = false
        }
        var result: [NamedExpression] = []
        for name in names {
            if let limit = clear.first(where: { $0.name.value == name }) {
                result.append(limit)
            } else {
                collector.report(
                    "'clear' lacks the level '\(name)'", at: location,
                    hint: "give each level of 'raise', or leave 'clear' out")
                isWhole = false
            }
        }
        return isWhole ? result : nil
    }

    private func readConfirm(_ reader: MappingReader) -> (readings: Int, duration: Int64)? {
        guard reader["confirm"] != nil else { return (1, 0) }
        let hint = "'confirm: 2 readings' or 'confirm: 30s'"
        guard let text = reader.text("confirm", hint: hint) else { return nil }
        let words = text.value.split(separator: " ")
        if words.count == 2, ["reading", "readings"].contains(words[1]) {
            guard let count = Int(words[0]), count >= 1, count <= 1_000_000 else {
                collector.report(
                    "'\(words[0])' is not a number of readings", at: text.location,
                    hint: "a whole number from 1 to 1000000")
                return nil
            }
            return (count, 0)
        }
        return MappingReader.duration(
            text, name: "'confirm'", minimum: 0, hint: hint, collector
        ).map { (1, $0) }
    }
}
