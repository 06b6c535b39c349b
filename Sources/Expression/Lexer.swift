/// One token and where it starts.
struct Token {
    enum Kind: Equatable {
        case int(String)
        case uint(String)
        case double(String)
        case string(String)
        case bytes([UInt8])
        case name(String)
        /// A name in backquotes: a field with any characters.
        case quotedName(String)
        case symbol(String)
        case end
    }

    let kind: Kind
    /// Unicode scalars from the start of the expression.
    let offset: Int
}

/// Splits an expression into tokens. Source: cel-spec, "Syntax".
struct Lexer {
    let scalars: [Unicode.Scalar]
    var index = 0
    private(set) var errors: [ExpressionError] = []

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    /// All tokens, the last one `.end`.
    mutating func tokens() -> [Token] {
        var result: [Token] = []
        while true {
            skipSpace()
            let start = index
            guard index < scalars.count else {
                result.append(Token(kind: .end, offset: start))
                return result
            }
            if let kind = next() { result.append(Token(kind: kind, offset: start)) }
        }
    }

    mutating func fail(_ offset: Int, _ message: String, hint: String? = nil) {
        errors.append(ExpressionError(offset: offset, message: message, hint: hint))
    }

    func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
        index + ahead < scalars.count ? scalars[index + ahead] : nil
    }

    private mutating func skipSpace() {
        while let scalar = peek() {
            if scalar == "/", peek(1) == "/" {
                while let scalar = peek(), scalar != "\n" { index += 1 }
            } else if scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r"
                || scalar == "\u{0C}"
            {
                index += 1
            } else {
                return
            }
        }
    }

    private mutating func next() -> Token.Kind? {
        guard let scalar = peek() else { return nil }
        if isDigit(scalar) || (scalar == "." && peek(1).map(isDigit) == true) { return number() }
        if let kind = stringLiteral() { return kind }
        if isLetter(scalar) { return .name(word()) }
        if scalar == "`" { return quotedName() }
        for symbol in ["||", "&&", "==", "!=", "<=", ">="] {
            let parts = Array(symbol.unicodeScalars)
            if scalar == parts[0], peek(1) == parts[1] {
                index += 2
                return .symbol(symbol)
            }
        }
        if "<>+-*/%!?:.,()[]{}".unicodeScalars.contains(scalar) {
            index += 1
            return .symbol(String(Character(scalar)))
        }
        let hint: String? =
            switch scalar {
            case "=": "write == to compare"
            case "&": "write && for and"
            case "|": "write || for or"
            default: nil
            }
        fail(index, "unexpected character '\(Character(scalar))'", hint: hint)
        index += 1
        return nil
    }

    private mutating func word() -> String {
        var text = String.UnicodeScalarView()
        while let scalar = peek(), isLetter(scalar) || isDigit(scalar) {
            text.append(scalar)
            index += 1
        }
        return String(text)
    }

    private mutating func quotedName() -> Token.Kind? {
        let start = index
        index += 1
        var text = String.UnicodeScalarView()
        while let scalar = peek(), scalar != "`", scalar != "\n" {
            text.append(scalar)
            index += 1
        }
        guard peek() == "`" else {
            fail(start, "the name in backquotes does not end", hint: "close it with `")
            return nil
        }
        index += 1
        return .quotedName(String(text))
    }

    private mutating func number() -> Token.Kind? {
        let start = index
        var text = ""
        if peek() == "0", peek(1) == "x" || peek(1) == "X" {
            index += 2
            text = "0x"
            while let scalar = peek(), scalar.properties.isASCIIHexDigit {
                text.unicodeScalars.append(scalar)
                index += 1
            }
            guard text.count > 2 else {
                fail(start, "a hexadecimal number needs digits after 0x")
                return nil
            }
            return integerSuffix(text)
        }
        var isDouble = false
        digits(into: &text)
        if peek() == ".", peek(1).map(isDigit) == true {
            isDouble = true
            text = text.isEmpty ? "0." : text + "."
            index += 1
            digits(into: &text)
        }
        if let exponent = exponentText() {
            isDouble = true
            text += exponent
        }
        return isDouble ? .double(text) : integerSuffix(text)
    }

    private mutating func integerSuffix(_ text: String) -> Token.Kind {
        guard peek() == "u" || peek() == "U" else { return .int(text) }
        index += 1
        return .uint(text)
    }

    private mutating func digits(into text: inout String) {
        while let scalar = peek(), isDigit(scalar) {
            text.unicodeScalars.append(scalar)
            index += 1
        }
    }

    private mutating func exponentText() -> String? {
        guard peek() == "e" || peek() == "E" else { return nil }
        let signed = peek(1) == "+" || peek(1) == "-"
        guard peek(signed ? 2 : 1).map(isDigit) == true else { return nil }
        var text = "e"
        if signed, peek(1) == "-" { text += "-" }
        index += signed ? 2 : 1
        digits(into: &text)
        return text
    }

    private func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar >= "0" && scalar <= "9" }

    private func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || (scalar >= "a" && scalar <= "z") || (scalar >= "A" && scalar <= "Z")
    }
}
