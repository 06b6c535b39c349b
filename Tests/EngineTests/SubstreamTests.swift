import Connectors
import Engine
import Primitives
import RecordLog
import TestKit
import Testing

/// Substreams of several senders in one partition, parted again.
@Suite struct SubstreamTests {
    /// A partition in memory that counts its reads and gives a few records at a time.
    private final class Partition: RecordSource {
        var records: [(sender: Int, value: UInt8)] = []
        var gap = 0
        private(set) var reads = 0

        func offset(_ index: Int) -> Int64 { Int64(index * 2) }

        func read(from offset: Int64, limit: Int64?) throws -> RecordBlock? {
            let first = Int((offset + 1) / 2)
            guard first < records.count else { return nil }
            reads += 1
            let range = first..<min(first + 3, records.count)
            let builder = RecordBatchBuilder()
            for index in range {
                builder.append(
                    timestampMilliseconds: 0, key: nil, value: [records[index].value],
                    headers: [
                        RecordHeader("plumbline.sender", "\(records[index].sender)"),
                        RecordHeader("other", "x"),
                    ])
            }
            let batch = try builder.finish(baseOffset: 0, codec: .none)
            let block = try RecordBatchDecoder().decodeAll(batch)
            return RecordBlock(
                bytes: block.bytes, offsets: range.map { self.offset($0) },
                timestamps: block.timestamps, keyStarts: block.keyStarts,
                keyLengths: block.keyLengths, valueStarts: block.valueStarts,
                valueLengths: block.valueLengths, headerStarts: block.headerStarts,
                headerCounts: block.headerCounts, nextOffset: self.offset(range.upperBound))
        }

        func committedEnd() throws -> Int64 { offset(records.count) }
        func firstOffset() throws -> Int64 { 0 }
    }

    /// Every sender's records come once and in order, whoever is read when, and however little may
    /// be held.
    @Test(arguments: [0, 100, 1 << 20]) func parts(mostBytes: Int) throws {
        let seed = TestSeed.value
        var random = RandomSource(seed: seed)
        let senders = 4
        let partition = Partition()
        for index in 0..<200 {
            // Long runs of one sender, as epochs are.
            let sender = index / 50 == 1 ? 2 : Int(random.next() % UInt64(senders))
            partition.records.append((sender, UInt8(truncatingIfNeeded: index)))
        }
        let splitter = SubstreamSplitter(
            partition, TopicPartition("t", 0), senders: senders, mostBytes: mostBytes)
        var positions = [Int64](repeating: 0, count: senders)
        var found = [[UInt8]](repeating: [], count: senders)
        var ended = Set<Int>()
        while ended.count < senders {
            let sender = Int(random.next() % UInt64(senders))
            guard let block = try splitter.read(sender, from: positions[sender], limit: nil) else {
                ended.insert(sender)
                continue
            }
            for row in 0..<block.count where block.offsets[row] >= positions[sender] {
                found[sender] += block.value(row) ?? []
                #expect(block.headers(row).map(\.key) == [Array("other".utf8)], "seed \(seed)")
            }
            positions[sender] = block.nextOffset
        }
        for sender in 0..<senders {
            let expected = partition.records.filter { $0.sender == sender }.map(\.value)
            #expect(found[sender] == expected, "sender \(sender), seed \(seed)")
        }
        if mostBytes == 1 << 20 { #expect(partition.reads < 80, "the partition is read once") }
    }

    /// A record of somebody else's is told with its place.
    @Test func strangers() throws {
        let partition = Partition()
        partition.records = [(0, 1), (7, 2)]
        let splitter = SubstreamSplitter(partition, TopicPartition("t", 3), senders: 4)
        do {
            _ = try splitter.read(0, from: 0, limit: nil)
            Issue.record("a sender that there is not is taken")
        } catch {
            #expect("\(error)".contains("t-3, offset 2"))
        }
    }
}
