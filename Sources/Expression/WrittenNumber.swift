/// A number literal as it was written: what it is depends on what stands beside it.
struct WrittenNumber: Hashable, Sendable {
    /// Written with a point or an exponent.
    let isDouble: Bool
    /// The value as units of 10^-scale with the digits written; nil when it has too many.
    let decimal: (units: Int64, scale: Int)?
    let text: String

    static func == (a: WrittenNumber, b: WrittenNumber) -> Bool { a.text == b.text }

    func hash(into hasher: inout Hasher) { hasher.combine(text) }

    init(_ text: String, isDouble: Bool) {
        self.text = text
        self.isDouble = isDouble
        decimal = isDouble ? Self.decimal(text) : Self.int(text).map { ($0, 0) }
    }

    /// The value of an integer literal, `0x…` and sign included; nil when it does not fit.
    static func int(_ text: String) -> Int64? {
        let isNegative = text.hasPrefix("-")
        let digits = isNegative ? text.dropFirst() : text[...]
        guard digits.hasPrefix("0x") else { return Int64(text) }
        return Int64((isNegative ? "-" : "") + digits.dropFirst(2), radix: 16)
    }

    private static func decimal(_ text: String) -> (units: Int64, scale: Int)? {
        let parts = text.split(separator: "e", omittingEmptySubsequences: false)
        var digits = String(parts[0])
        var scale = 0
        if let point = digits.firstIndex(of: ".") {
            scale = digits.distance(from: point, to: digits.endIndex) - 1
            digits.remove(at: point)
        }
        if parts.count > 1 {
            guard let exponent = Int(parts[1]), abs(exponent) <= 40 else { return nil }
            scale -= exponent
        }
        guard var units = Int64(digits), scale <= 18 else { return nil }
        while scale < 0 {
            let (product, overflow) = units.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            units = product
            scale += 1
        }
        return (units, scale)
    }
}
