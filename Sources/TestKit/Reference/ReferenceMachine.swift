/// `machine`: a state machine, one key at a time; deadlines are looked for among all of them.
final class ReferenceMachine: ReferenceOperator {
    private let rule: ReferenceMachineRule
    private let clocksKeys: Bool
    private var waiting: ReferenceWaiting
    private var keys: [String: State] = [:]
    /// Microseconds of ticks.
    private var ticked: Int64 = 0

    private struct Timer {
        var start: Int64
        /// Event time, or microseconds of ticks; nil when it is over.
        var due: Int64?
        var row: ReferenceRow
        var firedStart: Int64?
    }

    private struct State {
        var state: Int
        var since: Int64
        var lastTime: Int64
        var values: [String: ReferenceValue]
        var breachedSince: [String: Int64] = [:]
        /// By the deadline's index.
        var timers: [Int: Timer] = [:]
        /// What the last events that made rows have made: names and episodes.
        var made: [(name: String?, since: Int64)] = []
        var madeTime: Int64?
    }

    init(_ rule: ReferenceMachineRule, clocksKeys: Bool) {
        self.rule = rule
        self.clocksKeys = clocksKeys
        waiting = ReferenceWaiting(clocksKeys: clocksKeys)
    }

    // MARK: Rows

    func take(_ item: ReferenceItem, watermark: Int64, _ context: ReferenceContext) {
        guard item.before == nil, let row = item.after else {
            if !waiting.follow(item) { correct(item, context) }
            return
        }
        if rule.byTime {
            switch waiting.add(item, row, watermark: watermark) {
            case .outOfOrder: return context.reject(row, "out-of-order")
            case .waits: return
            case .now: break
            }
        }
        judge(row, isFired: item.isFired, context)
        // What the row began may be over.
        guard watermark > .min else { return }
        fire(context) { ($0 == row.key || !clocksKeys) && $1 + 1000 <= watermark }
    }

    func advance(_ watermark: (String) -> Int64, _ context: ReferenceContext) {
        for item in waiting.release({ key, time in time < watermark(key) }) {
            released(item, context)
        }
        fire(context) { watermark($0) > .min && $1 + 1000 <= watermark($0) }
    }

    private func released(_ item: ReferenceItem, _ context: ReferenceContext) {
        if item.before == nil, let row = item.after {
            judge(row, isFired: false, context)
        } else {
            correct(item, context)
        }
    }

    func flush(_ keys: Set<String>?, _ context: ReferenceContext) {
        for item in waiting.release({ key, _ in keys?.contains(key) ?? true }) {
            released(item, context)
        }
        fire(context) { key, due in
            (keys?.contains(key) ?? true) && due <= context.accepted(key)
        }
    }

    var timers: [(key: String, time: Int64)] {
        var result = waiting.timers
        for (key, state) in keys {
            for (index, timer) in state.timers where !rule.deadlines[index].countsTicks {
                if let due = timer.due { result.append((key, due + 1000)) }
            }
        }
        return result
    }

    func tick(at time: Int64, _ context: ReferenceContext) {
        ticked += ReferenceClock.tick
        while let (key, index, due) = earliest(ticks: true, { $1 <= ticked }) {
            fire(key, index, due, at: time, context)
        }
    }

    // MARK: Deadlines

    /// Fires what is due by event time, one after the other.
    private func fire(_ context: ReferenceContext, _ isDue: (String, Int64) -> Bool) {
        while let (key, index, due) = earliest(ticks: false, isDue) {
            fire(key, index, due, at: due, context)
        }
    }

    /// The first by (due time, key, number) of those that are due.
    private func earliest(
        ticks: Bool, _ isDue: (String, Int64) -> Bool
    ) -> (key: String, index: Int, due: Int64)? {
        var best: (key: String, index: Int, due: Int64)?
        for (key, state) in keys {
            for (index, timer) in state.timers where rule.deadlines[index].countsTicks == ticks {
                guard let due = timer.due, isDue(key, due) else { continue }
                guard let other = best else {
                    best = (key, index, due)
                    continue
                }
                if (due, key) == (other.due, other.key)
                    ? index < other.index : isBefore((due, key), (other.due, other.key))
                {
                    best = (key, index, due)
                }
            }
        }
        return best
    }

    private func fire(
        _ key: String, _ index: Int, _ due: Int64, at time: Int64, _ context: ReferenceContext
    ) {
        let deadline = rule.deadlines[index]
        guard var state = keys[key], var timer = state.timers[index] else { return }
        timer.due = deadline.every.map { due + $0 * 1000 }
        timer.firedStart = timer.start
        state.timers[index] = timer
        if !deadline.countsTicks { state.lastTime = max(state.lastTime, time) }
        let old = state.state
        if let to = deadline.to { state.state = to }
        var row = timer.row
        row.time = time
        emit(row, state, previous: old, "deadline", deadline.name, timer.start, context)
        if deadline.to != nil {
            state.since = time
            change(&state, from: old, timer.row, at: time)
        }
        keys[key] = state
    }

    /// Ends and begins the deadlines that have states.
    private func change(_ state: inout State, from old: Int?, _ row: ReferenceRow, at time: Int64) {
        for (index, deadline) in rule.deadlines.enumerated() {
            guard let states = deadline.states else { continue }
            if !states.contains(state.state) {
                state.timers[index]?.due = nil
            } else if old.map({ !states.contains($0) }) ?? true {
                begin(index, &state, row, at: time)
            }
        }
    }

    private func begin(_ index: Int, _ state: inout State, _ row: ReferenceRow, at time: Int64) {
        let deadline = rule.deadlines[index]
        state.timers[index] = Timer(
            start: time, due: (deadline.countsTicks ? ticked : time) + deadline.after * 1000,
            row: row, firedStart: state.timers[index]?.firedStart)
    }

    // MARK: Judging

    private func judge(_ row: ReferenceRow, isFired: Bool, _ context: ReferenceContext) {
        let all = !clocksKeys && (rule.byTime || isFired)
        fire(context) { (all || $0 == row.key) && $1 < row.time }
        if let last = keys[row.key]?.lastTime, row.time < last {
            return context.reject(row, "out-of-order")
        }
        let isNew = keys[row.key] == nil
        var initial: [String: ReferenceValue] = [:]
        for variable in rule.variables { initial[variable.name] = variable.initial }
        let state =
            keys[row.key]
            ?? State(state: rule.initial, since: row.time, lastTime: row.time, values: initial)
        do throws(Fault) {
            guard let next = try step(row, state, isNew: isNew, context) else {
                if rule.rejectsUnexpected { context.reject(row, "unexpected") }
                return
            }
            keys[row.key] = next.state
            for emission in next.rows {
                emit(
                    row, emission.state, previous: state.state, emission.event, emission.name,
                    emission.since, context)
            }
        } catch {
            context.reject(row, error.reason)
        }
    }

    private struct Fault: Error { var reason: String }

    private struct Emission {
        var state: State
        var event: String
        var name: String?
        var since: Int64
    }

    private func isTrue(
        _ expression: ReferenceExpression, _ values: [String: ReferenceValue]
    ) throws(Fault) -> Bool {
        try value(expression, values) == .bool(true)
    }

    private func value(
        _ expression: ReferenceExpression, _ values: [String: ReferenceValue]
    ) throws(Fault) -> ReferenceValue {
        switch expression.evaluate(values) {
        case .fault(let reason): throw Fault(reason: reason)
        case .value(let value): return value
        }
    }

    /// The state after an event and the rows that it makes; nil when nothing takes it.
    private func step(
        _ row: ReferenceRow, _ old: State, isNew: Bool, _ context: ReferenceContext
    ) throws(Fault) -> (state: State, rows: [Emission])? {
        var values = row.values
        values["machine.state"] = .string(rule.states[old.state])
        values["machine.since"] = .time(old.since)
        for (name, value) in old.values { values["machine.\(name)"] = value }
        var state = old
        state.lastTime = row.time
        var rows: [Emission] = []
        var isTaken = false
        for invariant in rule.invariants where try isTrue(invariant.on, values) {
            isTaken = true
            if try isTrue(invariant.require, values) {
                state.breachedSince[invariant.name] = nil
                continue
            }
            let since = state.breachedSince[invariant.name] ?? row.time
            state.breachedSince[invariant.name] = since
            rows.append(Emission(state: old, event: "breach", name: invariant.name, since: since))
        }
        for transition in rule.transitions {
            guard transition.from?.contains(old.state) ?? true,
                try isTrue(transition.on, values)
            else { continue }
            if let when = transition.when, try !isTrue(when, values) { continue }
            isTaken = true
            for assignment in transition.set {
                state.values[rule.variables[assignment.variable].name] =
                    try value(assignment.value, values)
            }
            if let to = transition.to {
                state.state = to
                state.since = row.time
                rows.append(
                    Emission(state: state, event: "transition", name: nil, since: row.time))
            }
            break
        }
        var begins: Set<Int> = []
        var ends: Set<Int> = []
        for (index, deadline) in rule.deadlines.enumerated() {
            let isIn = deadline.states?.contains(state.state) ?? true
            let wasIn = !isNew && (deadline.states?.contains(old.state) ?? true)
            guard isIn || wasIn else { continue }
            if let since = deadline.since, try isTrue(since, values) {
                isTaken = true
                if isIn { begins.insert(index) }
            }
            if let until = deadline.until, try isTrue(until, values) {
                isTaken = true
                ends.insert(index)
            }
        }
        guard isTaken else { return nil }
        for index in ends { state.timers[index]?.due = nil }
        change(&state, from: isNew ? nil : old.state, row, at: row.time)
        for index in begins { begin(index, &state, row, at: row.time) }
        if !rows.isEmpty {
            if state.madeTime != row.time { state.made = [] }
            state.madeTime = row.time
            state.made += rows.map { ($0.name, $0.since) }
        }
        return (state, rows)
    }

    private func emit(
        _ row: ReferenceRow, _ state: State, previous: Int, _ event: String, _ name: String?,
        _ since: Int64, _ context: ReferenceContext
    ) {
        var result = row
        result.values["state"] = .string(rule.states[state.state])
        result.values["previous"] = .string(
            rule.states[event == "breach" || event == "correction" ? state.state : previous])
        result.values["event"] = .string(event)
        result.values["name"] = name.map { .string($0) } ?? .null
        result.values["since"] = .time(since)
        for (variable, value) in state.values { result.values[variable] = value }
        context.emitted.append(ReferenceItem(after: result))
    }

    /// Nothing is un-sent: what the corrected event made last is named.
    private func correct(_ item: ReferenceItem, _ context: ReferenceContext) {
        guard let row = item.after ?? item.before, let state = keys[row.key] else { return }
        var episodes: [(name: String?, since: Int64)] = []
        for made in state.made
        where state.madeTime == row.time && !episodes.contains(where: { $0 == made }) {
            episodes.append(made)
        }
        for (index, deadline) in rule.deadlines.enumerated()
        where state.timers[index]?.firedStart == row.time {
            episodes.append((deadline.name, row.time))
        }
        for (name, since) in episodes {
            emit(row, state, previous: state.state, "correction", name, since, context)
        }
    }
}
