/// Reads JSON text into a ``JSONValue``, digits as written. For tests and tools, not for rows.
///
/// Source: RFC 8259.
package struct JSONReader {
    private let bytes: [UInt8]
    private var index = 0
    private static let maximumDepth = 200

    /// The value, or nil when the text is not one JSON value. O(length).
    package static func read(_ text: String) -> JSONValue? {
        var reader = JSONReader(bytes: Array(text.utf8))
        guard let value = reader.value(depth: 0) else { return nil }
        reader.skipBlanks()
        return reader.index == reader.bytes.count ? value : nil
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipBlanks() {
        while let byte = current, byte == 32 || byte == 9 || byte == 10 || byte == 13 { index += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipBlanks()
        guard current == byte else { return false }
        index += 1
        return true
    }

    private mutating func word(_ text: String, _ value: JSONValue) -> JSONValue? {
        let utf8 = Array(text.utf8)
        guard bytes[index...].starts(with: utf8) else { return nil }
        index += utf8.count
        return value
    }

    private mutating func value(depth: Int) -> JSONValue? {
        guard depth < JSONReader.maximumDepth else { return nil }
        skipBlanks()
        switch current {
        case 0x7B: return object(depth)
        case 0x5B: return array(depth)
        case 0x22: return string().map { .string($0) }
        case 0x74: return word("true", .bool(true))
        case 0x66: return word("false", .bool(false))
        case 0x6E: return word("null", .null)
        default: return number()
        }
    }

    private mutating func object(_ depth: Int) -> JSONValue? {
        index += 1
        var members: [JSONValue.Member] = []
        if take(0x7D) { return .object([]) }
        repeat {
            skipBlanks()
            guard current == 0x22, let name = string(), take(0x3A),
                let value = value(depth: depth + 1)
            else { return nil }
            members.append(.init(name, value))
        } while take(0x2C)
        return take(0x7D) ? .object(members) : nil
    }

    private mutating func array(_ depth: Int) -> JSONValue? {
        index += 1
        var items: [JSONValue] = []
        if take(0x5D) { return .array([]) }
        repeat {
            guard let value = value(depth: depth + 1) else { return nil }
            items.append(value)
        } while take(0x2C)
        return take(0x5D) ? .array(items) : nil
    }

    private mutating func number() -> JSONValue? {
        let start = index
        while let byte = current, byte &- 48 < 10 || "+-.eE".utf8.contains(byte) { index += 1 }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        return ExactNumber(text) == nil ? nil : .number(text)
    }

    private mutating func string() -> String? {
        index += 1
        var result: [UInt8] = []
        while let byte = current {
            index += 1
            switch byte {
            case 0x22: return String(validating: result, as: UTF8.self)
            case 0x5C: guard escape(into: &result) else { return nil }
            case 0..<0x20: return nil
            default: result.append(byte)
            }
        }
        return nil
    }

    private mutating func escape(into result: inout [UInt8]) -> Bool {
        guard let byte = current else { return false }
        index += 1
        switch byte {
        case 0x22, 0x5C, 0x2F: result.append(byte)
        case 0x62: result.append(8)
        case 0x66: result.append(12)
        case 0x6E: result.append(10)
        case 0x72: result.append(13)
        case 0x74: result.append(9)
        case 0x75:
            guard var code = hex() else { return false }
            if (0xD800..<0xDC00).contains(code) {
                guard index + 1 < bytes.count, bytes[index] == 0x5C, bytes[index + 1] == 0x75
                else { return false }
                index += 2
                guard let low = hex(), (0xDC00..<0xE000).contains(low) else { return false }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { return false }
            result.append(contentsOf: String(Character(scalar)).utf8)
        default: return false
        }
        return true
    }

    private mutating func hex() -> UInt32? {
        guard index + 4 <= bytes.count else { return nil }
        let text = String(decoding: bytes[index..<index + 4], as: UTF8.self)
        guard
            text.utf8.allSatisfy({
                UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || 97...102 ~= $0 | 32
            })
        else { return nil }
        index += 4
        return UInt32(text, radix: 16)
    }
}
