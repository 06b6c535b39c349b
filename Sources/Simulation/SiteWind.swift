import Primitives

/// Wind over a site in tenths of a metre per second: below 7 m/s, but for the blows of a day.
struct SiteWind {
    /// From the start of a blow to where a crane may measure 10.8 m/s, of its rise.
    static let warnPercent = 56

    private let options: SimulationOptions
    private let site: Int
    private let blow: Range<Int>?
    private var node = Int.min
    private var speeds = (0, 0)

    init(_ site: Site, events: [SiteEvent]) {
        options = site.options
        self.site = site.index
        blow = events.first { $0.kind == .wind }?.span
    }

    /// Every ten minutes a speed is drawn; between, it moves evenly. In a blow it rises for a
    /// quarter of it to 13.5 m/s, stays for half of it, then falls.
    mutating func speed(at time: Int) -> Int {
        let step = 10 * SimulationOptions.minute
        let index = (time - options.firstDay) / step
        if index != node {
            node = index
            speeds = (draw(index), draw(index + 1))
        }
        let part = (time - options.firstDay) % step
        let calm = speeds.0 + (speeds.1 - speeds.0) * part / step
        guard let blow, blow.contains(time) else { return calm }
        let quarter = max(1, blow.count / 4)
        let edge = min(time - blow.lowerBound, blow.upperBound - time, quarter)
        return max(calm, 60 + 75 * edge / quarter)
    }

    private func draw(_ index: Int) -> Int {
        var random = options.random(.wind, site: site, index: index)
        return random.int(in: 8...68)
    }
}
