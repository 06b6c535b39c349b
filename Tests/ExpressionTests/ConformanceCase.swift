import Columnar
import Expression
import Primitives

/// One test of a CEL conformance file.
struct ConformanceCase {
    let name: String
    let expression: String
    let expectsError: Bool
    let expected: TextMessage?
    let isUnchecked: Bool
    let types: [(name: String, type: ValueType?)]
    let bindings: [(name: String, value: TextMessage)]
    /// The whole test as it stands, for telling features.
    let mentions: String

    static func read(_ file: TextMessage) -> [ConformanceCase] {
        file.all("section").compactMap(\.message).flatMap { section in
            section.all("test").compactMap(\.message).map {
                ConformanceCase($0, section: section["name"]?.text ?? "")
            }
        }
    }

    private init(_ test: TextMessage, section: String) {
        name = section + "/" + (test["name"]?.text ?? "")
        expression = test["expr"]?.text ?? ""
        expectsError = test["eval_error"] != nil || test["any_eval_errors"] != nil
        expected =
            test["value"]?.message ?? test["typed_result"]?.message?["result"]?.message
            ?? (expectsError || test["typed_result"] != nil
                ? nil : TextMessage(fields: [("bool_value", .word("true"))]))
        isUnchecked = test["disable_check"]?.word == "true"
        types = test.all("type_env").compactMap(\.message).map {
            (
                $0["name"]?.text ?? "",
                Self.type($0["ident"]?.message?["type"]?.message)
            )
        }
        bindings = test.all("bindings").compactMap(\.message).map {
            ($0["key"]?.text ?? "", $0["value"]?.message?["value"]?.message ?? TextMessage())
        }
        mentions = "\(test)"
    }

    private static func type(_ message: TextMessage?) -> ValueType? {
        guard let message else { return nil }
        switch message["primitive"]?.word {
        case "BOOL": return .bool
        case "INT64": return .int
        case "DOUBLE": return .double
        case "STRING": return .string
        case "BYTES": return .bytes
        default: break
        }
        if message["null"] != nil { return .null }
        switch message["message_type"]?.text ?? message["well_known"]?.word {
        case "google.protobuf.Timestamp", "TIMESTAMP": return .timestamp
        case "google.protobuf.Duration", "DURATION": return .duration
        default: break
        }
        if let list = message["list_type"]?.message {
            return type(list["elem_type"]?.message).map { .list($0) }
        }
        if let map = message["map_type"]?.message, let key = type(map["key_type"]?.message),
            let value = type(map["value_type"]?.message)
        {
            return .map(key: key, value: value)
        }
        return nil
    }
}

/// Values as canonical text, so that an expected value and a row compare without an evaluator.
enum CanonicalText {
    /// An expected value; nil for kinds that we have no form of.
    static func of(_ value: TextMessage) -> String? {
        guard let (kind, content) = value.fields.first else { return nil }
        switch kind {
        case "null_value": return "null"
        case "bool_value": return "bool \(content.word ?? "")"
        case "int64_value": return "int \(content.word ?? "")"
        case "double_value": return double(content.word ?? "").map { of($0) }
        case "string_value": return "string \(content.bytes ?? [])"
        case "bytes_value": return "bytes \(content.bytes ?? [])"
        case "type_value": return "type \(content.text ?? "")"
        case "list_value":
            let items = content.message?.all("values").map { $0.message.flatMap { of($0) } } ?? []
            guard items.allSatisfy({ $0 != nil }) else { return nil }
            return "list [" + items.compactMap(\.self).joined(separator: ", ") + "]"
        case "map_value":
            let entries = content.message?.all("entries").compactMap(\.message) ?? []
            let items = entries.map { entry -> String? in
                guard let key = entry["key"]?.message.flatMap({ of($0) }),
                    let value = entry["value"]?.message.flatMap({ of($0) })
                else { return nil }
                return key + ": " + value
            }
            guard items.allSatisfy({ $0 != nil }) else { return nil }
            return "map {" + items.compactMap(\.self).sorted().joined(separator: ", ") + "}"
        case "object_value": return time(content.message ?? TextMessage())
        default: return nil
        }
    }

    private static func double(_ word: String) -> Double? {
        switch word.lowercased() {
        case "inf", "infinity", "+inf": .infinity
        case "-inf", "-infinity": -.infinity
        case "nan": .nan
        default: Double(word)
        }
    }

    private static func of(_ value: Double) -> String {
        value.isNaN ? "double nan" : "double \(value)"
    }

    private static func time(_ message: TextMessage) -> String? {
        guard let (name, content) = message.fields.first, let body = content.message,
            let microseconds = microseconds(body)
        else { return nil }
        if name.contains("Timestamp") { return "timestamp \(microseconds)" }
        if name.contains("Duration") { return "duration \(microseconds)" }
        return nil
    }

    static func microseconds(_ body: TextMessage) -> Int64? {
        let seconds = Int64(body["seconds"]?.word ?? "0") ?? 0
        let nanoseconds = Int64(body["nanos"]?.word ?? "0") ?? 0
        return seconds * 1_000_000 + nanoseconds / 1000
    }

    /// A row of a result.
    static func of(_ column: Column, _ type: ValueType, _ row: Int, typeName: String?) -> String {
        if let typeName { return "type \(typeName)" }
        guard column.isValid(row) else { return "null" }
        switch column.values {
        case .null: return "null"
        case .dictionary(let dictionary):
            return of(dictionary.base, type, Int(dictionary.indices[row]), typeName: nil)
        case .bool(let values): return "bool \(values[row])"
        case .int64(let values):
            switch type {
            case .timestamp: return "timestamp \(values[row])"
            case .duration: return "duration \(values[row])"
            default: return "int \(values[row])"
            }
        case .double(let values): return of(values[row])
        case .ratio: return "ratio"
        case .bytes(let values): return "\(type) \(values.array(row))"
        case .list(let values):
            guard case .list(let element) = type else { return "?" }
            let items = (values.offsets[row]..<values.offsets[row + 1]).map {
                of(values.elements, element, Int($0), typeName: nil)
            }
            return "list [" + items.joined(separator: ", ") + "]"
        case .map(let values):
            guard case .map(let key, let value) = type else { return "?" }
            let items = (values.offsets[row]..<values.offsets[row + 1]).map {
                of(values.keys, key, Int($0), typeName: nil) + ": "
                    + of(values.values, value, Int($0), typeName: nil)
            }
            return "map {" + items.sorted().joined(separator: ", ") + "}"
        case .structure: return "struct"
        }
    }
}

/// A bound value as a column of `count` equal rows; nil for kinds that we have no form of.
func boundColumn(_ value: TextMessage, count: Int) -> (type: ValueType, column: Column)? {
    guard let (kind, content) = value.fields.first else { return nil }
    func repeated<Value>(_ value: Value) -> [Value] { Array(repeating: value, count: count) }
    switch kind {
    case "null_value": return (.null, Column(.null(count: count)))
    case "bool_value": return (.bool, Column(.bool(repeated(content.word == "true"))))
    case "int64_value":
        return Int64(content.word ?? "").map { (.int, Column(.int64(repeated($0)))) }
    case "double_value":
        return Double(content.word ?? "").map { (.double, Column(.double(repeated($0)))) }
    case "string_value", "bytes_value":
        var bytes = ByteValues()
        for _ in 0..<count { bytes.append(content.bytes ?? []) }
        return (kind == "string_value" ? .string : .bytes, Column(.bytes(bytes)))
    case "list_value":
        let items = content.message?.all("values").compactMap(\.message) ?? []
        guard let (type, elements) = stacked(items, count: count) else { return nil }
        let offsets = (0...count).map { Int32($0 * items.count) }
        return (.list(type), Column(.list(ListValues(offsets: offsets, elements: elements))))
    case "map_value":
        let entries = content.message?.all("entries").compactMap(\.message) ?? []
        guard
            let (key, keys) = stacked(entries.compactMap { $0["key"]?.message }, count: count),
            let (type, values) = stacked(entries.compactMap { $0["value"]?.message }, count: count)
        else { return nil }
        let offsets = (0...count).map { Int32($0 * entries.count) }
        return (
            .map(key: key, value: type),
            Column(.map(MapValues(offsets: offsets, keys: keys, values: values)))
        )
    case "object_value":
        guard let (name, body) = content.message?.fields.first, let message = body.message,
            let microseconds = CanonicalText.microseconds(message)
        else { return nil }
        if name.contains("Timestamp") {
            return (.timestamp, Column(.int64(repeated(microseconds))))
        }
        if name.contains("Duration") { return (.duration, Column(.int64(repeated(microseconds)))) }
        return nil
    default: return nil
    }
}

/// `count` times the items one after another.
private func stacked(_ items: [TextMessage], count: Int) -> (type: ValueType, column: Column)? {
    var type = ValueType.null
    var result: Column?
    for _ in 0..<count {
        for item in items {
            guard let (itemType, column) = boundColumn(item, count: 1) else { return nil }
            if result == nil {
                result = column
                type = itemType
            } else {
                guard itemType == type else { return nil }
                result?.append(column)
            }
        }
    }
    return (type, result ?? Column(.null(count: 0)))
}
