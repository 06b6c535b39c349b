import Primitives

/// The fixed crane workload of the benchmarks: 2,000 cranes at 1 Hz as JSON lines of about 178
/// bytes, the devices up to 5 s apart from one another but each in order; about 0.5 % of the
/// readings are over 90 % of the rated load. The same bytes for the same seed and count.
package struct CraneBenchmark: Sendable {
    /// Cranes of the workload.
    package static let deviceCount = 2_000
    /// The one chart of the workload: radius in decimetres, rated load in kilograms.
    package static let chart = [
        (25, 6000), (137, 6000), (160, 5000), (200, 3900), (250, 3000), (300, 2400), (350, 2000),
        (400, 1700), (450, 1450), (500, 1300),
    ]

    private struct Device {
        /// Behind the fastest device, in milliseconds.
        var lag: Int
        var radius = 100
        var target = 100
        var mass = 50
        var height = 2_000
        var slew: Int
        /// Readings left of an overload.
        var overload = 0
        /// Readings left of this lift.
        var left = 0
    }

    private var random: RandomSource
    private let start: Int
    private var devices: [Device] = []
    /// A line's text up to the time, by device.
    private var prefixes: [[UInt8]] = []
    private let capacity: [Int]

    /// - Parameter start: time of the first readings, in milliseconds since the epoch.
    package init(seed: UInt64, start: Int = 1_760_000_000_000) {
        random = RandomSource(seed: seed)
        self.start = start
        capacity = (0...500).map { radius in
            for (low, high) in zip(Self.chart, Self.chart.dropFirst())
            where radius >= low.0 && radius <= high.0 {
                return low.1 - (low.1 - high.1) * (radius - low.0) / (high.0 - low.0)
            }
            return 6000
        }
        for index in 0..<Self.deviceCount {
            var name = LineBuffer()
            name.put("{\"device\":\"tower-crane-")
            name.put(index + 1, width: 5)
            name.put("\",\"site\":\"building-")
            name.put(index / 8 + 1, width: 4)
            name.put("\",\"ts\":")
            prefixes.append(name.bytes)
            devices.append(
                Device(lag: random.int(in: 0...4_999), slew: random.int(in: 0...3599)))
        }
    }

    /// Gives `count` lines, line feed included, in order of arrival. O(count), constant memory.
    package mutating func lines<E: Error>(
        count: Int, _ body: (Span<UInt8>) throws(E) -> Void
    ) throws(E) {
        var line = LineBuffer()
        var written = 0
        var second = 0
        let names = [
            ",\"seq\":", ",\"load_t\":", ",\"radius_m\":", ",\"height_m\":", ",\"slew_deg\":",
            ",\"wind_ms\":", ",\"tilt_deg\":",
        ].map { Array($0.utf8) }
        // Out of self while they change, so that no write copies the array.
        var devices: [Device] = []
        swap(&devices, &self.devices)
        defer { swap(&devices, &self.devices) }
        let capacity = capacity
        while written < count {
            for index in devices.indices {
                if written == count { return }
                let draw = random.next()
                Self.advance(&devices[index], draw, capacity)
                let device = devices[index]
                line.removeAll()
                line.put(prefixes[index])
                line.put(start + second * 1000 - device.lag)
                line.put(names[0])
                line.put(second + 1)
                line.put(names[1])
                line.put(device.mass, scale: 2)
                line.put(names[2])
                line.put(device.radius, scale: 1)
                line.put(names[3])
                line.put(device.height, scale: 2)
                line.put(names[4])
                line.put(device.slew, scale: 1)
                line.put(names[5])
                line.put(20 + Int(draw >> 40 & 31), scale: 1)
                line.put(names[6])
                line.put(10 + Int(draw >> 46 & 7), scale: 2)
                line.put(byte: 125)
                line.put(byte: 10)
                try body(line.bytes.span)
                written += 1
            }
            second += 1
        }
    }

    /// Moves a crane on by a second; `draw` is that second's randomness.
    private static func advance(_ device: inout Device, _ draw: UInt64, _ capacity: [Int]) {
        func pick(_ shift: UInt64, _ width: Int) -> Int {
            Int(((draw >> shift & 0xFFFF) &* UInt64(width)) >> 16)
        }
        if device.left == 0 {
            device.left = 40 + pick(0, 80)
            device.target = 40 + pick(16, 440)
            let worst = capacity[max(device.target, device.radius)]
            device.mass = max(5, worst * (100 + pick(32, 730)) / 10_000)
        }
        device.left -= 1
        let distance = device.target - device.radius
        device.radius += min(max(distance, -5), 5)
        device.height += device.left % 2 == 0 ? 35 : -33
        if device.height > 6_000 { device.height = 500 }
        device.slew = (device.slew + 7) % 3600
        if device.overload > 0 {
            device.overload -= 1
            // A lift in its last second lets go of the overload with the load.
            if device.overload == 0 { device.left = 0 }
        } else if draw >> 48 & 0xFFFF < 25 {
            device.overload = 10
            device.left = max(device.left, 11)
            device.target = device.radius
            device.mass = capacity[device.radius] * (900 + pick(16, 300)) / 10_000 + 1
        }
    }
}
