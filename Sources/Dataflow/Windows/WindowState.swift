import Columnar
import Expression
import Primitives

/// The panes and open windows of one window step, and what rows and watermarks do to them: see
/// ``WindowOperator``.
///
/// A struct, so that a batch or a rise of the watermark claims it once, not at every field.
struct WindowState {
    let plan: WindowPlan
    let lateness: Int64
    let usesKeyClocks: Bool
    let keyIsInteger: Bool
    private let evaluator: Evaluator
    var assigner: WindowAssigner
    let accumulators: [any Accumulator]
    /// Panes of all keys.
    var panes = PaneStore()
    /// Slots that the accumulators have.
    private var usableSlots = 0
    /// Rows of the panes; kept when rows may be corrected, being themselves results of windows.
    var retained: RetainedRows?
    /// Per key code: end of its earliest window that has rows and is not closed.
    var nextClose: [Int64] = []
    /// Per key code: versions of windows that were flushed or corrected, ascending by end.
    var versions: [Int32: [WindowVersion]] = [:]
    /// Watermark of the step under a partition clock.
    var watermark: Int64 = .min
    var nextTimer: Int64 = .max
    var sortedKeys: [Int32] = []
    /// Values of the rows that are being emitted.
    var results = PendingResults()

    init(
        _ plan: WindowPlan, lateness: Int64, usesKeyClocks: Bool, keyIsInteger: Bool,
        isRekeyed: Bool
    ) {
        self.plan = plan
        self.lateness = lateness
        self.usesKeyClocks = usesKeyClocks
        self.keyIsInteger = keyIsInteger
        evaluator = Evaluator(plan.program)
        assigner = WindowAssigner(plan.grid)
        retained = plan.takesCorrections ? RetainedRows(matchesValues: isRekeyed) : nil
        accumulators = plan.aggregates.compactMap { aggregate in
            makeAccumulator(
                aggregate.function, input: aggregate.input.map { plan.program.outputs[$0].type })
        }
        precondition(accumulators.count == plan.aggregates.count, "an aggregate has no meaning")
        growPanes()
    }

    // MARK: Time

    /// Index of the pane that holds a time; windows end at pane boundaries.
    mutating func pane(of time: Int64) -> Int64 { assigner.pane(of: time) }

    var panesPerWindow: Int64 { assigner.panesPerWindow }

    /// End of the window whose last pane is `pane`.
    func windowEnd(lastPane pane: Int64) -> Int64 { assigner.start(pane + 1) }

    func isExpired(_ end: Int64, at watermark: Int64) -> Bool {
        end.addingSaturating(lateness) <= watermark
    }

    mutating func boundary(after watermark: Int64) -> Int64 {
        usesKeyClocks ? .max : windowEnd(lastPane: pane(of: max(watermark, Timestamp.minimum)))
    }

    // MARK: Rows

    mutating func push(_ batch: Batch, _ context: RowContext, _ output: inout StepOutput) {
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

    private mutating func rise(
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
    private mutating func take(
        _ row: Int, _ usable: [Bool], _ context: RowContext, _ run: inout WindowRun,
        _ emission: inout WindowEmission, _ output: inout StepOutput
    ) {
        switch run.batch.change(row) {
        case .new:
            if usable[row] { take(row, in: row, nil, context, &run, &emission, &output) }
        case .before where retained != nil && row + 1 < run.batch.rowCount:
            let later = usable[row + 1] ? row + 1 : nil
            take(later, in: row + 1, usable[row] ? row : nil, context, &run, &emission, &output)
        case .withdraw where retained != nil:
            take(nil, in: row, usable[row] ? row : nil, context, &run, &emission, &output)
        default: break
        }
    }

    /// Takes a row `later` for `earlier`, either of which may be missing; `row` says where they
    /// stand. Says which windows it comes too late for.
    private mutating func take(
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
        revise(key: key, pane: pane, mark, &emission) { state in
            state.put(later, for: earlier, key: key, pane: pane, &run)
            state.add(through: row + 1, &run)
        }
    }

    /// Takes the earlier version out of its pane and puts the later one in.
    private mutating func put(
        _ later: Int?, for earlier: Int?, key: Int32, pane: Int64, _ run: inout WindowRun
    ) {
        results.settle(accumulators, panes)
        if let earlier {
            // Rows before must be there before a pane is made anew.
            add(through: earlier, &run)
            remove(earlier, key: key, pane: pane, run)
        }
        guard let later else { return }
        run.slots[later] = slot(key: key, pane: pane, of: later, &run)
        panes.note(run.batch.causes, row: later, slot: run.slots[later])
        retained?.append(later, of: run, slot: run.slots[later])
    }

    /// Makes a pane anew without a row, when it is there.
    private mutating func remove(_ row: Int, key: Int32, pane: Int64, _ run: WindowRun) {
        guard let place = panes.run(key: key, pane..<pane + 1).first else { return }
        let slot = Int32(place)
        guard retained?.remove(row, of: run, slot: slot) == true else { return }
        for accumulator in accumulators { accumulator.reset(place) }
        panes.resetCauses(place)
        for kept in retained?.rows(slot) ?? [] {
            panes.note(kept.causes, slot: slot)
            for (accumulator, aggregate) in zip(accumulators, plan.aggregates) {
                accumulator.add(
                    aggregate.input.map { kept.inputs[$0] }, rows: 0..<1, slots: [slot],
                    times: [kept.time])
            }
        }
    }

    /// The panes of a window that are there.
    mutating func windowPanes(of key: Int32, endingAt end: Int64) -> PaneRun {
        panes.run(key: key, assigner.panes(endingAt: end))
    }

    /// Whether some pane of the window has a row.
    func hasRows(_ window: PaneRun) -> Bool {
        guard let retained else { return !window.isEmpty }
        return window.contains { !retained.rows(Int32($0)).isEmpty }
    }

    /// Changes a pane whose windows are closed, or were flushed, and says what they are now.
    private mutating func revise(
        key: Int32, pane: Int64, _ mark: WindowEmission.Mark, _ emission: inout WindowEmission,
        change: (inout Self) -> Void
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
            let window = windowPanes(of: key, endingAt: end)
            closed.append((end, hasRows(window) ? results.note(window, end: end) : nil))
        }
        change(&self)
        for (end, before) in closed {
            let window = windowPanes(of: key, endingAt: end)
            let hasRows = hasRows(window)
            var mark = mark
            if let before {
                let revision = revision(key: key, end: end)
                setRevision(revision + 1, key: key, end: end)
                mark.change = hasRows ? .before : .withdraw
                mark.revision = hasRows ? revision : revision + 1
                emission.append(key: key, end: end, mark, result: before)
                mark.change = .correct
                mark.revision = revision + 1
            }
            guard hasRows else { continue }
            let after = results.note(window, end: end)
            emission.append(key: key, end: end, mark, result: after)
        }
        let clock = max(now, Timestamp.minimum)
        let open = windowEnd(lastPane: max(pane, self.pane(of: clock)))
        if open <= windowEnd(lastPane: pane + panesPerWindow - 1) { noteTimer(key: key, open) }
    }

    /// The slot of a row's pane, which may be new.
    private mutating func slot(
        key: Int32, pane: Int64, of row: Int, _ run: inout WindowRun
    ) -> Int32 {
        let slot = panes.slot(key: key, pane: pane)
        guard slot.isNew else { return slot.index }
        // The rows before have slots of before the moves.
        if panes.hasMoves { add(through: row, &run) }
        prepare(slot.index)
        return slot.index
    }

    /// Makes a new pane's slot usable, after what has moved is where it belongs.
    mutating func prepare(_ slot: Int32) {
        growPanes()
        if panes.hasMoves {
            for (from, to) in panes.takeMoves() {
                for accumulator in accumulators { accumulator.move(from: from, to: to) }
                retained?.move(from: from, to: to)
            }
        }
        for accumulator in accumulators { accumulator.reset(Int(slot)) }
        retained?.reset(slot)
    }

    mutating func noteTimer(key: Int32, _ end: Int64) {
        if end < nextClose[Int(key)] { nextClose[Int(key)] = end }
        if end < nextTimer { nextTimer = end }
    }

    /// Adds the rows of the run that have a slot and are not added yet.
    private mutating func add(through end: Int, _ run: inout WindowRun) {
        guard run.added < end else { return }
        results.settle(accumulators, panes)
        for (accumulator, aggregate) in zip(accumulators, plan.aggregates) {
            accumulator.add(
                aggregate.input.map { run.inputs[$0] }, rows: run.added..<end, slots: run.slots,
                times: run.batch.times)
        }
        run.added = end
    }

    private mutating func growPanes() {
        guard usableSlots < panes.slotCount else { return }
        usableSlots = panes.slotCount
        for accumulator in accumulators { accumulator.grow(to: panes.slotCount) }
    }

    mutating func restoreTimer(key: Int32, _ end: Int64) {
        if end != .max { noteTimer(key: key, end) }
    }

    mutating func grow(keyCount: Int) {
        while nextClose.count < keyCount { nextClose.append(.max) }
        panes.grow(keyCount: keyCount)
    }
}
