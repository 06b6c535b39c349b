import Primitives

/// The readings of one point of a pit as JSON lines, and its entries in the table of points.
struct PitSimulation: LineSource {
    let site: Site
    let index: Int
    let point: PitPoint

    init(site: Site, index: Int) {
        self.site = site
        self.index = index
        point = PitPoint(site: site, index: index)
    }

    /// The table's lines: the point as set up, and with more readings a day from the middle on.
    func register(into lines: inout ArrivalLines) {
        let options = site.options
        let versions = [
            (options.start(ofDay: -1), 24, "h<=H/2"),
            (options.start(ofDay: point.deepDay), 12, "h>H/2"),
        ]
        for (time, interval, stage) in versions {
            var line = LineBuffer()
            line.put("{\"point\":\"\(point.key)\",\"ts\":")
            line.put(time)
            line.put(",\"pit\":\"\(site.name)-PIT\",\"item\":\"\(site.item(0))\"")
            line.put(",\"kind\":\"\(point.kind.name)\",\"class\":1,\"baseline\":")
            line.put(point.kind.baseline, scale: 2)
            if point.kind.isDesigned {
                line.put(",\"alarm\":")
                line.put(point.kind.alarm, scale: 2)
                if let rate = point.kind.rate {
                    line.put(",\"alarmRate\":")
                    line.put(rate, scale: 2)
                }
            }
            line.put(",\"stage\":\"\(stage)\",\"interval\":\(interval),\"arrival\":")
            line.put(time + 3_000 + index)
            line.put("}\n")
            lines.append(line.bytes, arrival: time + 3_000 + index)
        }
    }

    /// A day's readings: in the morning, and from the middle of the course on in the evening too.
    func run(_ slot: Range<Int>, into lines: inout ArrivalLines) {
        let options = site.options
        let faults = options.faults
        let day = (slot.lowerBound - options.firstDay) / SimulationOptions.day
        var random = options.random(.pitDay, site: site.index, index: index, day: day)
        let isKept = faults.contains(.backfill) && random.int(in: 1...40) == 1
        for hour in point.interval(onDay: day) == 24 ? [8] : [8, 20] {
            let offset =
                day * SimulationOptions.day + hour * SimulationOptions.hour
                + random.int(in: 0...1_799) * 1000
            let error = random.int(in: -point.kind.noise...point.kind.noise)
            let draw = random.int(in: 1...100)
            let wait = random.int(in: 1...4 * 3600) * 1000
            if point.isMissing(at: offset) { continue }
            let time = options.firstDay + offset
            var arrival = time + random.int(in: 5_000...90_000)
            if isKept {
                // Kept in the logger for five hours.
                arrival += 5 * SimulationOptions.hour
            } else if draw <= 3, faults.contains(.disorder) {
                arrival += wait
            }
            write(point.value(at: offset) + error, at: time, arrival, into: &lines)
            if draw >= 98, faults.contains(.duplicates) {
                write(
                    point.value(at: offset) + error, at: time, arrival + 900_000, into: &lines)
            }
        }
    }

    private func write(
        _ value: Int, at time: Int, _ arrival: Int, into lines: inout ArrivalLines
    ) {
        var line = LineBuffer()
        line.put("{\"point\":\"\(point.key)\",\"pit\":\"\(site.name)-PIT\",\"kind\":\"")
        line.put("\(point.kind.name)\",\"ts\":\"")
        line.put(Timestamp.text(Int64(time) * 1000))
        line.put("\",\"value\":")
        line.put(value, scale: 2)
        line.put(",\"arrival\":")
        line.put(arrival)
        line.put("}\n")
        lines.append(line.bytes, arrival: arrival)
    }

    /// The alarms that must be raised, on the day on which they begin.
    func truth(onDay day: Int) -> [Truth] {
        guard let incident = point.incident else { return [] }
        let options = site.options
        let start = options.start(ofDay: point.incidentDay)
        let end = options.start(ofDay: options.dayCount)
        var found: [Truth] = []
        func add(_ rule: String, _ level: String, _ span: Range<Int>) {
            let first = options.start(ofDay: day)
            guard first <= span.lowerBound, span.lowerBound < first + SimulationOptions.day
            else { return }
            found.append(
                Truth(
                    topology: "pit-monitoring", rule: rule, key: point.key, level: level,
                    kind: incident.rawValue, span: span))
        }
        switch incident {
        case .cumulative, .warning: break
        case .rate:
            add("rate", "alarm", start..<start + 5 * SimulationOptions.day)
        case .jump: add("rate", "normal", start..<start + 2 * SimulationOptions.day)
        case .missing:
            let last = readingTime(before: point.incidentDay)
            let wait = point.interval(onDay: point.incidentDay - 1) * 3 / 2 * SimulationOptions.hour
            add("missing", "alarm", last + wait..<start + 72 * SimulationOptions.hour)
        }
        // Over 70 % of the alarm value, by whatever made it move.
        if let reached = reaches(percent: 70) {
            let level = reaches(percent: 100) == nil ? "warning" : "alarm"
            add("cumulative", level, reached..<end)
        }
        return found
    }

    /// When the last reading before a day's midnight is due.
    private func readingTime(before day: Int) -> Int {
        let hours = point.interval(onDay: day - 1) == 24 ? 16 : 4
        return site.options.start(ofDay: day) - hours * SimulationOptions.hour
    }

    /// The first hour in which a reading may be at least a share of the alarm value.
    private func reaches(percent: Int) -> Int? {
        let limit = point.kind.alarm * percent / 100 - point.kind.noise
        let hours = point.incidentDay * 24..<site.options.dayCount * 24
        let hour = hours.first { hour in
            abs(point.value(at: hour * SimulationOptions.hour) - point.kind.baseline) >= limit
        }
        return hour.map { site.options.firstDay + $0 * SimulationOptions.hour }
    }
}
