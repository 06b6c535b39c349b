import Primitives

/// One building site: its names, its place, its course.
struct Site {
    let options: SimulationOptions
    let index: Int
    let name: String
    /// 17 digits: area (6), date (8), number (3).
    let project: String
    /// Code of the city (GB/T 2260).
    let region: String
    /// Day on which earthwork ends and the structure begins.
    let switchDay: Int
    /// When on that day, in quarters of an hour after midnight.
    let switchQuarter: Int

    private static let regions = [
        "5101", "5103", "5104", "5105", "5106", "5107", "5108", "5109", "5110", "5111", "5113",
        "5114", "5115", "5116", "5117", "5118", "5119", "5120", "5132", "5133", "5134",
    ]

    init(_ options: SimulationOptions, _ index: Int) {
        self.options = options
        self.index = index
        name = "S\(index + 1)"
        var random = options.random(.site, site: index)
        // The first site is in Chengdu.
        let draw = random.int(in: 0...Self.regions.count - 1)
        region = index == 0 ? "5101" : Self.regions[draw]
        var code = LineBuffer()
        code.put("\(region)0420260105")
        code.put((index + 1) % 1000, width: 3)
        project = String(decoding: code.bytes, as: UTF8.self)
        switchDay = options.dayCount / 2
        switchQuarter = 48 + random.int(in: 0...8)
    }

    /// The instant at which the stage changes from earthwork to structure.
    var stageSwitch: Int {
        options.start(ofDay: switchDay) + switchQuarter * 15 * SimulationOptions.minute
    }

    func isEarthwork(at time: Int) -> Bool { time < stageSwitch }

    /// Limit of total suspended particles in tenths of a microgram, by region and stage, as
    /// `topologies/rules` has it.
    func dustLimit(at time: Int) -> Int {
        let isWest = ["5104", "5132", "5133", "5134"].contains(region)
        if isEarthwork(at: time) { return isWest ? 9000 : 6000 }
        return isWest ? 3500 : 2500
    }

    func crane(_ index: Int) -> String { "\(name)-TC-" + Self.two(index + 1) }

    func item(_ index: Int) -> String { "\(name)-HP-" + Self.two(index + 1) }

    func point(_ index: Int) -> String { "\(name)-P-" + Self.two(index + 1) }

    /// 24 hexadecimal digits, as HJ 212 has them.
    func station(_ index: Int) -> String {
        var number = 0x0016_9DC1 + self.index * 0x1_0000 + index
        var digits: [UInt8] = []
        for _ in 0..<8 {
            digits.append(Array("0123456789ABCDEF".utf8)[number % 16])
            number /= 16
        }
        return "510100A8900016F0" + String(decoding: digits.reversed(), as: UTF8.self)
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
