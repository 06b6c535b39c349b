import Columnar
import Expression
import Primitives

/// A ladder of levels with hysteresis, confirmation and hold; emits only changes of level.
///
///     value    0.80 0.92 0.93 1.02 1.03 0.97 0.94 0.84      raise 0.90 / 1.00, clear 0.85 / 0.95
///     level    –    –    W    W    A    A    W    –         confirm: 2 readings
///     event              raised    escalated eased cleared
///
/// A level is confirmed when the last N readings of the key, this one included, all reach its
/// raise limit (and span the confirm duration). The highest confirmed level above the current one
/// is taken. Otherwise, once the value has been back past the current level's clear limit for
/// `hold`, the level falls to the highest lower one whose clear limit it is not past.
/// A row older than the key's last judged one is a reject `out-of-order`; one of the same time is
/// a reject `duplicate` unless ties are judged. Nothing is un-sent: a correction of the row that
/// made the last event gives a `correction` event.
final class LevelsOperator: Operator {
    private let plan: LevelsPlan
    private let evaluator: Evaluator
    private let levelCount: Int
    /// Per key code.
    private var states: [LevelState] = []
    /// Per key code and level: readings in a row that reach it, and the first of them.
    private var runs: [LevelRun] = []

    init(_ plan: LevelsPlan) {
        self.plan = plan
        evaluator = Evaluator(plan.program)
        levelCount = plan.levels.count
    }

    func push(_ batch: Batch, _ context: RowContext, _ output: inout StepOutput) {
        let evaluation = evaluator.evaluate(
            batch.columns, rowCount: batch.rowCount, readsByRow: true)
        var usable = Array(repeating: true, count: batch.rowCount)
        rejectFaults(evaluation.faults, of: batch, context, keep: &usable, &output) { fault in
            evaluator.program.outputs[Int(fault.output)].text
        }
        let count = batch.rowCount
        let value = evaluation.columns[0].flattened()
        let tests = (1...2 * levelCount).map { evaluation.columns[$0].trueRows(count: count) }
        let reaches = Self.anyTrue(tests[..<levelCount], count)
        if let greatest = batch.keys.max() { grow(to: Int(greatest) + 1) }
        // Taken out for the loop: state of a class is checked at every access.
        var memory = LevelMemory(states: states, runs: runs)
        (states, runs) = ([], [])
        var events = LevelEvents()
        let isPlain = batch.changes == nil && value.validity?.isAllSet ?? true
        for row in 0..<count where usable[row] {
            if !isPlain {
                switch batch.change(row) {
                case .new: break
                case .before: continue
                case .correct, .withdraw:
                    noteCorrection(row, batch, memory, &events)
                    continue
                }
                if !value.isValid(row) {
                    output.reject(
                        .nullValue, "the value to judge is null", row: row, of: batch, context)
                    continue
                }
            }
            let key = Int(batch.keys[row])
            let time = batch.times[row]
            let last = memory.states[key].lastTime
            if time < last || (time == last && !plan.judgesTies) {
                let refusal = orderRefusal(time: time, last: last)
                output.reject(refusal.reason, refusal.detail, row: row, of: batch, context)
                continue
            }
            // Most readings are below every limit, in a key that is.
            if !reaches[row], memory.states[key].isQuiet {
                memory.states[key].lastTime = time
                continue
            }
            judge(row, batch, tests, &memory, &events)
        }
        (states, runs) = (memory.states, memory.runs)
        output.orderRejects()
        emit(events, of: batch, evaluation, value, context, &output)
    }

    /// Per row, whether any of the tests holds.
    private static func anyTrue(_ tests: ArraySlice<[Bool]>, _ count: Int) -> [Bool] {
        var result = [Bool](repeating: false, count: count)
        var any = result.mutableSpan
        for test in tests {
            let test = test.span.extracting(0..<count)
            for row in 0..<count { any[row] = any[row] || test[row] }
        }
        return result
    }

    private func grow(to keyCount: Int) {
        while states.count < keyCount {
            states.append(LevelState())
            for _ in 0..<levelCount { runs.append(LevelRun()) }
        }
    }

    private func orderRefusal(
        time: Int64, last: Int64
    ) -> (reason: RejectReason, detail: String) {
        if time < last {
            return (.outOfOrder, "the key was judged at \(Timestamp.text(last)) already")
        }
        return (.duplicate, "the key has a judged row of this time")
    }

    /// Judges one reading against the ladder and notes the event it makes, if any.
    private func judge(
        _ row: Int, _ batch: Batch, _ tests: [[Bool]], _ memory: inout LevelMemory,
        _ events: inout LevelEvents
    ) {
        let key = Int(batch.keys[row])
        let time = batch.times[row]
        let cause = cause(of: row, in: batch)
        var state = memory.states[key]
        state.lastTime = time
        state.hasRuns = false
        var confirmed = -1
        for level in 0..<levelCount {
            let index = key * levelCount + level
            guard tests[level][row] else {
                if memory.runs[index].count != 0 { memory.runs[index] = LevelRun() }
                continue
            }
            state.hasRuns = true
            if memory.runs[index].count == 0 {
                memory.runs[index].firstTime = time
            }
            memory.runs[index].count &+= memory.runs[index].count < .max ? 1 : 0
            memory.runs[index].causes.add(cause)
            if Int(memory.runs[index].count) >= plan.confirmReadings,
                time - memory.runs[index].firstTime >= plan.confirmDuration
            {
                confirmed = level
            }
        }
        let current = Int(state.level) - 1
        if confirmed > current {
            let run = memory.runs[key * levelCount + confirmed]
            state.clearSince = .min
            if current < 0 { state.since = time }
            move(
                &state, to: confirmed, row: row, time: time, limit: confirmed,
                kind: current < 0 ? .raised : .escalated,
                causes: run.causes, &events)
        } else if current >= 0, tests[levelCount + current][row] {
            if state.clearSince == .min { state.clearSince = time }
            if time - state.clearSince >= plan.hold {
                var target = current - 1
                while target >= 0, tests[levelCount + target][row] { target -= 1 }
                state.clearSince = .min
                move(
                    &state, to: target, row: row, time: time, limit: levelCount + current,
                    kind: target < 0 ? .cleared : .eased,
                    causes: cause, &events)
            }
        } else {
            state.clearSince = .min
        }
        memory.states[key] = state
    }

    private func move(
        _ state: inout LevelState, to level: Int, row: Int, time: Int64, limit: Int,
        kind: LevelEvents.Kind, causes: LevelCauses, _ events: inout LevelEvents
    ) {
        events.append(
            row: row, from: Int(state.level) - 1, to: level, kind: kind, limit: limit,
            since: state.since, causes: causes)
        state.level = UInt8(level + 1)
        state.lastEventTime = time
        state.lastLimit = Int16(limit)
    }

    /// A corrected row changes no level; if it made the last event, a `correction` says so.
    private func noteCorrection(
        _ row: Int, _ batch: Batch, _ memory: LevelMemory, _ events: inout LevelEvents
    ) {
        let state = memory.states[Int(batch.keys[row])]
        guard state.lastLimit >= 0, state.lastEventTime == batch.times[row] else { return }
        let level = Int(state.level) - 1
        events.append(
            row: row, from: level, to: level, kind: .correction, limit: Int(state.lastLimit),
            since: state.since, causes: cause(of: row, in: batch))
    }

    /// What caused a row, by the input that it comes from.
    private func cause(of row: Int, in batch: Batch) -> LevelCauses {
        for cause in batch.causes where cause.first[row] >= 0 {
            return LevelCauses(
                input: Int32(cause.input), firstOffset: cause.first[row],
                count: cause.counts?[row] ?? 1)
        }
        return LevelCauses()
    }

    private func emit(
        _ events: LevelEvents, of batch: Batch, _ evaluation: Evaluation, _ value: Column,
        _ context: RowContext, _ output: inout StepOutput
    ) {
        let rows = events.rows
        var keptContext = context.keeping(
            rows, keys: batch.keys, keepsGhosts: output.keepsGhosts)
        // An event is made by the step, whatever brought the reading.
        keptContext.isFired = false
        guard !rows.isEmpty else {
            guard !keptContext.ghosts.isEmpty else { return }
            // Steps downstream read all columns of a batch, even of one without rows.
            var empty = batch.gather([])
            let limit = evaluation.columns[2 * levelCount + 1].flattened()
            empty.columns += [
                names([]), names([]), names([]), value.gather([]), limit.gather([]),
                Column(.int64([])),
            ]
            output.emit(empty, keptContext)
            return
        }
        var result = batch.gather(rows)
        result.changes = nil
        result.revisions = nil
        result.columns.append(names(events.to))
        result.columns.append(names(events.from))
        var kinds = ByteValues()
        for kind in events.kinds { kinds.append(kind.rawValue.utf8) }
        result.columns.append(Column(.bytes(kinds)))
        result.columns.append(value.gather(rows))
        var limits = evaluation.columns[2 * levelCount + 1 + events.limits[0]].flattened()
            .gather([rows[0]])
        for index in rows.indices.dropFirst() {
            limits.append(
                evaluation.columns[2 * levelCount + 1 + events.limits[index]].gather(
                    [rows[index]]))
        }
        result.columns.append(limits)
        result.columns.append(Column(.int64(events.since)))
        for index in result.causes.indices {
            events.extend(&result.causes[index])
        }
        output.emit(result, keptContext)
    }

    private func names(_ levels: [Int]) -> Column {
        var values = ByteValues()
        for level in levels { values.append((level < 0 ? "normal" : plan.levels[level]).utf8) }
        return Column(.bytes(values))
    }
}

/// What the ladder remembers of all keys.
private struct LevelMemory {
    /// Per key code.
    var states: [LevelState]
    /// Per key code and level.
    var runs: [LevelRun]
}

/// What the ladder remembers of one key.
private struct LevelState {
    /// 0 is normal, `n` the n-th level.
    var level: UInt8 = 0
    var lastTime: Int64 = .min
    /// Start of the episode.
    var since: Int64 = .min
    /// Since when the value has been past the clear limit; `.min` when it is not.
    var clearSince: Int64 = .min
    var lastEventTime: Int64 = .min
    /// Limit of the last event; -1 before the first.
    var lastLimit: Int16 = -1
    /// Whether the last reading reached a level: whether any of the key's runs is under way.
    var hasRuns = false

    /// Whether a reading that reaches no level changes nothing but the time.
    var isQuiet: Bool { level == 0 && !hasRuns }
}

/// Readings in a row that reached one level.
private struct LevelRun {
    var count: Int32 = 0
    var firstTime: Int64 = 0
    var causes = LevelCauses()
}

/// The records behind readings in a row, as far as they are of one input.
private struct LevelCauses {
    /// -1 for none.
    var input: Int32 = -1
    var firstOffset: Int64 = 0
    var count: Int32 = 0

    /// Adds a later reading's; of several inputs only the last one's are named.
    mutating func add(_ later: LevelCauses) {
        if later.input == input { count &+= later.count } else { self = later }
    }
}

/// Events of one batch, a row each.
private struct LevelEvents {
    enum Kind: String {
        case raised, escalated, eased, cleared, correction
    }

    var rows: [Int32] = []
    var from: [Int] = []
    var to: [Int] = []
    var kinds: [Kind] = []
    /// Raise limits count from 0, clear limits from the number of levels.
    var limits: [Int] = []
    var since: [Int64] = []
    var causes: [LevelCauses] = []

    mutating func append(
        row: Int, from: Int, to: Int, kind: Kind, limit: Int, since: Int64, causes: LevelCauses
    ) {
        rows.append(Int32(row))
        self.from.append(from)
        self.to.append(to)
        kinds.append(kind)
        limits.append(limit)
        self.since.append(since)
        self.causes.append(causes)
    }

    /// Widens the causes of the events, a row each, to all readings that confirmed them.
    func extend(_ column: inout CauseColumn) {
        for row in causes.indices where Int(causes[row].input) == column.input {
            column.first[row] = causes[row].firstOffset
            if column.counts == nil, causes[row].count != 1 {
                column.counts = Array(repeating: 1, count: causes.count)
            }
            column.counts?[row] = causes[row].count
        }
    }
}

// MARK: - Snapshot

extension LevelsOperator {
    func save(to snapshot: inout SnapshotWriter, keys: KeyTable) {
        let codes = keys.sortedCodes().filter {
            Int($0) < states.count && states[Int($0)].lastTime != .min
        }
        snapshot.write(Int64(codes.count))
        for code in codes {
            snapshot.write(keys.bytes(code))
            let state = states[Int(code)]
            snapshot.write(state.level)
            snapshot.write(state.lastTime)
            snapshot.write(state.since)
            snapshot.write(state.clearSince)
            snapshot.write(state.lastEventTime)
            snapshot.write(state.lastLimit)
            for level in 0..<levelCount {
                let run = runs[Int(code) * levelCount + level]
                snapshot.write(run.count)
                snapshot.write(run.firstTime)
                snapshot.write(run.causes.input)
                snapshot.write(run.causes.firstOffset)
                snapshot.write(run.causes.count)
            }
        }
    }

    func restore(
        from snapshot: inout SnapshotReader, keys: inout KeyTable
    ) throws(SnapshotError) {
        for _ in 0..<(try snapshot.readCount()) {
            let key = Int(keys.intern(try snapshot.readBytes()))
            grow(to: key + 1)
            states[key].level = try snapshot.read()
            guard Int(states[key].level) <= levelCount else {
                throw SnapshotError("the snapshot holds a level that the plan does not have")
            }
            states[key].lastTime = try snapshot.read()
            states[key].since = try snapshot.read()
            states[key].clearSince = try snapshot.read()
            states[key].lastEventTime = try snapshot.read()
            states[key].lastLimit = try snapshot.read()
            for level in 0..<levelCount {
                let run = key * levelCount + level
                runs[run].count = try snapshot.read()
                if runs[run].count != 0 { states[key].hasRuns = true }
                runs[run].firstTime = try snapshot.read()
                runs[run].causes.input = try snapshot.read()
                runs[run].causes.firstOffset = try snapshot.read()
                runs[run].causes.count = try snapshot.read()
            }
        }
    }
}
