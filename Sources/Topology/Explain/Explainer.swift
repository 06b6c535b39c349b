import Columnar
import Dataflow
import Primitives

/// Says what checked plans do, for ``Explanation``. What one kind of operator does is in
/// `Explainer+Operations.swift`. No state; any thread may call it.
package struct Explainer {
    let plan: Plan

    /// Explains topologies together; a sink's topic that another one reads makes a link.
    /// O(sources × sinks) of all of them.
    package static func explain(_ topologies: [LoadedTopology]) -> Explanation {
        let parts = topologies.map { topology in
            Explainer(plan: topology.plan).topology(describe: topology.description)
        }
        var links: [ExplainedLink] = []
        for (from, writer) in topologies.enumerated() {
            for sink in writer.plan.sinks {
                for (to, reader) in topologies.enumerated() {
                    for source in reader.plan.sources where source.topic == sink.topic {
                        links.append(
                            ExplainedLink(
                                topic: sink.topic, fromTopology: from, from: sinkID(sink),
                                toTopology: to, to: source.name))
                    }
                }
            }
        }
        return Explanation(topologies: parts, links: links)
    }

    private static func sinkID(_ sink: SinkPlan) -> String { "sink \(sink.topic)" }

    private func topology(describe: String) -> ExplainedTopology {
        let groups = groups()
        var edges: [ExplainedEdge] = []
        for group in groups {
            let first = plan.steps[group.lowerBound]
            let name = stepName(first)
            edges.append(ExplainedEdge(from: self.name(first.input), to: name, kind: .rows))
            for index in group {
                for table in plan.steps[index].operation.tables {
                    let from = plan.sources[table].name
                    edges.append(ExplainedEdge(from: from, to: name, kind: .lookup))
                }
            }
        }
        for sink in plan.sinks {
            edges.append(
                ExplainedEdge(from: name(sink.input), to: Self.sinkID(sink), kind: .rows))
        }
        return ExplainedTopology(
            name: plan.name, version: plan.version, describe: describe,
            rejects: plan.rejectTopic, journal: plan.journalTopic,
            nodes: plan.sources.map(node) + groups.map(node) + plan.sinks.map(node),
            edges: edges)
    }

    // MARK: Names

    /// The step as the user named it: without the suffix of a part of it.
    private func stepName(_ step: StepPlan) -> String {
        step.name.split(separator: ".").first.map(String.init) ?? step.name
    }

    /// The steps of the plan that are one step of the file: they stand together.
    private func groups() -> [Range<Int>] {
        var groups: [Range<Int>] = []
        for index in plan.steps.indices {
            if let last = groups.last,
                stepName(plan.steps[last.lowerBound]) == stepName(plan.steps[index])
            {
                groups[groups.count - 1] = last.lowerBound..<index + 1
            } else {
                groups.append(index..<index + 1)
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
        case .source(let index): plan.sources[index].schema
        case .step(let index): plan.steps[index].output
        }
    }

    /// The stream source that rows come from.
    private func source(_ upstream: Upstream) -> SourcePlan {
        switch upstream {
        case .source(let index): plan.sources[index]
        case .step(let index): source(plan.steps[index].input)
        }
    }

    // MARK: Sources

    private func node(_ source: SourcePlan) -> ExplainedNode {
        let fields = source.schema.fields
        var facts = [
            ExplainedFact("topic", source.topic),
            ExplainedFact("format", source.format.text),
            ExplainedFact("schema", source.schema.name),
            ExplainedFact("key", fields[source.keyField].name),
        ]
        let state: [ExplainedState]
        let isTable: Bool
        switch source.role {
        case .stream(let rule):
            facts += time(rule, fields[rule.field].name)
            state = [clockState(rule)]
            isTable = false
        case .table(let field):
            facts.append(ExplainedFact("as of", fields[field].name))
            state = [ExplainedState(what: "all versions", per: "key", kept: "never dropped")]
            isTable = true
        }
        return ExplainedNode(
            id: source.name, kind: isTable ? .table : .stream, name: source.name,
            operation: isTable ? "table" : "stream", facts: facts,
            fields: source.fieldsRead.map { self.field(fields[$0], isCarried: true) },
            state: state, doubles: [])
    }

    private func time(_ rule: TimeRule, _ field: String) -> [ExplainedFact] {
        func fact(_ name: String, _ value: Int64?) -> ExplainedFact? {
            value.map { ExplainedFact(name, DurationText.text($0), group: "time") }
        }
        return [
            ExplainedFact("time", field, group: "time"), fact("disorder", rule.disorder),
            fact("lateness", rule.lateness), fact("ahead", rule.ahead),
            ExplainedFact("clock", rule.clock.rawValue, group: "time"),
            fact("abandon", rule.abandon), fact("idle", rule.idle), fact("granule", rule.granule),
        ].compactMap(\.self)
    }

    private func clockState(_ rule: TimeRule) -> ExplainedState {
        rule.clock == .key
            ? ExplainedState(
                what: "watermark, time of silence", per: "key", kept: "never dropped")
            : ExplainedState(what: "watermark", per: "partition", kept: "never dropped")
    }

    // MARK: Steps

    private func node(_ group: Range<Int>) -> ExplainedNode {
        let first = plan.steps[group.lowerBound]
        let last = plan.steps[group.upperBound - 1]
        let origin = source(first.input)
        var node = ExplainedNode(
            id: stepName(first), kind: .step, name: stepName(first), operation: "", facts: [],
            fields: [], state: [], doubles: [])
        if case .stream(let rule) = origin.role {
            for index in group {
                let step = plan.steps[index]
                explain(step.operation, origin: origin, rule, in: &node)
            }
        }
        node.operation = group.map { plan.steps[$0].operation.name }.joined(separator: ", ")
        let input = schema(first.input)
        var expressions: [String: String] = [:]
        for index in group {
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
        let key = origin.schema.fields[origin.keyField].name
        return ExplainedNode(
            id: Self.sinkID(sink), kind: .sink, name: sink.topic, operation: "sink",
            facts: [
                ExplainedFact("topic", sink.topic),
                ExplainedFact("format", "json"),
                ExplainedFact("codec", sink.codec.rawValue),
                ExplainedFact("key", key),
            ],
            fields: schema(sink.input).fields.map { self.field($0, isCarried: true) },
            state: [], doubles: [])
    }
}

extension FormatPlan {
    /// As topology files write it.
    fileprivate var text: String {
        switch self {
        case .json: return "json"
        case .hj212(let minutes):
            let size = abs(minutes)
            func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
            return "hj212, UTC\(minutes < 0 ? "-" : "+")\(two(size / 60)):\(two(size % 60))"
        }
    }
}
