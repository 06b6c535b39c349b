import Columnar
import Primitives

/// A rule file as written, checked by itself.
package struct RuleFileSpec: Sendable {
    package var name: String
    /// What rows are chosen by, in the order that decides between equally specific rows.
    package var scope: [Field]
    package var values: [Field]
    package var rows: [RuleRowSpec]
}

/// One row of a rule file. Times in microseconds; `to` is nil for a row without an end.
package struct RuleRowSpec: Sendable {
    /// Texts of the scope values; nil matches anything.
    package var scope: [String?]
    package var from: Int64
    package var to: Int64?
    /// One for each value field, nil for null.
    package var values: [RuleValue?]
    package var location: SourceLocation
    /// The row's validity as the file writes it.
    package var fromText: String
    package var toText: String?
}

/// A value of a rule: int, decimal, timestamp and duration as their whole number.
package enum RuleValue: Hashable, Sendable {
    case bool(Bool)
    case int64(Int64)
    case double(Double)
    case string(String)
}

extension RuleFileSpec {
    /// The values of all rows, one column a field.
    var columns: [Column] {
        values.indices.map { index in
            let column = rows.map { $0.values[index] }
            var validity: Bitmap? = Bitmap(repeating: true, count: column.count)
            for (row, value) in column.enumerated() where value == nil { validity?[row] = false }
            if validity?.isAllSet ?? true { validity = nil }
            return Column(RuleFileSpec.storage(column, values[index].type), validity: validity)
        }
    }

    private static func storage(_ column: [RuleValue?], _ type: ValueType) -> ColumnValues {
        switch type {
        case .bool:
            return .bool(column.map { if case .bool(let value) = $0 { value } else { false } })
        case .double:
            return .double(column.map { if case .double(let value) = $0 { value } else { 0 } })
        case .string:
            var bytes = ByteValues()
            for value in column {
                if case .string(let text) = value {
                    bytes.append(Array(text.utf8))
                } else {
                    bytes.append([])
                }
            }
            return .bytes(bytes)
        default:
            return .int64(column.map { if case .int64(let value) = $0 { value } else { 0 } })
        }
    }
}
