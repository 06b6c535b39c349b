import Primitives
import RecordLog
import TestKit
import Testing

/// What was written is read back, through files, for every codec.
struct RoundTripTests {
    @Test(arguments: [CompressionCodec.none, .lz4, .zstd])
    func appendAndReadBack(codec: CompressionCodec) throws {
        let temporary = TemporaryDirectory()
        let path = temporary.path + "/kafka"
        let directory = try LogDirectory.open(path)
        #expect(try directory.createTopic("telemetry.crane", partitions: 2))
        let log = try directory.partition("telemetry.crane", 1)
        var expected: [TestRecord] = []
        var random = RandomSource(seed: 7)
        for _ in 0..<20 {
            expected += try appendBatch(
                to: log, codec, count: random.int(in: 1...300), random: &random)
        }
        let reader = try PartitionReader(directory: path, topic: "telemetry.crane", partition: 1)
        #expect(try reader.read(from: 0) == nil)
        try log.sync()
        try log.setHighWatermark(log.logEndOffset)
        try directory.publishHighWatermarks()
        #expect(try reader.refresh())
        #expect(try readAll(reader, from: 0, maxBytes: 10_000) == expected)
        let middle = expected.count / 2
        #expect(try readAll(reader, from: Int64(middle)) == Array(expected[middle...]))
        try directory.close()

        let again = try LogDirectory.open(path)
        #expect(again.wasClosedCleanly)
        let reopened = try again.partition("telemetry.crane", 1)
        #expect(reopened.logEndOffset == Int64(expected.count))
        #expect(reopened.recovery.isClean)
        let last = try #require(try reopened.lastBatch())
        #expect(last.offsets.last == Int64(expected.count - 1))
    }
}
