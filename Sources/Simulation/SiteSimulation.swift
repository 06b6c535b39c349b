import Primitives

/// One building site's day of made-up device data: tower cranes, their registry, dust monitors,
/// and the list of what was put in on purpose.
///
/// Everything follows from the seed and the options, by integer arithmetic only: the same call
/// gives the same bytes on every machine. Faults and incidents stand at fixed shares of the day,
/// so that a shorter run has them too. Not a model of any real site.
package struct SiteSimulation: Sendable {
    package var seed: UInt64
    /// Local midnight (UTC+08:00) of the day, in milliseconds since the epoch.
    package var dayStart: Int
    package var craneCount: Int
    package var stationCount: Int
    /// Seconds between two readings of one crane.
    package var craneInterval: Int
    /// Minutes of crane data from 06:00 local time on.
    package var craneMinutes: Int
    /// Minutes of dust data from 00:00 local time on.
    package var dustMinutes: Int

    /// A site's day; counts and minutes are not negative, the interval is at least 1.
    package init(
        seed: UInt64, dayStart: Int, craneCount: Int = 4, stationCount: Int = 4,
        craneInterval: Int = 5, craneMinutes: Int = 960, dustMinutes: Int = 1440
    ) {
        self.seed = seed
        self.dayStart = dayStart
        self.craneCount = craneCount
        self.stationCount = stationCount
        self.craneInterval = craneInterval
        self.craneMinutes = craneMinutes
        self.dustMinutes = dustMinutes
    }

    /// Local midnight at UTC+08:00 of a date, in milliseconds since the epoch.
    package static func dayStart(year: Int, month: Int, day: Int) -> Int {
        Timestamp.days(year: year, month: month, day: day) * 86_400_000 - 8 * 3_600_000
    }

    /// Registered cranes as JSON lines, one call a line, line feed included. O(cranes).
    package func registryLines<E: Error>(
        _ body: (Span<UInt8>) throws(E) -> Void
    ) throws(E) {
        var lines = ArrivalLines()
        for index in 0..<craneCount {
            CraneSimulation(site: self, index: index).register(into: &lines)
        }
        try lines.forEach(body)
    }

    /// Crane readings as JSON lines in order of arrival, with a field `arrival` in milliseconds.
    /// Holds the whole day in memory.
    package func craneLines<E: Error>(_ body: (Span<UInt8>) throws(E) -> Void) throws(E) {
        var lines = ArrivalLines()
        for index in 0..<craneCount {
            var crane = CraneSimulation(site: self, index: index)
            crane.run(into: &lines)
        }
        craneDirt(into: &lines)
        try lines.forEach(body)
    }

    /// HJ 212 frames in order of arrival, one a line, each after its arrival in milliseconds and
    /// a tab. Holds the whole day in memory.
    package func dustLines<E: Error>(_ body: (Span<UInt8>) throws(E) -> Void) throws(E) {
        var lines = ArrivalLines()
        for index in 0..<stationCount {
            var station = DustSimulation(site: self, index: index)
            station.run(into: &lines)
        }
        dustDirt(into: &lines)
        try lines.forEach(body)
    }

    /// What was put in on purpose, as JSON lines: `device`, `kind`, `level`, `start`, `end`.
    package func truthLines<E: Error>(_ body: (Span<UInt8>) throws(E) -> Void) throws(E) {
        var lines = ArrivalLines()
        for event in craneEvents + dustEvents { event.write(into: &lines) }
        try lines.forEach(body)
    }

    /// 06:00 local time, when the cranes start.
    var craneStart: Int { dayStart + 6 * 3_600_000 }

    /// A span `minutes` long, but at most an eighth of `total` minutes, that starts after `share`
    /// thousandths of them.
    static func span(start: Int, total: Int, share: Int, minutes: Int) -> Range<Int> {
        let from = start + total * 60 * share
        return from..<from + min(minutes * 60_000, total * 7_500)
    }

    /// A generator of its own for each device, so that one more device changes no other.
    func random(stream: UInt64, index: Int) -> RandomSource {
        var mixer = RandomSource(seed: seed &+ stream &* 0x1_0000_0001 &+ UInt64(index))
        return RandomSource(seed: mixer.next())
    }
}
