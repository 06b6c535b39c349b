import Foundation
import Primitives
import RecordLog

/// What an archive holds of one partition, beside what the cluster has.
package struct ArchivedPartition: Sendable {
    package var place: TopicPartition
    /// The first offset on the cluster when it was asked last, and its committed end.
    package var clusterStart: Int64
    package var clusterEnd: Int64
    /// Offsets from here on are archived, up to `end`.
    package var start: Int64
    package var end: Int64
    package var records: Int64

    /// Offsets without a committed record: ends of transactions, what was aborted or compacted.
    package var gaps: Int64 { end - start - records }
    /// Whether everything that is committed on the cluster is archived.
    package var isComplete: Bool { end >= clusterEnd }
}

/// Copies topics of a cluster into the log of a data directory, every record at its offset.
///
/// The log itself tells how far it came. Threading: one thread.
package final class Archive {
    /// A batch is finished near this size.
    private static let batchBytes = 48 << 10

    private let cluster: any TopicReader
    private let log: EmbeddedLog
    private var copies: [Copy] = []

    private struct Copy {
        var place: TopicPartition
        var source: any RecordSource
        var start: Int64
        /// The next offset to read.
        var next: Int64
        var records: Int64
    }

    /// `patterns` are names of topics, or beginnings of names with a `*` at their end. Makes the
    /// topics in the log; throws when what is there is not a copy of the cluster's.
    package init(_ cluster: any TopicReader, into log: EmbeddedLog, topics patterns: [String])
        throws
    {
        self.cluster = cluster
        self.log = log
        let there = try cluster.topics()
        var wanted: [TopicDescription] = []
        for pattern in patterns {
            let found = there.filter { Self.matches($0.name, pattern) }
            guard !found.isEmpty else {
                throw Diagnostic(
                    "there is no topic \(pattern) on \(cluster.name)",
                    hint: "its topics: \(there.map(\.name).joined(separator: ", "))")
            }
            wanted += found.filter { !wanted.contains($0) }
        }
        for topic in wanted {
            try log.ensureTopic(topic.name, partitions: topic.partitionCount)
            for number in 0..<topic.partitionCount {
                copies.append(try open(TopicPartition(topic.name, number)))
            }
        }
    }

    private static func matches(_ name: String, _ pattern: String) -> Bool {
        pattern.hasSuffix("*") ? name.hasPrefix(pattern.dropLast()) : name == pattern
    }

    private func open(_ place: TopicPartition) throws -> Copy {
        try log.dropUnpublished(place)
        let source = try cluster.source(place)
        let local = try log.source(place)
        guard let (last, lastRow) = try local.lastRecord() else {
            let first = try source.firstOffset()
            let next = max(first, try local.committedEnd())
            return Copy(place: place, source: source, start: first, next: next, records: 0)
        }
        let next = max(last.offsets[lastRow] + 1, try local.committedEnd())
        try checkContinues(last, lastRow, source, place)
        var records: Int64 = 0
        var start: Int64?
        try Self.forEachRecord(local, from: try local.firstOffset(), to: next) { block, row in
            if start == nil { start = block.offsets[row] }
            records += 1
        }
        return Copy(
            place: place, source: source, start: start ?? 0, next: next, records: records)
    }

    /// The record archived last must be the cluster's at its offset, unless that is gone.
    private func checkContinues(
        _ last: RecordBlock, _ row: Int, _ source: any RecordSource, _ place: TopicPartition
    ) throws {
        let offset = last.offsets[row]
        let first = try source.firstOffset()
        guard first <= offset + 1 else {
            throw Diagnostic(
                "\(place): the cluster has deleted offsets \(offset + 1) to \(first - 1), which"
                    + " were not archived yet",
                hint: "keep this copy, archive into a fresh directory, and give the topic a longer"
                    + " retention")
        }
        guard first <= offset else { return }
        let block = try source.read(from: offset, limit: offset + 1)
        guard let block, let other = block.row(at: offset),
            Self.areEqual(last, row, block, other)
        else {
            throw Diagnostic(
                "\(place): the record at offset \(offset) is not the one that was archived",
                hint: "the topic was made anew; archive it into a fresh directory")
        }
    }

    private static func areEqual(_ a: RecordBlock, _ i: Int, _ b: RecordBlock, _ j: Int) -> Bool {
        a.offsets[i] == b.offsets[j] && a.timestamps[i] == b.timestamps[j] && a.key(i) == b.key(j)
            && a.value(i) == b.value(j)
            && a.bytes[a.encodedHeaders(i)].elementsEqual(b.bytes[b.encodedHeaders(j)])
    }

    private static func forEachRecord(
        _ source: any RecordSource, from start: Int64, to end: Int64,
        _ body: (RecordBlock, Int) throws -> Void
    ) throws {
        var next = start
        while next < end, let block = try source.read(from: next, limit: end) {
            for row in 0..<block.count where next..<end ~= block.offsets[row] {
                try body(block, row)
            }
            next = block.nextOffset
        }
    }

    // MARK: Copying

    /// Copies the next records of every partition, which are then durable. False when there were
    /// none. `ends` limits it, by partition as in ``figures()``.
    package func step(until ends: [Int64]? = nil) throws -> Bool {
        var appends: [PartitionAppend] = []
        var came = false
        var after = copies
        for index in copies.indices {
            let end = ends?[index] ?? .max
            let from = copies[index].next
            let place = copies[index].place
            guard from < end, let block = try copies[index].source.read(from: from, limit: end)
            else { continue }
            came = true
            let (batches, records) = try Self.batches(of: block, from..<end)
            after[index].next = min(block.nextOffset, end)
            // A source that is read on would have the others wait with it.
            if after[index].next >= end { after[index].source = try cluster.source(place) }
            after[index].records += records
            if !batches.isEmpty {
                appends.append(PartitionAppend(place: place, batches: batches))
            }
        }
        if !appends.isEmpty { try log.commit(appends, .nextOrLater) }
        copies = after
        return came
    }

    /// Batches of a block's records, none of them across a gap.
    private static func batches(
        of block: RecordBlock, _ offsets: Range<Int64>
    ) throws -> (batches: [[UInt8]], records: Int64) {
        let builder = RecordBatchBuilder()
        var batches: [[UInt8]] = []
        var base: Int64 = 0
        var records: Int64 = 0
        for row in 0..<block.count where offsets ~= block.offsets[row] {
            let isNext = block.offsets[row] == base + Int64(builder.recordCount)
            if !builder.isEmpty, !isNext || builder.estimatedByteCount >= batchBytes {
                batches.append(try builder.finish(baseOffset: base, codec: .lz4))
            }
            if builder.isEmpty { base = block.offsets[row] }
            let key = block.key(row)
            let value = block.value(row)
            let headers = Array(block.bytes[block.encodedHeaders(row)])
            builder.append(
                timestampMilliseconds: block.timestamps[row], key: key?.span, value: value?.span,
                encodedHeaders: headers.span, headerCount: Int(block.headerCounts[row]))
            records += 1
        }
        if !builder.isEmpty { batches.append(try builder.finish(baseOffset: base, codec: .lz4)) }
        let next = min(block.nextOffset, offsets.upperBound)
        if next > max(block.offsets.last ?? 0, offsets.lowerBound - 1) + 1 {
            batches.append(try marker(at: next - 1))
        }
        return (batches, records)
    }

    /// Stands for offsets without a record, as the end of a transaction does on the cluster: so
    /// that the copy ends where the original ends.
    private static func marker(at offset: Int64) throws -> [UInt8] {
        let builder = RecordBatchBuilder(capacity: 128)
        // Version 0, the type of a commit; version 0, no coordinator's epoch.
        builder.append(
            timestampMilliseconds: 0, key: [0, 0, 0, 1], value: [0, 0, 0, 0, 0, 0])
        return try builder.finish(baseOffset: offset, codec: .none, isControl: true)
    }

    // MARK: Proof

    /// What is archived, and what the cluster has now, by topic and partition.
    package func figures() throws -> [ArchivedPartition] {
        try copies.map { copy in
            ArchivedPartition(
                place: copy.place, clusterStart: try copy.source.firstOffset(),
                clusterEnd: try cluster.source(copy.place).committedEnd(), start: copy.start,
                end: copy.next, records: copy.records)
        }
    }

    /// Reads what is archived again on both sides; the first difference in words, nil when there is
    /// none. `progress` is told of each partition.
    package func verify(_ progress: (TopicPartition) -> Void) throws -> String? {
        for copy in copies {
            progress(copy.place)
            let theirs = try cluster.source(copy.place)
            // What retention has taken since cannot be compared any more.
            let first = max(copy.start, try theirs.firstOffset())
            var local = RecordCursor(try log.source(copy.place), from: first, to: copy.next)
            var other = RecordCursor(theirs, from: first, to: copy.next)
            while true {
                let mine = try local.next()
                let their = try other.next()
                guard mine != nil || their != nil else { break }
                if let mine, let their, Self.areEqual(mine.0, mine.1, their.0, their.1) { continue }
                let offset = min(
                    mine.map { $0.0.offsets[$0.1] } ?? .max,
                    their.map { $0.0.offsets[$0.1] } ?? .max)
                return "\(copy.place), offset \(offset): archive and cluster differ"
            }
        }
        return nil
    }
}

/// Goes through a range of a partition's records one by one.
private struct RecordCursor {
    private let source: any RecordSource
    private var offset: Int64
    private let end: Int64
    private var block: RecordBlock?
    private var row = 0

    init(_ source: any RecordSource, from start: Int64, to end: Int64) {
        self.source = source
        offset = start
        self.end = end
    }

    mutating func next() throws -> (RecordBlock, Int)? {
        while offset < end {
            if let block {
                while row < block.count, block.offsets[row] < offset { row += 1 }
                if row < block.count {
                    offset = block.offsets[row] + 1
                    guard offset <= end else { return nil }
                    return (block, row)
                }
                offset = max(offset, block.nextOffset)
                guard offset < end else { return nil }
            }
            guard let read = try source.read(from: offset, limit: end) else { return nil }
            block = read
            row = 0
        }
        return nil
    }
}
