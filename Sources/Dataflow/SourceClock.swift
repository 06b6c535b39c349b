import Columnar

/// The event-time clock of one stream source in one task: watermarks made from the data, silence
/// counted in recorded ticks.
///
/// A watermark is the greatest time seen less `disorder`, rounded down to a whole granule; it
/// never goes back. Under key clocks every key has its own.
struct SourceClock {
    let rule: TimeRule
    /// Watermark of the partition; unused under key clocks.
    private(set) var watermark: Int64 = .min
    /// Per key code under key clocks: its watermark.
    private var keyWatermarks: [Int64] = []
    /// Per key code under key clocks: `ticksAtEnd` when its last row came; -1 once abandoned.
    private var lastActive: [Int64] = []
    /// Recorded ticks at which the source was at its end.
    private var ticksAtEnd: Int64 = 0
    /// The last of them in a row, without a row or a tick elsewhere between.
    private var idleTicks: Int64 = 0
    /// Greatest accepted event time.
    private(set) var maximumTime: Int64 = .min
    /// The same per key code under key clocks, where some step asks for it.
    private(set) var keyMaximumTimes: [Int64] = []
    private let notesTimes: Bool

    /// `notesTimes`: keys' greatest event times are kept.
    init(rule: TimeRule, notesTimes: Bool) {
        self.rule = rule
        self.notesTimes = notesTimes && rule.clock == .key
    }

    /// The watermark that a row of this time calls for.
    func watermark(for time: Int64) -> Int64 {
        let lagged = time.subtractingSaturating(rule.disorder)
        let remainder = lagged % rule.granule
        return lagged.subtractingSaturating(remainder < 0 ? remainder + rule.granule : remainder)
    }

    /// Takes rows in order; gives the watermark before and after each. O(rows).
    mutating func observe(times: [Int64], keys: [Int32]) -> (before: [Int64], after: [Int64]) {
        idleTicks = 0
        var before: [Int64] = []
        var after: [Int64] = []
        before.reserveCapacity(times.count)
        after.reserveCapacity(times.count)
        if rule.clock == .partition {
            var current = watermark
            var greatest = maximumTime
            for time in times {
                before.append(current)
                if time > greatest {
                    greatest = time
                    current = max(current, watermark(for: time))
                }
                after.append(current)
            }
            maximumTime = greatest
            watermark = current
            return (before, after)
        }
        if let greatest = keys.max() { grow(keyCount: Int(greatest) + 1) }
        for row in times.indices {
            let key = Int(keys[row])
            let current = keyWatermarks[key]
            before.append(current)
            let moved = max(current, watermark(for: times[row]))
            keyWatermarks[key] = moved
            lastActive[key] = ticksAtEnd
            after.append(moved)
        }
        maximumTime = max(maximumTime, times.max() ?? .min)
        if notesTimes {
            for row in times.indices {
                let key = Int(keys[row])
                keyMaximumTimes[key] = max(keyMaximumTimes[key], times[row])
            }
        }
        return (before, after)
    }

    private mutating func grow(keyCount: Int) {
        while keyWatermarks.count < keyCount {
            keyWatermarks.append(.min)
            lastActive.append(-1)
            if notesTimes { keyMaximumTimes.append(.min) }
        }
    }

    /// A recorded tick while the source is, or is not, at its end. Under a partition clock returns
    /// the watermark that idleness calls for, if it is a rise.
    mutating func tick(at time: Int64, isAtEnd: Bool, gridMicroseconds: Int64) -> Int64? {
        guard isAtEnd else {
            idleTicks = 0
            return nil
        }
        ticksAtEnd += 1
        idleTicks += 1
        guard rule.clock == .partition, let idle = rule.idle,
            idleTicks.multipliedReportingOverflow(by: gridMicroseconds).partialValue >= idle
        else { return nil }
        let called = watermark(for: time)
        guard called > watermark else { return nil }
        watermark = called
        return called
    }

    /// Keys whose silence has lasted for `abandon` ticks at the end, in byte order; they count as
    /// abandoned until their next row. O(keys).
    mutating func abandonedKeys(gridMicroseconds: Int64, keys: KeyTable) -> [Int32] {
        guard rule.clock == .key, let abandon = rule.abandon else { return [] }
        let limit = (abandon + gridMicroseconds - 1) / gridMicroseconds
        var silent: [Int32] = []
        for key in lastActive.indices
        where lastActive[key] >= 0 && ticksAtEnd - lastActive[key] >= limit {
            silent.append(Int32(key))
            lastActive[key] = -1
        }
        return silent.sorted { keys.precedes($0, $1) }
    }

    func save(to snapshot: inout SnapshotWriter, keys: KeyTable) {
        snapshot.write(watermark)
        snapshot.write(maximumTime)
        snapshot.write(ticksAtEnd)
        snapshot.write(idleTicks)
        let codes = keys.sortedCodes().filter {
            Int($0) < keyWatermarks.count && keyWatermarks[Int($0)] != .min
        }
        snapshot.write(Int64(codes.count))
        for code in codes {
            snapshot.write(keys.bytes(code))
            snapshot.write(keyWatermarks[Int(code)])
            snapshot.write(lastActive[Int(code)])
            if notesTimes { snapshot.write(keyMaximumTimes[Int(code)]) }
        }
    }

    mutating func restore(
        from snapshot: inout SnapshotReader, keys: inout KeyTable
    ) throws(SnapshotError) {
        watermark = try snapshot.read()
        maximumTime = try snapshot.read()
        ticksAtEnd = try snapshot.read()
        idleTicks = try snapshot.read()
        for _ in 0..<(try snapshot.readCount()) {
            let key = Int(keys.intern(try snapshot.readBytes()))
            grow(keyCount: key + 1)
            keyWatermarks[key] = try snapshot.read()
            lastActive[key] = try snapshot.read()
            if notesTimes { keyMaximumTimes[key] = try snapshot.read() }
        }
    }
}

extension AcceptedTimes {
    /// What a clock has accepted so far.
    init(_ clock: SourceClock) {
        partition = clock.maximumTime
        keys = clock.rule.clock == .key ? clock.keyMaximumTimes : nil
    }
}
