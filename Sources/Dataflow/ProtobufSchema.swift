/// What a reader needs of the message that values are: its fields, and those of the messages
/// inside, without options and comments.
///
/// Source: Protocol Buffers, `descriptor.proto` and "Encoding". Messages stand in a table, because
/// they may recurse.
package struct ProtobufSchema: Hashable, Sendable {
    /// A field's declared type; `Int` is an index of ``messages`` or ``enumerations``.
    package enum Kind: Hashable, Sendable {
        case double, float, int32, int64, uint32, uint64, sint32, sint64
        case fixed32, fixed64, sfixed32, sfixed64, bool, string, bytes
        case message(Int)
        case enumeration(Int)
        /// Of proto2; passed over.
        case group
    }

    /// A field of a message.
    package struct Member: Hashable, Sendable {
        package var name: String
        package var number: Int
        package var kind: Kind
        package var isRepeated: Bool
        /// Whether a value says that it is not there; else that is the type's default.
        package var hasPresence: Bool
        /// Members of one `oneof` share a number; at most one of them is there.
        package var oneof: Int?

        package init(
            name: String, number: Int, kind: Kind, isRepeated: Bool, hasPresence: Bool,
            oneof: Int? = nil
        ) {
            self.name = name
            self.number = number
            self.kind = kind
            self.isRepeated = isRepeated
            self.hasPresence = hasPresence
            self.oneof = oneof
        }
    }

    /// A message type.
    package struct Message: Hashable, Sendable {
        package var name: String
        /// Made by `map<…>`: an entry with the fields 1, the key, and 2, the value.
        package var isMapEntry: Bool
        /// By number.
        package var members: [Member]

        package init(name: String, isMapEntry: Bool, members: [Member]) {
            self.name = name
            self.isMapEntry = isMapEntry
            self.members = members
        }
    }

    /// An enumeration: names by number; the first of those that share a number.
    package struct Enumeration: Hashable, Sendable {
        package var name: String
        package var symbols: [Int32: String]

        package init(name: String, symbols: [Int32: String]) {
            self.name = name
            self.symbols = symbols
        }
    }

    /// The first is that of the values.
    package var messages: [Message]
    package var enumerations: [Enumeration]
    /// Where the values' message stands in its file: its index among the file's messages, then
    /// among those inside each.
    package var indexes: [Int]

    package init(messages: [Message], enumerations: [Enumeration], indexes: [Int]) {
        self.messages = messages
        self.enumerations = enumerations
        self.indexes = indexes
    }

    /// A type as messages name it.
    package func text(_ member: Member) -> String {
        let word =
            switch member.kind {
            case .message(let index):
                messages[index].isMapEntry ? "map" : "message \(messages[index].name)"
            case .enumeration(let index): "enum \(enumerations[index].name)"
            default: "\(member.kind)"
            }
        return member.isRepeated && word != "map" ? "repeated \(word)" : word
    }
}

/// How a source's values of Protocol Buffers are written.
package struct ProtobufForm: Hashable, Sendable {
    /// Name of the file `schemas/<name>.desc` with the descriptors.
    package var descriptors: String
    /// Full name of the message.
    package var message: String
    /// Values begin with a zero byte, a schema id and the message's indexes, as Confluent's
    /// serializers write it.
    package var isFramed: Bool
    /// Nil before the file is read.
    package var schema: ProtobufSchema?

    package init(
        descriptors: String, message: String, isFramed: Bool, schema: ProtobufSchema? = nil
    ) {
        self.descriptors = descriptors
        self.message = message
        self.isFramed = isFramed
        self.schema = schema
    }
}
