/// `levels`: a ladder with hysteresis, confirmation and hold, one key at a time.
final class ReferenceLevels: ReferenceOperator {
    private let rule: ReferenceLevelsRule
    private var waiting: ReferenceWaiting
    private var keys: [String: State] = [:]

    private struct State {
        /// 0 is normal.
        var level = 0
        var lastTime: Int64?
        /// Per level: consecutive readings that reached it, and the time of the first of them.
        var counts: [Int]
        var firsts: [Int64]
        /// The first of those readings that, like all after it, came from the last one's input.
        var origins: [ReferenceOrigin?]
        /// Time of the first of the consecutive readings that are back past the clear limit.
        var backSince: Int64?
        /// When the episode began.
        var since: Int64 = 0
        /// Limit of the last event: which of the raise limits, then of the clear limits.
        var lastLimit = 0
        /// Time of the row of the last event.
        var lastEvent: Int64?
    }

    init(_ rule: ReferenceLevelsRule, clocksKeys: Bool) {
        self.rule = rule
        waiting = ReferenceWaiting(clocksKeys: clocksKeys)
    }

    private func name(_ level: Int) -> String { level == 0 ? "normal" : rule.raise[level - 1].name }

    func take(_ item: ReferenceItem, watermark: Int64, _ context: ReferenceContext) {
        guard item.before == nil, let row = item.after else {
            if !waiting.follow(item) { correct(item, context) }
            return
        }
        guard rule.byTime else { return judge(row, context) }
        switch waiting.add(item, row, watermark: watermark) {
        case .outOfOrder: context.reject(row, "out-of-order")
        case .now: judge(row, context)
        case .waits: break
        }
    }

    var timers: [(key: String, time: Int64)] { waiting.timers }

    func advance(_ watermark: (String) -> Int64, _ context: ReferenceContext) {
        for item in waiting.release({ key, time in time < watermark(key) }) {
            released(item, context)
        }
    }

    private func released(_ item: ReferenceItem, _ context: ReferenceContext) {
        if item.before == nil, let row = item.after {
            judge(row, context)
        } else {
            correct(item, context)
        }
    }

    func flush(_ keys: Set<String>?, _ context: ReferenceContext) {
        for item in waiting.release({ key, _ in keys?.contains(key) ?? true }) {
            released(item, context)
        }
    }

    /// The value and the limits of a row, or why there are none.
    private func read(_ row: ReferenceRow) -> (
        value: ReferenceNumber, raise: [ReferenceNumber], clear: [ReferenceNumber]
    )? {
        guard case .value(.number(let value)) = rule.value.evaluate(row.values) else { return nil }
        var limits: [[ReferenceNumber]] = []
        for list in [rule.raise, rule.clear] {
            var numbers: [ReferenceNumber] = []
            for limit in list {
                guard case .value(.number(let number)) = limit.expression.evaluate(row.values)
                else { return nil }
                numbers.append(number)
            }
            limits.append(numbers)
        }
        return (value, limits[0], limits[1])
    }

    private func reason(_ row: ReferenceRow) -> String {
        for expression in [rule.value] + rule.raise.map(\.expression) + rule.clear.map(\.expression)
        {
            if case .fault(let reason) = expression.evaluate(row.values) { return reason }
        }
        return "null-value"
    }

    private func judge(_ row: ReferenceRow, _ context: ReferenceContext) {
        guard let (value, raise, clear) = read(row) else {
            return context.reject(row, reason(row))
        }
        let levels = rule.raise.count
        var state =
            keys[row.key]
            ?? State(
                counts: Array(repeating: 0, count: levels),
                firsts: Array(repeating: 0, count: levels),
                origins: Array(repeating: nil, count: levels))
        if let last = state.lastTime {
            if row.time < last { return context.reject(row, "out-of-order") }
            if row.time == last, !rule.judgesTies { return context.reject(row, "duplicate") }
        }
        state.lastTime = row.time
        for level in 0..<levels {
            let reaches = rule.isAbove ? value >= raise[level] : value <= raise[level]
            if reaches, state.counts[level] == 0 {
                state.firsts[level] = row.time
                state.origins[level] = nil
            }
            if reaches, state.origins[level]?.input != row.origin.input {
                state.origins[level] = row.origin
            }
            state.counts[level] = reaches ? state.counts[level] + 1 : 0
        }
        func isBack(_ level: Int) -> Bool {
            rule.isAbove ? value < clear[level - 1] : value > clear[level - 1]
        }
        if state.level > 0, isBack(state.level) {
            state.backSince = state.backSince ?? row.time
        } else {
            state.backSince = nil
        }
        let confirmed = (1...levels).last { level in
            guard state.counts[level - 1] > 0 else { return false }
            if let duration = rule.duration {
                return row.time - state.firsts[level - 1] >= duration * 1000
            }
            return state.counts[level - 1] >= rule.readings
        }
        if let confirmed, confirmed > state.level {
            let event = state.level == 0 ? "raised" : "escalated"
            if state.level == 0 { state.since = row.time }
            var row = row
            row.origin = state.origins[confirmed - 1] ?? row.origin
            state.lastLimit = confirmed - 1
            emit(row, &state, to: confirmed, event, value, raise[confirmed - 1], context)
        } else if let since = state.backSince, row.time - since >= rule.hold * 1000 {
            let limit = clear[state.level - 1]
            state.lastLimit = levels + state.level - 1
            let next = (1...state.level).last { $0 < state.level && !isBack($0) } ?? 0
            emit(row, &state, to: next, next == 0 ? "cleared" : "eased", value, limit, context)
        }
        keys[row.key] = state
    }

    private func emit(
        _ row: ReferenceRow, _ state: inout State, to level: Int, _ event: String,
        _ value: ReferenceNumber, _ limit: ReferenceNumber, _ context: ReferenceContext
    ) {
        var result = row
        result.values["level"] = .string(name(level))
        result.values["previous"] = .string(name(state.level))
        result.values["event"] = .string(event)
        result.values["value"] = .number(value)
        result.values["limit"] = .number(limit)
        result.values["since"] = .time(state.since)
        state.level = level
        state.backSince = nil
        state.lastEvent = row.time
        context.emitted.append(ReferenceItem(after: result))
    }

    private func limit(_ index: Int) -> ReferenceExpression {
        (rule.raise + rule.clear)[index].expression
    }

    /// Nothing is un-sent: the correction of the row that made the last event is told.
    private func correct(_ item: ReferenceItem, _ context: ReferenceContext) {
        guard let row = item.after ?? item.before else { return }
        let reason = self.reason(row)
        if reason != "null-value" {
            if item.after != nil { context.reject(row, reason) }
            return
        }
        guard let state = keys[row.key], state.lastEvent == row.time,
            case .value(let value) = rule.value.evaluate(row.values),
            case .value(let limit) = limit(state.lastLimit).evaluate(row.values)
        else { return }
        var result = row
        result.values["level"] = .string(name(state.level))
        result.values["previous"] = .string(name(state.level))
        result.values["event"] = .string("correction")
        result.values["value"] = value
        result.values["limit"] = limit
        result.values["since"] = .time(state.since)
        context.emitted.append(ReferenceItem(after: result))
    }
}
