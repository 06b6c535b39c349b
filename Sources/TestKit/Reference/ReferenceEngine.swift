/// One task of a topology, slowly and obviously: row by row, dictionaries by key, results computed
/// anew from all rows.
///
/// The oracle of the real engine, written from the documented semantics alone. Not thread-safe.
package final class ReferenceEngine {
    private let topology: ReferenceTopology
    /// Per source: names of the fields that are decoded; others cannot be at fault.
    private let fieldsRead: [Set<String>]
    private var inputs: [[ReferenceRecord]]
    private var positions: [Int]
    private var clocks: [ReferenceClock?] = []
    private var tables: [ReferenceTable?] = []
    private var operators: [any ReferenceOperator] = []
    /// Per step: the stream source that its rows come from.
    private var roots: [Int] = []
    /// Records of each sink so far.
    package private(set) var outputs: [[ReferenceOutput]]
    /// Rejects so far.
    package private(set) var rejects: [ReferenceReject] = []

    package init(_ topology: ReferenceTopology, fieldsRead: [Set<String>]) {
        self.topology = topology
        self.fieldsRead = fieldsRead
        inputs = topology.sources.map { _ in [] }
        positions = topology.sources.map { _ in 0 }
        outputs = topology.sinks.map { _ in [] }
        for source in topology.sources {
            clocks.append(source.time.map { ReferenceClock($0) })
            tables.append(source.time == nil ? ReferenceTable(name: source.name) : nil)
        }
        for step in topology.steps {
            switch step.from {
            case .source(let index): roots.append(index)
            case .step(let index): roots.append(roots[index])
            }
            operators.append(makeOperator(step, root: roots[roots.count - 1]))
        }
    }

    private func makeOperator(_ step: ReferenceStep, root: Int) -> any ReferenceOperator {
        let keyField = step.output[0].name
        let lateness = (topology.sources[root].time?.lateness ?? 0) * 1000
        let clocksKeys = topology.sources[root].time?.clocksKeys ?? false
        switch step.operation {
        case .shape(let lookup, let filter, let select):
            return ReferenceShape(
                table: lookup.flatMap { tables[$0] }, filter: filter, select: select,
                keyField: keyField)
        case .rules(let lookup):
            return ReferenceRulesStep(
                lookup, topology.rules[lookup.rules], keyField: keyField)
        case .levels(let rule): return ReferenceLevels(rule, clocksKeys: clocksKeys)
        case .distinct(let byTime):
            return ReferenceDistinct(
                lateness: lateness, byTime: byTime, clocksKeys: clocksKeys)
        case .window(let rule):
            return ReferenceWindow(
                rule, name: step.name, keyField: keyField, lateness: lateness)
        case .machine(let rule): return ReferenceMachine(rule, clocksKeys: clocksKeys)
        case .otherwise(let filter, _):
            return ReferenceShape(
                table: nil, filter: filter, select: nil, keyField: keyField, isOtherwise: true)
        }
    }

    /// Appends a record to a source; offsets count from 0.
    package func append(_ source: Int, _ record: ReferenceRecord) {
        inputs[source].append(record)
    }

    /// Takes everything that is there, record by record.
    package func merge() {
        while let source = next() {
            let offset = positions[source]
            positions[source] += 1
            take(source, offset, inputs[source][offset])
        }
    }

    /// The source whose head comes next: what has no usable time at once, else by (time, source).
    private func next() -> Int? {
        var best: (source: Int, time: Int64)?
        for source in inputs.indices where positions[source] < inputs[source].count {
            let record = inputs[source][positions[source]]
            guard let time = record.time, !isAhead(record, source) else { return source }
            if best.map({ time < $0.time }) ?? true { best = (source, time) }
        }
        return best?.source
    }

    private func isAhead(_ record: ReferenceRecord, _ source: Int) -> Bool {
        guard let rule = topology.sources[source].time, let time = record.time else { return false }
        return time > record.arrival + rule.ahead
    }

    private func take(_ source: Int, _ offset: Int, _ record: ReferenceRecord) {
        let plan = topology.sources[source]
        func reject(_ reason: String) {
            rejects.append(
                ReferenceReject(source: source, offset: offset, reason: reason, step: plan.name))
        }
        if isAhead(record, source) { return reject("clock") }
        if let fault = record.fault,
            fault.field.map({ fieldsRead[source].contains($0) }) ?? true
        {
            return reject(fault.reason)
        }
        guard let time = record.time,
            let key = Self.keyText(record.values[plan.fields[0].name] ?? .null)
        else { return reject("missing-field") }
        if let table = tables[source] {
            return table.put(key, time: time * 1000, record.values)
        }
        let row = ReferenceRow(
            id: "\(source):\(offset)", time: time * 1000, key: key, values: record.values,
            source: source, offset: offset)
        guard let clock = clocks[source] else { return }
        let before = clock.watermark(key)
        clock.accept(key, time * 1000)
        let clocksKeys = plan.time?.clocksKeys ?? false
        func earlier(_ other: String) -> Int64 {
            clocksKeys && other != key ? clock.watermark(other) : before
        }
        run(source, [ReferenceItem(after: row)], before: earlier) { step, context in
            step.advance(clock.watermark, context)
        }
    }

    /// The key's bytes, as text.
    static func keyText(_ value: ReferenceValue) -> String? {
        switch value {
        case .string(let text): text
        case .number(let number): number.text(scale: 0)
        default: nil
        }
    }

    /// A recorded tick (milliseconds), all sources being at their end.
    package func tick(at time: Int64) {
        for source in topology.sources.indices {
            guard let clock = clocks[source] else { continue }
            let before = clock.watermark("")
            let abandoned = clock.tick(at: time * 1000)
            let clocksKeys = topology.sources[source].time?.clocksKeys ?? false
            func earlier(_ key: String) -> Int64 { clocksKeys ? clock.watermark(key) : before }
            run(source, [], before: earlier) { step, context in
                if !clocksKeys { step.advance(clock.watermark, context) }
            }
            run(source, [], before: clock.watermark) { step, context in
                step.tick(at: time * 1000, context)
            }
            guard !abandoned.isEmpty else { continue }
            run(source, [], before: clock.watermark) { step, context in
                step.flush(abandoned, context)
            }
        }
    }

    /// The end of a bounded run.
    package func flush() {
        for source in topology.sources.indices {
            guard let clock = clocks[source] else { continue }
            run(source, [], before: clock.watermark) { step, context in step.flush(nil, context) }
        }
    }

    /// Brings rows of a source through its steps: each takes its rows, then `finish` it.
    private func run(
        _ source: Int, _ rows: [ReferenceItem], before: (String) -> Int64,
        finish: (any ReferenceOperator, ReferenceContext) -> Void
    ) {
        var emitted: [[ReferenceItem]] = topology.steps.map { _ in [] }
        for (index, step) in topology.steps.enumerated() where roots[index] == source {
            let items =
                switch step.from {
                case .source: rows
                case .step(let upstream): emitted[upstream]
                }
            let clock = clocks[source]
            let context = ReferenceContext(step: step.name) { clock?.greatest($0) ?? .min }
            for item in items {
                let key = item.after?.key ?? item.before?.key ?? ""
                operators[index].take(item, watermark: before(key), context)
            }
            finish(operators[index], context)
            emitted[index] = context.emitted
            rejects += context.rejects
        }
        for (sink, step) in topology.sinks.enumerated() {
            outputs[sink] += emitted[step].compactMap { output($0, topology.steps[step].output) }
        }
    }

    private func output(_ item: ReferenceItem, _ fields: [ReferenceField]) -> ReferenceOutput? {
        guard let row = item.after ?? item.before else { return nil }
        let change = item.after == nil ? "withdraw" : item.before == nil ? "new" : "correct"
        return ReferenceOutput(
            time: row.time >= 0 ? row.time / 1000 : 0, key: row.key, change: change,
            revision: change == "new" ? 0 : item.revision, fields: fields,
            values: fields.map { row.values[$0.name] ?? .null })
    }
}
