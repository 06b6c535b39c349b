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
/// windows it misses. A key without rows in a window gives nothing. Rows that are results of
/// windows themselves may be corrected or withdrawn: the later version takes the earlier one's
/// place, and a window without rows any more is withdrawn.
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
    /// Rows of the panes; kept when rows may be corrected, being themselves results of windows.
    var retained: RetainedRows?
    /// Per key code: end of its earliest window that has rows and is not closed.
    var nextClose: [Int64] = []
    /// Per key code: versions of windows that were flushed or corrected, ascending by end.
    var versions: [Int32: [WindowVersion]] = [:]
    /// Watermark of the step under a partition clock.
    var watermark: Int64 = .min
    private(set) var nextTimer: Int64 = .max
    private var sortedKeys: [Int32] = []
    /// Slots of the panes of the window at hand, ascending.
    private var windowPanes: [Int32] = []

    init(
        _ plan: WindowPlan, lateness: Int64, usesKeyClocks: Bool, keyIsInteger: Bool
    ) {
        self.plan = plan
        self.lateness = lateness
        self.usesKeyClocks = usesKeyClocks
        self.keyIsInteger = keyIsInteger
        evaluator = Evaluator(plan.program)
        assigner = WindowAssigner(plan.grid)
        retained = plan.takesCorrections ? RetainedRows() : nil
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
        var emission = WindowEmission(causeInputs: panes.causeInputs.count)
        var ghost = 0
        for row in 0..<batch.rowCount {
            while ghost < context.ghosts.count, context.ghosts[ghost].position <= row {
                rise(context.ghosts[ghost], row: row, &run, &emission)
                if output.keepsGhosts { emission.pass(context.ghosts[ghost]) }
                ghost += 1
            }
            take(row, usable, context, &run, &emission, &output)
            let key = Int(batch.keys[row])
            // A row of a flush moves no clock, and closes nothing.
            let moves = context.after[row] > context.before[row]
            if usesKeyClocks, moves, nextClose[key] <= context.after[row] {
                add(through: row + 1, &run)
                close(
                    batch.keys[row], through: context.after[row], before: context.before[row],
                    sequence: context.sequences[row], &emission)
            }
            if output.keepsGhosts, moves {
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

    /// Takes a new row, or a later version in the place of an earlier one.
    private func take(
        _ row: Int, _ usable: [Bool], _ context: RowContext, _ run: inout WindowRun,
        _ emission: inout WindowEmission, _ output: inout StepOutput
    ) {
        switch run.batch.change(row) {
        case .new:
            if usable[row] { take(row, in: row, nil, context, &run, &emission, &output) }
        case .before where retained != nil && row + 1 < run.batch.rowCount:
            let later = usable[row + 1] ? row + 1 : nil
            take(later, in: row + 1, row, context, &run, &emission, &output)
        case .withdraw where retained != nil:
            take(nil, in: row, row, context, &run, &emission, &output)
        default: break
        }
    }

    /// Takes a row `later` for `earlier`, either of which may be missing; `row` says where they
    /// stand. Says which windows it comes too late for.
    private func take(
        _ later: Int?, in row: Int, _ earlier: Int?, _ context: RowContext,
        _ run: inout WindowRun, _ emission: inout WindowEmission, _ output: inout StepOutput
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
            put(later, for: earlier, key: key, pane: pane, &run)
            if later != nil { noteTimer(key: key, firstEnd) }
            return
        }
        add(through: earlier ?? row, &run)
        let mark = WindowEmission.Mark(
            before: now, after: context.after[row], sequence: context.sequences[row])
        revise(key: key, pane: pane, mark, &emission) {
            put(later, for: earlier, key: key, pane: pane, &run)
            add(through: row + 1, &run)
        }
    }

    /// Takes the earlier version out of its pane and puts the later one in.
    private func put(
        _ later: Int?, for earlier: Int?, key: Int32, pane: Int64, _ run: inout WindowRun
    ) {
        if let earlier {
            // Rows before must be there before a pane is made anew.
            add(through: earlier, &run)
            remove(earlier, key: key, pane: pane, run)
        }
        guard let later else { return }
        run.slots[later] = slot(key: key, pane: pane)
        panes.note(run.batch.causes, row: later, slot: run.slots[later])
        retained?.append(later, of: run, slot: run.slots[later])
    }

    /// Makes a pane anew without a row, when it is there.
    private func remove(_ row: Int, key: Int32, pane: Int64, _ run: WindowRun) {
        guard let slot = panes.slots(key: key, pane..<pane + 1).first,
            retained?.remove(row, of: run, slot: slot) == true
        else { return }
        for accumulator in accumulators { accumulator.reset(Int(slot)) }
        panes.resetCauses(slot)
        for kept in retained?.rows(slot) ?? [] {
            panes.note(kept.causes, slot: slot)
            for (accumulator, aggregate) in zip(accumulators, plan.aggregates) {
                accumulator.add(
                    aggregate.input.map { kept.inputs[$0] }, rows: 0..<1, slots: [slot],
                    times: [kept.time])
            }
        }
    }

    /// Finds the panes of a window that are there: ``windowPanes``.
    private func findPanes(of key: Int32, endingAt end: Int64) {
        panes.findSlots(key: key, assigner.panes(endingAt: end), &windowPanes)
    }

    /// Whether some pane of the window has a row.
    private func hasRows() -> Bool {
        guard let retained else { return !windowPanes.isEmpty }
        return windowPanes.contains { !retained.rows($0).isEmpty }
    }

    /// Changes a pane whose windows are closed, or were flushed, and says what they are now.
    private func revise(
        key: Int32, pane: Int64, _ mark: WindowEmission.Mark, _ emission: inout WindowEmission,
        change: () -> Void
    ) {
        let now = mark.before
        // The earlier results must be taken before the change.
        var closed: [(end: Int64, before: Int32?)] = []
        for last in pane..<pane + panesPerWindow {
            let end = windowEnd(lastPane: last)
            if isExpired(end, at: now) { continue }
            if end > now {
                if let index = versions[key]?.firstIndex(where: { $0.end == end }) {
                    versions[key]?[index].isDirty = true
                }
                continue
            }
            findPanes(of: key, endingAt: end)
            closed.append((end, hasRows() ? result(end: end, &emission) : nil))
        }
        change()
        for (end, before) in closed {
            findPanes(of: key, endingAt: end)
            var mark = mark
            if let before {
                let revision = revision(key: key, end: end)
                setRevision(revision + 1, key: key, end: end)
                mark.change = hasRows() ? .before : .withdraw
                mark.revision = hasRows() ? revision : revision + 1
                emission.append(key: key, end: end, mark, result: before)
                mark.change = .correct
                mark.revision = revision + 1
            }
            guard hasRows() else { continue }
            emission.append(key: key, end: end, mark, result: result(end: end, &emission))
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
            retained?.reset(slot.index)
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

    /// Closes a key's windows up to a watermark, in time order, and forgets what is expired.
    private func close(
        _ key: Int32, through watermark: Int64, before: Int64, sequence: Int64,
        _ emission: inout WindowEmission
    ) {
        while nextClose[Int(key)] <= watermark {
            let end = nextClose[Int(key)]
            _ = say(
                key: key, end: end,
                .init(before: min(before, end - 1), after: end, sequence: sequence), &emission)
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

    /// Emits what a window gives when it closes or is flushed: one row, none when it was flushed
    /// and has not changed since, or a correction of what was flushed. Returns the result that
    /// stands now, where one was said.
    private func say(
        key: Int32, end: Int64, _ mark: WindowEmission.Mark, _ emission: inout WindowEmission
    ) -> Int32? {
        findPanes(of: key, endingAt: end)
        guard let index = versions[key]?.firstIndex(where: { $0.end == end }),
            let version = versions[key]?[index]
        else {
            guard hasRows() else { return nil }
            let result = result(end: end, &emission)
            emission.append(key: key, end: end, mark, result: result)
            return result
        }
        guard version.isDirty else { return nil }
        versions[key]?[index].isDirty = false
        versions[key]?[index].isWithdrawn = !hasRows()
        var mark = mark
        if !version.isWithdrawn {
            let before = emission.recall(version.columns, version.causes)
            mark.change = hasRows() ? .before : .withdraw
            mark.revision = hasRows() ? version.revision : version.revision + 1
            emission.append(key: key, end: end, mark, result: before)
            mark.change = .correct
            mark.revision = version.revision + 1
            versions[key]?[index].revision = mark.revision
        }
        guard hasRows() else { return nil }
        let after = result(end: end, &emission)
        emission.append(key: key, end: end, mark, result: after)
        emission.remember(key: key, end: end, result: after)
        return after
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

    /// The result of the window whose panes are at hand.
    private func result(end: Int64, _ emission: inout WindowEmission) -> Int32 {
        var fits = true
        for accumulator in accumulators
        where !accumulator.appendResult(windowPanes[...], end: end) { fits = false }
        return emission.addResult(fits: fits, panes, windowPanes)
    }

    func advance(to watermark: Int64, _ output: inout StepOutput) {
        guard !usesKeyClocks else { return }
        var emission = WindowEmission(causeInputs: panes.causeInputs.count)
        // Between two ends of panes the watermark moves in steps that depend on how batches are
        // cut.
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
        var emission = WindowEmission(causeInputs: panes.causeInputs.count)
        for (_, window) in open.enumerated().sorted(by: {
            ($0.element.end, $0.offset) < ($1.element.end, $1.offset)
        }) {
            let time = window.end - 1000
            let mark = WindowEmission.Mark(
                before: time, after: time, sequence: output.nextSequence)
            output.nextSequence += 1
            guard let result = say(key: window.key, end: window.end, mark, &emission),
                versions[window.key]?.contains(where: { $0.end == window.end }) != true
            else { continue }
            insert(WindowVersion(end: window.end, revision: 0), key: window.key)
            emission.remember(key: window.key, end: window.end, result: result)
        }
        emit(&emission, &output)
    }

    // MARK: Output

    private func emit(_ emission: inout WindowEmission, _ output: inout StepOutput) {
        if emission.isEmpty { return }
        let results = emission.finish(accumulators.map { $0.takeResults() })
        for (key, end, result) in emission.said {
            guard let index = versions[key]?.firstIndex(where: { $0.end == end }) else { continue }
            versions[key]?[index].columns = results.columns([result])
            versions[key]?[index].causes = results.causes.map { $0[Int(result)] }
        }
        var start = 0
        while start < emission.rowCount {
            let end = emission.batchEnd(from: start, maximumRowCount: output.maximumRowCount)
            emit(start..<end, of: &emission, results, &output)
            start = end
        }
        emit(start..<start, of: &emission, results, &output)
    }

    private func emit(
        _ range: Range<Int>, of emission: inout WindowEmission, _ results: WindowResults,
        _ output: inout StepOutput
    ) {
        var (batch, context, ends, places) = emission.batch(
            range, of: results, causeInputs: panes.causeInputs)
        context.ghosts = emission.takeMoves(among: range)
        batch.columns = [
            keyColumn(batch.keys, output.keys),
            Column(.int64(ends.map { assigner.start(ofWindowEndingAt: $0) })),
            Column(.int64(ends)),
        ]
        batch.columns += results.columns(places)
        let fits = places.map { results.fits[Int($0)] }
        guard fits.contains(false) else {
            output.emit(batch, context)
            return
        }
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
