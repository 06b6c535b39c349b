/// A decimal number of any length, exactly: `0.90` and `9e-1` are the same.
package struct ExactNumber: Hashable, Comparable, Sendable {
    private let isNegative: Bool
    /// Without zeros at either end; empty for zero.
    private let digits: [UInt8]
    /// The value is 0.d1d2d3… × 10^exponent; 0 for zero.
    private let exponent: Int
    /// How many digits the text has after the point, its exponent applied; at least 0.
    package let scale: Int

    /// Reads `-12.50` or `1e3` as JSON writes numbers, nil for anything else. O(length).
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        var index = bytes.first == 45 ? 1 : 0
        var digits: [UInt8] = []
        func isDigit(_ index: Int) -> Bool { index < bytes.count && bytes[index] &- 48 < 10 }
        let wholeStart = index
        while isDigit(index) {
            digits.append(bytes[index] - 48)
            index += 1
        }
        let wholeCount = index - wholeStart
        guard wholeCount == 1 || (wholeCount > 1 && bytes[wholeStart] != 48) else { return nil }
        if index < bytes.count, bytes[index] == 46 {
            index += 1
            guard isDigit(index) else { return nil }
            while isDigit(index) {
                digits.append(bytes[index] - 48)
                index += 1
            }
        }
        let fractionCount = digits.count - wholeCount
        var shift = 0
        if index < bytes.count, bytes[index] | 32 == 101 {
            index += 1
            let negative = index < bytes.count && bytes[index] == 45
            if index < bytes.count, bytes[index] == 45 || bytes[index] == 43 { index += 1 }
            guard isDigit(index) else { return nil }
            while isDigit(index) {
                shift = min(shift * 10 + Int(bytes[index] - 48), 1_000_000)
                index += 1
            }
            if negative { shift = -shift }
        }
        guard index == bytes.count else { return nil }
        scale = max(0, fractionCount - shift)
        let leading = digits.prefix { $0 == 0 }.count
        var kept = digits.dropFirst(leading)
        while kept.last == 0 { kept.removeLast() }
        self.digits = Array(kept)
        exponent = kept.isEmpty ? 0 : wholeCount - leading + shift
        isNegative = bytes.first == 45 && !kept.isEmpty
    }

    package static func == (a: ExactNumber, b: ExactNumber) -> Bool {
        a.isNegative == b.isNegative && a.exponent == b.exponent && a.digits == b.digits
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(isNegative)
        hasher.combine(exponent)
        hasher.combine(digits)
    }

    package static func < (a: ExactNumber, b: ExactNumber) -> Bool {
        if a.isNegative != b.isNegative { return a.isNegative }
        return a.isNegative ? magnitudeLess(b, a) : magnitudeLess(a, b)
    }

    private static func magnitudeLess(_ a: ExactNumber, _ b: ExactNumber) -> Bool {
        if a.digits.isEmpty || b.digits.isEmpty { return a.digits.count < b.digits.count }
        if a.exponent != b.exponent { return a.exponent < b.exponent }
        return a.digits.lexicographicallyPrecedes(b.digits)
    }

    /// Plain digits with `scale` of them after the point, such as `0.90`; nil when that would
    /// lose digits or be longer than 40 characters.
    package func text(scale: Int) -> String? {
        let fraction = digits.isEmpty ? 0 : max(0, digits.count - exponent)
        guard fraction <= scale, exponent <= 20, scale <= 18 else { return nil }
        var whole = ""
        for index in 0..<max(0, exponent) {
            whole += String(index < digits.count ? digits[index] : 0)
        }
        var result = (isNegative ? "-" : "") + (whole.isEmpty ? "0" : whole)
        if scale > 0 { result += "." }
        for place in 0..<scale {
            let index = exponent + place
            let digit = index >= 0 && index < digits.count ? digits[index] : 0
            result += String(digit)
        }
        return result
    }
}
