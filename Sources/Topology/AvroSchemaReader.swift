import Dataflow
import Primitives

/// A writer's Avro schema, and where each of its types stands.
package struct AvroSchemaSpec: Sendable {
    package var schema: AvroSchema
    /// One for each node of the schema.
    package var places: [SourceLocation]
}

/// Reads an Avro schema file (`.avsc`, JSON). One thread.
///
/// Source: Apache Avro 1.12 specification, "Schema Declaration". Attributes that the specification
/// does not name, and logical types that do not fit, mean nothing, as it asks.
package struct AvroSchemaReader {
    private static let primitives: [String: AvroSchema.Kind] = [
        "null": .null, "boolean": .boolean, "int": .int, "long": .long, "float": .float,
        "double": .double, "bytes": .bytes, "string": .string,
    ]
    /// Deeper nesting is refused.
    private static let maximumDepth = 64

    private let collector: DiagnosticCollector
    private var nodes: [AvroSchema.Node] = []
    private var places: [SourceLocation] = []
    /// Nodes of named types by full name.
    private var named: [String: Int] = [:]

    /// The schema, or nil with diagnostics.
    package static func read(
        _ source: SourceText, _ collector: DiagnosticCollector
    ) -> AvroSchemaSpec? {
        guard JSONReader.read(source.text) != nil else {
            // YAML's reader knows the place, where it sees the fault too.
            if YAMLReader.read(source, collector) != nil {
                collector.report(
                    "not JSON", at: SourceLocation(file: source.name, line: 1, column: 1),
                    hint: "an Avro schema is JSON, as a schema registry gives it")
            }
            return nil
        }
        // Whatever is JSON is YAML too, and YAML's nodes have places.
        guard let root = YAMLReader.read(source, collector) else { return nil }
        return read(root, collector)
    }

    /// The schema in a node of a file, or nil with diagnostics.
    package static func read(
        _ root: YAMLNode, _ collector: DiagnosticCollector
    ) -> AvroSchemaSpec? {
        var reader = AvroSchemaReader(collector)
        guard reader.type(root, namespace: "", depth: 0) != nil else { return nil }
        return AvroSchemaSpec(schema: AvroSchema(nodes: reader.nodes), places: reader.places)
    }

    private init(_ collector: DiagnosticCollector) { self.collector = collector }

    private func fault(_ message: String, _ place: SourceLocation, hint: String? = nil) -> Int? {
        collector.report(message, at: place, hint: hint)
        return nil
    }

    /// Makes room for a type, so that it stands before its parts.
    private mutating func add(_ kind: AvroSchema.Kind, at place: SourceLocation) -> Int {
        nodes.append(AvroSchema.Node(kind))
        places.append(place)
        return nodes.count - 1
    }

    private mutating func type(_ node: YAMLNode, namespace: String, depth: Int) -> Int? {
        guard depth < Self.maximumDepth else {
            return fault("nested too deeply", node.location)
        }
        switch node.content {
        case .scalar(let name, _): return named(name, node, namespace)
        case .sequence(let branches): return union(branches, node, namespace, depth)
        case .mapping: return complex(node, namespace, depth)
        }
    }

    private mutating func named(_ name: String, _ node: YAMLNode, _ namespace: String) -> Int? {
        if let kind = Self.primitives[name] { return add(kind, at: node.location) }
        let full = Self.fullName(name, namespace)
        if let index = named[full] ?? named[name] { return index }
        return fault(
            "there is no type '\(full)'", node.location,
            hint: Suggestion.hint(
                for: name, in: Self.primitives.keys.sorted() + named.keys.sorted(), kind: "types")
                ?? "a type stands before its name is used; references to other schemas must be"
                + " written out")
    }

    private static func fullName(_ name: String, _ namespace: String) -> String {
        name.contains(".") || namespace.isEmpty ? name : "\(namespace).\(name)"
    }

    private mutating func union(
        _ branches: [YAMLNode], _ node: YAMLNode, _ namespace: String, _ depth: Int
    ) -> Int? {
        let index = add(.null, at: node.location)
        var members: [Int] = []
        var seen: Set<String> = []
        for branch in branches {
            guard let member = type(branch, namespace: namespace, depth: depth + 1) else {
                return nil
            }
            if case .union = nodes[member].kind {
                return fault("a union directly inside a union", branch.location)
            }
            let name = nodes[member].name ?? AvroSchema(nodes: nodes).text(member)
            guard seen.insert(name).inserted else {
                return fault("a union with '\(name)' twice", branch.location)
            }
            members.append(member)
        }
        nodes[index].kind = .union(members)
        return index
    }

    private mutating func complex(
        _ node: YAMLNode, _ namespace: String, _ depth: Int
    ) -> Int? {
        guard let type = node["type"] else {
            return fault("this type has no 'type'", node.location)
        }
        guard let word = type.text else {
            // {"type": {"type": "string"}} and {"type": ["null", "int"]} are what they hold.
            return self.type(type, namespace: namespace, depth: depth + 1)
        }
        switch word {
        case "array", "map":
            let key = word == "array" ? "items" : "values"
            let index = add(.null, at: type.location)
            guard let part = node[key] else {
                return fault("\(word) needs '\(key)'", node.location)
            }
            guard let part = self.type(part, namespace: namespace, depth: depth + 1) else {
                return nil
            }
            nodes[index].kind = word == "array" ? .array(part) : .map(part)
            return index
        case "record", "error", "enum", "fixed":
            return namedType(word, node, type.location, namespace, depth)
        default:
            guard let index = named(word, type, namespace) else { return nil }
            if nodes[index].name == nil { nodes[index].logical = logical(node, nodes[index].kind) }
            return index
        }
    }

    private mutating func namedType(
        _ word: String, _ node: YAMLNode, _ place: SourceLocation, _ namespace: String,
        _ depth: Int
    ) -> Int? {
        guard let nameNode = node["name"], let name = nameNode.text, !name.isEmpty else {
            return fault("\(word) needs a 'name'", node.location)
        }
        let full = Self.fullName(name, node["namespace"]?.text ?? namespace)
        guard named[full] == nil else {
            return fault("type '\(full)' is declared twice", nameNode.location)
        }
        let index = add(.null, at: place)
        nodes[index].name = full
        named[full] = index
        switch word {
        case "enum":
            guard let items = node["symbols"]?.items else {
                return fault("enum needs a list of 'symbols'", node.location)
            }
            let symbols = items.compactMap(\.text)
            guard symbols.count == items.count, Set(symbols).count == symbols.count else {
                return fault("'symbols' must be distinct texts", node.location)
            }
            nodes[index].kind = .enumeration(symbols)
        case "fixed":
            guard let size = node["size"]?.text.flatMap({ Int($0) }), size >= 0, size < 1 << 24
            else { return fault("fixed needs a 'size' in bytes", node.location) }
            nodes[index].kind = .fixed(size: size)
            nodes[index].logical = logical(node, nodes[index].kind)
        default:
            let parts = full.split(separator: ".")
            let inner = parts.dropLast().joined(separator: ".")
            guard let members = members(node, namespace: inner, depth) else { return nil }
            nodes[index].kind = .record(members)
        }
        return index
    }

    private mutating func members(
        _ node: YAMLNode, namespace: String, _ depth: Int
    ) -> [AvroSchema.Member]? {
        func none(_ message: String, _ place: SourceLocation) -> [AvroSchema.Member]? {
            collector.report(message, at: place)
            return nil
        }
        guard let items = node["fields"]?.items else {
            return none("record needs a list of 'fields'", node.location)
        }
        var members: [AvroSchema.Member] = []
        for item in items {
            guard let name = item["name"]?.text, !name.isEmpty else {
                return none("a field needs a 'name'", item.location)
            }
            guard let type = item["type"] else {
                return none("field '\(name)' needs a 'type'", item.location)
            }
            guard !members.contains(where: { $0.name == name }) else {
                return none("field '\(name)' is declared twice", item.location)
            }
            guard let index = self.type(type, namespace: namespace, depth: depth + 1) else {
                return nil
            }
            members.append(AvroSchema.Member(name, index))
        }
        return members
    }

    /// The logical type that a type's attributes name, where it fits the form.
    private func logical(_ node: YAMLNode, _ kind: AvroSchema.Kind) -> AvroSchema.Logical {
        switch (node["logicalType"]?.text, kind) {
        case ("decimal", .bytes), ("decimal", .fixed):
            let scale = node["scale"]?.text.map { Int($0) } ?? 0
            guard let precision = node["precision"]?.text.flatMap({ Int($0) }), precision > 0,
                let scale, scale >= 0, scale <= precision
            else { return .none }
            return .decimal(scale: scale)
        case ("uuid", .string), ("uuid", .fixed(16)): return .uuid
        case ("date", .int): return .date
        case ("time-millis", .int): return .timeMillis
        case ("time-micros", .long): return .timeMicros
        case ("timestamp-millis", .long): return .timestampMillis
        case ("timestamp-micros", .long): return .timestampMicros
        case ("timestamp-nanos", .long): return .timestampNanos
        case ("duration", .fixed(12)): return .duration
        default: return .none
        }
    }
}
