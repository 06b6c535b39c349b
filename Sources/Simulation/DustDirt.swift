import Primitives

/// Lines that are no good frames, once a day, of a site's first monitor.
struct DustDirt: LineSource {
    let site: Site

    func run(_ slot: Range<Int>, into lines: inout ArrivalLines) {
        let options = site.options
        let day = (slot.lowerBound - options.firstDay) / SimulationOptions.day
        // Half a minute beside the others, so that none repeats a good frame.
        let start = options.start(ofDay: day) + 7 * SimulationOptions.hour + 30_000
        guard options.stationCount > 0 else { return }
        for minute in 0..<8 {
            let time = start + minute * SimulationOptions.minute
            guard slot.contains(time) else { continue }
            let arrival = time - 9_500
            var line = LineBuffer()
            line.put(arrival)
            line.put("\t")
            line.put(text(minute, time))
            line.put("\n")
            lines.append(line.bytes, arrival: arrival)
        }
    }

    private func text(_ minute: Int, _ time: Int) -> [UInt8] {
        switch minute {
        case 0, 1, 2:
            // A digit of the value changed on the line: the CRC does not match.
            var bytes = frame(time, "a34001-Rtd=101.0,a34001-Flag=N")
            bytes[bytes.count - 18] = [0x30, 0x37, 0x41][minute]
            return bytes
        case 3: return frame(time, "a34001-Rtd=900.0,a34001-Flag=N", .modbus)
        case 4: return frame(time, "a34001-Rtd=101.25,a34001-Flag=N")
        case 5: return Array(frame(time, "a34001-Rtd=101.2,a34001-Flag=N").prefix(40))
        case 6: return Array("AT+CIPSEND".utf8)
        default: return Array("##".utf8)
        }
    }

    private func frame(
        _ time: Int, _ factors: String, _ checksum: DustFrame.Checksum = .standard
    ) -> [UInt8] {
        var writer = DustFrame()
        writer.begin(time: time, sent: time, device: site.station(0))
        writer.segment.put(factors)
        return writer.finish(checksum: checksum)
    }
}
