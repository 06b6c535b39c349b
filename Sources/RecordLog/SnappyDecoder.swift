import CSnappy

/// Decompresses snappy as Kafka's clients write it: one raw block, or the stream of blocks that the
/// Java client writes with the library of xerial.
///
/// The stream is `82 S N A P P Y 00`, two Int32 (version, least version that reads it), then
/// blocks: an Int32 with the length of a raw block, and the block. All numbers are big-endian. It
/// cannot be taken for a raw block: `82 53` would be the length of one that begins with a copy of
/// nothing.
enum SnappyDecoder {
    private static let magic: [UInt8] = [0x82, 0x53, 0x4E, 0x41, 0x50, 0x50, 0x59, 0]
    private static let headerSize = 16
    /// The best that snappy does is a copy of 64 bytes, written in 3.
    private static let greatestExpansion = 22

    static func decompress(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> Decompressor.Outcome {
        guard source.starts(with: magic) else { return block(source[...], into: target[...]) }
        var position = 0
        var written = 0
        while position < source.count {
            // Streams may stand one after the other.
            if source[position...].starts(with: magic) {
                guard source.count - position >= headerSize,
                    integer(source, at: position + 8) >= 1
                else { return .malformed }
                position += headerSize
                continue
            }
            guard source.count - position >= 4 else { return .malformed }
            let length = Int(integer(source, at: position))
            position += 4
            guard length > 0, length <= source.count - position else { return .malformed }
            let outcome = block(source[position..<position + length], into: target[written...])
            guard case .done(let count) = outcome else { return outcome }
            position += length
            written += count
        }
        return .done(written)
    }

    /// Reads a raw block. The length that it states is checked before space is asked for.
    private static func block(
        _ source: Slice<UnsafeRawBufferPointer>, into target: Slice<UnsafeMutableRawBufferPointer>
    ) -> Decompressor.Outcome {
        let input = UnsafeRawBufferPointer(rebasing: source)
        var count = 0
        guard let start = input.baseAddress?.assumingMemoryBound(to: CChar.self),
            snappy_uncompressed_length(start, input.count, &count) == SNAPPY_OK,
            count <= input.count * greatestExpansion
        else { return .malformed }
        let output = UnsafeMutableRawBufferPointer(rebasing: target)
        guard let space = output.baseAddress?.assumingMemoryBound(to: CChar.self),
            output.count >= count
        else { return .needsSpace }
        let status = snappy_uncompress(start, input.count, space, &count)
        return status == SNAPPY_OK ? .done(count) : .malformed
    }

    private static func integer(_ bytes: UnsafeRawBufferPointer, at position: Int) -> Int32 {
        Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: Int32.self))
    }
}
