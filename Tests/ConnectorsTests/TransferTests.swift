import Connectors
import Foundation
import Primitives
import RecordLog
import Testing

/// A directory that goes with the object.
private final class Workspace {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "plumbline-transfer-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file of these lines; its path.
    func file(_ name: String, _ lines: [String]) throws -> String {
        let file = path + "/" + name
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(
            to: URL(fileURLWithPath: file))
        return file
    }
}

/// Any 32 bytes that depend on the content will do here (FNV-1a, four times over).
private func hash(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    for seed in UInt64(0)..<4 {
        var value: UInt64 = 0xCBF2_9CE4_8422_2325 ^ seed
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
        result.appendBigEndian(value)
    }
    return result
}

private func importFile(
    _ path: String, into data: String, topic: String = "t", partitions: Int? = nil,
    codec: CompressionCodec = .lz4, open: () throws -> any ImportTarget
) throws -> ImportSummary {
    let file = try ImportFile.open(path, spoolDirectory: data + "/state/imports")
    var bytes: [UInt8] = []
    let options = ImportOptions(
        dataPath: data, topic: topic, format: .json,
        fields: ImportFields(
            key: FieldPlace("device"), time: FieldPlace("ts"), arrival: FieldPlace("arrival")),
        codec: codec, partitions: partitions)
    let survey = try file.survey(options.recordEnds) { bytes += Array($0) }
    let job = FileImport(
        options, file: file, survey: survey, sha256: hash(bytes), identify: hash)
    return try job.run(open: open)
}

private func importFile(_ path: String, into data: String, topic: String = "t") throws
    -> ImportSummary
{
    try importFile(path, into: data, topic: topic) { try ImportTargets.open(data, patience: 0) }
}

/// All published records as `export` writes them.
private func export(_ data: String, _ topic: String = "t") throws -> [String] {
    let path = EmbeddedLog.logPath(data)
    let partitions =
        try LogDirectory.topics(in: path).first { $0.name == topic }?.partitionCount ?? 0
    var output: [UInt8] = []
    for partition in 0..<partitions {
        let reader = try PartitionReader(directory: path, topic: topic, partition: partition)
        defer { reader.close() }
        var offset = reader.logStartOffset
        while let block = try reader.read(from: offset) {
            for row in 0..<block.count {
                RecordJSON().write(block, row, partition: partition, to: &output)
            }
            offset = block.nextOffset
        }
    }
    return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
}

private func lines(_ count: Int, _ seed: Int = 0) -> [String] {
    (0..<count).map { number in
        let key = (number &* 7919 &+ seed) % 97
        let time = 1_760_000_000_000 + number
        return #"{"device":"C\#(key)","ts":\#(time),"arrival":\#(time),"seq":\#(number + seed)"#
            + #","file":\#(seed)}"#
    }
}

/// Fails at its `limit`-th append, having passed on what came before.
private final class BreakingTarget: ImportTarget {
    struct Broken: Error {}

    private let target: any ImportTarget
    private var left: Int

    init(_ target: any ImportTarget, after limit: Int) {
        self.target = target
        left = limit
    }

    func ensureTopic(_ name: String, partitions: Int?) throws -> [Int64] {
        try target.ensureTopic(name, partitions: partitions)
    }

    func recordCounts(
        topic: String, producerID: Int64, from offsets: [Int64]
    ) throws -> [Int64] {
        try target.recordCounts(topic: topic, producerID: producerID, from: offsets)
    }

    func append(topic: String, _ batches: [ImportBatch]) throws {
        for batch in batches {
            if left == 0 { throw Broken() }
            left -= 1
            try target.append(topic: topic, [batch])
        }
    }

    func close() throws { try target.close() }
}

@Suite("Moving records in and out")
struct TransferTests {
    @Test("An import broken off after any batch goes on without loss and without doubles")
    func resume() throws {
        let work = try Workspace()
        let file = try work.file("a.ndjson", lines(20_000))
        _ = try importFile(file, into: work.path + "/whole")
        let expected = try export(work.path + "/whole")
        #expect(expected.count == 20_000)
        var brokenOff = 0
        for limit in [0, 1, 2, 3, 5, 8, 11] {
            let data = work.path + "/broken-\(limit)"
            do {
                _ = try importFile(file, into: data) {
                    BreakingTarget(try ImportTargets.open(data), after: limit)
                }
            } catch is BreakingTarget.Broken { brokenOff += 1 }
            let kept = try export(data).count
            let summary = try importFile(file, into: data)
            #expect(summary.isSkipped || summary.resumed == kept)
            #expect(try export(data) == expected, "broken off after \(limit) batches")
            #expect(try importFile(file, into: data).isSkipped)
        }
        #expect(brokenOff >= 5)
    }

    @Test("While a process serves imports, two of them share the log with it")
    func handOver() async throws {
        let work = try Workspace()
        let data = work.path + "/data"
        let log = try EmbeddedLog.open(data)
        let server = try ImportServer(log: log)
        server.start()
        var information = stat()
        #expect(stat(data + "/plumbline.sock", &information) == 0)
        #expect(information.st_mode & 0o777 == 0o600)
        let first = try work.file("a.ndjson", lines(20_000))
        let second = try work.file("b.ndjson", lines(15_000, 31))
        try await withThrowingTaskGroup(of: ImportSummary.self) { group in
            group.addTask { try importFile(first, into: data) }
            group.addTask { try importFile(second, into: data) }
            var total = 0
            for try await summary in group { total += summary.records }
            #expect(total == 35_000)
        }
        #expect(try importFile(first, into: data).isSkipped)
        let together = try export(data)
        #expect(together.count == 35_000)
        // Each file's records are those of an import of its own, in the same order.
        for file in [first, second] {
            let alone = work.path + "/alone-" + String(file.suffix(8).prefix(1))
            _ = try importFile(file, into: alone)
            let values = try export(alone).map(Self.value)
            let own = Set(values)
            #expect(together.map(Self.value).filter { own.contains($0) } == values)
        }
        server.stop()
        try log.close()
        #expect(!FileManager.default.fileExists(atPath: data + "/plumbline.sock"))
        #expect(try importFile(first, into: data).isSkipped)
    }

    private static func value(_ line: String) -> String {
        line.range(of: #","value":"#).map { String(line[$0.upperBound...]) } ?? ""
    }

    @Test("An import goes on by itself where the serving process has ended")
    func serverEnds() throws {
        let work = try Workspace()
        let data = work.path + "/data"
        let file = try work.file("a.ndjson", lines(20_000))
        let log = try EmbeddedLog.open(data)
        let server = try ImportServer(log: log)
        server.start()
        #expect(throws: BreakingTarget.Broken.self) {
            try importFile(file, into: data) {
                BreakingTarget(try ImportTargets.open(data), after: 2)
            }
        }
        let target = try ImportTargets.open(data)
        server.stop()
        try log.close()
        #expect(throws: ImportConnectionLost.self) {
            try target.ensureTopic("t", partitions: nil)
        }
        let summary = try importFile(file, into: data)
        #expect(summary.resumed > 0)
        #expect(try export(data).count == 20_000)
    }

    @Test("The server takes a socket's place, and a path too long for one works")
    func socketPaths() throws {
        let work = try Workspace()
        let data = work.path + "/" + String(repeating: "long-", count: 30)
        let file = try work.file("a.ndjson", lines(100))
        for _ in 0..<2 {
            let log = try EmbeddedLog.open(data)
            // What a killed process leaves.
            try Data().write(to: URL(fileURLWithPath: data + "/plumbline.sock"))
            let server = try ImportServer(log: log)
            server.start()
            _ = try importFile(file, into: data)
            server.stop()
            try log.close()
        }
        #expect(try export(data).count == 100)
    }

    @Test("The server refuses what is no batch, what is out of turn, and another's topics")
    func refusals() throws {
        let work = try Workspace()
        let data = work.path + "/data"
        let log = try EmbeddedLog.open(data)
        let server = try ImportServer(log: log)
        server.start()
        let target = try ImportTargets.open(data)
        #expect(try target.ensureTopic("t", partitions: 2) == [0, 0])
        func batch(_ before: Int64) throws -> [UInt8] {
            let builder = RecordBatchBuilder()
            builder.append(timestampMilliseconds: 1, key: nil, value: [1])
            return try builder.finish(
                baseOffset: 77, codec: .none,
                producer: RecordBatch.Producer(id: 5, recordsBefore: before))
        }
        try target.append(topic: "t", [ImportBatch(partition: 1, bytes: try batch(0))])
        try target.append(topic: "t", [ImportBatch(partition: 1, bytes: try batch(1))])
        var flipped = try batch(2)
        flipped[flipped.count - 1] ^= 1
        for (partition, bytes) in [
            (1, try batch(1)), (1, try batch(3)), (0, try batch(1)), (1, flipped), (1, [1, 2, 3]),
            (7, try batch(0)), (-1, try batch(0)),
        ] {
            #expect(throws: Diagnostic.self) {
                try target.append(
                    topic: "t", [ImportBatch(partition: partition, bytes: bytes)])
            }
        }
        for name in ["a.v1.journal", "a.v1.rejects", "x.plans", "", "a/b"] {
            #expect(throws: Diagnostic.self) { try target.ensureTopic(name, partitions: nil) }
        }
        #expect(throws: Diagnostic.self) { try target.ensureTopic("t", partitions: 3) }
        #expect(throws: Diagnostic.self) { try target.ensureTopic("u", partitions: 0) }
        try target.append(topic: "t", [ImportBatch(partition: 1, bytes: try batch(2))])
        #expect(try target.recordCounts(topic: "t", producerID: 5, from: [0, 0]) == [0, 3])
        #expect(try target.ensureTopic("t", partitions: nil) == [0, 3])
        try target.close()
        server.stop()
        try log.close()
    }

    @Test("Bytes that are no request end a connection, not the server")
    func garbage() throws {
        let work = try Workspace()
        let data = work.path + "/data"
        let log = try EmbeddedLog.open(data)
        let server = try ImportServer(log: log)
        server.start()
        var generator = SystemRandomNumberGenerator()
        let seed = generator.next()
        print("garbage: seed \(seed)")
        var random = RandomSource(seed: seed)
        for round in 0..<200 {
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) {
                $0.copyBytes(from: (data + "/plumbline.sock").utf8)
            }
            let connected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            #expect(connected == 0)
            var bytes = (0..<random.next() % 64).map { _ in UInt8(truncatingIfNeeded: random.next())
            }
            if round % 2 == 0 {
                // A whole frame with a kind that exists and a body that does not fit.
                bytes = [1, UInt8(1 + random.next() % 3)] + bytes
                bytes = [0, 0, 0, UInt8(bytes.count)] + bytes
            }
            _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            close(descriptor)
        }
        let file = try work.file("a.ndjson", lines(10))
        #expect(try importFile(file, into: data).records == 10)
        server.stop()
        try log.close()
    }

    @Test("A locked directory without a server says so")
    func locked() throws {
        let work = try Workspace()
        let data = work.path + "/data"
        let log = try EmbeddedLog.open(data)
        let file = try work.file("a.ndjson", lines(10))
        let error = #expect(throws: Diagnostic.self) { try importFile(file, into: data) }
        #expect(error?.message.contains("in use by another process") == true)
        try log.close()
        #expect(try importFile(file, into: data).records == 10)
    }

    @Test("Partitions are those of Kafka's Java clients")
    func partitions() {
        // org.apache.kafka.common.utils.UtilsTest.testMurmur2.
        let cases: [(String, Int)] = [
            ("21", -973_932_308), ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ]
        for (text, expected) in cases {
            #expect(Partitioner.murmur2(Array(text.utf8)) == expected, "\(text)")
        }
    }
}
