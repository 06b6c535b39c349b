/// Reads big-endian integers and length-prefixed bytes from an array, never past its end.
///
/// Every read returns nil, and moves nothing, when too few bytes are left.
package struct ByteCursor: Sendable {
    package let bytes: [UInt8]
    /// The index of the next byte to read.
    package private(set) var position: Int
    /// The index after the last readable byte.
    package let end: Int

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = 0
        end = bytes.count
    }

    /// A cursor over a part of `bytes`; the range is cut to what exists.
    package init(_ bytes: [UInt8], in range: Range<Int>) {
        self.bytes = bytes
        end = min(max(range.upperBound, 0), bytes.count)
        position = min(max(range.lowerBound, 0), end)
    }

    package var remaining: Int { end - position }
    package var isAtEnd: Bool { position == end }

    /// Reads one byte; nil at the end.
    package mutating func readUInt8() -> UInt8? {
        guard remaining >= 1 else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    /// Reads two bytes, in two's complement; nil when fewer are left.
    package mutating func readInt16() -> Int16? {
        readBigEndian(2).map { Int16(truncatingIfNeeded: $0) }
    }

    /// Reads four bytes, in two's complement; nil when fewer are left.
    package mutating func readInt32() -> Int32? {
        readBigEndian(4).map { Int32(truncatingIfNeeded: $0) }
    }

    /// Reads four bytes, without a sign; nil when fewer are left.
    package mutating func readUInt32() -> UInt32? {
        readBigEndian(4).map { UInt32(truncatingIfNeeded: $0) }
    }

    /// Reads eight bytes, in two's complement; nil when fewer are left.
    package mutating func readInt64() -> Int64? {
        readBigEndian(8).map { Int64(bitPattern: $0) }
    }

    /// Reads eight bytes, without a sign; nil when fewer are left.
    package mutating func readUInt64() -> UInt64? { readBigEndian(8) }

    /// Reads a zig-zag varint of at most 64 bits.
    package mutating func readVarint() -> Int64? {
        var place = position
        guard let value = Varint.readSigned64(bytes.span.extracting(0..<end), at: &place)
        else { return nil }
        position = place
        return value
    }

    /// Reads an unsigned varint of at most 64 bits.
    package mutating func readUnsignedVarint() -> UInt64? {
        var place = position
        guard let value = Varint.readUnsigned64(bytes.span.extracting(0..<end), at: &place)
        else { return nil }
        position = place
        return value
    }

    /// Reads `count` bytes; nil too when `count` is negative.
    package mutating func readBytes(_ count: Int) -> [UInt8]? {
        guard count >= 0, count <= remaining else { return nil }
        defer { position += count }
        return Array(bytes[position..<(position + count)])
    }

    /// Moves past `count` bytes; false when there are fewer.
    package mutating func skip(_ count: Int) -> Bool {
        guard count >= 0, count <= remaining else { return false }
        position += count
        return true
    }

    private mutating func readBigEndian(_ count: Int) -> UInt64? {
        guard count <= remaining else { return nil }
        var value: UInt64 = 0
        for index in position..<(position + count) { value = value &<< 8 | UInt64(bytes[index]) }
        position += count
        return value
    }
}

extension [UInt8] {
    /// Appends a value as all the bytes of its type, most significant first; signed ones in two's
    /// complement.
    package mutating func appendBigEndian(_ value: Int16) {
        append(UInt8(truncatingIfNeeded: value &>> 8))
        append(UInt8(truncatingIfNeeded: value))
    }

    package mutating func appendBigEndian(_ value: Int32) {
        for shift: Int32 in [24, 16, 8, 0] { append(UInt8(truncatingIfNeeded: value &>> shift)) }
    }

    package mutating func appendBigEndian(_ value: UInt32) {
        appendBigEndian(Int32(bitPattern: value))
    }

    package mutating func appendBigEndian(_ value: Int64) {
        for shift: Int64 in [56, 48, 40, 32, 24, 16, 8, 0] {
            append(UInt8(truncatingIfNeeded: value &>> shift))
        }
    }

    package mutating func appendBigEndian(_ value: UInt64) {
        appendBigEndian(Int64(bitPattern: value))
    }
}
