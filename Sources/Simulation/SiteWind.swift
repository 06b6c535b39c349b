import Primitives

/// Wind over the site in tenths of a metre per second: a slow walk below 8 m/s, and one blow.
struct SiteWind {
    private let start: Int
    private let perMinute: [Int]
    private let blow: Range<Int>

    init(site: SiteSimulation) {
        start = site.craneStart
        var random = site.random(stream: 3, index: 0)
        var speed = 30
        var walk: [Int] = []
        for _ in 0..<site.craneMinutes + 2 {
            speed = min(max(speed + random.int(in: -4...4), 8), 75)
            walk.append(speed)
        }
        perMinute = walk
        blow = site.craneEvents.first { $0.kind == .wind }?.span ?? 0..<0
    }

    /// Rises for a quarter of the blow to about 13.5 m/s, stays for half of it, then falls.
    func speed(at time: Int) -> Int {
        let minute = min(max(0, (time - start) / 60_000), perMinute.count - 2)
        let part = (time - start) % 60_000
        let calm =
            perMinute[minute] + (perMinute[minute + 1] - perMinute[minute]) * part / 60_000
        guard blow.contains(time) else { return calm }
        let quarter = max(1, blow.count / 4)
        let edge = min(time - blow.lowerBound, blow.upperBound - time, quarter)
        return calm + (135 - calm) * edge / quarter
    }
}
