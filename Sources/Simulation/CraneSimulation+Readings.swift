import Primitives

extension CraneSimulation {
    /// One reading on its way: measured with a little noise, perhaps lost, held back, sent twice.
    mutating func write(
        _ state: Waypoint, at time: Int, sequence: Int, into lines: inout ArrivalLines
    ) {
        let mass = max(0, state.mass + random.int(in: state.mass > 0 ? -1...1 : 0...3))
        let radius = min(max(state.radius + random.int(in: -2...2), 310), chart.tipRadius - 10)
        let isClimbing = events.first(.climb, at: time) != nil
        let calm = wind.speed(at: time) + index % 4
        let windSpeed = max(0, (isClimbing ? 92 : calm) + random.int(in: -3...3))
        let tilt = 5 + mass / 40 + random.int(in: 0...2)
        let delay = random.int(in: 80...900)
        let fault = random.int(in: 1...1000)
        let faultDelay = random.int(in: 1_000...4_500)
        if events.first(.gap, at: time) != nil { return }
        let arrival = arrival(of: time, delay: delay, fault: fault, faultDelay: faultDelay)
        line.removeAll()
        line.put("{\"device\":\"\(device)\",\"site\":\"\(site.name)\",\"ts\":")
        line.put(shown(time))
        line.put(",\"seq\":")
        line.put(sequence)
        line.put(",\"mass\":")
        line.put(mass, scale: 2)
        line.put(",\"radius\":")
        line.put(radius, scale: 2)
        line.put(",\"height\":")
        line.put(state.height, scale: 2)
        line.put(",\"slew\":")
        line.put(state.slew, scale: 1)
        line.put(",\"wind\":")
        line.put(windSpeed, scale: 1)
        line.put(",\"tilt\":")
        line.put(tilt, scale: 2)
        line.put(",\"falls\":")
        line.put(falls)
        line.put(",\"percent\":")
        line.put(percent(mass: mass, radius: radius, at: time), scale: 1)
        let isUnknown = events.first(.unidentified, at: time) != nil
        line.put(isUnknown ? ",\"card\":\"\"" : ",\"card\":\"\(card)\"")
        line.put(isClimbing ? ",\"climbing\":true" : ",\"climbing\":false")
        line.put(",\"arrival\":")
        let stem = line.bytes
        append(stem, arrival: arrival, to: &lines)
        if fault >= 999, site.options.faults.contains(.duplicates) {
            append(stem, arrival: arrival + faultDelay / 3, to: &lines)
        }
    }

    private mutating func arrival(of time: Int, delay: Int, fault: Int, faultDelay: Int) -> Int {
        if let offline = events.first(.backfill, at: time) {
            backlogArrival = max(backlogArrival + 5, offline.span.upperBound + 1_000)
            return backlogArrival
        }
        if time + delay <= backlogArrival {
            // Kept readings go out first.
            backlogArrival += 5
            return backlogArrival
        }
        guard site.options.faults.contains(.disorder) else { return time + delay }
        switch fault {
        case ...5: return time + delay + faultDelay
        case 6: return time + delay + faultDelay * 8
        default: return time + delay
        }
    }

    /// The time that the monitor's clock shows.
    private func shown(_ time: Int) -> Int {
        if events.first(.clockJump, at: time) != nil { return time + SimulationOptions.day }
        if events.first(.clock8h, at: time) != nil { return time - SiteEvent.clockLag }
        return time
    }

    private mutating func append(_ stem: [UInt8], arrival: Int, to lines: inout ArrivalLines) {
        line.removeAll()
        line.put(stem)
        line.put(arrival)
        line.put("}\n")
        lines.append(line.bytes, arrival: arrival)
    }

    /// The monitor's own percentage in tenths; with the wrong chart while it is set wrongly.
    private func percent(mass: Int, radius: Int, at time: Int) -> Int {
        let wrong = events.first(.chartMismatch, at: time) != nil
        let set = wrong ? (falls == 2 ? 4 : 2) : falls
        guard let capacity = chart.capacity(radius: radius, falls: set) else { return 0 }
        return (mass * 10_000 * 2 + capacity) / (2 * capacity)
    }
}

/// Lines that no crane should have sent, once a day.
struct CraneDirt: LineSource {
    let site: Site

    func run(_ slot: Range<Int>, into lines: inout ArrivalLines) {
        let day = (slot.lowerBound - site.options.firstDay) / SimulationOptions.day
        let start = site.options.start(ofDay: day) + 6 * SimulationOptions.hour
        let texts = [
            #""mass":2.31,"radius":20.00,"falls":4"#,
            #""mass":"n/a","radius":20.00,"falls":4"#,
            #""mass":2.345,"radius":20.00,"falls":4"#,
            #""mass":2.31,"falls":4"#,
            #""mass":2.31,"radius":75.00,"falls":4"#,
            #""mass":2.31,"radius":20.00,"falls":3"#,
            #""mass":99999999999999999.00,"radius":20.00,"falls":4"#,
        ]
        for (index, text) in texts.enumerated() {
            // Two hours apart, between two readings; the first is of an unknown crane.
            let time = start + (40 + 125 * index) * SimulationOptions.minute + 2_503
            guard slot.contains(time), index == 0 || site.options.craneCount > 0 else { continue }
            let crane = index % max(1, site.options.craneCount)
            let device = index == 0 ? "\(site.name)-TC-99" : site.crane(crane)
            var line = LineBuffer()
            line.put("{\"device\":\"\(device)\",\"site\":\"\(site.name)\",\"ts\":")
            line.put(time)
            line.put(",\(text),\"arrival\":")
            line.put(time + 300)
            line.put("}\n")
            lines.append(line.bytes, arrival: time + 300)
        }
        let noon = start + 6 * SimulationOptions.hour
        guard slot.contains(noon) else { return }
        lines.append(Array("{\"seq\":4411,\"ts\":17723\n".utf8), arrival: noon + 2_700)
        lines.append(Array("+CSQ: 14,99 modem reset\n".utf8), arrival: noon + 2_701)
        lines.append([0x7B, 0xFF, 0xFE, 0x22, 0x7D, 0x0A], arrival: noon + 2_702)
    }
}
