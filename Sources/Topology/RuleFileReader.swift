import Columnar
import Dataflow
import Primitives

/// Reads a rule file's YAML. One thread.
package struct RuleFileReader {
    let collector: DiagnosticCollector
    let zone: Zone?
    let scope: [Field]
    let values: [Field]

    private static let keys = ["rules", "describe", "zone", "scope", "values", "rows"]
    /// Values that need no declaration.
    private static let known = [
        Field("basis", .string, isNullable: true), Field("verified", .bool, isNullable: true),
    ]
    private static let reserved = ["from", "to", "describe"]

    /// The rules, or nil with diagnostics. `name` is the name they were asked for by.
    package static func read(
        _ root: YAMLNode, name: String, _ collector: DiagnosticCollector
    ) -> RuleFileSpec? {
        let example = "rules: \(name)"
        guard
            let reader = MappingReader(
                root, what: "a rule file", keys: keys, collector, example: example)
        else { return nil }
        if let given = reader.requiredText("rules", hint: example), given.value != name {
            collector.report(
                "the rules in this file are named '\(given.value)', not '\(name)'",
                at: given.location, hint: "file name and name of the rules must agree")
            return nil
        }
        var zone: Zone?
        if reader["zone"] != nil {
            guard let text = reader.text("zone", hint: "zone: Asia/Shanghai"),
                let found = SpecReader.zone(text, collector)
            else { return nil }
            zone = found
        }
        let scope = reader["scope"].map { fields($0, of: "scope", [], collector) } ?? []
        let values = reader.required("values", hint: "values: {limit: decimal(0) ug/m3}").map {
            fields($0, of: "values", scope ?? [], collector)
        }
        let rowsExample = "rows: [{from: 2026-01-01, limit: 250}]"
        guard let node = reader.required("rows", hint: rowsExample), let scope,
            let values = values ?? nil
        else { return nil }
        guard let items = node.items, !items.isEmpty else {
            collector.report(
                "'rows' must be a list, not \(node.items == nil ? node.kind : "an empty one")",
                at: node.location, hint: rowsExample)
            return nil
        }
        let implied = known.filter { field in
            !(scope + values).contains { $0.name == field.name }
                && items.contains { $0[field.name] != nil }
        }
        let file = RuleFileReader(
            collector: collector, zone: zone, scope: scope, values: values + implied)
        let rows = items.map { file.row($0) }
        let whole = rows.compactMap(\.self)
        let spec = RuleFileSpec(name: name, scope: scope, values: file.values, rows: whole)
        let isCovered = RuleValidity(spec, collector).check()
        return isCovered && whole.count == rows.count ? spec : nil
    }

    /// Declared fields, or nil after diagnostics.
    private static func fields(
        _ node: YAMLNode, of section: String, _ others: [Field], _ collector: DiagnosticCollector
    ) -> [Field]? {
        let example = section == "scope" ? "scope: {stage: string}" : "values: {limit: int}"
        guard let entries = node.entries, !entries.isEmpty || section == "scope" else {
            collector.report(
                "'\(section)' must be a mapping of names to types, not \(node.kind)",
                at: node.location, hint: example)
            return nil
        }
        let fields = entries.map { entry -> Field? in
            if let problem = NameRules.problem(identifier: entry.key) {
                collector.report(problem, at: entry.keyLocation, hint: "rename it")
                return nil
            }
            if reserved.contains(entry.key) || others.contains(where: { $0.name == entry.key }) {
                collector.report(
                    "'\(entry.key)' is a name of something else in a row", at: entry.keyLocation,
                    hint: "rename it")
                return nil
            }
            guard let (type, isNullable) = SchemaReader.type(entry.value, collector) else {
                return nil
            }
            if let problem = problem(type, isNullable, section) {
                collector.report(
                    "'\(entry.key)' cannot be \(type)\(isNullable ? "?" : "")",
                    at: entry.value.location, hint: problem)
                return nil
            }
            return Field(entry.key, type, isNullable: isNullable)
        }
        let whole = fields.compactMap(\.self)
        return whole.count == fields.count ? whole : nil
    }

    private static func problem(
        _ type: ValueType, _ isNullable: Bool, _ section: String
    ) -> String? {
        if section == "scope" {
            let isChoice = type == .string || type == .int || type == .bool
            return isChoice && !isNullable ? nil : "rows are chosen by string, int or bool"
        }
        switch type {
        case .bool, .int, .double, .decimal, .string, .timestamp, .duration: return nil
        default: return "one of: bool, int, double, decimal, string, timestamp, duration"
        }
    }
}

// MARK: - Rows

extension RuleFileReader {
    /// A row, or nil after diagnostics.
    private func row(_ node: YAMLNode) -> RuleRowSpec? {
        let names = scope.map(\.name) + values.map(\.name)
        guard
            let reader = MappingReader(
                node, what: "a row", keys: ["from", "to", "describe"] + names, collector,
                example: "{from: 2026-01-01, …}")
        else { return nil }
        let count = collector.count
        let from = reader.required("from", hint: "from when on it holds: 'from: 2026-01-01'")
            .flatMap { moment($0, "from") }
        let to = reader["to"].flatMap { moment($0, "to") }
        let scopeTexts = scope.map { scopeText($0, reader) }
        let row = values.map { value($0, reader) }
        guard collector.count == count, let from,
            !(node.entries ?? []).contains(where: { !reader.isKnown($0.key, names) })
        else { return nil }
        if let to, to <= from, let place = reader["to"] {
            collector.report(
                "the row ends before it begins", at: place.location,
                hint: "'to' is the first moment at which it does not hold any more")
            return nil
        }
        return RuleRowSpec(
            scope: scopeTexts, from: from, to: to, values: row, location: node.location,
            fromText: reader["from"]?.text ?? "", toText: reader["to"]?.text)
    }

    private func scopeText(_ field: Field, _ reader: MappingReader) -> String? {
        let hint = "'\(field.name): \"*\"' is for any"
        guard let node = reader.required(field.name, hint: hint) else { return nil }
        guard let text = node.text, !text.isEmpty else {
            collector.report(
                "'\(field.name)' must be a single value, not \(node.kind)", at: node.location,
                hint: hint)
            return nil
        }
        if text == "*" { return nil }
        switch field.type {
        case .int:
            if let value = Int64(text) { return String(value) }
            collector.report(
                "'\(field.name)' is int, '\(text)' is not", at: node.location, hint: hint)
        case .bool:
            if ["true", "false"].contains(text) { return text }
            collector.report(
                "'\(field.name)' is bool, '\(text)' is not", at: node.location,
                hint: "true, false or \"*\"")
        default: return text
        }
        return nil
    }

    /// A value of a row; nil for null and after a diagnostic.
    private func value(_ field: Field, _ reader: MappingReader) -> RuleValue? {
        let node = reader[field.name]
        let isNull = node.map { $0.isEmpty || $0.isPlainNull } ?? true
        if isNull {
            if !field.isNullable {
                collector.report(
                    "a row needs '\(field.name)'", at: node?.location ?? reader.node.location,
                    hint: "give it, or declare '\(field.name): \"\(field.type)?\"'")
            }
            return nil
        }
        guard let node, let text = node.text else {
            collector.report(
                "'\(field.name)' must be a single value, not \(node?.kind ?? "nothing")",
                at: node?.location, hint: "it is \(field.type)")
            return nil
        }
        switch field.type {
        case .string: return .string(text)
        case .timestamp: return moment(node, field.name).map { .int64($0) }
        default: break
        }
        do {
            return try RuleValue(text, field.type)
        } catch {
            collector.report(
                "'\(field.name)' is \(field.type), '\(text)' \(error.reason)", at: node.location,
                hint: error.hint)
            return nil
        }
    }

    /// A date or point in time, or nil after a diagnostic.
    private func moment(_ node: YAMLNode, _ name: String) -> Int64? {
        let example = "such as 2026-01-31, or \"2026-01-31T08:00:00+08:00\""
        guard let text = node.text, !text.isEmpty else {
            collector.report(
                "'\(name)' must be a date or a point in time, not \(node.kind)",
                at: node.location, hint: example)
            return nil
        }
        switch RuleMoment(text) {
        case .instant(let time): return time
        case .local(let time):
            if let zone {
                let instant = zone.instant(local: time)
                if instant >= Timestamp.minimum, instant <= Timestamp.maximum { return instant }
            } else {
                collector.report(
                    "'\(text)' needs a time zone", at: node.location,
                    hint: "give the file 'zone: Asia/Shanghai', or write the offset, "
                        + "as in \"2026-01-31T08:00:00+08:00\"")
                return nil
            }
        case nil: break
        }
        collector.report(
            "'\(text)' is not a date or a point in time", at: node.location, hint: example)
        return nil
    }
}

extension MappingReader {
    /// Whether a key is one of a row's.
    fileprivate func isKnown(_ key: String, _ names: [String]) -> Bool {
        names.contains(key) || ["from", "to", "describe"].contains(key)
    }
}

extension YAMLNode {
    fileprivate var isPlainNull: Bool {
        if case .scalar("null", .plain) = content { true } else { false }
    }
}
