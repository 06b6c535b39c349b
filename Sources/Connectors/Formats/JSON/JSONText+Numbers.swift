import Primitives

/// What came of reading a number as an `Int64` of 10^-scale units.
struct ScaledNumber {
    enum Status { case value, inexact, overflow }

    /// The position after the number; negative where it is not one, as in ``JSONText``.
    var next: Int
    var value: Int64
    var status: Status
}

/// What came of reading a number as a `Double`.
struct DoubleNumber {
    var next: Int
    var value: Double
}

/// The parts of a number's text.
private struct NumberParts {
    var next: Int
    var isNegative = false
    /// All digits as one integer; meaningful up to 19 of them.
    var digits: UInt64 = 0
    var digitCount = 0
    var fractionCount = 0
    var hasExponent = false
}

/// 10^0 … 10^19.
private let powersOfTen: InlineArray<20, UInt64> = [
    1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
    10_000_000_000, 100_000_000_000, 1_000_000_000_000, 10_000_000_000_000,
    100_000_000_000_000, 1_000_000_000_000_000, 10_000_000_000_000_000,
    100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
]

/// 10^0 … 10^22, the powers that a `Double` holds exactly.
private let exactPowersOfTen: InlineArray<23, Double> = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
]

extension JSONText {
    /// Adds the digits at `position` to `value`, eight at a time; wraps past 19 digits.
    @inline(__always)
    private func digits(_ start: Int, _ value: inout UInt64) -> Int {
        var position = start
        while true {
            let word = load(position) ^ DigitWord.zeros
            let count = min(DigitWord.others(word).trailingZeroBitCount >> 3, end &- position)
            guard count > 0 else { return position }
            let eight = DigitWord.value(word &<< UInt64(truncatingIfNeeded: 64 &- 8 &* count))
            value = value &* powersOfTen[count] &+ eight
            position &+= count
            if count < 8 { return position }
        }
    }

    /// The position after the digits at `start`.
    @inline(__always)
    private func skipDigits(_ start: Int) -> Int {
        var position = start
        while true {
            let count =
                DigitWord.others(load(position) ^ DigitWord.zeros).trailingZeroBitCount >> 3
            position = min(position &+ count, max(position, end))
            if count < 8 { return position }
        }
    }

    /// Reads a number and checks its grammar only.
    @inline(__always)
    func skipNumber(_ start: Int) -> Int {
        let whole = byte(start) == 0x2D ? start &+ 1 : start
        let short = shortLength(whole)
        if short > 0 { return whole &+ short }
        var position = skipDigits(whole)
        guard position > whole, byte(whole) != 0x30 || position == whole &+ 1 else {
            return ~position
        }
        if byte(position) == 0x2E {
            let fraction = position &+ 1
            position = skipDigits(fraction)
            guard position > fraction else { return ~position }
        }
        return byte(position) | 0x20 == 0x65 ? skipExponent(position) : position
    }

    /// Reads an exponent at its `e`.
    private func skipExponent(_ start: Int) -> Int {
        var position = start &+ 1
        if byte(position) == 0x2B || byte(position) == 0x2D { position &+= 1 }
        let digits = position
        position = skipDigits(digits)
        return position > digits ? position : ~position
    }

    /// The length of a number without sign and exponent whose text and next byte are in one word;
    /// 0 when it is not that.
    @inline(__always)
    func shortLength(_ start: Int) -> Int {
        let word = load(start)
        let digits = word ^ DigitWord.zeros
        let others = DigitWord.others(digits)
        let whole = others.trailingZeroBitCount >> 3
        guard whole > 0, whole < 8, whole == 1 || digits & 0xFF != 0 else { return 0 }
        var length = whole
        if Self.byte(whole, of: word) == 0x2E {
            let rest = others & (others &- 1)
            length = rest.trailingZeroBitCount >> 3
            guard rest != 0, length > whole &+ 1 else { return 0 }
        }
        let next = Self.byte(length, of: word)
        return next | 0x20 != 0x65 && start &+ length <= end ? length : 0
    }

    @inline(__always)
    private static func byte(_ index: Int, of word: UInt64) -> UInt8 {
        UInt8(truncatingIfNeeded: word &>> UInt64(truncatingIfNeeded: 8 &* index))
    }

    /// Reads a number without sign and exponent that ends within a word, up to seven bytes, or a
    /// whole one that ends within two: the usual reading of a sensor, time or counter. Nil when it
    /// is not that.
    @inline(__always)
    private func shortNumber(_ start: Int) -> NumberParts? {
        let word = load(start)
        let digits = word ^ DigitWord.zeros
        let others = DigitWord.others(digits)
        if others == 0 { return longerWhole(start, digits) }
        let whole = others.trailingZeroBitCount >> 3
        guard whole > 0, whole == 1 || digits & 0xFF != 0 else { return nil }
        var parts = NumberParts(next: start)
        var length = whole
        var joined = digits
        if Self.byte(whole, of: word) == 0x2E {
            let rest = others & (others &- 1)
            length = rest.trailingZeroBitCount >> 3
            guard rest != 0, length > whole &+ 1 else { return nil }
            let low: UInt64 = (1 &<< UInt64(truncatingIfNeeded: 8 &* whole)) &- 1
            joined = (digits & low) | (digits >> 8 & ~low)
            parts.fractionCount = length &- whole &- 1
            parts.digitCount = length &- 1
        } else {
            parts.digitCount = length
        }
        parts.next = start &+ length
        guard Self.byte(length, of: word) | 0x20 != 0x65, parts.next <= end else { return nil }
        parts.digits = DigitWord.value(
            joined &<< UInt64(truncatingIfNeeded: 64 &- 8 &* parts.digitCount))
        return parts
    }

    /// Reads a whole number whose first eight digits are known and whose end is in the next word.
    @inline(__always)
    private func longerWhole(_ start: Int, _ first: UInt64) -> NumberParts? {
        let word = load(start &+ 8)
        let digits = word ^ DigitWord.zeros
        let others = DigitWord.others(digits)
        let count = others.trailingZeroBitCount >> 3
        let next = Self.byte(count, of: word)
        guard others != 0, first & 0xFF != 0, next != 0x2E, next | 0x20 != 0x65,
            start &+ 8 &+ count <= end
        else { return nil }
        let low = (digits &<< UInt64(truncatingIfNeeded: 56 &- 8 &* count)) &<< 8
        var parts = NumberParts(next: start &+ 8 &+ count)
        parts.digits = DigitWord.value(first) &* powersOfTen[count] &+ DigitWord.value(low)
        parts.digitCount = 8 &+ count
        return parts
    }

    /// Reads a number's parts.
    @inline(__always)
    private func number(_ start: Int) -> NumberParts {
        var parts = NumberParts(next: start)
        parts.isNegative = byte(start) == 0x2D
        let whole = parts.isNegative ? start &+ 1 : start
        if var short = shortNumber(whole) {
            short.isNegative = parts.isNegative
            return short
        }
        var position = digits(whole, &parts.digits)
        parts.digitCount = position &- whole
        guard parts.digitCount > 0, parts.digitCount == 1 || byte(whole) != 0x30 else {
            parts.next = ~position
            return parts
        }
        if byte(position) == 0x2E {
            let fraction = position &+ 1
            position = digits(fraction, &parts.digits)
            parts.fractionCount = position &- fraction
            parts.digitCount &+= parts.fractionCount
            guard parts.fractionCount > 0 else {
                parts.next = ~position
                return parts
            }
        }
        if byte(position) | 0x20 == 0x65 {
            parts.hasExponent = true
            position = skipExponent(position)
        }
        parts.next = position
        return parts
    }

    /// Reads a number as units of 10^-`scale`, exactly; `rounds` half-even where digits are left.
    @inline(__always)
    func decimal(_ start: Int, scale: Int, rounds: Bool) -> ScaledNumber {
        if let parts = shortNumber(start) {
            let shift = scale &- parts.fractionCount
            if shift >= 0, parts.digitCount &+ shift <= 18 {
                let value = Int64(truncatingIfNeeded: parts.digits &* powersOfTen[shift])
                return ScaledNumber(next: parts.next, value: value, status: .value)
            }
        }
        return longDecimal(start, scale: scale, rounds: rounds)
    }

    @inline(never)
    private func longDecimal(_ start: Int, scale: Int, rounds: Bool) -> ScaledNumber {
        let parts = number(start)
        guard parts.next >= 0 else {
            return ScaledNumber(next: parts.next, value: 0, status: .value)
        }
        let shift = scale &- parts.fractionCount
        if parts.digitCount <= 18, !parts.hasExponent, shift >= 0 {
            let (high, low) = parts.digits.multipliedFullWidth(by: powersOfTen[shift])
            guard high == 0, low <= UInt64(Int64.max) else {
                return slowDecimal(start, parts.next, scale: scale, rounds: rounds)
            }
            let value = Int64(truncatingIfNeeded: low)
            return ScaledNumber(
                next: parts.next, value: parts.isNegative ? 0 &- value : value, status: .value)
        }
        return slowDecimal(start, parts.next, scale: scale, rounds: rounds)
    }

    @inline(never)
    private func slowDecimal(_ start: Int, _ next: Int, scale: Int, rounds: Bool) -> ScaledNumber {
        switch Decimal.parse(bytes(start..<next).span, scale: scale, rounding: rounds) {
        case .value(let value): ScaledNumber(next: next, value: value, status: .value)
        case .inexact: ScaledNumber(next: next, value: 0, status: .inexact)
        case .overflow: ScaledNumber(next: next, value: 0, status: .overflow)
        case .malformed: ScaledNumber(next: ~start, value: 0, status: .value)
        }
    }

    /// Reads a number as the nearest `Double`; infinite where it is too large.
    ///
    /// Up to 15 digits and a power of ten up to 22 one division is exact (Clinger 1990); the rest
    /// goes through the standard library's correctly rounded conversion.
    func double(_ start: Int) -> DoubleNumber {
        let parts = number(start)
        guard parts.next >= 0 else { return DoubleNumber(next: parts.next, value: 0) }
        if parts.digitCount <= 15, !parts.hasExponent {
            let value = Double(parts.digits) / exactPowersOfTen[parts.fractionCount]
            return DoubleNumber(next: parts.next, value: parts.isNegative ? -value : value)
        }
        let text = String(decoding: bytes(start..<parts.next), as: UTF8.self)
        return DoubleNumber(next: parts.next, value: Double(text) ?? .infinity)
    }
}
