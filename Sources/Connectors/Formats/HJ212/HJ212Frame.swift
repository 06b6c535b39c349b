import Primitives

/// The header fields of an HJ 212 frame, in the order of the standard.
enum HJ212Header: Int, CaseIterable {
    case qn, st, cn, pw, mn, flag, pnum, pno

    var name: String {
        switch self {
        case .qn: "QN"
        case .st: "ST"
        case .cn: "CN"
        case .pw: "PW"
        case .mn: "MN"
        case .flag: "Flag"
        case .pnum: "PNUM"
        case .pno: "PNO"
        }
    }
}

/// One HJ 212 frame taken apart: where its fields stand in the bytes it was parsed from.
///
/// `##`, four digits of length, data segment, four hexadecimal digits of CRC, CR LF. The data
/// segment is `QN=…;ST=…;CN=…;PW=…;MN=…;Flag=…;[PNUM=…;PNO=…;]CP=&&items&&`; items are joined by
/// `;`, the values of one item by `,` (HJ 212-2017 §6.3). Used again from frame to frame.
package struct HJ212Frame {
    /// Why bytes are not a usable frame.
    enum Failure: Error, Equatable {
        case malformed(String)
        case crc(String)
    }

    struct Item {
        var name: Range<Int>
        var value: Range<Int>
    }

    /// Versions by the upper six bits of Flag.
    static let version2025 = 2

    /// Empty where the frame does not have the field.
    private(set) var header = [Range<Int>](repeating: 0..<0, count: HJ212Header.allCases.count)
    private(set) var items: [Item] = []
    var tags = HJ212Tags()
    /// 0 for 2005, 1 for 2017, 2 for 2025; nil when Flag is absent or unreadable.
    private(set) var version: Int?

    package init() {}

    /// The bytes of a frame around a data segment, with CR LF.
    package static func encode(dataSegment: [UInt8]) -> [UInt8] {
        var length = Array(String(dataSegment.count).utf8)
        while length.count < 4 { length.insert(0x30, at: 0) }
        let crc = hex(HJ212CRC.checksum(dataSegment.span))
        return [0x23, 0x23] + length + dataSegment + Array(crc.utf8) + [0x0D, 0x0A]
    }

    static func hex(_ value: UInt16) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    func has(_ field: HJ212Header) -> Bool { !header[field.rawValue].isEmpty }

    // MARK: Framing

    /// Takes a frame apart, with or without its CR LF. O(length), plus items² for duplicates.
    mutating func parse(_ bytes: Span<UInt8>) throws(Failure) {
        for field in header.indices { header[field] = 0..<0 }
        items.removeAll(keepingCapacity: true)
        tags = HJ212Tags()
        version = nil
        let data = try dataSegment(bytes)
        try checkCRC(bytes, data)
        try parseSegment(bytes, data)
        tagHeader(bytes)
    }

    private mutating func dataSegment(_ bytes: Span<UInt8>) throws(Failure) -> Range<Int> {
        var end = bytes.count
        while end > 0, bytes[end - 1] == 0x0A || bytes[end - 1] == 0x0D { end -= 1 }
        guard end >= 2, bytes[0] == 0x23, bytes[1] == 0x23 else {
            throw .malformed("not an HJ 212 frame: it does not start with ##")
        }
        var digits = 0
        var stated = [0, 0, 0, 0, 0]
        while digits < 4, 2 + digits < end, bytes[2 + digits] &- 0x30 < 10 {
            stated[digits + 1] = stated[digits] * 10 + Int(bytes[2 + digits]) - 0x30
            digits += 1
        }
        guard digits >= 3 else { throw .malformed("no length of three or four digits after ##") }
        if digits == 4, stated[4] == end - 10 { return 6..<end - 4 }
        if stated[3] == end - 9, end >= 9 {
            tags.insert(.shortLength)
            return 5..<end - 4
        }
        throw .malformed(
            "the length field says \(stated[digits]) bytes, the frame has "
                + "\(max(0, end - 6 - digits))")
    }

    private mutating func checkCRC(_ bytes: Span<UInt8>, _ data: Range<Int>) throws(Failure) {
        var found: UInt16 = 0
        for index in data.upperBound..<data.upperBound + 4 {
            let character = bytes[index]
            switch character {
            case 0x30...0x39: found = found << 4 | UInt16(character - 0x30)
            case 0x41...0x46: found = found << 4 | UInt16(character - 0x41 + 10)
            case 0x61...0x66:
                found = found << 4 | UInt16(character - 0x61 + 10)
                tags.insert(.lowerCaseCRC)
            default: throw .malformed("the CRC is not four hexadecimal digits")
            }
        }
        let segment = bytes.extracting(data)
        let expected = HJ212CRC.checksum(segment)
        guard found != expected else { return }
        let modbus = HJ212CRC.modbus(segment)
        let isModbus = found == modbus || found == modbus.byteSwapped
        throw .crc(
            "the CRC is \(Self.hex(found)), the data give \(Self.hex(expected))"
                + (isModbus ? "; \(Self.hex(found)) is their Modbus CRC-16, a common mistake" : ""))
    }

    // MARK: Data segment

    private mutating func parseSegment(
        _ bytes: Span<UInt8>, _ data: Range<Int>
    ) throws(Failure) {
        var position = data.lowerBound
        while position < data.upperBound {
            if starts(bytes, position, data.upperBound, "CP=&&") {
                let close = lastAmpersands(bytes, position + 5..<data.upperBound)
                guard let close else { throw .malformed("CP=&& has no closing &&") }
                parseHeader(bytes, data.lowerBound..<position, isAfterData: false)
                parseHeader(bytes, close + 2..<data.upperBound, isAfterData: true)
                readVersion(bytes)
                parseData(bytes, position + 5..<close)
                return
            }
            while position < data.upperBound, bytes[position] != 0x3B { position += 1 }
            position += 1
        }
        throw .malformed("there is no CP=&&")
    }

    private func starts(
        _ bytes: Span<UInt8>, _ position: Int, _ end: Int, _ text: StaticString
    ) -> Bool {
        let count = text.utf8CodeUnitCount
        guard position + count <= end else { return false }
        for index in 0..<count where bytes[position + index] != text.utf8Start[index] {
            return false
        }
        return true
    }

    /// Where the last `&&` of a range begins.
    private func lastAmpersands(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        var position = range.upperBound - 2
        while position >= range.lowerBound {
            if bytes[position] == 0x26, bytes[position + 1] == 0x26 { return position }
            position -= 1
        }
        return nil
    }

    private mutating func parseHeader(
        _ bytes: Span<UInt8>, _ range: Range<Int>, isAfterData: Bool
    ) {
        var start = range.lowerBound
        while start < range.upperBound {
            var end = start
            while end < range.upperBound, bytes[end] != 0x3B { end += 1 }
            if end > start {
                if isAfterData { tags.insert(.headerAfterData) }
                guard let item = split(bytes, start..<end), setHeader(bytes, item) else {
                    tags.insert(.badItem)
                    start = end + 1
                    continue
                }
            }
            start = end + 1
        }
    }

    /// Notes a header field; false for a name that is none.
    private mutating func setHeader(_ bytes: Span<UInt8>, _ item: Item) -> Bool {
        for field in HJ212Header.allCases where equals(bytes, item.name, field.name) {
            if has(field) {
                tags.insert(.duplicateItem)
            } else if item.value.isEmpty {
                tags.insert(field == .mn ? .emptyMN : .emptyValue)
                // Empty, but not absent: it stands somewhere.
                header[field.rawValue] = item.value
            } else {
                header[field.rawValue] = item.value
            }
            return true
        }
        return false
    }

    private mutating func readVersion(_ bytes: Span<UInt8>) {
        let range = header[HJ212Header.flag.rawValue]
        var flag = 0
        for index in range {
            guard bytes[index] &- 0x30 < 10, flag < 1000 else { return }
            flag = flag * 10 + Int(bytes[index]) - 0x30
        }
        guard !range.isEmpty else { return }
        version = flag >> 2
        if flag >> 2 > Self.version2025 { tags.insert(.unknownVersion) }
        if flag & 2 != 0, !has(.pnum) || !has(.pno) { tags.insert(.splitFlagWithoutPacket) }
        if flag & 2 == 0, has(.pnum) || has(.pno) { tags.insert(.packetWithoutSplitFlag) }
    }

    private mutating func parseData(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        guard !range.isEmpty else { return }
        if version == Self.version2025, !isPlain(bytes, range) {
            tags.insert(.encrypted)
            return
        }
        var start = range.lowerBound
        while start <= range.upperBound {
            var end = start
            while end < range.upperBound, bytes[end] != 0x3B, bytes[end] != 0x2C { end += 1 }
            if end == start {
                tags.insert(end == range.upperBound ? .trailingSemicolon : .emptyItem)
            } else if let item = split(bytes, start..<end) {
                add(bytes, item)
            } else {
                tags.insert(.badItem)
            }
            start = end + 1
        }
    }

    /// Whether data are items, not the SM4 ciphertext of HJ 212-2025: the first one has a short
    /// name of letters, digits, `-` and `_`, and a value that is not base64's padding.
    private func isPlain(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        for index in range {
            switch bytes[index] {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: continue
            case 0x3D:
                return index > range.lowerBound && index - range.lowerBound <= 32
                    && index + 1 < range.upperBound && bytes[index + 1] > 0x20
                    && bytes[index + 1] < 0x7F && bytes[index + 1] != 0x3D
            default: return false
            }
        }
        return false
    }

    private mutating func add(_ bytes: Span<UInt8>, _ item: Item) {
        for other in items where equals(bytes, item.name, bytes, other.name) {
            // The first one counts.
            tags.insert(.duplicateItem)
            return
        }
        if item.value.isEmpty { tags.insert(.emptyValue) }
        if !HJ212Names.isKnown(bytes.extracting(item.name)) { tags.insert(.unknownSuffix) }
        items.append(item)
    }

    /// `name=value`, or nil without a name or an equals sign.
    private func split(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Item? {
        for index in range where bytes[index] == 0x3D {
            guard index > range.lowerBound else { return nil }
            return Item(name: range.lowerBound..<index, value: index + 1..<range.upperBound)
        }
        return nil
    }

    private mutating func tagHeader(_ bytes: Span<UInt8>) {
        if !has(.qn) { tags.insert(.missingQN) }
        if !has(.flag) { tags.insert(.missingFlag) }
        let mn = header[HJ212Header.mn.rawValue]
        if mn.lowerBound == 0 {
            tags.insert(.missingMN)
        } else if !mn.isEmpty, version != Self.version2025 {
            var isRegular = mn.count == 24
            for index in mn {
                let byte = bytes[index]
                if byte &- 0x30 >= 10, (byte | 0x20) &- 0x61 >= 6 { isRegular = false }
            }
            if !isRegular { tags.insert(.irregularMN) }
        }
    }

    private func equals(_ bytes: Span<UInt8>, _ range: Range<Int>, _ text: String) -> Bool {
        guard range.count == text.utf8.count else { return false }
        var index = range.lowerBound
        for byte in text.utf8 {
            if bytes[index] != byte { return false }
            index += 1
        }
        return true
    }

    private func equals(
        _ a: Span<UInt8>, _ first: Range<Int>, _ b: Span<UInt8>, _ second: Range<Int>
    ) -> Bool {
        guard first.count == second.count else { return false }
        for offset in 0..<first.count
        where a[first.lowerBound + offset] != b[second.lowerBound + offset] {
            return false
        }
        return true
    }

    /// The value of the item with a name, or nil. O(items).
    func value(of name: [UInt8], _ bytes: Span<UInt8>) -> Range<Int>? {
        let wanted = name.span
        for item in items
        where equals(bytes, item.name, wanted, 0..<wanted.count) {
            return item.value
        }
        return nil
    }

    /// The value of a header field, empty ones included; nil when the frame does not have it.
    func value(of field: HJ212Header) -> Range<Int>? {
        let range = header[field.rawValue]
        return range.lowerBound == 0 ? nil : range
    }
}
