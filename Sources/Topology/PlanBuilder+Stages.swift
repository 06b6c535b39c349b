import Columnar
import Dataflow
import Expression
import Primitives

extension PlanBuilder {
    // MARK: union

    /// Streams of one key, one shape and one stage as one stream.
    func planUnion(_ streams: [Located<String>], _ step: StepSpec) -> Stream? {
        let inputs = streams.compactMap { stream($0) }
        guard inputs.count == streams.count, let first = inputs.first else { return nil }
        var isWhole = true
        for (input, place) in zip(inputs, streams).dropFirst() {
            isWhole = checkShape(input, like: first, at: place.location) && isWhole
        }
        let stages = Set(inputs.compactMap(\.stage))
        if stages.count > 1 {
            collector.report(
                "the streams of this union are in different stages", at: step.name.location,
                hint: "a stream that is rekeyed belongs to the next stage: rekey the others, too")
            isWhole = false
        }
        for (input, place) in zip(inputs, streams) {
            isWhole = checkEndsKeyClocks(input, step, at: place.location) && isWhole
        }
        guard isWhole else { return nil }
        let fields = first.schema.fields.map { field -> Field in
            var field = PlanBuilder.carried(field)
            for input in inputs.dropFirst() {
                guard let index = input.schema.index(of: field.name) else { continue }
                let other = input.schema.fields[index]
                field.isNullable = field.isNullable || other.isNullable
                field.isPersonal = field.isPersonal || other.isPersonal
            }
            return field
        }
        let plan = UnionPlan(
            inputs: inputs.map { input in
                UnionPlan.Input(
                    upstream: input.upstream,
                    columns: first.schema.fields.compactMap { input.schema.index(of: $0.name) })
            })
        var joined = first
        joined.stage = stages.first
        joined.rule.idle = PlanBuilder.longest(inputs.map(\.rule.silence))
        joined.rule.clock = .partition
        joined.rule.lateness = inputs.map(\.rule.lateness).max() ?? joined.rule.lateness
        joined.isWindowed = inputs.contains { $0.isWindowed }
        return append(step.name.value, .union(plan), joined, fields: fields)
    }

    /// For how long silent streams hold up a watermark that they share; nil: without end.
    static func longest(_ silences: [Int64?]) -> Int64? {
        silences.contains(nil) ? nil : silences.compactMap(\.self).max()
    }

    /// A stream of a union must have the first one's fields, types and key.
    private func checkShape(_ input: Stream, like first: Stream, at place: SourceLocation) -> Bool {
        let names = Set(input.schema.fields.map(\.name))
        let wanted = Set(first.schema.fields.map(\.name))
        let (missing, extra) = (wanted.subtracting(names), names.subtracting(wanted))
        func list(_ names: Set<String>) -> String {
            names.sorted().map { "'\($0)'" }.joined(separator: ", ")
        }
        if !missing.isEmpty || !extra.isEmpty {
            let difference =
                (missing.isEmpty ? "" : " lacks \(list(missing))")
                + (missing.isEmpty || extra.isEmpty ? "" : " and")
                + (extra.isEmpty ? "" : " has \(list(extra)) too many")
            collector.report(
                "'\(input.qualifier)'\(difference), compared with '\(first.qualifier)'", at: place,
                hint: "give both the same fields with a select step")
            return false
        }
        for field in first.schema.fields {
            guard let index = input.schema.index(of: field.name) else { continue }
            let other = input.schema.fields[index]
            guard other.type == field.type else {
                collector.report(
                    "'\(field.name)' is \(other.type) in '\(input.qualifier)' and \(field.type) in"
                        + " '\(first.qualifier)'", at: place,
                    hint: "convert one in a select step")
                return false
            }
        }
        guard input.key.name == first.key.name else {
            collector.report(
                "the key of '\(input.qualifier)' is '\(input.key.name)', that of"
                    + " '\(first.qualifier)' is '\(first.key.name)'", at: place,
                hint: "a union keeps the key; 'rekey' one of them")
            return false
        }
        return true
    }

    /// Where key clocks end, a silent key would hold the common watermark up for ever.
    func checkEndsKeyClocks(
        _ input: Stream, _ step: StepSpec, at place: SourceLocation
    ) -> Bool {
        guard input.rule.clock == .key, input.rule.abandon == nil else { return true }
        let source = sources[input.source].name
        collector.report(
            "key clocks end at step '\(step.name.value)', and 'time' of source '\(source)' has no"
                + " 'abandon'", at: place,
            hint: "add such as 'abandon: 1h' there: how long a silent key holds the others up")
        return false
    }

    // MARK: rekey

    /// Ends a stage: the rows go on under another key in the next one.
    func planRekey(_ field: Located<String>, _ step: StepSpec, _ input: Stream) -> Stream? {
        let name = step.name.value
        var fieldName = field.value
        if fieldName.hasPrefix("\(input.qualifier).") {
            fieldName.removeFirst(input.qualifier.count + 1)
        }
        guard let keyField = input.schema.index(of: fieldName) else {
            collector.report(
                "'\(input.qualifier)' has no field '\(fieldName)'", at: field.location,
                hint: Suggestion.hint(
                    for: fieldName, in: input.schema.fields.map(\.name), kind: "its fields"))
            return nil
        }
        var key = PlanBuilder.carried(input.schema.fields[keyField])
        guard key.type == .string || key.type == .int else {
            collector.report(
                "key field '\(fieldName)' is \(key.type)", at: field.location,
                hint: "a key must be string, or int without a unit")
            return nil
        }
        guard checkEndsKeyClocks(input, step, at: field.location) else { return nil }
        key.isNullable = false
        let carried = input.schema.fields.map(PlanBuilder.carried)
        let sent = append(name, .rekey(keyField: keyField), input, fields: carried)
        var fields = carried.map(PlanBuilder.written)
        fields[keyField].isNullable = false
        let schema = Schema(
            name: name,
            fields: fields + [
                Field(RekeyPlan.timeField, .timestamp, timestampEncoding: .rfc3339)
            ])
        let stage = input.stage ?? 1
        let topic = "\(spec.name).v\(spec.version).\(name)"
        rekeys.append(
            (
                RekeyPlan(
                    input: sent.upstream, topic: topic, schema: schema, keyField: keyField), stage
            ))
        var rule = input.rule
        rule.clock = .carried
        rule.field = fields.count
        rule.ahead = .max
        rule.abandon = nil
        rule.idle = nil
        sources.append(
            SourcePlan(
                name: name, topic: topic, format: .json, schema: schema, fieldsRead: [],
                keyField: keyField, role: .stream(rule), partitions: .substreams))
        return Stream(
            stage: stage + 1, rule: rule, upstream: .source(sources.count - 1), qualifier: name,
            schema: Schema(name: name, fields: fields), key: key, source: sources.count - 1,
            isWindowed: input.isWindowed)
    }

    /// A field as it is read back from a rekeyed topic: a quotient has been rounded to a decimal,
    /// a double that was not finite is null, and the path is one plain name.
    private static func written(_ field: Field) -> Field {
        var field = field
        switch field.type {
        case .ratio(let scale, let unit): field.type = .decimal(scale: scale, unit: unit)
        case .double: field.isNullable = true
        case .timestamp: field.timestampEncoding = .rfc3339
        default: break
        }
        return field
    }

    // MARK: Stages

    /// One plan a stage, each with the sources that its own steps and sinks read.
    func split(canonicalText: String) -> [Plan] {
        let last = max(stages.max() ?? 1, sinks.map(\.stage).max() ?? 1)
        return (1...last).map { plan(stage: $0, canonicalText: canonicalText) }
    }

    private func plan(stage: Int, canonicalText: String) -> Plan {
        let stepIndexes = steps.indices.filter { stages[$0] == stage }
        let stageSinks = sinks.filter { $0.stage == stage }.map(\.plan)
        let stageRekeys = rekeys.filter { $0.stage == stage }.map(\.plan)
        var used: Set<Int> = []
        func note(_ upstream: Upstream) {
            if case .source(let source) = upstream { used.insert(source) }
        }
        for index in stepIndexes {
            note(steps[index].input)
            switch steps[index].operation {
            case .lookup(let lookup): used.insert(lookup.table)
            case .union(let union): for input in union.inputs { note(input.upstream) }
            default: break
            }
        }
        for sink in stageSinks { note(sink.input) }
        let sourceIndexes = used.sorted()
        let newSource = Dictionary(
            uniqueKeysWithValues: sourceIndexes.enumerated().map { ($1, $0) })
        let newStep = Dictionary(uniqueKeysWithValues: stepIndexes.enumerated().map { ($1, $0) })
        func moved(_ upstream: Upstream) -> Upstream {
            switch upstream {
            case .source(let source): .source(newSource[source] ?? source)
            case .step(let step): .step(newStep[step] ?? step)
            }
        }
        let stageSteps = stepIndexes.map { index -> StepPlan in
            var step = steps[index]
            step.input = moved(step.input)
            switch step.operation {
            case .lookup(var lookup):
                lookup.table = newSource[lookup.table] ?? lookup.table
                step.operation = .lookup(lookup)
            case .union(var union):
                for input in union.inputs.indices {
                    union.inputs[input].upstream = moved(union.inputs[input].upstream)
                }
                step.operation = .union(union)
            default: break
            }
            return step
        }
        return Plan(
            name: spec.name, version: spec.version, stage: stage,
            sources: sourceIndexes.map { sources[$0] }, steps: stageSteps,
            sinks: stageSinks.map { sink in
                var sink = sink
                sink.input = moved(sink.input)
                return sink
            },
            rekeys: stageRekeys.map { rekey in
                var rekey = rekey
                rekey.input = moved(rekey.input)
                return rekey
            }, canonicalText: canonicalText)
    }
}

extension TimeRule {
    /// For how long the stream holds a common watermark up when it falls silent; nil: without end.
    var silence: Int64? {
        switch clock {
        case .partition: idle
        case .key: abandon
        // That is up to the senders.
        case .carried: 0
        }
    }
}
