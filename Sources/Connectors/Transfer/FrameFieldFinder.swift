import Primitives

/// Finds up to three fields of HJ 212 frames. In a frame that the topology will reject, a wrong
/// checksum for example, they are looked for all the same.
///
/// By default the key is `MN` and the time `DataTime`, or `QN` where a frame has none. Instants are
/// `yyyyMMddHHmmss` with or without milliseconds, at UTC+08:00. One thread.
struct FrameFieldFinder {
    private static let utcOffsetMinutes = 8 * 60

    private let keyName: [UInt8]
    private let timeName: [UInt8]
    private let otherTimeName: [UInt8]?
    private let arrivalName: [UInt8]?
    private var frame = HJ212Frame()
    /// Whether `frame` is the line's.
    private var isFrame = false

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
    mutating func find(in buffer: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> LineFields {
        var fields = LineFields(value: range)
        if buffer[range.lowerBound] != 0x23 { takePrefix(buffer, &fields) }
        let start = fields.value.lowerBound
        let bytes = UnsafeBufferPointer(rebasing: buffer[fields.value]).span
        do {
            try frame.parse(bytes)
            isFrame = true
        } catch {
            isFrame = false
            fields.isUnreadable = true
        }
        fields.key = value(of: keyName, bytes).map { $0.lowerBound + start..<$0.upperBound + start }
        fields.time = instant(timeName, bytes) ?? otherTimeName.flatMap { instant($0, bytes) }
        if let arrivalName {
            fields.arrival = instant(arrivalName, bytes) ?? fields.arrival
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

    /// The value of a field, which may be empty; nil when the frame does not have it.
    private func value(of name: [UInt8], _ bytes: Span<UInt8>) -> Range<Int>? {
        guard isFrame else { return scan(for: name, bytes) }
        for header in HJ212Header.allCases where name.elementsEqual(header.name.utf8) {
            return frame.value(of: header)
        }
        return frame.value(of: name, bytes)
    }

    /// The value of the first `NAME=` that starts a field of what looks like a frame.
    private func scan(for name: [UInt8], _ bytes: Span<UInt8>) -> Range<Int>? {
        guard bytes.count > 6, bytes[0] == 0x23, bytes[1] == 0x23 else { return nil }
        // The data segment starts after the length, which has four digits, rarely three.
        var start = 2
        while start < bytes.count, bytes[start] &- 0x30 < 10 { start += 1 }
        while start < bytes.count {
            var end = start
            while end < bytes.count, !Self.isSeparator(bytes[end]) { end += 1 }
            let value = start + name.count + 1
            if value <= end, bytes[value - 1] == 0x3D, Self.starts(bytes, at: start, with: name) {
                return value..<end
            }
            start = end + 1
        }
        return nil
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == 0x3B || byte == 0x2C || byte == 0x26
    }

    private static func starts(_ bytes: Span<UInt8>, at start: Int, with name: [UInt8]) -> Bool {
        for (index, byte) in name.enumerated() where bytes[start + index] != byte { return false }
        return true
    }

    private func instant(_ name: [UInt8], _ bytes: Span<UInt8>) -> Int64? {
        guard let range = value(of: name, bytes) else { return nil }
        return HJ212Time.parse(bytes.extracting(range), offsetMinutes: Self.utcOffsetMinutes)
            .flatMap { RecordTime.milliseconds($0.microseconds) }
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
