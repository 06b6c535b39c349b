import Columnar
import Primitives

/// A schema with the places of its fields.
package struct SchemaSpec: Sendable {
    package var schema: Schema
    package var fieldLocations: [SourceLocation]
}

/// Reads a schema file's YAML. One thread.
package struct SchemaReader {
    private let collector: DiagnosticCollector

    /// The schema, or nil with diagnostics. `name` is the name it was asked for by.
    package static func read(
        _ root: YAMLNode, name: String, _ collector: DiagnosticCollector
    ) -> SchemaSpec? {
        SchemaReader(collector: collector).read(root, name: name)
    }

    private func read(_ root: YAMLNode, name: String) -> SchemaSpec? {
        let example = "schema: \(name)"
        guard
            let reader = MappingReader(
                root, what: "a schema", keys: ["schema", "describe", "fields"], collector,
                example: example)
        else { return nil }
        if let given = reader.requiredText("schema", hint: example), given.value != name {
            collector.report(
                "the schema in this file is named '\(given.value)', not '\(name)'",
                at: given.location, hint: "file name and schema name must agree")
            return nil
        }
        let fieldsExample = "fields: {device: string, ts: timestamp}"
        guard let node = reader.required("fields", hint: fieldsExample) else { return nil }
        guard let entries = node.entries, !entries.isEmpty else {
            collector.report(
                "'fields' must be a mapping of names to types, not \(node.kind)",
                at: node.location, hint: fieldsExample)
            return nil
        }
        let fields = entries.map { readField($0) }
        let known = fields.compactMap(\.self)
        guard known.count == fields.count else { return nil }
        return SchemaSpec(
            schema: Schema(name: name, fields: known), fieldLocations: entries.map(\.keyLocation))
    }

    private func readField(_ entry: YAMLNode.Entry) -> Field? {
        var isNamed = true
        if let problem = NameRules.problem(identifier: entry.key) {
            collector.report(
                problem, at: entry.keyLocation,
                hint: "rename it, and give the name in the data as 'path'")
            isNamed = false
        }
        if entry.value.text != nil {
            guard let (type, isNullable) = readType(entry.value), isNamed else { return nil }
            return Field(entry.key, type, isNullable: isNullable)
        }
        guard
            let reader = MappingReader(
                entry.value, what: "field '\(entry.key)'",
                keys: ["type", "nullable", "path", "round", "encoding", "doc", "personal"],
                collector, example: "\(entry.key): decimal(1), or \(entry.key): {type: …}")
        else { return nil }
        return readLongField(reader, name: entry.key).flatMap { isNamed ? $0 : nil }
    }

    private func readLongField(_ reader: MappingReader, name: String) -> Field? {
        let truths = [("true", true), ("false", false)]
        let type = reader.required("type", hint: "type: decimal(1) ug/m3").flatMap { readType($0) }
        let nullable = reader.choice("nullable", truths, default: type?.isNullable ?? false)
        let path = readPath(reader)
        let rounds = reader.choice("round", truths, default: false)
        let encodings = Field.TimestampEncoding.allCases.map { ($0.rawValue, $0) }
        let encoding = reader.choice("encoding", encodings, default: .automatic)
        let personal = reader.choice("personal", truths, default: false)
        guard let type, let nullable, let rounds, let encoding, let personal,
            reader["path"] == nil || path != nil
        else { return nil }
        if let entry = reader.entry("encoding"), type.type != .timestamp {
            collector.report(
                "'encoding' is for timestamps", at: entry.keyLocation, hint: "remove it")
            return nil
        }
        if let entry = reader.entry("round"), rounds, !SchemaReader.isDecimal(type.type) {
            collector.report(
                "'round' is for decimals", at: entry.keyLocation, hint: "remove it")
            return nil
        }
        return Field(
            name, type.type, isNullable: nullable || type.isNullable, path: path?.value,
            rounds: rounds, timestampEncoding: encoding, isPersonal: personal,
            documentation: reader["doc"]?.text ?? "")
    }

    private func readPath(_ reader: MappingReader) -> Located<String>? {
        let hint = "path: data.mass, or a factor such as a34001-Rtd"
        guard let path = reader.text("path", hint: hint) else { return nil }
        if path.value.split(separator: ".", omittingEmptySubsequences: false).contains("") {
            collector.report(
                "'\(path.value)' is not a path", at: path.location, hint: hint)
            return nil
        }
        return path
    }

    private static func isDecimal(_ type: ValueType) -> Bool {
        if case .decimal = type { true } else { false }
    }

    /// The type that a node writes, or nil after a diagnostic.
    static func type(
        _ node: YAMLNode, _ collector: DiagnosticCollector
    ) -> (type: ValueType, isNullable: Bool)? {
        SchemaReader(collector: collector).readType(node)
    }

    private func readType(_ node: YAMLNode) -> (type: ValueType, isNullable: Bool)? {
        let example = "such as string, decimal(2) t, timestamp"
        guard let text = node.text, !text.isEmpty else {
            collector.report("a type is missing", at: node.location, hint: example)
            return nil
        }
        do {
            return try TypeText.parse(text)
        } catch {
            collector.report(
                error.message, at: node.location(ofCharacter: error.offset), hint: error.hint)
            return nil
        }
    }
}
