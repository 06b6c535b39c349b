import Primitives
import RecordLog
import TestKit
import Testing

/// What a crash or a hand can do to the files, and what opening makes of it.
struct RecoveryTests {
    private let temporary = TemporaryDirectory()
    private var path: String { temporary.path + "/kafka" }
    private let options = LogOptions(segmentBytes: 20_000)

    /// Batches of one record each with known sizes, so that places in the files are known.
    private struct Written {
        var partition: String
        /// Segment, byte position and byte count of each batch.
        var batches: [(segment: String, position: Int, count: Int)] = []
        var records: [TestRecord] = []
        var lastLog: String { batches.last?.segment ?? "" }
    }

    /// Writes 50 batches of about 1 KB and leaves without closing; the first `published` records
    /// are published. Without a recovery point all segments are checked at the next opening.
    private func write(
        published: Int64, keepsRecoveryPoint: Bool = false
    ) throws -> Written {
        let directory = try LogDirectory.open(path, options: options)
        try directory.createTopic("t", partitions: 1)
        let log = try directory.partition("t", 0)
        var written = Written(partition: log.path)
        for index in 0..<50 {
            let builder = RecordBatchBuilder()
            let value = [UInt8](repeating: UInt8(index), count: 1_000 + index)
            let record = TestRecord(
                offset: Int64(index), timestamp: 1_000_000 + Int64(index), key: [7], value: value)
            builder.append(
                timestampMilliseconds: record.timestamp, key: record.key, value: record.value)
            let batch = try builder.finish(baseOffset: Int64(index), codec: .none)
            try log.append(batch)
            written.records.append(record)
            let name = log.path + "/" + (try names(in: log.path, endingWith: ".log").last ?? "")
            let position =
                written.batches.last.map { $0.segment == name ? $0.position + $0.count : 0 } ?? 0
            written.batches.append((name, position, batch.count))
        }
        try log.sync()
        try log.setHighWatermark(published)
        try directory.publishHighWatermarks()
        #expect(try names(in: log.path, endingWith: ".log").count == 3)
        if !keepsRecoveryPoint {
            try PosixStorage().remove(path + "/recovery-point-offset-checkpoint")
        }
        return written
    }

    private func reopen() throws -> (LogDirectory, PartitionLog) {
        let directory = try LogDirectory.open(path, options: options)
        return (directory, try directory.partition("t", 0))
    }

    private func expect(_ log: PartitionLog, holds records: [TestRecord]) throws {
        #expect(log.logEndOffset == Int64(records.count))
        #expect(try readAll(try log.reader(), from: 0) == records)
    }

    @Test func nothingWrong() throws {
        let written = try write(published: 50)
        let (directory, log) = try reopen()
        #expect(!directory.wasClosedCleanly)
        #expect(log.recovery.truncatedBytes == 0)
        #expect(log.recovery.fault == nil)
        #expect(log.recovery.scannedSegments == 3)
        try expect(log, holds: written.records)
    }

    /// Segments that were left are durable, and not checked again: damage in them is the reader's
    /// to find.
    @Test func onlySegmentsFromTheRecoveryPointAreChecked() throws {
        let written = try write(published: 50, keepsRecoveryPoint: true)
        try tamper(written.batches[3].segment) { $0[written.batches[3].position + 100] ^= 1 }
        let (_, log) = try reopen()
        #expect(log.recovery.scannedSegments == 1)
        #expect(log.logEndOffset == 50)
        let reader = try log.reader()
        #expect(try reader.read(from: 0)?.nextOffset == 3)
        #expect(throws: RecordLogError.self) { try reader.read(from: 3) }
        #expect(try reader.read(from: 4)?.offsets.first == 4)
    }

    @Test(arguments: [1, 5, 60, 200, 1_000])
    func tornTail(missing: Int) throws {
        let written = try write(published: 49)
        try tamper(written.lastLog) { $0.removeLast(missing) }
        let (directory, log) = try reopen()
        try expect(log, holds: Array(written.records.dropLast()))
        #expect(log.recovery.truncatedBytes > 0)
        #expect(log.recovery.fault != nil)
        // It goes on from there, and the files are whole again.
        let builder = RecordBatchBuilder()
        let last = written.records[49]
        builder.append(timestampMilliseconds: last.timestamp, key: last.key, value: last.value)
        try log.append(try builder.finish(baseOffset: 49, codec: .none))
        try expect(log, holds: written.records)
        try directory.close()
        let (_, again) = try reopen()
        #expect(again.recovery.isClean)
        try expect(again, holds: written.records)
    }

    @Test func zeroTail() throws {
        let written = try write(published: 50)
        try tamper(written.lastLog) { $0 += [UInt8](repeating: 0, count: 5_000) }
        let (_, log) = try reopen()
        #expect(log.recovery.truncatedBytes == 5_000)
        try expect(log, holds: written.records)
    }

    /// Kafka's rule: the log ends at the first bad batch; later segments go.
    @Test func flippedByteCutsUnpublishedRecords() throws {
        let written = try write(published: 10)
        let bad = written.batches[12]
        try tamper(bad.segment) { $0[bad.position + 500] ^= 1 }
        let (_, log) = try reopen()
        try expect(log, holds: Array(written.records[..<12]))
        #expect(log.recovery.removedSegments == 2)
        #expect("\(try #require(log.recovery.fault))".contains("byte \(bad.position)"))
        #expect(log.highWatermark == 10)
        #expect(try names(in: log.path, endingWith: ".log").count == 1)
        #expect(try names(in: log.path, endingWith: ".index").count == 1)
        #expect(try names(in: log.path, endingWith: ".timeindex").count == 1)
    }

    /// Accepted records are never cut without being asked to.
    @Test func flippedByteBelowThePublishedEndIsRefused() throws {
        let written = try write(published: 50)
        let bad = written.batches[30]
        try tamper(bad.segment) { $0[bad.position + 500] ^= 1 }
        let before = try names(in: written.partition, endingWith: "")
        let directory = try LogDirectory.open(path, options: options)
        let error = #expect(throws: RecordLogError.self) { try directory.partition("t", 0) }
        let text = "\(try #require(error))"
        #expect(text.contains(bad.segment))
        #expect(text.contains("byte \(bad.position)"))
        #expect(text.contains("from offset 30 up to 50"))
        #expect(try names(in: written.partition, endingWith: "") == before)
        // Readers get what lies before the damage, then the place.
        let reader = try PartitionReader(directory: path, topic: "t", partition: 0)
        var rows: [TestRecord] = []
        let damage = #expect(throws: RecordLogError.self) {
            while let block = try reader.read(from: Int64(rows.count)) { rows += records(block) }
        }
        #expect(rows == Array(written.records[..<30]))
        #expect("\(try #require(damage))".contains("byte \(bad.position)"))
        // Another topic can be used, but the directory does not count as closed cleanly.
        try directory.createTopic("other", partitions: 1)
        _ = try directory.partition("other", 0)
        try directory.close()
        let again = try LogDirectory.open(path, options: options)
        #expect(!again.wasClosedCleanly)
        // Where the records can be made again, the log is cut on demand.
        let log = try again.partition("t", 0, cuttingDamage: true)
        try expect(log, holds: Array(written.records[..<30]))
        #expect(log.highWatermark == 30)
        #expect(try reader.refresh())
        #expect(try readAll(reader, from: 0) == Array(written.records[..<30]))
    }

    @Test func missingPublishedRecordsAreNoticed() throws {
        let written = try write(published: 50)
        for suffix in [".log", ".index", ".timeindex"] {
            try PosixStorage().remove(String(written.lastLog.dropLast(4)) + suffix)
        }
        let directory = try LogDirectory.open(path, options: options)
        #expect(throws: RecordLogError.self) { try directory.partition("t", 0) }
    }

    @Test(arguments: [".index", ".timeindex"])
    func missingOrWrongIndexIsRebuilt(suffix: String) throws {
        var written = try write(published: 50)
        let (closing, _) = try reopen()
        try closing.close()
        let files = try names(in: written.partition, endingWith: suffix)
            .map { written.partition + "/" + $0 }
        #expect(files.count == 3)
        let good = try files.map { try PosixStorage().contents(of: $0) }
        #expect(good.allSatisfy { ($0 ?? []).count > 0 })
        let damages: [(inout [UInt8]) -> Void] = [
            { $0 = [] }, { $0.removeLast(3) }, { $0[0] = 0x7F }, { $0[$0.count - 2] ^= 0x55 },
            { $0.reverse() },
        ]
        for (number, damage) in damages.enumerated() {
            for file in files where number > 0 || suffix == ".index" { try tamper(file, damage) }
            if number == 0 { for file in files { try PosixStorage().remove(file) } }
            let (directory, log) = try reopen()
            #expect(directory.wasClosedCleanly)
            try expect(log, holds: written.records)
            let reader = try log.reader()
            for record in written.records {
                let block = try #require(try reader.read(from: record.offset, maxBytes: 1))
                #expect(block.offsets.first == record.offset)
            }
            if number != 3 || suffix == ".index" {
                #expect(log.recovery.rebuiltIndexes == 3, "damage \(number)")
                #expect(try files.map { try PosixStorage().contents(of: $0) } == good)
            }
            try directory.close()
        }
        written.records = []
    }

    @Test func leftoversAreRemoved() throws {
        let written = try write(published: 50)
        let orphan = written.partition + "/00000000000000000999"
        for name in [
            orphan + ".index", orphan + ".timeindex", orphan + ".log.deleted",
            written.lastLog + ".cleaned",
        ] { try tamper(name) { $0 = [1, 2, 3] } }
        let (_, log) = try reopen()
        try expect(log, holds: written.records)
        let left = try PosixStorage().list(written.partition)
        #expect(!left.contains { $0.contains("999") || $0.hasSuffix(".cleaned") })
    }

    @Test func interruptedCompactionIsNotTouched() throws {
        let written = try write(published: 50)
        try tamper(written.lastLog + ".swap") { $0 = [1] }
        let directory = try LogDirectory.open(path, options: options)
        let error = #expect(throws: RecordLogError.self) { try directory.partition("t", 0) }
        #expect("\(try #require(error))".contains("start Kafka once"))
    }

    @Test func damagedCheckpointIsNamed() throws {
        _ = try write(published: 50)
        try tamper(path + "/replication-offset-checkpoint") { $0[2] = UInt8(ascii: "9") }
        let error = #expect(throws: RecordLogError.self) { try LogDirectory.open(path) }
        #expect("\(try #require(error))".contains("replication-offset-checkpoint"))
    }
}
