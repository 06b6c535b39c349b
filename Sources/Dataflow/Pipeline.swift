import Columnar

/// One task's operators, wired as its plan says, with their state and clocks.
///
/// Synchronous: rows, ticks and the end of input go in; sink batches and rejects come out, in an
/// order that depends on the order of what went in alone. No clock, no randomness, no I/O.
/// Threading: one thread at a time.
package final class Pipeline {
    package let plan: Plan
    /// The task's keys. Decoders intern into it before rows are pushed.
    package var keys: KeyTable
    private let maximumRowCount: Int
    private let tables: [TableState?]
    private var clocks: [SourceClock?]
    private let nodes: [Node]
    /// Nodes fed by each source directly.
    private let roots: [[Int]]
    /// Sinks fed by each source directly.
    private let rootSinks: [[Int]]
    /// All nodes downstream of each source, upstream first.
    private let chains: [[Int]]
    private var nextSequence: Int64 = 0
    private var sinkBatches: [SinkBatch] = []
    private var rejects: [Reject] = []

    /// A batch for one sink.
    package struct SinkBatch: Sendable {
        /// Index of the sink in the plan.
        package var sink: Int
        package var batch: Batch
    }

    private struct Node {
        let operation: any Operator
        /// Index in the plan's steps.
        let step: Int
        var children: [Int] = []
        var sinks: [Int] = []
        /// Whether a step downstream has timers under key clocks.
        var keepsGhosts = false
    }

    /// Makes the operators of a checked plan, with empty state.
    ///
    /// `maximumRowCount` cuts execution only; results do not depend on it.
    package init(
        plan: Plan, keys: KeyTable = KeyTable(), maximumRowCount: Int = Batch.maximumRowCount
    ) {
        self.plan = plan
        self.keys = keys
        self.maximumRowCount = maximumRowCount
        let tables = plan.sources.map { source -> TableState? in
            guard case .table = source.role else { return nil }
            return TableState(columnCount: source.schema.fields.count)
        }
        self.tables = tables
        clocks = plan.sources.map { source in
            guard case .stream(let rule) = source.role else { return nil }
            return SourceClock(rule: rule)
        }
        var wiring = Wiring(plan: plan)
        for index in plan.steps.indices { wiring.add(step: index, tables: tables) }
        wiring.connectSinks()
        nodes = wiring.nodes
        roots = wiring.roots
        rootSinks = wiring.rootSinks
        chains = wiring.chains
    }

    /// Builds the nodes of a plan; a step that judges in time order gets a reorder node before it.
    private struct Wiring {
        let plan: Plan
        var nodes: [Node] = []
        var roots: [[Int]]
        var rootSinks: [[Int]]
        var chains: [[Int]]
        /// Per step: its last node, and the source it descends from.
        var lastNode: [Int] = []
        var sourceOfStep: [Int] = []

        init(plan: Plan) {
            self.plan = plan
            roots = plan.sources.map { _ in [] }
            rootSinks = roots
            chains = roots
        }

        mutating func add(step index: Int, tables: [TableState?]) {
            let step = plan.steps[index]
            let source: Int
            switch step.input {
            case .source(let origin): source = origin
            case .step(let upstream): source = sourceOfStep[upstream]
            }
            guard case .stream(let rule) = plan.sources[source].role else { return }
            var input = step.input
            if step.operation.order == .time {
                let reorder = ReorderOperator(usesKeyClocks: rule.clock == .key)
                let node = append(reorder, step: index, input: input, source: source)
                input = .step(index)
                lastNode.append(node)
                sourceOfStep.append(source)
            }
            let operation = makeOperator(step, source: plan.sources[source], rule, tables)
            let node = append(operation, step: index, input: input, source: source)
            if lastNode.count > index {
                lastNode[index] = node
            } else {
                lastNode.append(node)
                sourceOfStep.append(source)
            }
            let hasTimers = step.operation.hasTimers && rule.clock == .key
            if hasTimers { markGhosts(upTo: node, source: source) }
        }

        private mutating func append(
            _ operation: any Operator, step: Int, input: Upstream, source: Int
        ) -> Int {
            nodes.append(Node(operation: operation, step: step))
            let node = nodes.count - 1
            switch input {
            case .source(let source): roots[source].append(node)
            case .step(let upstream): nodes[lastNode[upstream]].children.append(node)
            }
            chains[source].append(node)
            return node
        }

        /// Every node above one with timers passes on the clock moves of the rows it drops.
        private mutating func markGhosts(upTo node: Int, source: Int) {
            var targets: Set<Int> = [node]
            for candidate in chains[source].reversed()
            where nodes[candidate].children.contains(where: { targets.contains($0) }) {
                nodes[candidate].keepsGhosts = true
                targets.insert(candidate)
            }
        }

        private func makeOperator(
            _ step: StepPlan, source: SourcePlan, _ rule: TimeRule, _ tables: [TableState?]
        ) -> any Operator {
            switch step.operation {
            case .filter(let program): return FilterOperator(program)
            case .select(let program): return SelectOperator(program, output: step.output)
            case .lookup(let table):
                return LookupOperator(
                    table: tables[table] ?? TableState(columnCount: 0), source: table,
                    name: plan.sources[table].name)
            case .levels(let levels): return LevelsOperator(levels)
            case .distinct: return DistinctOperator(lateness: rule.lateness)
            case .window(let window):
                var keyIsInteger = false
                if case .int = source.schema.fields[source.keyField].type { keyIsInteger = true }
                return WindowOperator(
                    window, lateness: rule.lateness, usesKeyClocks: rule.clock == .key,
                    keyIsInteger: keyIsInteger)
            }
        }

        mutating func connectSinks() {
            for (index, sink) in plan.sinks.enumerated() {
                switch sink.input {
                case .source(let source): rootSinks[source].append(index)
                case .step(let step): nodes[lastNode[step]].sinks.append(index)
                }
            }
        }
    }

    // MARK: Input

    /// Takes accepted rows of one source, in merge order; at most `maximumRowCount`.
    package func push(source: Int, _ batch: Batch) {
        if let table = tables[source] {
            table.apply(batch)
            return
        }
        guard batch.rowCount > 0, var clock = clocks[source] else { return }
        // Taken out while it changes, so that no write copies its arrays.
        clocks[source] = nil
        let (before, after) = clock.observe(times: batch.times, keys: batch.keys)
        clocks[source] = clock
        if clock.rule.clock == .key {
            deliver(source: source, batch, before, after)
        } else {
            pushCut(source: source, batch, before, after)
        }
        sortRejects()
    }

    /// Cuts a batch after each row that takes the partition's watermark to a possible timer.
    private func pushCut(source: Int, _ batch: Batch, _ before: [Int64], _ after: [Int64]) {
        var start = 0
        while start < batch.rowCount {
            var boundary = Int64.max
            for node in chains[source] {
                boundary = min(boundary, nodes[node].operation.boundary(after: before[start]))
            }
            var end = start
            while end < batch.rowCount, after[end] < boundary { end += 1 }
            end = min(end + 1, batch.rowCount)
            let range = start..<end
            deliver(
                source: source, batch.slice(range), Array(before[range]), Array(after[range]))
            advance(source: source, to: after[end - 1])
            start = end
        }
    }

    private func deliver(source: Int, _ batch: Batch, _ before: [Int64], _ after: [Int64]) {
        let count = Int64(batch.rowCount)
        let context = RowContext(
            before: before, after: after,
            sequences: Array(nextSequence..<nextSequence + count))
        nextSequence += count
        for sink in rootSinks[source] { sinkBatches.append(SinkBatch(sink: sink, batch: batch)) }
        for node in roots[source] { run(node) { $0.push(batch, context, &$1) } }
    }

    /// Fires the timers of a source's steps up to a watermark: by time, then upstream first.
    private func advance(source: Int, to watermark: Int64) {
        while true {
            var due = Int64.max
            for node in chains[source] { due = min(due, nodes[node].operation.nextTimer) }
            if due > watermark { break }
            for node in chains[source] { run(node) { $0.advance(to: due, &$1) } }
        }
        for node in chains[source] { run(node) { $0.advance(to: watermark, &$1) } }
    }

    /// Calls one operator and hands what it gives to the steps and sinks downstream.
    private func run(_ index: Int, _ call: (any Operator, inout StepOutput) -> Void) {
        let node = nodes[index]
        var output = StepOutput(
            nextSequence: nextSequence, step: node.step, keepsGhosts: node.keepsGhosts,
            keys: keys, maximumRowCount: maximumRowCount)
        call(node.operation, &output)
        nextSequence = output.nextSequence
        rejects += output.rejects
        for (batch, context) in output.batches {
            if batch.rowCount > 0 {
                for sink in node.sinks {
                    sinkBatches.append(SinkBatch(sink: sink, batch: batch))
                }
            }
            for child in node.children { run(child) { $0.push(batch, context, &$1) } }
        }
    }

    /// A recorded tick on a fixed grid; `isAtEnd` says it of each source.
    package func tick(at time: Int64, isAtEnd: [Bool], gridMicroseconds: Int64) {
        for source in plan.sources.indices {
            guard var clock = clocks[source] else { continue }
            let risen = clock.tick(
                at: time, isAtEnd: isAtEnd[source], gridMicroseconds: gridMicroseconds)
            let abandoned = clock.abandonedKeys(gridMicroseconds: gridMicroseconds, keys: keys)
            clocks[source] = clock
            if let risen { advance(source: source, to: risen) }
            if !abandoned.isEmpty {
                for node in chains[source] { run(node) { $0.abandon(abandoned, &$1) } }
            }
        }
        sortRejects()
    }

    /// The end of a bounded run: waiting rows and open windows come out, no watermark moves.
    package func flush() {
        for source in plan.sources.indices {
            for node in chains[source] { run(node) { $0.flush(&$1) } }
        }
        sortRejects()
    }

    /// Whether ticks can change anything: without an `idle` or `abandon` they need no record.
    package var needsTicks: Bool {
        clocks.contains { $0?.rule.idle != nil || $0?.rule.abandon != nil }
    }

    /// Rejects of one taken record stand together, by step; records in the order taken.
    private func sortRejects() {
        guard rejects.count > 1 else { return }
        let order = rejects.indices.sorted {
            (rejects[$0].sequence, rejects[$0].step, $0)
                < (rejects[$1].sequence, rejects[$1].step, $1)
        }
        rejects = order.map { rejects[$0] }
    }

    // MARK: Output

    /// The least watermark over the stream sources with a partition clock; nil without one.
    package var watermark: Int64? {
        clocks.compactMap { clock in
            clock?.rule.clock == .partition ? clock?.watermark : nil
        }.min()
    }

    /// Sink batches and rejects since the last call, in order.
    package func takeOutput() -> (sinks: [SinkBatch], rejects: [Reject]) {
        defer {
            sinkBatches.removeAll(keepingCapacity: true)
            rejects.removeAll(keepingCapacity: true)
        }
        return (sinkBatches, rejects)
    }

    // MARK: State

    /// Writes all state, canonically: equal state gives equal bytes, however it came about.
    package func save(to snapshot: inout SnapshotWriter) {
        for clock in clocks { clock?.save(to: &snapshot, keys: keys) }
        for table in tables { table?.save(to: &snapshot, keys: keys) }
        for node in nodes { node.operation.save(to: &snapshot, keys: keys) }
    }

    /// Takes up what ``save(to:)`` wrote; the pipeline must be fresh and of the same plan.
    package func restore(from snapshot: inout SnapshotReader) throws(SnapshotError) {
        for index in clocks.indices {
            try clocks[index]?.restore(from: &snapshot, keys: &keys)
        }
        for table in tables { try table?.restore(from: &snapshot, keys: &keys) }
        for node in nodes { try node.operation.restore(from: &snapshot, keys: &keys) }
    }
}

extension Operation {
    /// Order in which the operation judges rows; nil when it does not matter.
    var order: RowOrder? {
        switch self {
        case .levels(let plan): plan.order
        case .distinct(let plan): plan.order
        case .filter, .select, .lookup, .window: nil
        }
    }

    /// Whether rows may come out at a watermark move.
    var hasTimers: Bool {
        if case .window = self { return true }
        return order == .time
    }
}
