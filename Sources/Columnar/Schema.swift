import Primitives

/// One named field of a schema or of a struct type.
package struct Field: Hashable, Sendable {
    /// How a timestamp stands in the input.
    package enum TimestampEncoding: String, Hashable, Sendable, CaseIterable {
        /// RFC 3339 text, or a JSON number of milliseconds since the epoch.
        case automatic
        case rfc3339
        case epochSeconds = "epoch-s"
        case epochMilliseconds = "epoch-ms"
        case epochMicroseconds = "epoch-us"
    }

    package var name: String
    package var type: ValueType
    package var isNullable: Bool
    /// Where the value stands in the input: a dotted path in JSON, a factor such as `a34001-Rtd`
    /// in an HJ 212 frame. The field's name unless the schema says otherwise.
    package var path: String
    /// Input with more digits than the scale is rounded half-even instead of being rejected.
    package var rounds: Bool
    package var timestampEncoding: TimestampEncoding
    /// Marks personal data.
    package var isPersonal: Bool
    package var documentation: String

    package init(
        _ name: String, _ type: ValueType, isNullable: Bool = false, path: String? = nil,
        rounds: Bool = false, timestampEncoding: TimestampEncoding = .automatic,
        isPersonal: Bool = false, documentation: String = ""
    ) {
        self.name = name
        self.type = type
        self.isNullable = isNullable
        self.path = path ?? name
        self.rounds = rounds
        self.timestampEncoding = timestampEncoding
        self.isPersonal = isPersonal
        self.documentation = documentation
    }
}

/// Named, typed fields in order: the shape of a topic's values or of a step's output rows.
package struct Schema: Hashable, Sendable {
    package var name: String
    package var fields: [Field]

    package init(name: String, fields: [Field]) {
        self.name = name
        self.fields = fields
    }

    /// The index of a field by name. O(fields).
    package func index(of name: String) -> Int? { fields.firstIndex { $0.name == name } }
}
