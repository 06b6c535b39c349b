// String and bytes literals: quotes, triple quotes, raw, escapes.

extension Lexer {
    /// A string or bytes literal when one starts here, else nil without moving.
    mutating func stringLiteral() -> Token.Kind? {
        let start = index
        var ahead = 0
        var isRaw = false
        var isBytes = false
        while ahead < 2, let scalar = peek(ahead) {
            if !isRaw, scalar == "r" || scalar == "R" {
                isRaw = true
            } else if !isBytes, scalar == "b" || scalar == "B" {
                isBytes = true
            } else {
                break
            }
            ahead += 1
        }
        guard let quote = peek(ahead), quote == "'" || quote == "\"" else { return nil }
        index += ahead + 1
        let isTriple = peek() == quote && peek(1) == quote
        if isTriple { index += 2 }
        var content = Content(isBytes: isBytes)
        while let scalar = peek() {
            if scalar == quote, !isTriple || (peek(1) == quote && peek(2) == quote) {
                index += isTriple ? 3 : 1
                return content.token
            }
            if !isTriple, scalar == "\n" || scalar == "\r" { break }
            if scalar == "\\", !isRaw {
                escape(into: &content)
            } else {
                content.append(scalar)
                index += 1
            }
        }
        fail(
            start, "the string does not end",
            hint: "close it with \(isTriple ? "three of " : "")\(quote)")
        return content.token
    }

    private struct Content {
        let isBytes: Bool
        var text = String.UnicodeScalarView()
        var bytes: [UInt8] = []

        mutating func append(_ scalar: Unicode.Scalar) {
            if isBytes {
                bytes += Array(String(Character(scalar)).utf8)
            } else {
                text.append(scalar)
            }
        }

        var token: Token.Kind { isBytes ? .bytes(bytes) : .string(String(text)) }
    }

    private mutating func escape(into content: inout Content) {
        let start = index
        index += 1
        guard let scalar = peek() else { return }
        index += 1
        switch scalar {
        case "a": content.append("\u{07}")
        case "b": content.append("\u{08}")
        case "f": content.append("\u{0C}")
        case "n": content.append("\n")
        case "r": content.append("\r")
        case "t": content.append("\t")
        case "v": content.append("\u{0B}")
        case "\\", "?", "\"", "'", "`": content.append(scalar)
        case "x", "X": code(start, digits: 2, radix: 16, into: &content)
        case "u": code(start, digits: 4, radix: 16, into: &content)
        case "U": code(start, digits: 8, radix: 16, into: &content)
        case "0", "1", "2", "3":
            index -= 1
            code(start, digits: 3, radix: 8, into: &content)
        default:
            fail(
                start, "\\\(Character(scalar)) is no escape",
                hint: "write \\\\ for a backslash, or a raw string r'…'")
        }
    }

    private mutating func code(
        _ start: Int, digits: Int, radix: Int, into content: inout Content
    ) {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let scalar = peek(), let digit = Character(scalar).hexDigitValue, digit < radix
            else {
                fail(start, "this escape needs \(digits) digits")
                return
            }
            value = value &* UInt32(radix) &+ UInt32(digit)
            index += 1
        }
        if content.isBytes, digits <= 3 {
            guard value <= 255 else {
                fail(start, "a byte is at most 255")
                return
            }
            content.bytes.append(UInt8(value))
        } else if content.isBytes {
            fail(start, "bytes take \\x and octal escapes only")
        } else if let scalar = Unicode.Scalar(value) {
            content.append(scalar)
        } else {
            fail(start, "this is no Unicode character")
        }
    }
}
