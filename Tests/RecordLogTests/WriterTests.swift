import Foundation
import Primitives
import RecordLog
import TestKit
import Testing

/// One writer, topics, rolling, cutting, and what other processes see.
struct WriterTests {
    private let temporary = TemporaryDirectory()
    private var path: String { temporary.path + "/kafka" }

    private func batch(
        _ log: PartitionLog, timestamps: [Int64], valueSize: Int = 10
    ) throws -> [UInt8] {
        let builder = RecordBatchBuilder()
        for time in timestamps {
            builder.append(
                timestampMilliseconds: time, key: nil,
                value: [UInt8](repeating: 1, count: valueSize))
        }
        return try builder.finish(baseOffset: log.logEndOffset, codec: .none)
    }

    @Test func secondWriterIsRefused() throws {
        let first = try LogDirectory.open(path)
        let error = #expect(throws: RecordLogError.directoryLocked(path)) {
            try LogDirectory.open(path)
        }
        #expect("\(try #require(error))".contains(path))
        try first.close()
        try LogDirectory.open(path).close()
    }

    /// The lock holds against other processes too: util-linux' flock cannot take it.
    @Test func otherProcessesAreLockedOut() throws {
        func tryLock() throws -> Int32 {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
            process.arguments = ["--nonblock", path + "/.lock", "true"]
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus
        }
        let directory = try LogDirectory.open(path)
        #expect(try tryLock() == 1)
        try directory.close()
        #expect(try tryLock() == 0)
    }

    @Test func topics() throws {
        let directory = try LogDirectory.open(path)
        #expect(try directory.topics().isEmpty)
        #expect(try directory.createTopic("b.c-d", partitions: 3))
        #expect(try !directory.createTopic("b.c-d", partitions: 3))
        #expect(try directory.createTopic("a", partitions: 1))
        #expect(
            try LogDirectory.topics(in: path).map { "\($0.name):\($0.partitionCount)" }
                == ["a:1", "b.c-d:3"])
        #expect(
            throws: RecordLogError.partitionCountDiffers(topic: "a", existing: 1, wanted: 2)
        ) { try directory.createTopic("a", partitions: 2) }
        for name in ["", ".", "..", "a/b", "a b", "é", String(repeating: "x", count: 250)] {
            #expect(throws: RecordLogError.self) { try directory.createTopic(name, partitions: 1) }
        }
        for count in [0, -1, 10_001] {
            #expect(throws: RecordLogError.self) {
                try directory.createTopic("n", partitions: count)
            }
        }
        #expect(throws: RecordLogError.self) { try directory.partition("a", 1) }
        #expect(throws: RecordLogError.self) { try directory.partition("../a", 0) }
        #expect(throws: RecordLogError.self) {
            try PartitionReader(directory: path, topic: "none", partition: 0)
        }
        #expect(try LogDirectory.topics(in: temporary.path + "/missing").isEmpty)
    }

    /// A creation that was killed half-way is taken up anew; records without a partition 0 stay.
    @Test func interruptedCreation() throws {
        let directory = try LogDirectory.open(path)
        let storage = PosixStorage()
        try storage.createDirectory(path + "/t-3")
        try tamper(path + "/t-3/00000000000000000000.log") { $0 = [] }
        try storage.createDirectory(path + "/u-1")
        try tamper(path + "/u-1/00000000000000000000.log") { $0 = [1] }
        #expect(try directory.topics().isEmpty)
        #expect(try directory.createTopic("t", partitions: 2))
        #expect(try directory.partitionCount(of: "t") == 2)
        let error = #expect(throws: RecordLogError.self) {
            try directory.createTopic("u", partitions: 2)
        }
        #expect("\(try #require(error))".contains("u-1"))
        #expect(try storage.contents(of: path + "/u-1/00000000000000000000.log") == [1])
    }

    /// Names and numbers at the edges of their types, as a hand could write them.
    @Test func extremeNumbersInNamesAndCheckpoints() throws {
        let directory = try LogDirectory.open(path)
        try directory.createTopic("t", partitions: 1)
        try directory.close()
        let storage = PosixStorage()
        try storage.createDirectory(path + "/t-9223372036854775807")
        try tamper(path + "/t-0/09223372036854775807.log") { $0 = [] }
        try tamper(path + "/t-0/99999999999999999999.log") { $0 = [] }
        let again = try LogDirectory.open(path)
        #expect(try again.partitionCount(of: "t") == 1)
        #expect(try again.partition("t", 0).logEndOffset == 0)
        try again.close()
        for text in ["0\n9223372036854775807\nt 0 1\n", "0\n-1\n", "0\n1\nt 0 -1\n", "0\n", "x"] {
            try tamper(path + "/replication-offset-checkpoint") { $0 = Array(text.utf8) }
            #expect(throws: RecordLogError.self) {
                try PartitionReader(directory: path, topic: "t", partition: 0)
            }
        }
        let most = "0\n1\nt 0 9223372036854775807\n"
        try tamper(path + "/replication-offset-checkpoint") { $0 = Array(most.utf8) }
        let reader = try PartitionReader(directory: path, topic: "t", partition: 0)
        #expect(throws: RecordLogError.self) { try reader.read(from: 0) }
    }

    /// The side files that a broker looks for.
    @Test func sideFiles() throws {
        let directory = try LogDirectory.open(path)
        try directory.createTopic("t", partitions: 2)
        let log = try directory.partition("t", 1)
        try log.append(try batch(log, timestamps: [5]))
        try log.sync()
        try log.setHighWatermark(1)
        try directory.close()
        func text(_ name: String) throws -> String {
            String(
                decoding: try #require(try PosixStorage().contents(of: path + "/" + name)),
                as: UTF8.self)
        }
        #expect(try text("replication-offset-checkpoint") == "0\n1\nt 1 1\n")
        #expect(try text("recovery-point-offset-checkpoint") == "0\n2\nt 0 0\nt 1 1\n")
        #expect(try text("log-start-offset-checkpoint") == "0\n0\n")
        #expect(try text("cleaner-offset-checkpoint") == "0\n0\n")
        #expect(try text("t-1/leader-epoch-checkpoint") == "0\n1\n0 0\n")
        #expect(try text(".kafka_cleanshutdown").hasPrefix(#"{"version":0"#))
        let metadata = try text("t-1/partition.metadata")
        #expect(metadata.contains(/^version: 0\ntopic_id: [A-Za-z0-9_][A-Za-z0-9_-]{21}$/))
        #expect(try text("t-0/partition.metadata") == metadata)
        let properties = try text("meta.properties")
        #expect(properties.contains(/node\.id=1\n/))
        #expect(properties.contains(/version=1\n/))
        #expect(properties.contains(/cluster\.id=[A-Za-z0-9_-]{22}\n/))
        #expect(properties.contains(/directory\.id=[A-Za-z0-9_-]{22}\n/))
        _ = try LogDirectory.open(path)
        #expect(try text("meta.properties") == properties)
        #expect(try PosixStorage().kind(of: path + "/.kafka_cleanshutdown") == nil)
    }

    @Test func wrongBatchesAreRefused() throws {
        let directory = try LogDirectory.open(path)
        try directory.createTopic("t", partitions: 1)
        let log = try directory.partition("t", 0)
        let good = try batch(log, timestamps: [1, 2])
        var elsewhere = good
        RecordBatch.rebase(&elsewhere, to: 7)
        #expect(throws: RecordLogError.wrongBaseOffset(partition: "t-0", expected: 0, found: 7)) {
            try log.append(elsewhere)
        }
        #expect(throws: RecordLogError.self) { try log.append([]) }
        #expect(throws: RecordLogError.self) { try log.append(Array(good.dropLast())) }
        #expect(throws: RecordLogError.self) { try log.append(good + good) }
        let empty = RecordBatchBuilder()
        let none = try empty.finish(baseOffset: 0, codec: .none)
        #expect(throws: RecordLogError.self) { try log.append(none) }
        #expect(log.logEndOffset == 0)
        try log.append(good)
        #expect(log.logEndOffset == 2)
        #expect(throws: RecordLogError.self) { try log.setHighWatermark(2) }
        try log.sync()
        try log.setHighWatermark(2)
    }

    @Test func rollsBySize() throws {
        let directory = try LogDirectory.open(path, options: LogOptions(segmentBytes: 1_000))
        try directory.createTopic("t", partitions: 1)
        let log = try directory.partition("t", 0)
        // 61 bytes of header and 7 of fields, the value, and its longer lengths: 400 bytes a batch.
        for index in 0..<5 {
            let one = try batch(log, timestamps: [Int64(index)], valueSize: 330)
            #expect(one.count == 400)
            try log.append(one)
        }
        // A batch larger than a segment has one of its own.
        try log.append(try batch(log, timestamps: [9], valueSize: 5_000))
        try log.append(try batch(log, timestamps: [10]))
        #expect(
            try names(in: log.path, endingWith: ".log").map { Int64($0.dropLast(4)) ?? -1 }
                == [0, 2, 4, 5, 6])
        #expect(try readAll(try log.reader(), from: 0).count == 7)
    }

    /// By the time stamps of records: the greatest of the batch against that of the first batch.
    @Test func rollsByAge() throws {
        let directory = try LogDirectory.open(path, options: LogOptions(segmentMilliseconds: 1_000))
        try directory.createTopic("t", partitions: 1)
        let log = try directory.partition("t", 0)
        for times: [Int64] in [[0, 50], [1_050], [1_051], [900], [2_051], [2_052], [-5], [3_053]] {
            try log.append(try batch(log, timestamps: times))
        }
        #expect(
            try names(in: log.path, endingWith: ".log").map { Int64($0.dropLast(4)) ?? -1 }
                == [0, 3, 6, 8])
    }

    @Test func readersFollowTheTail() throws {
        let directory = try LogDirectory.open(path, options: LogOptions(segmentBytes: 30_000))
        try directory.createTopic("t", partitions: 2)
        let log = try directory.partition("t", 0)
        let reader = try PartitionReader(directory: path, topic: "t", partition: 0)
        var random = RandomSource(seed: 17)
        var written: [TestRecord] = []
        var seen: [TestRecord] = []
        for round in 0..<40 {
            written += try appendBatch(
                to: log, round % 2 == 0 ? .lz4 : .none, count: 20, random: &random)
            try log.sync()
            if round % 3 == 2 {
                try log.setHighWatermark(log.logEndOffset)
                try directory.publishHighWatermarks()
            }
            try reader.refresh()
            seen += try readAll(
                reader, from: Int64(seen.count), maxBytes: random.int(in: 1...9_000))
            #expect(seen.count == (round + 1) / 3 * 60)
        }
        #expect(seen == Array(written[..<seen.count]))
        #expect(try names(in: log.path, endingWith: ".log").count > 3)
        // The writer's own reader sees the rest, or as far as it is told to, inside a batch too.
        #expect(try readAll(try log.reader(), from: 0) == written)
        #expect(try readAll(try log.reader(limit: 31), from: 0) == Array(written[..<31]))
        #expect(try readAll(try log.reader(limit: 31), from: 25) == Array(written[25..<31]))
    }

    @Test(arguments: [CompressionCodec.none, .lz4, .zstd])
    func truncatesAnywhere(codec: CompressionCodec) throws {
        let directory = try LogDirectory.open(path, options: LogOptions(segmentBytes: 4_000))
        try directory.createTopic("t", partitions: 1)
        let log = try directory.partition("t", 0)
        var random = RandomSource(seed: 23)
        var written: [TestRecord] = []
        for _ in 0..<30 { written += try appendBatch(to: log, codec, count: 10, random: &random) }
        for cut in [300, 299, 290, 285, 201, 200, 77, 70, 3, 0] {
            try log.truncate(to: Int64(cut))
            #expect(log.logEndOffset == Int64(cut))
            // A cut makes what is left durable; at the end of the log there is nothing to cut.
            if cut < 300 { #expect(log.durableEndOffset == Int64(cut)) }
            #expect(try readAll(try log.reader(), from: 0) == Array(written[..<cut]))
            #expect(try log.lastBatch()?.offsets.last == (cut == 0 ? nil : Int64(cut - 1)))
        }
        written = try appendBatch(to: log, codec, count: 10, random: &random)
        try directory.close()
        let again = try LogDirectory.open(path)
        #expect(again.wasClosedCleanly)
        let reopened = try again.partition("t", 0)
        #expect(reopened.recovery.isClean)
        #expect(try readAll(try reopened.reader(), from: 0) == written)
    }

    @Test func findsOffsetsByTime() throws {
        let directory = try LogDirectory.open(path, options: LogOptions(segmentBytes: 500))
        try directory.createTopic("t", partitions: 1)
        let log = try directory.partition("t", 0)
        let times: [[Int64]] = [[10, 20], [15, 40], [30, 35], [50], [45, 60]]
        for batchTimes in times {
            try log.append(try batch(log, timestamps: batchTimes, valueSize: 100))
        }
        let reader = try log.reader()
        for (time, offset) in [(0, 0), (10, 0), (11, 1), (21, 3), (41, 6), (51, 8), (60, 8)] {
            #expect(try reader.offset(forTimestamp: Int64(time)) == Int64(offset), "time \(time)")
        }
        #expect(try reader.offset(forTimestamp: 61) == nil)
        #expect(try log.reader(limit: 8).offset(forTimestamp: 51) == nil)
    }

    @Test func largeRecords() throws {
        let directory = try LogDirectory.open(path)
        try directory.createTopic("t", partitions: 1)
        let log = try directory.partition("t", 0)
        let key = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let builder = RecordBatchBuilder()
        builder.append(timestampMilliseconds: 1, key: key, value: key + key)
        builder.append(timestampMilliseconds: 1, key: [], value: nil)
        try log.append(try builder.finish(baseOffset: 0, codec: .lz4))
        let rows = try readAll(try log.reader(), from: 0, maxBytes: 100)
        #expect(rows.count == 2)
        #expect(rows.first?.key == key)
        #expect(rows.first?.value == key + key)
        #expect(rows.last?.key == [])
        #expect(rows.last?.value == nil)
    }

    /// The index rule, said again in the plainest way over the batches that were written.
    @Test func indexesFollowKafkasRule() throws {
        let directory = try LogDirectory.open(path)
        try directory.createTopic("t", partitions: 1)
        let log = try directory.partition("t", 0)
        var random = RandomSource(seed: 29)
        var batches: [(last: Int64, position: Int, size: Int, time: Int64)] = []
        var position = 0
        for _ in 0..<200 {
            let times = (0...random.int(in: 0...3)).map { _ in Int64(random.int(in: 1...100_000)) }
            let one = try batch(log, timestamps: times, valueSize: random.int(in: 0...3_000))
            try log.append(one)
            batches.append((log.logEndOffset - 1, position, one.count, times.max() ?? 0))
            position += one.count
        }
        try directory.close()
        var (index, timeIndex): ([UInt8], [UInt8]) = ([], [])
        var (since, greatest, at, lastTime) = (0, Int64(-1), Int64(0), Int64(-1))
        func addTime() {
            guard greatest > lastTime else { return }
            timeIndex.appendBigEndian(greatest)
            timeIndex.appendBigEndian(Int32(at))
            lastTime = greatest
        }
        for one in batches {
            if one.time > greatest { (greatest, at) = (one.time, one.last) }
            if since > 4_096 {
                index.appendBigEndian(Int32(one.last))
                index.appendBigEndian(Int32(one.position))
                addTime()
                since = 0
            }
            since += one.size
        }
        addTime()
        #expect(index.count > 300)
        let base = log.path + "/00000000000000000000"
        #expect(try PosixStorage().contents(of: base + ".index") == index)
        #expect(try PosixStorage().contents(of: base + ".timeindex") == timeIndex)
    }
}
