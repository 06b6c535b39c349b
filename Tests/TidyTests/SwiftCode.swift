/// Swift source with comments and the contents of string literals turned to spaces.
///
/// Offsets and line ends stay, so a position in `bytes` is one in the file. Code inside `\( )`
/// stays. Bare-slash regular expressions are not known; the project has none.
struct SwiftCode {
    private(set) var bytes: [UInt8]

    private enum Mode {
        /// Code, inside an interpolation when `closing` (then with so many open parentheses).
        case code(depth: Int)
        case string(pounds: Int, multiline: Bool)
    }

    init(_ source: [UInt8]) {
        bytes = source
        var modes: [Mode] = [.code(depth: 0)]
        var index = 0
        while index < bytes.count, let mode = modes.last {
            switch mode {
            case .code(let depth):
                index = scanCode(at: index, depth: depth, modes: &modes)
            case .string(let pounds, let multiline):
                index = scanString(at: index, pounds: pounds, multiline: multiline, modes: &modes)
            }
        }
    }

    /// Code by lines.
    var lines: [Substring] {
        String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
    }

    private mutating func scanCode(at start: Int, depth: Int, modes: inout [Mode]) -> Int {
        let byte = bytes[start]
        if starts("//", at: start) {
            var end = start
            while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
            return blank(start, end)
        }
        if starts("/*", at: start) { return blank(start, endOfBlockComment(from: start)) }
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "#") {
            var quote = start
            while quote < bytes.count, bytes[quote] == UInt8(ascii: "#") { quote += 1 }
            guard quote < bytes.count, bytes[quote] == UInt8(ascii: "\"") else { return quote }
            let multiline = starts("\"\"\"", at: quote)
            modes.append(.string(pounds: quote - start, multiline: multiline))
            return quote + (multiline ? 3 : 1)
        }
        // Only the parentheses of an interpolation are counted; the outermost code has none.
        if modes.count > 1 {
            if byte == UInt8(ascii: "(") { modes[modes.count - 1] = .code(depth: depth + 1) }
            if byte == UInt8(ascii: ")") {
                if depth == 1 {
                    modes.removeLast()
                } else {
                    modes[modes.count - 1] = .code(depth: depth - 1)
                }
            }
        }
        return start + 1
    }

    private mutating func scanString(
        at start: Int, pounds: Int, multiline: Bool, modes: inout [Mode]
    ) -> Int {
        let marks = String(repeating: "#", count: pounds)
        if starts("\\" + marks, at: start) {
            let next = start + 1 + pounds
            if starts("(", at: next) {
                _ = blank(start, next)
                modes.append(.code(depth: 1))
                return next + 1
            }
            return blank(start, min(next + 1, bytes.count))
        }
        let quotes = multiline ? "\"\"\"" : "\""
        if starts(quotes + marks, at: start) {
            modes.removeLast()
            return start + quotes.utf8.count + pounds
        }
        if !multiline, bytes[start] == UInt8(ascii: "\n") { modes.removeLast() }
        return blank(start, start + 1)
    }

    private func endOfBlockComment(from start: Int) -> Int {
        var depth = 0
        var index = start
        while index < bytes.count {
            if starts("/*", at: index) {
                depth += 1
                index += 2
            } else if starts("*/", at: index) {
                depth -= 1
                index += 2
                if depth == 0 { return index }
            } else {
                index += 1
            }
        }
        return bytes.count
    }

    private mutating func blank(_ start: Int, _ end: Int) -> Int {
        for index in start..<end where bytes[index] != UInt8(ascii: "\n") {
            bytes[index] = UInt8(ascii: " ")
        }
        return end
    }

    private func starts(_ text: String, at index: Int) -> Bool {
        var position = index
        for byte in text.utf8 {
            guard position < bytes.count, bytes[position] == byte else { return false }
            position += 1
        }
        return true
    }
}
