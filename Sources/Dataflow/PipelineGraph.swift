import Columnar

/// A plan's operators wired to each other, and the time domains in which they work.
///
/// A time domain is the steps that one clock judges: those below a source up to the next step that
/// joins several clocks, a `union` or a look-up that waits for its table. There a new domain
/// begins, whose watermark is the least of its parents'. Immutable, but for the operators' state.
struct PipelineGraph {
    /// One operator with its place.
    struct Node {
        let operation: any Operator
        /// Index in the plan's steps.
        let step: Int
        let domain: Int
        var children: [Int] = []
        /// Outputs that it feeds: sinks, then rekeyed streams.
        var outputs: [Int] = []
        /// Whether a step downstream has timers under key clocks.
        var keepsGhosts = false
    }

    /// What a source feeds directly.
    struct Root {
        var nodes: [Int] = []
        var outputs: [Int] = []
    }

    /// Steps under one clock. Domain `s` is that of source `s`.
    struct Domain {
        /// Domains whose least watermark it follows; none for a source's.
        var parents: [Int] = []
        /// Its nodes, upstream first.
        var nodes: [Int] = []
        /// Stream sources whose rows come to it.
        var streams: [Int] = []
        /// Rekeyed streams that come from it.
        var rekeys: [Int] = []
        /// Domains that follow this one, at any distance, upstream first.
        var downstream: [Int] = []
        /// The rules by which its rows were judged at the source.
        var rule: TimeRule
        /// Whether keys are whole numbers.
        var keyIsInteger: Bool

        /// Whether the partition's watermark is needed outside its own steps.
        var feedsOthers: Bool { !downstream.isEmpty || !rekeys.isEmpty }
        var usesKeyClocks: Bool { rule.clock == .key }
    }

    private(set) var nodes: [Node] = []
    /// Nodes of unions that rows of one source reach on several ways: whole batches would come out
    /// way by way, so they wait there until all are through.
    private(set) var collecting: Set<Int> = []
    private(set) var roots: [Root]
    private(set) var domains: [Domain]
    /// Per source: its versions, where it is a table.
    let tables: [TableState?]
    private let plan: Plan
    /// Per source: the inputs that it comes in.
    private let inputs: [[Int]]
    /// Per step: the nodes that give its rows, its time domain, and the inputs that its rows name
    /// as causes.
    private var emitters: [[Int]] = []
    private var domainOfStep: [Int] = []
    private var causesOfStep: [[Int]] = []

    /// Makes fresh operators; `inputSources` gives the source of each of the task's inputs.
    init(plan: Plan, inputSources: [Int]) {
        self.plan = plan
        let inputs = plan.sources.indices.map { source in
            inputSources.indices.filter { inputSources[$0] == source }
        }
        self.inputs = inputs
        tables = plan.sources.indices.map { source in
            guard case .table = plan.sources[source].role else { return nil }
            return TableState(
                columnCount: plan.sources[source].schema.fields.count, inputs: inputs[source])
        }
        roots = plan.sources.map { _ in Root() }
        domains = plan.sources.indices.map { source in
            var streams = [source]
            if case .table = plan.sources[source].role { streams = [] }
            return Domain(
                streams: streams, rule: plan.clockRule(of: source) ?? .unused,
                keyIsInteger: plan.sources[source].keyIsInteger)
        }
        for step in plan.steps.indices { add(step) }
        for (output, sink) in plan.sinks.enumerated() { connect(output, to: sink.input) }
        for (index, rekey) in plan.rekeys.enumerated() {
            let output = plan.sinks.count + index
            connect(output, to: rekey.input)
            domains[domain(of: rekey.input)].rekeys.append(output)
        }
        for domain in domains.indices { noteDownstream(of: domain) }
    }

    // MARK: Building

    private func domain(of upstream: Upstream) -> Int {
        switch upstream {
        case .source(let source): source
        case .step(let step): domainOfStep[step]
        }
    }

    private func causes(of upstream: Upstream) -> [Int] {
        switch upstream {
        case .source(let source): inputs[source]
        case .step(let step): causesOfStep[step]
        }
    }

    private mutating func add(_ index: Int) {
        let step = plan.steps[index]
        if case .union(let union) = step.operation {
            add(union, index)
            return
        }
        var domain = domain(of: step.input)
        var causes = causes(of: step.input)
        var emitter: Int?
        if case .lookup(let lookup) = step.operation {
            causes += inputs[lookup.table].filter { !causes.contains($0) }
            if lookup.awaits {
                domain = join([domain, lookup.table], like: domain)
                emitter = append(
                    ReorderOperator(usesKeyClocks: false, passesLate: true), index, domain,
                    after: step.input)
            }
        } else if step.operation.order == .time {
            let usesKeyClocks = domains[domain].usesKeyClocks
            emitter = append(
                ReorderOperator(usesKeyClocks: usesKeyClocks), index, domain, after: step.input)
        }
        let operation = makeOperator(step, in: domains[domain])
        let node =
            emitter.map { append(operation, index, domain, afterNodes: [$0]) }
            ?? append(operation, index, domain, after: step.input)
        note([node], domain, causes)
        if step.operation.hasTimers, domains[domain].usesKeyClocks { markGhosts(upTo: node) }
    }

    /// A union begins a time domain, with one node for each of its streams.
    private mutating func add(_ union: UnionPlan, _ index: Int) {
        let parents = union.inputs.map { self.domain(of: $0.upstream) }
        let domain = join(parents, like: parents[0])
        let streams = parents.flatMap { domains[$0].streams }
        var all: [Int] = []
        for input in union.inputs {
            all += causes(of: input.upstream).filter { !all.contains($0) }
        }
        let ofTables = Set(
            plan.sources.indices.filter { tables[$0] != nil }.flatMap { inputs[$0] })
        let causes = all.filter { !ofTables.contains($0) } + all.filter { ofTables.contains($0) }
        let nodes = union.inputs.map { input in
            append(
                UnionOperator(columns: input.columns, causeInputs: causes), index, domain,
                after: input.upstream)
        }
        if Set(streams).count < streams.count { collecting.formUnion(nodes) }
        note(nodes, domain, causes)
    }

    private mutating func note(_ nodes: [Int], _ domain: Int, _ causes: [Int]) {
        emitters.append(nodes)
        domainOfStep.append(domain)
        causesOfStep.append(causes)
    }

    /// A new domain whose watermark is the least of others'.
    private mutating func join(_ parents: [Int], like first: Int) -> Int {
        var rule = domains[first].rule
        rule.clock = .partition
        for parent in parents where domains[parent].rule != .unused {
            rule.lateness = max(rule.lateness, domains[parent].rule.lateness)
        }
        domains.append(
            Domain(
                parents: parents, streams: Set(parents.flatMap { domains[$0].streams }).sorted(),
                rule: rule, keyIsInteger: domains[first].keyIsInteger))
        return domains.count - 1
    }

    private mutating func append(
        _ operation: any Operator, _ step: Int, _ domain: Int, after upstream: Upstream
    ) -> Int {
        switch upstream {
        case .source(let source):
            let node = append(operation, step, domain, afterNodes: [])
            roots[source].nodes.append(node)
            return node
        case .step(let upstream):
            return append(operation, step, domain, afterNodes: emitters[upstream])
        }
    }

    private mutating func append(
        _ operation: any Operator, _ step: Int, _ domain: Int, afterNodes: [Int]
    ) -> Int {
        nodes.append(Node(operation: operation, step: step, domain: domain))
        let node = nodes.count - 1
        for upstream in afterNodes { nodes[upstream].children.append(node) }
        domains[domain].nodes.append(node)
        return node
    }

    /// Every node above one with timers passes on the clock moves of the rows it drops.
    private mutating func markGhosts(upTo node: Int) {
        var targets: Set<Int> = [node]
        for candidate in domains[nodes[node].domain].nodes.reversed()
        where nodes[candidate].children.contains(where: { targets.contains($0) }) {
            nodes[candidate].keepsGhosts = true
            targets.insert(candidate)
        }
    }

    private mutating func connect(_ output: Int, to upstream: Upstream) {
        switch upstream {
        case .source(let source): roots[source].outputs.append(output)
        case .step(let step):
            for node in emitters[step] { nodes[node].outputs.append(output) }
        }
    }

    private mutating func noteDownstream(of domain: Int) {
        var reached: Set<Int> = [domain]
        for other in domains.indices
        where domains[other].parents.contains(where: reached.contains) {
            reached.insert(other)
            domains[domain].downstream.append(other)
        }
    }

    private func makeOperator(_ step: StepPlan, in domain: Domain) -> any Operator {
        switch step.operation {
        case .filter(let program): return FilterOperator(program, keepsOthers: false)
        case .otherwise(let program): return FilterOperator(program, keepsOthers: true)
        case .machine(let machine):
            return MachineOperator(machine, usesKeyClocks: domain.usesKeyClocks)
        case .select(let program): return SelectOperator(program, output: step.output)
        case .lookup(let lookup):
            return LookupOperator(
                table: tables[lookup.table] ?? TableState(columnCount: 0, inputs: []),
                key: lookup.key, name: plan.sources[lookup.table].name)
        case .rules(let rules): return RulesOperator(rules)
        case .levels(let levels): return LevelsOperator(levels)
        case .distinct: return DistinctOperator(lateness: domain.rule.lateness)
        case .window(let window):
            return WindowOperator(
                window, lateness: domain.rule.lateness, usesKeyClocks: domain.usesKeyClocks,
                keyIsInteger: domain.keyIsInteger,
                isRekeyed: domain.streams.contains { plan.sources[$0].partitions == .substreams })
        case .union(let union):
            return UnionOperator(columns: union.inputs[0].columns, causeInputs: [])
        case .rekey(let field):
            return RekeyOperator(keyField: field, fieldName: step.output.fields[field].name)
        }
    }
}

extension Operation {
    /// Order in which the operation judges rows; nil when it does not matter.
    var order: RowOrder? {
        switch self {
        case .levels(let plan): plan.order
        case .distinct(let plan): plan.order
        case .machine(let plan): plan.order
        case .filter, .otherwise, .select, .lookup, .rules, .window, .union, .rekey: nil
        }
    }

    /// Whether rows may come out at a watermark move.
    var hasTimers: Bool {
        switch self {
        case .window: true
        case .machine(let plan): plan.hasEventDeadlines || plan.order == .time
        default: order == .time
        }
    }

    /// Whether recorded ticks can make rows.
    var countsTicks: Bool {
        if case .machine(let plan) = self { return plan.countsTicks }
        return false
    }
}

extension Plan {
    /// The clock of a source; nil for a table that nothing waits for.
    func clockRule(of source: Int) -> TimeRule? {
        switch sources[source].role {
        case .stream(let rule): return rule
        case .table(let rule):
            guard let disorder = rule.disorder else { return nil }
            return TimeRule(
                field: rule.timeField, disorder: disorder, lateness: 0, ahead: .max,
                clock: .partition, idle: rule.idle)
        }
    }
}

extension SourcePlan {
    var keyIsInteger: Bool {
        if case .int = schema.fields[keyField].type { return true }
        return false
    }
}

extension TimeRule {
    /// For the domain of a table that nothing waits for.
    static let unused = TimeRule(
        field: 0, disorder: 0, lateness: 0, ahead: 0, clock: .partition)
}
