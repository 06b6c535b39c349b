import CLZ4
import CZlib
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
    /// On the heap: zlib's state points back to it.
    private var gzip: UnsafeMutablePointer<z_stream>?

    init() {}

    deinit {
        LZ4F_freeDecompressionContext(lz4)
        ZSTD_freeDCtx(zstd)
        if let gzip {
            inflateEnd(gzip)
            gzip.deallocate()
        }
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
        case .gzip: return decompressGzip(source, into: target)
        case .snappy: return SnappyDecoder.decompress(source, into: target)
        }
    }

    /// The context for gzip, made on first use; nil without memory.
    private func gzipContext() -> UnsafeMutablePointer<z_stream>? {
        if let gzip { return inflateReset(gzip) == Z_OK ? gzip : nil }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window, and 16 for "gzip only".
        let size = Int32(MemoryLayout<z_stream>.size)
        guard inflateInit2_(stream, 15 + 16, ZLIB_VERSION, size) == Z_OK else {
            stream.deallocate()
            return nil
        }
        gzip = stream
        return stream
    }

    /// Reads all members (RFC 1952 §2.2).
    private func decompressGzip(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> Outcome {
        guard let output = target.baseAddress else { return .needsSpace }
        // The limits of a block, at most 1 GB, keep both sizes in range.
        guard let input = source.baseAddress, let inputCount = UInt32(exactly: source.count),
            let outputCount = UInt32(exactly: target.count), let stream = gzipContext()
        else { return .malformed }
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = inputCount
        stream.pointee.next_out = output.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = outputCount
        while true {
            switch inflate(stream, Z_NO_FLUSH) {
            case Z_OK: continue
            case Z_STREAM_END:
                if stream.pointee.avail_in == 0 {
                    return .done(target.count - Int(stream.pointee.avail_out))
                }
                guard inflateReset(stream) == Z_OK else { return .malformed }
            // No progress: there is no space, or the data end early.
            case Z_BUF_ERROR: return stream.pointee.avail_out == 0 ? .needsSpace : .malformed
            default: return .malformed
            }
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
