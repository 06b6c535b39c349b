import Columnar
import Connectors
import Dataflow
import Primitives
import RecordLog

/// One input of one task, a partition of a source: reads, decodes and judges what needs no order,
/// and holds the rows that the merge has not taken yet.
///
/// Threading: one task owns it.
final class TaskInput {
    let plan: SourcePlan
    let slot: InputSlot
    /// Index of the input in the task.
    private let index: Int
    /// Indexes of all inputs of the same source.
    private let siblings: [Int]
    private let source: any RecordSource
    private let decoder: any RecordDecoder
    private let maximumRowCount: Int
    /// Records from here on are not read; nil in a following run.
    var limit: Int64?
    /// In a bounded run, for a topic that another stage of the run writes: where that stage has
    /// ended, nil as long as it has not. Until then the input is waited for, never empty.
    var writerEnd: (() -> Int64?)?

    /// Offset of the next record to take.
    private(set) var position: Int64
    private var block: RecordBlock?
    /// First row of the block that is not decoded.
    private var undecoded = 0
    private(set) var rows: DecodedRows?
    /// Next row of `rows` to take.
    private(set) var cursor = 0
    /// Event times by which rows are merged; `.min` for those that are taken at once.
    private(set) var mergeTimes: [Int64] = []
    private(set) var faults: [DecodeFault] = []
    /// First fault at or after the cursor.
    private(set) var nextFault = 0
    private var headers: ByteValues?
    /// Of rekeyed rows.
    private var changes: [UInt8]?
    private var revisions: [Int32]?
    /// Per key code: 0 not looked at, 1 in its partition, 2 elsewhere.
    private var placement: [UInt8] = []
    /// A sender's watermark that is next to be taken, with its offset.
    private var toldWatermark: (watermark: Int64, offset: Int64)?

    init(
        _ slots: [InputSlot], index: Int, of plan: Plan, source: any RecordSource,
        position: Int64, maximumRowCount: Int
    ) {
        slot = slots[index]
        self.plan = plan.sources[slot.source]
        self.index = index
        siblings = slots.indices.filter { slots[$0].source == slots[index].source }
        self.source = source
        self.position = position
        self.maximumRowCount = maximumRowCount
        decoder = makeDecoder(for: self.plan)
    }

    /// Starts at another offset; nothing may have been read yet.
    func move(to offset: Int64) { position = offset }

    /// The end of what there is to take, as far as it is known.
    func committedEnd() throws -> Int64 { min(try source.committedEnd(), limit ?? .max) }

    /// Whether a row, or a sender's watermark, is at hand.
    var hasRow: Bool { toldWatermark != nil || cursor < (rows?.rowCount ?? 0) }

    /// Merge time of the next row; only with one at hand.
    var headTime: Int64 { toldWatermark == nil ? mergeTimes[cursor] : .min }

    /// What an input has to give.
    enum State {
        /// A row is at hand.
        case ready
        /// At its end, which was observed after the last read.
        case ended
        /// Nothing is there yet, but its writer has not ended.
        case waiting
    }

    /// Makes a row available if one is committed before the limit.
    func fill(keys: inout KeyTable) throws -> State {
        if let writerEnd, limit == nil { limit = writerEnd() }
        while !hasRow {
            if let block, undecoded < block.count {
                try decodeNext(of: block, keys: &keys)
                continue
            }
            if let limit, position >= limit { return .ended }
            block = try source.read(from: position, limit: limit)
            undecoded = 0
            if let block {
                skipTaken(of: block)
                // Whatever stands past the limit is another step's.
                if undecoded == block.count {
                    position = max(position, min(block.nextOffset, limit ?? .max))
                }
            } else if position >= min(try source.committedEnd(), limit ?? .max) {
                return writerEnd == nil ? .ended : .waiting
            }
        }
        return .ready
    }

    private func skipTaken(of block: RecordBlock) {
        while undecoded < block.count, block.offsets[undecoded] < position { undecoded += 1 }
    }

    private func decodeNext(of block: RecordBlock, keys: inout KeyTable) throws {
        var end = min(undecoded + maximumRowCount, block.count)
        if let limit, block.offsets[end - 1] >= limit {
            while end > undecoded, block.offsets[end - 1] >= limit { end -= 1 }
        }
        guard end > undecoded else {
            // The rest lies past the limit.
            undecoded = block.count
            if let limit { position = max(position, limit) }
            return
        }
        if plan.partitions == .substreams {
            if let watermark = try RekeyedRecord.watermark(block, undecoded, slot) {
                toldWatermark = (watermark, block.offsets[undecoded])
                undecoded += 1
                return
            }
            end = (undecoded..<end).first { block.isNullValue($0) } ?? end
            // An earlier version stays with the correction that follows it.
            while end < block.count, RekeyedRecord.isEarlier(block, end - 1) { end += 1 }
        }
        let range = undecoded..<end
        undecoded = end
        var decoded = decoder.decode(block, rows: range, keys: &keys)
        cursor = 0
        if plan.partitions == .substreams {
            let marks = RekeyedRecord.marks(block, range)
            (changes, revisions, headers) = (marks.changes, marks.revisions, marks.headers)
            // The event time is no field of the rows.
            decoded.columns.removeLast()
            judge(decoded, [], keys)
        } else {
            let (arrivals, carried) = RecordHeaders.read(block, range)
            headers = carried
            if let field = plan.arrivalField, plan.fieldsRead.contains(field) {
                decoded.columns[field] = Column(.int64(arrivals.map(Self.instant)))
            }
            judge(decoded, arrivals, keys)
        }
        rows = decoded
    }

    /// A time in milliseconds as an instant in microseconds; of one that no clock shows, the
    /// nearest that it can be.
    private static func instant(_ milliseconds: Int64) -> Int64 {
        min(max(milliseconds, 0), Timestamp.maximum / 1000) * 1000
    }

    /// Adds what the decoder cannot know: time against arrival, key against partition.
    private func judge(
        _ decoded: DecodedRows, _ arrivals: [Int64], _ keys: KeyTable
    ) {
        faults = decoded.faults
        nextFault = 0
        mergeTimes = decoded.times
        for fault in faults where !fault.timeIsReadable { mergeTimes[Int(fault.row)] = .min }
        var found: [DecodeFault] = []
        if case .stream(let rule) = plan.role, plan.partitions != .substreams {
            for row in 0..<decoded.rowCount where mergeTimes[row] != .min {
                let (ahead, overflow) = mergeTimes[row].subtractingReportingOverflow(
                    arrivals[row] &* 1000)
                if overflow || ahead > rule.ahead {
                    found.append(clockFault(row, ahead: ahead))
                    mergeTimes[row] = .min
                }
            }
        }
        for row in 0..<decoded.rowCount where mergeTimes[row] < 0 && mergeTimes[row] != .min {
            found.append(
                DecodeFault(
                    row: Int32(row), reason: .outOfRange, detail: "the time is before 1970",
                    timeIsReadable: true))
        }
        while placement.count < keys.count { placement.append(0) }
        if slot.partitionCount > 1, plan.partitions != .substreams {
            for row in 0..<decoded.rowCount where decoded.keys[row] >= 0 {
                if isMisplaced(decoded.keys[row], keys) {
                    found.append(misplaced(Int32(row), keys.bytes(decoded.keys[row])))
                }
            }
        }
        if !found.isEmpty { merge(found) }
    }

    private func misplaced(_ row: Int32, _ key: [UInt8]) -> DecodeFault {
        let home = Partitioner.partition(key, count: slot.partitionCount)
        return DecodeFault(
            row: row, reason: .wrongPartition,
            detail: "the key \(String(decoding: key.prefix(64), as: UTF8.self)) belongs to"
                + " partition \(home), not \(slot.partition); was it sent without its key?",
            timeIsReadable: true)
    }

    private func clockFault(_ row: Int, ahead: Int64) -> DecodeFault {
        DecodeFault(
            row: Int32(row), reason: .clock,
            detail: "the time is \(ahead / 1000) ms ahead of the record's arrival"
                + Self.zoneHint(ahead),
            timeIsReadable: false)
    }

    /// Says so when a clock is ahead by whole hours, up to ten minutes, as a wrong time zone is.
    private static func zoneHint(_ ahead: Int64) -> String {
        let hour: Int64 = 3_600_000_000
        guard (0..<15 * hour).contains(ahead) else { return "" }
        let hours = (ahead + hour / 2) / hour
        guard hours > 0, abs(ahead - hours * hour) <= hour / 6 else { return "" }
        return ": about \(hours) h, a wrong time zone?"
    }

    private func isMisplaced(_ key: Int32, _ keys: KeyTable) -> Bool {
        if placement[Int(key)] == 0 {
            let home = Partitioner.partition(keys.bytes(key), count: slot.partitionCount)
            placement[Int(key)] = home == slot.partition ? 1 : 2
        }
        return placement[Int(key)] == 2
    }

    /// Joins faults found here with the decoder's; of two for one row the earlier found holds,
    /// and a clock fault before any other.
    private func merge(_ found: [DecodeFault]) {
        var byRow: [Int32: DecodeFault] = [:]
        for fault in faults + found where byRow[fault.row] == nil || fault.reason == .clock {
            byRow[fault.row] = fault
        }
        faults = byRow.values.sorted { $0.row < $1.row }
    }

    // MARK: Taking

    /// Number of rows from the cursor on, at most `most`, that the merge takes before `bound`;
    /// with `takesTies`, rows of that very time too. At least one, and an earlier version with the
    /// correction that follows it.
    func runLength(before bound: Int64, takesTies: Bool, most: Int) -> Int {
        if toldWatermark != nil { return 1 }
        let end = min(cursor + most, rows?.rowCount ?? 0)
        var row = cursor
        if bound == .max, takesTies { row = end }
        while row < end, mergeTimes[row] < bound || (takesTies && mergeTimes[row] == bound) {
            row += 1
        }
        row = max(row, cursor + 1)
        while let changes, row < changes.count, changes[row - 1] == Change.before.rawValue {
            row += 1
        }
        return row - cursor
    }

    /// A piece of what is taken: rows without a fault, or one row with one.
    enum Piece {
        case rows(Batch)
        /// The time stamp is the record's own, in milliseconds.
        case reject(Reject, timestamp: Int64)
        /// The watermark that the sender of a substream has told, and where.
        case watermark(Int64, substream: Int, offset: Int64)
    }

    /// Takes the next `count` rows, in order.
    func take(_ count: Int, _ body: (Piece) throws -> Void) throws {
        if let told = toldWatermark {
            toldWatermark = nil
            try body(
                .watermark(
                    told.watermark, substream: siblings.firstIndex(of: index) ?? 0,
                    offset: told.offset))
            position = told.offset + 1
            return
        }
        guard let rows else { return }
        let end = cursor + count
        while cursor < end {
            let faultRow = nextFault < faults.count ? Int(faults[nextFault].row) : Int.max
            let clean = min(end, faultRow)
            if clean > cursor {
                let piece = batch(rows, cursor..<clean)
                cursor = clean
                try body(.rows(piece))
            }
            if cursor < end {
                let piece = reject(faults[nextFault], rows)
                nextFault += 1
                cursor += 1
                try body(piece)
            }
        }
        let blockRow = rows.firstRow + cursor
        position =
            blockRow < rows.block.count ? rows.block.offsets[blockRow] : rows.block.nextOffset
        if let limit, position > limit { position = limit }
    }

    private func reject(_ fault: DecodeFault, _ rows: DecodedRows) -> Piece {
        let block = rows.block
        let row = rows.firstRow + cursor
        let time = mergeTimes[cursor]
        return .reject(
            Reject(
                reason: fault.reason, detail: fault.detail, step: -1, sequence: 0,
                origin: RecordPlace(input: index, offset: block.offsets[row]),
                time: time == .min ? nil : time,
                key: block.key(row), value: block.value(row)),
            timestamp: block.timestamps[row])
    }

    private func batch(_ rows: DecodedRows, _ range: Range<Int>) -> Batch {
        let blockRange = rows.firstRow + range.lowerBound..<rows.firstRow + range.upperBound
        let offsets = Array(rows.block.offsets[blockRange])
        let isWhole = range == 0..<rows.rowCount
        return Batch(
            columns: isWhole ? rows.columns : rows.columns.map { $0.slice(range) },
            times: isWhole ? rows.times : Array(rows.times[range]),
            keys: isWhole ? rows.keys : Array(rows.keys[range]),
            changes: isWhole ? changes : changes.map { Array($0[range]) },
            revisions: isWhole ? revisions : revisions.map { Array($0[range]) },
            causes: causes(offsets),
            headers: isWhole ? headers : headers?.gather(range.map { Int32($0) }),
            raw: rows.block)
    }

    /// One column an input of the source: all batches of a source have the same ones.
    private func causes(_ offsets: [Int64]) -> [CauseColumn] {
        siblings.map { input in
            let own = input == index ? offsets : Array(repeating: -1, count: offsets.count)
            return CauseColumn(input: input, first: own, last: own)
        }
    }
}
