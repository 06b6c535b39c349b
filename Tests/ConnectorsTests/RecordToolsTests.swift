import Columnar
import Connectors
import Dataflow
import Primitives
import RecordLog
import Testing

@Suite struct RecordToolsTests {
    /// The vectors of Kafka's own UtilsTest.testMurmur2.
    @Test func murmur2AsKafkaPublishesIt() {
        let vectors: [(String, Int)] = [
            ("21", -973_932_308), ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ]
        for (key, hash) in vectors {
            #expect(Partitioner.murmur2(Array(key.utf8)) == hash)
            // Java: Utils.toPositive(hash) % 7.
            #expect(Partitioner.partition(Array(key.utf8), count: 7) == (hash & 0x7FFF_FFFF) % 7)
        }
        #expect(Partitioner.partition([], count: 1) == 0)
    }

    @Test func headersOfABlock() throws {
        typealias Header = RecordHeader
        let all: [[Header]] = [
            [], [Header("plumbline.arrival", "1760000000123")],
            [Header("trace", "x"), Header("plumbline.arrival", "-5")],
            [Header(key: Array("none".utf8), value: nil)],
            [Header("plumbline.arrival", "soon"), Header("plumbline.arrival", "12")],
        ]
        let blobs = all.map { headers in
            var bytes: [UInt8] = []
            RecordHeaders.encode(headers, to: &bytes)
            return bytes
        }
        #expect(blobs[2].prefix(4) == [4, 10, 0x74, 0x72])
        for (blob, headers) in zip(blobs, all) {
            #expect(RecordHeaders.decode(blob) == headers)
            for count in 0..<blob.count {
                #expect(RecordHeaders.decode(Array(blob[..<count])) == nil)
            }
        }
        let block = makeBlock(all.map { _ in Array("{}".utf8) }, headers: blobs)
        #expect(
            RecordHeaders.arrivalTimes(block, 0..<5) == [1000, 1_760_000_000_123, -5, 1003, 12])
        #expect(RecordHeaders.arrivalTimes(block, 3..<4) == [1003])
        #expect(RecordHeaders.carried(block, 0..<2) == nil)
        let carried = try #require(RecordHeaders.carried(block, 1..<4))
        #expect(carried.count == 3 && carried.array(0) == [0])
        #expect(RecordHeaders.decode(carried.array(1)) == [Header("trace", "x")])
        #expect(carried.array(2) == blobs[3])
        #expect(RecordHeaders.headers(block, 2) == all[2])
    }

    @Test func originalsByOffset() {
        let block = makeBlock([Array("one".utf8), nil, []])
        let raw: any RawRecords = block
        #expect(raw.value(at: 100) == Array("one".utf8) && raw.value(at: 101) == nil)
        #expect(raw.value(at: 102) == [] && raw.value(at: 103) == nil && raw.key(at: 100) == nil)
    }

    /// The records of a text, whatever the chunks it comes in.
    private func split(
        _ text: String, _ format: RecordSplitter.Format, chunk: Int, maximum: Int = 1 << 24
    ) throws -> [RecordSplitter.Record] {
        var splitter = RecordSplitter(format, file: "f", maximumLength: maximum)
        let bytes = Array(text.utf8)
        var records: [RecordSplitter.Record] = []
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            records += try splitter.append(Array(bytes[start..<min(start + chunk, bytes.count)]))
        }
        if let last = try splitter.finish() { records.append(last) }
        return records
    }

    @Test func linesOfAFile() throws {
        let text = "{\"a\":1}\n\n  \t\n{\"b\":2}\r\n\r\nnot json\n12\t##x\nlast"
        for chunk in [1, 2, 3, 7, 1000] {
            let records = try split(text, .jsonLines, chunk: chunk)
            let found = records.map { String(decoding: $0.bytes, as: UTF8.self) }
            #expect(found == ["{\"a\":1}", "{\"b\":2}", "not json", "12\t##x", "last"])
            #expect(records.map(\.line) == [1, 4, 6, 7, 8])
        }
        #expect(try split("", .jsonLines, chunk: 10).isEmpty)
        #expect(try split("\n\n", .jsonLines, chunk: 10).isEmpty)
    }

    @Test func framesWithArrivals() throws {
        let text =
            "##0001\r\n1760000000123\t##0002\n2026-03-02T08:00:00.5+08:00\t##0003\n"
            + "soon\t##0004\n\t##0005\n1760000000123##0006\n1969-12-31T23:59:59.9999Z\t##0007"
        for chunk in [1, 5, 1000] {
            let records = try split(text, .hj212, chunk: chunk)
            #expect(
                records.map(\.arrival)
                    == [nil, 1_760_000_000_123, 1_772_409_600_500, nil, nil, nil, -1])
            #expect(String(decoding: records[1].bytes, as: UTF8.self) == "##0002")
            #expect(String(decoding: records[3].bytes, as: UTF8.self) == "soon\t##0004")
        }
    }

    @Test func linesThatAreTooLong() throws {
        #expect(try split("12345\r\n12345", .jsonLines, chunk: 3, maximum: 5).count == 2)
        for chunk in [1, 4, 100] {
            let error = #expect(throws: Diagnostic.self) {
                try split("1\n123456\n2", .jsonLines, chunk: chunk, maximum: 5)
            }
            #expect(error?.location == Primitives.SourceLocation(file: "f", line: 2, column: 1))
            #expect(error?.message == "the line is longer than 5 bytes")
        }
    }
}
