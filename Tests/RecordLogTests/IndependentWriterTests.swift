import Foundation
import Primitives
import RecordLog
import TestKit
import Testing

/// The bytes of a segment that python3-kafka writes, with one batch for each list of records.
///
/// `codec` is gzip, snappy (blocks as Java's client writes them), snappy-raw or lz4. A missing
/// module fails the test: it is not optional.
func writeIndependently(_ batches: [[TestRecord]], codec: String) throws -> [UInt8] {
    struct Row: Encodable {
        var timestamp: Int64
        var key: String?
        var value: String?
        var headers: [[String?]]
    }
    let temporary = TemporaryDirectory()
    let file = temporary.path + "/segment.log"
    let input = temporary.path + "/records.ndjson"
    var lines = Data()
    for batch in batches {
        let rows = batch.map { record in
            Row(
                timestamp: record.timestamp, key: record.key.map(hexadecimal),
                value: record.value.map(hexadecimal),
                headers: record.headers.map { [hexadecimal($0.key), $0.value.map(hexadecimal)] })
        }
        lines += try JSONEncoder().encode(rows) + Data("\n".utf8)
    }
    try lines.write(to: URL(fileURLWithPath: input))
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("write_segment.py")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = [script.path, codec, file]
    process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: input))
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    let complaint = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(
        process.terminationStatus == 0,
        "write_segment.py failed: \(String(decoding: complaint, as: UTF8.self))")
    return try [UInt8](Data(contentsOf: URL(fileURLWithPath: file)))
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

struct IndependentWriterTests {
    @Test(arguments: ["gzip", "snappy", "snappy-raw", "lz4"])
    func readsWhatOthersWrite(codec: String) throws {
        let seed: UInt64 = 2027
        print("readsWhatOthersWrite(\(codec)): seed \(seed)")
        var random = RandomSource(seed: seed)
        var batches: [[TestRecord]] = []
        var next: Int64 = 0
        for count in [80, 1_500, 60, 300, 120] {
            batches.append(
                randomRecords(
                    from: next, count: count, startTime: 1_763_800_000_000, random: &random))
            next += Int64(count)
        }
        // Many blocks of the Java client's 32 KB, and something to compress in each.
        let text = [UInt8]("wind=5.25;falls=2;".utf8)
        batches.append(
            (0..<200).map { index in
                TestRecord(
                    offset: next + Int64(index), timestamp: 5, key: [1],
                    value: Array(repeating: text, count: 1 + index).flatMap(\.self))
            })
        let segment = try writeIndependently(batches, codec: codec)
        #expect(
            records(try RecordBatchDecoder().decodeAll(segment)) == batches.flatMap(\.self))
        // The same as a partition of a log that someone else wrote, without its indexes.
        let temporary = TemporaryDirectory()
        let folder = temporary.path + "/kafka/t-0"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        try Data(segment).write(
            to: URL(fileURLWithPath: folder + "/00000000000000000000.log"))
        let directory = try LogDirectory.open(temporary.path + "/kafka")
        let log = try directory.partition("t", 0)
        #expect(log.logEndOffset == next + 200)
        try log.setHighWatermark(log.logEndOffset)
        try directory.publishHighWatermarks()
        let reader = try PartitionReader(
            directory: temporary.path + "/kafka", topic: "t", partition: 0)
        #expect(try readAll(reader, from: 0, maxBytes: 70_000) == batches.flatMap(\.self))
        #expect(try readAll(reader, from: 777, maxBytes: 1).first?.offset == 777)
        try directory.close()
    }
}
