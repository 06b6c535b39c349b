import Primitives

/// One point of a pit's monitoring: what it measures, its limits, and how it moves. Values in
/// hundredths of a millimetre, of a strut in hundredths of a kilonewton.
struct PitPoint {
    /// What is put in.
    enum Incident: String {
        /// Grows past the designer's alarm value, slowly.
        case cumulative
        /// Grows past 70 % of it and stays.
        case warning
        /// Fast for four days.
        case rate
        /// Fast for one day, which is no alarm.
        case jump
        /// No reading for two and a half days.
        case missing = "missing-readings"
    }

    struct Kind {
        var name: String
        /// First value, alarm value and, where there is one, alarm rate a day.
        var baseline: Int
        var alarm: Int
        var rate: Int?
        /// Greatest error of a reading.
        var noise: Int
        /// In which direction it moves.
        var sign: Int
        /// Whether the alarm values are the designer's, or those of the class.
        var isDesigned: Bool
    }

    static let kinds = [
        Kind(
            name: "top-horizontal", baseline: 0, alarm: 3000, rate: 300, noise: 5, sign: 1,
            isDesigned: true),
        Kind(
            name: "settlement", baseline: 51_240, alarm: 2500, rate: 200, noise: 5, sign: -1,
            isDesigned: false),
        Kind(
            name: "strut-force", baseline: 0, alarm: 160_000, rate: nil, noise: 300, sign: 1,
            isDesigned: true),
        Kind(
            name: "water-level", baseline: -800_000, alarm: 100_000, rate: 50_000, noise: 500,
            sign: -1, isDesigned: false),
    ]

    let key: String
    let kind: Kind
    let incident: Incident?
    /// First day of what is put in.
    let incidentDay: Int
    /// Day from which readings are taken twice a day; once before.
    let deepDay: Int
    /// Of the alarm value, what an undisturbed point has reached after sixty days, in percent.
    private let share: Int

    init(site: Site, index: Int) {
        let options = site.options
        var random = options.random(.pitPoint, site: site.index, index: index)
        key = site.point(index)
        kind = Self.kinds[index % Self.kinds.count]
        deepDay = options.dayCount / 2
        let planned: Incident? =
            switch index % 12 {
            case 0, 2: .cumulative
            case 1: .warning
            case 3, 4: .rate
            case 5: .missing
            case 8: .jump
            default: nil
            }
        share = planned == .rate ? 10 : random.int(in: 25...45)
        let isDrawn = options.incidents.draws(&random)
        // The slow ones take 24 days; none begins within the first four.
        let length = planned == .cumulative || planned == .warning ? 24 : 8
        let latest = options.dayCount - length
        incidentDay = random.int(in: 4...max(4, latest))
        incident = isDrawn && latest >= 4 ? planned : nil
    }

    /// Hours between two readings on a day.
    func interval(onDay day: Int) -> Int { day < deepDay ? 24 : 12 }

    /// The value without error at a time after the first midnight, in milliseconds.
    func value(at time: Int) -> Int {
        kind.baseline + kind.sign * moved(at: time)
    }

    private func moved(at time: Int) -> Int {
        let day = SimulationOptions.day
        let horizon = 60 * day
        let base = kind.alarm * share / 100 * min(max(time, 0), horizon) / horizon
        let since = time - incidentDay * day
        guard let incident, since > 0 else { return base }
        switch incident {
        case .cumulative: return base + rise(since, by: kind.alarm * 95 / 100, in: 18 * day)
        case .warning:
            // To four fifths of the alarm value in all, and no further.
            return min(
                base + rise(since, by: kind.alarm * 70 / 100, in: 18 * day),
                kind.alarm * 80 / 100)
        case .rate:
            return base + rise(since, by: (kind.rate ?? 0) * 12 / 10 * 4, in: 4 * day)
        case .jump: return base + rise(since, by: (kind.rate ?? 0) * 115 / 100, in: day)
        case .missing: return base
        }
    }

    private func rise(_ since: Int, by amount: Int, in length: Int) -> Int {
        amount * min(since, length) / length
    }

    /// Whether a reading at this time is not taken.
    func isMissing(at time: Int) -> Bool {
        let start = incidentDay * SimulationOptions.day
        return incident == .missing && time >= start && time < start + 60 * SimulationOptions.hour
    }
}
