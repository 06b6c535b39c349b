/// The watermarks of one source, in microseconds; `Int64.min` is none.
final class ReferenceClock {
    private let rule: ReferenceTimeRule
    private var partition = Track()
    private var keys: [String: Track] = [:]
    /// What each sender of a rekeyed stream has told; empty for a source of the topology.
    private var told: [Int64]
    static let tick: Int64 = 1_000_000

    private struct Track {
        var watermark = Int64.min
        /// Ticks at the source's end since the last row.
        var silentTicks: Int64 = 0
        var greatest = Int64.min
        var isAbandoned = false
    }

    init(_ rule: ReferenceTimeRule, senders: Int = 0) {
        self.rule = rule
        told = Array(repeating: .min, count: senders)
    }

    var clocksKeys: Bool { rule.clocksKeys }

    /// Under key clocks the keys that have one; else "", the partition.
    var keyNames: [String] { rule.clocksKeys ? Array(keys.keys) : [""] }

    func watermark(_ key: String) -> Int64 {
        rule.clocksKeys ? keys[key]?.watermark ?? .min : partition.watermark
    }

    /// The watermark of the partition; under key clocks that of its slowest key that is not
    /// abandoned, which never goes back.
    var least: Int64 { partition.watermark }

    private func followKeys() {
        let slowest = keys.values.filter { !$0.isAbandoned }.map(\.watermark).min()
        if let slowest { partition.watermark = max(partition.watermark, slowest) }
    }

    /// The greatest accepted event time, of all keys.
    var greatest: Int64 { partition.greatest }

    /// The greatest accepted event time of a key; under key clocks.
    func greatest(of key: String) -> Int64 { keys[key]?.greatest ?? .min }

    private func granules(_ time: Int64) -> Int64 {
        let granule = rule.granule * 1000
        let rest = time % granule
        return time - (rest < 0 ? rest + granule : rest)
    }

    /// A row was accepted.
    func accept(_ key: String, _ time: Int64) {
        partition.silentTicks = 0
        partition.greatest = max(partition.greatest, time)
        guard told.isEmpty else { return }
        let risen = granules(time - rule.disorder * 1000)
        if rule.clocksKeys {
            keys[key] = Track(
                watermark: max(keys[key]?.watermark ?? .min, risen),
                greatest: max(keys[key]?.greatest ?? .min, time))
            followKeys()
        } else {
            partition.watermark = max(partition.watermark, risen)
        }
    }

    /// The sender of a substream has told its watermark.
    func carry(_ watermark: Int64, sender: Int) {
        told[sender] = max(told[sender], watermark)
        partition.watermark = max(partition.watermark, told.min() ?? .min)
    }

    /// A tick with the source at its end. Returns the keys that are abandoned by it.
    func tick(at time: Int64) -> Set<String> {
        partition.silentTicks += 1
        var abandoned: Set<String> = []
        for (key, track) in keys where !track.isAbandoned {
            var track = track
            track.silentTicks += 1
            if let abandon = rule.abandon, track.silentTicks * Self.tick >= abandon * 1000 {
                track.isAbandoned = true
                abandoned.insert(key)
            }
            keys[key] = track
        }
        followKeys()
        let isIdle = rule.idle.map { partition.silentTicks * Self.tick >= $0 * 1000 } ?? false
        let hasGivenUp = !keys.isEmpty && keys.values.allSatisfy(\.isAbandoned)
        if rule.clocksKeys ? hasGivenUp : isIdle {
            let risen = granules(time - rule.disorder * 1000)
            partition.watermark = max(partition.watermark, risen)
        }
        return abandoned
    }
}

/// Steps that one clock judges: those of a source, or those from a union or a waiting look-up on,
/// whose watermark is the least of several.
final class ReferenceDomain {
    let clock: ReferenceClock?
    let parents: [ReferenceDomain]
    /// Clocks of the streams whose rows come to it.
    let streams: [ReferenceClock]
    /// Microseconds.
    let lateness: Int64
    /// How far the steps have been brought; by key under key clocks, else one at "".
    private var reached: [String: Int64] = [:]

    init(
        clock: ReferenceClock?, parents: [ReferenceDomain], streams: [ReferenceClock],
        lateness: Int64
    ) {
        self.clock = clock
        self.parents = parents
        self.streams = streams
        self.lateness = lateness
    }

    var clocksKeys: Bool { clock?.clocksKeys ?? false }

    /// The watermark that the steps have reached.
    func watermark(_ key: String) -> Int64 { reached[clocksKeys ? key : ""] ?? .min }

    /// Where the clocks stand.
    func target(_ key: String) -> Int64 { clocksKeys ? clock?.watermark(key) ?? .min : least }

    /// Where the clocks stand for the partition as a whole.
    var least: Int64 {
        if let clock { return clock.least }
        return parents.map(\.least).min() ?? .min
    }

    func reach(_ key: String, _ watermark: Int64) {
        reached[clocksKeys ? key : ""] = watermark
    }

    /// The greatest accepted event time that counts for a key.
    func greatest(_ key: String) -> Int64 {
        if let clock, clock.clocksKeys { return clock.greatest(of: key) }
        return streams.map(\.greatest).max() ?? .min
    }
}
