/// Decimal digits in ASCII, eight at a time in one word: the first character is the lowest byte.
///
/// Source: Lemire, "Number Parsing at a Gigabyte per Second" (2021), section on eight digits.
enum DigitWord {
    /// Eight characters `0`; exclusive-or with it makes digits 0...9.
    static var zeros: UInt64 { 0x3030_3030_3030_3030 }

    /// Marks, by its highest bit, each byte of `digits` that is not 0...9.
    @inline(__always)
    static func others(_ digits: UInt64) -> UInt64 {
        (((digits & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7676_7676_7676_7676) | digits)
            & 0x8080_8080_8080_8080
    }

    /// The number that eight bytes 0...9 stand for, the lowest the most significant.
    @inline(__always)
    static func value(_ digits: UInt64) -> UInt64 {
        let pairs = (digits &* 2561) >> 8 & 0x00FF_00FF_00FF_00FF
        let fours = (pairs &* 6_553_601) >> 16 & 0x0000_FFFF_0000_FFFF
        return (fours &* 42_949_672_960_001) >> 32
    }
}
