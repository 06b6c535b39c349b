import Foundation
import Primitives
import RecordLog
import TestKit
import Testing

/// Reads segment files with python3-kafka, CRCs checked.
///
/// A missing python3-kafka fails the test: it is not optional.
func readIndependently(_ files: [String]) throws -> [TestRecord] {
    struct Row: Decodable {
        var offset: Int64
        var timestamp: Int64
        var key: String?
        var value: String?
        var headers: [[String?]]
    }
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("read_segment.py")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = [script.path] + files
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let complaint = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(
        process.terminationStatus == 0,
        "read_segment.py failed: \(String(decoding: complaint, as: UTF8.self))")
    return try text.split(separator: UInt8(ascii: "\n")).map { line in
        let row = try JSONDecoder().decode(Row.self, from: Data(line))
        return TestRecord(
            offset: row.offset, timestamp: row.timestamp, key: row.key.map(bytes(hexadecimal:)),
            value: row.value.map(bytes(hexadecimal:)),
            headers: row.headers.map { header in
                RecordHeader(
                    key: bytes(hexadecimal: (header.first ?? nil) ?? ""),
                    value: header.last?.map(bytes(hexadecimal:)))
            })
    }
}

struct IndependentReaderTests {
    @Test(arguments: [CompressionCodec.none, .lz4, .zstd])
    func readsWhatWeWrite(codec: CompressionCodec) throws {
        let temporary = TemporaryDirectory()
        let directory = try LogDirectory.open(
            temporary.path, options: LogOptions(segmentBytes: 60_000))
        try directory.createTopic("t", partitions: 1)
        let log = try directory.partition("t", 0)
        let seed: UInt64 = 2026
        print("readsWhatWeWrite(\(codec)): seed \(seed)")
        var random = RandomSource(seed: seed)
        var expected: [TestRecord] = []
        for _ in 0..<12 {
            expected += try appendBatch(
                to: log, codec, count: random.int(in: 1...200), random: &random)
        }
        // More than one block of 64 KB, which lz4 must write independent of one another.
        let builder = RecordBatchBuilder()
        for index in 0..<300 {
            let value = [UInt8]("wind=\(index % 7);".utf8) + [UInt8](repeating: 65, count: 900)
            expected.append(
                TestRecord(
                    offset: log.logEndOffset + Int64(index), timestamp: 0, key: [1], value: value))
            builder.append(timestampMilliseconds: 0, key: [1], value: value)
        }
        try log.append(try builder.finish(baseOffset: log.logEndOffset, codec: codec))
        try log.sync()
        let files = try PosixStorage().list(log.path).filter { $0.hasSuffix(".log") }
            .map { log.path + "/" + $0 }
        #expect(files.count > 1 || codec != .none)
        #expect(try readIndependently(files) == expected)
        try directory.close()
    }
}
