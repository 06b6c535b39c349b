import CLZ4
import CZstd
import Primitives

/// Decompresses the records of batches into a space of bounded size, by streaming: nothing that
/// the data says about its size is believed. The contexts are kept, so keep the object.
///
/// Threading: one thread at a time.
final class Decompressor {
    enum Outcome {
        /// Bytes written.
        case done(Int)
        /// The space is too small.
        case needsSpace
        case malformed
    }

    private var lz4: OpaquePointer?
    private var zstd: OpaquePointer?

    init() {}

    deinit {
        LZ4F_freeDecompressionContext(lz4)
        ZSTD_freeDCtx(zstd)
    }

    func decompress(
        _ source: UnsafeRawBufferPointer, _ codec: CompressionCodec,
        into target: UnsafeMutableRawBufferPointer
    ) -> Outcome {
        switch codec {
        case .none:
            guard target.count >= source.count else { return .needsSpace }
            target.copyMemory(from: source)
            return .done(source.count)
        case .lz4: return decompressLZ4(source, into: target)
        case .zstd: return decompressZstd(source, into: target)
        case .gzip, .snappy: return .malformed
        }
    }

    /// Reads the first frame; Kafka's readers ignore what follows it.
    private func decompressLZ4(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> Outcome {
        if lz4 == nil { _ = LZ4F_createDecompressionContext(&lz4, UInt32(LZ4F_VERSION)) }
        guard let context = lz4, let input = source.baseAddress, let output = target.baseAddress
        else { return target.baseAddress == nil ? .needsSpace : .malformed }
        LZ4F_resetDecompressionContext(context)
        var options = LZ4F_decompressOptions_t()
        options.stableDst = 1
        var read = 0
        var written = 0
        while true {
            var sourceSize = source.count - read
            var targetSize = target.count - written
            let hint = LZ4F_decompress(
                context, output + written, &targetSize, input + read, &sourceSize, &options)
            guard LZ4F_isError(hint) == 0 else { return .malformed }
            read += sourceSize
            written += targetSize
            if hint == 0 { return .done(written) }
            if sourceSize == 0, targetSize == 0 {
                return written == target.count ? .needsSpace : .malformed
            }
            if read == source.count, written < target.count { return .malformed }
        }
    }

    /// Reads all frames.
    private func decompressZstd(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> Outcome {
        if zstd == nil { zstd = ZSTD_createDCtx() }
        guard let context = zstd, let inputStart = source.baseAddress,
            let outputStart = target.baseAddress
        else { return target.baseAddress == nil ? .needsSpace : .malformed }
        _ = ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
        var input = ZSTD_inBuffer(src: inputStart, size: source.count, pos: 0)
        var output = ZSTD_outBuffer(dst: outputStart, size: target.count, pos: 0)
        while true {
            let before = (input.pos, output.pos)
            let hint = ZSTD_decompressStream(context, &output, &input)
            guard ZSTD_isError(hint) == 0 else { return .malformed }
            if hint == 0, input.pos == input.size { return .done(output.pos) }
            if hint != 0, output.pos == output.size { return .needsSpace }
            if (input.pos, output.pos) == before { return .malformed }
        }
    }
}
