import Primitives

/// A part of a timestamp or a duration. Source: cel-spec, "Timestamp and duration accessors".
package enum TimePart: String, Hashable, Sendable, CaseIterable {
    case year = "getFullYear"
    /// From 0.
    case month = "getMonth"
    /// From 0.
    case dayOfYear = "getDayOfYear"
    /// From 0.
    case dayOfMonth = "getDayOfMonth"
    /// From 1.
    case date = "getDate"
    /// Sunday is 0.
    case dayOfWeek = "getDayOfWeek"
    case hours = "getHours"
    case minutes = "getMinutes"
    case seconds = "getSeconds"
    case milliseconds = "getMilliseconds"
}

/// A part of each timestamp as the clocks of a zone show it.
package func timestampPart(_ part: TimePart, _ a: Vector, zone: Zone, count: Int) -> Vector {
    var period = zone.period(at: 0)
    let result = mapped(a.int64, count, Int64(0)) { value in
        if value < period.start || value >= period.end { period = zone.period(at: value) }
        let local = value &+ period.offset
        let day = floorDivide(local, 86_400_000_000)
        let inDay = local &- day &* 86_400_000_000
        switch part {
        case .hours: return inDay / 3_600_000_000
        case .minutes: return inDay / 60_000_000 % 60
        case .seconds: return inDay / 1_000_000 % 60
        case .milliseconds: return inDay / 1000 % 1000
        case .dayOfWeek:
            let weekday = (day &+ 4) % 7  // 1970-01-01 was a Thursday
            return weekday < 0 ? weekday + 7 : weekday
        default: return datePart(part, day)
        }
    }
    return Vector(.int64(result), a.column.validity, a.faults)
}

private func datePart(_ part: TimePart, _ day: Int64) -> Int64 {
    // What stands in a row without a value may be any number.
    guard day > -1_000_000, day < 4_000_000 else { return 0 }
    let date = Timestamp.civil(days: Int(day))
    switch part {
    case .year: return Int64(date.year)
    case .month: return Int64(date.month - 1)
    case .dayOfMonth: return Int64(date.day - 1)
    case .date: return Int64(date.day)
    default: return day - Int64(Timestamp.days(year: date.year, month: 1, day: 1))
    }
}

/// A duration in whole hours, minutes or seconds, or the milliseconds past its whole second.
package func durationPart(_ part: TimePart, _ a: Vector, count: Int) -> Vector {
    let divisor: Int64 =
        switch part {
        case .hours: 3_600_000_000
        case .minutes: 60_000_000
        case .seconds: 1_000_000
        default: 1000
        }
    let isMilliseconds = part == .milliseconds
    let result = mapped(a.int64, count, Int64(0)) {
        isMilliseconds ? $0 / divisor % 1000 : $0 / divisor
    }
    return Vector(.int64(result), a.column.validity, a.faults)
}

/// `a` / `divisor`, toward zero or, for `isFloor`, down. `divisor` is positive.
package func divideInt64(_ a: Vector, by divisor: Int64, isFloor: Bool, count: Int) -> Vector {
    let result =
        isFloor
        ? mapped(a.int64, count, Int64(0)) { floorDivide($0, divisor) }
        : mapped(a.int64, count, Int64(0)) { $0 / divisor }
    return Vector(.int64(result), a.column.validity, a.faults)
}

@inline(__always)
private func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
    let quotient = a / b
    return a % b < 0 ? quotient - 1 : quotient
}
