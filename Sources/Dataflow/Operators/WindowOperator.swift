import Columnar
import Expression
import Primitives

/// Tumbling, hopping and calendar windows `[start, end)` over event time, by key.
///
///     size 15m, every 5m        08:00     08:05     08:10     08:15     08:20
///     windows of a row at 08:12 [─────────────────────────)
///                                         [─────────────────────────)
///                                                   [─────────────────────────)
///
/// Rows go into panes (of `every`, or a unit of the calendar); a window is the merge of its panes.
/// It closes when the watermark reaches `end`, right after the row that made it so, and gives one
/// row with time `end − 1 ms`.
/// For `lateness` after that a late row makes a `correct`; later it is a reject `late` for the
/// windows it misses. A key without rows in a window gives nothing.
final class WindowOperator: Operator {
    let plan: WindowPlan
    let lateness: Int64
    let usesKeyClocks: Bool
    private let keyIsInteger: Bool
    private let evaluator: Evaluator
    private var assigner: WindowAssigner
    let accumulators: [any Accumulator]
    /// Panes of all keys.
    var panes = PaneStore()
    /// Per key code: end of its earliest window that has rows and is not closed.
    var nextClose: [Int64] = []
    /// Per key code: versions of windows that were flushed or corrected, ascending by end.
    var versions: [Int32: [WindowVersion]] = [:]
    /// Watermark of the step under a partition clock.
    var watermark: Int64 = .min
    private(set) var nextTimer: Int64 = .max
    private var sortedKeys: [Int32] = []

    init(
        _ plan: WindowPlan, lateness: Int64, usesKeyClocks: Bool, keyIsInteger: Bool
    ) {
        self.plan = plan
        self.lateness = lateness
        self.usesKeyClocks = usesKeyClocks
        self.keyIsInteger = keyIsInteger
        evaluator = Evaluator(plan.program)
        assigner = WindowAssigner(plan.grid)
        accumulators = plan.aggregates.compactMap { aggregate in
            makeAccumulator(
                aggregate.function, input: aggregate.input.map { plan.program.outputs[$0].type })
        }
        precondition(accumulators.count == plan.aggregates.count, "an aggregate has no meaning")
        growPanes()
    }

    // MARK: Time

    /// Index of the pane that holds a time; windows end at pane boundaries.
    func pane(of time: Int64) -> Int64 { assigner.pane(of: time) }

    var panesPerWindow: Int64 { assigner.panesPerWindow }

    /// End of the window whose last pane is `pane`.
    func windowEnd(lastPane pane: Int64) -> Int64 { assigner.start(pane + 1) }

    private func isExpired(_ end: Int64, at watermark: Int64) -> Bool {
        end.addingSaturating(lateness) <= watermark
    }

    func boundary(after watermark: Int64) -> Int64 {
        usesKeyClocks ? .max : windowEnd(lastPane: pane(of: max(watermark, Timestamp.minimum)))
    }

    // MARK: Rows

    func push(_ batch: Batch, _ context: RowContext, _ output: inout StepOutput) {
        let evaluation = evaluator.evaluate(batch.columns, rowCount: batch.rowCount)
        var usable = Array(repeating: true, count: batch.rowCount)
        rejectFaults(evaluation.faults, of: batch, context, keep: &usable, &output) { fault in
            evaluator.program.outputs[Int(fault.output)].text
        }
        let greatest = max(batch.keys.max() ?? -1, context.ghosts.map(\.key).max() ?? -1)
        grow(keyCount: Int(greatest) + 1)
        panes.setCauses(batch.causes.map(\.input))
        var run = WindowRun(inputs: evaluation.columns.map { $0.flattened() }, batch: batch)
        var emission = WindowEmission()
        var ghost = 0
        for row in 0..<batch.rowCount {
            while ghost < context.ghosts.count, context.ghosts[ghost].position <= row {
                rise(context.ghosts[ghost], row: row, &run, &emission)
                if output.keepsGhosts { emission.pass(context.ghosts[ghost]) }
                ghost += 1
            }
            if usable[row], batch.change(row) == .new {
                take(row, context, &run, &emission, &output)
            }
            let key = Int(batch.keys[row])
            if usesKeyClocks, nextClose[key] <= context.after[row] {
                add(through: row + 1, &run)
                close(
                    batch.keys[row], through: context.after[row], before: context.before[row],
                    sequence: context.sequences[row], &emission)
            }
            if output.keepsGhosts, context.after[row] > context.before[row] {
                emission.pass(
                    RowContext.Ghost(
                        position: 0, key: batch.keys[row], watermark: context.after[row],
                        sequence: context.sequences[row]))
            }
        }
        add(through: batch.rowCount, &run)
        while ghost < context.ghosts.count {
            rise(context.ghosts[ghost], row: batch.rowCount, &run, &emission)
            if output.keepsGhosts { emission.pass(context.ghosts[ghost]) }
            ghost += 1
        }
        output.orderRejects()
        emit(&emission, &output)
    }

    private func rise(
        _ ghost: RowContext.Ghost, row: Int, _ run: inout WindowRun,
        _ emission: inout WindowEmission
    ) {
        guard nextClose[Int(ghost.key)] <= ghost.watermark else { return }
        add(through: row, &run)
        close(
            ghost.key, through: ghost.watermark, before: .min, sequence: ghost.sequence,
            &emission)
    }

    /// Finds the row's pane, or says which windows it comes too late for.
    private func take(
        _ row: Int, _ context: RowContext, _ run: inout WindowRun,
        _ emission: inout WindowEmission, _ output: inout StepOutput
    ) {
        let key = run.batch.keys[row]
        let pane = pane(of: run.batch.times[row])
        let now = context.before[row]
        let firstEnd = windowEnd(lastPane: pane)
        let lastEnd = windowEnd(lastPane: pane + panesPerWindow - 1)
        if isExpired(firstEnd, at: now) {
            let missed = isExpired(lastEnd, at: now) ? "every window" : "its earlier windows"
            output.reject(
                .late,
                "\(missed) closed for corrections; the clock stands at "
                    + Timestamp.text(now), row: row, of: run.batch, context)
            if isExpired(lastEnd, at: now) { return }
        }
        let flushed = !versions.isEmpty && versions[key] != nil
        if firstEnd > now, !flushed {
            run.slots[row] = slot(key: key, pane: pane)
            panes.note(run.batch.causes, row: row, slot: run.slots[row])
            noteTimer(key: key, firstEnd)
            return
        }
        add(through: row, &run)
        correct(row, pane: pane, context, &run, &emission)
    }

    /// Adds a row that windows already closed, or flushed, must hear of.
    private func correct(
        _ row: Int, pane: Int64, _ context: RowContext, _ run: inout WindowRun,
        _ emission: inout WindowEmission
    ) {
        let key = run.batch.keys[row]
        let now = context.before[row]
        var closed: [Int64] = []
        for last in pane..<pane + panesPerWindow {
            let end = windowEnd(lastPane: last)
            if isExpired(end, at: now) { continue }
            if end <= now {
                closed.append(end)
            } else if let index = versions[key]?.firstIndex(where: { $0.end == end }) {
                versions[key]?[index].isDirty = true
            }
        }
        var mark = WindowEmission.Mark(
            before: now, after: context.after[row], sequence: context.sequences[row])
        var earlier: [Int64: Int32] = [:]
        for end in closed {
            let slots = panes.slots(key: key, self.panes(endingAt: end))
            if !slots.isEmpty { earlier[end] = revision(key: key, end: end) }
        }
        // The earlier versions must be taken before the row is added, so they go in one by one.
        var rows: [(end: Int64, emission: WindowEmission.Row?)] = []
        for end in closed {
            let slots = panes.slots(key: key, self.panes(endingAt: end))
            guard let revision = earlier[end] else {
                rows.append((end, nil))
                continue
            }
            mark.change = .before
            mark.revision = revision
            rows.append((end, result(key: key, end: end, slots, mark)))
        }
        run.slots[row] = slot(key: key, pane: pane)
        panes.note(run.batch.causes, row: row, slot: run.slots[row])
        add(through: row + 1, &run)
        for (end, before) in rows {
            let slots = panes.slots(key: key, self.panes(endingAt: end))
            mark.change = before == nil ? .new : .correct
            mark.revision = 0
            if let before {
                mark.revision = before.mark.revision + 1
                setRevision(mark.revision, key: key, end: end)
                emission.rows.append(before)
            }
            emission.rows.append(result(key: key, end: end, slots, mark))
        }
        let clock = max(now, Timestamp.minimum)
        let open = windowEnd(lastPane: max(pane, self.pane(of: clock)))
        if open <= windowEnd(lastPane: pane + panesPerWindow - 1) { noteTimer(key: key, open) }
    }

    private func slot(key: Int32, pane: Int64) -> Int32 {
        let slot = panes.slot(key: key, pane: pane)
        if slot.isNew {
            growPanes()
            for accumulator in accumulators { accumulator.reset(Int(slot.index)) }
        }
        return slot.index
    }

    private func noteTimer(key: Int32, _ end: Int64) {
        if end < nextClose[Int(key)] { nextClose[Int(key)] = end }
        if end < nextTimer { nextTimer = end }
    }

    /// Adds the rows of the run that have a slot and are not added yet.
    private func add(through end: Int, _ run: inout WindowRun) {
        guard run.added < end else { return }
        for (accumulator, aggregate) in zip(accumulators, plan.aggregates) {
            accumulator.add(
                aggregate.input.map { run.inputs[$0] }, rows: run.added..<end, slots: run.slots,
                times: run.batch.times)
        }
        run.added = end
    }

    private func growPanes() {
        for accumulator in accumulators { accumulator.grow(to: panes.slotCount) }
    }

    func restoreTimer(key: Int32, _ end: Int64) { if end != .max { noteTimer(key: key, end) } }

    func grow(keyCount: Int) {
        while nextClose.count < keyCount { nextClose.append(.max) }
        panes.grow(keyCount: keyCount)
    }

    // MARK: Closing

    func panes(endingAt end: Int64) -> Range<Int64> { assigner.panes(endingAt: end) }

    /// Closes a key's windows up to a watermark, in time order, and forgets what is expired.
    private func close(
        _ key: Int32, through watermark: Int64, before: Int64, sequence: Int64,
        _ emission: inout WindowEmission
    ) {
        while nextClose[Int(key)] <= watermark {
            let end = nextClose[Int(key)]
            emission.rows += closingRows(
                key: key, end: end,
                .init(before: min(before, end - 1), after: end, sequence: sequence))
            nextClose[Int(key)] = nextEnd(key: key, after: end)
        }
        let lastKept = pane(of: watermark.subtractingSaturating(lateness))
        panes.removePanes(key: key, before: lastKept - panesPerWindow + 1)
        if var kept = versions[key] {
            kept.removeAll { isExpired($0.end, at: watermark) }
            versions[key] = kept.isEmpty ? nil : kept
        }
    }

    /// End of the first window after `end` that has rows of the key; `Int64.max` for none.
    func nextEnd(key: Int32, after end: Int64) -> Int64 {
        let closedPane = pane(of: end - 1)
        guard let first = panes.firstPane(key: key, from: closedPane - panesPerWindow + 2) else {
            return .max
        }
        return windowEnd(lastPane: max(first, closedPane + 1))
    }

    /// The rows that a window gives when it closes: one, none when it was flushed and has not
    /// changed since, or a correction of what was flushed.
    private func closingRows(
        key: Int32, end: Int64, _ mark: WindowEmission.Mark
    ) -> [WindowEmission.Row] {
        let slots = panes.slots(key: key, panes(endingAt: end))
        guard let index = versions[key]?.firstIndex(where: { $0.end == end }),
            let version = versions[key]?[index]
        else { return [result(key: key, end: end, slots, mark)] }
        guard version.isDirty else { return [] }
        var mark = mark
        mark.change = .before
        mark.revision = version.revision
        let before = WindowEmission.Row(
            key: key, end: end, mark: mark, columns: version.columns, causes: version.causes,
            fits: true)
        mark.change = .correct
        mark.revision += 1
        let after = result(key: key, end: end, slots, mark)
        versions[key]?[index].revision = mark.revision
        versions[key]?[index].isDirty = false
        versions[key]?[index].columns = after.columns
        versions[key]?[index].causes = after.causes
        return [before, after]
    }

    private func revision(key: Int32, end: Int64) -> Int32 {
        versions[key]?.first { $0.end == end }?.revision ?? 0
    }

    private func setRevision(_ revision: Int32, key: Int32, end: Int64) {
        if let index = versions[key]?.firstIndex(where: { $0.end == end }) {
            versions[key]?[index].revision = revision
            return
        }
        insert(WindowVersion(end: end, revision: revision), key: key)
    }

    private func insert(_ version: WindowVersion, key: Int32) {
        var list = versions[key] ?? []
        let index = list.firstIndex { $0.end > version.end } ?? list.count
        list.insert(version, at: index)
        versions[key] = list
    }

    private func result(
        key: Int32, end: Int64, _ slots: [Int32], _ mark: WindowEmission.Mark
    ) -> WindowEmission.Row {
        var fits = true
        for accumulator in accumulators where !accumulator.appendResult(slots[...], end: end) {
            fits = false
        }
        return WindowEmission.Row(
            key: key, end: end, mark: mark, columns: accumulators.map { $0.takeResults() },
            causes: panes.causes(slots), fits: fits)
    }

    func advance(to watermark: Int64, _ output: inout StepOutput) {
        guard !usesKeyClocks else { return }
        var emission = WindowEmission()
        // Between two ends of panes the watermark moves in steps that depend on how batches are cut.
        let before =
            self.watermark == .min
            ? .min : min(self.watermark, windowEnd(lastPane: pane(of: self.watermark) - 1))
        if nextTimer <= watermark {
            if sortedKeys.count != output.keys.count { sortedKeys = output.keys.sortedCodes() }
            var next = Int64.max
            for key in sortedKeys where Int(key) < nextClose.count {
                if nextClose[Int(key)] <= watermark {
                    close(
                        key, through: watermark, before: before,
                        sequence: output.nextSequence, &emission)
                    output.nextSequence += 1
                }
                next = min(next, nextClose[Int(key)])
            }
            nextTimer = next
        }
        emit(&emission, &output)
        self.watermark = max(self.watermark, watermark)
    }

    func flush(_ output: inout StepOutput) {
        flush(output.keys.sortedCodes(), &output)
    }

    func abandon(_ keys: [Int32], _ output: inout StepOutput) {
        flush(keys, &output)
    }

    /// Emits the open windows of some keys, which come in byte order, without closing them.
    private func flush(_ keys: [Int32], _ output: inout StepOutput) {
        var open: [(end: Int64, key: Int32)] = []
        for key in keys where Int(key) < nextClose.count {
            var end = nextClose[Int(key)]
            while end != .max {
                open.append((end, key))
                end = nextEnd(key: key, after: end)
            }
        }
        // Stable: keys of one end keep their byte order.
        var emission = WindowEmission()
        for (_, window) in open.enumerated().sorted(by: {
            ($0.element.end, $0.offset) < ($1.element.end, $1.offset)
        }) {
            let time = window.end - 1000
            let mark = WindowEmission.Mark(
                before: time, after: time, sequence: output.nextSequence)
            output.nextSequence += 1
            let rows = closingRows(key: window.key, end: window.end, mark)
            emission.rows += rows
            if versions[window.key]?.contains(where: { $0.end == window.end }) != true {
                var version = WindowVersion(end: window.end, revision: 0)
                version.columns = rows[0].columns
                version.causes = rows[0].causes
                insert(version, key: window.key)
            }
        }
        emit(&emission, &output)
    }

    // MARK: Output

    private func emit(_ emission: inout WindowEmission, _ output: inout StepOutput) {
        var start = 0
        while start < emission.rows.count {
            var end = min(start + output.maximumRowCount, emission.rows.count)
            // An earlier version stays with the correction that follows it.
            if emission.rows[end - 1].mark.change == .before { end += end - start > 1 ? -1 : 1 }
            emit(
                emission.rows[start..<end], emission.takeMoves(between: start, and: end), &output)
            start = end
        }
        if !emission.moves.isEmpty {
            emit([], emission.takeMoves(between: start, and: start), &output)
        }
        emission.rows = []
    }

    private func emit(
        _ rows: ArraySlice<WindowEmission.Row>, _ moves: [RowContext.Ghost],
        _ output: inout StepOutput
    ) {
        let keys = rows.map(\.key)
        let ends = rows.map(\.end)
        var columns = [keyColumn(keys, output.keys)]
        let starts = ends.map { end in
            let first = panes(endingAt: end).lowerBound
            return assigner.start(first)
        }
        columns.append(Column(.int64(starts)))
        columns.append(Column(.int64(ends)))
        for index in accumulators.indices {
            var column: Column?
            for row in rows {
                if column == nil {
                    column = row.columns[index]
                } else {
                    column?.append(row.columns[index])
                }
            }
            columns.append(column ?? Column(.null(count: 0)))
        }
        var batch = Batch(columns: columns, times: ends.map { $0 - 1000 }, keys: keys)
        if rows.contains(where: { $0.mark.change != .new }) {
            batch.changes = rows.map(\.mark.change.rawValue)
            batch.revisions = rows.map(\.mark.revision)
        }
        for (index, input) in panes.causeInputs.enumerated() {
            batch.causes.append(
                CauseColumn(
                    input: input, first: rows.map { $0.causes[index].firstOffset },
                    last: rows.map { $0.causes[index].lastOffset },
                    counts: rows.map { $0.causes[index].count }))
        }
        let context = RowContext(
            before: rows.map(\.mark.before), after: rows.map(\.mark.after),
            sequences: rows.map(\.mark.sequence), ghosts: moves)
        guard rows.contains(where: { !$0.fits }) else {
            output.emit(batch, context)
            return
        }
        let fits = rows.map(\.fits)
        for row in fits.indices where !fits[row] && batch.change(row) != .before {
            output.reject(
                RejectReason(name: "overflow"),
                "a result of the window ending \(Timestamp.text(ends[row])) does not fit",
                row: row, of: batch, context)
        }
        let (kept, keptContext) = selectRows(
            fits, of: batch, context, keepsGhosts: output.keepsGhosts)
        output.emit(kept, keptContext)
    }

    private func keyColumn(_ codes: [Int32], _ keys: KeyTable) -> Column {
        guard keyIsInteger else {
            return Column(
                .dictionary(DictionaryValues(indices: codes, base: Column(.bytes(keys.keys)))))
        }
        return Column(
            .int64(codes.map { Int64(String(decoding: keys.bytes($0), as: UTF8.self)) ?? 0 }))
    }
}

/// Rows of one batch on their way into panes.
struct WindowRun {
    let inputs: [Column]
    let batch: Batch
    /// Per row: its pane; 0 takes what does not count.
    var slots: [Int32]
    /// Rows before this one are in their panes.
    var added = 0

    init(inputs: [Column], batch: Batch) {
        self.inputs = inputs
        self.batch = batch
        slots = Array(repeating: 0, count: batch.rowCount)
    }
}

/// A window that was flushed or corrected: what was last said of it.
struct WindowVersion {
    var end: Int64
    var revision: Int32
    /// Rows came since it was flushed.
    var isDirty = false
    /// The row last flushed, one column an aggregate; empty when it was closed when corrected.
    var columns: [Column] = []
    var causes: [PaneCause] = []
}

/// Result rows in the order in which they are emitted.
struct WindowEmission {
    struct Mark {
        var before: Int64
        var after: Int64
        var sequence: Int64
        var change = Change.new
        var revision: Int32 = 0
    }

    struct Row {
        var key: Int32
        var end: Int64
        var mark: Mark
        /// One row each.
        var columns: [Column]
        var causes: [PaneCause]
        /// Whether every aggregate fits its type.
        var fits: Bool
    }

    var rows: [Row] = []
    /// Moves of keys' clocks that steps downstream with timers must hear of.
    private(set) var moves: [RowContext.Ghost] = []

    /// Passes a move on, after the rows so far.
    mutating func pass(_ move: RowContext.Ghost) {
        var move = move
        move.position = rows.count
        moves.append(move)
    }

    /// Takes out the moves that stand among rows or, when those are the last, after them.
    mutating func takeMoves(between start: Int, and end: Int) -> [RowContext.Ghost] {
        let isLast = end == rows.count
        let count = moves.firstIndex { $0.position >= end && !isLast } ?? moves.count
        let taken = moves.prefix(count).map { move in
            var move = move
            move.position -= start
            return move
        }
        moves.removeFirst(count)
        return taken
    }
}
