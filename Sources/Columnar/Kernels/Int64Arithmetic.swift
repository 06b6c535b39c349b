/// Exact integer arithmetic: on ints, and on decimals whose scales have been aligned.
package enum Int64Operator: Hashable, Sendable {
    case add, subtract, multiply
    /// Truncates toward zero, as CEL has it.
    case divide
    /// Has the sign of the dividend.
    case remainder
}

/// `a` op `b`; a row that does not fit faults `overflow`, a zero divisor `divisionByZero`.
package func int64Arithmetic(
    _ operation: Int64Operator, _ a: Vector, _ b: Vector, count: Int
) -> Vector {
    switch operation {
    case .add: checked(a, b, count, .overflow) { $0.addingReportingOverflow($1) }
    case .subtract: checked(a, b, count, .overflow) { $0.subtractingReportingOverflow($1) }
    case .multiply: checked(a, b, count, .overflow) { $0.multipliedReportingOverflow(by: $1) }
    case .divide:
        checkedDivision(a, b, count) { $0.dividedReportingOverflow(by: $1) }
    case .remainder:
        checkedDivision(a, b, count) { $0.remainderReportingOverflow(dividingBy: $1) }
    }
}

/// `-a`; the least int64 faults `overflow`.
package func negateInt64(_ a: Vector, count: Int) -> Vector {
    checked(a, count, .overflow) { Int64(0).subtractingReportingOverflow($0) }
}

/// `a` × `leftFactor` ± `b` × `rightFactor` in 128 bits, narrowed with the fault `overflow`: sums
/// of decimals of different scales.
package func addScaled(
    _ a: Vector, _ leftFactor: Int64, _ b: Vector, _ rightFactor: Int64, subtracts: Bool,
    count: Int
) -> Vector {
    let sign: Int64 = subtracts ? -1 : 1
    return checked(a, b, count, .overflow) { x, y in
        // Below 2^124: a factor is at most 10^18.
        let sum = wideProduct(x, leftFactor) &+ wideProduct(y, rightFactor &* sign)
        return (Int64(truncatingIfNeeded: sum), !fits64(sum))
    }
}

/// `a` × `factor`, faulting `overflow`.
package func scaleInt64(_ a: Vector, by factor: Int64, count: Int) -> Vector {
    checked(a, count, .overflow) { $0.multipliedReportingOverflow(by: factor) }
}

/// Passes `a` on; a row outside `range` faults `outOfRange`.
package func checkRange(_ a: Vector, _ range: ClosedRange<Int64>, count: Int) -> Vector {
    checked(a, count, .outOfRange) { ($0, $0 < range.lowerBound || $0 > range.upperBound) }
}

/// |a|; the least int64 faults `overflow`.
package func absoluteInt64(_ a: Vector, count: Int) -> Vector {
    checked(a, count, .overflow) {
        $0 < 0 ? Int64(0).subtractingReportingOverflow($0) : ($0, false)
    }
}

/// A checked operation on every row: the flag is gathered without a branch, and only a batch in
/// which it rose is looked at row by row.
@inline(__always)
func checked(
    _ a: Vector, _ b: Vector, _ count: Int, _ code: FaultCode,
    _ body: (Int64, Int64) -> (partialValue: Int64, overflow: Bool)
) -> Vector {
    let left = a.int64
    let right = b.int64
    var (validity, faults) = joined(a, b)
    var failed = false
    let result = mapped(left, right, count, Int64(0)) { x, y in
        let (value, overflow) = body(x, y)
        failed = failed || overflow
        return value
    }
    if failed {
        for row in 0..<count where body(left[row], right[row]).overflow {
            if a.isLive(row), b.isLive(row) { record(code, row, count, in: &faults) }
        }
    }
    if validity?.isAllSet == true { validity = nil }
    return Vector(.int64(result), validity, faults)
}

/// See the form with two operands.
@inline(__always)
func checked(
    _ a: Vector, _ count: Int, _ code: FaultCode,
    _ body: (Int64) -> (partialValue: Int64, overflow: Bool)
) -> Vector {
    let operand = a.int64
    var faults = a.faults
    var failed = false
    let result = mapped(operand, count, Int64(0)) { x in
        let (value, overflow) = body(x)
        failed = failed || overflow
        return value
    }
    if failed {
        for row in 0..<count where body(operand[row]).overflow && a.isLive(row) {
            record(code, row, count, in: &faults)
        }
    }
    return Vector(.int64(result), a.column.validity, faults)
}

@inline(__always)
private func checkedDivision(
    _ a: Vector, _ b: Vector, _ count: Int,
    _ body: (Int64, Int64) -> (partialValue: Int64, overflow: Bool)
) -> Vector {
    let left = a.int64
    let right = b.int64
    var (validity, faults) = joined(a, b)
    var failed = false
    let result = mapped(left, right, count, Int64(0)) { x, y in
        let (value, overflow) = body(x, y)
        failed = failed || overflow
        return value
    }
    if failed {
        for row in 0..<count where a.isLive(row) && b.isLive(row) {
            if right[row] == 0 {
                record(.divisionByZero, row, count, in: &faults)
            } else if body(left[row], right[row]).overflow {
                record(.overflow, row, count, in: &faults)
            }
        }
    }
    if validity?.isAllSet == true { validity = nil }
    return Vector(.int64(result), validity, faults)
}
