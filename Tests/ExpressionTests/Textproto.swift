/// A parser of protobuf text format, enough for the conformance files.
/// Source: https://protobuf.dev/reference/protobuf/textformat-spec/
indirect enum TextValue {
    /// Bytes of one or more adjacent string literals.
    case string([UInt8])
    /// A number or a name.
    case word(String)
    case message(TextMessage)

    var message: TextMessage? {
        if case .message(let message) = self { message } else { nil }
    }

    var word: String? {
        if case .word(let word) = self { word } else { nil }
    }

    var bytes: [UInt8]? {
        if case .string(let bytes) = self { bytes } else { nil }
    }

    var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
}

struct TextMessage {
    var fields: [(name: String, value: TextValue)] = []

    subscript(_ name: String) -> TextValue? { fields.first { $0.name == name }?.value }

    func all(_ name: String) -> [TextValue] { fields.filter { $0.name == name }.map(\.value) }
}

struct TextprotoError: Error {
    let offset: Int
}

struct TextprotoParser {
    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func file() throws -> TextMessage {
        let message = try fields(until: nil)
        guard index == bytes.count else { throw TextprotoError(offset: index) }
        return message
    }

    private mutating func skip() {
        while index < bytes.count {
            if bytes[index] == 35 {  // '#'
                while index < bytes.count, bytes[index] != 10 { index += 1 }
            } else if bytes[index] <= 32 || bytes[index] == 44 || bytes[index] == 59 {
                index += 1
            } else {
                return
            }
        }
    }

    private func peek() -> UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func fields(until end: UInt8?) throws -> TextMessage {
        var message = TextMessage()
        while true {
            skip()
            guard let next = peek() else {
                guard end == nil else { throw TextprotoError(offset: index) }
                return message
            }
            if next == end {
                index += 1
                return message
            }
            let name = try fieldName()
            skip()
            if peek() == 58 {  // ':'
                index += 1
                skip()
            }
            if peek() == 91 {  // '['
                index += 1
                skip()
                while peek() != 93 {
                    message.fields.append((name, try value()))
                    skip()
                }
                index += 1
            } else {
                message.fields.append((name, try value()))
            }
        }
    }

    private mutating func fieldName() throws -> String {
        if peek() == 91 {
            let start = index
            while let byte = peek(), byte != 93 {
                index += 1
                _ = byte
            }
            index += 1
            return String(decoding: bytes[start..<index], as: UTF8.self)
        }
        return try word()
    }

    private mutating func word() throws -> String {
        let start = index
        while let byte = peek(),
            (byte >= 48 && byte <= 57) || (byte | 32 >= 97 && byte | 32 <= 122) || byte == 95
                || byte == 46 || byte == 45 || byte == 43
        {
            index += 1
        }
        guard index > start else { throw TextprotoError(offset: index) }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func value() throws -> TextValue {
        switch peek() {
        case 123, 60:  // '{', '<'
            let end: UInt8 = peek() == 123 ? 125 : 62
            index += 1
            return .message(try fields(until: end))
        case 34, 39:
            var result: [UInt8] = []
            while peek() == 34 || peek() == 39 {
                result += try string()
                skip()
            }
            return .string(result)
        default: return .word(try word())
        }
    }

    private mutating func string() throws -> [UInt8] {
        let quote = bytes[index]
        index += 1
        var result: [UInt8] = []
        while let byte = peek(), byte != quote {
            index += 1
            guard byte == 92 else {
                result.append(byte)
                continue
            }
            try escape(into: &result)
        }
        index += 1
        return result
    }

    private mutating func escape(into result: inout [UInt8]) throws {
        guard let byte = peek() else { throw TextprotoError(offset: index) }
        index += 1
        switch byte {
        case 97: result.append(7)
        case 98: result.append(8)
        case 102: result.append(12)
        case 110: result.append(10)
        case 114: result.append(13)
        case 116: result.append(9)
        case 118: result.append(11)
        case 120, 88: result.append(UInt8(truncatingIfNeeded: number(radix: 16, atMost: 2)))
        case 117: append(scalar: number(radix: 16, atMost: 4), to: &result)
        case 85: append(scalar: number(radix: 16, atMost: 8), to: &result)
        case 48...55:
            index -= 1
            result.append(UInt8(truncatingIfNeeded: number(radix: 8, atMost: 3)))
        default: result.append(byte)
        }
    }

    private mutating func number(radix: Int, atMost count: Int) -> Int {
        var value = 0
        var taken = 0
        while taken < count, let byte = peek(),
            let digit = Character(Unicode.Scalar(byte)).hexDigitValue, digit < radix
        {
            value = value * radix + digit
            index += 1
            taken += 1
        }
        return value
    }

    private func append(scalar: Int, to result: inout [UInt8]) {
        guard let scalar = Unicode.Scalar(UInt32(scalar)) else { return }
        result += Array(String(Character(scalar)).utf8)
    }
}
