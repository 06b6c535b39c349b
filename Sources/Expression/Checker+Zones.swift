import Columnar
import Primitives

// Functions of time zones: parts of timestamps, local dates, starts of days.

extension Checker {
    static let calendarFunctions: [String: CalendarUnit] = [
        "startOfDay": .day, "startOfWeek": .week, "startOfMonth": .month,
    ]

    mutating func timePart(_ part: TimePart, _ values: [Node], _ offset: Int) -> Answer? {
        switch values[0].type {
        case .timestamp where values.count == 1:
            return Zone("UTC").map { Answer(Node(.timePart(part, $0), values, .int)) }
        case .timestamp where values.count == 2:
            return Answer(
                zone(values[1], offset).map { Node(.timePart(part, $0), [values[0]], .int) })
        case .duration where values.count == 1:
            switch part {
            case .hours, .minutes, .seconds, .milliseconds:
                return Answer(Node(.durationPart(part), values, .int))
            default: return nil
            }
        default: return nil
        }
    }

    /// `localDate(ts, zone)`: what a calendar on the wall there says, as `2026-01-31`.
    mutating func localDate(_ values: [Node], _ offset: Int) -> Answer? {
        guard values[0].type == .timestamp else { return nil }
        return Answer(
            zone(values[1], offset).map { Node(.localDate($0), [values[0]], .string) })
    }

    /// `startOfDay(ts, zone)` and its like.
    mutating func startOf(_ name: String, _ values: [Node], _ offset: Int) -> Answer? {
        guard values[0].type == .timestamp, let unit = Self.calendarFunctions[name] else {
            return nil
        }
        return Answer(
            zone(values[1], offset).map {
                Node(.startOf(CalendarGrid(unit: unit, zone: $0)), [values[0]], .timestamp)
            })
    }

    /// The zone that an argument names, or nil after an error.
    private mutating func zone(_ argument: Node, _ offset: Int) -> Zone? {
        guard case .constant(.bytes(let bytes)) = argument.operation, argument.type == .string
        else {
            _ = fail(
                offset, "the time zone must be written out",
                hint: "as in 'Asia/Shanghai' or '+08:00'")
            return nil
        }
        let name = String(decoding: bytes, as: UTF8.self)
        if let zone = Zone(name) { return zone }
        let near = Zone.suggestion(for: name) ?? Suggestion.nearest(name, among: ZoneTable.names)
        _ = fail(
            offset, "there is no time zone '\(name)'",
            hint: near.map { "did you mean '\($0)'?" }
                ?? "an IANA name such as 'Asia/Shanghai', or an offset such as '+08:00'")
        return nil
    }
}
