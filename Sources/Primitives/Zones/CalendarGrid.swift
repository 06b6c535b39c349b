/// A stretch of the local calendar.
package enum CalendarUnit: String, Hashable, Sendable, CaseIterable {
    case day
    /// From Monday, as in ISO 8601.
    case week
    case month
}

/// Days, weeks or months of a time zone, one after the other without gap: `[start, next start)`.
///
///     Europe/Berlin, day    2026-03-28      03-29         03-30
///                           [── 24 h ──)[── 23 h ──)[── 24 h ──
///
/// A unit begins at the first instant at which the zone's clocks show its first midnight (plus
/// `offset`) or later. So a day whose midnight is skipped begins at the change of the clocks, and
/// where midnight comes twice a day begins at the first. A day that a zone never had is empty.
package struct CalendarGrid: Hashable, Sendable {
    package let unit: CalendarUnit
    package let zone: Zone
    /// Wall-clock time at which a unit begins, in microseconds after its first midnight.
    package let offset: Int64

    package init(unit: CalendarUnit, zone: Zone, offset: Int64 = 0) {
        self.unit = unit
        self.zone = zone
        self.offset = offset
    }

    /// Number of the unit that holds an instant; ascends by one from unit to unit.
    package func index(of instant: Int64) -> Int64 {
        let local = instant + zone.offset(at: instant) - offset
        let days = Self.floorDivide(local, Timestamp.microsecondsPerDay)
        var index: Int64
        switch unit {
        case .day: index = days
        case .week: index = Self.floorDivide(days + 3, 7)
        case .month:
            let date = Timestamp.civil(days: Int(days))
            index = Int64(date.year) * 12 + Int64(date.month) - 1
        }
        // Clocks set back over midnight show the day before once more.
        while start(index + 1) <= instant { index += 1 }
        return index
    }

    /// The instant at which a unit begins, and the one before it ends.
    package func start(_ index: Int64) -> Int64 {
        let day: Int64
        switch unit {
        case .day: day = index
        case .week: day = index * 7 - 3
        case .month:
            let year = Self.floorDivide(index, 12)
            let month = Int(index - year * 12) + 1
            day = Int64(Timestamp.days(year: Int(year), month: month, day: 1))
        }
        return zone.instant(local: day * Timestamp.microsecondsPerDay + offset)
    }

    private static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
        let quotient = a / b
        return a % b < 0 ? quotient - 1 : quotient
    }
}
