import CLZ4
import CZstd
import Primitives

/// Compresses the records of batches. The contexts are kept, so keep the object.
///
/// Threading: one thread at a time.
final class Compressor {
    private var zstd: OpaquePointer?

    init() {}

    deinit { ZSTD_freeCCtx(zstd) }

    /// Appends the compressed form of `source` to `target`.
    func compress(
        _ source: UnsafeRawBufferPointer, _ codec: CompressionCodec, onto target: inout [UInt8]
    ) throws(RecordLogError) {
        switch codec {
        case .none: target.append(contentsOf: source)
        case .lz4: try compressLZ4(source, onto: &target)
        case .zstd: try compressZstd(source, onto: &target)
        case .gzip, .snappy:
            throw .compressionFailed(codec: codec, reason: "it is read only; use lz4 or zstd")
        }
    }

    /// An LZ4 frame as Kafka's Java client writes it: independent blocks of 64 KB, no checksums,
    /// no content size. Java refuses liblz4's default of linked blocks.
    private func compressLZ4(
        _ source: UnsafeRawBufferPointer, onto target: inout [UInt8]
    ) throws(RecordLogError) {
        var preferences = LZ4F_preferences_t()
        preferences.frameInfo.blockSizeID = LZ4F_max64KB
        preferences.frameInfo.blockMode = LZ4F_blockIndependent
        let bound = LZ4F_compressFrameBound(source.count, &preferences)
        let written = withSpace(bound, at: &target) { space in
            LZ4F_compressFrame(
                space.baseAddress, space.count, source.baseAddress, source.count, &preferences)
        }
        guard LZ4F_isError(written) == 0 else {
            throw .compressionFailed(
                codec: .lz4, reason: String(cString: LZ4F_getErrorName(written)))
        }
        target.removeLast(bound - written)
    }

    private func compressZstd(
        _ source: UnsafeRawBufferPointer, onto target: inout [UInt8]
    ) throws(RecordLogError) {
        if zstd == nil { zstd = ZSTD_createCCtx() }
        guard let context = zstd else {
            throw .compressionFailed(codec: .zstd, reason: "out of memory")
        }
        let bound = ZSTD_compressBound(source.count)
        let written = withSpace(bound, at: &target) { space in
            ZSTD_compressCCtx(
                context, space.baseAddress, space.count, source.baseAddress, source.count, 3)
        }
        guard ZSTD_isError(written) == 0 else {
            throw .compressionFailed(
                codec: .zstd, reason: String(cString: ZSTD_getErrorName(written)))
        }
        target.removeLast(bound - written)
    }

    private func withSpace(
        _ count: Int, at target: inout [UInt8], _ body: (UnsafeMutableRawBufferPointer) -> Int
    ) -> Int {
        let start = target.count
        target.append(contentsOf: repeatElement(0, count: count))
        return target.withUnsafeMutableBytes { bytes in
            body(UnsafeMutableRawBufferPointer(rebasing: bytes[start...]))
        }
    }
}
