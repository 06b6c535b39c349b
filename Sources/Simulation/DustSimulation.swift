import Primitives

/// One dust monitor: a frame a minute. Concentrations in tenths of a microgram per cubic metre.
struct DustSimulation {
    let site: SiteSimulation
    let device: String
    let index: Int
    let events: [SiteEvent]
    var random: RandomSource
    /// Slow walk of the background.
    private var level: Int
    /// When the last kept frame of a back-fill arrived.
    private var backlogArrival = 0
    private var frame = DustFrame()
    /// Signed differences from 250.0 that add up to nothing over fifteen minutes.
    private var balanced: [Int] = []

    init(site: SiteSimulation, index: Int) {
        self.site = site
        self.index = index
        device = Self.device(index)
        let name = device
        events = site.dustEvents.filter { $0.device == name }
        random = site.random(stream: 2, index: index)
        level = random.int(in: 500...1100)
    }

    /// 24 hexadecimal digits, as HJ 212 has them.
    static func device(_ index: Int) -> String {
        var number = 0x9DC1 + index
        var digits: [UInt8] = []
        for _ in 0..<4 {
            digits.append(Array("0123456789ABCDEF".utf8)[number % 16])
            number /= 16
        }
        return "510100A8900016F00016" + String(decoding: digits.reversed(), as: UTF8.self)
    }

    /// The whole day's frames.
    mutating func run(into lines: inout ArrivalLines) {
        for minute in 0..<site.dustMinutes {
            let time = site.dayStart + minute * 60_000
            send(at: time, minute: minute, into: &lines)
            if minute % 60 == 5 { sendHourlyMeans(at: time, into: &lines) }
        }
    }

    /// Total suspended particles at a minute of the day.
    private mutating func concentration(at time: Int, minute: Int) -> Int {
        level = min(max(level + random.int(in: -30...30), 300), 1300)
        let noise = random.int(in: -40...40)
        if let event = events.first(.dustAtLimit, at: time) {
            let slot = (time - event.span.lowerBound) / 60_000 % 15
            if slot == 0 {
                let half = (0..<7).map { _ in random.int(in: -400...400) }
                balanced = half + [0] + half.reversed().map { -$0 }
            }
            return 2500 + balanced[slot]
        }
        // Where the limit is that of earthwork, so is the dust.
        let earthwork = index == 3
        if events.first(.dust, at: time) != nil {
            return (earthwork ? 6900 : 3300) + random.int(in: -500...900)
        }
        if events.first(.dustBelowLimit, at: time) != nil {
            return 4500 + random.int(in: -900...900)
        }
        // The working day: rises to noon and falls, up to 40 ug/m3.
        let hour = minute % 1440 / 60
        let work = hour >= 6 && hour < 20 ? 400 - abs(hour - 13) * 50 : 0
        return level + work + noise
    }

    private mutating func send(at time: Int, minute: Int, into lines: inout ArrivalLines) {
        let tsp = max(10, concentration(at: time, minute: minute))
        let pm10 = tsp * random.int(in: 42...55) / 100
        let pm25 = pm10 * random.int(in: 38...52) / 100
        let travel = random.int(in: 700...3_000)
        let fault = random.int(in: 1...1000)
        let wait = random.int(in: 0...999)
        let clean = events.first(.dustAtLimit, at: time) != nil
        if events.first(.gap, at: time) != nil { return }
        var arrival = time + travel
        let backfilled = events.first(.backfill, at: time)
        if let backfilled {
            backlogArrival = max(backlogArrival + 40, backfilled.span.upperBound + 2_000)
            arrival = backlogArrival
        } else if arrival <= backlogArrival {
            backlogArrival += 40
            arrival = backlogArrival
        } else if !clean {
            switch fault {
            case 1...10: arrival += wait * 55  // within the disorder of a minute
            case 11...14: arrival += 120_000 + wait * 1_380  // corrections: 2 to 25 minutes
            case 15...16: arrival += 4_600_000 + wait * 1_000  // too late: more than 76 minutes
            default: break
            }
        }
        var flag = "N"
        if !clean, fault > 990 { flag = ["D", "C", "F", "T", "B"][wait % 5] }
        if events.first(.invalid, at: time) != nil { flag = "D" }
        let wrongClock = events.first(.clock, at: time) != nil
        let shown = time + (wrongClock ? 86_400_000 : 0)
        frame.begin(time: shown, sent: shown + 1 + wait, device: device)
        putFactors(tsp: flag == "N" ? tsp : 0, pm10: pm10, pm25: pm25, flag: flag)
        let bytes = frame.finish(checksum: .standard, lowercase: fault == 500)
        append(bytes, arrival: arrival, to: &lines)
        if fault >= 981, fault <= 985, !clean {
            append(bytes, arrival: arrival + 5_000 + wait * 30, to: &lines)
        }
    }

    private mutating func putFactors(tsp: Int, pm10: Int, pm25: Int, flag: String) {
        func put(_ name: String, _ value: Int, scale: Int, flag: String = "N") {
            frame.segment.put("\(name)-Rtd=")
            frame.segment.put(value, scale: scale)
            frame.segment.put(",\(name)-Flag=\(flag);")
        }
        put("a34001", tsp, scale: 1, flag: flag)
        put("a34002", pm10, scale: 1, flag: flag)
        put("a34004", pm25, scale: 1)
        put("LA", random.int(in: 520...760), scale: 1)
        put("a01001", random.int(in: 80...180), scale: 1)
        // Kilopascals by the standard; the third monitor sends hectopascals, as some do.
        let pressure = random.int(in: 9540...9580)
        put("a01006", pressure, scale: index == 2 ? 1 : 2)
        put("a01007", random.int(in: 3...40), scale: 1)
        frame.segment.put("a01008-Rtd=")
        frame.segment.put(random.int(in: 0...359))
        frame.segment.put(",a01008-Flag=N")
    }

    /// A frame of another command (CN 2061, the hour's mean), which real-time rules pass over.
    private mutating func sendHourlyMeans(at time: Int, into lines: inout ArrivalLines) {
        guard events.first(.backfill, at: time) == nil, time - 3_900_000 >= site.dayStart else {
            return
        }
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
