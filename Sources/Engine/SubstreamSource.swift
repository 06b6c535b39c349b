import Connectors
import Primitives
import RecordLog

/// One sending task's records in a partition that several tasks write for one receiver.
///
/// Threading: one task owns it.
final class SubstreamSource: RecordSource {
    private let splitter: SubstreamSplitter
    private let sender: Int

    init(_ splitter: SubstreamSplitter, sender: Int) {
        self.splitter = splitter
        self.sender = sender
    }

    func read(from offset: Int64, limit: Int64?) throws -> RecordBlock? {
        try splitter.read(sender, from: offset, limit: limit)
    }

    func committedEnd() throws -> Int64 { try splitter.source.committedEnd() }

    func firstOffset() throws -> Int64 { try splitter.source.firstOffset() }
}

/// Reads a shared partition once and parts its records by sender.
///
/// What one sender's reader has not asked for yet is kept, up to a limit; beyond it the records
/// that are furthest ahead are dropped and read again when their turn comes. Threading: one task.
package final class SubstreamSplitter {
    let source: any RecordSource
    private let place: TopicPartition
    private let mostBytes: Int
    private var streams: [Stream]

    private struct Stream {
        /// Blocks that cover all of the sender's records from `start` to `end`.
        var blocks: [RecordBlock] = []
        var start: Int64 = 0
        var end: Int64 = 0
        var bytes = 0
    }

    /// `senders` are numbered from 0; about `mostBytes` of records are held for those behind.
    package init(
        _ source: any RecordSource, _ place: TopicPartition, senders: Int,
        mostBytes: Int = 64 << 20
    ) {
        self.source = source
        self.place = place
        self.mostBytes = mostBytes
        streams = Array(repeating: Stream(), count: senders)
    }

    /// One sender's records from `offset` on, without the header that names it; nil when none is
    /// committed there yet. A block may hold none, and records before `offset`.
    package func read(_ sender: Int, from offset: Int64, limit: Int64?) throws -> RecordBlock? {
        seek(sender, to: offset)
        while true {
            if let block = streams[sender].blocks.first { return block }
            guard let block = try source.read(from: streams[sender].end, limit: limit) else {
                return nil
            }
            try part(block, from: streams[sender].end)
            trim(sparing: sender)
        }
    }

    /// Forgets what lies before an offset; everything when the offset is not covered.
    private func seek(_ sender: Int, to offset: Int64) {
        guard offset >= streams[sender].start, offset <= streams[sender].end else {
            streams[sender] = Stream(start: offset, end: offset)
            return
        }
        while let block = streams[sender].blocks.first, block.nextOffset <= offset {
            streams[sender].blocks.removeFirst()
            streams[sender].start = block.nextOffset
            streams[sender].bytes -= Self.byteCount(block)
        }
    }

    /// Hands a block that was read from `start` on to all senders whose records end inside it.
    private func part(_ block: RecordBlock, from start: Int64) throws {
        var rows = streams.map { _ in [SubstreamRow]() }
        for row in 0..<block.count {
            let (sender, own) = try SubstreamRow.read(block, row, place, of: streams.count)
            if block.offsets[row] >= streams[sender].end { rows[sender].append(own) }
        }
        for sender in streams.indices {
            let end = streams[sender].end
            guard end >= start, end < block.nextOffset else { continue }
            let own = SubstreamRow.block(of: rows[sender], block)
            if own.count == 0, streams[sender].blocks.last?.count == 0 {
                streams[sender].blocks.removeLast()
            }
            streams[sender].blocks.append(own)
            streams[sender].bytes += Self.byteCount(own)
            streams[sender].end = block.nextOffset
        }
    }

    /// Drops the last blocks of the longest queues until all fit.
    private func trim(sparing sender: Int) {
        while streams.reduce(0, { $0 + $1.bytes }) > mostBytes {
            let longest = streams.indices.filter { $0 != sender && !streams[$0].blocks.isEmpty }
                .max { streams[$0].bytes < streams[$1].bytes }
            guard let longest else { return }
            let block = streams[longest].blocks.removeLast()
            streams[longest].bytes -= Self.byteCount(block)
            streams[longest].end =
                streams[longest].blocks.last?.nextOffset ?? streams[longest].start
        }
    }

    /// Blocks of several senders share their bytes; each counts what is its own.
    private static func byteCount(_ block: RecordBlock) -> Int {
        var count = 64 * block.count
        for row in 0..<block.count {
            count += Int(max(block.keyLengths[row], 0)) + Int(max(block.valueLengths[row], 0))
        }
        return count
    }
}

/// A record of a substream that shares its partition: its first header names the sender.
struct SubstreamRow {
    static let header = "plumbline.sender"
    private static let headerName = Array(header.utf8)

    var row: Int
    /// Where the headers after the first one begin.
    var otherHeaders: Int32

    /// Reads the sender of a row, one of `count` tasks.
    static func read(
        _ block: RecordBlock, _ row: Int, _ place: TopicPartition, of count: Int
    ) throws -> (sender: Int, row: SubstreamRow) {
        var cursor = ByteCursor(block.bytes, in: Int(block.headerStarts[row])..<block.bytes.count)
        guard block.headerCounts[row] > 0, let nameLength = cursor.readVarint(),
            let name = cursor.readBytes(Int(clamping: nameLength)), name == headerName,
            let length = cursor.readVarint(), let digits = cursor.readBytes(Int(clamping: length)),
            let sender = Int(String(decoding: digits, as: UTF8.self)), (0..<count) ~= sender
        else {
            throw EngineError(
                "\(place), offset \(block.offsets[row]): the header \(header) does not name one of"
                    + " \(count) tasks",
                hint: "something else wrote to this topic; make it anew and raise the topology's"
                    + " version")
        }
        return (sender, SubstreamRow(row: row, otherHeaders: Int32(cursor.position)))
    }

    /// The rows of one sender as they were composed, without that header.
    static func block(of rows: [SubstreamRow], _ block: RecordBlock) -> RecordBlock {
        RecordBlock(
            bytes: rows.isEmpty ? [] : block.bytes, offsets: rows.map { block.offsets[$0.row] },
            timestamps: rows.map { block.timestamps[$0.row] },
            keyStarts: rows.map { block.keyStarts[$0.row] },
            keyLengths: rows.map { block.keyLengths[$0.row] },
            valueStarts: rows.map { block.valueStarts[$0.row] },
            valueLengths: rows.map { block.valueLengths[$0.row] },
            headerStarts: rows.map(\.otherHeaders),
            headerCounts: rows.map { block.headerCounts[$0.row] - 1 },
            nextOffset: block.nextOffset)
    }
}
