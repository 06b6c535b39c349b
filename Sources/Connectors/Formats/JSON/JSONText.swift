/// A JSON text in memory: what reads bytes, and the only thing that does.
///
/// Positions count from the text's start. `byte` gives 0 past the end, a byte that is valid nowhere
/// in JSON, so that scanning needs no other check; `load` may look up to ``slack`` bytes past the
/// end, which whoever makes a text must provide. Scanners return the position after what they
/// read, or, where the text is not JSON (RFC 8259), the bitwise complement of the position of the
/// offending byte: a negative number.
struct JSONText {
    private let base: UnsafePointer<UInt8>
    /// The position after the text's last byte.
    let end: Int

    /// So many bytes after the text must be readable; what stands there does not matter.
    static let slack = 40

    /// Returned instead of a position: more than ``maximumDepth`` containers inside one another.
    static let tooDeep = Int.min
    static let maximumDepth = 64

    /// A text of `count` bytes with ``slack`` readable bytes behind it.
    init(_ base: UnsafePointer<UInt8>, count: Int) {
        self.base = base
        end = count
    }

    @inline(__always)
    func byte(_ position: Int) -> UInt8 { position < end ? base[position] : 0 }

    /// Eight bytes, the first the lowest; `position` at most 32 past the end.
    @inline(__always)
    func load(_ position: Int) -> UInt64 {
        UnsafeRawPointer(base + position).loadUnaligned(as: UInt64.self)
    }

    /// The bytes of `range`, which must lie inside the text.
    func bytes(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: base + range.lowerBound, count: range.count)
    }

    /// A part of the text; what stands behind it is its slack.
    @inline(__always)
    func part(_ start: Int, count: Int) -> JSONText { JSONText(base + start, count: count) }

    /// Copies `count` bytes of the text to a place with at least 16 bytes more room than that.
    @inline(__always)
    func copy(_ position: Int, count: Int, to target: UnsafeMutablePointer<UInt8>) {
        if count <= 16 {
            let raw = UnsafeMutableRawPointer(target)
            raw.storeBytes(of: load(position), as: UInt64.self)
            raw.storeBytes(of: load(position &+ 8), toByteOffset: 8, as: UInt64.self)
        } else {
            target.update(from: base + position, count: count)
        }
    }

    /// Whether no byte has its high bit set, 32 at a time; nothing is said of shorter texts.
    private var isKnownASCII: Bool {
        guard end >= 32 else { return false }
        // The last 32 bytes first, some of which come again.
        var merged = load32(end &- 32)
        var position = 0
        while position < end &- 32 {
            merged |= load32(position)
            position &+= 32
        }
        return (merged[0] | merged[1] | merged[2] | merged[3]) & 0x8080_8080_8080_8080 == 0
    }

    @inline(__always)
    private func load32(_ position: Int) -> SIMD4<UInt64> {
        UnsafeRawPointer(base + position).loadUnaligned(as: SIMD4<UInt64>.self)
    }

    /// Whether the text is well-formed UTF-8 (Unicode 15, table 3-7).
    func isUTF8() -> Bool {
        if isKnownASCII { return true }
        var position = 0
        while position < end {
            if position &+ 8 <= end, load(position) & 0x8080_8080_8080_8080 == 0 {
                position &+= 8
                continue
            }
            let lead = byte(position)
            if lead < 0x80 {
                position &+= 1
                continue
            }
            let length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
            let second = byte(position &+ 1)
            let low: UInt8 = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80
            let high: UInt8 = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF
            guard lead >= 0xC2, lead <= 0xF4, second >= low, second <= high else { return false }
            for index in 2..<max(2, length) where byte(position &+ index) & 0xC0 != 0x80 {
                return false
            }
            position &+= length
        }
        return true
    }

    // MARK: Tokens

    @inline(__always)
    func skipSpace(_ start: Int) -> Int {
        let first = byte(start)
        if first > 0x20 { return start }
        return skipSpaces(start)
    }

    @inline(never)
    private func skipSpaces(_ start: Int) -> Int {
        var position = start
        while true {
            let next = byte(position)
            guard next == 0x20 || next == 0x0A || next == 0x0D || next == 0x09 else {
                return position
            }
            position &+= 1
        }
    }

    /// Reads past the separator that stands at `start` or after white space: a comma gives the
    /// position after it, anything else the complement of where it stands.
    @inline(__always)
    func skipComma(_ start: Int) -> Int {
        if byte(start) == 0x2C { return start &+ 1 }
        let position = skipSpace(start)
        return byte(position) == 0x2C ? position &+ 1 : ~position
    }

    /// Reads `true`, `false` or `null`, given as its bytes in a little-endian word.
    @inline(__always)
    func skipLiteral(_ start: Int, _ word: UInt64, count: Int) -> Int {
        let mask: UInt64 = (1 << UInt64(8 &* count)) &- 1
        let isThere = (load(start) ^ word) & mask == 0 && start &+ count <= end
        return isThere ? start &+ count : ~start
    }

    func skipTrue(_ start: Int) -> Int { skipLiteral(start, 0x6575_7274, count: 4) }
    func skipFalse(_ start: Int) -> Int { skipLiteral(start, 0x65_736C_6166, count: 5) }
    func skipNull(_ start: Int) -> Int { skipLiteral(start, 0x6C6C_756E, count: 4) }

    /// The first quote, backslash or control character from `start` on, or the end.
    @inline(__always)
    func scanString(_ start: Int) -> Int {
        var position = start
        while position < end {
            let word = load(position)
            let ones: UInt64 = 0x0101_0101_0101_0101
            let quote = word ^ (ones &* 0x22)
            let slash = word ^ (ones &* 0x5C)
            // The lowest set bit of each is exact: a zero byte, or one below 0x20.
            let found =
                ((quote &- ones) & ~quote) | ((slash &- ones) & ~slash)
                | ((word &- (ones &* 0x20)) & ~word)
            let mask = found & 0x8080_8080_8080_8080
            if mask != 0 { return min(position &+ mask.trailingZeroBitCount >> 3, end) }
            position &+= 8
        }
        return end
    }

    /// Reads the rest of a string, its opening quote being read; escapes are checked.
    @inline(__always)
    func skipString(_ start: Int) -> Int {
        let position = scanString(start)
        return byte(position) == 0x22 ? position &+ 1 : skipEscapedString(position)
    }

    @inline(never)
    private func skipEscapedString(_ start: Int) -> Int {
        var position = start
        while true {
            switch byte(position) {
            case 0x22: return position &+ 1
            case 0x5C:
                let escape = self.escape(position)
                if escape.next < 0 { return escape.next }
                position = scanString(escape.next)
            default: return ~position
            }
        }
    }

    /// Reads an escape at a backslash: the scalar it stands for. A surrogate must come with its
    /// other half.
    func escape(_ start: Int) -> (next: Int, scalar: UInt32) {
        let kind = byte(start &+ 1)
        switch kind {
        case 0x22, 0x5C, 0x2F: return (start &+ 2, UInt32(kind))
        case 0x62: return (start &+ 2, 8)
        case 0x66: return (start &+ 2, 12)
        case 0x6E: return (start &+ 2, 10)
        case 0x72: return (start &+ 2, 13)
        case 0x74: return (start &+ 2, 9)
        case 0x75: break
        default: return (~start, 0)
        }
        guard let first = hex4(start &+ 2) else { return (~start, 0) }
        guard first & 0xF800 == 0xD800 else { return (start &+ 6, first) }
        guard first < 0xDC00, byte(start &+ 6) == 0x5C, byte(start &+ 7) == 0x75,
            let second = hex4(start &+ 8), second & 0xFC00 == 0xDC00
        else { return (~start, 0) }
        return (start &+ 12, 0x1_0000 + (first & 0x3FF) << 10 + (second & 0x3FF))
    }

    private func hex4(_ start: Int) -> UInt32? {
        var value: UInt32 = 0
        for index in 0..<4 {
            let character = byte(start &+ index)
            let digit: UInt8
            switch character {
            case 0x30...0x39: digit = character &- 0x30
            case 0x41...0x46, 0x61...0x66: digit = (character | 0x20) &- 0x61 &+ 10
            default: return nil
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    // MARK: Skipping

    /// Reads one value of any type and checks it whole. `depth` containers are open around it.
    @inline(__always)
    func skipValue(_ start: Int, depth: Int) -> Int {
        let first = byte(start)
        if first == 0x22 { return skipString(start &+ 1) }
        if first &- 0x30 < 10 { return skipNumber(start) }
        return skipOther(start, depth: depth)
    }

    @inline(never)
    private func skipOther(_ start: Int, depth: Int) -> Int {
        switch byte(start) {
        case 0x2D: return skipNumber(start)
        case 0x74: return skipTrue(start)
        case 0x66: return skipFalse(start)
        case 0x6E: return skipNull(start)
        case 0x7B: return skipObject(start &+ 1, depth: depth &+ 1)
        case 0x5B: return skipArray(start &+ 1, depth: depth &+ 1)
        default: return ~start
        }
    }

    private func skipArray(_ start: Int, depth: Int) -> Int {
        guard depth <= Self.maximumDepth else { return Self.tooDeep }
        var position = skipSpace(start)
        if byte(position) == 0x5D { return position &+ 1 }
        while true {
            position = skipValue(skipSpace(position), depth: depth)
            guard position >= 0 else { return position }
            position = skipComma(position)
            if position < 0 {
                return byte(~position) == 0x5D ? ~position &+ 1 : position
            }
        }
    }

    private func skipObject(_ start: Int, depth: Int) -> Int {
        guard depth <= Self.maximumDepth else { return Self.tooDeep }
        var position = skipSpace(start)
        if byte(position) == 0x7D { return position &+ 1 }
        while true {
            position = skipSpace(position)
            guard byte(position) == 0x22 else { return ~position }
            position = skipString(position &+ 1)
            guard position >= 0 else { return position }
            position = skipSpace(position)
            guard byte(position) == 0x3A else { return ~position }
            position = skipValue(skipSpace(position &+ 1), depth: depth)
            guard position >= 0 else { return position }
            position = skipComma(position)
            if position < 0 {
                return byte(~position) == 0x7D ? ~position &+ 1 : position
            }
        }
    }
}
