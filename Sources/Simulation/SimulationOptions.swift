import Primitives

/// What a simulation makes. Everything follows from it, by integer arithmetic only.
package struct SimulationOptions: Sendable {
    package var seed: UInt64
    /// Local midnight (UTC+08:00) of the first day, in milliseconds since the epoch.
    package var firstDay: Int
    package var siteCount: Int
    package var dayCount: Int
    /// Tower cranes of each site.
    package var craneCount: Int
    /// Dust monitors of each site.
    package var stationCount: Int
    /// Hazard projects of each site.
    package var itemCount: Int
    /// Points of each site's pit.
    package var pointCount: Int
    /// Seconds between two readings of one crane.
    package var craneInterval: Int
    package var faults: Set<Fault>
    package var incidents: IncidentRate

    /// Counts are not negative, `dayCount` and `craneInterval` at least 1.
    package init(
        seed: UInt64, firstDay: Int, siteCount: Int = 1, dayCount: Int = 1, craneCount: Int = 4,
        stationCount: Int = 4, itemCount: Int = 8, pointCount: Int = 12, craneInterval: Int = 5,
        faults: Set<Fault> = Set(Fault.allCases), incidents: IncidentRate = .all
    ) {
        self.seed = seed
        self.firstDay = firstDay
        self.siteCount = siteCount
        self.dayCount = dayCount
        self.craneCount = craneCount
        self.stationCount = stationCount
        self.itemCount = itemCount
        self.pointCount = pointCount
        self.craneInterval = craneInterval
        self.faults = faults
        self.incidents = incidents
    }

    /// Local midnight at UTC+08:00 of a date, in milliseconds since the epoch.
    package static func dayStart(year: Int, month: Int, day: Int) -> Int {
        Timestamp.days(year: year, month: month, day: day) * Self.day - 8 * Self.hour
    }

    /// Milliseconds.
    static let minute = 60_000
    static let hour = 3_600_000
    static let day = 86_400_000

    /// Local midnight of a day of the simulation, from 0.
    func start(ofDay day: Int) -> Int { firstDay + day * Self.day }

    /// A generator for each thing that is drawn, so that one more device, site or day changes no
    /// other.
    func random(_ stream: RandomStream, site: Int, index: Int = 0, day: Int = 0) -> RandomSource {
        var state = seed
        for part in [stream.rawValue, site, index, day] {
            var mixer = RandomSource(seed: state ^ UInt64(truncatingIfNeeded: part &+ 1))
            state = mixer.next()
        }
        return RandomSource(seed: state)
    }
}

/// What a generator of its own is drawn for.
enum RandomStream: Int {
    case site, wind, craneDay, crane, dustDay, dust, hazardItem, hazardDay, pitPoint, pitDay
}

/// How often incidents are put in.
package enum IncidentRate: String, Sendable, CaseIterable {
    /// Every kind once a day and site; of hazard projects and pits, once in their course.
    case all
    /// Each of these with one chance in ten.
    case some
    case none

    func draws(_ random: inout RandomSource) -> Bool {
        switch self {
        case .all: true
        case .some: random.int(in: 1...10) == 1
        case .none: false
        }
    }
}

/// A way in which devices, lines and clerks spoil data.
package enum Fault: String, Sendable, CaseIterable {
    /// Readings that never come.
    case gaps
    /// Lines sent twice.
    case duplicates
    /// Lines held back for seconds, minutes or, of paperwork, hours.
    case disorder
    /// Off-line, then all kept lines at once.
    case backfill
    /// A device's clock jumps a day ahead and back.
    case clockJump = "clock-jump"
    /// A device's clock is 8 hours behind: UTC taken for local time.
    case clock8h = "clock-8h"
    /// hPa for kPa, mg/m3 for ug/m3.
    case units
    /// A crane's monitor computes with the wrong number of falls.
    case falls
    /// A sensor repeats its last value.
    case frozen
    /// The instrument flags its values as invalid.
    case flags
    /// Broken frames, garbage, unknown devices, wrong types.
    case dirt
}
