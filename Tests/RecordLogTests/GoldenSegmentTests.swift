import Foundation
import Primitives
import RecordLog
import TestKit
import Testing

/// A log directory that was not written by this program and that a Kafka broker mounts.
struct GoldenSegmentTests {
    private let temporary = TemporaryDirectory()
    private var path: String { temporary.path + "/kafka" }
    private var partition: String { path + "/site-alerts-0" }

    private func copyGolden() throws {
        try FileManager.default.copyItem(atPath: fixture("golden-segment").path, toPath: path)
    }

    private func contents(_ name: String) throws -> [UInt8]? {
        try PosixStorage().contents(of: partition + "/00000000000000000000" + name)
    }

    @Test func readsAllRecords() throws {
        try copyGolden()
        let reader = try PartitionReader(directory: path, topic: "site-alerts", partition: 0)
        #expect(reader.visibleEnd == 243)
        let rows = try readAll(reader, from: 0)
        // 243 offsets; the commit marker is not a row.
        #expect(rows.count == 242)
        let file = partition + "/00000000000000000000.log"
        #expect(rows == (try readIndependently([file])))
        #expect(try readAll(reader, from: 100, maxBytes: 1) == rows.filter { $0.offset >= 100 })
    }

    @Test func opensAsItIs() throws {
        try copyGolden()
        let before = try contents(".log")
        let directory = try LogDirectory.open(path)
        #expect(directory.wasClosedCleanly)
        #expect(
            try directory.topics() == [TopicDescription(name: "site-alerts", partitionCount: 1)])
        let log = try directory.partition("site-alerts", 0)
        #expect(log.logEndOffset == 243)
        #expect(log.recovery.isClean)
        #expect(log.recovery.scannedSegments == 0)
        try directory.close()
        #expect(try contents(".log") == before)
    }

    /// The indexes are Kafka's, byte by byte, when they have to be built anew.
    @Test(arguments: [true, false])
    func rebuildsIndexes(cleanly: Bool) throws {
        try copyGolden()
        let (offsets, times, log) = (
            try contents(".index"), try contents(".timeindex"), try contents(".log")
        )
        #expect(offsets?.count == 24)
        #expect(times?.count == 36)
        let storage = PosixStorage()
        try storage.remove(partition + "/00000000000000000000.index")
        try storage.remove(partition + "/00000000000000000000.timeindex")
        if !cleanly { try storage.remove(path + "/.kafka_cleanshutdown") }
        let directory = try LogDirectory.open(path)
        let opened = try directory.partition("site-alerts", 0)
        #expect(opened.recovery.rebuiltIndexes == 1)
        #expect(opened.recovery.truncatedBytes == 0)
        #expect(try contents(".index") == offsets)
        #expect(try contents(".timeindex") == times)
        try directory.close()
        #expect(try contents(".index") == offsets)
        #expect(try contents(".timeindex") == times)
        #expect(try contents(".log") == log)
    }

    /// The stored batches, decoded and written again by us, give the same records.
    @Test func roundTrips() throws {
        try copyGolden()
        let reader = try PartitionReader(directory: path, topic: "site-alerts", partition: 0)
        let directory = try LogDirectory.open(temporary.path + "/copy")
        try directory.createTopic("copy", partitions: 1)
        let log = try directory.partition("copy", 0)
        var next: Int64 = 0
        var expected: [TestRecord] = []
        while let block = try reader.read(from: next, maxBytes: 1) {
            next = block.nextOffset
            guard block.count > 0 else { continue }
            let builder = RecordBatchBuilder()
            for row in 0..<block.count {
                let headers = block.encodedHeaders(row)
                let all = block.bytes
                let (key, value) = (block.key(row), block.value(row))
                builder.append(
                    timestampMilliseconds: block.timestamps[row], key: key?.span,
                    value: value?.span,
                    encodedHeaders: all.span.extracting(headers),
                    headerCount: Int(block.headerCounts[row]))
            }
            expected += records(block)
            try log.append(try builder.finish(baseOffset: log.logEndOffset, codec: .lz4))
        }
        let copied = try readAll(try log.reader(), from: 0)
        #expect(copied.map(\.value) == expected.map(\.value))
        #expect(copied.map(\.key) == expected.map(\.key))
        #expect(copied.map(\.timestamp) == expected.map(\.timestamp))
        #expect(copied.map(\.headers) == expected.map(\.headers))
        try directory.close()
    }
}
