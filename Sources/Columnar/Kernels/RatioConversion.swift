import Primitives

/// A ratio as the nearest double, by one division of the nearest doubles of its two parts.
package func ratioToDouble(_ a: Vector, count: Int) -> Vector {
    let values = a.ratio
    let result = mapped(values.numerators, values.denominators, count, 0.0) {
        Double($0) / Double($1)
    }
    return Vector(.double(result), a.column.validity, a.faults)
}

/// A ratio rounded half-even to units of 10^-`scale`, faulting `overflow`.
package func roundRatio(_ a: Vector, scale: Int, count: Int) -> Vector {
    let values = a.ratio
    var faults = a.faults
    var result = [Int64](repeating: 0, count: count)
    for row in 0..<count where a.isLive(row) {
        let value = Quotient(values.numerators[row], values.denominators[row])
        if let units = rounded(value, scale: scale) {
            result[row] = units
        } else {
            record(.overflow, row, count, in: &faults)
        }
    }
    return Vector(.int64(result), a.column.validity, faults)
}

private func rounded(_ value: Quotient, scale: Int) -> Int64? {
    if let units = Decimal.rounded(value.numerator, over: value.denominator, scale: scale) {
        return Int64(exactly: units)
    }
    // The scaled numerator left Int128: reduce, else take whole part and rest apart.
    let reduced = value.reduced()
    let whole = reduced.numerator / reduced.denominator
    let rest = reduced.numerator % reduced.denominator
    guard let fraction = Decimal.rounded(rest, over: reduced.denominator, scale: scale) else {
        return roundedBySplitting(whole, rest, reduced.denominator, scale)
    }
    // Half-even looks at the last digit, which `whole` changes only at scale 0.
    if scale == 0 { return nil }
    let (scaled, overflow) = whole.multipliedReportingOverflow(
        by: Int128(Decimal.powerOfTen(scale)))
    let (units, overflowSum) = scaled.addingReportingOverflow(fraction)
    return overflow || overflowSum ? nil : Int64(exactly: units)
}

/// Long division digit by digit: the rest times ten stays below 2^128 as magnitudes.
private func roundedBySplitting(
    _ whole: Int128, _ rest: Int128, _ denominator: Int128, _ scale: Int
) -> Int64? {
    let divisor = denominator.magnitude
    var remainder = rest.magnitude
    var units = whole.magnitude
    for _ in 0..<scale {
        var digit: UInt128 = 0
        var next: UInt128 = 0
        // remainder × 10 by repeated addition modulo the divisor, so that nothing overflows.
        for _ in 0..<10 {
            let room = divisor - remainder
            if next >= room {
                next -= room
                digit += 1
            } else {
                next += remainder
            }
        }
        remainder = next
        let (product, overflow) = units.multipliedReportingOverflow(by: 10)
        guard !overflow, product <= UInt128(UInt64.max) else { return nil }
        units = product + digit
    }
    let other = divisor - remainder
    if remainder > other || (remainder == other && units & 1 == 1) { units += 1 }
    let limit = UInt128(UInt64(Int64.max))
    let isNegative = whole < 0 || rest < 0
    if isNegative { return units <= limit + 1 ? Int64(truncatingIfNeeded: 0 &- units) : nil }
    return units <= limit ? Int64(units) : nil
}

/// Units of 10^-`from` rounded half-even to units of 10^-`to`, with `to` < `from`.
package func roundInt64(_ a: Vector, from: Int, to: Int, count: Int) -> Vector {
    let divisor = Decimal.powerOfTen(from - to)
    let result = mapped(a.int64, count, Int64(0)) { value in
        let quotient = value / divisor
        let rest = (value % divisor).magnitude
        let other = divisor.magnitude - rest
        if rest > other || (rest == other && quotient & 1 != 0) {
            return quotient + (value < 0 ? -1 : 1)
        }
        return quotient
    }
    return Vector(.int64(result), a.column.validity, a.faults)
}

/// A double rounded half-even, by its exact value, to units of 10^-`scale`; NaN, infinities and
/// what does not fit fault `overflow`.
package func roundDouble(_ a: Vector, scale: Int, count: Int) -> Vector {
    let values = a.double
    var faults = a.faults
    var result = [Int64](repeating: 0, count: count)
    for row in 0..<count where a.isLive(row) {
        if let units = decimalUnits(values[row], scale: scale) {
            result[row] = units
        } else {
            record(.overflow, row, count, in: &faults)
        }
    }
    return Vector(.int64(result), a.column.validity, faults)
}

private func decimalUnits(_ value: Double, scale: Int) -> Int64? {
    guard value.isFinite, abs(value) < 0x1p63 else { return nil }
    if value == 0 { return 0 }
    // value = significand × 2^exponent exactly, with a significand below 2^53.
    let exponent = Int(value.exponent) - 52
    let significand = Int128(Int64(value.significand * 0x1p52)) * (value < 0 ? -1 : 1)
    if exponent >= 0 {
        return rounded(Quotient(significand << Int128(exponent), 1), scale: scale)
    }
    // Below 2^-66 even × 10^18 rounds to zero.
    guard exponent > -120 else { return 0 }
    return rounded(Quotient(significand, 1 << Int128(-exponent)), scale: scale)
}

/// A ratio truncated toward zero, faulting `overflow`.
package func truncateRatio(_ a: Vector, count: Int) -> Vector {
    let values = a.ratio
    var faults = a.faults
    var result = [Int64](repeating: 0, count: count)
    for row in 0..<count where a.isLive(row) {
        if let whole = Int64(exactly: values.numerators[row] / values.denominators[row]) {
            result[row] = whole
        } else {
            record(.overflow, row, count, in: &faults)
        }
    }
    return Vector(.int64(result), a.column.validity, faults)
}
