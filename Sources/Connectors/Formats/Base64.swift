import Primitives

/// Base64 with the standard alphabet and padding (RFC 4648 §4).
enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The bytes of a text, or nil when it is not canonical base64: wrong characters, missing
    /// padding, or bits left over. O(length).
    static func decode(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let padding = text.suffix(2).reversed().prefix { $0 == 0x3D }.count
        var result: [UInt8] = []
        result.reserveCapacity(text.count / 4 * 3)
        var bits: UInt32 = 0
        var bitCount = 0
        for character in text.dropLast(padding) {
            let digit: UInt8
            switch character {
            case 0x41...0x5A: digit = character - 0x41
            case 0x61...0x7A: digit = character - 0x61 + 26
            case 0x30...0x39: digit = character - 0x30 + 52
            case 0x2B: digit = 62
            case 0x2F: digit = 63
            default: return nil
            }
            bits = bits << 6 | UInt32(digit)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
            bits &= (1 << UInt32(bitCount)) - 1
        }
        return bits == 0 ? result : nil
    }

    /// Writes the text of some bytes.
    static func encode(_ bytes: Span<UInt8>, to text: inout ByteWriter) {
        var index = 0
        while index < bytes.count {
            let count = min(3, bytes.count - index)
            var word = UInt32(bytes[index]) << 16
            if count > 1 { word |= UInt32(bytes[index + 1]) << 8 }
            if count > 2 { word |= UInt32(bytes[index + 2]) }
            for digit in 0..<4 {
                let value = Int(word >> UInt32(18 - 6 * digit) & 63)
                text.put(digit <= count ? alphabet[value] : 0x3D)
            }
            index += count
        }
    }
}
