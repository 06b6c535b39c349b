/// A word or one punctuation byte of Swift code.
struct SwiftToken {
    var text: String
    /// From 1.
    var line: Int
    var startsLine: Bool
    /// No space before it.
    var isAttached: Bool

    /// The tokens of code whose comments and strings are blank.
    static func scan(_ code: SwiftCode) -> [SwiftToken] {
        var tokens: [SwiftToken] = []
        var line = 1
        var startsLine = true
        var isAttached = false
        var index = 0
        let bytes = code.bytes
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\n") {
                line += 1
                startsLine = true
            }
            if byte <= UInt8(ascii: " ") {
                isAttached = false
                index += 1
                continue
            }
            var end = index + 1
            if isWord(byte) {
                while end < bytes.count, isWord(bytes[end]) { end += 1 }
            }
            let text = String(decoding: bytes[index..<end], as: UTF8.self)
            tokens.append(
                SwiftToken(text: text, line: line, startsLine: startsLine, isAttached: isAttached))
            isAttached = true
            startsLine = false
            index = end
        }
        return tokens
    }

    /// Whether a byte can be part of an identifier.
    static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default:
            false
        }
    }
}
