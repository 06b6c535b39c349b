/// Durations as topology files write them: `500ms`, `30s`, `15m`, `1h`, `1d`, `1h30m`.
package enum DurationText {
    private static let units: [(suffix: String, microseconds: Int64)] = [
        ("d", 86_400_000_000), ("h", 3_600_000_000), ("ms", 1000), ("m", 60_000_000),
        ("us", 1), ("s", 1_000_000),
    ]

    /// Microseconds of a duration, or nil. Whole numbers with a unit each, added up; no sign.
    package static func parse(_ text: String) -> Int64? {
        var rest = Substring(text)
        guard !rest.isEmpty else { return nil }
        var total: Int64 = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard !digits.isEmpty, let value = Int64(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let letters = rest.prefix { $0.isLetter }
            guard let unit = units.first(where: { $0.suffix == letters }) else { return nil }
            rest = rest.dropFirst(letters.count)
            let (product, overflow) = value.multipliedReportingOverflow(by: unit.microseconds)
            let (sum, overflowSum) = total.addingReportingOverflow(product)
            guard !overflow, !overflowSum else { return nil }
            total = sum
        }
        return total
    }

    /// The shortest text that ``parse(_:)`` reads back; `0s` for zero.
    package static func text(_ microseconds: Int64) -> String {
        var rest = microseconds
        var result = ""
        for (suffix, size) in [
            ("d", Int64(86_400_000_000)), ("h", 3_600_000_000), ("m", 60_000_000),
            ("s", 1_000_000), ("ms", 1000), ("us", 1),
        ] where rest >= size {
            result += "\(rest / size)\(suffix)"
            rest %= size
        }
        return result.isEmpty ? "0s" : result
    }
}
