import Primitives
import RecordLog
import TestKit
import Testing

/// Disk full, failing syncs and crashes, on a simulated disk.
struct FaultTests {
    @Test func fullDiskLosesNothing() throws {
        for seed in UInt64(1)...20 {
            let disk = SimulatedStorage(seed: seed)
            let directory = try LogDirectory.open(
                "/kafka", storage: disk, options: LogOptions(segmentBytes: 5_000))
            try directory.createTopic("t", partitions: 1)
            let log = try directory.partition("t", 0)
            var random = RandomSource(seed: seed)
            var accepted: [TestRecord] = []
            var refusals = 0
            while accepted.count < 400 {
                disk.setCapacity(disk.usedBytes + random.int(in: 0...6_000))
                do {
                    while true {
                        accepted += try appendBatch(to: log, .none, count: 8, random: &random)
                    }
                } catch {
                    #expect((error as? RecordLogError)?.isDiskFull == true, "\(error)")
                    #expect("\(error)".contains("free some space"))
                    refusals += 1
                }
                #expect(log.logEndOffset == Int64(accepted.count))
                disk.setCapacity(nil)
                try log.sync()
                try log.setHighWatermark(log.logEndOffset)
                try directory.publishHighWatermarks()
            }
            #expect(refusals > 3)
            #expect(try readAll(try log.reader(), from: 0) == accepted)
            disk.crash()
            let again = try LogDirectory.open("/kafka", storage: disk)
            #expect(try readAll(try again.partition("t", 0).reader(), from: 0) == accepted)
        }
    }

    @Test func fullDiskAtCheckpointAndClose() throws {
        let disk = SimulatedStorage(seed: 4)
        let directory = try LogDirectory.open("/kafka", storage: disk)
        try directory.createTopic("t", partitions: 1)
        let log = try directory.partition("t", 0)
        var random = RandomSource(seed: 4)
        let accepted = try appendBatch(to: log, .lz4, count: 8, random: &random)
        try log.sync()
        disk.setCapacity(disk.usedBytes)
        try log.setHighWatermark(8)
        let error = #expect(throws: RecordLogError.self) { try directory.publishHighWatermarks() }
        #expect(try #require(error).isDiskFull)
        let reader = try PartitionReader(
            directory: "/kafka", topic: "t", partition: 0, storage: disk)
        #expect(try reader.read(from: 0) == nil)
        #expect(throws: RecordLogError.self) { try directory.close() }
        disk.setCapacity(nil)
        let again = try LogDirectory.open("/kafka", storage: disk)
        #expect(!again.wasClosedCleanly)
        #expect(try readAll(try again.partition("t", 0).reader(), from: 0) == accepted)
    }

    @Test func failedSyncMustBeMadeGood() throws {
        let disk = SimulatedStorage(seed: 6)
        let directory = try LogDirectory.open("/kafka", storage: disk)
        try directory.createTopic("t", partitions: 1)
        let log = try directory.partition("t", 0)
        var random = RandomSource(seed: 6)
        let kept = try appendBatch(to: log, .none, count: 5, random: &random)
        try log.sync()
        try appendBatch(to: log, .none, count: 5, random: &random)
        disk.failOnce(.sync)
        #expect(throws: RecordLogError.self) { try log.sync() }
        #expect(log.durableEndOffset == 5)
        // Until the log is cut back, nothing is taken and nothing is called durable.
        #expect(throws: RecordLogError.syncFailedBefore(partition: "t-0", durableEnd: 5)) {
            try log.sync()
        }
        #expect(throws: RecordLogError.self) {
            try appendBatch(to: log, .none, count: 1, random: &random)
        }
        #expect(throws: RecordLogError.self) { try log.truncate(to: 8) }
        try log.truncate(to: 5)
        let again = try appendBatch(to: log, .none, count: 5, random: &random)
        try log.sync()
        disk.crash()
        let reopened = try LogDirectory.open("/kafka", storage: disk).partition("t", 0)
        #expect(try readAll(try reopened.reader(), from: 0) == kept + again)
    }

    /// Random work, crashes and restarts against a list in memory: after a crash the log holds a
    /// prefix of what was appended, with everything that was durable, and readers see exactly what
    /// was published.
    @Test(arguments: Array(UInt64(1)...60))
    func crashesKeepWhatWasDurable(seed: UInt64) throws {
        var model = CrashModel(seed: seed)
        do {
            try model.run(steps: 60)
        } catch {
            Issue.record("seed \(seed): \(error)")
        }
        #expect(model.crashes > 0, "seed \(seed)")
    }
}

/// The list in memory and the log on the simulated disk.
private struct CrashModel {
    let seed: UInt64
    let disk: SimulatedStorage
    var random: RandomSource
    var directory: LogDirectory
    var log: PartitionLog
    var records: [TestRecord] = []
    var durable = 0
    /// What the checkpoint may say: after a crash while publishing, the old or the new.
    var published = 0
    var crashes = 0
    static let options = LogOptions(segmentBytes: 3_000)

    init(seed: UInt64) {
        self.seed = seed
        random = RandomSource(seed: seed)
        disk = SimulatedStorage(seed: seed &* 7919)
        do {
            directory = try LogDirectory.open("/kafka", storage: disk, options: Self.options)
            try directory.createTopic("t", partitions: 2)
            log = try directory.partition("t", 0)
        } catch {
            preconditionFailure("seed \(seed): \(error)")
        }
    }

    mutating func run(steps: Int) throws {
        for _ in 0..<steps {
            switch random.int(in: 0...19) {
            case 0...8:
                let codec = [CompressionCodec.none, .lz4, .zstd][random.int(in: 0...2)]
                records += try appendBatch(
                    to: log, codec, count: random.int(in: 1...8), random: &random)
            case 9...11:
                try log.sync()
                durable = records.count
            case 12...13:
                let end = log.durableEndOffset
                try log.setHighWatermark(end)
                try directory.publishHighWatermarks()
                published = Int(end)
            case 14:
                let cut = random.int(in: published...records.count)
                try log.truncate(to: Int64(cut))
                records.removeLast(records.count - cut)
                // Cutting makes the rest durable; at the end it does nothing.
                durable = Int(log.durableEndOffset)
            case 15:
                try directory.close()
                durable = records.count
                try reopen(cleanly: true)
            case 16:
                try crash()
            default: try check()
            }
            durable = max(durable, Int(log.durableEndOffset))
        }
        try crash()
    }

    private mutating func crash() throws {
        crashes += 1
        disk.crash()
        try reopen(cleanly: false)
    }

    private mutating func reopen(cleanly: Bool) throws {
        directory = try LogDirectory.open("/kafka", storage: disk, options: Self.options)
        #expect(directory.wasClosedCleanly == cleanly, "seed \(seed)")
        log = try directory.partition("t", 0)
        let end = Int(log.logEndOffset)
        #expect(end >= durable && end <= records.count, "seed \(seed)")
        records.removeLast(records.count - min(end, records.count))
        durable = end
        try check()
    }

    private func check() throws {
        #expect(try readAll(try log.reader(), from: 0) == records, "seed \(seed)")
        let reader = try PartitionReader(
            directory: "/kafka", topic: "t", partition: 0, storage: disk)
        #expect(reader.visibleEnd == Int64(published), "seed \(seed)")
        let start = published / 2
        #expect(
            try readAll(reader, from: Int64(start), maxBytes: 500)
                == Array(records[start..<published]), "seed \(seed)")
    }
}
