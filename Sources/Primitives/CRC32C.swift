import CCRC32C

/// CRC-32C (Castagnoli), the checksum of record batches; RFC 3720, appendix B.4.
///
/// By the processor's instruction where it has one, else by tables.
package enum CRC32C {
    /// The checksum of `bytes`.
    package static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
        extend(0, with: bytes)
    }

    /// The checksum of what `crc` covers followed by `bytes`; `crc` of nothing is 0.
    package static func extend(_ crc: UInt32, with bytes: Span<UInt8>) -> UInt32 {
        guard hasInstruction else { return extendByTables(crc, with: bytes) }
        return unsafe bytes.withUnsafeBytes {
            unsafe ccrc32c_extend(crc, $0.baseAddress, $0.count)
        }
    }

    private static let hasInstruction = ccrc32c_is_available()

    /// The same on any processor. Slicing by 16: sixteen table look-ups for sixteen bytes,
    /// independent of one another.
    ///
    /// Source: Kounavis, Berry, "A Systematic Approach to Building High Performance,
    /// Software-based, CRC Generators" (2005).
    package static func extendByTables(_ crc: UInt32, with bytes: Span<UInt8>) -> UInt32 {
        let table = tables.span
        let raw = unsafe bytes.bytes
        let count = raw.byteCount
        var state = ~crc
        var index = 0
        // Every load stays below `count` and every table index below 4,096 by construction, so the
        // checks are left out: they halve the speed.
        while count &- index >= 16 {
            let low =
                UInt64(
                    littleEndian: unsafe raw.unsafeLoadUnaligned(
                        fromByteOffset: index, as: UInt64.self)) ^ UInt64(state)
            let high = UInt64(
                littleEndian: unsafe raw.unsafeLoadUnaligned(
                    fromByteOffset: index &+ 8, as: UInt64.self))
            state = unsafe fold(low, in: table, from: 3840) ^ fold(high, in: table, from: 1792)
            index &+= 16
        }
        while index < count {
            let byte = UInt8(truncatingIfNeeded: state) ^ bytes[index]
            state = (state &>> 8) ^ table[Int(byte)]
            index &+= 1
        }
        return ~state
    }

    /// The checksum of `bytes[range]`; the range must lie inside.
    package static func checksum(_ bytes: [UInt8], in range: Range<Int>) -> UInt32 {
        checksum(bytes.span.extracting(range))
    }

    /// Eight look-ups, one for each byte of `word`, in the tables going down from `top`.
    @inline(__always) @unsafe
    private static func fold(_ word: UInt64, in table: Span<UInt32>, from top: Int) -> UInt32 {
        unsafe table[unchecked: top &+ Int(truncatingIfNeeded: word & 0xFF)]
            ^ table[unchecked: top &- 256 &+ Int(truncatingIfNeeded: (word &>> 8) & 0xFF)]
            ^ table[unchecked: top &- 512 &+ Int(truncatingIfNeeded: (word &>> 16) & 0xFF)]
            ^ table[unchecked: top &- 768 &+ Int(truncatingIfNeeded: (word &>> 24) & 0xFF)]
            ^ table[unchecked: top &- 1024 &+ Int(truncatingIfNeeded: (word &>> 32) & 0xFF)]
            ^ table[unchecked: top &- 1280 &+ Int(truncatingIfNeeded: (word &>> 40) & 0xFF)]
            ^ table[unchecked: top &- 1536 &+ Int(truncatingIfNeeded: (word &>> 48) & 0xFF)]
            ^ table[unchecked: top &- 1792 &+ Int(truncatingIfNeeded: word &>> 56)]
    }

    /// Sixteen tables of 256; table `k` advances a byte over `k` zero bytes.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 16 * 256)
        for byte in 0..<256 {
            var value = UInt32(byte)
            for _ in 0..<8 {
                value = (value & 1) == 0 ? value &>> 1 : (value &>> 1) ^ 0x82F6_3B78
            }
            tables[byte] = value
        }
        for index in 256..<(16 * 256) {
            let previous = tables[index - 256]
            tables[index] = (previous &>> 8) ^ tables[Int(previous & 0xFF)]
        }
        return tables
    }()
}
