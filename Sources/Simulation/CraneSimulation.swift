import Primitives

/// One tower crane: lifting cycles sampled at a fixed interval. Integers throughout: centimetres,
/// hundredths of a tonne, tenths of a degree, tenths of a metre per second, milliseconds.
struct CraneSimulation {
    /// A position of the hook; between two of them radius, height and slew move evenly. The load
    /// is that of the earlier one.
    struct Waypoint {
        var time: Int
        var radius: Int
        var height: Int
        var slew: Int
        var mass: Int
    }

    let site: SiteSimulation
    let index: Int
    let device: String
    let chart: LoadChart
    let falls: Int
    let events: [SiteEvent]
    let wind: SiteWind
    var random: RandomSource
    /// The lifting cycle in progress.
    var waypoints: [Waypoint] = []
    /// Index of the waypoint last passed.
    var passed = 0
    /// When the last kept reading of a back-fill arrived.
    var backlogArrival = 0
    var line = LineBuffer()

    init(site: SiteSimulation, index: Int) {
        self.site = site
        self.index = index
        device = Self.device(index)
        chart = index % 4 < 2 ? .qtz63 : .tc5610
        falls = index % 2 == 0 ? 4 : 2
        let name = device
        events = site.craneEvents.filter { $0.device == name }
        wind = SiteWind(site: site)
        random = site.random(stream: 1, index: index)
    }

    static func device(_ index: Int) -> String {
        index < 9 ? "TC-0\(index + 1)" : "TC-\(index + 1)"
    }

    /// The registry's lines: the crane the day before, and an unchanged second version at noon.
    func register(into lines: inout ArrivalLines) {
        for time in [site.dayStart - 86_400_000, site.dayStart + 43_200_000] {
            if time > site.dayStart, index % 4 != 2 { continue }
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

    /// The whole day's readings.
    mutating func run(into lines: inout ArrivalLines) {
        let interval = site.craneInterval * 1000
        let count = site.craneMinutes * 60_000 / interval
        waypoints = [Waypoint(time: site.craneStart, radius: 1500, height: 200, slew: 0, mass: 0)]
        for reading in 0..<count {
            // The cranes are not in step with one another.
            let time = site.craneStart + reading * interval + index * 137
            let state = state(at: time)
            write(state, at: time, sequence: reading + 1, into: &lines)
        }
    }
}
