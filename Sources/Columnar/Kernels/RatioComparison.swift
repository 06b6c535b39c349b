/// Compares two ratios, or a ratio with a decimal, exactly by cross-multiplication at full width.
package func compareRatio(
    _ comparison: Comparison, _ a: RatioOperand, _ b: RatioOperand, count: Int
) -> Vector {
    if case .decimal = a, case .ratio = b {
        return compareRatio(comparison.mirrored, b, a, count: count)
    }
    let (validity, faults) = joined(a.vector, b.vector)
    let result: [Bool] =
        switch comparison {
        case .equal:
            compareRows(a, b, count) {
                $0 == $1
            } _: {
                $0 == 0
            }
        case .notEqual:
            compareRows(a, b, count) {
                $0 != $1
            } _: {
                $0 != 0
            }
        case .less:
            compareRows(a, b, count) {
                $0 < $1
            } _: {
                $0 < 0
            }
        case .lessOrEqual:
            compareRows(a, b, count) {
                $0 <= $1
            } _: {
                $0 <= 0
            }
        case .greater:
            compareRows(a, b, count) {
                $0 > $1
            } _: {
                $0 > 0
            }
        case .greaterOrEqual:
            compareRows(a, b, count) {
                $0 >= $1
            } _: {
                $0 >= 0
            }
        }
    return Vector(.bool(result), validity, faults)
}

@inline(__always)
private func compareRows(
    _ a: RatioOperand, _ b: RatioOperand, _ count: Int, _ narrow: (Int128, Int128) -> Bool,
    _ wide: (Int) -> Bool
) -> [Bool] {
    var result = [Bool](repeating: false, count: count)
    guard case .ratio(let x) = a else { return result }
    let left = x.ratio
    let numerators = left.numerators.span.extracting(0..<count)
    let denominators = left.denominators.span.extracting(0..<count)
    var out = result.mutableSpan
    switch b {
    case .decimal(let y, let divisor):
        let values = y.int64
        let right = values.span.extracting(0..<count)
        for row in 0..<count {
            let n = numerators[row]
            let d = denominators[row]
            if fits64(n), fits64(d) {
                out[row] = narrow(
                    wideProduct(Int64(truncatingIfNeeded: n), divisor),
                    wideProduct(Int64(truncatingIfNeeded: d), right[row]))
            } else {
                out[row] = wide(crossOrder(n, d, Int128(right[row]), Int128(divisor)))
            }
        }
    case .ratio(let y):
        let other = y.ratio
        let rightNumerators = other.numerators.span.extracting(0..<count)
        let rightDenominators = other.denominators.span.extracting(0..<count)
        for row in 0..<count {
            let n = numerators[row]
            let d = denominators[row]
            let rn = rightNumerators[row]
            let rd = rightDenominators[row]
            if fits64(n), fits64(d), fits64(rn), fits64(rd) {
                out[row] = narrow(
                    wideProduct(Int64(truncatingIfNeeded: n), Int64(truncatingIfNeeded: rd)),
                    wideProduct(Int64(truncatingIfNeeded: rn), Int64(truncatingIfNeeded: d)))
            } else {
                out[row] = wide(crossOrder(n, d, rn, rd))
            }
        }
    }
    return result
}

/// The order of `an / ad` and `bn / bd` by two 256-bit products; denominators are positive.
func crossOrder(_ an: Int128, _ ad: Int128, _ bn: Int128, _ bd: Int128) -> Int {
    let left = an.multipliedFullWidth(by: bd)
    let right = bn.multipliedFullWidth(by: ad)
    if left.high != right.high { return left.high < right.high ? -1 : 1 }
    if left.low != right.low { return left.low < right.low ? -1 : 1 }
    return 0
}
