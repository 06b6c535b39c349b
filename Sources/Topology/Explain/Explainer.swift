import Columnar
import Dataflow
import Primitives

/// Says what checked plans do, for ``Explanation``. What one kind of operator does is in
/// `Explainer+Operations.swift`. No state; any thread may call it.
package struct Explainer {
    /// One stage of a topology.
    let plan: Plan

    /// Explains topologies together; a sink's topic that another one reads makes a link.
    /// O(sources × sinks) of all of them.
    package static func explain(_ topologies: [LoadedTopology]) -> Explanation {
        let readers = topologies.map { topology in
            var names: Set<String> = []
            return topology.plans.flatMap(\.sources).filter {
                $0.partitions != .substreams && names.insert($0.name).inserted
            }
        }
        var links: [ExplainedLink] = []
        for (from, writer) in topologies.enumerated() {
            for sink in writer.plans.flatMap(\.sinks) {
                for (to, sources) in readers.enumerated() {
                    for source in sources where source.topic == sink.topic {
                        links.append(
                            ExplainedLink(
                                topic: sink.topic, fromTopology: from, from: sinkID(sink),
                                toTopology: to, to: source.name))
                    }
                }
            }
        }
        return Explanation(topologies: topologies.map(explain), links: links)
    }

    private static func sinkID(_ sink: SinkPlan) -> String { "sink \(sink.topic)" }

    private static func explain(_ topology: LoadedTopology) -> ExplainedTopology {
        var sources: [ExplainedNode] = []
        var steps: [ExplainedNode] = []
        var sinks: [ExplainedNode] = []
        var edges: [ExplainedEdge] = []
        for plan in topology.plans {
            let stage = Explainer(plan: plan)
            // A rekeyed stream is the step of the stage before that writes it.
            for source in plan.sources
            where source.partitions != .substreams
                && !sources.contains(where: { $0.id == source.name })
            {
                sources.append(stage.node(source))
            }
            for parts in stage.groups() {
                steps.append(stage.node(parts))
                edges += stage.edges(parts)
            }
            for sink in plan.sinks {
                sinks.append(stage.node(sink))
                edges.append(
                    ExplainedEdge(from: stage.name(sink.input), to: sinkID(sink), kind: .rows))
            }
        }
        let order = topology.spec.sources.map(\.name.value)
        sources.sort { (order.firstIndex(of: $0.id) ?? 0) < (order.firstIndex(of: $1.id) ?? 0) }
        return ExplainedTopology(
            name: topology.plan.name, version: topology.plan.version,
            describe: topology.description, rejects: topology.plans.map(\.rejectTopic),
            journals: topology.plans.map(\.journalTopic), nodes: sources + steps + sinks,
            edges: edges)
    }

    private func edges(_ parts: [Int]) -> [ExplainedEdge] {
        let first = plan.steps[parts[0]]
        let name = stepName(first)
        var inputs = first.operation.inputs(first.input).map { self.name($0) }
        // A side output hangs on the step whose filter it is the other side of.
        if case .otherwise = first.operation { inputs = [stepName(plan.steps[parts[0] - 1])] }
        let tables = parts.flatMap { plan.steps[$0].operation.tables }
        return inputs.map { ExplainedEdge(from: $0, to: name, kind: .rows) }
            + tables.map { ExplainedEdge(from: plan.sources[$0].name, to: name, kind: .lookup) }
    }

    // MARK: Names

    /// The step as the user named it: without the suffix of a part of it.
    private func stepName(_ step: StepPlan) -> String {
        step.name.split(separator: ".").first.map(String.init) ?? step.name
    }

    /// The steps of the plan that are one step of the file, by index.
    private func groups() -> [[Int]] {
        var groups: [[Int]] = []
        for index in plan.steps.indices {
            let name = stepName(plan.steps[index])
            if let own = groups.firstIndex(where: { stepName(plan.steps[$0[0]]) == name }) {
                groups[own].append(index)
            } else {
                groups.append([index])
            }
        }
        return groups
    }

    private func name(_ upstream: Upstream) -> String {
        switch upstream {
        case .source(let index): plan.sources[index].name
        case .step(let index): stepName(plan.steps[index])
        }
    }

    private func schema(_ upstream: Upstream) -> Schema {
        switch upstream {
        case .source(let index): plan.sources[index].rowSchema
        case .step(let index): plan.steps[index].output
        }
    }

    /// The (first) stream source that rows come from.
    private func source(_ upstream: Upstream) -> SourcePlan {
        switch upstream {
        case .source(let index): plan.sources[index]
        case .step(let index): source(plan.steps[index].input)
        }
    }

    /// The time rule of the source of some rows, as it holds for them.
    private func rule(_ upstream: Upstream) -> TimeRule? {
        switch upstream {
        case .source(let index):
            if case .stream(let rule) = plan.sources[index].role { rule } else { nil }
        case .step(let index): plan.steps[index].operation.rule(rule, plan.steps[index].input)
        }
    }

    // MARK: Sources

    private func node(_ source: SourcePlan) -> ExplainedNode {
        let fields = source.schema.fields
        var facts = [
            ExplainedFact("topic", source.topic), ExplainedFact("format", source.format.text),
            ExplainedFact("schema", source.schema.name),
            ExplainedFact("key", fields[source.keyField].name),
        ]
        let state: [ExplainedState]
        let isTable: Bool
        switch source.role {
        case .stream(let rule):
            facts += time(rule, fields[rule.field].name)
            if let arrival = source.arrivalField {
                facts.append(ExplainedFact("arrival", fields[arrival].name, group: "time"))
            }
            state = [clockState(rule)]
            isTable = false
        case .table(let rule):
            facts.append(ExplainedFact("as of", fields[rule.timeField].name))
            facts += [duration("disorder", rule.disorder), duration("idle", rule.idle)]
                .compactMap(\.self)
            if source.partitions == .all {
                facts.append(ExplainedFact("global", "every task reads all partitions"))
            }
            state = [ExplainedState(what: "all versions", per: "key", kept: "never dropped")]
            isTable = true
        }
        return ExplainedNode(
            id: source.name, kind: isTable ? .table : .stream, name: source.name,
            operation: isTable ? "table" : "stream", facts: facts,
            fields: source.fieldsRead.map { self.field(fields[$0], isCarried: true) },
            state: state, doubles: [])
    }

    private func duration(_ name: String, _ value: Int64?) -> ExplainedFact? {
        value.map { ExplainedFact(name, DurationText.text($0), group: "time") }
    }

    private func time(_ rule: TimeRule, _ field: String) -> [ExplainedFact] {
        [
            ExplainedFact("time", field, group: "time"), duration("disorder", rule.disorder),
            duration("lateness", rule.lateness), duration("ahead", rule.ahead),
            ExplainedFact("clock", rule.clock.rawValue, group: "time"),
            duration("abandon", rule.abandon), duration("idle", rule.idle),
            duration("granule", rule.granule),
        ].compactMap(\.self)
    }

    private func clockState(_ rule: TimeRule) -> ExplainedState {
        rule.clock == .key
            ? ExplainedState(
                what: "watermark, time of silence", per: "key", kept: "never dropped")
            : ExplainedState(what: "watermark", per: "partition", kept: "never dropped")
    }

    // MARK: Steps

    private func node(_ parts: [Int]) -> ExplainedNode {
        let first = plan.steps[parts[0]]
        let last = plan.steps[parts[parts.count - 1]]
        var node = ExplainedNode(
            id: stepName(first), kind: .step, name: stepName(first), operation: "", facts: [],
            fields: [], state: [], doubles: [])
        let origin = source(first.input)
        for index in parts {
            let step = plan.steps[index]
            guard let rule = rule(step.input) else { continue }
            explain(step.operation, index, origin: origin, rule, in: &node)
        }
        var names: [String] = []
        for name in parts.map({ plan.steps[$0].operation.name }) where names.last != name {
            names.append(name)
        }
        node.operation = names.joined(separator: ", ")
        let input = schema(first.input)
        var expressions: [String: String] = [:]
        for index in parts {
            let step = plan.steps[index]
            for (field, text) in zip(step.output.fields, self.expressions(step)) {
                if let text { expressions[field.name] = text }
            }
        }
        node.fields = last.output.fields.map { field in
            let text = expressions[field.name]
            let isSame = text == field.name || text == "\(name(first.input)).\(field.name)"
            let isCarried = input.index(of: field.name) != nil && (text == nil || isSame)
            return self.field(field, text, isCarried: isCarried)
        }
        return node
    }

    private func field(
        _ field: Field, _ expression: String? = nil, isCarried: Bool
    ) -> ExplainedField {
        ExplainedField(
            name: field.name, type: "\(field.type)\(field.isNullable ? "?" : "")",
            expression: isCarried ? nil : expression, isCarried: isCarried)
    }

    // MARK: Sinks

    private func node(_ sink: SinkPlan) -> ExplainedNode {
        let origin = source(sink.input)
        let fields = schema(sink.input).fields
        return ExplainedNode(
            id: Self.sinkID(sink), kind: .sink, name: sink.topic, operation: "sink",
            facts: [
                ExplainedFact("topic", sink.topic), ExplainedFact("format", sink.format.text),
                ExplainedFact("codec", sink.codec.rawValue),
                ExplainedFact("key", origin.schema.fields[origin.keyField].name),
            ],
            fields: fields.map { self.field($0, isCarried: true) }, state: [], doubles: [])
    }
}

extension SinkFormat {
    /// As topology files write it.
    fileprivate var text: String {
        switch self {
        case .json: "json"
        case .cloudEvents(let alarm):
            alarm.isStructured ? "cloudevents, structured" : "cloudevents"
        }
    }
}

extension FormatPlan {
    /// As topology files write it.
    fileprivate var text: String {
        switch self {
        case .json: return "json"
        case .csv(let form): return form.hasHeader ? "csv with a header" : "csv"
        case .cloudEvents(.automatic): return "cloudevents"
        case .cloudEvents(let mode): return "cloudevents, \(mode.rawValue)"
        case .protobuf(let form):
            let wire = form.isFramed ? ", Confluent's wire format" : ""
            return "protobuf, message \(form.message) of \(form.descriptors)\(wire)"
        case .avro(let form):
            switch form.origin {
            case .file(let name): return "avro, schema \(name)"
            case .subject(let subject):
                let ids = form.writers.map { String($0.id) }.joined(separator: ", ")
                return "avro, subject \(subject), schema ids \(ids)"
            }
        case .hj212(let minutes):
            let size = abs(minutes)
            func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
            return "hj212, UTC\(minutes < 0 ? "-" : "+")\(two(size / 60)):\(two(size % 60))"
        }
    }
}
