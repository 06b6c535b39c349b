import Primitives

/// One tower crane: lifting cycles sampled at a fixed interval. Integers throughout: centimetres,
/// hundredths of a tonne, tenths of a degree, tenths of a metre per second, milliseconds.
struct CraneSimulation: LineSource {
    /// A position of the hook; between two of them radius, height and slew move evenly. The load
    /// is that of the earlier one.
    struct Waypoint {
        var time: Int
        var radius: Int
        var height: Int
        var slew: Int
        var mass: Int
    }

    let site: Site
    let index: Int
    let device: String
    let chart: LoadChart
    let falls: Int
    /// The day in progress, and what was put into it.
    private var day = -1
    var events: [SiteEvent] = []
    var wind: SiteWind
    var random: RandomSource
    /// The lifting cycle in progress.
    var waypoints: [Waypoint] = []
    /// Index of the waypoint last passed.
    var passed = 0
    /// The next reading's number in its day.
    private var reading = 0
    private var sequence = 0
    /// Number of the card of the driver on duty.
    var card = ""
    /// When the last kept reading of a back-fill arrived.
    var backlogArrival = 0
    var line = LineBuffer()

    init(site: Site, index: Int) {
        self.site = site
        self.index = index
        device = site.crane(index)
        chart = Self.chart(index)
        falls = Self.falls(index)
        wind = SiteWind(site, events: [])
        random = site.options.random(.crane, site: site.index, index: index)
    }

    static func chart(_ crane: Int) -> LoadChart { crane % 4 < 2 ? .qtz63 : .tc5610 }

    static func falls(_ crane: Int) -> Int { crane % 2 == 0 ? 4 : 2 }

    /// The registry's lines: the crane the day before, and an unchanged second version at noon.
    func register(into lines: inout ArrivalLines) {
        let start = site.options.firstDay
        for time in [start - SimulationOptions.day, start + 12 * SimulationOptions.hour] {
            if time > start, index % 4 != 2 { continue }
            var line = LineBuffer()
            line.put("{\"device\":\"\(device)\",\"ts\":")
            line.put(time)
            line.put(",\"model\":\"\(chart.model)\",\"chart\":{")
            for falls in [2, 4] {
                line.put(falls == 2 ? "\"2\":[" : ",\"4\":[")
                for (position, point) in chart.points(falls: falls).enumerated() {
                    line.put(position == 0 ? "{\"radius\":" : ",{\"radius\":")
                    line.put(point.radius, scale: 2)
                    line.put(",\"capacity\":")
                    line.put(point.capacity, scale: 3)
                    line.put("}")
                }
                line.put("]")
            }
            line.put("},\"arrival\":")
            line.put(time + 1_000 + index)
            line.put("}\n")
            lines.append(line.bytes, arrival: time + 1_000 + index)
        }
    }

    /// The readings whose time lies in the slot.
    mutating func run(_ slot: Range<Int>, into lines: inout ArrivalLines) {
        let today = (slot.lowerBound - site.options.firstDay) / SimulationOptions.day
        if today != day { begin(today) }
        let interval = site.options.craneInterval * 1000
        let start = site.options.start(ofDay: day)
        let first = start + Site.craneHours.lowerBound * SimulationOptions.hour
        let count = Site.craneHours.count * SimulationOptions.hour / interval
        while reading < count {
            // The cranes are not in step with one another.
            let time = first + reading * interval + index * 137 % interval
            if time >= slot.upperBound { return }
            write(state(at: time), at: time, sequence: sequence + 1, into: &lines)
            reading += 1
            sequence += 1
        }
    }

    private mutating func begin(_ today: Int) {
        day = today
        reading = 0
        let all = site.craneDay(today)
        events = all.filter { $0.key == device }
        wind = SiteWind(site, events: all)
        let start =
            site.options.start(ofDay: today) + Site.craneHours.lowerBound * SimulationOptions.hour
        waypoints = [Waypoint(time: start, radius: 1500, height: 200, slew: 0, mass: 0)]
        passed = 0
        var number = LineBuffer()
        number.put("K")
        number.put(random.int(in: 1...9_999), width: 6)
        card = String(decoding: number.bytes, as: UTF8.self)
    }
}
