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
    private let graph: PipelineGraph
    private let tables: [TableState?]
    private var clocks: [SourceClock?]
    /// Per time domain: its watermark. A source's is its clock's.
    private var watermarks: [Int64]
    /// The rows on their way through the graph, where some domain has other watermarks for them.
    private var piece = Piece()
    /// Streams are emptied, at the end or of abandoned keys: every union waits for all of its own.
    private var isEmptying = false
    private var held: [(node: Int, batch: Batch, context: RowContext)] = []
    private var nextSequence: Int64 = 0
    private var emissions: [Emission] = []
    private var rejects: [Reject] = []
    /// Per input: the offset after the last record taken, -1 before the first. Kept up to date
    /// only where some output tells it.
    private var taken: [Int64]
    /// Whether each output tells up to where its rows' inputs had been taken.
    private let tellsPositions: [Bool]

    /// What goes to one output: a sink, or a stream that is rekeyed.
    package struct Emission: Sendable {
        /// Rows, or what a receiver of rekeyed rows must know of their time.
        package enum Content: Sendable {
            case rows(Batch)
            /// The watermark of a rekeyed stream has risen to here; microseconds.
            case watermark(Int64)
        }

        /// Index of the sink in the plan; rekeyed streams count on from the last one.
        package var output: Int
        package var content: Content
        /// Of the rows of alarms.
        package var positions: TakenPositions?
    }

    /// Rows that one source has pushed, as other domains judge them.
    private struct Piece {
        var firstSequence: Int64 = 0
        var rowCount = 0
        /// Per time domain downstream of the source: its watermark before and after each row.
        var before: [Int: ArraySlice<Int64>] = [:]
        var after: [Int: ArraySlice<Int64>] = [:]
        /// The rows' input and offsets, where outputs tell positions.
        var input = -1
        var offsets: [Int64] = []
    }

    /// Makes the operators of a checked plan, with empty state.
    ///
    /// `inputSources` gives the source of each input, that is of each partition that the task
    /// reads, ascending; nil is one input a source. `maximumRowCount` cuts execution only.
    package init(
        plan: Plan, inputSources: [Int]? = nil, keys: KeyTable = KeyTable(),
        maximumRowCount: Int = Batch.maximumRowCount
    ) {
        self.plan = plan
        self.keys = keys
        self.maximumRowCount = maximumRowCount
        let inputs = inputSources ?? Array(plan.sources.indices)
        let graph = PipelineGraph(plan: plan, inputSources: inputs)
        self.graph = graph
        tables = graph.tables
        clocks = plan.sources.indices.map { source in
            let substreams = inputs.count { $0 == source }
            return plan.clockRule(of: source).map {
                SourceClock(
                    rule: $0, substreams: $0.clock == .carried ? substreams : 0,
                    tracksPartition: graph.domains[source].feedsOthers,
                    notesTimes: plan.hasEventDeadlines)
            }
        }
        watermarks = graph.domains.map { _ in .min }
        taken = inputs.map { _ in -1 }
        tellsPositions =
            plan.sinks.map { $0.format != .json } + plan.rekeys.map { _ in false }
    }

    // MARK: Input

    /// Takes accepted rows of one source, in merge order; at most `maximumRowCount`.
    package func push(source: Int, _ batch: Batch) {
        guard batch.rowCount > 0 else { return }
        guard var clock = clocks[source] else {
            tables[source]?.apply(batch)
            take(batch)
            return
        }
        // Taken out while it changes, so that no write copies its arrays.
        clocks[source] = nil
        let (before, after, partition) = clock.observe(times: batch.times, keys: batch.keys)
        clocks[source] = clock
        let usesKeyClocks = clock.rule.clock == .key
        if usesKeyClocks, !graph.domains[source].feedsOthers {
            deliver(source: source, batch, before, after)
            take(batch)
            piece = Piece()
        } else {
            var rises = DomainRises(graph: graph, source: source, watermarks: watermarks)
            rises.follow(partition)
            pushCut(source: source, batch, before, after, rises)
        }
        sortRejects()
    }

    /// A record has been taken that gives no row.
    package func take(_ place: RecordPlace) { taken[place.input] = place.offset + 1 }

    /// Rows have been taken, in their order and of one input.
    private func take(_ batch: Batch) {
        guard tellsPositions.contains(true), let last = batch.origin(batch.rowCount - 1) else {
            return
        }
        take(last)
    }

    /// The sender of a substream of a rekeyed stream has told its watermark, in microseconds.
    package func pushWatermark(_ told: Int64, source: Int, substream: Int) {
        guard clocks[source]?.carry(told, substream: substream) == true else { return }
        raise(source: source)
        sortRejects()
    }

    /// Cuts a batch after each row that takes a domain's watermark to a possible timer.
    private func pushCut(
        source: Int, _ batch: Batch, _ before: [Int64], _ after: [Int64], _ rises: DomainRises
    ) {
        var start = 0
        while start < batch.rowCount {
            var end = batch.rowCount
            for rise in rises.all {
                let boundary = boundary(of: rise.domain, after: rise.before(start))
                end = min(end, rise.firstRow(from: start, reaching: boundary) + 1)
            }
            end = min(end, batch.rowCount)
            let range = start..<end
            piece.before = rises.others { $0.before[range] }
            piece.after = rises.others { $0.after[range] }
            let rows = batch.slice(range)
            deliver(source: source, rows, Array(before[range]), Array(after[range]))
            take(rows)
            piece = Piece()
            advance(rises.all.map { ($0.domain, $0.after[end - 1]) })
            start = end
        }
    }

    /// The smallest watermark after `watermark` at which something may come out of a domain.
    private func boundary(of domain: Int, after watermark: Int64) -> Int64 {
        // What is rekeyed tells every rise.
        if !graph.domains[domain].rekeys.isEmpty { return watermark.addingSaturating(1) }
        var boundary = Int64.max
        for node in graph.domains[domain].nodes {
            boundary = min(boundary, graph.nodes[node].operation.boundary(after: watermark))
        }
        return boundary
    }

    private func deliver(source: Int, _ batch: Batch, _ before: [Int64], _ after: [Int64]) {
        if let table = tables[source] {
            table.apply(batch)
            return
        }
        let count = Int64(batch.rowCount)
        piece.firstSequence = nextSequence
        piece.rowCount = batch.rowCount
        if tellsPositions.contains(true), let place = batch.origin(0),
            let cause = batch.causes.first(where: { $0.input == place.input })
        {
            (piece.input, piece.offsets) = (place.input, cause.first)
        }
        let context = RowContext(
            before: before, after: after,
            sequences: Array(nextSequence..<nextSequence + count))
        nextSequence += count
        emit(batch, context, to: graph.roots[source].outputs)
        for node in graph.roots[source].nodes { hand(batch, context, from: source, to: node) }
        releaseHeld(below: source, .taken)
    }

    /// Gives rows to a step, to a union of several ways only when all that come to it are there;
    /// one of another time domain judges them by its own watermark.
    private func hand(_ batch: Batch, _ context: RowContext, from domain: Int, to node: Int) {
        let target = graph.nodes[node].domain
        if isEmptying
            ? graph.nodes[node].operation is UnionOperator : graph.collecting.contains(node)
        {
            if batch.rowCount > 0 { held.append((node, batch, context)) }
        } else if target == domain {
            run(node) { $0.push(batch, context, &$1) }
        } else if batch.rowCount > 0 {
            let judged = self.context(context, in: target)
            run(node) { $0.push(batch, judged, &$1) }
        }
    }

    private func emit(_ batch: Batch, _ context: RowContext, to outputs: [Int]) {
        for output in outputs {
            emissions.append(
                Emission(
                    output: output, content: .rows(batch),
                    positions: tellsPositions[output] ? positions(context) : nil))
        }
    }

    /// Up to where the inputs had been taken when each row came out: rows that timers made come
    /// after the whole piece that made them due.
    private func positions(_ context: RowContext) -> TakenPositions {
        TakenPositions(
            taken: taken, input: piece.input,
            next: context.sequences.map { sequence in
                let index = Int(sequence - piece.firstSequence)
                return piece.offsets.indices.contains(index) ? piece.offsets[index] + 1 : -1
            })
    }

    /// Calls one operator and hands what it gives to the steps and outputs downstream.
    private func run(_ index: Int, _ call: (any Operator, inout StepOutput) -> Void) {
        let node = graph.nodes[index]
        var output = StepOutput(
            nextSequence: nextSequence, step: node.step, keepsGhosts: node.keepsGhosts,
            keys: keys, maximumRowCount: maximumRowCount)
        call(node.operation, &output)
        nextSequence = output.nextSequence
        rejects += output.rejects
        for (batch, context) in output.batches {
            if batch.rowCount > 0 { emit(batch, context, to: node.outputs) }
            for child in node.children { hand(batch, context, from: node.domain, to: child) }
        }
    }

    /// The watermarks by which a domain judges rows that come from another one: for rows of the
    /// piece under way its own at that row, for those that timers made its present one.
    private func context(_ context: RowContext, in domain: Int) -> RowContext {
        var result = context
        result.ghosts = []
        result.isFired = false
        for row in context.sequences.indices {
            let index = Int(context.sequences[row] - piece.firstSequence)
            if (0..<piece.rowCount).contains(index), let before = piece.before[domain],
                let after = piece.after[domain]
            {
                result.before[row] = before[before.startIndex + index]
                result.after[row] = after[after.startIndex + index]
            } else {
                result.before[row] = watermarks[domain]
                result.after[row] = watermarks[domain]
            }
        }
        return result
    }

    // MARK: Time

    /// Raises domains to their targets, upstream first: fires the timers of their steps by time,
    /// then tells the rises to those who read the rekeyed rows.
    private func advance(_ targets: [(domain: Int, watermark: Int64)]) {
        let old = watermarks
        while true {
            var due = Int64.max
            for target in targets {
                let next = nextTimer(of: target.domain)
                if next <= target.watermark { due = min(due, next) }
            }
            if due == .max { break }
            for target in targets {
                releaseHeld(in: target.domain, .stream)
                if due <= target.watermark { move(target.domain, to: due) }
            }
        }
        for target in targets {
            releaseHeld(in: target.domain, .stream)
            move(target.domain, to: target.watermark)
            guard target.watermark > old[target.domain] else { continue }
            for output in graph.domains[target.domain].rekeys {
                emissions.append(Emission(output: output, content: .watermark(target.watermark)))
            }
        }
    }

    /// The earliest timer of a domain; under key clocks they are the keys' own affair.
    private func nextTimer(of domain: Int) -> Int64 {
        if graph.domains[domain].usesKeyClocks { return .max }
        return graph.domains[domain].nodes.reduce(.max) {
            min($0, graph.nodes[$1].operation.nextTimer)
        }
    }

    private func move(_ domain: Int, to watermark: Int64) {
        for node in graph.domains[domain].nodes { run(node) { $0.advance(to: watermark, &$1) } }
        watermarks[domain] = max(watermarks[domain], watermark)
    }

    /// Raises the domains that follow a source's clock to where it stands now.
    private func raise(source: Int) {
        guard let clock = clocks[source] else { return }
        let usesKeyClocks = clock.rule.clock == .key
        guard !usesKeyClocks || graph.domains[source].feedsOthers else { return }
        var rises = DomainRises(graph: graph, source: source, watermarks: watermarks)
        rises.follow([clock.watermark])
        let targets = rises.all.map { ($0.domain, $0.after[0]) }
        if targets.contains(where: { $0.1 > watermarks[$0.0] }) { advance(targets) }
    }

    /// A recorded tick on a fixed grid; `isAtEnd` says it of each source.
    package func tick(at time: Int64, isAtEnd: [Bool], gridMicroseconds: Int64) {
        for source in plan.sources.indices {
            guard var clock = clocks[source] else { continue }
            clock.tick(at: time, isAtEnd: isAtEnd[source], gridMicroseconds: gridMicroseconds)
            let abandoned = clock.abandonedKeys(
                at: time, gridMicroseconds: gridMicroseconds, keys: keys)
            clocks[source] = clock
            let usesKeyClocks = clock.rule.clock == .key
            if !usesKeyClocks { raise(source: source) }
            if isAtEnd[source] { tick(source, at: time, gridMicroseconds) }
            releaseHeld(below: source, .stream)
            if !abandoned.isEmpty {
                abandon(abandoned, of: source, AcceptedTimes(clock))
            }
            if usesKeyClocks { raise(source: source) }
        }
        for domain in graph.domains.indices.dropFirst(plan.sources.count) {
            releaseHeld(in: domain, .stream)
            if graph.domains[domain].streams.allSatisfy({ isAtEnd[$0] }) {
                tick(domain, at: time, gridMicroseconds)
            }
        }
        sortRejects()
    }

    private func abandon(_ abandoned: [Int32], of source: Int, _ times: AcceptedTimes) {
        isEmptying = true
        for node in graph.domains[source].nodes {
            run(node) { $0.abandon(abandoned, &$1) }
            run(node) { $0.end(at: times, of: abandoned, &$1) }
        }
        releaseHeld(below: source, .time)
        isEmptying = false
    }

    /// Tells a domain's steps a tick at which all that feeds them was at its end.
    private func tick(_ domain: Int, at time: Int64, _ gridMicroseconds: Int64) {
        for node in graph.domains[domain].nodes {
            run(node) { $0.tick(at: time, gridMicroseconds: gridMicroseconds, &$1) }
        }
    }

    /// In which order a union gets the rows that it waited for; then by its streams.
    private enum HeldOrder {
        /// As the records were taken that brought them about.
        case taken
        /// All at once: rows of one instant.
        case stream
        /// By their time: rows of streams that are emptied.
        case time
    }

    private func releaseHeld(below source: Int, _ order: HeldOrder) {
        if held.isEmpty { return }
        for domain in graph.domains[source].downstream { releaseHeld(in: domain, order) }
    }

    /// Gives a domain the rows that its union waited for.
    private func releaseHeld(in domain: Int, _ heldOrder: HeldOrder) {
        if held.isEmpty { return }
        let streams = held.filter { graph.nodes[$0.node].domain == domain }
        guard !streams.isEmpty else { return }
        held.removeAll { graph.nodes[$0.node].domain == domain }
        var order: [(place: Int64, node: Int, stream: Int, row: Int)] = []
        for (index, stream) in streams.enumerated() {
            for row in 0..<stream.batch.rowCount {
                let place =
                    switch heldOrder {
                    case .taken: stream.context.sequences[row]
                    case .stream: Int64(0)
                    case .time: stream.batch.times[row]
                    }
                order.append((place, stream.node, index, row))
            }
        }
        order.sort {
            ($0.place, $0.node, $0.stream, $0.row) < ($1.place, $1.node, $1.stream, $1.row)
        }
        var start = 0
        while start < order.count {
            let stream = order[start].stream
            let end = order[start...].firstIndex { $0.stream != stream } ?? order.count
            let rows = order[start..<end].map { Int32($0.row) }
            let (node, batch, context) = streams[stream]
            let kept = context.keeping(rows, keys: batch.keys, keepsGhosts: false)
            let judged = self.context(kept, in: domain)
            run(node) { $0.push(batch.gather(rows), judged, &$1) }
            start = end
        }
    }

    /// The greatest accepted event times of the streams that feed a domain.
    private func acceptedTimes(of domain: Int) -> AcceptedTimes {
        let streams = graph.domains[domain].streams.compactMap { clocks[$0] }
        if graph.domains[domain].usesKeyClocks, let clock = streams.first {
            return AcceptedTimes(clock)
        }
        return AcceptedTimes(partition: streams.map(\.maximumTime).max() ?? .min)
    }

    /// The end of a bounded run: waiting rows and open windows come out, no watermark moves.
    package func flush() {
        isEmptying = true
        for domain in graph.domains.indices {
            releaseHeld(in: domain, .time)
            let times = acceptedTimes(of: domain)
            for node in graph.domains[domain].nodes {
                run(node) { $0.flush(&$1) }
                run(node) { $0.end(at: times, of: nil, &$1) }
            }
        }
        isEmptying = false
        sortRejects()
    }

    /// Whether ticks can change anything: without an `idle`, an `abandon` or a deadline that counts
    /// them they need no record.
    package var needsTicks: Bool {
        clocks.contains { $0?.rule.idle != nil || $0?.rule.abandon != nil }
            || plan.steps.contains { $0.operation.countsTicks }
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
        plan.sources.indices.compactMap { source in
            guard case .stream(let rule) = plan.sources[source].role, rule.clock != .key
            else { return nil }
            return clocks[source]?.watermark
        }.min()
    }

    /// What has come out since the last call, in order.
    package func takeOutput() -> (emissions: [Emission], rejects: [Reject]) {
        defer {
            emissions.removeAll(keepingCapacity: true)
            rejects.removeAll(keepingCapacity: true)
        }
        return (emissions, rejects)
    }

    // MARK: State

    /// Writes all state, canonically: equal state gives equal bytes, however it came about.
    package func save(to snapshot: inout SnapshotWriter) {
        keys.sort()
        snapshot.write(watermarks)
        if tellsPositions.contains(true) { snapshot.write(taken) }
        for clock in clocks { clock?.save(to: &snapshot, keys: keys) }
        for table in tables { table?.save(to: &snapshot, keys: keys) }
        for node in graph.nodes { node.operation.save(to: &snapshot, keys: keys) }
    }

    /// Takes up what ``save(to:)`` wrote; the pipeline must be fresh and of the same plan.
    package func restore(from snapshot: inout SnapshotReader) throws(SnapshotError) {
        let saved = try snapshot.readInt64s()
        guard saved.count == watermarks.count else {
            throw SnapshotError("the snapshot has another number of clocks than the plan")
        }
        watermarks = saved
        if tellsPositions.contains(true) {
            let positions = try snapshot.readInt64s()
            guard positions.count == taken.count else {
                throw SnapshotError("the snapshot has another number of inputs than the task")
            }
            taken = positions
        }
        for index in clocks.indices {
            try clocks[index]?.restore(from: &snapshot, keys: &keys)
        }
        for table in tables { try table?.restore(from: &snapshot, keys: &keys) }
        for node in graph.nodes {
            try node.operation.restore(from: &snapshot, keys: &keys)
        }
    }
}
