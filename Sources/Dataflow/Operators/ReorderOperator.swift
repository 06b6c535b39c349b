import Columnar

/// Holds rows until the watermark passes them and releases them in time order: what stands before
/// a step with `order: time`.
///
///     in:        5  3  4 │W=5  7  6 │W=8
///     released:          3  4       │ 5  6  7
///
/// Rows of one time keep their order of arrival. A row that is older than what was released of its
/// clock (the key's under key clocks, else the partition's) is a reject `out-of-order`.
/// A correction and its earlier version pass, unless a row of their key and time waits: then they
/// come out after it.
///
/// It also stands before a look-up that waits for its table: then the watermark is the least of
/// the stream's and the table's, and a row that is too old passes at once.
final class ReorderOperator: Operator {
    private let usesKeyClocks: Bool
    private let passesLate: Bool
    /// Rows that wait, in order of arrival, with their original records.
    private var waiting: Batch?
    /// Greatest time released: one entry a key under key clocks, else one at 0.
    private var released: [Int64] = []

    init(usesKeyClocks: Bool, passesLate: Bool = false) {
        self.usesKeyClocks = usesKeyClocks
        self.passesLate = passesLate
    }

    private func clock(of key: Int32) -> Int { usesKeyClocks ? Int(key) : 0 }

    func push(_ batch: Batch, _ context: RowContext, _ output: inout StepOutput) {
        let greatest = batch.keys.max().map { clock(of: $0) } ?? 0
        while released.count <= greatest { released.append(.min) }
        var start = 0
        var ghost = 0
        for row in 0..<batch.rowCount {
            while ghost < context.ghosts.count, context.ghosts[ghost].position <= row {
                hold(start..<row, of: batch, context, &output)
                start = row
                let move = context.ghosts[ghost]
                release(move, of: batch, &output)
                ghost += 1
            }
            // Rows fall due where a row moves its key's watermark, and where it is passed already.
            // A partition's watermark is raised when the piece that moves it is through.
            let isPassed = batch.times[row] < context.before[row]
            // An earlier version stays with the correction that follows it.
            if batch.change(row) == .before { continue }
            let watermark = usesKeyClocks ? context.after[row] : context.before[row]
            guard isPassed || watermark > context.before[row] else { continue }
            hold(start..<row + 1, of: batch, context, &output)
            start = row + 1
            release(
                RowContext.Ghost(
                    position: 0, key: batch.keys[row], watermark: watermark,
                    sequence: context.sequences[row]),
                of: batch, floor: context.before[row], &output)
        }
        hold(start..<batch.rowCount, of: batch, context, &output)
        for move in context.ghosts[ghost...] {
            release(move, of: batch, &output)
        }
    }

    /// Takes a run of rows in: corrections pass, too old ones are rejected, the others wait.
    private func hold(
        _ range: Range<Int>, of batch: Batch, _ context: RowContext, _ output: inout StepOutput
    ) {
        var held: [Int32] = []
        var passing: [Int32] = []
        for row in range {
            let isOld = batch.times[row] < released[clock(of: batch.keys[row])]
            if batch.change(row) != .new {
                if isAwaited(row, of: batch, held) {
                    held.append(Int32(row))
                } else {
                    passing.append(Int32(row))
                }
            } else if isOld && passesLate {
                passing.append(Int32(row))
            } else if isOld {
                output.reject(
                    .outOfOrder, "later rows of this clock were judged already", row: row,
                    of: batch, context)
            } else {
                held.append(Int32(row))
            }
        }
        if !passing.isEmpty {
            output.emit(
                batch.gather(passing),
                context.keeping(passing, keys: batch.keys, keepsGhosts: false))
        }
        guard !held.isEmpty else { return }
        var rows = batch.gather(held)
        rows.raw = WaitingRecords(copying: rows)
        if waiting == nil { waiting = rows } else { waiting?.append(rows) }
    }

    /// Whether what a correction may be about waits, here or among the rows `held`.
    private func isAwaited(_ row: Int, of batch: Batch, _ held: [Int32]) -> Bool {
        let (key, time) = (batch.keys[row], batch.times[row])
        if held.contains(where: { batch.keys[Int($0)] == key && batch.times[Int($0)] == time }) {
            return true
        }
        guard let waiting else { return false }
        return waiting.times.indices.contains {
            waiting.times[$0] == time && waiting.keys[$0] == key
        }
    }

    func boundary(after watermark: Int64) -> Int64 {
        // Rows fall due with every move, of rows too that never came this far.
        usesKeyClocks ? .max : watermark.addingSaturating(1)
    }

    /// What waits may set timers downstream, due before later ones that stand there already.
    ///
    /// A millisecond, as deadlines have it: rows and deadlines of one time come out together.
    var nextTimer: Int64 {
        guard !usesKeyClocks, let first = waiting?.times.min() else { return .max }
        return first.addingSaturating(1000)
    }

    func advance(to watermark: Int64, _ output: inout StepOutput) {
        guard !usesKeyClocks, let waiting else { return }
        let due = (0..<waiting.rowCount).filter { waiting.times[$0] < watermark }
        release(due, &output)
    }

    /// Releases what is due of one clock after a move of it, and tells the move downstream.
    ///
    /// `floor` is the watermark before the move.
    private func release(
        _ move: RowContext.Ghost, of batch: Batch, floor: Int64 = .min,
        _ output: inout StepOutput
    ) {
        if let waiting {
            let due = (0..<waiting.rowCount).filter {
                (!usesKeyClocks || waiting.keys[$0] == move.key)
                    && waiting.times[$0] < move.watermark
            }
            release(due, floor: floor, sequence: move.sequence, &output)
        }
        guard usesKeyClocks, output.keepsGhosts, move.watermark > floor else { return }
        var moved = RowContext(before: [], after: [], sequences: [])
        moved.ghosts = [move]
        moved.ghosts[0].position = 0
        output.emit(batch.gather([]), moved)
    }

    func flush(_ output: inout StepOutput) {
        guard let waiting else { return }
        release(Array(0..<waiting.rowCount), &output)
    }

    func abandon(_ keys: [Int32], _ output: inout StepOutput) {
        guard let waiting else { return }
        let due = (0..<waiting.rowCount).filter { keys.contains(waiting.keys[$0]) }
        release(due, &output)
    }

    /// Emits waiting rows in (time, arrival) order.
    ///
    /// Downstream judges them against `floor`, the watermark before the move: none of them is too
    /// late for it, and the move itself follows them.
    private func release(
        _ due: [Int], floor: Int64 = .min, sequence: Int64? = nil, _ output: inout StepOutput
    ) {
        guard let all = waiting, !due.isEmpty else { return }
        let order = due.sorted {
            all.times[$0] != all.times[$1] ? all.times[$0] < all.times[$1] : $0 < $1
        }
        var isDue = Array(repeating: false, count: all.rowCount)
        for row in order {
            isDue[row] = true
            let clock = clock(of: all.keys[row])
            while released.count <= clock { released.append(.min) }
            released[clock] = max(released[clock], all.times[row])
        }
        var next = 0
        while next < order.count {
            var end = min(next + output.maximumRowCount, order.count)
            // An earlier version stays with the correction that follows it.
            while end < order.count, all.change(order[end - 1]) == .before { end += 1 }
            let chunk = order[next..<end]
            let rows = all.gather(chunk.map { Int32($0) })
            let marks = Array(repeating: floor, count: rows.rowCount)
            let sequences = rows.times.indices.map { index in
                sequence ?? output.nextSequence + Int64(index)
            }
            if sequence == nil { output.nextSequence += Int64(rows.rowCount) }
            output.emit(rows, RowContext(before: marks, after: marks, sequences: sequences))
            next += chunk.count
        }
        let rest = (0..<all.rowCount).filter { !isDue[$0] }
        waiting = rest.isEmpty ? nil : all.gather(rest.map { Int32($0) })
        if let waiting { self.waiting?.raw = WaitingRecords(copying: waiting) }
    }
}

/// Original records of waiting rows, by their place.
final class WaitingRecords: RawRecords {
    private let rows: [RecordPlace: (key: [UInt8]?, value: [UInt8]?)]

    init(_ rows: [RecordPlace: (key: [UInt8]?, value: [UInt8]?)]) { self.rows = rows }

    /// Copies what a batch's rows have at hand.
    convenience init(copying batch: Batch) {
        var rows: [RecordPlace: (key: [UInt8]?, value: [UInt8]?)] = [:]
        if let raw = batch.raw {
            for row in 0..<batch.rowCount {
                guard let place = batch.origin(row) else { continue }
                rows[place] = (raw.key(at: place), raw.value(at: place))
            }
        }
        self.init(rows)
    }

    func merging(_ other: WaitingRecords) -> WaitingRecords {
        WaitingRecords(rows.merging(other.rows) { old, _ in old })
    }

    func key(at place: RecordPlace) -> [UInt8]? { rows[place]?.key }

    func value(at place: RecordPlace) -> [UInt8]? { rows[place]?.value }
}

extension Batch {
    /// Appends rows of the same shape; original records are joined.
    mutating func append(_ other: Batch) {
        let oldCount = rowCount
        for index in columns.indices { columns[index].append(other.columns[index]) }
        times += other.times
        keys += other.keys
        if changes != nil || other.changes != nil {
            changes =
                (changes ?? Array(repeating: 0, count: oldCount))
                + (other.changes ?? Array(repeating: 0, count: other.rowCount))
        }
        if revisions != nil || other.revisions != nil {
            revisions =
                (revisions ?? Array(repeating: 0, count: oldCount))
                + (other.revisions ?? Array(repeating: 0, count: other.rowCount))
        }
        for index in causes.indices {
            let counts = causes[index].counts
            let more = other.causes[index].counts
            if counts != nil || more != nil {
                causes[index].counts =
                    (counts ?? Array(repeating: 1, count: oldCount))
                    + (more ?? Array(repeating: 1, count: other.rowCount))
            }
            causes[index].first += other.causes[index].first
            causes[index].last += other.causes[index].last
        }
        if headers != nil || other.headers != nil {
            var joined = headers ?? .empty(rows: oldCount)
            let more = other.headers ?? .empty(rows: other.rowCount)
            for row in 0..<more.count { joined.append(more.array(row)) }
            headers = joined
        }
        if let mine = raw as? WaitingRecords, let theirs = other.raw as? WaitingRecords {
            raw = mine.merging(theirs)
        }
    }
}

extension ByteValues {
    /// `rows` empty strings.
    static func empty(rows: Int) -> ByteValues {
        ByteValues(offsets: Array(repeating: 0, count: rows + 1), bytes: [])
    }
}

// MARK: - Snapshot

extension ReorderOperator {
    func save(to snapshot: inout SnapshotWriter, keys: KeyTable) {
        let clocks: [Int32] = usesKeyClocks ? keys.sortedCodes() : [0]
        let moved = clocks.filter { Int($0) < released.count && released[Int($0)] != .min }
        snapshot.write(Int64(moved.count))
        for clock in moved {
            snapshot.write(usesKeyClocks ? keys.bytes(clock) : [])
            snapshot.write(released[Int(clock)])
        }
        snapshot.write(waiting != nil)
        if let waiting { waiting.save(to: &snapshot, keys: keys) }
    }

    func restore(
        from snapshot: inout SnapshotReader, keys: inout KeyTable
    ) throws(SnapshotError) {
        for _ in 0..<(try snapshot.readCount()) {
            let name = try snapshot.readBytes()
            let clock = usesKeyClocks ? Int(keys.intern(name)) : 0
            while released.count <= clock { released.append(.min) }
            released[clock] = try snapshot.read()
        }
        if try snapshot.readBool() { waiting = try Batch(from: &snapshot, keys: &keys) }
    }
}

extension Batch {
    /// Writes all rows with keys as bytes, hidden columns and original records.
    func save(to snapshot: inout SnapshotWriter, keys table: KeyTable) {
        snapshot.write(Int64(rowCount))
        for row in 0..<rowCount {
            snapshot.write(times[row])
            snapshot.write(table.bytes(keys[row]))
        }
        snapshot.write(Int64(columns.count))
        for column in columns { snapshot.write(column) }
        snapshot.write(Int64(causes.count))
        for cause in causes {
            snapshot.write(Int64(cause.input))
            for row in 0..<rowCount {
                snapshot.write(cause.first[row])
                snapshot.write(cause.last[row])
                snapshot.write(cause.counts?[row] ?? 1)
            }
        }
        for row in 0..<rowCount {
            snapshot.write(Int64(changes?[row] ?? 0))
            snapshot.write(Int64(revisions?[row] ?? 0))
        }
        for row in 0..<rowCount { snapshot.write(headers?.array(row) ?? []) }
        for row in 0..<rowCount {
            let place = origin(row)
            for part in [place.flatMap { raw?.key(at: $0) }, place.flatMap { raw?.value(at: $0) }] {
                snapshot.write(part != nil)
                snapshot.write(part ?? [])
            }
        }
    }

    /// Reads what ``save(to:keys:)`` wrote.
    init(from snapshot: inout SnapshotReader, keys table: inout KeyTable) throws(SnapshotError) {
        let count = try snapshot.readCount()
        self.init(columns: [], times: [], keys: [])
        for _ in 0..<count {
            times.append(try snapshot.read())
            keys.append(table.intern(try snapshot.readBytes()))
        }
        for _ in 0..<(try snapshot.readCount()) { columns.append(try snapshot.readColumn()) }
        for _ in 0..<(try snapshot.readCount()) {
            let input = Int(try snapshot.read(Int64.self))
            var cause = CauseColumn(input: input, first: [], last: [], counts: [])
            for _ in 0..<count {
                cause.first.append(try snapshot.read())
                cause.last.append(try snapshot.read())
                cause.counts?.append(try snapshot.read())
            }
            if cause.counts?.allSatisfy({ $0 == 1 }) == true { cause.counts = nil }
            causes.append(cause)
        }
        var (savedChanges, savedRevisions): ([UInt8], [Int32]) = ([], [])
        for _ in 0..<count {
            savedChanges.append(UInt8(truncatingIfNeeded: try snapshot.read(Int64.self)))
            savedRevisions.append(Int32(truncatingIfNeeded: try snapshot.read(Int64.self)))
        }
        if savedChanges.contains(where: { $0 != 0 }) {
            (changes, revisions) = (savedChanges, savedRevisions)
        }
        var blobs = ByteValues()
        for _ in 0..<count { blobs.append(try snapshot.readBytes()) }
        if !blobs.bytes.isEmpty { headers = blobs }
        var rows: [RecordPlace: (key: [UInt8]?, value: [UInt8]?)] = [:]
        for row in 0..<count {
            let hasKey = try snapshot.readBool()
            let key = try snapshot.readBytes()
            let hasValue = try snapshot.readBool()
            let value = try snapshot.readBytes()
            if let place = origin(row) {
                rows[place] = (hasKey ? key : nil, hasValue ? value : nil)
            }
        }
        raw = WaitingRecords(rows)
    }
}
