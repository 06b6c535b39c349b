// Piecewise linear interpolation over list<struct{x, y, …}>.

/// How the exact form scales its operands: nodes' x and the argument to a common power of ten, and
/// the power of ten that y is in units of.
package struct InterpolationScales: Hashable, Sendable {
    package var nodeFactor: Int64
    package var argumentFactor: Int64
    package var yDivisor: Int64

    package init(nodeFactor: Int64, argumentFactor: Int64, yDivisor: Int64) {
        self.nodeFactor = nodeFactor
        self.argumentFactor = argumentFactor
        self.yDivisor = yDivisor
    }
}

/// Exact: first two fields are int64 units; the result is a ratio.
///
/// Faults: `invalidArgument` when a list has fewer than two points or its x do not ascend,
/// `outOfRange` when the argument is outside, `overflow`. At a node the result is the node's y.
/// O(points) a row; a list is checked once in a run of rows that share it.
package func interpolate(
    _ list: Vector, _ argument: Vector, scales: InterpolationScales, count: Int
) -> Vector {
    let rows = NestedRows(list)
    let validity = Bitmap.intersection(
        rows.validity(list, count: count), argument.column.validity)
    var faults = RowFaults.merged(list.faults, argument.faults)
    guard case .list(let lists) = rows.base.values,
        let nodes = Nodes(lists.elements)
    else {
        return emptyInterpolation(validity, faults, count)
    }
    var numerators = [Int128](repeating: 0, count: count)
    var denominators = [Int128](repeating: 1, count: count)
    var numeratorRows = numerators.mutableSpan
    var denominatorRows = denominators.mutableSpan
    let xs = nodes.x.span
    let ys = nodes.y.span
    let offsets = lists.offsets.span
    let wanted = argument.int64
    var checkedBase = -1
    var isSound = false
    for row in 0..<count {
        if let validity, !validity[row] { continue }
        if let faults, faults.rows[row] { continue }
        let base = rows.row(row)
        let first = Int(offsets[base])
        let end = Int(offsets[base + 1])
        if base != checkedBase {
            checkedBase = base
            isSound = end - first >= 2 && ascends(xs, first, end) && nodes.areValid(first..<end)
        }
        guard isSound else {
            record(.invalidArgument, row, count, in: &faults)
            continue
        }
        guard let segment = segment(xs, first, end, wanted[row], scales) else {
            record(.outOfRange, row, count, in: &faults)
            continue
        }
        if let value = narrow(xs, ys, segment, wanted[row], scales)
            ?? wide(
                xs, ys, segment, wanted[row], scales)
        {
            numeratorRows[row] = value.numerator
            denominatorRows[row] = value.denominator
        } else {
            record(.overflow, row, count, in: &faults)
        }
    }
    return Vector(
        .ratio(RatioValues(numerators: numerators, denominators: denominators)), validity, faults)
}

private func emptyInterpolation(_ validity: Bitmap?, _ old: RowFaults?, _ count: Int) -> Vector {
    var faults = old
    for row in 0..<count where validity?[row] ?? true {
        record(.invalidArgument, row, count, in: &faults)
    }
    return Vector(
        .ratio(
            RatioValues(
                numerators: Array(repeating: 0, count: count),
                denominators: Array(repeating: 1, count: count))), validity, faults)
}

/// The first two fields of all nodes of all lists.
private struct Nodes {
    let x: [Int64]
    let y: [Int64]
    let validity: Bitmap?

    init?(_ elements: Column) {
        let flat = elements.flattened()
        guard case .structure(let columns) = flat.values, columns.count >= 2 else { return nil }
        let first = columns[0].flattened()
        let second = columns[1].flattened()
        guard case .int64(let x) = first.values, case .int64(let y) = second.values else {
            return nil
        }
        self.x = x
        self.y = y
        validity = Bitmap.intersection(
            flat.validity, Bitmap.intersection(first.validity, second.validity))
    }

    func areValid(_ range: Range<Int>) -> Bool {
        guard let validity else { return true }
        return range.allSatisfy { validity[$0] }
    }
}

@inline(__always)
private func ascends(_ xs: Span<Int64>, _ first: Int, _ end: Int) -> Bool {
    let list = xs.extracting(first..<end)
    // Summed up without a branch: the lists are short.
    var falls = 0
    for index in 1..<list.count { falls |= list[index] <= list[index - 1] ? 1 : 0 }
    return falls == 0
}

/// The node at or before the argument that has a node after it; nil when out of range.
@inline(__always)
private func segment(
    _ xs: Span<Int64>, _ first: Int, _ end: Int, _ value: Int64, _ scales: InterpolationScales
) -> Int? {
    if scales.nodeFactor == 1, scales.argumentFactor == 1 {
        guard value >= xs[first], value <= xs[end - 1] else { return nil }
        var low = first
        var high = end - 1
        while high - low > 1 {
            let middle = (low + high) >> 1
            if xs[middle] <= value { low = middle } else { high = middle }
        }
        return low
    }
    let wanted = wideProduct(value, scales.argumentFactor)
    guard wanted >= wideProduct(xs[first], scales.nodeFactor),
        wanted <= wideProduct(xs[end - 1], scales.nodeFactor)
    else { return nil }
    var low = first
    var high = end - 1
    while high - low > 1 {
        let middle = (low + high) >> 1
        if wideProduct(xs[middle], scales.nodeFactor) <= wanted {
            low = middle
        } else {
            high = middle
        }
    }
    return low
}

/// (y0 (x1 − x0) + (y1 − y0)(x − x0)) / ((x1 − x0) 10^scale) in 64 bits; nil when that is too few.
@inline(__always)
private func narrow(
    _ xs: Span<Int64>, _ ys: Span<Int64>, _ low: Int, _ value: Int64,
    _ scales: InterpolationScales
) -> Quotient? {
    let (x, o1) = value.multipliedReportingOverflow(by: scales.argumentFactor)
    let (x0, o2) = xs[low].multipliedReportingOverflow(by: scales.nodeFactor)
    let (x1, o3) = xs[low + 1].multipliedReportingOverflow(by: scales.nodeFactor)
    let y0 = ys[low]
    if x == x0, !o1, !o2 { return Quotient(Int128(y0), Int128(scales.yDivisor)) }
    let (width, o4) = x1.subtractingReportingOverflow(x0)
    let (dx, o5) = x.subtractingReportingOverflow(x0)
    let (dy, o6) = ys[low + 1].subtractingReportingOverflow(y0)
    let (denominator, o7) = width.multipliedReportingOverflow(by: scales.yDivisor)
    if o1 || o2 || o3 || o4 || o5 || o6 || o7 { return nil }
    // |y0 × width| and |dy × dx| are below 2^126, so that their sum fits.
    let numerator = wideProduct(y0, width) &+ wideProduct(dy, dx)
    return Quotient(numerator, Int128(denominator))
}

private func wide(
    _ xs: Span<Int64>, _ ys: Span<Int64>, _ low: Int, _ value: Int64,
    _ scales: InterpolationScales
) -> Quotient? {
    let x0 = wideProduct(xs[low], scales.nodeFactor)
    let x1 = wideProduct(xs[low + 1], scales.nodeFactor)
    let x = wideProduct(value, scales.argumentFactor)
    let y0 = Quotient(Int128(ys[low]), Int128(scales.yDivisor))
    let dy = Quotient(Int128(ys[low + 1]) - Int128(ys[low]), Int128(scales.yDivisor))
    let share = Quotient(x - x0, x1 - x0).reduced()
    guard let rise = exact(.multiply, dy, share) else { return nil }
    return exact(.add, y0, rise)
}

/// By IEEE 754 over double fields; faults as the exact form, a NaN argument `outOfRange`.
package func interpolateDouble(_ list: Vector, _ argument: Vector, count: Int) -> Vector {
    let rows = NestedRows(list)
    let validity = Bitmap.intersection(
        rows.validity(list, count: count), argument.column.validity)
    var faults = RowFaults.merged(list.faults, argument.faults)
    var result = [Double](repeating: 0, count: count)
    var x: [Double] = []
    var y: [Double] = []
    var offsets: [Int32] = []
    if case .list(let lists) = rows.base.values,
        case .structure(let columns) = lists.elements.flattened().values, columns.count >= 2,
        case .double(let first) = columns[0].flattened().values,
        case .double(let second) = columns[1].flattened().values
    {
        x = first
        y = second
        offsets = lists.offsets
    }
    let wanted = argument.double
    for row in 0..<count {
        if let validity, !validity[row] { continue }
        if let faults, faults.rows[row] { continue }
        let base = rows.row(row)
        let points = offsets.isEmpty ? 0..<0 : Int(offsets[base])..<Int(offsets[base + 1])
        let value = wanted[row]
        let isSound =
            points.count >= 2 && points.dropFirst().allSatisfy { x[$0] > x[$0 - 1] }
        guard isSound else {
            record(.invalidArgument, row, count, in: &faults)
            continue
        }
        guard value >= x[points.lowerBound], value <= x[points.upperBound - 1] else {
            record(.outOfRange, row, count, in: &faults)
            continue
        }
        var low = points.lowerBound
        while low + 2 < points.upperBound, x[low + 1] <= value { low += 1 }
        if value == x[low + 1] {
            result[row] = y[low + 1]
        } else {
            result[row] =
                y[low] + (y[low + 1] - y[low]) * (value - x[low]) / (x[low + 1] - x[low])
        }
    }
    return Vector(.double(result), validity, faults)
}
