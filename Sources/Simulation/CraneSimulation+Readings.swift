import Primitives

extension CraneSimulation {
    /// One reading on its way: measured with a little noise, perhaps lost, held back, sent twice.
    mutating func write(
        _ state: Waypoint, at time: Int, sequence: Int, into lines: inout ArrivalLines
    ) {
        let mass = max(0, state.mass + random.int(in: state.mass > 0 ? -1...1 : 0...3))
        let radius = min(max(state.radius + random.int(in: -2...2), 310), chart.tipRadius - 10)
        let windSpeed = max(0, wind.speed(at: time) + index + random.int(in: -3...3))
        let tilt = 5 + mass / 40 + random.int(in: 0...2)
        let delay = random.int(in: 80...900)
        let fault = random.int(in: 1...1000)
        let faultDelay = random.int(in: 1_000...4_500)
        if events.first(.gap, at: time) != nil { return }
        var arrival = time + delay
        if let offline = events.first(.backfill, at: time) {
            backlogArrival = max(backlogArrival + 5, offline.span.upperBound + 1_000)
            arrival = backlogArrival
        } else if arrival <= backlogArrival {
            // Kept readings go out first.
            backlogArrival += 5
            arrival = backlogArrival
        } else if fault <= 5 {
            arrival += faultDelay
        } else if fault == 6 {
            arrival += faultDelay * 8
        }
        let wrongClock = events.first(.clock, at: time) != nil
        line.removeAll()
        line.put("{\"device\":\"\(device)\",\"site\":\"S1\",\"ts\":")
        line.put(time + (wrongClock ? 86_400_000 : 0))
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
        line.put(",\"arrival\":")
        let stem = line.bytes
        append(stem, arrival: arrival, to: &lines)
        if fault >= 999 { append(stem, arrival: arrival + faultDelay / 3, to: &lines) }
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
