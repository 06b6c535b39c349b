import Dataflow
import Primitives

/// The messages of a descriptor set, as `protoc --include_imports --descriptor_set_out` writes it.
///
/// Source: `google/protobuf/descriptor.proto`. Of its fields only those are read that say how
/// values look on the wire.
package struct ProtobufDescriptors {
    /// Why bytes are no descriptor set, or why a message cannot be read with it.
    package struct Problem: Error {
        package var message: String
        package var hint: String?
    }

    private struct MessageType {
        var name: String
        var indexes: [Int]
        var isProto3: Bool
        var isMapEntry = false
        var fields: [FieldType] = []
    }

    private struct FieldType {
        var name = ""
        var number = 0
        var label = 1
        var type = 0
        var typeName = ""
        var oneof: Int?
        var isOptional = false
    }

    private var messages: [String: MessageType] = [:]
    private var enumerations: [String: ProtobufSchema.Enumeration] = [:]

    /// Reads a set. O(bytes).
    package init(_ bytes: [UInt8]) throws(Problem) {
        for file in try ProtobufFields.read(bytes[...]) where file.number == 1 {
            try readFile(try file.message())
        }
        guard !messages.isEmpty else {
            throw Problem(
                message: "no descriptor set with messages",
                hint: "write it with protoc --include_imports --descriptor_set_out=FILE")
        }
    }

    /// Full names of all messages, sorted.
    package var messageNames: [String] {
        messages.values.filter { !$0.isMapEntry }.map(\.name).sorted()
    }

    // MARK: Reading

    private mutating func readFile(_ file: [ProtobufFields.Field]) throws(Problem) {
        var package = ""
        var syntax = "proto2"
        for field in file {
            switch field.number {
            case 2: package = field.text
            case 12: syntax = field.text
            default: break
            }
        }
        guard syntax == "proto2" || syntax == "proto3" else {
            throw Problem(
                message: "syntax '\(syntax)' is not read", hint: "write proto2 or proto3")
        }
        let prefix = package.isEmpty ? "" : package + "."
        var index = 0
        for field in file {
            switch field.number {
            case 4:
                try readMessage(
                    try field.message(), prefix, [index], isProto3: syntax == "proto3")
                index += 1
            case 5: try readEnumeration(try field.message(), prefix)
            default: break
            }
        }
    }

    private mutating func readMessage(
        _ content: [ProtobufFields.Field], _ prefix: String, _ indexes: [Int], isProto3: Bool
    ) throws(Problem) {
        guard indexes.count < 64 else { throw Problem(message: "messages nested too deeply") }
        let name = prefix + (content.first { $0.number == 1 }?.text ?? "")
        var message = MessageType(name: name, indexes: indexes, isProto3: isProto3)
        var index = 0
        for field in content {
            switch field.number {
            case 2: message.fields.append(try Self.field(try field.message()))
            case 3:
                try readMessage(
                    try field.message(), name + ".", indexes + [index], isProto3: isProto3)
                index += 1
            case 4: try readEnumeration(try field.message(), name + ".")
            case 7:
                message.isMapEntry = try field.message().contains { $0.number == 7 && $0.bits != 0 }
            default: break
            }
        }
        messages[name] = message
    }

    private static func field(_ content: [ProtobufFields.Field]) throws(Problem) -> FieldType {
        var field = FieldType()
        for item in content {
            let value = Int(truncatingIfNeeded: item.bits)
            switch item.number {
            case 1: field.name = item.text
            case 3: field.number = value
            case 4: field.label = value
            case 5: field.type = value
            case 6: field.typeName = String(item.text.drop { $0 == "." })
            case 9: field.oneof = value
            case 17: field.isOptional = value != 0
            default: break
            }
        }
        guard field.number > 0, field.number < 1 << 29 else {
            throw Problem(message: "field '\(field.name)' has no number")
        }
        return field
    }

    private mutating func readEnumeration(
        _ content: [ProtobufFields.Field], _ prefix: String
    ) throws(Problem) {
        let name = prefix + (content.first { $0.number == 1 }?.text ?? "")
        var symbols: [Int32: String] = [:]
        for item in content where item.number == 2 {
            let parts = try item.message()
            let number = Int32(truncatingIfNeeded: parts.last { $0.number == 2 }?.bits ?? 0)
            let symbol = parts.last { $0.number == 1 }?.text ?? ""
            if symbols[number] == nil { symbols[number] = symbol }
        }
        enumerations[name] = ProtobufSchema.Enumeration(name: name, symbols: symbols)
    }

    // MARK: One message

    /// The schema of a message with all that it holds.
    package func schema(_ name: String) throws(Problem) -> ProtobufSchema {
        guard let root = messages[name], !root.isMapEntry else {
            throw Problem(
                message: "there is no message '\(name)'",
                hint: Suggestion.hint(for: name, in: messageNames, kind: "messages"))
        }
        var schema = ProtobufSchema(messages: [], enumerations: [], indexes: root.indexes)
        var known: [String: Int] = [:]
        var enumerationsKnown: [String: Int] = [:]
        var waiting = [root]
        known[name] = 0
        var next = 0
        while next < waiting.count {
            let message = waiting[next]
            next += 1
            var members: [ProtobufSchema.Member] = []
            for field in message.fields {
                let kind: ProtobufSchema.Kind
                switch field.type {
                case 11:
                    guard let inner = messages[field.typeName] else {
                        throw missing(field.typeName, of: field, in: message)
                    }
                    if known[inner.name] == nil {
                        known[inner.name] = waiting.count
                        waiting.append(inner)
                    }
                    kind = .message(known[inner.name] ?? 0)
                case 14:
                    guard let inner = enumerations[field.typeName] else {
                        throw missing(field.typeName, of: field, in: message)
                    }
                    if enumerationsKnown[inner.name] == nil {
                        enumerationsKnown[inner.name] = schema.enumerations.count
                        schema.enumerations.append(inner)
                    }
                    kind = .enumeration(enumerationsKnown[inner.name] ?? 0)
                default:
                    guard let plain = Self.kinds[field.type] else {
                        throw Problem(
                            message: "field '\(field.name)' of message '\(message.name)' has a"
                                + " type that is not known: \(field.type)")
                    }
                    kind = plain
                }
                members.append(member(field, kind, message))
            }
            members.sort { $0.number < $1.number }
            schema.messages.append(
                ProtobufSchema.Message(
                    name: message.name, isMapEntry: message.isMapEntry, members: members))
        }
        return schema
    }

    private func member(
        _ field: FieldType, _ kind: ProtobufSchema.Kind, _ message: MessageType
    ) -> ProtobufSchema.Member {
        let isMessage = if case .message = kind { true } else { false }
        let isRepeated = field.label == 3
        // An entry's key and value are never missing.
        let hasPresence =
            !message.isMapEntry && !isRepeated
            && (isMessage || !message.isProto3 || field.isOptional || field.oneof != nil)
        return ProtobufSchema.Member(
            name: field.name, number: field.number, kind: kind, isRepeated: isRepeated,
            hasPresence: hasPresence, oneof: field.oneof)
    }

    private func missing(_ type: String, of field: FieldType, in message: MessageType) -> Problem {
        Problem(
            message: "field '\(field.name)' of message '\(message.name)' is of type '\(type)',"
                + " which is not in the set",
            hint: "write the set with protoc --include_imports")
    }

    private static let kinds: [Int: ProtobufSchema.Kind] = [
        1: .double, 2: .float, 3: .int64, 4: .uint64, 5: .int32, 6: .fixed64, 7: .fixed32,
        8: .bool, 9: .string, 10: .group, 12: .bytes, 13: .uint32, 15: .sfixed32, 16: .sfixed64,
        17: .sint32, 18: .sint64,
    ]
}

/// The fields of a message on the wire.
enum ProtobufFields {
    struct Field {
        var number: Int
        /// Of a number; 0 for others.
        var bits: UInt64 = 0
        /// Of a text, bytes or message; empty for others.
        var bytes: ArraySlice<UInt8> = []

        var text: String { String(decoding: bytes, as: UTF8.self) }

        func message() throws(ProtobufDescriptors.Problem) -> [Field] { try read(bytes) }
    }

    /// All fields in their order.
    static func read(
        _ bytes: ArraySlice<UInt8>
    ) throws(ProtobufDescriptors.Problem) -> [Field] {
        var fields: [Field] = []
        var rest = bytes
        func broken() -> ProtobufDescriptors.Problem {
            ProtobufDescriptors.Problem(
                message: "no descriptor set",
                hint: "write it with protoc --include_imports --descriptor_set_out=FILE")
        }
        func varint() -> UInt64? {
            var position = 0
            let slice = Array(rest.prefix(10))
            guard let value = Varint.readUnsigned64(slice.span, at: &position) else { return nil }
            rest = rest.dropFirst(position)
            return value
        }
        while !rest.isEmpty {
            guard let tag = varint(), tag >> 3 > 0, tag >> 3 < 1 << 29 else { throw broken() }
            var field = Field(number: Int(tag >> 3))
            switch tag & 7 {
            case 0:
                guard let value = varint() else { throw broken() }
                field.bits = value
            case 1, 5:
                let count = tag & 7 == 1 ? 8 : 4
                guard rest.count >= count else { throw broken() }
                rest = rest.dropFirst(count)
            case 2:
                guard let count = varint(), count <= UInt64(rest.count) else { throw broken() }
                field.bytes = rest.prefix(Int(count))
                rest = rest.dropFirst(Int(count))
            default: throw broken()
            }
            fields.append(field)
        }
        return fields
    }
}
