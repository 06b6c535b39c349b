/// The watermarks of one stream source, in microseconds; `Int64.min` is none.
final class ReferenceClock {
    private let rule: ReferenceTimeRule
    private var partition = Track()
    private var keys: [String: Track] = [:]
    static let tick: Int64 = 1_000_000

    private struct Track {
        var watermark = Int64.min
        /// Ticks at the source's end since the last row.
        var silentTicks: Int64 = 0
        var greatest = Int64.min
        var isAbandoned = false
    }

    init(_ rule: ReferenceTimeRule) { self.rule = rule }

    func watermark(_ key: String) -> Int64 {
        rule.clocksKeys ? keys[key]?.watermark ?? .min : partition.watermark
    }

    /// The greatest accepted event time: of the key under key clocks, else of all.
    func greatest(_ key: String) -> Int64 {
        rule.clocksKeys ? keys[key]?.greatest ?? .min : partition.greatest
    }

    private func granules(_ time: Int64) -> Int64 {
        let granule = rule.granule * 1000
        let rest = time % granule
        return time - (rest < 0 ? rest + granule : rest)
    }

    /// A row was accepted.
    func accept(_ key: String, _ time: Int64) {
        partition.silentTicks = 0
        partition.greatest = max(partition.greatest, time)
        let risen = granules(time - rule.disorder * 1000)
        if rule.clocksKeys {
            keys[key] = Track(
                watermark: max(keys[key]?.watermark ?? .min, risen),
                greatest: max(keys[key]?.greatest ?? .min, time))
        } else {
            partition.watermark = max(partition.watermark, risen)
        }
    }

    /// A tick with the source at its end. Returns the keys that are abandoned by it.
    func tick(at time: Int64) -> Set<String> {
        partition.silentTicks += 1
        if let idle = rule.idle, partition.silentTicks * Self.tick >= idle * 1000 {
            let risen = granules(time - rule.disorder * 1000)
            partition.watermark = max(partition.watermark, risen)
        }
        var abandoned: Set<String> = []
        guard let abandon = rule.abandon else { return abandoned }
        for (key, track) in keys where !track.isAbandoned {
            var track = track
            track.silentTicks += 1
            if track.silentTicks * Self.tick >= abandon * 1000 {
                track.isAbandoned = true
                abandoned.insert(key)
            }
            keys[key] = track
        }
        return abandoned
    }
}
