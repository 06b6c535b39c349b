extension SiteSimulation {
    /// Incidents and faults of the cranes; those of cranes that the run lacks are left out.
    package var craneEvents: [SiteEvent] {
        func span(_ share: Int, _ minutes: Int) -> Range<Int> {
            Self.span(start: craneStart, total: craneMinutes, share: share, minutes: minutes)
        }
        func event(_ crane: Int, _ kind: SiteEvent.Kind, _ level: String, _ share: Int, _ m: Int)
            -> (Int, SiteEvent)
        {
            let device = CraneSimulation.device(crane)
            return (
                crane, SiteEvent(device: device, kind: kind, level: level, span: span(share, m))
            )
        }
        var events = [
            event(0, .overload, "warning", 180, 6),
            event(3, .clock, "none", 250, 5),
            event(2, .overload, "alarm", 300, 6),
            event(1, .chartMismatch, "mismatch", 420, 30),
            event(0, .gap, "none", 480, 10),
            event(0, .overload, "critical", 640, 6),
            event(2, .backfill, "none", 700, 120),
            event(2, .overload, "critical", 760, 6),
            event(3, .overload, "alarm", 860, 6),
        ]
        for crane in 0..<craneCount { events.append(event(crane, .wind, "stop", 560, 40)) }
        return events.filter { $0.0 < craneCount }.map { $0.1 }
    }

    /// Lines that no crane should have sent.
    func craneDirt(into lines: inout ArrivalLines) {
        let total = craneMinutes * 60_000
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
            // An hour and a half apart, between two readings; the first is of an unknown crane.
            let time = craneStart + total / 1000 * (40 + 130 * index) + 2_500
            let device = index == 0 ? "TC-99" : CraneSimulation.device(index % 4)
            var line = LineBuffer()
            line.put("{\"device\":\"\(device)\",\"site\":\"S1\",\"ts\":")
            line.put(time)
            line.put(",\(text),\"arrival\":")
            line.put(time + 300)
            line.put("}\n")
            lines.append(line.bytes, arrival: time + 300)
        }
        let start = craneStart + total / 2
        lines.append(Array("{\"seq\":4411,\"ts\":17723\n".utf8), arrival: start + 2_700)
        lines.append(Array("+CSQ: 14,99 modem reset\n".utf8), arrival: start + 2_701)
        lines.append([0x7B, 0xFF, 0xFE, 0x22, 0x7D, 0x0A], arrival: start + 2_702)
    }
}
