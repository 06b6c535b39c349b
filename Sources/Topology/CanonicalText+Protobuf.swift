import Dataflow
import Primitives

extension CanonicalText {
    /// The `format` of a source of Protocol Buffers.
    static func format(_ form: ProtobufForm) -> JSONValue {
        .object([
            .init(
                "protobuf",
                .object([
                    .init("descriptors", .string(form.descriptors)),
                    .init("message", .string(form.message)),
                    .init("wire", .string(form.isFramed ? "confluent" : "plain")),
                ]))
        ])
    }

    /// A message with all that it holds, as plans store it. O(members).
    package static func protobuf(_ schema: ProtobufSchema) -> JSONValue {
        let enumerations = schema.enumerations.map { enumeration in
            JSONValue.Member(
                enumeration.name,
                .object(
                    enumeration.symbols.sorted { $0.key < $1.key }.map {
                        .init(String($0.key), .string($0.value))
                    }))
        }
        let messages = schema.messages.map { message in
            JSONValue.object([
                .init("fields", .array(message.members.map { member($0, schema) })),
                .init("map", .bool(message.isMapEntry)), .init("name", .string(message.name)),
            ])
        }
        return .object([
            .init("enums", .object(enumerations)),
            .init("indexes", .array(schema.indexes.map { .number(String($0)) })),
            .init("messages", .array(messages)),
        ])
    }

    private static func member(
        _ member: ProtobufSchema.Member, _ schema: ProtobufSchema
    ) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(member.name)), .init("number", .number(String(member.number))),
        ]
        if let oneof = member.oneof { members.append(.init("oneof", .number(String(oneof)))) }
        members.append(.init("presence", .bool(member.hasPresence)))
        members.append(.init("repeated", .bool(member.isRepeated)))
        members.append(.init("type", .string(schema.storedType(member.kind))))
        return .object(members)
    }
}

extension ProtobufSchema {
    fileprivate func storedType(_ kind: Kind) -> String {
        switch kind {
        case .message(let index): "message \(messages[index].name)"
        case .enumeration(let index): "enum \(enumerations[index].name)"
        default: "\(kind)"
        }
    }

    /// Reads what ``CanonicalText/protobuf(_:)`` wrote; nil for anything else.
    package init?(stored node: YAMLNode) {
        func truth(_ node: YAMLNode?) -> Bool? {
            switch node?.text {
            case "true": true
            case "false": false
            default: nil
            }
        }
        func number(_ node: YAMLNode?) -> Int? { node?.text.flatMap { Int($0) } }
        guard let indexes = node["indexes"]?.items?.compactMap({ number($0) }),
            let items = node["messages"]?.items, !items.isEmpty
        else { return nil }
        var enumerations: [Enumeration] = []
        for entry in node["enums"]?.entries ?? [] {
            var symbols: [Int32: String] = [:]
            for symbol in entry.value.entries ?? [] {
                guard let key = Int32(symbol.key), let name = symbol.value.text else { return nil }
                symbols[key] = name
            }
            enumerations.append(Enumeration(name: entry.key, symbols: symbols))
        }
        let names = items.map { $0["name"]?.text ?? "" }
        let plain: [Kind] = [
            .double, .float, .int32, .int64, .uint32, .uint64, .sint32, .sint64, .fixed32,
            .fixed64, .sfixed32, .sfixed64, .bool, .string, .bytes, .group,
        ]
        func kind(_ text: String) -> Kind? {
            let words = text.split(separator: " ", maxSplits: 1).map(String.init)
            guard words.count == 2 else { return plain.first { "\($0)" == text } }
            return words[0] == "message"
                ? names.firstIndex(of: words[1]).map { .message($0) }
                : enumerations.firstIndex { $0.name == words[1] }.map { .enumeration($0) }
        }
        var messages: [Message] = []
        for (name, item) in zip(names, items) {
            guard let fields = item["fields"]?.items, let isMapEntry = truth(item["map"]) else {
                return nil
            }
            var members: [Member] = []
            for field in fields {
                guard let own = field["name"]?.text, let place = number(field["number"]),
                    let kind = field["type"]?.text.flatMap({ kind($0) }),
                    let isRepeated = truth(field["repeated"]),
                    let hasPresence = truth(field["presence"])
                else { return nil }
                members.append(
                    Member(
                        name: own, number: place, kind: kind, isRepeated: isRepeated,
                        hasPresence: hasPresence, oneof: number(field["oneof"])))
            }
            messages.append(Message(name: name, isMapEntry: isMapEntry, members: members))
        }
        self.init(messages: messages, enumerations: enumerations, indexes: indexes)
    }
}
