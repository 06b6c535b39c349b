/// Sums too wide for 128 bits: sums of squares, sums of powers. Wraps silently; callers bound what
/// they put in.
package struct UInt256: Hashable, Comparable, Sendable {
    package var high: UInt128
    package var low: UInt128

    package init(high: UInt128 = 0, low: UInt128) {
        self.high = high
        self.low = low
    }

    /// The whole product of two numbers.
    package init(product a: UInt128, _ b: UInt128) {
        (high, low) = a.multipliedFullWidth(by: b)
    }

    /// The sum, modulo 2^256.
    package static func + (a: UInt256, b: UInt256) -> UInt256 {
        let (low, carries) = a.low.addingReportingOverflow(b.low)
        return UInt256(high: a.high &+ b.high &+ (carries ? 1 : 0), low: low)
    }

    /// The difference, modulo 2^256.
    package static func - (a: UInt256, b: UInt256) -> UInt256 {
        let (low, borrows) = a.low.subtractingReportingOverflow(b.low)
        return UInt256(high: a.high &- b.high &- (borrows ? 1 : 0), low: low)
    }

    /// The product, modulo 2^256.
    package static func * (a: UInt256, b: UInt128) -> UInt256 {
        let product = a.low.multipliedFullWidth(by: b)
        return UInt256(high: product.high &+ a.high &* b, low: product.low)
    }

    package static func < (a: UInt256, b: UInt256) -> Bool {
        a.high != b.high ? a.high < b.high : a.low < b.low
    }
}
