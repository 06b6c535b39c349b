import Columnar
import Primitives

// What the binary formats take besides texts: numbers that are numbers already.

extension JSONReader {
    /// Takes a whole number times 10^`digits` as units of the node: of a decimal, or microseconds
    /// of a time or duration.
    @inline(__always)
    func whole(_ node: Int, _ value: Int64, digits: Int) {
        if digits == 0 { return units(node, value) }
        if digits > 0 {
            let (product, overflow) = value.multipliedReportingOverflow(
                by: Decimal.powerOfTen(digits))
            return overflow ? refuse(.outOfRange, node) : units(node, product)
        }
        whole(node, Int128(value), digits: digits)
    }

    /// As ``whole(_:_:digits:)`` for wider numbers; `digits` at most 18.
    @inline(never)
    func whole(_ node: Int, _ value: Int128, digits: Int) {
        var result = value
        if digits > 0 {
            let (product, overflow) = value.multipliedReportingOverflow(
                by: Int128(Decimal.powerOfTen(digits)))
            guard !overflow else { return refuse(.outOfRange, node) }
            result = product
        } else if digits < -38 {
            // Less than half a unit, whatever it is.
            guard value == 0 || nodes[node].rounds else { return refuse(.precision, node) }
            result = 0
        } else if digits < 0 {
            var divisor: Int128 = 1
            for _ in 0..<(-digits) { divisor *= 10 }
            guard value % divisor == 0 || nodes[node].rounds else {
                return refuse(.precision, node)
            }
            guard let rounded = Decimal.rounded(value, over: divisor, scale: 0) else {
                return refuse(.outOfRange, node)
            }
            result = rounded
        }
        guard let narrow = Int64(exactly: result) else { return refuse(.outOfRange, node) }
        units(node, narrow)
    }

    /// Takes units of a node that holds such.
    @inline(__always)
    private func units(_ node: Int, _ value: Int64) {
        if nodes[node].kind == .timestamp { return time(node, value) }
        nodes[node].append(value)
    }

    /// Takes microseconds since 1970.
    @inline(__always)
    func time(_ node: Int, _ value: Int64) {
        if value >= Timestamp.minimum, value <= Timestamp.maximum {
            nodes[node].append(value)
        } else {
            refuse(.outOfRange, node)
        }
    }

    /// Takes days since 1970.
    func days(_ node: Int, _ value: Int64) {
        let (time, overflow) = value.multipliedReportingOverflow(by: 86_400_000_000)
        if overflow { refuse(.outOfRange, node) } else { self.time(node, time) }
    }

    /// Takes a floating-point number as a double.
    func double(_ node: Int, value: Double) {
        if value.isFinite { nodes[node].append(value) } else { refuse(.outOfRange, node) }
    }

    /// Takes a floating-point number by its shortest decimal digits, those that read back the
    /// same, times 10^`digits` (0...18).
    ///
    /// Up to 15 digits that is the quotient of two whole numbers that a double holds exactly, which
    /// IEEE 754 rounds correctly: no two such quotients are one double.
    @inline(__always)
    func number(_ node: Int, _ value: Double, digits: Int) {
        let power = Double(Decimal.powerOfTen(digits))
        let scaled = (value * power).rounded(.toNearestOrEven)
        if scaled.magnitude < 1e15, scaled / power == value {
            units(node, Int64(scaled))
        } else {
            shortest(node, value.isFinite, value.description, digits: digits)
        }
    }

    /// As ``number(_:_:digits:)`` for a double, of which a float has up to 6 such digits.
    func number(_ node: Int, _ value: Float, digits: Int) {
        let power = Double(Decimal.powerOfTen(digits))
        let scaled = (Double(value) * power).rounded(.toNearestOrEven)
        // Divided as doubles and narrowed: rounded twice, which changes nothing for operands that
        // are floats, as 10^10 still is.
        if digits <= 10, scaled.magnitude < 1e6, Float(scaled / power) == value {
            units(node, Int64(scaled))
        } else {
            shortest(node, value.isFinite, value.description, digits: digits)
        }
    }

    @inline(never)
    private func shortest(_ node: Int, _ isFinite: Bool, _ text: String, digits: Int) {
        guard isFinite else { return refuse(.outOfRange, node) }
        let result = Decimal.parse(
            Array(text.utf8).span, scale: digits, rounding: nodes[node].rounds)
        switch result {
        case .value(let number): units(node, number)
        case .inexact: refuse(.precision, node)
        case .overflow, .malformed: refuse(.outOfRange, node)
        }
    }

    /// Takes a map's key.
    func mapKey(_ node: Int, _ bytes: [UInt8]) {
        if nodes[node].kind == .string { return appendText(node, bytes) }
        switch Decimal.parse(bytes.span, scale: 0) {
        case .value(let number) where !bytes.contains { $0 == 0x2E || $0 | 0x20 == 0x65 }:
            nodes[node].append(number)
        case .overflow: refuse(.outOfRange, node)
        default: refuse(.wrongType, node)
        }
    }
}
