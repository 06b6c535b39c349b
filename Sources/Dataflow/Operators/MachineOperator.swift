import Columnar
import Expression
import Primitives

/// A state machine for each key: an event takes the first transition that matches it; invariants
/// are judged before; deadlines run beside.
///
///     events        draft    approve   start              report
///     state    A ───┴── B ────┴── C ────┴── D ───────────────┴── E
///     deadline of D, after 24h           [─────────────┤ due, unless D was left
///
/// A key is judged in the order of event time: before an event come the deadlines that ended
/// before it, and what is older than the key's last event or deadline is a reject `out-of-order`.
/// A deadline by event time falls due once the watermark is a millisecond past it, so that an
/// event of that very instant is still in time. What was sent is never taken back: a correction
/// of the event that made the key's last rows gives `correction` rows.
final class MachineOperator: Operator {
    let plan: MachinePlan
    private let usesKeyClocks: Bool
    private let rules: MachineRules
    /// Names of the states, one row each.
    private let stateColumns: [Column]
    /// Per key code; nil before its first event.
    var keys: [MachineKey?] = []
    /// Deadlines by event time; unused under key clocks, where a key's own are looked through.
    private var eventTimers = MachineTimers()
    private var tickTimers = MachineTimers()
    /// Watermark of the step under a partition clock.
    var watermark: Int64 = .min
    /// Microseconds of recorded ticks at which the source was at its end.
    var elapsed: Int64 = 0

    /// A millisecond: times of records have no more digits.
    private static let grace: Int64 = 1000
    private static let shortest: Int64 = 1_000_000

    init(_ plan: MachinePlan, usesKeyClocks: Bool) {
        self.plan = plan
        self.usesKeyClocks = usesKeyClocks
        rules = MachineRules(plan)
        stateColumns = plan.states.map {
            Column(.bytes(ByteValues(offsets: [0, Int32($0.utf8.count)], bytes: Array($0.utf8))))
        }
        initialVariables = plan.variables.map { variable in
            guard let initial = variable.initial else {
                return nullColumn(variable.type, count: 1)
            }
            return Self.value(
                Evaluator(initial).evaluate([], rowCount: 1).columns[0], row: 0, variable)
        }
    }

    private let initialVariables: [Column]

    /// A row of a column as a variable's value; null has the variable's type.
    private static func value(
        _ column: Column, row: Int, _ variable: MachinePlan.Variable
    ) -> Column {
        if case .null = column.values { return nullColumn(variable.type, count: 1) }
        return column.gather([Int32(row)]).canonicalRow()
    }

    // MARK: Time

    /// Any event may begin a deadline that ends with the next move of the watermark.
    func boundary(after watermark: Int64) -> Int64 {
        guard !usesKeyClocks, plan.hasEventDeadlines else { return .max }
        return watermark.addingSaturating(1)
    }

    var nextTimer: Int64 {
        guard !usesKeyClocks, let due = earliest(&eventTimers)?.due else { return .max }
        return due.addingSaturating(Self.grace)
    }

    /// The earliest deadline that still runs; forgets those that do not.
    private func earliest(_ timers: inout MachineTimers) -> MachineTimers.Entry? {
        while let entry = timers.first, !isRunning(entry) { timers.removeFirst() }
        return timers.first
    }

    private func isRunning(_ entry: MachineTimers.Entry) -> Bool {
        keys[Int(entry.key)]?.timers[Int(entry.deadline)].due == entry.due
    }

    // MARK: Rows

    func push(_ batch: Batch, _ context: RowContext, _ output: inout StepOutput) {
        rules.begin()
        let greatest = max(batch.keys.max() ?? -1, context.ghosts.map(\.key).max() ?? -1)
        while keys.count <= Int(greatest) { keys.append(nil) }
        var emission = MachineEmission()
        var ghost = 0
        for row in 0..<batch.rowCount {
            while ghost < context.ghosts.count, context.ghosts[ghost].position <= row {
                rise(context.ghosts[ghost], &emission, &output)
                ghost += 1
            }
            let before = context.before[row]
            let mark = MachineEmission.Mark(
                before: before, after: before, sequence: context.sequences[row])
            let count = emission.rows.count
            switch batch.change(row) {
            case .new: take(row, batch, context, mark, &emission, &output)
            case .correct, .withdraw: noteCorrection(row, batch, mark, &emission)
            case .before: break
            }
            let move = RowContext.Ghost(
                position: 0, key: batch.keys[row], watermark: context.after[row],
                sequence: mark.sequence)
            // What an event begins may have ended already.
            if usesKeyClocks {
                rise(move, from: before, &emission, &output)
                continue
            }
            fire(through: watermark.subtractingSaturating(Self.grace), mark, &emission, &output)
            // With deadlines the pipeline moves on after this row, timers upstream first.
            if emission.rows.count > count, !plan.hasEventDeadlines {
                emission.rows[emission.rows.count - 1].mark.after = move.watermark
            }
        }
        while ghost < context.ghosts.count {
            rise(context.ghosts[ghost], &emission, &output)
            ghost += 1
        }
        emission.emit(plan, empty: batch, variables: initialVariables, &output)
    }

    /// A key's clock stands here: its deadlines that ended fall due.
    private func rise(
        _ move: RowContext.Ghost, from before: Int64 = .min, _ emission: inout MachineEmission,
        _ output: inout StepOutput
    ) {
        let limit = move.watermark.subtractingSaturating(Self.grace)
        let mark = MachineEmission.Mark(before: before, after: before, sequence: move.sequence)
        fire(move.key, through: limit, mark, &emission, &output)
        if output.keepsGhosts, move.watermark > before {
            emission.move(move.key, to: move.watermark, sequence: move.sequence)
        }
    }

    /// Judges one event.
    private func take(
        _ row: Int, _ batch: Batch, _ context: RowContext, _ mark: MachineEmission.Mark,
        _ emission: inout MachineEmission, _ output: inout StepOutput
    ) {
        let key = batch.keys[row]
        let time = batch.times[row]
        // Deadlines that ended before the event come before it: the key's, and in time order,
        // where rows come by the partition's time, those of all keys.
        let count = emission.rows.count
        if usesKeyClocks || plan.order == .arrival {
            fire(key, through: time - 1, mark, &emission, &output)
        } else {
            fire(through: time - 1, mark, &emission, &output)
        }
        for index in count..<emission.rows.count {
            // A flush may have brought the event's mark to its own time.
            let before = min(mark.before, emission.rows[index].input.times[0])
            emission.rows[index].mark.before = before
            emission.rows[index].mark.after = before
        }
        if let last = keys[Int(key)]?.lastTime, time < last {
            output.reject(
                .outOfOrder, "the key was judged at \(Timestamp.text(last)) already", row: row,
                of: batch, context)
            return
        }
        let isNew = keys[Int(key)] == nil
        let state =
            keys[Int(key)]
            ?? MachineKey(
                state: Int32(plan.initial), since: time, lastTime: time,
                variables: initialVariables,
                breaches: Array(repeating: .min, count: plan.invariants.count),
                timers: Array(repeating: MachineKey.Timer(), count: plan.deadlines.count))
        let event = MachineEvent(
            batch: batch, row: row, machine: state.columns(stateColumns), isInBatch: true)
        do throws(MachineFault) {
            let verdict = try judge(event, state, isNew: isNew)
            guard verdict.isTaken else {
                if plan.unexpected == .reject {
                    output.reject(
                        .unexpected, refusal(event, state), row: row, of: batch, context)
                }
                return
            }
            apply(verdict, event, state, mark, &emission)
        } catch {
            output.reject(error.reason, error.text, row: row, of: batch, context)
        }
    }

    // MARK: Judging

    /// What an event will do; found out before anything is changed.
    private struct Verdict {
        /// Per invariant: nil when the event is not judged by it.
        var holds: [Bool?] = []
        var transition: Int?
        /// New values of variables.
        var values: [(variable: Int, value: Column)] = []
        var change = TimerChange()
        /// Whether any rule knows the event.
        var isTaken = false
    }

    /// Deadlines that end and begin with a change of state or an event.
    private struct TimerChange {
        var ends: [Int] = []
        /// With their lengths.
        var begins: [(deadline: Int, length: Int64)] = []
    }

    private func judge(
        _ event: MachineEvent, _ state: MachineKey, isNew: Bool
    ) throws(MachineFault) -> Verdict {
        var verdict = Verdict()
        for rule in rules.invariants {
            guard try rule.on.isTrue(event) else {
                verdict.holds.append(nil)
                continue
            }
            verdict.holds.append(try rule.require.isTrue(event))
            verdict.isTaken = true
        }
        var next = Int(state.state)
        for (index, rule) in rules.transitions.enumerated() {
            let transition = plan.transitions[index]
            guard transition.from.contains(next), try rule.on.isTrue(event),
                try rule.when?.isTrue(event) ?? true
            else { continue }
            for (target, expression) in zip(transition.set, rule.values) {
                let (column, row) = try expression.value(event)
                let variable = plan.variables[target.variable]
                let value = Self.value(column, row: row, variable)
                guard variable.isNullable || value.isValid(0) else {
                    throw MachineFault(
                        reason: .nullValue,
                        text: "\(variable.name) would be null: \(expression.text)")
                }
                verdict.values.append((target.variable, value))
            }
            verdict.transition = index
            verdict.isTaken = true
            if let to = transition.to { next = to }
            break
        }
        verdict.change = try change(
            event, from: isNew ? nil : Int(state.state), to: next, isTaken: &verdict.isTaken)
        return verdict
    }

    /// What an event and the state after it do to the deadlines.
    private func change(
        _ event: MachineEvent, from old: Int?, to new: Int, isTaken: inout Bool
    ) throws(MachineFault) -> TimerChange {
        var result = TimerChange()
        for (index, rule) in rules.deadlines.enumerated() {
            let deadline = plan.deadlines[index]
            let wasIn = old.map { deadline.states?.contains($0) ?? true } ?? false
            let isIn = deadline.states?.contains(new) ?? true
            var begins = deadline.states != nil && isIn && !wasIn
            if let since = rule.since, wasIn || isIn, try since.isTrue(event) {
                isTaken = true
                begins = begins || isIn
            }
            if let until = rule.until, wasIn || isIn, try until.isTrue(event) {
                isTaken = true
                result.ends.append(index)
            } else if !isIn {
                result.ends.append(index)
            }
            if begins, let length = try length(index, event) {
                result.begins.append((index, length))
            }
        }
        return result
    }

    /// Microseconds that a deadline runs from an event on; nil when it does not.
    private func length(_ index: Int, _ event: MachineEvent) throws(MachineFault) -> Int64? {
        switch plan.deadlines[index].after {
        case .constant(let length): return length
        case .expression:
            guard let length = try rules.deadlines[index].after?.duration(event) else { return nil }
            return max(length, Self.shortest)
        }
    }

    /// Why nothing takes an event, and what the state would take.
    private func refusal(_ event: MachineEvent, _ state: MachineKey) -> String {
        var known: [String] = []
        var accepted: [String] = []
        for (index, rule) in rules.transitions.enumerated() {
            let isHere = plan.transitions[index].from.contains(Int(state.state))
            if isHere, !accepted.contains(rule.on.text) { accepted.append(rule.on.text) }
            guard (try? rule.on.isTrue(event)) == true else { continue }
            let places = plan.transitions[index].from.map { plan.states[$0] }
            known.append(
                isHere
                    ? "\(rule.on.text) asks for \(rule.when?.text ?? "true")"
                    : "\(rule.on.text) is for \(places.joined(separator: ", "))")
        }
        let name = plan.states[Int(state.state)]
        return "state \(name) does not take this event: "
            + (known.isEmpty ? "no transition knows it" : known.joined(separator: "; "))
            + "; \(name) takes "
            + (accepted.isEmpty ? "nothing" : accepted.joined(separator: ", "))
    }

    // MARK: Acting

    private func apply(
        _ verdict: Verdict, _ event: MachineEvent, _ old: MachineKey,
        _ mark: MachineEmission.Mark, _ emission: inout MachineEmission
    ) {
        var state = old
        let key = event.batch.keys[event.row]
        let time = event.batch.times[event.row]
        state.lastTime = time
        for (index, holds) in verdict.holds.enumerated() {
            guard let holds else { continue }
            if holds {
                state.breaches[index] = .min
                continue
            }
            if state.breaches[index] == .min { state.breaches[index] = time }
            let since = state.breaches[index]
            state.note(index, since: since, at: time)
            emission.rows.append(
                MachineEmission.Row(
                    input: event.kept.batch, state: state.state, previous: state.state,
                    kind: .breach, name: plan.invariants[index].name, since: since,
                    variables: state.variables, mark: mark))
        }
        for (variable, value) in verdict.values { state.variables[variable] = value }
        if let to = verdict.transition.flatMap({ plan.transitions[$0].to }) {
            let previous = state.state
            state.state = Int32(to)
            state.since = time
            state.note(-1, since: time, at: time)
            emission.rows.append(
                MachineEmission.Row(
                    input: event.kept.batch, state: state.state, previous: previous,
                    kind: .transition, name: nil, since: time, variables: state.variables,
                    mark: mark))
        }
        apply(verdict.change, key, &state, at: time) { event.kept }
        keys[Int(key)] = state
    }

    private func apply(
        _ change: TimerChange, _ key: Int32, _ state: inout MachineKey, at time: Int64,
        row: () -> MachineRow
    ) {
        for index in change.ends {
            state.timers[index].due = .max
            state.timers[index].row = nil
        }
        for (index, length) in change.begins {
            state.timers[index].start = time
            state.timers[index].row = row()
            let isTick = plan.deadlines[index].clock == .tick
            schedule(
                key, index, at: (isTick ? elapsed : time).addingSaturating(length), &state)
        }
    }

    /// Sets when a deadline is due; what lies after the year 9999 never is.
    private func schedule(
        _ key: Int32, _ index: Int, at due: Int64, _ state: inout MachineKey
    ) {
        state.timers[index].due = due > Timestamp.maximum ? .max : due
        if due <= Timestamp.maximum { enter(key, index, due: due) }
    }

    /// Notes a deadline that runs where it will be found when it is due.
    func enter(_ key: Int32, _ index: Int, due: Int64) {
        let entry = MachineTimers.Entry(due: due, key: key, deadline: Int32(index))
        if plan.deadlines[index].clock == .tick {
            tickTimers.insert(entry)
        } else if !usesKeyClocks {
            eventTimers.insert(entry)
        }
    }

    /// Nothing is un-sent: the correction of the event that made the key's last rows, or began a
    /// deadline that fell due last, is told with the names of those.
    private func noteCorrection(
        _ row: Int, _ batch: Batch, _ mark: MachineEmission.Mark,
        _ emission: inout MachineEmission
    ) {
        guard let state = keys[Int(batch.keys[row])] else { return }
        let time = batch.times[row]
        var episodes: [(name: String?, since: Int64)] = []
        if state.madeTime == time {
            for made in state.made {
                let name = made.rule < 0 ? nil : plan.invariants[Int(made.rule)].name
                if !episodes.contains(where: { $0 == (name, made.since) }) {
                    episodes.append((name, made.since))
                }
            }
        }
        for (index, timer) in state.timers.enumerated() where timer.lastFired == time {
            episodes.append((plan.deadlines[index].name, time))
        }
        let input = episodes.isEmpty ? nil : MachineRow.row(row, of: batch)
        for (name, since) in episodes {
            guard let input else { return }
            emission.rows.append(
                MachineEmission.Row(
                    input: input, state: state.state, previous: state.state, kind: .correction,
                    name: name, since: since, variables: state.variables, mark: mark))
        }
    }

    // MARK: Deadlines

    func advance(to watermark: Int64, _ output: inout StepOutput) {
        guard !usesKeyClocks else { return }
        timed(&output) { mark, emission, output in
            fire(through: watermark.subtractingSaturating(Self.grace), mark, &emission, &output)
        }
        self.watermark = max(self.watermark, watermark)
    }

    func tick(at time: Int64, gridMicroseconds: Int64, _ output: inout StepOutput) {
        guard plan.countsTicks else { return }
        elapsed = elapsed.addingSaturating(gridMicroseconds)
        timed(&output) { mark, emission, output in
            while let due = earliest(&tickTimers)?.due, due <= elapsed {
                for entry in group(&tickTimers, due: due, output.keys) {
                    fire(entry, at: time, mark, &emission, &output)
                }
            }
        }
    }

    func end(at times: AcceptedTimes, of keys: [Int32]?, _ output: inout StepOutput) {
        timed(&output) { mark, emission, output in
            guard usesKeyClocks else {
                fire(through: times.partition, mark, &emission, &output)
                return
            }
            var timers = MachineTimers()
            func look(_ key: Int32) {
                for (index, timer) in (self.keys[Int(key)]?.timers ?? []).enumerated()
                where timer.due <= times.greatest(of: key)
                    && plan.deadlines[index].clock == .event
                {
                    timers.insert(
                        MachineTimers.Entry(due: timer.due, key: key, deadline: Int32(index)))
                }
            }
            for key in keys ?? Array(self.keys.indices.map { Int32($0) })
            where Int(key) < self.keys.count { look(key) }
            while let due = earliest(&timers)?.due {
                for entry in group(&timers, due: due, output.keys) {
                    fire(entry, at: due, mark, &emission, &output)
                    look(entry.key)
                }
            }
        }
    }

    /// Runs what timers do, and hands on what they made: each row with a number of its own.
    private func timed(
        _ output: inout StepOutput,
        _ body: (MachineEmission.Mark, inout MachineEmission, inout StepOutput) -> Void
    ) {
        var emission = MachineEmission()
        let mark = MachineEmission.Mark(
            before: watermark, after: watermark, sequence: output.nextSequence)
        body(mark, &emission, &output)
        guard !emission.rows.isEmpty else { return }
        for index in emission.rows.indices {
            emission.rows[index].mark.sequence = output.nextSequence
            output.nextSequence += 1
        }
        emission.emit(plan, empty: nil, variables: initialVariables, &output)
    }

    /// Fires the deadlines of all keys up to a time, by (time, key bytes, number).
    private func fire(
        through limit: Int64, _ mark: MachineEmission.Mark, _ emission: inout MachineEmission,
        _ output: inout StepOutput
    ) {
        while let due = earliest(&eventTimers)?.due, due <= limit {
            for entry in group(&eventTimers, due: due, output.keys) {
                fire(entry, at: due, mark, &emission, &output)
            }
        }
    }

    /// Takes out all that is due at one time, by (key bytes, number), each once.
    private func group(
        _ timers: inout MachineTimers, due: Int64, _ table: KeyTable
    ) -> [MachineTimers.Entry] {
        var found: [MachineTimers.Entry] = []
        while let entry = timers.first, entry.due == due {
            timers.removeFirst()
            found.append(entry)
        }
        found.sort {
            $0.key == $1.key ? $0.deadline < $1.deadline : table.precedes($0.key, $1.key)
        }
        return found
    }

    /// Fires the deadlines of one key up to a time.
    private func fire(
        _ key: Int32, through limit: Int64, _ mark: MachineEmission.Mark,
        _ emission: inout MachineEmission, _ output: inout StepOutput
    ) {
        while let timers = keys[Int(key)]?.timers {
            var next: MachineTimers.Entry?
            for (index, timer) in timers.enumerated()
            where timer.due <= limit && plan.deadlines[index].clock == .event {
                if timer.due < next?.due ?? .max {
                    next = MachineTimers.Entry(
                        due: timer.due, key: key, deadline: Int32(index))
                }
            }
            guard let next else { return }
            fire(next, at: next.due, mark, &emission, &output)
        }
    }

    /// A deadline falls due at a time, if it still runs.
    private func fire(
        _ entry: MachineTimers.Entry, at time: Int64, _ mark: MachineEmission.Mark,
        _ emission: inout MachineEmission, _ output: inout StepOutput
    ) {
        let index = Int(entry.deadline)
        let deadline = plan.deadlines[index]
        guard isRunning(entry), var state = keys[Int(entry.key)],
            let row = state.timers[index].row
        else { return }
        let previous = state.state
        let start = state.timers[index].start
        state.timers[index].lastFired = start
        if deadline.clock == .event { state.lastTime = max(state.lastTime, time) }
        if let every = deadline.every {
            schedule(entry.key, index, at: entry.due.addingSaturating(every), &state)
        } else {
            state.timers[index].due = .max
            state.timers[index].row = nil
        }
        if let to = deadline.to { state.state = Int32(to) }
        var input = row.batch
        input.times = [time]
        emission.rows.append(
            MachineEmission.Row(
                input: input, state: state.state, previous: previous, kind: .deadline,
                name: deadline.name, since: start, variables: state.variables, mark: mark))
        if deadline.to != nil {
            state.since = time
            enterState(row, from: Int(previous), key: entry.key, &state, at: time, mark, &output)
        }
        keys[Int(entry.key)] = state
    }

    /// A deadline has changed the state: others end and begin, with the event that it kept.
    private func enterState(
        _ row: MachineRow, from previous: Int, key: Int32, _ state: inout MachineKey,
        at time: Int64, _ mark: MachineEmission.Mark, _ output: inout StepOutput
    ) {
        let event = MachineEvent(batch: row.batch, row: 0, machine: [], isInBatch: false)
        for (index, deadline) in plan.deadlines.enumerated() {
            guard let states = deadline.states else { continue }
            var change = TimerChange()
            let isIn = states.contains(Int(state.state))
            if !isIn { change.ends.append(index) }
            if isIn, !states.contains(previous) {
                do throws(MachineFault) {
                    if let length = try length(index, event) {
                        change.begins.append((index, length))
                    }
                } catch {
                    let place = RowContext(
                        before: [mark.before], after: [mark.after], sequences: [mark.sequence])
                    output.reject(error.reason, error.text, row: 0, of: row.batch, place)
                }
            }
            apply(change, key, &state, at: time) { row }
        }
    }
}
