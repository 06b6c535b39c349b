/// A step of the reference engine: one row at a time, dictionaries by key.
protocol ReferenceOperator: AnyObject {
    /// Takes a row, `watermark` being the one of its key made by the rows before it.
    func take(_ item: ReferenceItem, watermark: Int64, _ context: ReferenceContext)
    /// Watermarks (by key) have risen.
    func advance(_ watermark: (String) -> Int64, _ context: ReferenceContext)
    /// The end of a bounded run, or of some keys that were silent for long; nil: of all.
    func flush(_ keys: Set<String>?, _ context: ReferenceContext)
    /// A recorded tick (microseconds) with the source at its end.
    func tick(at time: Int64, _ context: ReferenceContext)
    /// Watermarks (of keys) at which something may come out that has not yet.
    var timers: [(key: String, time: Int64)] { get }
}

extension ReferenceOperator {
    var timers: [(key: String, time: Int64)] { [] }
    func tick(at time: Int64, _ context: ReferenceContext) {}
}

/// What a step gives for what it takes.
final class ReferenceContext {
    let step: String
    var emitted: [ReferenceItem] = []
    var rejects: [ReferenceReject] = []
    /// The greatest accepted event time that counts for a key.
    let accepted: (String) -> Int64
    private let origin: (ReferenceOrigin) -> String

    init(
        step: String, origin: @escaping (ReferenceOrigin) -> String,
        accepted: @escaping (String) -> Int64
    ) {
        self.step = step
        self.origin = origin
        self.accepted = accepted
    }

    func reject(_ row: ReferenceRow, _ reason: String) {
        rejects.append(
            ReferenceReject(origin: origin(row.origin), reason: reason, step: step))
    }
}

/// `lookup`, `filter`, `select`.
final class ReferenceShape: ReferenceOperator {
    private let lookup: (rule: ReferenceLookup, table: ReferenceTable)?
    private var waiting = ReferenceWaiting(clocksKeys: false)
    private let filter: ReferenceExpression?
    private let select: [ReferenceNamed]?
    private let keyField: String
    /// The rows that do not pass come out, and faults are rejected elsewhere.
    private let isOtherwise: Bool

    init(
        lookup: (rule: ReferenceLookup, table: ReferenceTable)?, filter: ReferenceExpression?,
        select: [ReferenceNamed]?, keyField: String, isOtherwise: Bool = false
    ) {
        self.isOtherwise = isOtherwise
        self.lookup = lookup
        self.filter = filter
        self.select = select
        self.keyField = keyField
    }

    func take(_ item: ReferenceItem, watermark: Int64, _ context: ReferenceContext) {
        guard lookup?.rule.awaits == true else { return shape(item, context) }
        if item.before == nil, let row = item.after {
            // One that is older than what has come out is not held up.
            if waiting.add(item, row, watermark: watermark) == .waits { return }
        } else if waiting.follow(item) {
            return
        }
        shape(item, context)
    }

    private func shape(_ item: ReferenceItem, _ context: ReferenceContext) {
        var before: ReferenceRow?
        var after: ReferenceRow?
        if let row = item.before, case .row(let result) = shaped(row) { before = result }
        if let row = item.after {
            switch shaped(row) {
            case .row(let result): after = result
            case .reject(let reason): context.reject(row, reason)
            case .nothing: break
            }
        }
        if before == nil && after == nil { return }
        var result = item
        (result.before, result.after) = (before, after)
        context.emitted.append(result)
    }

    private enum Shaped {
        case row(ReferenceRow)
        case nothing
        case reject(String)
    }

    private func shaped(_ row: ReferenceRow) -> Shaped {
        var row = row
        if let (rule, table) = lookup {
            var key: String? = row.key
            switch rule.key?.evaluate(row.values) {
            case .fault(let reason)?: return .reject(reason)
            case .value(let value)?: key = ReferenceTask.keyText(value)
            case nil: break
            }
            guard let version = key.flatMap({ table.version($0, at: row.time) }) else {
                return .reject("unmatched")
            }
            for (name, value) in version { row.values["\(table.name).\(name)"] = value }
        }
        if let filter {
            switch filter.evaluate(row.values) {
            case .fault(let reason): return isOtherwise ? .nothing : .reject(reason)
            case .value(let value): if (value == .bool(true)) == isOtherwise { return .nothing }
            }
        }
        if let select {
            var values = [keyField: row.values[keyField] ?? .null]
            for field in select {
                switch field.expression.evaluate(row.values) {
                case .fault(let reason): return .reject(reason)
                case .value(let value): values[field.name] = value
                }
            }
            row.values = values
        }
        return .row(row)
    }

    func advance(_ watermark: (String) -> Int64, _ context: ReferenceContext) {
        for item in waiting.release({ $1 < watermark($0) }) { shape(item, context) }
    }

    func flush(_ keys: Set<String>?, _ context: ReferenceContext) {
        for item in waiting.release({ _, _ in true }) { shape(item, context) }
    }

    var timers: [(key: String, time: Int64)] { waiting.timers }
}

/// A table source's versions by key.
final class ReferenceTable {
    let name: String
    private var versions: [String: [(time: Int64, values: [String: ReferenceValue])]] = [:]

    init(name: String) { self.name = name }

    func put(_ key: String, time: Int64, _ values: [String: ReferenceValue]) {
        versions[key, default: []].append((time, values))
    }

    /// The newest version whose time is not after `time`; of equal times the last taken.
    func version(_ key: String, at time: Int64) -> [String: ReferenceValue]? {
        var best: (time: Int64, values: [String: ReferenceValue])?
        for version in versions[key] ?? [] where version.time <= time {
            if best.map({ version.time >= $0.time }) ?? true { best = version }
        }
        return best?.values
    }
}

/// Rows that wait until the watermark passes them (`order: time`), and what was released.
struct ReferenceWaiting {
    private var rows: [(number: Int, item: ReferenceItem, time: Int64, key: String)] = []
    private var count = 0
    /// Greatest time released, by key under key clocks, else one for all.
    private var released: [String: Int64] = [:]
    private let clocksKeys: Bool

    init(clocksKeys: Bool) { self.clocksKeys = clocksKeys }

    private mutating func mark(_ key: String, _ time: Int64) {
        let clock = clocksKeys ? key : ""
        released[clock] = max(released[clock] ?? .min, time)
    }

    enum Verdict {
        case waits, now, outOfOrder
    }

    mutating func add(_ item: ReferenceItem, _ row: ReferenceRow, watermark: Int64) -> Verdict {
        if let last = released[clocksKeys ? row.key : ""], row.time < last { return .outOfOrder }
        if row.time < watermark || item.isFired {
            mark(row.key, row.time)
            return .now
        }
        rows.append((count, item, row.time, row.key))
        count += 1
        return .waits
    }

    /// Watermarks at which rows come out.
    var timers: [(key: String, time: Int64)] { rows.map { ($0.key, $0.time + 1000) } }

    /// A correction comes out after what waits of its key and time; any other does not wait.
    mutating func follow(_ item: ReferenceItem) -> Bool {
        guard let row = item.after ?? item.before,
            rows.contains(where: { $0.key == row.key && $0.time == row.time })
        else { return false }
        rows.append((count, item, row.time, row.key))
        count += 1
        return true
    }

    /// Rows that `isDue` names, by time and arrival, and takes them out.
    mutating func release(_ isDue: (_ key: String, _ time: Int64) -> Bool) -> [ReferenceItem] {
        let due = rows.filter { isDue($0.key, $0.time) }
            .sorted { ($0.time, $0.number) < ($1.time, $1.number) }
        rows.removeAll { isDue($0.key, $0.time) }
        for row in due { mark(row.key, row.time) }
        return due.map(\.item)
    }
}

/// `distinct`: one row for a key and time.
final class ReferenceDistinct: ReferenceOperator {
    private let lateness: Int64
    private let byTime: Bool
    private var waiting: ReferenceWaiting
    private var seen: [String: Set<Int64>] = [:]

    init(lateness: Int64, byTime: Bool, clocksKeys: Bool) {
        waiting = ReferenceWaiting(clocksKeys: clocksKeys)
        self.lateness = lateness
        self.byTime = byTime
    }

    func take(_ item: ReferenceItem, watermark: Int64, _ context: ReferenceContext) {
        guard item.before == nil, let row = item.after else {
            if !waiting.follow(item) { correct(item, context) }
            return
        }
        if byTime {
            switch waiting.add(item, row, watermark: watermark) {
            case .outOfOrder: context.reject(row, "out-of-order")
            case .now: judge(item, row, watermark, context)
            case .waits: break
            }
        } else {
            judge(item, row, watermark, context)
        }
    }

    private func judge(
        _ item: ReferenceItem, _ row: ReferenceRow, _ watermark: Int64, _ context: ReferenceContext
    ) {
        if watermark > .min, row.time < watermark - lateness {
            context.reject(row, "late")
        } else if seen[row.key, default: []].insert(row.time).inserted {
            context.emitted.append(item)
        } else {
            context.reject(row, "duplicate")
        }
    }

    /// A later version of a row that passed takes its way; one withdrawn was never there.
    private func correct(_ item: ReferenceItem, _ context: ReferenceContext) {
        if item.after == nil, let row = item.before { seen[row.key]?.remove(row.time) }
        context.emitted.append(item)
    }

    func advance(_ watermark: (String) -> Int64, _ context: ReferenceContext) {
        release(context) { key, time in time < watermark(key) }
    }

    func flush(_ keys: Set<String>?, _ context: ReferenceContext) {
        release(context) { key, _ in keys?.contains(key) ?? true }
    }

    var timers: [(key: String, time: Int64)] { waiting.timers }

    /// Rows that waited were in time when they came.
    private func release(_ context: ReferenceContext, _ isDue: (String, Int64) -> Bool) {
        for item in waiting.release(isDue) {
            if item.before == nil, let row = item.after {
                judge(item, row, .min, context)
            } else {
                correct(item, context)
            }
        }
    }
}
