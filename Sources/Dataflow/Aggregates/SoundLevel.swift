import Primitives

/// Powers that stand for sound levels, in whole numbers: the same on every machine, whatever its
/// mathematics library computes.
///
/// A level of L dB is 10^(L/10), kept in units of 2^-96 with a relative error below 2^-60. Levels
/// lie between -100 and 200 dB, so that a window may hold 2^31 of them.
package enum SoundLevel {
    /// Levels that are taken, in dB.
    package static let lowest: Int64 = -100
    package static let highest: Int64 = 200
    /// Most digits after the point of a level.
    package static let maximumScale = 8

    /// ln 10 in units of 2^-92.
    private static let ln10: UInt128 = 11_401_849_121_915_919_630_633_121_162

    /// 10^(level/10) × 2^96 of a level in units of 10^-scale. O(1), about forty multiplications.
    static func power(_ level: Int64, scale: Int) -> UInt256 {
        let unit = Decimal.powerOfTen(scale + 1)
        let quotient = level / unit
        let decade = level % unit < 0 ? quotient - 1 : quotient
        let rest = level - decade * unit
        // e^(ln 10 × rest / unit) by its series, in units of 2^-92: below 10.
        let exponent = ln10 * UInt128(rest) / UInt128(unit)
        var sum: UInt128 = 0
        var term: UInt128 = 1 << 92
        var count: UInt128 = 1
        while term > 0 {
            sum += term
            let product = term.multipliedFullWidth(by: exponent)
            term = (product.high << 36 | product.low >> 92) / count
            count += 1
        }
        if decade < 0 {
            return UInt256(low: (sum << 4) / UInt128(Decimal.powerOfTen(Int(-decade))))
        }
        var factor: UInt128 = 16
        for _ in 0..<decade { factor *= 10 }
        return UInt256(product: sum, factor)
    }

    /// The level of the mean of `count` powers, in units of 10^-scale, rounded half-even.
    ///
    /// The rounding is exact in terms of ``power(_:scale:)``: a mean of equal levels is that level.
    static func level(sum: UInt256, count: Int64, scale: Int) -> Int64 {
        func reaches(_ halves: Int64) -> Bool {
            let limit = power(halves * 5, scale: scale + 1) * UInt128(count)
            return sum >= limit
        }
        let unit = Decimal.powerOfTen(scale)
        var level = Int64((estimate(sum, count) * Double(unit)).rounded(.toNearestOrEven))
        level = min(max(level, lowest * unit), highest * unit)
        // `halves` are half units: the level is right when its lower half unit is reached, and
        // its upper one is not.
        while level < highest * unit, reaches(2 * level + 1) { level += 1 }
        while level > lowest * unit, !reaches(2 * level - 1) { level -= 1 }
        return level
    }

    /// 10 × log10(sum / count / 2^96) by additions, multiplications and divisions alone, which
    /// IEEE 754 fixes.
    private static func estimate(_ sum: UInt256, _ count: Int64) -> Double {
        let mean = (Double(sum.high) * 0x1p128 + Double(sum.low)) / Double(count) * 0x1p-96
        let ratio = (mean.significand - 1) / (mean.significand + 1)
        var series = 0.0
        var power = ratio
        for index in 0..<20 {
            series += power / Double(2 * index + 1)
            power *= ratio * ratio
        }
        let ln2 = 0.693_147_180_559_945_3
        let ln10 = 2.302_585_092_994_045_7
        return 10 * (2 * series + Double(mean.exponent) * ln2) / ln10
    }
}
