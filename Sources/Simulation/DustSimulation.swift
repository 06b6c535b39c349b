import Primitives

/// One dust monitor: a frame a minute. Concentrations in tenths of a microgram per cubic metre.
struct DustSimulation: LineSource {
    let site: Site
    let device: String
    let index: Int
    private var day = -1
    private var events: [SiteEvent] = []
    private var random: RandomSource
    /// Slow walk of the background.
    private var level: Int
    /// When the last kept frame of a back-fill arrived.
    private var backlogArrival = 0
    private var frame = DustFrame()
    /// Signed differences from the limit that add up to nothing over fifteen minutes.
    private var balanced: [Int] = []
    /// What a frozen sensor repeats.
    private var frozen: (tsp: Int, pm10: Int, pm25: Int)?

    init(site: Site, index: Int) {
        self.site = site
        self.index = index
        device = site.station(index)
        random = site.options.random(.dust, site: site.index, index: index)
        level = random.int(in: 500...1100)
    }

    /// The registry's lines: where the monitor stands.
    func register(into lines: inout ArrivalLines) {
        let time = site.options.firstDay - SimulationOptions.day
        var line = LineBuffer()
        line.put("{\"device\":\"\(device)\",\"ts\":")
        line.put(time)
        line.put(",\"site\":\"\(site.name)\",\"project\":\"\(site.project)\",\"arrival\":")
        line.put(time + 2_000 + index)
        line.put("}\n")
        lines.append(line.bytes, arrival: time + 2_000 + index)
    }

    /// The frames whose minute lies in the slot.
    mutating func run(_ slot: Range<Int>, into lines: inout ArrivalLines) {
        let options = site.options
        let today = (slot.lowerBound - options.firstDay) / SimulationOptions.day
        if today != day {
            day = today
            events = site.dustDay(today).filter { $0.key == device }
        }
        for time in stride(from: slot.lowerBound, to: slot.upperBound, by: SimulationOptions.minute)
        {
            let minute = (time - options.start(ofDay: day)) / SimulationOptions.minute
            send(at: time, minute: minute, into: &lines)
            if minute % 60 == 5 { sendHourlyMeans(at: time, into: &lines) }
        }
    }

    /// Total suspended particles at a minute of the day.
    private mutating func concentration(at time: Int, minute: Int) -> Int {
        level = min(max(level + random.int(in: -30...30), 300), 1300)
        let noise = random.int(in: -40...40)
        let limit = site.dustLimit(at: time)
        if let event = events.first(.dustAtLimit, at: time) {
            let slot = (time - event.span.lowerBound) / SimulationOptions.minute % 15
            if slot == 0 {
                let half = (0..<7).map { _ in random.int(in: -400...400) }
                balanced = half + [0] + half.reversed().map { -$0 }
            }
            return limit + balanced[slot]
        }
        if events.first(.dust, at: time) != nil {
            return limit + 800 + random.int(in: -500...900)
        }
        if events.first(.dustUnderEarthwork, at: time) != nil {
            // Nothing to see after the earthwork: then it stays well below.
            return (site.isEarthwork(at: time) ? limit * 3 / 4 : limit / 2)
                + random.int(in: -500...500)
        }
        // The working day: rises to noon and falls, up to 40 ug/m3.
        let hour = minute / 60
        let work = hour >= 6 && hour < 20 ? 400 - abs(hour - 13) * 50 : 0
        return level + work + noise
    }

    private mutating func send(at time: Int, minute: Int, into lines: inout ArrivalLines) {
        var tsp = max(10, concentration(at: time, minute: minute))
        var pm10 = tsp * random.int(in: 42...55) / 100
        var pm25 = pm10 * random.int(in: 38...52) / 100
        let travel = random.int(in: 700...3_000)
        let fault = random.int(in: 1...1000)
        let wait = random.int(in: 0...999)
        if events.first(.frozen, at: time) != nil {
            let kept = frozen ?? (tsp, pm10, pm25)
            frozen = kept
            (tsp, pm10, pm25) = kept
        } else {
            frozen = nil
        }
        let isClean = events.first(.dustAtLimit, at: time) != nil
        let values = factors(at: time, tsp, pm10, pm25)
        if events.first(.gap, at: time) != nil { return }
        let arrival = arrival(of: time, travel: travel, fault: isClean ? 1000 : fault, wait: wait)
        var flag = "N"
        if !isClean, fault > 990, site.options.faults.contains(.flags) {
            flag = ["D", "C", "F", "T", "B"][wait % 5]
        }
        if events.first(.invalid, at: time) != nil { flag = "D" }
        let shown = shown(time)
        frame.begin(time: shown, sent: shown + 1 + wait, device: device)
        put(values, flag: flag)
        let isLowercase = fault == 500 && site.options.faults.contains(.dirt)
        let bytes = frame.finish(checksum: .standard, lowercase: isLowercase)
        append(bytes, arrival: arrival, to: &lines)
        if fault >= 981, fault <= 985, !isClean, site.options.faults.contains(.duplicates) {
            append(bytes, arrival: arrival + 5_000 + wait * 30, to: &lines)
        }
    }

    private mutating func arrival(of time: Int, travel: Int, fault: Int, wait: Int) -> Int {
        if let offline = events.first(.backfill, at: time) {
            backlogArrival = max(backlogArrival + 40, offline.span.upperBound + 2_000)
            return backlogArrival
        }
        if time + travel <= backlogArrival {
            backlogArrival += 40
            return backlogArrival
        }
        guard site.options.faults.contains(.disorder) else { return time + travel }
        switch fault {
        case 1...10: return time + travel + wait * 55  // within the disorder of a minute
        case 11...14: return time + travel + 120_000 + wait * 1_380  // corrections: 2 to 25 min
        case 15...16: return time + travel + 4_600_000 + wait * 1_000  // too late: over 76 min
        default: return time + travel
        }
    }

    /// The time that the monitor's clock shows.
    private func shown(_ time: Int) -> Int {
        if events.first(.clockJump, at: time) != nil { return time + SimulationOptions.day }
        if events.first(.clock8h, at: time) != nil { return time - SiteEvent.clockLag }
        return time
    }

    private struct Factor {
        var name: String
        var value: Int
        var scale: Int
        var isDust = false
    }

    private mutating func factors(
        at time: Int, _ tsp: Int, _ pm10: Int, _ pm25: Int
    ) -> [Factor] {
        // A monitor set to mg/m3 shows three places of them; one set to hPa ten times the kPa.
        let isMilligram = events.first(.dustUnit, at: time) != nil
        let isHectopascal = events.first(.pressureUnit, at: time) != nil
        let (divisor, scale) = isMilligram ? (10, 3) : (1, 1)
        return [
            Factor(name: "a34001", value: tsp / divisor, scale: scale, isDust: true),
            Factor(name: "a34002", value: pm10 / divisor, scale: scale, isDust: true),
            Factor(name: "a34004", value: pm25 / divisor, scale: scale),
            Factor(name: "LA", value: random.int(in: 520...760), scale: 1),
            Factor(name: "a01001", value: random.int(in: 80...180), scale: 1),
            Factor(
                name: "a01006", value: random.int(in: 9540...9580), scale: isHectopascal ? 1 : 2),
            Factor(name: "a01007", value: random.int(in: 3...40), scale: 1),
            Factor(name: "a01008", value: random.int(in: 0...359), scale: 0),
        ]
    }

    private mutating func put(_ factors: [Factor], flag: String) {
        for (index, factor) in factors.enumerated() {
            if index > 0 { frame.segment.put(";") }
            frame.segment.put("\(factor.name)-Rtd=")
            let isValue = flag == "N" || factor.name != "a34001"
            frame.segment.put(isValue ? factor.value : 0, scale: factor.scale)
            frame.segment.put(",\(factor.name)-Flag=\(factor.isDust ? flag : "N")")
        }
    }

    /// A frame of another command (CN 2061, the hour's mean), which real-time rules pass over.
    private mutating func sendHourlyMeans(at time: Int, into lines: inout ArrivalLines) {
        guard events.first(.backfill, at: time) == nil, time - 3_900_000 >= site.options.firstDay
        else { return }
        frame.begin(
            time: time - 3_900_000, sent: time + 10_000, device: device, command: "2061")
        frame.segment.put("a34001-Min=30.0,a34001-Avg=99.0,a34001-Max=900.0,a34001-Flag=N")
        append(frame.finish(checksum: .standard), arrival: time + 12_000, to: &lines)
    }

    private func append(_ frame: [UInt8], arrival: Int, to lines: inout ArrivalLines) {
        var line = LineBuffer()
        line.put(arrival)
        line.put("\t")
        line.put(frame)
        line.put("\n")
        lines.append(line.bytes, arrival: arrival)
    }
}
