import Foundation
import Primitives
import RecordLog
import Testing

/// A record as tests compare it.
struct TestRecord: Hashable {
    var offset: Int64
    var timestamp: Int64
    var key: [UInt8]?
    var value: [UInt8]?
    var headers: [RecordHeader] = []
}

/// The rows of a block.
func records(_ block: RecordBlock) -> [TestRecord] {
    (0..<block.count).map { row in
        TestRecord(
            offset: block.offsets[row], timestamp: block.timestamps[row], key: block.key(row),
            value: block.value(row), headers: block.headers(row))
    }
}

/// All visible records from an offset on.
func readAll(
    _ reader: PartitionReader, from offset: Int64, maxBytes: Int = 1 << 20
) throws -> [TestRecord] {
    var result: [TestRecord] = []
    var next = offset
    while let block = try reader.read(from: next, maxBytes: maxBytes) {
        result += records(block)
        #expect(block.nextOffset > next)
        next = block.nextOffset
    }
    return result
}

/// Appends a batch of random records and returns them.
@discardableResult
func appendBatch(
    to log: PartitionLog, _ codec: CompressionCodec, count: Int,
    startTime: Int64 = 1_763_800_000_000, random: inout RandomSource
) throws -> [TestRecord] {
    let builder = RecordBatchBuilder(capacity: 100)
    let expected = randomRecords(
        from: log.logEndOffset, count: count, startTime: startTime, random: &random)
    for record in expected {
        builder.append(
            timestampMilliseconds: record.timestamp, key: record.key, value: record.value,
            headers: record.headers)
    }
    try log.append(try builder.finish(baseOffset: log.logEndOffset, codec: codec))
    return expected
}

/// Records with null, empty, short and long parts.
func randomRecords(
    from offset: Int64, count: Int, startTime: Int64, random: inout RandomSource
) -> [TestRecord] {
    func bytes(upTo limit: Int) -> [UInt8]? {
        switch random.int(in: 0...9) {
        case 0: return nil
        case 1: return []
        default:
            let letters = random.int(in: 1...26)
            return (0..<random.int(in: 1...limit)).map { _ in
                UInt8(96 + random.int(in: 1...letters))
            }
        }
    }
    return (0..<count).map { index in
        TestRecord(
            offset: offset + Int64(index),
            timestamp: startTime + Int64(index) + Int64(random.int(in: 0...5000)),
            key: bytes(upTo: 20), value: bytes(upTo: 400),
            headers: (0..<max(0, random.int(in: -3...3))).map { number in
                RecordHeader(key: Array("header\(number)".utf8), value: bytes(upTo: 30))
            })
    }
}

/// A file of the fixtures.
func fixture(_ name: String) throws -> URL {
    let folder = try #require(Bundle.module.resourceURL)
    return folder.appendingPathComponent("Fixtures/" + name)
}

/// The bytes of a hexadecimal text.
func bytes(hexadecimal text: String) -> [UInt8] {
    var result: [UInt8] = []
    var high: UInt8?
    for digit in text.utf8 {
        guard let value = Character(UnicodeScalar(digit)).hexDigitValue else { continue }
        if let first = high {
            result.append(first << 4 | UInt8(value))
            high = nil
        } else {
            high = UInt8(value)
        }
    }
    return result
}

/// Changes a file on the real disk behind the log's back.
func tamper(_ path: String, _ change: (inout [UInt8]) -> Void) throws {
    let storage = PosixStorage()
    var content = try storage.contents(of: path) ?? []
    change(&content)
    let file = try storage.open(path, .replace)
    try file.write(content.span, at: 0)
    file.close()
}

/// The names in a directory that end so.
func names(in directory: String, endingWith suffix: String) throws -> [String] {
    try PosixStorage().list(directory).filter { $0.hasSuffix(suffix) }
}
