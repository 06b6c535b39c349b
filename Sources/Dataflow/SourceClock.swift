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
    /// Per key code under key clocks.
    private var keyClocks: [KeyClock] = []
    /// Recorded ticks at which the source was at its end.
    private var ticksAtEnd: Int64 = 0
    /// The last of them in a row, without a row or a tick elsewhere between.
    private var idleTicks: Int64 = 0
    /// Greatest accepted event time.
    private(set) var maximumTime: Int64 = .min

    init(rule: TimeRule) { self.rule = rule }

    /// Takes rows in order; gives the watermark before and after each. O(rows).
    mutating func observe(times: [Int64], keys: [Int32]) -> (before: [Int64], after: [Int64]) {
        idleTicks = 0
        var before = [Int64](repeating: .min, count: times.count)
        var after = before
        var beforeRows = before.mutableSpan
        var afterRows = after.mutableSpan
        let rule = rule
        if rule.clock == .partition {
            var current = watermark
            var greatest = maximumTime
            for row in times.indices {
                beforeRows[row] = current
                if times[row] > greatest {
                    greatest = times[row]
                    current = max(current, rule.watermark(for: greatest))
                }
                afterRows[row] = current
            }
            maximumTime = greatest
            watermark = current
            return (before, after)
        }
        if let greatest = keys.max() { grow(keyCount: Int(greatest) + 1) }
        let ticksAtEnd = ticksAtEnd
        var clocks = keyClocks.mutableSpan
        for row in times.indices {
            let key = Int(keys[row])
            let current = clocks[key].watermark
            let moved = max(current, rule.watermark(for: times[row]))
            clocks[key] = KeyClock(watermark: moved, lastActive: ticksAtEnd)
            beforeRows[row] = current
            afterRows[row] = moved
        }
        maximumTime = max(maximumTime, times.max() ?? .min)
        return (before, after)
    }

    private mutating func grow(keyCount: Int) {
        while keyClocks.count < keyCount { keyClocks.append(KeyClock()) }
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
        let called = rule.watermark(for: time)
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
        for key in keyClocks.indices
        where keyClocks[key].lastActive >= 0 && ticksAtEnd - keyClocks[key].lastActive >= limit {
            silent.append(Int32(key))
            keyClocks[key].lastActive = -1
        }
        return silent.sorted { keys.precedes($0, $1) }
    }

    func save(to snapshot: inout SnapshotWriter, keys: KeyTable) {
        snapshot.write(watermark)
        snapshot.write(maximumTime)
        snapshot.write(ticksAtEnd)
        snapshot.write(idleTicks)
        let codes = keys.sortedCodes().filter {
            Int($0) < keyClocks.count && keyClocks[Int($0)].watermark != .min
        }
        snapshot.write(Int64(codes.count))
        for code in codes {
            snapshot.write(keys.bytes(code))
            snapshot.write(keyClocks[Int(code)].watermark)
            snapshot.write(keyClocks[Int(code)].lastActive)
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
            keyClocks[key].watermark = try snapshot.read()
            keyClocks[key].lastActive = try snapshot.read()
        }
    }
}

/// The clock of one key.
private struct KeyClock {
    var watermark: Int64 = .min
    /// Ticks at the source's end when the key's last row came; -1 once abandoned.
    var lastActive: Int64 = -1
}

extension TimeRule {
    /// The watermark that a row of this time calls for.
    fileprivate func watermark(for time: Int64) -> Int64 {
        let lagged = time.subtractingSaturating(disorder)
        let remainder = lagged % granule
        return lagged.subtractingSaturating(remainder < 0 ? remainder + granule : remainder)
    }
}
