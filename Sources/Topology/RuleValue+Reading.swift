import Columnar
import Primitives

/// A date or time as a rule file writes it.
enum RuleMoment {
    /// With an offset from UTC.
    case instant(Int64)
    /// What a clock on the wall shows, as if it were UTC.
    case local(Int64)

    /// Reads `2026-01-31`, `2026-01-31T08:00`, with seconds, with `Z` or an offset; nil for
    /// anything else.
    init?(_ text: String) {
        var text = text
        if text.count == 10 { text += "T00:00" }
        // Minutes are enough.
        let head = text.prefix(16)
        let tail = text.dropFirst(16)
        if head.count == 16, !tail.hasPrefix(":") { text = head + ":00" + tail }
        if let time = Timestamp.parse(text) {
            self = .instant(time)
        } else if let time = Timestamp.parse(text + "Z") {
            self = .local(time)
        } else {
            return nil
        }
    }
}

extension RuleValue {
    /// Why a text is no value of a type.
    struct Problem: Error {
        var reason: String
        var hint: String?
    }

    /// Reads a bool, number or duration; a number may have the type's unit behind it.
    init(_ text: String, _ type: ValueType) throws(Problem) {
        switch type {
        case .bool:
            guard ["true", "false"].contains(text) else {
                throw Problem(reason: "is not", hint: "true or false")
            }
            self = .bool(text == "true")
        case .duration:
            guard let value = DurationText.parse(text) else {
                throw Problem(reason: "is not", hint: "a duration such as 15m")
            }
            self = .int64(value)
        case .double:
            let number = try RuleValue.number(text, type)
            guard let value = Double(number), value.isFinite else {
                throw Problem(reason: "is not a number", hint: nil)
            }
            self = .double(value)
        case .decimal(let scale, _): self = .int64(try RuleValue.units(text, scale, type))
        default: self = .int64(try RuleValue.units(text, 0, type))
        }
    }

    private static func units(
        _ text: String, _ scale: Int, _ type: ValueType
    ) throws(Problem) -> Int64 {
        let number = try number(text, type)
        guard let exact = ExactNumber(number) else {
            throw Problem(reason: "is not a number", hint: "such as 250")
        }
        guard let digits = exact.text(scale: scale) else {
            throw Problem(
                reason: "has more digits",
                hint: "declare the value with them, such as decimal(\(exact.scale))")
        }
        guard let units = Int64(digits.filter { $0 != "." }) else {
            throw Problem(reason: "does not fit", hint: nil)
        }
        return units
    }

    /// The number of a text, its unit compared with the type's.
    private static func number(_ text: String, _ type: ValueType) throws(Problem) -> String {
        let parts = text.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return text }
        let unit = Unit(String(parts[1]))
        guard unit == type.unit else {
            let own = type.unit.map { "the unit is \($0)" } ?? "it has no unit"
            throw Problem(
                reason: unit.isKnown ? "has another unit" : "is not a number",
                hint: "\(own), as declared under 'values'; write the number alone")
        }
        return String(parts[0])
    }
}
