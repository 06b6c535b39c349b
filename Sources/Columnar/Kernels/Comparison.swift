/// The six comparisons.
package enum Comparison: UInt8, Hashable, Sendable {
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual

    /// The comparison that holds with the operands exchanged.
    package var mirrored: Comparison {
        switch self {
        case .equal, .notEqual: self
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        }
    }

    /// Whether it holds for operands whose order is `sign` (negative, zero, positive).
    @inline(__always)
    func holds(_ sign: Int) -> Bool {
        switch self {
        case .equal: sign == 0
        case .notEqual: sign != 0
        case .less: sign < 0
        case .lessOrEqual: sign <= 0
        case .greater: sign > 0
        case .greaterOrEqual: sign >= 0
        }
    }
}

/// Compares int64 vectors of the same scale.
package func compareInt64(
    _ comparison: Comparison, _ a: Vector, _ b: Vector, count: Int
) -> Vector {
    let x = a.int64
    let y = b.int64
    let (validity, faults) = joined(a, b)
    let result: [Bool] =
        switch comparison {
        case .equal: mapped(x, y, count, false) { $0 == $1 }
        case .notEqual: mapped(x, y, count, false) { $0 != $1 }
        case .less: mapped(x, y, count, false) { $0 < $1 }
        case .lessOrEqual: mapped(x, y, count, false) { $0 <= $1 }
        case .greater: mapped(x, y, count, false) { $0 > $1 }
        case .greaterOrEqual: mapped(x, y, count, false) { $0 >= $1 }
        }
    return Vector(.bool(result), validity, faults)
}

/// Compares `a` × `leftFactor` with `b` × `rightFactor` exactly: decimals of different scales.
package func compareScaled(
    _ comparison: Comparison, _ a: Vector, _ leftFactor: Int64, _ b: Vector,
    _ rightFactor: Int64, count: Int
) -> Vector {
    let (validity, faults) = joined(a, b)
    let result = compareLoop(comparison, a.int64, b.int64, count) { x, y in
        (wideProduct(x, leftFactor), wideProduct(y, rightFactor))
    }
    return Vector(.bool(result), validity, faults)
}

/// Compares doubles by IEEE 754: NaN equals nothing.
package func compareDouble(
    _ comparison: Comparison, _ a: Vector, _ b: Vector, count: Int
) -> Vector {
    let x = a.double
    let y = b.double
    let (validity, faults) = joined(a, b)
    let result: [Bool] =
        switch comparison {
        case .equal: mapped(x, y, count, false) { $0 == $1 }
        case .notEqual: mapped(x, y, count, false) { $0 != $1 }
        case .less: mapped(x, y, count, false) { $0 < $1 }
        case .lessOrEqual: mapped(x, y, count, false) { $0 <= $1 }
        case .greater: mapped(x, y, count, false) { $0 > $1 }
        case .greaterOrEqual: mapped(x, y, count, false) { $0 >= $1 }
        }
    return Vector(.bool(result), validity, faults)
}

/// Compares booleans, false before true.
package func compareBool(
    _ comparison: Comparison, _ a: Vector, _ b: Vector, count: Int
) -> Vector {
    let (validity, faults) = joined(a, b)
    let result = mapped(a.bool, b.bool, count, false) { x, y in
        comparison.holds((x ? 1 : 0) - (y ? 1 : 0))
    }
    return Vector(.bool(result), validity, faults)
}

/// Compares byte strings by their bytes, a prefix first; for UTF-8 that is code point order.
package func compareBytes(
    _ comparison: Comparison, _ a: Vector, _ b: Vector, count: Int
) -> Vector {
    let (validity, faults) = joined(a, b)
    let x = a.bytes
    let y = b.bytes
    var result = [Bool](repeating: false, count: count)
    let xBytes = x.bytes.span
    let yBytes = y.bytes.span
    for row in 0..<count {
        result[row] = comparison.holds(order(xBytes, x.range(row), yBytes, y.range(row)))
    }
    return Vector(.bool(result), validity, faults)
}

/// Negative, zero or positive as the left bytes come before, equal or come after the right ones.
func order(_ a: Span<UInt8>, _ left: Range<Int>, _ b: Span<UInt8>, _ right: Range<Int>) -> Int {
    let shared = min(left.count, right.count)
    for index in 0..<shared {
        let x = a[left.lowerBound + index]
        let y = b[right.lowerBound + index]
        if x != y { return x < y ? -1 : 1 }
    }
    return left.count - right.count
}

/// The exact product of two 64-bit integers.
@inline(__always)
func wideProduct(_ a: Int64, _ b: Int64) -> Int128 {
    Int128(truncatingIfNeeded: a) &* Int128(truncatingIfNeeded: b)
}

/// One result a row from two arrays. Inlined into each kernel with its body.
@inline(__always)
func mapped<A, B, R>(
    _ a: [A], _ b: [B], _ count: Int, _ zero: R, _ body: (A, B) -> R
) -> [R] {
    var result = [R](repeating: zero, count: count)
    let x = a.span.extracting(0..<count)
    let y = b.span.extracting(0..<count)
    var out = result.mutableSpan
    for row in 0..<count { out[row] = body(x[row], y[row]) }
    return result
}

/// One result a row from an array. Inlined into each kernel with its body.
@inline(__always)
func mapped<A, R>(_ a: [A], _ count: Int, _ zero: R, _ body: (A) -> R) -> [R] {
    var result = [R](repeating: zero, count: count)
    let x = a.span.extracting(0..<count)
    var out = result.mutableSpan
    for row in 0..<count { out[row] = body(x[row]) }
    return result
}

/// Compares what `body` makes of each row.
@inline(__always)
private func compareLoop(
    _ comparison: Comparison, _ a: [Int64], _ b: [Int64], _ count: Int,
    _ body: (Int64, Int64) -> (Int128, Int128)
) -> [Bool] {
    switch comparison {
    case .equal:
        mapped(a, b, count, false) {
            let (x, y) = body($0, $1)
            return x == y
        }
    case .notEqual:
        mapped(a, b, count, false) {
            let (x, y) = body($0, $1)
            return x != y
        }
    case .less:
        mapped(a, b, count, false) {
            let (x, y) = body($0, $1)
            return x < y
        }
    case .lessOrEqual:
        mapped(a, b, count, false) {
            let (x, y) = body($0, $1)
            return x <= y
        }
    case .greater:
        mapped(a, b, count, false) {
            let (x, y) = body($0, $1)
            return x > y
        }
    case .greaterOrEqual:
        mapped(a, b, count, false) {
            let (x, y) = body($0, $1)
            return x >= y
        }
    }
}
