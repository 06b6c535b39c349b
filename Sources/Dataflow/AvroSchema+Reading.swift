import Columnar

/// How a written value becomes one of a field; see `docs/reference/formats.md`.
///
/// `digits` says by which power of ten a value is multiplied to give the field's units.
package enum AvroReading: Hashable, Sendable {
    case boolean
    /// A whole number.
    case whole(digits: Int)
    /// Days since 1970.
    case days
    /// A float or double, taken by its shortest decimal digits.
    case number(digits: Int)
    /// A big-endian whole number.
    case decimal(digits: Int)
    /// A whole number, a float or double, as a `Double`.
    case double
    /// A big-endian whole number of 10^-scale, as a `Double`.
    case decimalDouble(scale: Int)
    case text, symbol, uuid, bytes
    case timeText, durationText
    /// Months, days and milliseconds.
    case calendar
    case list(Int)
    case map(Int)
    case record
}

/// Why a field cannot be read from a schema.
package struct AvroMismatch: Hashable, Sendable {
    /// The type at fault, or the record that lacks a member.
    package var node: Int
    /// The field, dotted where it lies inside a structure.
    package var field: String
    package var type: ValueType
    /// Name of the member that is not there; nil where its type does not fit.
    package var missing: String?
}

extension AvroSchema {
    /// How values of a type are read as those of a field's type; nil where they cannot be. A union
    /// has none itself: its branches do.
    package func reading(
        _ node: Int, as type: ValueType, _ encoding: Field.TimestampEncoding
    ) -> AvroReading? {
        let written = nodes[node]
        switch (written.kind, type) {
        case (.boolean, .bool): return .boolean
        case (.string, .string): return .text
        case (.enumeration, .string): return .symbol
        case (.fixed(16), .string) where written.logical == .uuid: return .uuid
        case (.bytes, .bytes), (.fixed, .bytes): return .bytes
        case (.string, .timestamp):
            return encoding == .automatic || encoding == .rfc3339 ? .timeText : nil
        case (.string, .duration): return .durationText
        case (.fixed(12), .duration) where written.logical == .duration: return .calendar
        case (.array(let element), .list): return .list(element)
        case (.map(let value), .map): return .map(value)
        case (.record, .structure): return .record
        default: return number(written, as: type, encoding)
        }
    }

    private func number(
        _ written: Node, as type: ValueType, _ encoding: Field.TimestampEncoding
    ) -> AvroReading? {
        let target: Int
        switch type {
        case .int: target = 0
        case .decimal(let scale, _): target = scale
        case .double: target = 0
        case .timestamp, .duration: return time(written, as: type, encoding)
        default: return nil
        }
        let isDouble = if case .double = type { true } else { false }
        switch (written.kind, written.logical) {
        case (.int, _), (.long, _): return isDouble ? .double : .whole(digits: target)
        case (.float, _), (.double, _): return isDouble ? .double : .number(digits: target)
        case (.bytes, .decimal(let scale)), (.fixed, .decimal(let scale)):
            return isDouble ? .decimalDouble(scale: scale) : .decimal(digits: target - scale)
        default: return nil
        }
    }

    private func time(
        _ written: Node, as type: ValueType, _ encoding: Field.TimestampEncoding
    ) -> AvroReading? {
        let isTimestamp = type == .timestamp
        switch (written.kind, written.logical) {
        case (.int, .date): return isTimestamp ? .days : nil
        case (.long, .timestampMillis): return isTimestamp ? .whole(digits: 3) : nil
        case (.long, .timestampMicros): return isTimestamp ? .whole(digits: 0) : nil
        case (.long, .timestampNanos): return isTimestamp ? .whole(digits: -3) : nil
        case (.int, .timeMillis): return isTimestamp ? nil : .whole(digits: 3)
        case (.long, .timeMicros): return isTimestamp ? nil : .whole(digits: 0)
        default: break
        }
        let digits: Int
        switch isTimestamp ? encoding : .epochMilliseconds {
        case .automatic, .epochMilliseconds: digits = 3
        case .epochSeconds: digits = 6
        case .epochMicroseconds: digits = 0
        case .rfc3339: return nil
        }
        switch (written.kind, written.logical) {
        case (.int, .none), (.long, .none): return .whole(digits: digits)
        case (.float, _), (.double, _): return .number(digits: digits)
        case (.bytes, .decimal(let scale)), (.fixed, .decimal(let scale)):
            return .decimal(digits: digits - scale)
        default: return nil
        }
    }

    /// Why a field cannot be read from values of this schema; nil where it can. A value that may
    /// be null, or of another type too, is no mismatch: such a row is a reject.
    package func mismatch(_ field: Field) -> AvroMismatch? {
        let path = field.path.split(separator: ".", omittingEmptySubsequences: false)
        return mismatch(0, path.map(String.init)[...], field, name: field.name)
    }

    private func mismatch(
        _ node: Int, _ path: ArraySlice<String>, _ field: Field, name: String
    ) -> AvroMismatch? {
        func fault(missing: String? = nil) -> AvroMismatch {
            AvroMismatch(node: node, field: name, type: field.type, missing: missing)
        }
        if case .union(let branches) = nodes[node].kind {
            let values = branches.filter { nodes[$0].kind != .null }
            guard let first = values.first else { return field.isNullable ? nil : fault() }
            let faults = values.map { mismatch($0, path, field, name: name) }
            if faults.contains(nil) { return nil }
            return values.count == 1 ? mismatch(first, path, field, name: name) : fault()
        }
        if let member = path.first {
            guard case .record(let members) = nodes[node].kind else {
                return fault(missing: member)
            }
            guard let found = members.first(where: { $0.name == member }) else {
                return field.isNullable ? nil : fault(missing: member)
            }
            return mismatch(found.node, path.dropFirst(), field, name: name)
        }
        if nodes[node].kind == .null { return field.isNullable ? nil : fault() }
        switch (reading(node, as: field.type, field.timestampEncoding), field.type) {
        case (nil, _): return fault()
        case (.list(let element), .list(let type)):
            return mismatch(element, [], part(type, of: field), name: name)
        case (.map(let value), .map(_, let type)):
            return mismatch(value, [], part(type, of: field), name: name)
        case (.record, .structure(let fields)):
            for inner in fields {
                let found = mismatch(node, [inner.name], inner, name: "\(name).\(inner.name)")
                if let found { return found }
            }
            return nil
        default: return nil
        }
    }

    /// A list's or map's part takes the marks of the field it belongs to.
    private func part(_ type: ValueType, of field: Field) -> Field {
        Field("", type, rounds: field.rounds, timestampEncoding: field.timestampEncoding)
    }
}
