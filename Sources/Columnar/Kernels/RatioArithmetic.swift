// Exact quotients of two Int128, denominators positive. Values that fit in 64 bits take the path
// with one 64x64→128 multiplication; the rest is checked, reduced when needed, and faults when a
// reduced result does not fit.

/// A quotient; `denominator` is positive.
struct Quotient {
    var numerator: Int128
    var denominator: Int128

    @inline(__always)
    init(_ numerator: Int128, _ denominator: Int128) {
        self.numerator = numerator
        self.denominator = denominator
    }

    /// The same value in lowest terms. O(digits).
    func reduced() -> Quotient {
        var a = numerator.magnitude
        var b = denominator.magnitude
        while b != 0 { (a, b) = (b, a % b) }
        guard a > 1 else { return self }
        // The divisor of two magnitudes of which one is a positive Int128 fits in Int128.
        let divisor = Int128(truncatingIfNeeded: a)
        return Quotient(numerator / divisor, denominator / divisor)
    }
}

/// Arithmetic with an exact quotient.
package enum RatioOperator: Hashable, Sendable { case add, subtract, multiply, divide }

@inline(__always)
func fits64(_ value: Int128) -> Bool { Int128(Int64(truncatingIfNeeded: value)) == value }

/// `left` op `right`, nil when the exact result does not fit.
func exact(_ operation: RatioOperator, _ left: Quotient, _ right: Quotient) -> Quotient? {
    if let result = attempt(operation, left, right) { return result.reduced() }
    return attempt(operation, left.reduced(), right.reduced())?.reduced()
}

private func attempt(_ operation: RatioOperator, _ a: Quotient, _ b: Quotient) -> Quotient? {
    func product(_ x: Int128, _ y: Int128) -> Int128? {
        let (value, overflow) = x.multipliedReportingOverflow(by: y)
        return overflow ? nil : value
    }
    switch operation {
    case .add, .subtract:
        guard let x = product(a.numerator, b.denominator),
            let y = product(b.numerator, a.denominator),
            let denominator = product(a.denominator, b.denominator)
        else { return nil }
        let (sum, overflow) =
            operation == .add ? x.addingReportingOverflow(y) : x.subtractingReportingOverflow(y)
        return overflow ? nil : Quotient(sum, denominator)
    case .multiply:
        guard let numerator = product(a.numerator, b.numerator),
            let denominator = product(a.denominator, b.denominator)
        else { return nil }
        return Quotient(numerator, denominator)
    case .divide:
        guard b.numerator != 0, b.numerator != .min, a.numerator != .min,
            let numerator = product(
                b.numerator < 0 ? -a.numerator : a.numerator, b.denominator),
            let denominator = product(
                a.denominator, b.numerator < 0 ? -b.numerator : b.numerator)
        else { return nil }
        return Quotient(numerator, denominator)
    }
}

/// The same in one go when all parts fit in 64 bits: no product of two of them, nor the sum of
/// two such products with a denominator of at most 10^18, leaves Int128. Nil otherwise.
@inline(__always)
private func exactNarrow(
    _ operation: RatioOperator, _ a: Quotient, _ b: Quotient
) -> Quotient? {
    guard fits64(a.numerator), fits64(a.denominator), fits64(b.numerator), fits64(b.denominator)
    else { return nil }
    let an = Int64(truncatingIfNeeded: a.numerator)
    let ad = Int64(truncatingIfNeeded: a.denominator)
    let bn = Int64(truncatingIfNeeded: b.numerator)
    let bd = Int64(truncatingIfNeeded: b.denominator)
    switch operation {
    case .add, .subtract:
        let x = wideProduct(an, bd)
        let y = wideProduct(bn, ad)
        // |x|, |y| <= 2^63 × (2^63 − 1), so that their sum stays below 2^127.
        return Quotient(operation == .add ? x &+ y : x &- y, wideProduct(ad, bd))
    case .multiply: return Quotient(wideProduct(an, bn), wideProduct(ad, bd))
    case .divide:
        guard bn != 0 else { return nil }
        let n = wideProduct(an, bd)
        let d = wideProduct(ad, bn)
        return bn < 0 ? Quotient(0 &- n, 0 &- d) : Quotient(n, d)
    }
}

/// One operand of a ratio kernel: a ratio column, or units of 10^-scale.
package enum RatioOperand {
    case ratio(Vector)
    /// `divisor` is 10^scale.
    case decimal(Vector, divisor: Int64)

    var vector: Vector {
        switch self {
        case .ratio(let vector), .decimal(let vector, _): vector
        }
    }
}

/// `a` op `b` exactly; faults `divisionByZero` and `overflow`.
package func ratioArithmetic(
    _ operation: RatioOperator, _ a: RatioOperand, _ b: RatioOperand, count: Int
) -> Vector {
    switch operation {
    case .add: ratioLoop(.add, a, b, count)
    case .subtract: ratioLoop(.subtract, a, b, count)
    case .multiply: ratioLoop(.multiply, a, b, count)
    case .divide: ratioLoop(.divide, a, b, count)
    }
}

@inline(__always)
private func ratioLoop(
    _ operation: RatioOperator, _ a: RatioOperand, _ b: RatioOperand, _ count: Int
) -> Vector {
    switch (a, b) {
    case (.ratio(let x), .ratio(let y)):
        let left = x.ratio
        let right = y.ratio
        return ratioRows(operation, x, y, count) {
            Quotient(left.numerators[$0], left.denominators[$0])
        } _: {
            Quotient(right.numerators[$0], right.denominators[$0])
        }
    case (.ratio(let x), .decimal(let y, let divisor)):
        let left = x.ratio
        let right = y.int64
        let denominator = Int128(divisor)
        return ratioRows(operation, x, y, count) {
            Quotient(left.numerators[$0], left.denominators[$0])
        } _: {
            Quotient(Int128(right[$0]), denominator)
        }
    case (.decimal(let x, let divisor), .ratio(let y)):
        let left = x.int64
        let right = y.ratio
        let denominator = Int128(divisor)
        return ratioRows(operation, x, y, count) {
            Quotient(Int128(left[$0]), denominator)
        } _: {
            Quotient(right.numerators[$0], right.denominators[$0])
        }
    case (.decimal(let x, let leftDivisor), .decimal(let y, let rightDivisor)):
        let left = x.int64
        let right = y.int64
        // A common power of ten cancels, which keeps quotients of decimals short.
        let common = min(leftDivisor, rightDivisor)
        let leftDenominator = Int128(leftDivisor / common)
        let rightDenominator = Int128(rightDivisor / common)
        if operation == .divide || common == 1 {
            return ratioRows(operation, x, y, count) {
                Quotient(Int128(left[$0]), leftDenominator)
            } _: {
                Quotient(Int128(right[$0]), rightDenominator)
            }
        }
        return ratioRows(operation, x, y, count) {
            Quotient(Int128(left[$0]), Int128(leftDivisor))
        } _: {
            Quotient(Int128(right[$0]), Int128(rightDivisor))
        }
    }
}

@inline(__always)
private func ratioRows(
    _ operation: RatioOperator, _ a: Vector, _ b: Vector, _ count: Int,
    _ left: (Int) -> Quotient, _ right: (Int) -> Quotient
) -> Vector {
    var numerators = [Int128](repeating: 0, count: count)
    var denominators = [Int128](repeating: 1, count: count)
    var numeratorRows = numerators.mutableSpan
    var denominatorRows = denominators.mutableSpan
    let (validity, joinedFaults) = joined(a, b)
    var faults = joinedFaults
    for row in 0..<count {
        let x = left(row)
        let y = right(row)
        if let result = exactNarrow(operation, x, y) {
            numeratorRows[row] = result.numerator
            denominatorRows[row] = result.denominator
        } else if a.isLive(row), b.isLive(row) {
            if operation == .divide, y.numerator == 0 {
                record(.divisionByZero, row, count, in: &faults)
            } else if let result = exact(operation, x, y) {
                numeratorRows[row] = result.numerator
                denominatorRows[row] = result.denominator
            } else {
                record(.overflow, row, count, in: &faults)
            }
        }
    }
    return Vector(
        .ratio(RatioValues(numerators: numerators, denominators: denominators)), validity, faults)
}

/// Units of 10^-scale as a ratio over `divisor` = 10^scale.
package func int64ToRatio(_ a: Vector, divisor: Int64, count: Int) -> Vector {
    let numerators = mapped(a.int64, count, Int128(0)) { Int128($0) }
    let denominators = [Int128](repeating: Int128(divisor), count: count)
    return Vector(
        .ratio(RatioValues(numerators: numerators, denominators: denominators)),
        a.column.validity, a.faults)
}

/// `-a`.
package func negateRatio(_ a: Vector, count: Int) -> Vector {
    mapRatio(a, count) { $0.numerator == .min ? nil : Quotient(-$0.numerator, $0.denominator) }
}

/// |a|.
package func absoluteRatio(_ a: Vector, count: Int) -> Vector {
    mapRatio(a, count) {
        if $0.numerator >= 0 { return $0 }
        return $0.numerator == .min ? nil : Quotient(-$0.numerator, $0.denominator)
    }
}

private func mapRatio(_ a: Vector, _ count: Int, _ body: (Quotient) -> Quotient?) -> Vector {
    var values = a.ratio
    var faults = a.faults
    for row in 0..<count {
        if let result = body(Quotient(values.numerators[row], values.denominators[row])) {
            values.numerators[row] = result.numerator
            values.denominators[row] = result.denominator
        } else if a.isLive(row) {
            record(.overflow, row, count, in: &faults)
        }
    }
    return Vector(.ratio(values), a.column.validity, faults)
}
