/// Why an expression has no result for a row.
package enum FaultCode: UInt8, Sendable, CaseIterable {
    case divisionByZero, overflow, invalidArgument, noSuchKey, indexOutOfBounds, outOfRange
    case noSuchOverload

    /// The reject reason, such as `division-by-zero`.
    package var name: String {
        switch self {
        case .divisionByZero: "division-by-zero"
        case .overflow: "overflow"
        case .invalidArgument: "invalid-argument"
        case .noSuchKey: "no-such-key"
        case .indexOutOfBounds: "index-out-of-bounds"
        case .outOfRange: "out-of-range"
        case .noSuchOverload: "no-such-overload"
        }
    }
}

/// Rows of one vector that have no result, with the reason of each.
package struct RowFaults: Sendable {
    /// Set for rows with a fault.
    package private(set) var rows: Bitmap
    /// ``FaultCode`` raw values, one a row; meaningful where `rows` is set.
    package private(set) var codes: [UInt8]

    /// No faults yet over `count` rows.
    package init(count: Int) {
        rows = Bitmap(repeating: false, count: count)
        codes = Array(repeating: 0, count: count)
    }

    /// Records a fault; the first one of a row stays.
    package mutating func record(_ row: Int, _ code: FaultCode) {
        guard !rows[row] else { return }
        rows[row] = true
        codes[row] = code.rawValue
    }

    /// The reason why a row has no result; nil when it has one.
    package func code(_ row: Int) -> FaultCode? {
        rows[row] ? FaultCode(rawValue: codes[row]) : nil
    }

    /// The faults of two operands; the first operand's stay. O(1) when at most one has any.
    package static func merged(_ a: RowFaults?, _ b: RowFaults?) -> RowFaults? {
        guard var result = a else { return b }
        guard let b else { return result }
        for row in 0..<b.codes.count where b.rows[row] && !result.rows[row] {
            result.rows[row] = true
            result.codes[row] = b.codes[row]
        }
        return result
    }
}

/// Records a fault, making room for the first one of `count` rows.
func record(_ code: FaultCode, _ row: Int, _ count: Int, in faults: inout RowFaults?) {
    if faults == nil { faults = RowFaults(count: count) }
    faults?.record(row, code)
}
