import Columnar

/// How a written value becomes one of a field; see `docs/reference/formats.md`.
package enum ProtobufReading: Hashable, Sendable {
    case bool
    /// A whole number times 10^digits.
    case whole(digits: Int)
    /// A float or double by its shortest decimal digits, times 10^digits.
    case number(digits: Int)
    case double
    case text, symbol, bytes
    case timeText, durationText
    /// `google.protobuf.Timestamp` or `Duration`.
    case instant
    case structure(Int)
}

/// Why a field cannot be read from a message.
package struct ProtobufMismatch: Hashable, Sendable {
    /// The field, dotted where it lies inside a structure.
    package var field: String
    package var type: ValueType
    /// The member that does not fit, as messages name it; nil where there is none.
    package var found: String?
    /// The path in the message, dotted, with the message's name before it.
    package var path: String
}

extension ProtobufSchema {
    /// How one value of a member is read as that of a field's type; nil where it cannot be.
    package func reading(
        _ kind: Kind, as type: ValueType, _ encoding: Field.TimestampEncoding
    ) -> ProtobufReading? {
        switch (kind, type) {
        case (.bool, .bool): return .bool
        case (.string, .string): return .text
        case (.enumeration, .string): return .symbol
        case (.bytes, .bytes): return .bytes
        case (.string, .timestamp):
            return encoding == .automatic || encoding == .rfc3339 ? .timeText : nil
        case (.string, .duration): return .durationText
        case (.message(let index), .timestamp):
            return messages[index].name == "google.protobuf.Timestamp" ? .instant : nil
        case (.message(let index), .duration):
            return messages[index].name == "google.protobuf.Duration" ? .instant : nil
        case (.message(let index), .structure): return .structure(index)
        default: return number(kind, as: type, encoding)
        }
    }

    private func number(
        _ kind: Kind, as type: ValueType, _ encoding: Field.TimestampEncoding
    ) -> ProtobufReading? {
        var digits = 0
        switch type {
        case .int, .double: break
        case .decimal(let scale, _): digits = scale
        case .duration: digits = 3
        case .timestamp:
            switch encoding {
            case .automatic, .epochMilliseconds: digits = 3
            case .epochSeconds: digits = 6
            case .epochMicroseconds: digits = 0
            case .rfc3339: return nil
            }
        default: return nil
        }
        switch kind {
        case .message, .enumeration, .group, .bool, .string, .bytes: return nil
        default: break
        }
        if case .double = type { return .double }
        return kind == .float || kind == .double ? .number(digits: digits) : .whole(digits: digits)
    }

    /// Why a field cannot be read from values of this message; nil where it can.
    package func mismatch(_ field: Field) -> ProtobufMismatch? {
        let path = field.path.split(separator: ".", omittingEmptySubsequences: false)
        return mismatch(0, path.map(String.init)[...], field, name: field.name)
    }

    private func mismatch(
        _ message: Int, _ path: ArraySlice<String>, _ field: Field, name: String
    ) -> ProtobufMismatch? {
        func fault(_ member: Member?) -> ProtobufMismatch {
            ProtobufMismatch(
                field: name, type: field.type, found: member.map { text($0) },
                path: "\(messages[message].name).\(path.first ?? "")")
        }
        guard let member = messages[message].members.first(where: { $0.name == path.first }) else {
            return fault(nil)
        }
        if path.count > 1 {
            guard case .message(let inner) = member.kind, !member.isRepeated else {
                return fault(member)
            }
            return mismatch(inner, path.dropFirst(), field, name: name)
        }
        switch field.type {
        case .list(let element) where member.isRepeated:
            return fits(member.kind, element, field.timestampEncoding, name: name)
                ?? (isFit(member.kind, element, field.timestampEncoding) ? nil : fault(member))
        case .map(let key, let value) where member.isRepeated:
            guard case .message(let entry) = member.kind, messages[entry].isMapEntry,
                let keyMember = messages[entry].members.first(where: { $0.number == 1 }),
                let valueMember = messages[entry].members.first(where: { $0.number == 2 }),
                isFit(keyMember.kind, key, .automatic)
            else { return fault(member) }
            return fits(valueMember.kind, value, field.timestampEncoding, name: name)
                ?? (isFit(valueMember.kind, value, field.timestampEncoding) ? nil : fault(member))
        case _ where !member.isRepeated:
            return fits(member.kind, field.type, field.timestampEncoding, name: name)
                ?? (isFit(member.kind, field.type, field.timestampEncoding) ? nil : fault(member))
        default: return fault(member)
        }
    }

    private func isFit(
        _ kind: Kind, _ type: ValueType, _ encoding: Field.TimestampEncoding
    ) -> Bool {
        reading(kind, as: type, encoding) != nil
    }

    /// The first field of a structure that cannot be read.
    private func fits(
        _ kind: Kind, _ type: ValueType, _ encoding: Field.TimestampEncoding, name: String
    ) -> ProtobufMismatch? {
        guard case .structure(let fields) = type,
            case .structure(let message) = reading(kind, as: type, encoding)
        else { return nil }
        for inner in fields {
            let found = mismatch(message, [inner.name], inner, name: "\(name).\(inner.name)")
            if let found { return found }
        }
        return nil
    }
}
