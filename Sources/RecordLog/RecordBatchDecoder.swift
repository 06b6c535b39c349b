import Primitives

/// Decodes record batches into record blocks. Buffers and contexts are reused, so keep the object.
///
/// Reads version 2 with any of Kafka's codecs. Lengths and counts in the data are checked
/// against what is there before anything is allocated by them. Threading: one thread at a time.
package final class RecordBatchDecoder {
    /// The most bytes that the batches of one block may decompress to.
    private let maximumBytes: Int
    private let decompressor = Decompressor()
    private let columns = RowColumns()
    /// Decompressed bytes per compressed byte, from the blocks before.
    private var expansion = 4.0

    package init(maximumBytes: Int = 256 << 20) {
        self.maximumBytes = min(max(maximumBytes, 1 << 10), 1 << 30)
    }

    /// A decoded block and how many bytes of the chunk it covers.
    struct Decoded {
        var block: RecordBlock
        var consumed: Int
        /// The offset after the last batch; beyond `block.nextOffset` when the limit cut it.
        var endOffset: Int64
    }

    /// Why nothing could be decoded at the start of a chunk.
    enum Stop: Error {
        /// The chunk ends inside the first batch, which has this many bytes (or, when not even the
        /// header is there, at least this many).
        case needsBytes(Int)
        case fault(BatchFault, offset: Int64?)
    }

    /// Decodes the whole batches in `chunk`, as many as are valid and fit, at least one.
    ///
    /// Rows below `first` and rows from `limit` on are left out; the block's `nextOffset` is at
    /// most `limit`. A faulty batch after good ones ends the block; it is the next call's error.
    /// With `isWhole` a block does not end for lack of space.
    func decode(
        _ chunk: [UInt8], from first: Int64, limit: Int64, isWhole: Bool
    ) throws(Stop) -> Decoded {
        let scan = try scanBatches(chunk, limit: limit)
        if scan.batches.isEmpty {
            throw .needsBytes(chunk.count + 1)
        }
        columns.count = 0
        if scan.isPlain {
            return try decodePlain(chunk, scan, from: first, limit: limit)
        }
        return try decodeCompressed(chunk, scan, from: first, limit: limit, isWhole: isWhole)
    }

    /// `decode` with its error as a value.
    func attempt(
        _ chunk: [UInt8], from first: Int64, limit: Int64, isWhole: Bool = false
    ) -> Result<Decoded, Stop> {
        Result { () throws(Stop) in
            try decode(chunk, from: first, limit: limit, isWhole: isWhole)
        }
    }

    /// Decodes a buffer that holds exactly one batch or several, all of them.
    package func decodeAll(_ bytes: [UInt8]) throws(RecordLogError) -> RecordBlock {
        var position = 0
        switch attempt(bytes, from: .min, limit: .max, isWhole: true) {
        case .success(let decoded) where decoded.consumed == bytes.count: return decoded.block
        case .success(let decoded):
            // What stopped it is what stands first in the rest.
            position = decoded.consumed
            if case .failure(.fault(let fault, _)) = attempt(
                Array(bytes[position...]), from: .min, limit: .max, isWhole: true)
            {
                throw .corruptBatch(path: "", position: position, reason: fault)
            }
        case .failure(.fault(let fault, _)):
            throw .corruptBatch(path: "", position: 0, reason: fault)
        case .failure(.needsBytes): break
        }
        throw .corruptBatch(path: "", position: position, reason: .truncated)
    }

    private struct Placed {
        var header: RecordBatch.Header
        var position: Int
        var codec: CompressionCodec
    }

    private struct Scan {
        var batches: [Placed] = []
        var isPlain = true
    }

    /// The valid batches at the start of the chunk, checksums verified.
    private func scanBatches(_ chunk: [UInt8], limit: Int64) throws(Stop) -> Scan {
        var scan = Scan()
        var position = 0
        var nextOffset = Int64.min
        while position < chunk.count {
            let header: RecordBatch.Header
            switch RecordBatch.parseHeader(chunk.span, at: position) {
            case .incomplete:
                guard scan.batches.isEmpty else { return scan }
                throw .needsBytes(RecordBatch.headerSize)
            case .fault(let fault):
                guard scan.batches.isEmpty else { return scan }
                throw .fault(fault, offset: nil)
            case .header(let parsed): header = parsed
            }
            // Row positions are Int32, and nothing is read that could not be decoded.
            guard header.byteCount <= maximumBytes else {
                guard scan.batches.isEmpty else { return scan }
                throw .fault(.tooLarge(limit: maximumBytes), offset: header.baseOffset)
            }
            if header.baseOffset >= limit, !scan.batches.isEmpty { return scan }
            guard header.byteCount <= chunk.count - position else {
                guard scan.batches.isEmpty else { return scan }
                throw .needsBytes(header.byteCount)
            }
            if let fault = fault(of: header, at: position, in: chunk, after: nextOffset) {
                guard scan.batches.isEmpty else { return scan }
                throw .fault(fault, offset: header.baseOffset)
            }
            let codec = CompressionCodec(rawValue: header.codecCode) ?? .none
            if codec != .none { scan.isPlain = false }
            scan.batches.append(Placed(header: header, position: position, codec: codec))
            position += header.byteCount
            nextOffset = header.nextOffset
        }
        return scan
    }

    private func fault(
        of header: RecordBatch.Header, at position: Int, in chunk: [UInt8], after nextOffset: Int64
    ) -> BatchFault? {
        if let fault = RecordBatch.checksumFault(chunk.span, at: position, header) { return fault }
        guard header.baseOffset >= nextOffset else { return .badOffset }
        return CompressionCodec(rawValue: header.codecCode) == nil
            ? .unknownCodec(header.codecCode) : nil
    }

    /// All batches are uncompressed: the block points into the chunk itself.
    private func decodePlain(
        _ chunk: [UInt8], _ scan: Scan, from first: Int64, limit: Int64
    ) throws(Stop) -> Decoded {
        var consumed = 0
        var endOffset = Int64(0)
        for (index, batch) in scan.batches.enumerated() {
            let start = batch.position + RecordBatch.headerSize
            let end = batch.position + batch.header.byteCount
            if let fault = rows(of: batch.header, chunk, start, end, first, limit) {
                if index == 0 { throw .fault(fault, offset: batch.header.baseOffset) }
                break
            }
            consumed = end
            endOffset = batch.header.nextOffset
        }
        return Decoded(
            block: columns.block(over: chunk, nextOffset: min(endOffset, limit)),
            consumed: consumed, endOffset: endOffset)
    }

    private func rows(
        of header: RecordBatch.Header, _ bytes: [UInt8], _ start: Int, _ end: Int, _ first: Int64,
        _ limit: Int64
    ) -> BatchFault? {
        bytes.withUnsafeBufferPointer { buffer in
            parse(header, buffer, start, end, first, limit)
        }
    }

    private func parse(
        _ header: RecordBatch.Header, _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int,
        _ end: Int, _ first: Int64, _ limit: Int64
    ) -> BatchFault? {
        if header.isControl { return nil }
        let rowsBefore = columns.count
        let fault = RecordParser.parse(
            header, bytes, start..<end, first: first, limit: limit, into: columns)
        if fault != nil { columns.count = rowsBefore }
        return fault
    }

    /// Decompresses batch after batch into one buffer; when it is full, the block ends early.
    private func decodeCompressed(
        _ chunk: [UInt8], _ scan: Scan, from first: Int64, limit: Int64, isWhole: Bool
    ) throws(Stop) -> Decoded {
        let compressed = scan.batches.reduce(0) { $0 + $1.header.byteCount }
        let guess = Double(compressed) * expansion * 1.25
        var capacity = min(max(Int(guess), 64 << 10), maximumBytes)
        while true {
            var consumed = 0
            var endOffset = Int64(0)
            var stop: Stop?
            columns.count = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { space, count in
                count = 0
                for batch in scan.batches {
                    stop = decompress(batch, chunk, into: space, &count, first, limit)
                    if stop != nil { break }
                    consumed = batch.position + batch.header.byteCount
                    endOffset = batch.header.nextOffset
                }
            }
            var lacksSpace = false
            if case .needsBytes = stop { lacksSpace = true }
            if consumed > 0, !(isWhole && lacksSpace) {
                expansion = max(1, Double(bytes.count) / Double(consumed))
                return Decoded(
                    block: columns.block(over: bytes, nextOffset: min(endOffset, limit)),
                    consumed: consumed, endOffset: endOffset)
            }
            guard lacksSpace else { throw stop ?? .needsBytes(chunk.count + 1) }
            guard capacity < maximumBytes else {
                throw .fault(
                    .tooLarge(limit: maximumBytes), offset: scan.batches[0].header.baseOffset)
            }
            capacity = min(capacity * 4, maximumBytes)
        }
    }

    /// Appends one batch to `space`; nil when it went well, `needsBytes` when it did not fit.
    private func decompress(
        _ batch: Placed, _ chunk: [UInt8], into space: UnsafeMutableBufferPointer<UInt8>,
        _ count: inout Int, _ first: Int64, _ limit: Int64
    ) -> Stop? {
        let header = batch.header
        // Markers, and batches that compaction has emptied, have nothing to show.
        if header.isControl || header.recordCount == 0 { return nil }
        let range = (batch.position + RecordBatch.headerSize)..<(batch.position + header.byteCount)
        let start = count
        let outcome = chunk.withUnsafeBytes { bytes in
            decompressor.decompress(
                UnsafeRawBufferPointer(rebasing: bytes[range]), batch.codec,
                into: UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(space)[start...]))
        }
        switch outcome {
        case .needsSpace: return .needsBytes(space.count + 1)
        case .malformed: return .fault(.compression(batch.codec), offset: header.baseOffset)
        case .done(let written):
            let fault = parse(
                header, UnsafeBufferPointer(space), start, start + written, first, limit)
            if let fault { return .fault(fault, offset: header.baseOffset) }
            count += written
            return nil
        }
    }
}
