import Primitives
import RecordLog
import Testing

/// Damaged and made-up batches: an error each time, never a trap, never memory by a stated length.
struct HostileInputTests {
    /// A batch of a dozen records; of librdkafka where the codec is not written.
    private func sample(_ codec: CompressionCodec, _ random: inout RandomSource) throws -> [UInt8] {
        guard codec != .gzip, codec != .snappy else {
            let vectors = try VectorTests.load("kafka-recordbatch-v2-librdkafka.json")
            let vector = try #require(vectors.first { $0.name.hasSuffix(" \(codec.name)") })
            return bytes(hexadecimal: vector.hex)
        }
        let builder = RecordBatchBuilder()
        for record in randomRecords(from: 0, count: 12, startTime: 5, random: &random) {
            builder.append(
                timestampMilliseconds: record.timestamp, key: record.key, value: record.value,
                headers: record.headers)
        }
        return try builder.finish(baseOffset: 40, codec: codec)
    }

    /// Writes a right checksum, so that what lies behind it is reached.
    private func seal(_ batch: inout [UInt8]) {
        guard batch.count > 21 else { return }
        let sum = CRC32C.checksum(batch, in: 21..<batch.count)
        for index in 0..<4 {
            batch[17 + index] = UInt8(truncatingIfNeeded: sum >> (24 - 8 * index))
        }
    }

    @Test(arguments: CompressionCodec.allCases)
    func everyFlippedBitIsNoticed(codec: CompressionCodec) throws {
        var random = RandomSource(seed: 3)
        let batch = try sample(codec, &random)
        let decoder = RecordBatchDecoder(maximumBytes: 1 << 20)
        // Bytes 0–7 and 12–15 (base offset, leader epoch) are outside the checksum by design.
        for position in (8..<batch.count) where !(12..<16).contains(position) {
            var damaged = batch
            damaged[position] ^= UInt8(1 << random.int(in: 0...7))
            #expect(throws: RecordLogError.self) { try decoder.decodeAll(damaged) }
        }
    }

    @Test(arguments: CompressionCodec.allCases)
    func damageBehindARightChecksum(codec: CompressionCodec) throws {
        let seed: UInt64 = 11
        print("damageBehindARightChecksum: seed \(seed)")
        var random = RandomSource(seed: seed)
        let decoder = RecordBatchDecoder(maximumBytes: 1 << 20)
        var refused = 0
        for _ in 0..<500 {
            var batch = try sample(codec, &random)
            for _ in 0...random.int(in: 0...3) {
                let position = random.int(in: 21...(batch.count - 1))
                batch[position] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.int(in: 0...3) == 0 {
                batch.removeLast(random.int(in: 1...(batch.count - 61)))
                let length = Int32(batch.count - 12)
                for index in 0..<4 {
                    batch[8 + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index))
                }
            }
            seal(&batch)
            do {
                let block = try decoder.decodeAll(batch)
                for row in 0..<block.count {
                    _ = (block.key(row), block.value(row), block.headers(row))
                }
            } catch {
                refused += 1
            }
        }
        #expect(refused > 100)
    }

    @Test func randomBytes() {
        var random = RandomSource(seed: 5)
        let decoder = RecordBatchDecoder(maximumBytes: 1 << 16)
        for _ in 0..<2_000 {
            var batch = (0..<random.int(in: 0...200)).map { _ in
                UInt8(truncatingIfNeeded: random.next())
            }
            if batch.count > 61 {
                for index in 0..<8 { batch[index] = 0 }
                let length = Int32(batch.count - 12)
                for index in 0..<4 {
                    batch[8 + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index))
                }
                batch[16] = 2
                batch[22] &= 0x07
                batch[23] = 0
                batch[57] = 0
                batch[58] = 0
                seal(&batch)
            }
            #expect(throws: RecordLogError.self) { try decoder.decodeAll(batch) }
        }
    }

    @Test func statedLengthsAreNotBelieved() throws {
        let builder = RecordBatchBuilder()
        builder.append(timestampMilliseconds: 1, key: [1], value: [2])
        let good = try builder.finish(baseOffset: 0, codec: .none)
        func refuses(_ change: (inout [UInt8]) -> Void) -> BatchFault? {
            var batch = good
            change(&batch)
            seal(&batch)
            do {
                _ = try RecordBatchDecoder().decodeAll(batch)
                return nil
            } catch {
                guard case .corruptBatch(_, _, let fault) = error else { return nil }
                return fault
            }
        }
        #expect(refuses { $0[8] = 0x7F } == .tooLarge(limit: 256 << 20))
        #expect(refuses { $0[9] = 0x01 } == .truncated)
        #expect(refuses { $0[8] = 0xFF } != nil)
        #expect(refuses { $0[16] = 1 } == .unsupportedMagic(1))
        #expect(refuses { $0[22] = 7 } == .unknownCodec(7))
        #expect(
            refuses {
                $0[23] = 0x7F
                $0[57] = 0x7F
            } == .badCount(0x7F00_0001))
        #expect(refuses { $0[57] = 0x80 } == .badCount(Int32.min + 1))
        #expect(refuses { $0[0] = 0x80 } == .badOffset)
        #expect(refuses { $0[0] = 0x7F } != nil || good[0] == 0)
        // A record length beyond the end, a key length beyond it, a negative header count.
        #expect(refuses { $0[61] = 0x7E } == .malformedRecord(index: 0))
        #expect(refuses { $0[65] = 0x7E } == .malformedRecord(index: 0))
        #expect(refuses { $0[65] = 0x03 } == .malformedRecord(index: 0))
        #expect(refuses { $0[69] = 0x01 } == .malformedRecord(index: 0))
        #expect(refuses { $0.append(0) } != nil)
    }

    @Test(arguments: [CompressionCodec.lz4, .zstd])
    func decompressionHasALimit(codec: CompressionCodec) throws {
        let builder = RecordBatchBuilder()
        builder.append(
            timestampMilliseconds: 1, key: nil, value: [UInt8](repeating: 0, count: 8 << 20))
        let bomb = try builder.finish(baseOffset: 0, codec: codec)
        #expect(bomb.count < 100_000)
        #expect(
            throws: RecordLogError.corruptBatch(
                path: "", position: 0, reason: .tooLarge(limit: 1 << 20))
        ) { try RecordBatchDecoder(maximumBytes: 1 << 20).decodeAll(bomb) }
        #expect(try RecordBatchDecoder().decodeAll(bomb).valueLengths == [8 << 20])
    }

    @Test(arguments: ["gzip", "snappy", "snappy-raw"])
    func decompressionOfOthersHasALimit(codec: String) throws {
        let record = TestRecord(
            offset: 0, timestamp: 1, key: nil, value: [UInt8](repeating: 0, count: 8 << 20))
        let bomb = try writeIndependently([[record]], codec: codec)
        #expect(bomb.count < 500_000)
        #expect(
            throws: RecordLogError.corruptBatch(
                path: "", position: 0, reason: .tooLarge(limit: 1 << 20))
        ) { try RecordBatchDecoder(maximumBytes: 1 << 20).decodeAll(bomb) }
        #expect(try RecordBatchDecoder().decodeAll(bomb).valueLengths == [8 << 20])
    }

    /// What can be wrong in the framing of xerial's snappy, and after a gzip member.
    @Test func wrongFraming() throws {
        let vectors = try VectorTests.load("kafka-recordbatch-v2.json")
        func batch(_ name: String, _ change: (inout [UInt8]) -> Void) throws -> [UInt8] {
            let vector = try #require(vectors.first { $0.name.hasSuffix(name) })
            var batch = bytes(hexadecimal: vector.hex)
            change(&batch)
            let length = Int32(batch.count - 12)
            for index in 0..<4 {
                batch[8 + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index))
            }
            seal(&batch)
            return batch
        }
        func refuses(
            _ name: String, _ codec: CompressionCodec, _ change: (inout [UInt8]) -> Void
        ) throws {
            let changed = try batch(name, change)
            #expect(
                throws: RecordLogError.corruptBatch(
                    path: "", position: 0, reason: .compression(codec))
            ) { try RecordBatchDecoder().decodeAll(changed) }
        }
        let java = "fixture_snappy_java"
        let whole = try RecordBatchDecoder().decodeAll(batch(java) { _ in })
        // Version 0; a block of no bytes, of more than there are, of a negative length; a header
        // without blocks; one that is cut; a block that states far more than it can hold.
        try refuses(java, .snappy) { $0[61 + 11] = 0 }
        try refuses(java, .snappy) { $0.replaceSubrange(61 + 16..<61 + 20, with: [0, 0, 0, 0]) }
        try refuses(java, .snappy) { $0[61 + 18] = 0x7F }
        try refuses(java, .snappy) { $0[61 + 16] = 0xFF }
        try refuses(java, .snappy) { $0.removeLast($0.count - 61 - 12) }
        try refuses(java, .snappy) {
            $0.replaceSubrange(61 + 20..<61 + 24, with: [0xFF, 0xFF, 0xFF, 0x0F])
        }
        #expect(throws: RecordLogError.self) {
            try RecordBatchDecoder().decodeAll(batch(java) { $0.removeLast($0.count - 61 - 16) })
        }
        // A second stream after the first is read, as Java does.
        let twice = try batch(java) { $0 += $0[61..<61 + 16] }
        #expect(records(try RecordBatchDecoder().decodeAll(twice)) == records(whole))
        // Behind a member stands another member or nothing; an empty one holds nothing.
        let gzip = "fixture_gzip"
        let empty: [UInt8] = [
            0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ]
        let members = try batch(gzip) { $0 += empty }
        #expect(
            records(try RecordBatchDecoder().decodeAll(members))
                == records(try RecordBatchDecoder().decodeAll(batch(gzip) { _ in })))
        try refuses(gzip, .gzip) { $0.append(0) }
        try refuses(gzip, .gzip) { $0[61] = 0x78 }
        // The member's own checksum.
        try refuses(gzip, .gzip) { $0[$0.count - 8] ^= 1 }
    }

    /// A frame cut anywhere is refused, not waited for.
    @Test(arguments: [CompressionCodec.lz4, .zstd, .gzip, .snappy])
    func truncatedFrames(codec: CompressionCodec) throws {
        var random = RandomSource(seed: 9)
        let batch = try sample(codec, &random)
        for count in 61..<batch.count {
            var cut = Array(batch[..<count])
            let length = Int32(count - 12)
            for index in 0..<4 {
                cut[8 + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index))
            }
            seal(&cut)
            #expect(throws: RecordLogError.self) { try RecordBatchDecoder().decodeAll(cut) }
        }
    }
}
