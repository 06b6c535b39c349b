/// Base-128 variable-length integers, least significant group first, as in Kafka records.
///
/// Readers refuse what runs past the end and what is longer than the type allows; a value never
/// wraps silently.
package enum Varint {
    /// Maps small magnitudes of either sign to small unsigned values: 0, -1, 1, -2 → 0, 1, 2, 3.
    @inlinable package static func zigZag(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
    }

    /// The inverse of `zigZag(_:)`.
    @inlinable package static func unZigZag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value &>> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// The number of bytes of an unsigned varint, 1 to 10.
    package static func encodedLength(_ value: UInt64) -> Int {
        (70 &- (value | 1).leadingZeroBitCount) / 7
    }

    /// The number of bytes of a zig-zag varint, 1 to 10.
    package static func signedLength(_ value: Int64) -> Int {
        encodedLength(zigZag(value))
    }

    /// Appends an unsigned varint.
    package static func appendUnsigned(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest &>>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Appends a zig-zag varint.
    package static func appendSigned(_ value: Int64, to bytes: inout [UInt8]) {
        appendUnsigned(zigZag(value), to: &bytes)
    }

    /// Reads an unsigned varint of at most 64 bits and moves `position` past it.
    ///
    /// Returns nil, with `position` unchanged, when the bytes end early or it does not fit.
    package static func readUnsigned64(_ bytes: Span<UInt8>, at position: inout Int) -> UInt64? {
        read(bytes, at: &position, maximumBytes: 10, lastByteMaximum: 1)
    }

    /// Reads an unsigned varint of at most 32 bits; as `readUnsigned64(_:at:)` otherwise.
    package static func readUnsigned32(_ bytes: Span<UInt8>, at position: inout Int) -> UInt32? {
        read(bytes, at: &position, maximumBytes: 5, lastByteMaximum: 0x0F)
            .map { UInt32(truncatingIfNeeded: $0) }
    }

    /// Reads a zig-zag varint of at most 64 bits; nil as for `readUnsigned64(_:at:)`.
    package static func readSigned64(_ bytes: Span<UInt8>, at position: inout Int) -> Int64? {
        readUnsigned64(bytes, at: &position).map(unZigZag)
    }

    /// Reads a zig-zag varint of at most 32 bits; nil as for `readUnsigned64(_:at:)`.
    package static func readSigned32(_ bytes: Span<UInt8>, at position: inout Int) -> Int32? {
        readUnsigned32(bytes, at: &position)
            .map { Int32(truncatingIfNeeded: unZigZag(UInt64($0))) }
    }

    private static func read(
        _ bytes: Span<UInt8>, at position: inout Int, maximumBytes: Int, lastByteMaximum: UInt8
    ) -> UInt64? {
        guard position >= 0 else { return nil }
        var value: UInt64 = 0
        for index in 0..<maximumBytes {
            let (place, overflow) = position.addingReportingOverflow(index)
            guard !overflow, place < bytes.count else { return nil }
            let byte = bytes[place]
            if index == maximumBytes - 1, byte > lastByteMaximum { return nil }
            value |= UInt64(byte & 0x7F) &<< UInt64(7 * index)
            if byte < 0x80 {
                position = place + 1
                return value
            }
        }
        return nil
    }
}
