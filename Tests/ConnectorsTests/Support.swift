import Columnar
import Connectors
import Dataflow
import RecordLog

/// A block of records with these values, offsets from 100 on, time stamps from 1000 on.
func makeBlock(_ values: [[UInt8]?], headers: [[UInt8]] = []) -> RecordBlock {
    var bytes: [UInt8] = []
    var starts: [Int32] = []
    var lengths: [Int32] = []
    var headerStarts: [Int32] = []
    var headerCounts: [Int32] = []
    for (row, value) in values.enumerated() {
        starts.append(Int32(bytes.count))
        lengths.append(value.map { Int32($0.count) } ?? -1)
        bytes += value ?? []
        // A record's header count follows its value; here always one byte.
        let header = row < headers.count ? headers[row] : [0]
        headerCounts.append(Int32(header[0] >> 1))
        headerStarts.append(Int32(bytes.count + 1))
        bytes += header
    }
    return RecordBlock(
        bytes: bytes, offsets: (0..<Int64(values.count)).map { 100 + $0 },
        timestamps: (0..<Int64(values.count)).map { 1000 + $0 },
        keyStarts: starts.map { _ in 0 }, keyLengths: starts.map { _ in -1 },
        valueStarts: starts, valueLengths: lengths, headerStarts: headerStarts,
        headerCounts: headerCounts, nextOffset: 100 + Int64(values.count))
}

func makeBlock(_ texts: [String]) -> RecordBlock { makeBlock(texts.map { Array($0.utf8) }) }

/// A stream source with the key in its first field and the time in its second, all fields read.
func makeSource(
    _ fields: [Field], format: FormatPlan = .json, fieldsRead: [Int]? = nil, keyField: Int = 0
) -> SourcePlan {
    SourcePlan(
        name: "s", topic: "t", format: format, schema: Schema(name: "s", fields: fields),
        fieldsRead: fieldsRead ?? Array(fields.indices), keyField: keyField,
        role: .stream(TimeRule(field: 1, disorder: 0, lateness: 0, ahead: 0, clock: .partition)))
}

let keyAndTime = [Field("k", .string), Field("t", .timestamp)]

/// Decodes documents whose members `k` and `t` are added before the given members.
func decode(_ fields: [Field], _ members: [String]) -> (rows: DecodedRows, keys: KeyTable) {
    var keys = KeyTable()
    let texts = members.map { #"{"k":"a","t":0"# + ($0.isEmpty ? "" : ",") + $0 + "}" }
    let rows = makeDecoder(for: makeSource(keyAndTime + fields))
        .decode(makeBlock(texts), rows: 0..<texts.count, keys: &keys)
    return (rows, keys)
}

/// A value of a column in a form that is easy to compare and print.
func show(_ column: Column, _ row: Int) -> String {
    guard column.isValid(row) else { return "null" }
    switch column.values {
    case .null: return "null"
    case .bool(let values): return "\(values[row])"
    case .int64(let values): return "\(values[row])"
    case .double(let values): return "\(values[row])"
    case .ratio(let values): return "\(values.numerators[row])/\(values.denominators[row])"
    case .bytes(let values): return "'" + String(decoding: values.array(row), as: UTF8.self) + "'"
    case .list(let values):
        let range = Int(values.offsets[row])..<Int(values.offsets[row + 1])
        return "[" + range.map { show(values.elements, $0) }.joined(separator: " ") + "]"
    case .map(let values):
        let range = Int(values.offsets[row])..<Int(values.offsets[row + 1])
        let entries = range.map { show(values.keys, $0) + ":" + show(values.values, $0) }
        return "{" + entries.joined(separator: " ") + "}"
    case .structure(let columns):
        return "(" + columns.map { show($0, row) }.joined(separator: " ") + ")"
    case .dictionary(let values): return show(values.base, Int(values.indices[row]))
    }
}

/// The reason of each row's fault, or nil.
func reasons(_ rows: DecodedRows) -> [String?] {
    var result = [String?](repeating: nil, count: rows.rowCount)
    for fault in rows.faults { result[Int(fault.row)] = fault.reason.name }
    return result
}
