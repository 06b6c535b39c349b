import Primitives

/// The type of a field or an expression, unit included.
///
/// Physical forms: `bool` is `[Bool]`; `int`, `decimal`, `timestamp` and `duration` are `[Int64]`
/// (units of 10^-scale; microseconds); `double` is `[Double]`; `ratio` is a pair of `Int128`;
/// `string` and `bytes` are offsets and bytes; the rest nest.
package indirect enum ValueType: Hashable, Sendable {
    case null
    case bool
    case int(unit: Unit?)
    case double(unit: Unit?)
    /// Exact: an `Int64` of 10^-scale units. Scale 0...18.
    case decimal(scale: Int, unit: Unit?)
    /// Exact quotient of two integers; written rounded half-even to `scale` digits.
    case ratio(scale: Int, unit: Unit?)
    case string
    case bytes
    /// Microseconds since 1970-01-01T00:00:00Z.
    case timestamp
    /// Microseconds.
    case duration
    case list(ValueType)
    /// Keys are `int` or `string`.
    case map(key: ValueType, value: ValueType)
    case structure([Field])

    package static let int = ValueType.int(unit: nil)
    package static let double = ValueType.double(unit: nil)

    /// The unit of a numeric type, if it has one.
    package var unit: Unit? {
        switch self {
        case .int(let unit), .double(let unit): unit
        case .decimal(_, let unit), .ratio(_, let unit): unit
        default: nil
        }
    }

    package var isNumeric: Bool {
        switch self {
        case .int, .double, .decimal, .ratio: true
        default: false
        }
    }
}

extension ValueType: CustomStringConvertible {
    /// The type as a schema file writes it, such as `decimal(2) t` or `list<int>`.
    package var description: String {
        func with(_ unit: Unit?) -> String { unit.map { " \($0)" } ?? "" }
        switch self {
        case .null: return "null"
        case .bool: return "bool"
        case .int(let unit): return "int" + with(unit)
        case .double(let unit): return "double" + with(unit)
        case .decimal(let scale, let unit): return "decimal(\(scale))" + with(unit)
        case .ratio(let scale, let unit): return "ratio(\(scale))" + with(unit)
        case .string: return "string"
        case .bytes: return "bytes"
        case .timestamp: return "timestamp"
        case .duration: return "duration"
        case .list(let element): return "list<\(element)>"
        case .map(let key, let value): return "map<\(key), \(value)>"
        case .structure(let fields):
            let text = fields.map { "\($0.name): \($0.type)\($0.isNullable ? "?" : "")" }
            return "struct{\(text.joined(separator: ", "))}"
        }
    }
}
