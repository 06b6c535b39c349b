import Primitives

/// The fixed dust workload of the benchmarks: 5,000 monitors, one reading a minute, as JSON lines
/// in order of arrival up to 60 s late. Concentrations in tenths of a microgram walk across the
/// limit of 250, so that some 15-minute means are exactly the limit and few of their terms are
/// exact in binary. The same bytes for the same seed and count.
package struct DustBenchmark: Sendable {
    /// Monitors of the workload.
    package static let deviceCount = 5_000

    private var random: RandomSource
    private let start: Int
    private var levels: [Int] = []
    private var names: [[UInt8]] = []

    /// - Parameter start: time of the first readings, in milliseconds since the epoch.
    package init(seed: UInt64, start: Int = 1_760_000_400_000) {
        random = RandomSource(seed: seed)
        self.start = start
        for index in 0..<Self.deviceCount {
            var name = LineBuffer()
            name.put("{\"device\":\"dust-")
            name.put(index + 1, width: 5)
            name.put("\",\"site\":\"site-")
            name.put(index / 8 + 1, width: 4)
            name.put("\",\"ts\":")
            names.append(name.bytes)
            levels.append(random.int(in: 1600...2900))
        }
    }

    /// Gives `count` lines, line feed included. O(count), constant memory.
    package mutating func lines<E: Error>(
        count: Int, _ body: (Span<UInt8>) throws(E) -> Void
    ) throws(E) {
        // Out of self while they change, so that no write copies the array.
        var levels: [Int] = []
        swap(&levels, &self.levels)
        defer { swap(&levels, &self.levels) }
        var line = LineBuffer()
        var written = 0
        var minute = 0
        let fields = [
            ",\"tsp\":", ",\"pm10\":", ",\"pm25\":", ",\"noise_db\":", ",\"temp_c\":", ",\"rh\":",
            ",\"wind_ms\":", ",\"wind_dir\":",
        ].map { Array($0.utf8) }
        while written < count {
            // A minute's readings arrive shuffled by a step that shares no factor with the count.
            let offset = random.int(in: 0...Self.deviceCount - 1)
            for position in 0..<Self.deviceCount {
                if written == count { return }
                let index = (position * 1_237 + offset) % Self.deviceCount
                let draw = random.next()
                let tsp = Self.step(from: levels[index], draw)
                levels[index] = tsp
                line.removeAll()
                line.put(names[index])
                line.put(start + minute * 60_000 + Int(((draw >> 8 & 0xFFFF) * 60_000) >> 16))
                line.put(fields[0])
                line.put(tsp, scale: 1)
                line.put(fields[1])
                line.put(tsp * 48 / 100, scale: 1)
                line.put(fields[2])
                line.put(tsp * 21 / 100, scale: 1)
                line.put(fields[3])
                line.put(500 + Int(draw >> 24 & 255), scale: 1)
                line.put(fields[4])
                line.put(100 + Int(draw >> 32 & 127), scale: 1)
                line.put(fields[5])
                line.put(400 + Int(draw >> 39 & 127) * 3, scale: 1)
                line.put(fields[6])
                line.put(Int(draw >> 46 & 63), scale: 1)
                line.put(fields[7])
                line.put(Int((draw >> 52 & 511) * 360) >> 9)
                line.put(byte: 125)
                line.put(byte: 10)
                try body(line.bytes.span)
                written += 1
            }
            minute += 1
        }
    }

    /// A monitor's next value, in tenths of a microgram: up to 12.8 away, from 80 to 400.
    private static func step(from level: Int, _ draw: UInt64) -> Int {
        min(max(level + Int(draw & 255) - 128 + Int(draw >> 63), 800), 4000)
    }
}
