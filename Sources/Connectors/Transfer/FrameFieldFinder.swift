import Primitives

/// Finds up to three fields of HJ 212 frames. Framing and checksum are left to the topology.
///
/// By default the key is `MN` and the time `DataTime`, or `QN` where a frame has none. Instants are
/// `yyyyMMddHHmmss` with or without milliseconds, at UTC+08:00. One thread.
struct FrameFieldFinder {
    private static let utcOffsetMilliseconds: Int64 = 8 * 3_600_000

    private let keyName: [UInt8]
    private let timeName: [UInt8]
    private let otherTimeName: [UInt8]?
    private let arrivalName: [UInt8]?

    init(_ fields: ImportFields) {
        func name(_ place: FieldPlace?) -> [UInt8]? {
            place.map { Array($0.path.joined(separator: ".").utf8) }
        }
        keyName = name(fields.key) ?? Array("MN".utf8)
        timeName = name(fields.time) ?? Array("DataTime".utf8)
        otherTimeName =
            fields.time == nil || timeName == Array("DataTime".utf8)
            ? Array("QN".utf8) : nil
        arrivalName = name(fields.arrival)
    }

    /// Reads the line that is `range` of the buffer: a frame, before it an arrival time and a tab,
    /// or not.
    func find(in buffer: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> LineFields {
        var fields = LineFields(value: range)
        if buffer[range.lowerBound] != 0x23 { takePrefix(buffer, &fields) }
        let frame = fields.value
        guard frame.count > 6, buffer[frame.lowerBound] == 0x23,
            buffer[frame.lowerBound + 1] == 0x23
        else {
            fields.isUnreadable = true
            return fields
        }
        fields.key = value(of: keyName, buffer, frame)
        fields.time =
            instant(timeName, buffer, frame)
            ?? otherTimeName.flatMap { instant($0, buffer, frame) }
        if let arrivalName {
            fields.arrival = instant(arrivalName, buffer, frame) ?? fields.arrival
            if fields.arrival == nil { fields.isUnreadable = true }
        }
        if fields.key == nil || fields.time == nil { fields.isUnreadable = true }
        return fields
    }

    /// Takes `<milliseconds or RFC 3339><tab>` off a line where a frame follows.
    private func takePrefix(_ buffer: UnsafeBufferPointer<UInt8>, _ fields: inout LineFields) {
        let line = UnsafeBufferPointer(rebasing: buffer[fields.value])
        guard let tab = line.prefix(40).firstIndex(of: 0x09), tab + 1 < line.count,
            line[tab + 1] == 0x23
        else { return }
        let prefix = UnsafeBufferPointer(rebasing: line[..<tab])
        var arrival: Int64?
        if let number = digits(prefix) {
            let (microseconds, overflow) = number.multipliedReportingOverflow(by: 1000)
            arrival = overflow ? nil : RecordTime.milliseconds(microseconds)
        } else {
            arrival = Timestamp.parse(prefix.span).flatMap(RecordTime.milliseconds)
        }
        guard let arrival else { return }
        fields.arrival = arrival
        fields.value = fields.value.lowerBound + tab + 1..<fields.value.upperBound
    }

    /// The value of `NAME=` at the start of a frame's field, up to the field's end.
    private func value(
        of name: [UInt8], _ buffer: UnsafeBufferPointer<UInt8>, _ frame: Range<Int>
    ) -> Range<Int>? {
        // The data segment starts after "##" and the length, which has four digits, rarely three.
        var start = frame.lowerBound + 2
        while start < frame.upperBound, buffer[start] &- 0x30 < 10 { start += 1 }
        while start < frame.upperBound {
            if let end = fieldValueStart(name, buffer, start, frame.upperBound) {
                var last = end
                while last < frame.upperBound, !Self.isSeparator(buffer[last]) { last += 1 }
                return last > end ? end..<last : nil
            }
            while start < frame.upperBound, !Self.isSeparator(buffer[start]) { start += 1 }
            start += 1
        }
        return nil
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == 0x3B || byte == 0x2C || byte == 0x26
    }

    private func fieldValueStart(
        _ name: [UInt8], _ buffer: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int
    ) -> Int? {
        let equals = start + name.count
        guard equals < end, buffer[equals] == 0x3D else { return nil }
        for (index, byte) in name.enumerated() where buffer[start + index] != byte { return nil }
        return equals + 1
    }

    private func instant(
        _ name: [UInt8], _ buffer: UnsafeBufferPointer<UInt8>, _ frame: Range<Int>
    ) -> Int64? {
        guard let range = value(of: name, buffer, frame), range.count == 14 || range.count == 17
        else { return nil }
        let text = UnsafeBufferPointer(rebasing: buffer[range])
        func part(_ start: Int, _ count: Int) -> Int? {
            digits(UnsafeBufferPointer(rebasing: text[start..<start + count])).map(Int.init)
        }
        guard let year = part(0, 4), let month = part(4, 2), let day = part(6, 2),
            let hour = part(8, 2), let minute = part(10, 2), let second = part(12, 2),
            let millisecond = text.count == 17 ? part(14, 3) : 0,
            year >= 1, (1...12).contains(month), day >= 1,
            day <= Timestamp.daysInMonth(year: year, month: month), hour < 24, minute < 60,
            second < 60
        else { return nil }
        let days = Timestamp.days(year: year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second
        return RecordTime.milliseconds(
            (Int64(seconds) * 1000 + Int64(millisecond) - Self.utcOffsetMilliseconds) * 1000)
    }

    /// A number of 1 to 18 digits.
    private func digits(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard (1...18).contains(text.count) else { return nil }
        var value: Int64 = 0
        for byte in text {
            let digit = byte &- 0x30
            guard digit < 10 else { return nil }
            value = value * 10 + Int64(digit)
        }
        return value
    }
}
