import Primitives

/// The static type of a value in the reference engine; scales say how it is written.
package enum ReferenceType: Hashable, Sendable, Codable {
    case bool, int, string, timestamp
    case decimal(Int)
    /// A quotient, rounded to so many digits when written.
    case ratio(Int)
    /// A number whose written digits are left open.
    case number
    /// A list of points `{x, y}`.
    case curve

    var isNumeric: Bool {
        switch self {
        case .int, .decimal, .ratio, .number: true
        default: false
        }
    }

    var isRatio: Bool { if case .ratio = self { true } else { false } }

    /// Digits after the point.
    var scale: Int {
        switch self {
        case .decimal(let scale), .ratio(let scale): scale
        default: 0
        }
    }
}

/// A value in the reference engine.
package enum ReferenceValue: Hashable, Sendable, Codable {
    case null
    case bool(Bool)
    case number(ReferenceNumber)
    case string(String)
    /// Microseconds since the epoch.
    case time(Int64)
    case curve([Point])

    /// A node of a curve.
    package struct Point: Hashable, Sendable, Codable {
        package var x: ReferenceNumber
        package var y: ReferenceNumber

        package init(x: ReferenceNumber, y: ReferenceNumber) {
            self.x = x
            self.y = y
        }
    }
}

/// A field of a row in the reference engine.
package struct ReferenceField: Hashable, Sendable, Codable {
    package var name: String
    package var type: ReferenceType
    package var isNullable: Bool

    package init(_ name: String, _ type: ReferenceType, isNullable: Bool = false) {
        self.name = name
        self.type = type
        self.isNullable = isNullable
    }
}

/// What evaluating an expression on a row gives: a value or a row fault.
package enum ReferenceResult: Hashable, Sendable {
    case value(ReferenceValue)
    /// Name of the reject reason.
    case fault(String)
}
