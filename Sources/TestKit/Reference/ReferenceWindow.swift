/// `window`: every window keeps all its rows; results are computed anew each time.
final class ReferenceWindow: ReferenceOperator {
    private let rule: ReferenceWindowRule
    private let name: String
    private let keyField: String
    private let lateness: Int64
    private var windows: [Place: State] = [:]
    private var taken = 0

    private struct Place: Hashable {
        var key: String
        var start: Int64
    }

    private struct State {
        /// In the order in which they came.
        var rows: [(number: Int, row: ReferenceRow)] = []
        /// The first record of all rows so far, those that were corrected since among them.
        var origin: ReferenceOrigin?
        /// What was emitted last.
        var sent: ReferenceRow?
        var revision = 0
        /// Rows have come since.
        var changed = false
        /// The watermark has passed the end.
        var isClosed = false
    }

    init(_ rule: ReferenceWindowRule, name: String, keyField: String, lateness: Int64) {
        self.rule = rule
        self.name = name
        self.keyField = keyField
        self.lateness = lateness
    }

    private var size: Int64 { rule.size * 1000 }

    private func end(_ place: Place) -> Int64 { place.start + size }

    /// Starts of the windows that hold a time, ascending.
    private func starts(_ time: Int64) -> [Int64] {
        let (every, offset) = (rule.every * 1000, (rule.offset - (rule.zone?.ahead ?? 0)) * 1000)
        let distance = (time - offset) % every
        let last = time - (distance < 0 ? distance + every : distance)
        return (0..<size / every).reversed().map { last - $0 * every }
    }

    func take(_ item: ReferenceItem, watermark: Int64, _ context: ReferenceContext) {
        guard let row = item.after ?? item.before else { return }
        var after = item.after
        if let row = after, let reason = fault(row) {
            context.reject(row, reason)
            after = nil
            if item.before == nil { return }
        }
        taken += 1
        var isLate = false
        for start in starts(row.time) {
            let place = Place(key: row.key, start: start)
            if watermark > .min, end(place) + lateness <= watermark {
                isLate = true
                continue
            }
            var state = windows[place] ?? State()
            if let before = item.before { state.rows.removeAll { $0.row.id == before.id } }
            if let after {
                state.rows.append((taken, after))
                state.origin = min(state.origin ?? after.origin, after.origin)
            }
            state.changed = true
            if watermark > .min, end(place) <= watermark { state.isClosed = true }
            if state.isClosed { send(place, &state, context) }
            windows[place] = state
        }
        if isLate { context.reject(row, "late") }
    }

    func advance(_ watermark: (String) -> Int64, _ context: ReferenceContext) {
        for place in due({ end($0) <= watermark($0.key) }) {
            guard var state = windows[place] else { continue }
            if !state.isClosed, state.changed {
                let count = context.emitted.count
                send(place, &state, context)
                for index in count..<context.emitted.count {
                    context.emitted[index].isFired = true
                }
            }
            state.isClosed = true
            windows[place] = end(place) + lateness <= watermark(place.key) ? nil : state
        }
    }

    func flush(_ keys: Set<String>?, _ context: ReferenceContext) {
        for place in due({ keys?.contains($0.key) ?? true }) {
            guard var state = windows[place], !state.isClosed, state.changed else { continue }
            send(place, &state, context)
            windows[place] = state
        }
    }

    var timers: [(key: String, time: Int64)] {
        windows.filter { !$0.value.isClosed }.map { ($0.key.key, end($0.key)) }
    }

    private func due(_ isDue: (Place) -> Bool) -> [Place] {
        windows.keys.filter(isDue)
            .sorted { isBefore((end($0), $0.key), (end($1), $1.key)) }
    }

    private func fault(_ row: ReferenceRow) -> String? {
        for item in rule.aggregates {
            switch item.input?.evaluate(row.values) {
            case .fault(let reason)?: return reason
            case .value(.number(let level))? where item.function == "leq":
                if level < ReferenceNumber(-100) || level > ReferenceNumber(200) {
                    return "out-of-range"
                }
            default: break
            }
        }
        return nil
    }

    /// The result as it is now: new, correct or, when no row is left, withdraw.
    private func send(_ place: Place, _ state: inout State, _ context: ReferenceContext) {
        state.changed = false
        let result = state.rows.isEmpty ? nil : self.result(place, state)
        if state.sent == nil && result == nil { return }
        if state.sent != nil { state.revision += 1 }
        context.emitted.append(
            ReferenceItem(before: state.sent, after: result, revision: state.revision))
        state.sent = result
    }

    private func result(_ place: Place, _ state: State) -> ReferenceRow {
        var values: [String: ReferenceValue] = [
            keyField: state.rows[0].row.values[keyField] ?? .null,
            "windowStart": .time(place.start), "windowEnd": .time(end(place)),
        ]
        for item in rule.aggregates {
            values[item.name] = aggregate(item, state, end: end(place))
        }
        return ReferenceRow(
            id: "\(name) \(place.key) \(place.start)", time: end(place) - 1000, key: place.key,
            values: values, origin: state.origin ?? state.rows[0].row.origin)
    }

    private func aggregate(
        _ item: ReferenceWindowRule.Aggregate, _ state: State, end: Int64
    ) -> ReferenceValue {
        guard let input = item.input else { return number(state.rows.count) }
        func value(_ row: ReferenceRow) -> ReferenceValue {
            if case .value(let value) = input.evaluate(row.values) { return value }
            return .null
        }
        let byTime = state.rows.sorted { ($0.row.time, $0.number) < ($1.row.time, $1.number) }
        let values = byTime.map { value($0.row) }
        let present = values.filter { $0 != .null }
        if ["leq", "stddev", "timeMean"].contains(item.function) {
            let points = zip(byTime, values).compactMap { entry, value in
                if case .number(let number) = value { (entry.row.time, number) } else { nil }
            }
            return ReferenceStatistics.value(
                item.function, points, end: end, scale: input.type.scale)
        }
        let numbers = present.compactMap { value -> ReferenceNumber? in
            if case .number(let number) = value { number } else { nil }
        }
        switch item.function {
        case "count": return number(present.count)
        case "first": return present.first ?? .null
        case "last": return present.last ?? .null
        case "min": return numbers.min().map { .number($0) } ?? .null
        case "max": return numbers.max().map { .number($0) } ?? .null
        default:
            guard !numbers.isEmpty else { return .null }
            let sum = numbers.reduce(ReferenceNumber(0), +)
            if item.function == "sum" { return .number(sum) }
            return (sum / ReferenceNumber(Int128(numbers.count))).map { .number($0) } ?? .null
        }
    }

    private func number(_ count: Int) -> ReferenceValue { .number(ReferenceNumber(Int128(count))) }
}
