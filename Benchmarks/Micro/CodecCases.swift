import CSnappy
import CZlib
import Columnar
import Primitives
import RecordLog

/// Every codec over record batches of about 48 KB of crane readings, and the checksum alone.
let codecCases =
    [MicroEntry("codecs: CRC-32C") { checksumCase(try batches(lines, codec: .none)[0].bytes) }]
    + CompressionCodec.allCases.map { codec in
        MicroEntry("codecs: read a batch, \(codec.name)") { try readCase(codec) }
    }
    + [CompressionCodec.none, .lz4, .zstd].map { codec in
        MicroEntry("codecs: write a batch, \(codec.name)") { try writeCase(codec) }
    }

private let lines = Lines.crane(4_000)

private func checksumCase(_ bytes: [UInt8]) -> MicroCase {
    let sum = Box<UInt32>(0)
    return MicroCase(
        .byte, count: bytes.count,
        result: {
            var digest = Digest()
            digest.add(sum.value)
            return digest
        },
        run: { _ in sum.value = CRC32C.extend(sum.value, with: bytes.span) })
}

/// Checksum, decompression and the records of a batch.
private func readCase(_ codec: CompressionCodec) throws -> MicroCase {
    let plain = try batches(lines, codec: .none)
    let stored =
        switch codec {
        case .none, .lz4, .zstd: try batches(lines, codec: codec).map(\.bytes)
        case .gzip, .snappy: try plain.map { try compressed($0.bytes, codec) }
        }
    let decoder = RecordBatchDecoder()
    let last = Box<RecordBlock?>(nil)
    let failures = Box(0)
    // The last one is shorter.
    let count = max(stored.count - 1, 1)
    return MicroCase(
        .record, count: plain[0].records,
        result: {
            var digest = Digest()
            digest.add(failures.value)
            guard let block = last.value else { return digest }
            for offset in block.offsets { digest.add(offset) }
            for row in 0..<block.count { digest.add(block.value(row) ?? []) }
            return digest
        },
        run: { n in
            do { last.value = try decoder.decodeAll(stored[n % count]) } catch {
                failures.value += 1
            }
        })
}

/// The records of a batch, compression and checksum.
private func writeCase(_ codec: CompressionCodec) throws -> MicroCase {
    let records = try batches(lines, codec: .none)[0].records
    let builder = RecordBatchBuilder()
    let last = Box<[UInt8]>([])
    let rounds = lines.count / records
    return MicroCase(
        .record, count: records,
        result: {
            var digest = Digest()
            digest.add(last.value)
            return digest
        },
        run: { n in
            let start = n % rounds * records
            let none: [UInt8] = []
            for index in start..<start + records {
                let line = lines[index]
                builder.append(
                    timestampMilliseconds: 1_760_000_000_000 + Int64(index), key: nil,
                    value: line.span, encodedHeaders: none.span, headerCount: 0)
            }
            last.value = (try? builder.finish(baseOffset: 0, codec: codec)) ?? []
        })
}

/// A batch without compression in a codec that this project only reads.
private func compressed(_ batch: [UInt8], _ codec: CompressionCodec) throws -> [UInt8] {
    let records = Array(batch[RecordBatch.headerSize...])
    var result = Array(batch[..<RecordBatch.headerSize])
    result += codec == .gzip ? try gzip(records) : try snappy(records)
    // The length from byte 12 on, the attributes, then the checksum of what follows it.
    func put(_ value: Int, at start: Int, bytes: Int) {
        for index in 0..<bytes {
            result[start + index] = UInt8(truncatingIfNeeded: value >> (8 * (bytes - 1 - index)))
        }
    }
    put(result.count - 12, at: 8, bytes: 4)
    put(Int(codec.rawValue), at: 21, bytes: 2)
    put(Int(CRC32C.checksum(result, in: 21..<result.count)), at: 17, bytes: 4)
    return result
}

private func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
    var stream = z_stream()
    let version = ZLIB_VERSION
    // 15 bits of window, 16 more for the header of gzip.
    guard
        deflateInit2_(
            &stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, version,
            Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw FixtureError(description: "zlib does not start") }
    defer { deflateEnd(&stream) }
    var source = bytes
    var result = [UInt8](repeating: 0, count: bytes.count + 1024)
    let status = source.withUnsafeMutableBufferPointer { input in
        result.withUnsafeMutableBufferPointer { output in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = UInt32(output.count)
            return deflate(&stream, Z_FINISH)
        }
    }
    guard status == Z_STREAM_END else { throw FixtureError(description: "zlib: \(status)") }
    return Array(result[..<Int(stream.total_out)])
}

/// One block of snappy, as librdkafka writes it.
private func snappy(_ bytes: [UInt8]) throws -> [UInt8] {
    var count = snappy_max_compressed_length(bytes.count)
    var result = [UInt8](repeating: 0, count: count)
    let status = bytes.withUnsafeBytes { input in
        result.withUnsafeMutableBytes { output in
            snappy_compress(
                input.bindMemory(to: CChar.self).baseAddress, bytes.count,
                output.bindMemory(to: CChar.self).baseAddress, &count)
        }
    }
    guard status == SNAPPY_OK else { throw FixtureError(description: "snappy: \(status)") }
    return Array(result[..<count])
}
