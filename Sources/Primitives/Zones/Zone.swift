/// A time zone: how far its clocks are ahead of UTC, at every instant. All times are microseconds.
///
/// A named zone follows the table that is compiled in (``ZoneTable``), not the machine's. Equal
/// when the names are.
package struct Zone: Sendable {
    /// The name as it was asked for, such as `Asia/Shanghai`, `UTC` or `+08:00`.
    package let name: String
    /// Instants at which the offset changes, ascending; those of a rule without end are written
    /// out for more than 400 years, the cycle after which the calendar repeats.
    private let times: [Int64]
    /// Offset before the first change, then after each.
    private let offsets: [Int64]
    private let isEndless: Bool

    /// 400 Gregorian years, a whole number of weeks.
    private static let cycle: Int64 = 146_097 * Timestamp.microsecondsPerDay

    /// The zone of an IANA name, `UTC`, `Z`, or a fixed offset such as `+08:00`, `-03:30`, `02:00`;
    /// nil for anything else. O(transitions).
    package init?(_ name: String) {
        self.name = name
        if let offset = Self.fixedOffset(name) {
            times = []
            offsets = [offset]
            isEndless = false
            return
        }
        guard let entry = ZoneTable.entry(name) else { return nil }
        var times = entry.times
        var offsets = entry.offsets
        if let rule = entry.rule {
            let last = times.last ?? 0
            let days = Int((last - (last % 86_400 + 86_400) % 86_400) / 86_400)
            let year = Timestamp.civil(days: days).year
            for year in year - 1...year + 402 {
                for transition in rule.transitions(year: year) where transition.time > last {
                    times.append(transition.time)
                    offsets.append(transition.offset)
                }
            }
        }
        self.times = times.map { $0 * Timestamp.microsecondsPerSecond }
        self.offsets = offsets.map { $0 * Timestamp.microsecondsPerSecond }
        isEndless = entry.rule != nil
    }

    /// Microseconds of `UTC`, `Z`, `+08:00`, `-02:30`, `02:00`; less than a day.
    private static func fixedOffset(_ name: String) -> Int64? {
        if name == "UTC" || name == "Z" { return 0 }
        var digits = Array(name.utf8)
        var sign: Int64 = 1
        if let first = digits.first, first == 43 || first == 45 {
            sign = first == 45 ? -1 : 1
            digits.removeFirst()
        }
        guard digits.count == 5, digits[2] == 58 else { return nil }
        let values = [0, 1, 3, 4].map { Int64(digits[$0]) - 48 }
        guard values.allSatisfy({ $0 >= 0 && $0 <= 9 }) else { return nil }
        let (hours, minutes) = (values[0] * 10 + values[1], values[2] * 10 + values[3])
        guard hours < 24, minutes < 60 else { return nil }
        return sign * (hours * 60 + minutes) * 60 * Timestamp.microsecondsPerSecond
    }

    /// What the clocks show for a while: from `start` on and before `end` they are `offset` ahead
    /// of UTC.
    package struct Period: Hashable, Sendable {
        package var start: Int64
        package var end: Int64
        package var offset: Int64
    }

    /// The period that an instant falls into. O(log transitions).
    package func period(at instant: Int64) -> Period {
        var shift: Int64 = 0
        if isEndless, let last = times.last, instant >= last {
            shift = ((instant - last) / Self.cycle + 1) * Self.cycle
        }
        let sought = instant - shift
        var low = 0
        var high = times.count
        while low < high {
            let middle = (low + high) / 2
            if times[middle] <= sought { low = middle + 1 } else { high = middle }
        }
        return Period(
            start: low > 0 ? times[low - 1] + shift : .min,
            end: low < times.count ? times[low] + shift : .max, offset: offsets[low])
    }

    /// How far the clocks are ahead of UTC at an instant.
    package func offset(at instant: Int64) -> Int64 { period(at: instant).offset }

    /// The first instant at which the clocks show `local` or later, `local` being what they show
    /// as if it were UTC.
    ///
    /// A time that is skipped is the instant of the change; of one that comes twice, the first.
    package func instant(local: Int64) -> Int64 {
        let day = Timestamp.microsecondsPerDay
        var period = self.period(at: local - 2 * day)
        while true {
            let candidate = max(period.start, local - period.offset)
            if candidate < period.end { return candidate }
            period = self.period(at: period.end)
        }
    }
}

extension Zone: Hashable {
    package static func == (a: Zone, b: Zone) -> Bool { a.name == b.name }

    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension Zone {
    /// What was probably meant by a name that is no zone; nil when nothing comes near.
    ///
    /// Knows other letter case, a city without its region, and Beijing, which has no zone of its
    /// own: China's is `Asia/Shanghai`.
    package static func suggestion(for name: String) -> String? {
        let sought = name.lowercased()
        let city = sought.split(separator: "/").last.map(String.init) ?? sought
        if ["beijing", "peking"].contains(city) { return "Asia/Shanghai" }
        if let same = ZoneTable.names.first(where: { $0.lowercased() == sought }) { return same }
        return ZoneTable.names.first {
            $0.lowercased().hasSuffix("/" + city.replacing(" ", with: "_"))
        }
    }
}
