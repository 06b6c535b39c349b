/// An exact rational for the reference engine: small numbers only, reduced at once.
package struct ReferenceNumber: Hashable, Comparable, Sendable, Codable {
    /// Sign and magnitude; the denominator is positive.
    package let numerator: Int128
    package let denominator: Int128

    /// `numerator / denominator`; the denominator is not zero.
    package init(_ numerator: Int128, over denominator: Int128 = 1) {
        var (a, b) = (numerator.magnitude, denominator.magnitude)
        while b != 0 { (a, b) = (b, a % b) }
        let divisor = Int128(max(a, 1)) * (denominator < 0 ? -1 : 1)
        self.numerator = numerator / divisor
        self.denominator = denominator / divisor
    }

    /// `units` × 10^-`scale`.
    package init(units: Int, scale: Int) {
        self.init(Int128(units), over: ReferenceNumber.power(scale))
    }

    /// Reads plain digits such as `-12.50`; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let units = Int128(parts.joined()) else { return nil }
        self.init(units, over: ReferenceNumber.power(parts.count == 2 ? parts[1].count : 0))
    }

    /// As text: the numerator, and behind a slash the denominator.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let parts = try container.decode(String.self).split(separator: "/").map { Int128($0) }
        guard parts.count == 2, let numerator = parts[0], let denominator = parts[1],
            denominator != 0
        else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a number is two whole numbers: a/b")
        }
        self.init(numerator, over: denominator)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode("\(numerator)/\(denominator)")
    }

    static func power(_ scale: Int) -> Int128 { (0..<scale).reduce(1) { power, _ in power * 10 } }

    /// The exact sum. Traps when a product of the parts exceeds 128 bits, as all arithmetic here.
    package static func + (a: Self, b: Self) -> Self {
        Self(
            a.numerator * b.denominator + b.numerator * a.denominator,
            over: a.denominator * b.denominator)
    }

    /// The exact difference.
    package static func - (a: Self, b: Self) -> Self { a + Self(-b.numerator, over: b.denominator) }

    /// The exact product.
    package static func * (a: Self, b: Self) -> Self {
        Self(a.numerator * b.numerator, over: a.denominator * b.denominator)
    }

    /// Nil when `b` is zero.
    package static func / (a: Self, b: Self) -> Self? {
        b.numerator == 0
            ? nil : Self(a.numerator * b.denominator, over: a.denominator * b.numerator)
    }

    package static func < (a: Self, b: Self) -> Bool {
        a.numerator * b.denominator < b.numerator * a.denominator
    }

    /// Toward zero.
    var truncated: Self { Self(numerator / denominator) }

    /// Plain digits, `scale` of them after the point, rounded half-even.
    package func text(scale: Int) -> String {
        let scaled = numerator.magnitude * Self.power(scale).magnitude
        let (floor, rest) = scaled.quotientAndRemainder(dividingBy: denominator.magnitude)
        var units = floor
        let twice = rest * 2
        if twice > denominator.magnitude || (twice == denominator.magnitude && units % 2 == 1) {
            units += 1
        }
        var digits = String(units)
        while digits.count <= scale { digits = "0" + digits }
        let whole = digits.dropLast(scale)
        let sign = numerator < 0 && units != 0 ? "-" : ""
        return sign + whole + (scale > 0 ? "." + digits.suffix(scale) : "")
    }
}
