/// One task of one stage: merges its inputs, runs its steps, keeps its clocks.
final class ReferenceTask {
    private let graph: ReferenceGraph
    private let topology: ReferenceTopology
    private let stage: Int
    private let partition: Int
    private let taskCount: Int
    private let fieldsRead: [String: Set<String>]
    private var inputs: [Input] = []
    private var clocks: [Int: ReferenceClock] = [:]
    private var tables: [Int: ReferenceTable] = [:]
    /// By step; those of other stages have none.
    private var operators: [Int: any ReferenceOperator] = [:]
    private var domains: [Int: ReferenceDomain] = [:]
    private var sourceDomains: [Int: ReferenceDomain] = [:]
    /// Watermarks that rekeyed streams have told, by step.
    private var told: [Int: Int64] = [:]
    private var sent: [Sent] = []
    /// Under key clocks unions wait for all that a row brings about: by step and stream.
    private var held: [Int: [Int: [ReferenceItem]]] = [:]
    private var holds = false
    private var hasJoins: Bool { domains.values.contains { $0.clock == nil } }
    /// Sinks that it writes.
    let sinks: [Int]
    private(set) var outputs: [Int: [ReferenceOutput]] = [:]
    private(set) var rejects: [ReferenceReject] = []

    /// One partition of a source, or one sender's substream.
    private struct Input {
        var source: Int
        var partition: Int
        /// `topic/partition` as rejects name it.
        var name: String
        var entries: [Entry] = []
        var position = 0
    }

    fileprivate enum Entry {
        case record(ReferenceRecord)
        case item(ReferenceItem)
        case watermark(Int64)
        /// The second record of a correction.
        case rest
    }

    /// What goes to a task of a later stage.
    struct Sent {
        fileprivate var source: Int
        fileprivate var sender: Int
        fileprivate var receiver: Int
        fileprivate var entries: [Entry]
    }

    init(
        _ graph: ReferenceGraph, stage: Int, partition: Int, taskCount: Int,
        fieldsRead: [String: Set<String>]
    ) {
        self.graph = graph
        topology = graph.topology
        self.stage = stage
        self.partition = partition
        self.taskCount = taskCount
        self.fieldsRead = fieldsRead
        sinks = graph.topology.sinks.indices.filter { graph.stage(ofSink: $0) == stage }
        for source in graph.sources(ofStage: stage) { addSource(source) }
        for step in topology.steps.indices where graph.stage[step] == stage { addStep(step) }
    }

    // MARK: Building

    private func addSource(_ index: Int) {
        guard index < topology.sources.count else { return addRekeyed(index) }
        let source = topology.sources[index]
        for partition in source.isGlobal ? Array(0..<taskCount) : [partition] {
            inputs.append(
                Input(
                    source: index, partition: partition, name: "in.\(source.name)/\(partition)"))
        }
        var rule = source.time
        if rule == nil {
            tables[index] = ReferenceTable(name: source.name)
            rule = source.tableDisorder.map {
                ReferenceTimeRule(
                    disorder: $0, lateness: 0, ahead: .max, granule: 1000, clocksKeys: false,
                    abandon: nil, idle: source.tableIdle)
            }
        }
        let clock = rule.map { ReferenceClock($0) }
        clocks[index] = clock
        let isStream = source.time != nil
        sourceDomains[index] = ReferenceDomain(
            clock: clock, parents: [], streams: isStream ? [clock].compactMap(\.self) : [],
            lateness: (rule?.lateness ?? 0) * 1000)
    }

    /// Each sender writes a partition of its own for each receiver.
    private func addRekeyed(_ index: Int) {
        let step = index - topology.sources.count
        let topic = "random.v1.\(topology.steps[step].name)"
        for sender in 0..<taskCount {
            inputs.append(
                Input(
                    source: index, partition: sender,
                    name: "\(topic)/\(partition * taskCount + sender)"))
        }
        let clock = ReferenceClock(
            ReferenceTimeRule(
                disorder: 0, lateness: 0, ahead: .max, granule: 1000, clocksKeys: false,
                abandon: nil, idle: nil), senders: taskCount)
        clocks[index] = clock
        sourceDomains[index] = ReferenceDomain(
            clock: clock, parents: [], streams: [clock], lateness: lateness(of: step))
    }

    /// Carried over a rekey; of a union the greatest.
    private func lateness(of step: Int) -> Int64 {
        graph.inputs(topology.steps[step]).map { input in
            switch input {
            case .source(let source): (topology.sources[source].time?.lateness ?? 0) * 1000
            case .step(let step): lateness(of: step)
            }
        }.max() ?? 0
    }

    private func domain(of upstream: ReferenceUpstream) -> ReferenceDomain {
        if let source = graph.source(upstream), let domain = sourceDomains[source] {
            return domain
        }
        guard case .step(let step) = upstream, let domain = domains[step] else {
            preconditionFailure("steps stand upstream first")
        }
        return domain
    }

    /// The inputs that rows may come from, of a union stream by stream.
    private func causes(of upstream: ReferenceUpstream) -> [Int] {
        if let source = graph.source(upstream) {
            return inputs.indices.filter { inputs[$0].source == source }
        }
        guard case .step(let step) = upstream else { return [] }
        return graph.inputs(topology.steps[step]).flatMap { causes(of: $0) }
    }

    private func addStep(_ index: Int) {
        let step = topology.steps[index]
        var parents = graph.inputs(step).map { self.domain(of: $0) }
        var isJoin = false
        if case .union = step.operation { isJoin = true }
        if case .shape(let lookup?, _, _) = step.operation, lookup.awaits {
            isJoin = true
            parents += [sourceDomains[lookup.table]].compactMap(\.self)
        }
        let domain =
            isJoin
            ? ReferenceDomain(
                clock: nil, parents: parents, streams: parents.flatMap(\.streams),
                lateness: lateness(of: index))
            : parents[0]
        domains[index] = domain
        operators[index] = makeOperator(step, domain)
    }

    private func makeOperator(
        _ step: ReferenceStep, _ domain: ReferenceDomain
    ) -> any ReferenceOperator {
        let keyField = step.keyField
        let clocksKeys = domain.clocksKeys
        switch step.operation {
        case .shape(let rule, let filter, let select):
            let lookup = rule.flatMap { rule in tables[rule.table].map { (rule, $0) } }
            return ReferenceShape(
                lookup: lookup, filter: filter, select: select, keyField: keyField)
        case .rules(let lookup):
            return ReferenceRulesStep(
                lookup, topology.rules[lookup.rules], keyField: keyField)
        case .levels(let rule): return ReferenceLevels(rule, clocksKeys: clocksKeys)
        case .distinct(let byTime):
            return ReferenceDistinct(
                lateness: domain.lateness, byTime: byTime, clocksKeys: clocksKeys)
        case .window(let rule):
            return ReferenceWindow(
                rule, name: step.name, keyField: keyField, lateness: domain.lateness)
        case .machine(let rule): return ReferenceMachine(rule, clocksKeys: clocksKeys)
        case .otherwise(let filter, _):
            return ReferenceShape(
                lookup: nil, filter: filter, select: nil, keyField: keyField, isOtherwise: true)
        case .union(let streams):
            var order: [Int] = []
            for input in streams.flatMap({ causes(of: $0) }) where !order.contains(input) {
                order.append(input)
            }
            return ReferenceUnion(inputs: order)
        case .rekey(let field): return ReferenceRekey(field: field, output: step.output)
        }
    }

    // MARK: Input

    func append(_ source: Int, _ record: ReferenceRecord) {
        for index in inputs.indices
        where inputs[index].source == source && inputs[index].partition == record.partition {
            inputs[index].entries.append(.record(record))
        }
    }

    /// What the rows of rekeyed streams have become since the last call.
    func takeSent() -> [Sent] {
        defer { sent = [] }
        return sent
    }

    func receive(_ sent: [Sent]) {
        for one in sent where one.receiver == partition {
            for index in inputs.indices
            where inputs[index].source == one.source && inputs[index].partition == one.sender {
                inputs[index].entries += one.entries
            }
        }
    }

    /// Takes everything that is there, record by record.
    func merge() {
        while let input = next() {
            let offset = inputs[input].position
            inputs[input].position += 1
            let source = inputs[input].source
            switch inputs[input].entries[offset] {
            case .record(let record): take(input, source, offset, record)
            case .item(var item):
                if item.before != nil, item.after != nil { inputs[input].position += 1 }
                item.before?.origin = ReferenceOrigin(input: input, offset: offset, rank: input)
                item.after?.origin = ReferenceOrigin(
                    input: input, offset: inputs[input].position - 1, rank: input)
                take(item, source)
            case .watermark(let watermark):
                clocks[source]?.carry(watermark, sender: inputs[input].partition)
                rise()
            case .rest: break
            }
        }
    }

    /// The input whose head comes next: what has no usable time at once, else by (time, source,
    /// partition).
    private func next() -> Int? {
        var best: (input: Int, time: Int64)?
        for (index, input) in inputs.enumerated() where input.position < input.entries.count {
            var time: Int64?
            switch input.entries[input.position] {
            case .record(let record):
                if !isAhead(record, input.source) { time = record.time.map { $0 * 1000 } }
            case .item(let item): time = (item.after ?? item.before)?.time
            case .watermark, .rest: break
            }
            guard let time else { return index }
            if best.map({ time < $0.time }) ?? true { best = (index, time) }
        }
        return best?.input
    }

    private func isAhead(_ record: ReferenceRecord, _ source: Int) -> Bool {
        guard let rule = topology.sources[source].time, let time = record.time else { return false }
        return time > record.arrival + rule.ahead
    }

    private func take(_ input: Int, _ source: Int, _ offset: Int, _ record: ReferenceRecord) {
        let plan = topology.sources[source]
        func reject(_ reason: String) {
            rejects.append(
                ReferenceReject(
                    origin: "\(inputs[input].name):\(offset)", reason: reason, step: plan.name))
        }
        if isAhead(record, source) { return reject("clock") }
        if let fault = record.fault,
            fault.field.map({ fieldsRead[plan.name]?.contains($0) ?? false }) ?? true
        {
            return reject(fault.reason)
        }
        guard let time = record.time,
            let key = Self.keyText(record.values[plan.fields[0].name] ?? .null)
        else { return reject("missing-field") }
        if ReferencePartitioner.partition(key, count: taskCount) != inputs[input].partition {
            return reject("wrong-partition")
        }
        let row = ReferenceRow(
            id: "\(source):\(inputs[input].partition):\(offset)", time: time * 1000, key: key,
            values: record.values,
            origin: ReferenceOrigin(input: input, offset: offset, rank: input))
        take(ReferenceItem(after: row), source)
    }

    /// The key's bytes, as text.
    static func keyText(_ value: ReferenceValue) -> String? {
        switch value {
        case .string(let text): text
        case .number(let number): number.text(scale: 0)
        default: nil
        }
    }

    /// A row that the source accepts: through the steps with the watermarks before it, then the
    /// watermarks that it makes.
    private func take(_ item: ReferenceItem, _ source: Int) {
        guard let row = item.after ?? item.before else { return }
        clocks[source]?.accept(row.key, row.time)
        if let table = tables[source] {
            table.put(row.key, time: row.time, row.values)
        } else {
            let domain = sourceDomains[source]
            holds = hasJoins && domain?.clocksKeys ?? false
            pass([source: [item]]) { _, _, _ in }
            if holds, let domain {
                // The key's timers touch that key alone.
                fire(in: domain)
                holds = false
                pass([:]) { _, _, _ in }
            }
        }
        rise()
    }

    // MARK: Time

    /// Brings all steps to where the clocks stand: timers by time, upstream steps first.
    private func rise() {
        fire(in: nil)
        advance(to: .max, nil) { _ in true }
        for step in operators.keys.sorted() where graph.isRekey(step) {
            guard let least = domains[step]?.least, least > told[step] ?? .min else { continue }
            told[step] = least
            for receiver in 0..<taskCount { send(step, to: receiver, [.watermark(least)]) }
        }
    }

    /// Fires what is due, in one domain or in all, instant after instant.
    ///
    /// Only where ways join again it shows which step's timers came first: without a join each step
    /// of a chain goes to the end on its own.
    private func fire(in only: ReferenceDomain?) {
        while hasJoins {
            var due: [Int: Int64] = [:]
            for (step, operation) in operators {
                guard let domain = domains[step], only == nil || domain === only else { continue }
                for timer in operation.timers where timer.time <= domain.target(timer.key) {
                    due[step] = min(due[step] ?? .max, timer.time)
                }
            }
            guard let first = due.values.min() else { return }
            advance(to: first, only) { due[$0] == first }
        }
    }

    /// One instant: one domain, or every one, rises to it, but not past its clock.
    private func advance(
        to time: Int64, _ only: ReferenceDomain?, isDue: (_ step: Int) -> Bool
    ) {
        func risen(_ domain: ReferenceDomain) -> (String) -> Int64 {
            { max(domain.watermark($0), min(time, domain.target($0))) }
        }
        func rises(_ domain: ReferenceDomain) -> Bool { only == nil || domain === only }
        pass([:], isDue: isDue) { operation, domain, context in
            if rises(domain) { operation.advance(risen(domain), context) }
        }
        for domain in Array(sourceDomains.values) + Array(domains.values) where rises(domain) {
            for key in domain.clock?.keyNames ?? [""] { domain.reach(key, risen(domain)(key)) }
        }
    }

    /// A recorded tick (microseconds), all inputs being at their end.
    func tick(at time: Int64) {
        for source in clocks.keys.sorted() {
            guard let clock = clocks[source], let domain = sourceDomains[source] else { continue }
            let abandoned = clock.tick(at: time)
            if !clock.clocksKeys { rise() }
            pass([:]) { operation, other, context in
                if other === domain { operation.tick(at: time, context) }
            }
            if !abandoned.isEmpty {
                pass([:]) { operation, other, context in
                    if other === domain || operation is ReferenceUnion {
                        operation.flush(abandoned, context)
                    }
                }
            }
            rise()
        }
        pass([:]) { operation, domain, context in
            if domain.clock == nil { operation.tick(at: time, context) }
        }
    }

    /// The end of a bounded run.
    func flush() { pass([:]) { operation, _, context in operation.flush(nil, context) } }

    /// Brings rows through the steps: each takes its rows, then `finish` it, if it has any or is
    /// due.
    private func pass(
        _ rows: [Int: [ReferenceItem]], isDue: (_ step: Int) -> Bool = { _ in true },
        finish: (any ReferenceOperator, ReferenceDomain, ReferenceContext) -> Void
    ) {
        var emitted: [Int: [ReferenceItem]] = [:]
        for index in operators.keys.sorted() {
            guard let operation = operators[index], let domain = domains[index] else { continue }
            let upstreams = graph.inputs(topology.steps[index])
            let hasRows =
                held[index] != nil
                || upstreams.contains { upstream in
                    if let source = graph.source(upstream) { return rows[source] != nil }
                    guard case .step(let step) = upstream else { return false }
                    return emitted[step]?.isEmpty == false
                }
            guard hasRows || isDue(index) else { continue }
            let context = ReferenceContext(
                step: topology.steps[index].name,
                origin: { [inputs] in "\(inputs[$0.input].name):\($0.offset)" },
                accepted: domain.greatest)
            for (stream, upstream) in upstreams.enumerated() {
                var items = holds ? [] : held[index]?.removeValue(forKey: stream) ?? []
                if let source = graph.source(upstream) {
                    items += rows[source] ?? []
                } else if case .step(let step) = upstream {
                    items += emitted[step] ?? []
                }
                if holds, operation is ReferenceUnion {
                    held[index, default: [:]][stream, default: []] += items
                    continue
                }
                let isOther = self.domain(of: upstream) !== domain
                for var item in items {
                    // What is due in one domain may have to wait in the next.
                    if isOther { item.isFired = false }
                    let key = item.after?.key ?? item.before?.key ?? ""
                    operation.take(item, watermark: domain.watermark(key), context)
                }
            }
            finish(operation, domain, context)
            emitted[index] = context.emitted
            rejects += context.rejects
        }
        for sink in sinks { write(sink, rows, emitted) }
        for step in operators.keys.sorted() where graph.isRekey(step) {
            for item in emitted[step] ?? [] { rekey(step, item) }
        }
    }

    // MARK: Output

    private func write(
        _ sink: Int, _ rows: [Int: [ReferenceItem]], _ emitted: [Int: [ReferenceItem]]
    ) {
        let step = topology.sinks[sink]
        // A rekeyed stream is written by those who receive it.
        let items =
            graph.isRekey(step) ? rows[topology.sources.count + step] : emitted[step]
        for item in items ?? [] {
            guard let row = item.after ?? item.before else { continue }
            let change = item.after == nil ? "withdraw" : item.before == nil ? "new" : "correct"
            let fields = topology.steps[step].output
            outputs[sink, default: []].append(
                ReferenceOutput(
                    time: row.time >= 0 ? row.time / 1000 : 0, key: row.key, change: change,
                    revision: change == "new" ? 0 : item.revision, fields: fields,
                    values: fields.map { row.values[$0.name] ?? .null }))
        }
    }

    /// Sends a row to the task of its new key, a change of the key as a withdrawal and a new row.
    private func rekey(_ step: Int, _ item: ReferenceItem) {
        var items = [item]
        if let before = item.before, let after = item.after, before.key != after.key {
            items = [
                ReferenceItem(before: before, after: nil, revision: item.revision),
                ReferenceItem(after: after),
            ]
        }
        for item in items {
            guard let key = (item.after ?? item.before)?.key else { continue }
            let entries: [Entry] =
                item.before != nil && item.after != nil ? [.item(item), .rest] : [.item(item)]
            send(step, to: ReferencePartitioner.partition(key, count: taskCount), entries)
        }
    }

    private func send(_ step: Int, to receiver: Int, _ entries: [Entry]) {
        sent.append(
            Sent(
                source: topology.sources.count + step, sender: partition, receiver: receiver,
                entries: entries))
    }
}
