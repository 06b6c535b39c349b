import Columnar

/// Holds rows until the watermark passes them and releases them in time order: what stands before
/// a step with `order: time`.
///
///     in:        5  3  4 │W=5  7  6 │W=8
///     released:          3  4       │ 5  6  7
///
/// Rows of one time keep their order of arrival. A row that is older than what was released of its
/// clock (the key's under key clocks, else the partition's) is a reject `out-of-order`.
/// A row that the end of a window has made is passed by the watermark and does not wait.
/// A correction and its earlier version pass, unless a row of their key and time waits: then they
/// come out after it.
///
/// It also stands before a look-up that waits for its table: then the watermark is the least of
/// the stream's and the table's, and a row that is too old passes at once.
final class ReorderOperator: Operator {
    private let usesKeyClocks: Bool
    private let passesLate: Bool
    private var waiting = WaitingRows()
    /// The rows that wait by time: one queue a key under key clocks, else one at 0.
    private var queues: [RowQueue] = []
    /// Greatest time released, by clock as the queues.
    private var released: [Int64] = []

    init(usesKeyClocks: Bool, passesLate: Bool = false) {
        self.usesKeyClocks = usesKeyClocks
        self.passesLate = passesLate
    }

    private func clock(of key: Int32) -> Int { usesKeyClocks ? Int(key) : 0 }

    private func grow(clockCount: Int) {
        while released.count < clockCount {
            released.append(.min)
            queues.append(RowQueue())
        }
    }

    func push(_ batch: Batch, _ context: RowContext, _ output: inout StepOutput) {
        grow(clockCount: (batch.keys.max().map { clock(of: $0) } ?? 0) + 1)
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
            } else if isOld ? passesLate : context.isFired && !usesKeyClocks {
                passing.append(Int32(row))
                let clock = clock(of: batch.keys[row])
                released[clock] = max(released[clock], batch.times[row])
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
        if !held.isEmpty { enqueue(batch.gather(held)) }
    }

    private func enqueue(_ rows: Batch) {
        let first = waiting.append(rows)
        for row in 0..<rows.rowCount {
            queues[clock(of: rows.keys[row])].insert((rows.times[row], first + Int32(row)))
        }
    }

    /// Whether what a correction may be about waits, here or among the rows `held`.
    private func isAwaited(_ row: Int, of batch: Batch, _ held: [Int32]) -> Bool {
        let (key, time) = (batch.keys[row], batch.times[row])
        if held.contains(where: { batch.keys[Int($0)] == key && batch.times[Int($0)] == time }) {
            return true
        }
        return waiting.contains(key: key, time: time)
    }

    func boundary(after watermark: Int64) -> Int64 {
        // Rows fall due with every move, of rows too that never came this far.
        usesKeyClocks ? .max : watermark.addingSaturating(1)
    }

    /// What waits may set timers downstream, due before later ones that stand there already.
    ///
    /// A millisecond, as deadlines have it: rows and deadlines of one time come out together.
    var nextTimer: Int64 {
        guard !usesKeyClocks, let first = first(ofClock: 0) else { return .max }
        return first.time.addingSaturating(1000)
    }

    func advance(to watermark: Int64, _ output: inout StepOutput) {
        guard !usesKeyClocks else { return }
        release(takeDue(ofClock: 0, before: watermark), &output)
    }

    /// The first row in a queue; forgets those that were released otherwise.
    private func first(ofClock clock: Int) -> RowQueue.Entry? {
        guard clock < queues.count else { return nil }
        while let entry = queues[clock].first {
            if waiting.isThere(entry.row) { return entry }
            queues[clock].removeFirst()
        }
        return nil
    }

    /// Takes the rows of a clock before a time out of its queue, in order.
    private func takeDue(ofClock clock: Int, before time: Int64) -> [Int32] {
        var due: [Int32] = []
        while let entry = first(ofClock: clock), entry.time < time {
            due.append(entry.row)
            queues[clock].removeFirst()
        }
        return due
    }

    /// Releases what is due of one clock after a move of it, and tells the move downstream.
    ///
    /// `floor` is the watermark before the move.
    private func release(
        _ move: RowContext.Ghost, of batch: Batch, floor: Int64 = .min,
        _ output: inout StepOutput
    ) {
        let due = takeDue(ofClock: clock(of: move.key), before: move.watermark)
        release(due, floor: floor, sequence: move.sequence, &output)
        guard usesKeyClocks, output.keepsGhosts, move.watermark > floor else { return }
        var moved = RowContext(before: [], after: [], sequences: [])
        moved.ghosts = [move]
        moved.ghosts[0].position = 0
        output.emit(batch.gather([]), moved)
    }

    func flush(_ output: inout StepOutput) { release(waiting.inTimeOrder(), &output) }

    func abandon(_ keys: [Int32], _ output: inout StepOutput) {
        let keys = Set(keys)
        release(waiting.inTimeOrder().filter { keys.contains(waiting.rows.keys[Int($0)]) }, &output)
    }

    /// Emits waiting rows, which come in (time, arrival) order.
    ///
    /// Downstream judges them against `floor`, the watermark before the move: none of them is too
    /// late for it, and the move itself follows them.
    private func release(
        _ order: [Int32], floor: Int64 = .min, sequence: Int64? = nil, _ output: inout StepOutput
    ) {
        guard !order.isEmpty else { return }
        var next = 0
        while next < order.count {
            let limit = min(next + output.maximumRowCount, order.count)
            var end = next + 1
            // An earlier version stays with the correction that follows it.
            while end < order.count,
                waiting.rows.change(Int(order[end - 1])) == .before
                    || (end < limit
                        && waiting.hasRecord(order[end]) == waiting.hasRecord(order[next]))
            {
                end += 1
            }
            let rows = waiting.take(Array(order[next..<end]))
            for row in 0..<rows.rowCount {
                let clock = clock(of: rows.keys[row])
                released[clock] = max(released[clock], rows.times[row])
            }
            let marks = Array(repeating: floor, count: rows.rowCount)
            let sequences = rows.times.indices.map { index in
                sequence ?? output.nextSequence + Int64(index)
            }
            if sequence == nil { output.nextSequence += Int64(rows.rowCount) }
            output.emit(rows, RowContext(before: marks, after: marks, sequences: sequences))
            next = end
        }
        if waiting.isSparse { for rest in takeRest() { enqueue(rest) } }
    }

    /// Takes out all that waits, and forgets what was released.
    private func takeRest() -> [Batch] {
        for key in waiting.rows.keys { queues[clock(of: key)].removeAll() }
        return waiting.takeAll()
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
        let rest = takeRest()
        snapshot.write(Int64(rest.count))
        for batch in rest {
            batch.save(to: &snapshot, keys: keys)
            enqueue(batch)
        }
    }

    func restore(
        from snapshot: inout SnapshotReader, keys: inout KeyTable
    ) throws(SnapshotError) {
        for _ in 0..<(try snapshot.readCount()) {
            let name = try snapshot.readBytes()
            let clock = usesKeyClocks ? Int(keys.intern(name)) : 0
            grow(clockCount: clock + 1)
            released[clock] = try snapshot.read()
        }
        for _ in 0..<(try snapshot.readCount()) {
            let rows = try Batch(from: &snapshot, keys: &keys)
            grow(clockCount: (rows.keys.max().map { clock(of: $0) } ?? 0) + 1)
            enqueue(rows)
        }
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
        snapshot.write(raw != nil)
        guard let raw else { return }
        for row in 0..<rowCount {
            let place = ownRecord(row)
            for part in [place.flatMap { raw.key(at: $0) }, place.flatMap { raw.value(at: $0) }] {
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
        guard try snapshot.readBool() else { return }
        var rows: [RecordPlace: (key: [UInt8]?, value: [UInt8]?)] = [:]
        for row in 0..<count {
            let hasKey = try snapshot.readBool()
            let key = try snapshot.readBytes()
            let hasValue = try snapshot.readBool()
            let value = try snapshot.readBytes()
            if let place = ownRecord(row) {
                rows[place] = (hasKey ? key : nil, hasValue ? value : nil)
            }
        }
        raw = WaitingRecords(rows)
    }
}
