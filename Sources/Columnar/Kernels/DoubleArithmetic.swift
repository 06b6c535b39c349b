/// IEEE 754 arithmetic.
package enum DoubleOperator: Hashable, Sendable { case add, subtract, multiply, divide }

/// `a` op `b` by IEEE 754: infinities and NaN are values, nothing faults.
package func doubleArithmetic(
    _ operation: DoubleOperator, _ a: Vector, _ b: Vector, count: Int
) -> Vector {
    let x = a.double
    let y = b.double
    let (validity, faults) = joined(a, b)
    let result: [Double] =
        switch operation {
        case .add: mapped(x, y, count, 0.0) { $0 + $1 }
        case .subtract: mapped(x, y, count, 0.0) { $0 - $1 }
        case .multiply: mapped(x, y, count, 0.0) { $0 * $1 }
        case .divide: mapped(x, y, count, 0.0) { $0 / $1 }
        }
    return Vector(.double(result), validity, faults)
}

/// `-a`.
package func negateDouble(_ a: Vector, count: Int) -> Vector {
    Vector(.double(mapped(a.double, count, 0.0) { -$0 }), a.column.validity, a.faults)
}

/// |a|.
package func absoluteDouble(_ a: Vector, count: Int) -> Vector {
    Vector(.double(mapped(a.double, count, 0.0) { abs($0) }), a.column.validity, a.faults)
}

/// `a` × `numerator` / `denominator`: a change of unit.
package func scaleDouble(
    _ a: Vector, numerator: Double, denominator: Double, count: Int
) -> Vector {
    let result = mapped(a.double, count, 0.0) { $0 * numerator / denominator }
    return Vector(.double(result), a.column.validity, a.faults)
}

/// Units of 10^-`scale` as a double, rounded to nearest once for scales up to 22.
package func int64ToDouble(_ a: Vector, divisor: Int64, count: Int) -> Vector {
    let divisor = Double(divisor)
    let result = mapped(a.int64, count, 0.0) { Double($0) / divisor }
    return Vector(.double(result), a.column.validity, a.faults)
}

/// Truncates toward zero; NaN and what does not fit strictly inside int64 fault `overflow`.
package func doubleToInt64(_ a: Vector, count: Int) -> Vector {
    let operand = a.double
    var faults = a.faults
    var result = [Int64](repeating: 0, count: count)
    for row in 0..<count {
        let value = operand[row]
        // CEL: the greatest and least int64 have no exact double, so both ends are refused.
        if value > -0x1p63, value < 0x1p63 {
            result[row] = Int64(value)
        } else if a.isLive(row) {
            record(.overflow, row, count, in: &faults)
        }
    }
    return Vector(.int64(result), a.column.validity, faults)
}
