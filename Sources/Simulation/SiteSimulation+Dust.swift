extension SiteSimulation {
    /// Incidents and faults of the dust monitors; those of monitors that the run lacks are left
    /// out. Incidents begin and end on whole quarters of an hour, as the means do.
    package var dustEvents: [SiteEvent] {
        func event(
            _ station: Int, _ kind: SiteEvent.Kind, _ level: String, _ share: Int, _ minutes: Int
        ) -> (Int, SiteEvent) {
            var span = Self.span(
                start: dayStart, total: dustMinutes, share: share, minutes: minutes)
            let quarter = 900_000
            if level != "none" || kind == .dustBelowLimit || kind == .invalid {
                let start = (span.lowerBound + quarter - 1) / quarter * quarter
                span = start..<start + max(1, span.count / quarter) * quarter
            }
            let device = DustSimulation.device(station)
            return (station, SiteEvent(device: device, kind: kind, level: level, span: span))
        }
        return [
            event(1, .clock, "none", 250, 6),
            event(3, .dustBelowLimit, "none", 350, 60),
            event(0, .dust, "alarm", 430, 60),
            event(1, .dustAtLimit, "normal", 480, 15),
            event(2, .backfill, "none", 500, 120),
            event(2, .dust, "alarm", 530, 45),
            event(3, .dust, "alarm", 580, 45),
            event(1, .gap, "none", 600, 7),
            event(0, .invalid, "none", 800, 30),
        ].filter { $0.0 < stationCount }.map { $0.1 }
    }

    /// Lines that are no good frames.
    func dustDirt(into lines: inout ArrivalLines) {
        let start = dayStart + dustMinutes * 300
        func add(_ frame: [UInt8], _ minutes: Int) {
            let arrival = start + minutes * 60_000 + 20_500
            var line = LineBuffer()
            line.put(arrival)
            line.put("\t")
            line.put(frame)
            line.put("\n")
            lines.append(line.bytes, arrival: arrival)
        }
        // Half a minute beside the others, so that none repeats a good frame.
        func frame(_ station: Int, _ minutes: Int, _ factors: String) -> [UInt8] {
            var writer = DustFrame()
            let time = start + minutes * 60_000 + 30_000
            writer.begin(time: time, sent: time, device: DustSimulation.device(station))
            writer.segment.put(factors)
            return writer.finish(checksum: .standard)
        }
        guard stationCount > 0 else { return }
        for (index, byte) in [0x30, 0x37, 0x41].enumerated() {
            // A digit of the value changed on the line: the CRC does not match.
            var bytes = frame(0, index, "a34001-Rtd=101.0,a34001-Flag=N")
            bytes[bytes.count - 18] = UInt8(byte)
            add(bytes, index)
        }
        var modbus = DustFrame()
        let time = start + 4 * 60_000 + 30_000
        modbus.begin(time: time, sent: time, device: DustSimulation.device(0))
        modbus.segment.put("a34001-Rtd=900.0,a34001-Flag=N")
        add(modbus.finish(checksum: .modbus), 4)
        add(frame(0, 5, "a34001-Rtd=101.25,a34001-Flag=N"), 5)
        add(Array(frame(0, 6, "a34001-Rtd=101.2,a34001-Flag=N").prefix(40)), 6)
        add(Array("AT+CIPSEND".utf8), 7)
        add(Array("##".utf8), 8)
    }
}
