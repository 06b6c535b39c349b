import Glibc
import Primitives
import RecordLog
import TestKit
import Testing

/// Prints what the hot paths cost; small in debug builds, where the figures mean nothing.
@Suite(.serialized) struct SpeedTests {
    #if DEBUG
        static let recordCount = 2_000
    #else
        static let recordCount = 1_000_000
    #endif

    /// Processor time of this thread, so that a busy machine does not count.
    private func report(
        _ name: String, _ count: Int, _ unit: String, _ body: () throws -> Void
    ) rethrows {
        let start = processorSeconds()
        try body()
        let nanoseconds = (processorSeconds() - start) * 1e9 / Double(count)
        print("speed: \(name): \((nanoseconds * 100).rounded() / 100) ns per \(unit)")
    }

    private func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    @Test func checksum() {
        let bytes = [UInt8](repeating: 0xA5, count: 1 << 20)
        let rounds = Self.recordCount / 1_000
        var sum: UInt32 = 0
        report("CRC-32C", rounds << 20, "byte") {
            for _ in 0..<rounds { sum ^= CRC32C.extend(sum, with: bytes.span) }
        }
        print("speed: checksum \(sum)")
    }

    /// Records of 180 bytes of JSON with an 8-byte key, in batches of about 32 KB.
    @Test(arguments: [CompressionCodec.none, .lz4, .zstd])
    func writeAndRead(codec: CompressionCodec) throws {
        let temporary = TemporaryDirectory()
        let directory = try LogDirectory.open(temporary.path + "/kafka")
        try directory.createTopic("t", partitions: 1)
        let log = try directory.partition("t", 0)
        let text = """
            {"device":"crane-0007","ts":"2026-03-01T08:00:00.000Z","load":{"mass":3.250,\
            "radius":21.4,"falls":2,"height":38.2,"slew":127.5,"percent":61.2},\
            "wind":4.8,"seq":1048576,"status":"ok"}
            """
        let value = Array(text.utf8)
        let key = Array("crane-07".utf8)
        let count = Self.recordCount
        var batches: [[UInt8]] = []
        try report("\(codec.name): build and encode", count, "record") {
            let builder = RecordBatchBuilder()
            var varying = value
            var base: Int64 = 0
            for index in 0..<count {
                varying[60] = UInt8(48 + index % 10)
                varying[90] = UInt8(48 + index / 7 % 10)
                varying[105] = UInt8(48 + index / 3 % 10)
                builder.append(
                    timestampMilliseconds: 1_772_000_000_000 + Int64(index), key: key.span,
                    value: varying.span, headers: [])
                if builder.estimatedByteCount > 32_000 || index == count - 1 {
                    let records = Int64(builder.recordCount)
                    batches.append(try builder.finish(baseOffset: base, codec: codec))
                    base += records
                }
            }
        }
        try report("\(codec.name): append and sync", count, "record") {
            for batch in batches { try log.append(batch) }
            try log.sync()
        }
        let reader = try log.reader()
        var rows = 0
        try report("\(codec.name): read and decode", count, "record") {
            var next: Int64 = 0
            while let block = try reader.read(from: next) {
                rows += block.count
                next = block.nextOffset
            }
        }
        #expect(rows == count)
        print("speed: \(codec.name): \(batches.reduce(0) { $0 + $1.count } / count) bytes a record")
    }
}
