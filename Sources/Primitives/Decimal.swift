/// Scaled integers as text: `Int64` units of 10^-scale.
package enum Decimal {
    /// The greatest scale; 10^18 is the greatest power of ten in an `Int64`.
    package static let maximumScale = 18

    /// 10^`exponent` for 0...18.
    package static func powerOfTen(_ exponent: Int) -> Int64 {
        powers[exponent]
    }

    private static let powers: InlineArray<19, Int64> = [
        1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
        10_000_000_000, 100_000_000_000, 1_000_000_000_000, 10_000_000_000_000,
        100_000_000_000_000, 1_000_000_000_000_000, 10_000_000_000_000_000,
        100_000_000_000_000_000, 1_000_000_000_000_000_000,
    ]

    /// What came of reading a number as a decimal.
    package enum ParseResult: Equatable, Sendable {
        case value(Int64)
        /// More non-zero digits after the point than the scale holds.
        case inexact
        case overflow
        case malformed
    }

    /// Reads a JSON number (`-12.50`, `1e3`) as units of 10^-`scale`.
    ///
    /// Trailing zeros past the scale are no loss. With `rounding`, more digits are rounded
    /// half-even instead of being refused. O(length).
    package static func parse(_ text: Span<UInt8>, scale: Int, rounding: Bool = false)
        -> ParseResult
    {
        var index = 0
        let count = text.count
        var negative = false
        if index < count, text[index] == 45 {
            negative = true
            index += 1
        }
        // The digits without leading zeros, and where the point stands among them.
        var digits: [UInt8] = []
        var pointShift = 0
        let wholeStart = index
        while index < count, text[index] >= 48, text[index] <= 57 {
            if !digits.isEmpty || text[index] != 48 { digits.append(text[index] - 48) }
            index += 1
        }
        let wholeCount = index - wholeStart
        guard wholeCount > 0, wholeCount == 1 || text[wholeStart] != 48 else { return .malformed }
        if index < count, text[index] == 46 {
            index += 1
            let start = index
            while index < count, text[index] >= 48, text[index] <= 57 {
                if !digits.isEmpty || text[index] != 48 { digits.append(text[index] - 48) }
                pointShift -= 1
                index += 1
            }
            guard index > start else { return .malformed }
        }
        if index < count, text[index] | 0x20 == 0x65 {
            index += 1
            var exponentNegative = false
            if index < count, text[index] == 43 || text[index] == 45 {
                exponentNegative = text[index] == 45
                index += 1
            }
            let start = index
            var exponent = 0
            while index < count, text[index] >= 48, text[index] <= 57 {
                exponent = min(exponent * 10 + Int(text[index]) - 48, 1_000_000)
                index += 1
            }
            guard index > start else { return .malformed }
            pointShift += exponentNegative ? -exponent : exponent
        }
        guard index == count else { return .malformed }
        return assemble(
            digits, exponent: pointShift + scale, negative: negative, rounding: rounding)
    }

    /// `digits` × 10^`exponent` as an `Int64`, refusing or rounding half-even what is left over.
    private static func assemble(
        _ digits: [UInt8], exponent: Int, negative: Bool, rounding: Bool
    ) -> ParseResult {
        var kept = digits
        var remainder: [UInt8] = []
        var exponent = exponent
        if kept.isEmpty { return .value(0) }
        if exponent < 0 {
            let cut = min(-exponent, kept.count)
            remainder = Array(kept.suffix(cut))
            if -exponent > kept.count {
                remainder = Array(repeating: 0, count: min(-exponent - kept.count, 1)) + remainder
            }
            kept.removeLast(cut)
            exponent = 0
        }
        var magnitude: UInt64 = 0
        for digit in kept {
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, overflowSum) = product.addingReportingOverflow(UInt64(digit))
            if overflow || overflowSum { return .overflow }
            magnitude = sum
        }
        for _ in 0..<exponent {
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            if overflow { return .overflow }
            magnitude = product
        }
        if remainder.contains(where: { $0 != 0 }) {
            guard rounding else { return .inexact }
            let isHalf = remainder[0] == 5 && remainder.dropFirst().allSatisfy { $0 == 0 }
            if remainder[0] > 5 || (remainder[0] == 5 && !isHalf)
                || (isHalf && magnitude & 1 == 1)
            {
                magnitude += 1
            }
        }
        let limit = UInt64(Int64.max) + (negative ? 1 : 0)
        guard magnitude <= limit else { return .overflow }
        return .value(negative ? Int64(truncatingIfNeeded: 0 &- magnitude) : Int64(magnitude))
    }

    /// Writes `units` × 10^-`scale` with all its `scale` digits.
    package static func write(_ units: Int128, scale: Int, to writer: inout ByteWriter) {
        var reversed: [UInt8] = []
        var magnitude = units.magnitude
        repeat {
            reversed.append(UInt8(48 + magnitude % 10))
            magnitude /= 10
        } while magnitude > 0
        while reversed.count <= scale { reversed.append(48) }
        if units < 0 { writer.put(45) }
        for index in stride(from: reversed.count - 1, through: 0, by: -1) {
            writer.put(reversed[index])
            if index == scale, scale > 0 { writer.put(46) }
        }
    }

    /// Text of `units` × 10^-`scale`.
    package static func text(_ units: Int64, scale: Int) -> String {
        var writer = ByteWriter(capacity: 24)
        writer.put(decimal: units, scale: scale)
        return String(decoding: writer.array(), as: UTF8.self)
    }

    /// `numerator / denominator` × 10^`scale`, rounded half-even; nil when it does not fit.
    /// `denominator` must not be zero.
    package static func rounded(
        _ numerator: Int128, over denominator: Int128, scale: Int
    ) -> Int128? {
        if let small = roundedSmall(numerator, over: denominator, scale: scale) {
            return Int128(small)
        }
        let (scaled, overflow) = numerator.multipliedReportingOverflow(
            by: Int128(powerOfTen(scale)))
        guard !overflow else { return nil }
        let division = scaled.quotientAndRemainder(dividingBy: denominator)
        let remainder = division.remainder.magnitude
        let rest = denominator.magnitude - remainder
        let negative = (scaled < 0) != (denominator < 0)
        if remainder > rest || (remainder == rest && division.quotient & 1 != 0) {
            return division.quotient + (negative ? -1 : 1)
        }
        return division.quotient
    }

    /// As ``rounded(_:over:scale:)`` where 64 bits are enough: many times faster. Nil elsewhere.
    private static func roundedSmall(
        _ numerator: Int128, over denominator: Int128, scale: Int
    ) -> Int64? {
        guard let divisor = Int64(exactly: denominator), divisor > 0,
            let dividend = Int64(exactly: numerator)
        else { return nil }
        let (scaled, overflow) = dividend.multipliedReportingOverflow(by: powerOfTen(scale))
        guard !overflow, scaled != .min else { return nil }
        let division = scaled.quotientAndRemainder(dividingBy: divisor)
        let remainder = division.remainder.magnitude
        let rest = divisor.magnitude - remainder
        guard remainder > rest || (remainder == rest && division.quotient & 1 != 0) else {
            return division.quotient
        }
        return division.quotient + (scaled < 0 ? -1 : 1)
    }
}
