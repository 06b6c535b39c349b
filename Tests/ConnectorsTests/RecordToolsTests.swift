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
        func place(_ offset: Int64) -> RecordPlace { RecordPlace(input: 0, offset: offset) }
        #expect(raw.value(at: place(100)) == Array("one".utf8))
        #expect(raw.value(at: place(101)) == nil && raw.value(at: place(102)) == [])
        #expect(raw.value(at: place(103)) == nil && raw.key(at: place(100)) == nil)
    }
}
