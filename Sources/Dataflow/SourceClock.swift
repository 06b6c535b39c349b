import Columnar

/// The event-time clock of one source in one task: watermarks made from the data, silence counted
/// in recorded ticks.
///
/// A watermark is the greatest time seen less `disorder`, rounded down to a whole granule; it
/// never goes back. Under key clocks every key has its own, and that of the partition is the least
/// of those that are not abandoned. A rekeyed stream's is the least that its senders have told.
struct SourceClock {
    let rule: TimeRule
    /// Whether something downstream needs the partition's watermark under key clocks.
    private let tracksPartition: Bool
    /// Watermark of the partition; under key clocks only where it is tracked.
    private(set) var watermark: Int64 = .min
    /// Least watermark of the active keys under key clocks, and how many keys stand there.
    private var slowest = SlowestKeys()
    /// Per substream of a rekeyed stream: the watermark that its sender has told.
    private var carried: [Int64]
    /// Per key code under key clocks.
    private var keyClocks: [KeyClock] = []
    /// Recorded ticks at which the source was at its end.
    private var ticksAtEnd: Int64 = 0
    /// The last of them in a row, without a row or a tick elsewhere between.
    private var idleTicks: Int64 = 0
    /// Greatest accepted event time.
    private(set) var maximumTime: Int64 = .min
    /// The same per key code under key clocks, where some step asks for it.
    private(set) var keyMaximumTimes: [Int64] = []
    private let notesTimes: Bool

    /// `substreams` is how many partitions a rekeyed stream comes in; `notesTimes`: keys' greatest
    /// event times are kept.
    init(
        rule: TimeRule, substreams: Int = 0, tracksPartition: Bool = false,
        notesTimes: Bool = false
    ) {
        self.rule = rule
        self.tracksPartition = tracksPartition
        self.notesTimes = notesTimes && rule.clock == .key
        carried = Array(repeating: .min, count: substreams)
    }

    /// Takes what a sender has told of its watermark. True when the partition's rises.
    mutating func carry(_ told: Int64, substream: Int) -> Bool {
        idleTicks = 0
        carried[substream] = max(carried[substream], told)
        let least = carried.min() ?? .min
        guard least > watermark else { return false }
        watermark = least
        return true
    }

    /// Takes rows in order; gives the watermark before and after each. Under key clocks that is
    /// the key's, and `partition` holds the partition's after each row, where it is tracked.
    /// O(rows).
    mutating func observe(
        times: [Int64], keys: [Int32]
    ) -> (before: [Int64], after: [Int64], partition: [Int64]) {
        idleTicks = 0
        guard rule.clock != .carried else {
            maximumTime = max(maximumTime, times.max() ?? .min)
            let marks = Array(repeating: watermark, count: times.count)
            return (marks, marks, marks)
        }
        var before = [Int64](repeating: .min, count: times.count)
        var after = before
        if rule.clock == .partition {
            observePartition(times, &before, &after)
            return (before, after, after)
        }
        if let greatest = keys.max() { grow(keyCount: Int(greatest) + 1) }
        var partition: [Int64] = []
        if tracksPartition {
            partition = observeTracking(times, keys, &before, &after)
        } else {
            observeKeys(times, keys, &before, &after)
        }
        maximumTime = max(maximumTime, times.max() ?? .min)
        if notesTimes {
            for row in times.indices {
                let key = Int(keys[row])
                keyMaximumTimes[key] = max(keyMaximumTimes[key], times[row])
            }
        }
        return (before, after, partition)
    }

    private mutating func observePartition(
        _ times: [Int64], _ before: inout [Int64], _ after: inout [Int64]
    ) {
        var beforeRows = before.mutableSpan
        var afterRows = after.mutableSpan
        let rule = rule
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
    }

    private mutating func observeKeys(
        _ times: [Int64], _ keys: [Int32], _ before: inout [Int64], _ after: inout [Int64]
    ) {
        var beforeRows = before.mutableSpan
        var afterRows = after.mutableSpan
        let rule = rule
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
    }

    /// As `observeKeys`; returns the partition's watermark after each row.
    private mutating func observeTracking(
        _ times: [Int64], _ keys: [Int32], _ before: inout [Int64], _ after: inout [Int64]
    ) -> [Int64] {
        var partition = before
        for row in times.indices {
            let key = Int(keys[row])
            let clock = keyClocks[key]
            let moved = max(clock.watermark, rule.watermark(for: times[row]))
            keyClocks[key] = KeyClock(watermark: moved, lastActive: ticksAtEnd)
            before[row] = clock.watermark
            after[row] = moved
            let old = clock.lastActive >= 0 ? clock.watermark : nil
            if slowest.move(from: old, to: moved) { findSlowest() }
            watermark = max(watermark, slowest.watermark ?? .min)
            partition[row] = watermark
        }
        return partition
    }

    /// Finds the least watermark of the active keys anew. O(keys).
    private mutating func findSlowest() {
        guard tracksPartition else { return }
        slowest = SlowestKeys()
        for clock in keyClocks where clock.lastActive >= 0 {
            _ = slowest.move(from: nil, to: clock.watermark)
        }
    }

    private mutating func grow(keyCount: Int) {
        while keyClocks.count < keyCount {
            keyClocks.append(KeyClock())
            if notesTimes { keyMaximumTimes.append(.min) }
        }
    }

    /// A recorded tick while the source is, or is not, at its end. The partition's watermark may
    /// rise by idleness.
    mutating func tick(at time: Int64, isAtEnd: Bool, gridMicroseconds: Int64) {
        guard isAtEnd else {
            idleTicks = 0
            return
        }
        ticksAtEnd += 1
        idleTicks += 1
        guard rule.clock == .partition, let idle = rule.idle,
            idleTicks.multipliedReportingOverflow(by: gridMicroseconds).partialValue >= idle
        else { return }
        watermark = max(watermark, rule.watermark(for: time))
    }

    /// Keys whose silence has lasted for `abandon` ticks at the end, in byte order; they count as
    /// abandoned until their next row, and the partition's watermark waits for them no longer: with
    /// no key left it follows the ticks. O(keys).
    mutating func abandonedKeys(
        at time: Int64, gridMicroseconds: Int64, keys: KeyTable
    ) -> [Int32] {
        guard rule.clock == .key, let abandon = rule.abandon else { return [] }
        let limit = (abandon + gridMicroseconds - 1) / gridMicroseconds
        var silent: [Int32] = []
        for key in keyClocks.indices
        where keyClocks[key].lastActive >= 0 && ticksAtEnd - keyClocks[key].lastActive >= limit {
            silent.append(Int32(key))
            keyClocks[key].lastActive = -1
        }
        guard tracksPartition else { return silent.sorted { keys.precedes($0, $1) } }
        if !silent.isEmpty { findSlowest() }
        let isEmpty = slowest.watermark == nil && !keyClocks.isEmpty && idleTicks > 0
        let least = isEmpty ? rule.watermark(for: time) : slowest.watermark ?? .min
        watermark = max(watermark, least)
        return silent.sorted { keys.precedes($0, $1) }
    }

    func save(to snapshot: inout SnapshotWriter, keys: KeyTable) {
        snapshot.write(watermark)
        snapshot.write(carried)
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
            if notesTimes { snapshot.write(keyMaximumTimes[Int(code)]) }
        }
    }

    mutating func restore(
        from snapshot: inout SnapshotReader, keys: inout KeyTable
    ) throws(SnapshotError) {
        watermark = try snapshot.read()
        let told = try snapshot.readInt64s()
        guard told.count == carried.count else {
            throw SnapshotError("the snapshot has another number of substreams than the stage")
        }
        carried = told
        maximumTime = try snapshot.read()
        ticksAtEnd = try snapshot.read()
        idleTicks = try snapshot.read()
        for _ in 0..<(try snapshot.readCount()) {
            let key = Int(keys.intern(try snapshot.readBytes()))
            grow(keyCount: key + 1)
            keyClocks[key].watermark = try snapshot.read()
            keyClocks[key].lastActive = try snapshot.read()
            if notesTimes { keyMaximumTimes[key] = try snapshot.read() }
        }
        findSlowest()
    }
}

/// The least of many watermarks that only rise, without looking at all of them each time.
private struct SlowestKeys {
    /// Nil without any.
    private(set) var watermark: Int64?
    private var count = 0

    /// Notes that one watermark has moved, or is new when it comes from nil. True when the least
    /// one must be found anew.
    mutating func move(from old: Int64?, to new: Int64) -> Bool {
        guard let least = watermark else {
            (watermark, count) = (new, 1)
            return false
        }
        if new == old { return false }
        if old == least { count -= 1 }
        if new < least {
            (watermark, count) = (new, 1)
        } else if new == least {
            count += 1
        }
        return count == 0
    }
}

extension AcceptedTimes {
    /// What a clock has accepted so far.
    init(_ clock: SourceClock) {
        partition = clock.maximumTime
        keys = clock.rule.clock == .key ? clock.keyMaximumTimes : nil
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
