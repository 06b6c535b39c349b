/// Whether bytes are one JSON text by the grammar of RFC 8259, byte by byte, in UTF-8, without
/// lone surrogates: slow and obvious, an oracle beside simdjson that has no limits on numbers.
struct SlowJSON {
    private let bytes: [UInt8]
    private var position = 0

    static func isValid(_ bytes: [UInt8]) -> Bool {
        guard String(validating: bytes, as: UTF8.self) != nil else { return false }
        var parser = SlowJSON(bytes: bytes)
        parser.space()
        guard parser.value() else { return false }
        parser.space()
        return parser.position == bytes.count
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: Character? {
        position < bytes.count ? Character(Unicode.Scalar(bytes[position])) : nil
    }

    private mutating func take(_ character: Character) -> Bool {
        guard next == character else { return false }
        position += 1
        return true
    }

    private mutating func space() {
        while let next, [" ", "\t", "\n", "\r"].contains(next) { position += 1 }
    }

    private mutating func value() -> Bool {
        switch next {
        case "{": return members(close: "}", named: true)
        case "[": return members(close: "]", named: false)
        case "\"": return string()
        case "t": return "true".allSatisfy { take($0) }
        case "f": return "false".allSatisfy { take($0) }
        case "n": return "null".allSatisfy { take($0) }
        default: return number()
        }
    }

    private mutating func members(close: Character, named: Bool) -> Bool {
        position += 1
        space()
        if take(close) { return true }
        while true {
            space()
            if named {
                guard next == "\"", string() else { return false }
                space()
                guard take(":") else { return false }
                space()
            }
            guard value() else { return false }
            space()
            if take(close) { return true }
            guard take(",") else { return false }
        }
    }

    private mutating func digits() -> Bool {
        let start = position
        while let next, ("0"..."9").contains(next) { position += 1 }
        return position > start
    }

    private mutating func number() -> Bool {
        _ = take("-")
        if !take("0") { guard digits() else { return false } }
        if take(".") { guard digits() else { return false } }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard digits() else { return false }
        }
        return true
    }

    private mutating func unit() -> UInt32? {
        guard position + 4 <= bytes.count else { return nil }
        let text = String(decoding: bytes[position..<position + 4], as: UTF8.self)
        guard text.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
        position += 4
        return UInt32(text, radix: 16)
    }

    private mutating func string() -> Bool {
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == 0x22 { return true }
            if byte < 0x20 { return false }
            guard byte == 0x5C else { continue }
            guard let escape = next else { return false }
            position += 1
            if "\"\\/bfnrt".contains(escape) { continue }
            guard escape == "u", let first = unit() else { return false }
            if (0xDC00...0xDFFF).contains(first) { return false }
            if (0xD800...0xDBFF).contains(first) {
                guard take("\\"), take("u"), let second = unit(),
                    (0xDC00...0xDFFF).contains(second)
                else { return false }
            }
        }
        return false
    }
}
