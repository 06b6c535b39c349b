import Foundation
import RecordLog

/// A task's snapshots as records of a compacted topic: pieces under `task/epoch/number`, then the
/// manifest, in one transaction. A snapshot that is dropped gets records without a value.
///
/// The manifest is the last record of its partition. Its headers say where the pieces begin, and
/// where the manifest of the snapshot before it stands. Threading: one task owns it.
final class KafkaSnapshots: SnapshotChunks {
    private static let chunksHeader = "plumbline.chunks"
    private static let previousHeader = "plumbline.previous"

    /// A manifest as it was found or written.
    private struct Entry {
        var epoch: Int64
        /// Offset of the manifest.
        var offset: Int64
        /// Offset of the first piece, and the number of pieces.
        var first: Int64
        var count: Int
        var manifest: [UInt8]
    }

    private let task: String
    private let place: TopicPartition
    private let readers: KafkaReaders
    private let producer: KafkaProducer
    /// Newest first; nil before the topic was read.
    private var entries: [Entry]?

    /// Brokers take records up to a megabyte, unless they are set otherwise.
    let chunkBytes = 512 << 10

    init(
        _ task: String, in place: TopicPartition, readers: KafkaReaders, producer: KafkaProducer
    ) {
        self.task = task
        self.place = place
        self.readers = readers
        self.producer = producer
    }

    func epochs() throws -> [Int64] { try known().map(\.epoch).sorted() }

    // MARK: Reading

    private func known() throws -> [Entry] {
        if let entries { return entries }
        let source = KafkaSource(place, readers)
        var found: [Entry] = []
        var next = try source.lastRecord()
        while let (block, row) = next, let entry = entry(block, row) {
            // A manifest names an earlier one only.
            guard entry.offset < found.last?.offset ?? .max else { break }
            found.append(entry)
            guard let text = Self.header(Self.previousHeader, block, row),
                let offset = Int64(text), offset >= (try source.firstOffset()),
                let earlier = try source.read(from: offset, limit: nil),
                let place = earlier.row(at: offset)
            else { break }
            next = (earlier, place)
        }
        entries = found
        return found
    }

    /// Nil for anything but a manifest.
    private func entry(_ block: RecordBlock, _ row: Int) -> Entry? {
        let parts = Self.header(Self.chunksHeader, block, row)?.split(separator: "+")
        guard let parts, parts.count == 2, let first = Int64(parts[0]), let count = Int(parts[1]),
            let manifest = block.value(row), let key = block.key(row)
        else { return nil }
        let words = String(decoding: key, as: UTF8.self).split(separator: "/")
        guard words.count == 4, words[3] == "manifest", let epoch = Int64(words[2]) else {
            return nil
        }
        return Entry(
            epoch: epoch, offset: block.offsets[row], first: first, count: count,
            manifest: manifest)
    }

    private static func header(_ name: String, _ block: RecordBlock, _ row: Int) -> String? {
        block.headers(row).first { $0.key == Array(name.utf8) }
            .map { String(decoding: $0.value ?? [], as: UTF8.self) }
    }

    func read(epoch: Int64) throws -> (manifest: [UInt8], chunks: [[UInt8]])? {
        guard let entry = try known().first(where: { $0.epoch == epoch }) else { return nil }
        let source = KafkaSource(place, readers)
        guard entry.first >= (try source.firstOffset()) else { return nil }
        var found: [[UInt8]: [UInt8]] = [:]
        var next = entry.first
        while next < entry.offset, let block = try source.read(from: next, limit: entry.offset) {
            for row in 0..<block.count where block.offsets[row] >= next {
                if let key = block.key(row), let value = block.value(row) { found[key] = value }
            }
            next = block.nextOffset
        }
        let chunks = (0..<entry.count).compactMap { found[key(epoch, "\($0)")] }
        return chunks.count == entry.count ? (entry.manifest, chunks) : nil
    }

    // MARK: Writing

    private func key(_ epoch: Int64, _ name: String) -> [UInt8] {
        Array("\(task)/\(epoch)/\(name)".utf8)
    }

    func write(epoch: Int64, manifest: [UInt8], chunks: [[UInt8]], keeping: Int) throws {
        let before = try known().filter { $0.epoch != epoch }
        let kept = Array(before.prefix(keeping - 1))
        var batches: [[UInt8]] = []
        for old in before.dropFirst(keeping - 1) {
            let names = (0..<old.count).map { "\($0)" } + ["manifest"]
            for name in names { batches.append(try record(key(old.epoch, name), nil)) }
        }
        let dropped = Int64(batches.count)
        for (number, chunk) in chunks.enumerated() {
            batches.append(try record(key(epoch, "\(number)"), chunk))
        }
        let pieces = EpochOutput(
            append: PartitionAppend(place: place, batches: batches), offsets: 0..<0)
        let content = KafkaProducer.Content(
            outputs: batches.isEmpty ? [] : [pieces], codecs: [place: .lz4]
        ) { [self] ranges in
            // Records of one transaction to one partition follow one another.
            let first = ranges.first.map { $0.lowerBound + dropped } ?? 0
            var headers = [RecordHeader(Self.chunksHeader, "\(first)+\(chunks.count)")]
            if let previous = kept.first {
                headers.append(RecordHeader(Self.previousHeader, "\(previous.offset)"))
            }
            let batch = try record(key(epoch, "manifest"), manifest, headers)
            return PartitionAppend(place: place, batches: [batch])
        }
        // A second copy does no harm.
        _ = try producer.commit(
            content, what: "a snapshot of \(task) to be stored", stands: { _ in false })
        entries = nil
    }

    /// A batch of one record.
    private func record(
        _ key: [UInt8], _ value: [UInt8]?, _ headers: [RecordHeader] = []
    ) throws -> [UInt8] {
        let builder = RecordBatchBuilder()
        builder.append(
            timestampMilliseconds: Int64(Date().timeIntervalSince1970 * 1000), key: key,
            value: value, headers: headers)
        return try builder.finish(baseOffset: 0, codec: .none)
    }
}
