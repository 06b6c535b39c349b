/// What a reader needs of the Avro schema that values were written with: its types with names
/// resolved, without documentation, defaults and aliases.
///
/// Source: Apache Avro 1.12 specification. Types stand in a table, because they may recurse.
package struct AvroSchema: Hashable, Sendable {
    /// A type's form on the wire; `Int` is an index of ``nodes``.
    package enum Kind: Hashable, Sendable {
        case null, boolean, int, long, float, double, bytes, string
        case fixed(size: Int)
        case enumeration([String])
        case array(Int)
        case map(Int)
        case union([Int])
        case record([Member])
    }

    /// What a value stands for beyond its form.
    package enum Logical: Hashable, Sendable {
        case none
        case decimal(scale: Int)
        case date, uuid, duration
        case timeMillis, timeMicros
        case timestampMillis, timestampMicros, timestampNanos
    }

    /// A record's field.
    package struct Member: Hashable, Sendable {
        package var name: String
        package var node: Int

        package init(_ name: String, _ node: Int) {
            self.name = name
            self.node = node
        }
    }

    /// One type.
    package struct Node: Hashable, Sendable {
        package var kind: Kind
        package var logical: Logical
        /// Full name of a record, an enumeration or a fixed.
        package var name: String?

        package init(_ kind: Kind, _ logical: Logical = .none, name: String? = nil) {
            self.kind = kind
            self.logical = logical
            self.name = name
        }
    }

    /// The first is the schema's own type.
    package var nodes: [Node]

    package init(nodes: [Node]) { self.nodes = nodes }

    /// The least bytes that a value of a type takes, at most 1. O(depth of records).
    package func isNeverEmpty(_ node: Int, depth: Int = 0) -> Bool {
        switch nodes[node].kind {
        case .null: false
        case .fixed(let size): size > 0
        case .record(let members):
            depth < 64 && members.contains { isNeverEmpty($0.node, depth: depth + 1) }
        default: true
        }
    }

    /// A type as messages name it, such as `long (timestamp-millis)`.
    package func text(_ node: Int) -> String {
        let type = nodes[node]
        let word =
            switch type.kind {
            case .null: "null"
            case .boolean: "boolean"
            case .int: "int"
            case .long: "long"
            case .float: "float"
            case .double: "double"
            case .bytes: "bytes"
            case .string: "string"
            case .fixed(let size): "fixed of \(size) bytes"
            case .enumeration: "enum \(type.name ?? "")"
            case .array: "array"
            case .map: "map"
            case .union(let branches):
                "union of " + branches.map { text($0) }.joined(separator: ", ")
            case .record: "record \(type.name ?? "")"
            }
        return type.logical.name.map { "\(word) (\($0))" } ?? word
    }
}

extension AvroSchema.Logical {
    /// The name that schemas use; nil for none.
    package var name: String? {
        switch self {
        case .none: nil
        case .decimal: "decimal"
        case .date: "date"
        case .uuid: "uuid"
        case .duration: "duration"
        case .timeMillis: "time-millis"
        case .timeMicros: "time-micros"
        case .timestampMillis: "timestamp-millis"
        case .timestampMicros: "timestamp-micros"
        case .timestampNanos: "timestamp-nanos"
        }
    }
}

/// How a source's Avro values are written: the schemas that their writers used.
package struct AvroForm: Hashable, Sendable {
    /// Where the schemas come from.
    package enum Origin: Hashable, Sendable {
        /// Every value is of one schema, that of a file `schemas/<name>.avsc`.
        case file(String)
        /// Values name their schema by a registry's id; `schemas/<subject>/<id>.avsc` has them.
        case subject(String)
    }

    /// One writer's schema; the id is 0 where values name none.
    package struct Writer: Hashable, Sendable {
        package var id: UInt32
        package var schema: AvroSchema

        package init(id: UInt32, schema: AvroSchema) {
            self.id = id
            self.schema = schema
        }
    }

    package var origin: Origin
    /// Ascending by id; just one where the origin is a file. Empty before the files are read.
    package var writers: [Writer]

    package init(_ origin: Origin, writers: [Writer] = []) {
        self.origin = origin
        self.writers = writers
    }
}
