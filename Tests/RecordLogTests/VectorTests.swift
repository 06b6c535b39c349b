import Foundation
import Primitives
import RecordLog
import Testing

/// Record batches of other implementations, with the contents that they state.
struct VectorTests {
    struct Vector: Decodable {
        struct Batch: Decodable {
            struct Record: Decodable {
                var offset: Int64
                var ts: Int64
                var key: String?
                var value: String?
                var headers: [[String?]]
            }
            var baseOffset: Int64
            var size: Int
            var epoch: Int32
            var attr: Int16
            var lastOffsetDelta: Int32
            var baseTs: Int64
            var maxTs: Int64
            var pid: Int64
            var pepoch: Int16
            var bseq: Int32
            var count: Int32
            var crcOK: Bool
            var records: [Record]?
        }
        struct Expected: Decodable {
            var offset: Int64
            var key: String?
            var value: String?
            var valueLen: Int?
        }
        var name: String
        var hex: String
        var decoded: [Batch]?
        var batches: [Batch]?
    }

    static func load(_ name: String) throws -> [Vector] {
        try JSONDecoder().decode([Vector].self, from: Data(contentsOf: fixture(name)))
    }

    /// The batches of a vector, one after the other, with what is stated about each.
    private func split(_ vector: Vector) -> [([UInt8], Vector.Batch)] {
        let all = bytes(hexadecimal: vector.hex)
        var start = 0
        return (vector.decoded ?? vector.batches ?? []).map { batch in
            defer { start += batch.size }
            return (Array(all[start..<(start + batch.size)]), batch)
        }
    }

    private func expected(_ batch: Vector.Batch) -> [TestRecord] {
        (batch.records ?? []).map { record in
            TestRecord(
                offset: record.offset,
                timestamp: batch.attr & 8 != 0 ? batch.maxTs : record.ts,
                key: record.key.map(bytes(hexadecimal:)),
                value: record.value.map(bytes(hexadecimal:)),
                headers: record.headers.map { header in
                    RecordHeader(
                        key: bytes(hexadecimal: (header.first ?? nil) ?? ""),
                        value: header.last?.map(bytes(hexadecimal:)))
                })
        }
    }

    @Test func batchesOfOtherImplementations() throws {
        var counts: [String: Int] = [:]
        for vector in try Self.load("kafka-recordbatch-v2.json") {
            for (batch, stated) in split(vector) {
                let codec = try #require(
                    CompressionCodec(rawValue: UInt8(truncatingIfNeeded: stated.attr & 7)))
                let decoder = RecordBatchDecoder()
                if !stated.crcOK {
                    let error = #expect(throws: RecordLogError.self) {
                        try decoder.decodeAll(batch)
                    }
                    #expect("\(try #require(error))".contains("checksum"))
                    counts["wrong checksum", default: 0] += 1
                    continue
                }
                try checkHeader(batch, stated)
                let block = try decoder.decodeAll(batch)
                let isControl = stated.attr & 0x20 != 0
                #expect(records(block) == (isControl ? [] : expected(stated)), "\(vector.name)")
                #expect(
                    block.nextOffset == stated.baseOffset + Int64(stated.lastOffsetDelta) + 1)
                counts[codec.name, default: 0] += 1
            }
        }
        #expect(
            counts == [
                "none": 9, "gzip": 3, "snappy": 3, "lz4": 2, "zstd": 1, "wrong checksum": 1,
            ])
    }

    private func checkHeader(_ batch: [UInt8], _ stated: Vector.Batch) throws {
        let header = try RecordBatch.validate(batch)
        #expect(header.baseOffset == stated.baseOffset)
        #expect(header.partitionLeaderEpoch == stated.epoch)
        #expect(header.attributes == stated.attr)
        #expect(header.lastOffsetDelta == stated.lastOffsetDelta)
        #expect(header.baseTimestamp == stated.baseTs)
        #expect(header.maxTimestamp == stated.maxTs)
        #expect(header.producerID == stated.pid)
        #expect(header.producerEpoch == stated.pepoch)
        #expect(header.baseSequence == stated.bseq)
        #expect(header.recordCount == stated.count)
    }

    /// Batches of several codecs in one buffer decode into one block.
    @Test func severalBatchesMakeOneBlock() throws {
        let vectors = try Self.load("kafka-recordbatch-v2-librdkafka.json")
        var together: [UInt8] = []
        var offset: Int64 = 0
        var count = 0
        for vector in vectors {
            let stated = try #require(vector.batches?.first)
            var batch = bytes(hexadecimal: vector.hex)
            RecordBatch.rebase(&batch, to: offset)
            together += batch
            offset += Int64(stated.lastOffsetDelta) + 1
            count += Int(stated.count)
        }
        let block = try RecordBatchDecoder().decodeAll(together)
        #expect(block.count == count)
        #expect(block.offsets == (0..<Int64(count)).map { $0 })
        #expect(block.nextOffset == offset)
        #expect(block.row(at: 7) == 7)
        #expect(block.row(at: Int64(count)) == nil)
    }

    @Test func batchesOfLibrdkafka() throws {
        struct WithRecords: Decodable {
            var name: String
            var hex: String
            var expect: [Vector.Expected]
        }
        let data = try Data(contentsOf: fixture("kafka-recordbatch-v2-librdkafka.json"))
        var codecs: Set<UInt8> = []
        var decoded = 0
        for vector in try JSONDecoder().decode([WithRecords].self, from: data) {
            let batch = bytes(hexadecimal: vector.hex)
            let header = try RecordBatch.validate(batch)
            codecs.insert(header.codecCode)
            let rows = records(try RecordBatchDecoder().decodeAll(batch))
            #expect(rows.count == vector.expect.count, "\(vector.name)")
            for (row, stated) in zip(rows, vector.expect) {
                #expect(row.offset == stated.offset)
                #expect(row.key == stated.key.map(bytes(hexadecimal:)))
                if let length = stated.valueLen {
                    #expect(row.value?.count == length)
                } else {
                    #expect(row.value == stated.value.map(bytes(hexadecimal:)))
                }
            }
            decoded += 1
        }
        #expect(decoded == 9)
        #expect(codecs == [0, 1, 2, 3, 4])
    }

    /// kafkajs' fixture has a zstd frame where its attributes say "not compressed".
    @Test func mislabelledCodecIsRefused() throws {
        let vector = try #require(
            try Self.load("kafka-recordbatch-v2.json").first { $0.name.contains("zstd.json") })
        #expect(throws: RecordLogError.self) {
            try RecordBatchDecoder().decodeAll(bytes(hexadecimal: vector.hex))
        }
    }

    @Test func controlBatchesAreSkipped() throws {
        struct Control: Decodable {
            struct Item: Decodable {
                var hex: String
                var size: Int
            }
            var vectors: [Item]
        }
        let data = try Data(contentsOf: fixture("kafka-control-derived.json"))
        let vectors = try JSONDecoder().decode(Control.self, from: data).vectors
        #expect(vectors.count == 2)
        for vector in vectors {
            let batch = bytes(hexadecimal: vector.hex)
            #expect(batch.count == vector.size)
            #expect(try RecordBatch.validate(batch).isControl)
            let block = try RecordBatchDecoder().decodeAll(batch)
            #expect(block.count == 0)
            #expect(block.nextOffset == 1235)
        }
    }

    /// Whole fetch responses are no batches, whatever stands in them.
    @Test func fetchResponsesAreRefused() throws {
        let others = try Self.load("kafka-recordbatch-v2.json").filter {
            $0.name.hasPrefix("segmentio")
        }
        #expect(others.count == 7)
        for vector in others {
            #expect(throws: RecordLogError.self) {
                try RecordBatchDecoder().decodeAll(bytes(hexadecimal: vector.hex))
            }
        }
    }
}
