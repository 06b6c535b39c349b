import Primitives

/// An HJ 212-2017 frame under construction (ST 39, construction dust).
struct DustFrame {
    enum Checksum {
        /// HJ 212-2017 Annex A.
        case standard
        /// Modbus CRC-16, which some devices send by mistake.
        case modbus
    }

    /// The data segment, from `QN` on.
    var segment = LineBuffer()

    /// Writes the head up to and with `DataTime`. Times are milliseconds since the epoch, written
    /// as local time at UTC+08:00.
    mutating func begin(time: Int, sent: Int, device: String, command: String = "2011") {
        segment.removeAll()
        segment.put("QN=")
        putLocal(sent)
        segment.put(sent % 1000, width: 3)
        segment.put(";ST=39;CN=\(command);PW=123456;MN=\(device);Flag=4;CP=&&DataTime=")
        putLocal(time)
        segment.put(";")
    }

    /// Closes the segment and gives the frame without its line end.
    mutating func finish(checksum: Checksum, lowercase: Bool = false) -> [UInt8] {
        segment.put("&&")
        var frame = LineBuffer()
        frame.put("##")
        frame.put(segment.bytes.count, width: 4)
        frame.put(segment.bytes)
        let data = segment.bytes
        let crc =
            switch checksum {
            case .standard: HJ212CRC.checksum(data.span)
            case .modbus: HJ212CRC.modbus(data.span)
            }
        let digits = Array((lowercase ? "0123456789abcdef" : "0123456789ABCDEF").utf8)
        for shift in [12, 8, 4, 0] { frame.put(byte: digits[Int(crc >> shift) & 15]) }
        return frame.bytes
    }

    /// `yyyyMMddHHmmss` at UTC+08:00.
    private mutating func putLocal(_ time: Int) {
        let seconds = time / 1000 + 8 * 3600
        let date = Timestamp.civil(days: seconds / 86_400)
        segment.put(date.year, width: 4)
        segment.put(date.month, width: 2)
        segment.put(date.day, width: 2)
        segment.put(seconds / 3600 % 24, width: 2)
        segment.put(seconds / 60 % 60, width: 2)
        segment.put(seconds % 60, width: 2)
    }
}
