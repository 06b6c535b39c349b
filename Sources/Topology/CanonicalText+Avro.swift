import Dataflow

extension CanonicalText {
    /// A writer's schema as a schema file writes it, without what no reader needs. O(types).
    package static func avro(_ schema: AvroSchema) -> JSONValue {
        var writer = AvroSchemaWriter(schema: schema)
        return writer.type(0)
    }

    /// The `format` of a source of Avro.
    static func format(_ form: AvroForm) -> JSONValue {
        let member: JSONValue.Member =
            switch form.origin {
            case .file(let name): .init("schema", .string(name))
            case .subject(let subject): .init("subject", .string(subject))
            }
        return .object([.init("avro", .object([member]))])
    }
}

/// Writes a schema; the first use of a named type declares it.
private struct AvroSchemaWriter {
    let schema: AvroSchema
    private var declared: Set<Int> = []

    init(schema: AvroSchema) { self.schema = schema }

    mutating func type(_ index: Int) -> JSONValue {
        let node = schema.nodes[index]
        guard declared.insert(index).inserted || node.name == nil else {
            return .string(node.name ?? "")
        }
        var members: [JSONValue.Member] = []
        switch node.kind {
        case .array(let items):
            return .object([.init("items", type(items)), .init("type", .string("array"))])
        case .map(let values):
            return .object([.init("type", .string("map")), .init("values", type(values))])
        case .union(let branches): return .array(branches.map { type($0) })
        case .record(let fields):
            let items = fields.map { field in
                JSONValue.object([
                    .init("name", .string(field.name)), .init("type", type(field.node)),
                ])
            }
            members = [.init("fields", .array(items)), .init("type", .string("record"))]
        case .enumeration(let symbols):
            members = [
                .init("symbols", .array(symbols.map { .string($0) })),
                .init("type", .string("enum")),
            ]
        case .fixed(let size):
            members = [.init("size", .number(String(size))), .init("type", .string("fixed"))]
        default:
            var plain = AvroSchema(nodes: [node])
            plain.nodes[0].logical = .none
            guard node.logical != .none else { return .string(plain.text(0)) }
            members = [.init("type", .string(plain.text(0)))]
        }
        if let name = node.name {
            members.append(.init("name", .string(name)))
            // Else it would take the namespace of the type around it.
            if !name.contains(".") { members.append(.init("namespace", .string(""))) }
        }
        if let logical = node.logical.name {
            members.append(.init("logicalType", .string(logical)))
        }
        if case .decimal(let scale) = node.logical {
            // The precision bounds nothing that a reader sees; the scale is never above it.
            members.append(.init("precision", .number(String(max(1, scale)))))
            members.append(.init("scale", .number(String(scale))))
        }
        return .object(members.sorted { $0.name < $1.name })
    }
}
