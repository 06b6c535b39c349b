import Columnar
import Primitives

// Single values.

extension AvroReader {
    /// Reads a value that has no parts.
    @inline(__always)
    func value(_ action: AvroAction, _ start: Int) -> Int {
        switch action.operation {
        case .long:
            let (value, next) = long(start)
            if next >= 0 { values.whole(action.node, value, digits: action.number) }
            return next
        case .int:
            let (value, next) = int(start)
            if next >= 0 { values.whole(action.node, value, digits: action.number) }
            return next
        case .double:
            guard text.end &- start >= 8 else { return ~text.end }
            values.number(
                action.node, Double(bitPattern: UInt64(littleEndian: text.load(start))),
                digits: action.number)
            return start &+ 8
        case .text: return string(action, start)
        default: return otherValue(action, start)
        }
    }

    /// A string, whose bytes must be UTF-8.
    @inline(__always)
    private func string(_ action: AvroAction, _ start: Int) -> Int {
        let (count, next) = length(start)
        guard next >= 0 else { return next }
        guard isUTF8(next, count) else { return ~next }
        append(action.node, next, count)
        return next &+ count
    }

    @inline(__always)
    private func append(_ node: Int, _ start: Int, _ count: Int) {
        let sink = nodes + node
        sink.pointee.reserveBytes(count)
        text.copy(start, count: count, to: sink.pointee.bytes + sink.pointee.byteCount)
        sink.pointee.byteCount &+= count
        sink.pointee.append(end: sink.pointee.byteCount)
    }

    @inline(never)
    private func otherValue(_ action: AvroAction, _ start: Int) -> Int {
        let node = action.node
        switch action.operation {
        case .boolean:
            guard start < text.end, text.byte(start) <= 1 else { return ~start }
            nodes[node].append(text.byte(start) == 1)
            return start &+ 1
        case .days:
            let (value, next) = int(start)
            if next >= 0 { values.days(node, value) }
            return next
        case .intDouble, .longDouble:
            let (value, next) = action.operation == .intDouble ? int(start) : long(start)
            if next >= 0 { nodes[node].append(Double(value)) }
            return next
        case .float, .floatDouble, .doubleDouble: return floating(action, start)
        case .decimal, .decimalDouble:
            let (count, next) = counted(action, start)
            if next >= 0 { decimal(action, text.bytes(next..<next &+ count)) }
            return next < 0 ? next : next &+ count
        case .symbol: return symbol(action, start)
        case .bytes, .fixed, .uuid, .timeText, .durationText, .calendar:
            let (count, next) = counted(action, start)
            guard next >= 0 else { return next }
            let bytes = text.bytes(next..<next &+ count)
            switch action.operation {
            case .uuid: values.appendText(node, Self.uuid(bytes))
            case .timeText: values.rfc3339(node, bytes)
            case .durationText: values.duration(node, Array(bytes))
            case .calendar: calendar(node, next)
            default: append(node, next, count)
            }
            return next &+ count
        default: return ~start
        }
    }

    /// Where the bytes of a fixed, or after their length, begin, and how many they are.
    private func counted(_ action: AvroAction, _ start: Int) -> (count: Int, next: Int) {
        guard action.partCount > 0 else { return length(start) }
        return action.partCount <= text.end &- start
            ? (action.partCount, start) : (0, ~text.end)
    }

    private func floating(_ action: AvroAction, _ start: Int) -> Int {
        let size = action.operation == .doubleDouble ? 8 : 4
        guard text.end &- start >= size else { return ~text.end }
        let word = UInt64(littleEndian: text.load(start))
        let short = Float(bitPattern: UInt32(truncatingIfNeeded: word))
        switch action.operation {
        case .float: values.number(action.node, short, digits: action.number)
        case .floatDouble: values.double(action.node, value: Double(short))
        default: values.double(action.node, value: Double(bitPattern: word))
        }
        return start &+ size
    }

    private func symbol(_ action: AvroAction, _ start: Int) -> Int {
        let (value, next) = int(start)
        guard next >= 0 else { return next }
        guard (0..<Int64(action.partCount)).contains(value) else { return ~start }
        let symbol = action.firstPart &+ Int(value)
        let first = tables.symbolEnds[symbol]
        values.appendText(
            action.node,
            Array(
                UnsafeBufferPointer(
                    start: tables.symbolBytes + first,
                    count: tables.symbolEnds[symbol &+ 1] &- first)))
        return next
    }

    /// A big-endian number in two's complement.
    private func decimal(_ action: AvroAction, _ bytes: UnsafeBufferPointer<UInt8>) {
        let sign: UInt8 = (bytes.first ?? 0) & 0x80 == 0 ? 0 : 0xFF
        let digits = bytes.drop { $0 == sign }
        var value: Int128 = sign == 0 ? 0 : -1
        for byte in digits { value = value &<< 8 | Int128(byte) }
        guard digits.count < 16 || digits.count == 16 && (value < 0) == (sign != 0) else {
            return values.refuse(.outOfRange, action.node)
        }
        if action.operation == .decimal {
            values.whole(action.node, value, digits: action.number)
        } else {
            var written = ByteWriter(capacity: 48)
            Decimal.write(value, scale: action.number, to: &written)
            let text = String(decoding: written.array(), as: UTF8.self)
            values.double(action.node, value: Double(text) ?? .infinity)
        }
    }

    /// Months, days and milliseconds; a month has no length of its own.
    private func calendar(_ node: Int, _ start: Int) {
        func number(_ word: Int) -> Int64 {
            Int64(UInt32(truncatingIfNeeded: UInt64(littleEndian: text.load(start + word * 4))))
        }
        let (days, overflow) = number(1).multipliedReportingOverflow(by: 86_400_000_000)
        let (sum, overflowSum) = days.addingReportingOverflow(number(2) * 1000)
        guard number(0) == 0, !overflow, !overflowSum else {
            return values.refuse(.outOfRange, node)
        }
        nodes[node].append(sum)
    }

    /// The text of 16 bytes, as RFC 9562 writes it.
    private static func uuid(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text.append(0x2D) }
            for digit in [byte >> 4, byte & 15] {
                text.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
            }
        }
        return text
    }
}
