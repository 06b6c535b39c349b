import Columnar
import Dataflow
import Expression
import Primitives

/// Turns a ``TopologySpec`` into a checked plan, reporting everything that is wrong in meaning:
/// names, types, units, the graph. One thread.
package final class PlanBuilder {
    /// Rows that a source or step emits, as a step reading them sees them.
    struct Stream {
        /// The stage whose tasks have the rows, counted from 1; nil for a source's own rows, which
        /// any stage can read.
        var stage: Int?
        /// The time rule of the source that the rows come from, as it holds for them.
        var rule: TimeRule
        var upstream: Upstream
        /// The name by which expressions qualify its fields.
        var qualifier: String
        var schema: Schema
        /// Name of the key field and the key's type.
        var key: Field
        /// Index of the (first) stream source that the rows come from.
        var source: Int
        var isWindowed: Bool
    }

    let spec: TopologySpec
    let collector: DiagnosticCollector
    /// Where missing parts of the whole file are reported.
    let fileLocation: SourceLocation
    var sources: [SourcePlan] = []
    var steps: [StepPlan] = []
    var sinks: [(plan: SinkPlan, stage: Int)] = []
    /// The sinks with their defaults written out.
    var resolvedSinks: [SinkSpec] = []
    /// Alarm rules, and whose alarms they are.
    var alarmRules: [String: AlarmRuleOwner] = [:]
    var rekeys: [(plan: RekeyPlan, stage: Int)] = []
    /// Per step: the stage that it belongs to.
    var stages: [Int] = []
    /// Streams by name; a table is not among them.
    var streams: [String: Stream] = [:]
    var tables: [String: Int] = [:]
    /// Rule files by the names that steps use.
    var ruleFiles: [String: RuleFileSpec] = [:]
    /// Writers' schemas by ``AvroNames``.
    var avroSchemas: [String: AvroSchemaSpec] = [:]
    /// Messages by ``ProtobufForm/key``.
    var protobufSchemas: [String: ProtobufSchema] = [:]
    /// Names that something reads.
    var consumed: Set<String> = []
    /// Names with errors; what reads them is not judged.
    var broken: Set<String>

    private init(_ spec: TopologySpec, _ collector: DiagnosticCollector, _ place: SourceLocation) {
        self.spec = spec
        self.collector = collector
        fileLocation = place
        broken = spec.brokenNames
    }

    /// The plans of the topology's stages, upstream first, or nil with diagnostics. `schemas` and
    /// `rules` give each schema and rule file that the topology names, `avro` the writers' schemas
    /// by ``AvroNames``, `protobuf` the messages by ``ProtobufForm/key``; one that could not be
    /// read is not there, which is reported elsewhere.
    package static func build(
        _ spec: TopologySpec, schemas: [String: SchemaSpec], rules: [String: RuleFileSpec],
        avro: [String: AvroSchemaSpec], protobuf: [String: ProtobufSchema],
        at place: SourceLocation, _ collector: DiagnosticCollector
    ) -> [Plan]? {
        let builder = PlanBuilder(spec, collector, place)
        for item in spec.rules { builder.ruleFiles[item.name.value] = rules[item.file.value] }
        builder.avroSchemas = avro
        builder.protobufSchemas = protobuf
        builder.buildSources(schemas)
        builder.buildSteps()
        builder.buildSinks()
        builder.checkUse()
        guard collector.isEmpty else { return nil }
        builder.findFieldsRead()
        let used = spec.sources.map(\.schema.value)
        var resolved = spec
        resolved.sinks = builder.resolvedSinks
        let files = Set(spec.rules.map(\.file.value)).sorted().compactMap { rules[$0] }
        let canonical = CanonicalText.write(
            resolved, schemas: Set(used).sorted().compactMap { schemas[$0]?.schema },
            rules: files, avro: builder.usedAvroSchemas, protobuf: builder.usedProtobufSchemas)
        return builder.split(canonicalText: canonical)
    }

    // MARK: Sources

    private func buildSources(_ schemas: [String: SchemaSpec]) {
        var topics: [String: String] = [:]
        for source in spec.sources {
            let name = source.name.value
            if let other = topics[source.topic.value] {
                collector.report(
                    "topic '\(source.topic.value)' is read by source '\(other)' already",
                    at: source.topic.location, hint: "let both uses read from '\(other)'")
            }
            topics[source.topic.value] = name
            guard let schema = schemas[source.schema.value],
                let plan = sourcePlan(source, schema.schema)
            else {
                broken.insert(name)
                continue
            }
            sources.append(plan)
            let key = plan.schema.fields[plan.keyField]
            switch plan.role {
            case .stream(let rule):
                streams[name] = Stream(
                    stage: nil, rule: rule, upstream: .source(sources.count - 1), qualifier: name,
                    schema: plan.schema, key: key, source: sources.count - 1, isWindowed: false)
            case .table: tables[name] = sources.count - 1
            }
        }
    }

    private func sourcePlan(_ source: SourceSpec, _ schema: Schema) -> SourcePlan? {
        var source = source
        switch source.format {
        case .json: break
        case .cloudEvents: checkAttributes(source, schema)
        case .avro(let form):
            guard let form = avroForm(form, source, schema) else { return nil }
            source.format = .avro(form)
        case .protobuf(let form):
            guard let form = protobufForm(form, source, schema) else { return nil }
            source.format = .protobuf(form)
        case .csv: checkFlatFields(source, schema, holder: "a row of CSV", refusesBytes: false)
        case .hj212:
            checkFlatFields(source, schema, holder: "an HJ 212 frame", refusesBytes: true)
        }
        let key = keyField(source.key, in: schema)
        switch source.role {
        case .table(let table):
            let time = timeField(table.asOf, in: schema)
            guard let key, let time else { return nil }
            return SourcePlan(
                name: source.name.value, topic: source.topic.value, format: source.format,
                schema: schema, fieldsRead: [], keyField: key,
                role: .table(
                    TableRule(timeField: time, disorder: table.disorder, idle: table.idle)),
                partitions: table.isGlobal ? .all : .own)
        case .stream(let rule):
            let time = timeField(rule.field, in: schema)
            guard let key, let time else { return nil }
            let plan = TimeRule(
                field: time, disorder: rule.disorder, lateness: rule.lateness, ahead: rule.ahead,
                clock: rule.clock, abandon: rule.abandon, idle: rule.idle, granule: rule.granule)
            var stream = SourcePlan(
                name: source.name.value, topic: source.topic.value, format: source.format,
                schema: schema, fieldsRead: [], keyField: key, role: .stream(plan))
            guard let arrival = rule.arrival else { return stream }
            guard schema.index(of: arrival.value) == nil else {
                collector.report(
                    "schema '\(schema.name)' has a field '\(arrival.value)' already",
                    at: arrival.location, hint: "give the time of arrival another name")
                return nil
            }
            stream.arrivalField = schema.fields.count
            stream.schema.fields.append(Field(arrival.value, .timestamp))
            return stream
        }
    }

    private func keyField(_ name: Located<String>, in schema: Schema) -> Int? {
        guard let index = field(name, in: schema) else { return nil }
        let field = schema.fields[index]
        guard field.type == .string || field.type == .int else {
            collector.report(
                "key field '\(field.name)' is \(field.type)", at: name.location,
                hint: "a key must be string, or int without a unit")
            return nil
        }
        guard !field.isNullable else {
            collector.report(
                "key field '\(field.name)' may be null", at: name.location,
                hint: "remove the '?' in schema '\(schema.name)'; rows without it are rejects")
            return nil
        }
        return index
    }

    /// The index of a field of a schema, or nil after a diagnostic.
    private func field(_ name: Located<String>, in schema: Schema) -> Int? {
        if let index = schema.index(of: name.value) { return index }
        collector.report(
            "schema '\(schema.name)' has no field '\(name.value)'", at: name.location,
            hint: Suggestion.hint(
                for: name.value, in: schema.fields.map(\.name), kind: "its fields"))
        return nil
    }

    private func timeField(_ name: Located<String>, in schema: Schema) -> Int? {
        guard let index = field(name, in: schema) else { return nil }
        let field = schema.fields[index]
        guard field.type == .timestamp else {
            collector.report(
                "time field '\(field.name)' is \(field.type), not timestamp", at: name.location,
                hint: "declare it 'timestamp' in schema '\(schema.name)'; see 'encoding'")
            return nil
        }
        guard !field.isNullable else {
            collector.report(
                "time field '\(field.name)' may be null", at: name.location,
                hint: "remove the '?' in schema '\(schema.name)'; rows without it are rejects")
            return nil
        }
        return index
    }

    /// A frame or a row of CSV holds flat values only.
    private func checkFlatFields(
        _ source: SourceSpec, _ schema: Schema, holder: String, refusesBytes: Bool
    ) {
        for field in schema.fields {
            switch field.type {
            case .list, .map, .structure: break
            case .bytes where refusesBytes: break
            default: continue
            }
            collector.report(
                "field '\(field.name)' is \(field.type), which \(holder) cannot hold",
                at: source.schema.location, hint: "use a schema of single values")
        }
    }

    // MARK: Sinks and use

    private func buildSinks() {
        var topics: [String: SourceLocation] = [:]
        let own = "\(spec.name).v\(spec.version)."
        let read = Set(spec.sources.map(\.topic.value))
        for sink in spec.sinks {
            let topic = sink.topic.value
            if let first = topics[topic] {
                collector.report(
                    "topic '\(topic)' is written by two sinks", at: sink.topic.location,
                    hint: "it stands first on line \(first.line); one topic, one sink")
            } else if read.contains(topic) {
                collector.report(
                    "topic '\(topic)' is a source of this topology too", at: sink.topic.location,
                    hint: "write to another topic")
            } else if topic.hasPrefix(own) {
                collector.report(
                    "topic '\(topic)' is this topology's own", at: sink.topic.location,
                    hint: "write to a topic whose name does not begin with '\(own)'")
            } else if let suffix = OwnTopics.suffix(of: topic) {
                collector.report(
                    "topic '\(topic)': names that end in \(suffix) are the engine's own",
                    at: sink.topic.location, hint: "choose another name")
            }
            topics[topic] = topics[topic] ?? sink.topic.location
            guard let stream = stream(sink.from), checkKey(sink, stream),
                let (format, resolved) = sinkFormat(sink, stream)
            else { continue }
            resolvedSinks.append(resolved)
            let plan = SinkPlan(
                input: stream.upstream, topic: topic, format: format, codec: sink.codec)
            sinks.append((plan, stream.stage ?? 1))
        }
        for source in spec.sources where source.topic.value.hasPrefix(own) {
            collector.report(
                "topic '\(source.topic.value)' is written by this topology itself",
                at: source.topic.location, hint: "read another topic")
        }
        sinks.sort { $0.plan.topic < $1.plan.topic }
    }

    /// A sink's records have the key of the task that writes them.
    private func checkKey(_ sink: SinkSpec, _ stream: Stream) -> Bool {
        guard let key = sink.key else { return true }
        let own = stream.key.name
        if key.value == own || key.value == "\(stream.qualifier).\(own)" { return true }
        collector.report(
            "key '\(key.value)' is not the key of '\(sink.from.value)'", at: key.location,
            hint: keyHint(key.value, stream))
        return false
    }

    /// The stream that `from:` names, or nil after a diagnostic (none when it is broken itself).
    func stream(_ name: Located<String>) -> Stream? {
        consumed.insert(name.value)
        if let stream = streams[name.value] { return stream }
        if broken.contains(name.value) { return nil }
        if tables[name.value] != nil {
            collector.report(
                "'\(name.value)' is a table", at: name.location,
                hint: "read a stream, and look the table up: 'lookup: {\(name.value): …}'")
            return nil
        }
        let streamNames = spec.sources.compactMap { source in
            if case .stream = source.role { source.name.value } else { nil }
        }
        collector.report(
            "there is no source or step '\(name.value)'", at: name.location,
            hint: Suggestion.hint(
                for: name.value,
                in: streamNames + spec.steps.map(\.name.value)
                    + spec.steps.compactMap(\.otherwise?.value) + spec.brokenNames.sorted(),
                kind: "sources and steps") ?? "declare it under 'sources' or 'steps'")
        return nil
    }

    private func checkUse() {
        checkRulesUse()
        func isUnused(_ name: String) -> Bool {
            !consumed.contains(name) && !spec.brokenReads.contains(name)
        }
        for step in spec.steps where isUnused(step.name.value) {
            collector.report(
                "nothing reads step '\(step.name.value)'", at: step.name.location,
                hint: "add a sink with 'from: \(step.name.value)', or remove the step")
        }
        for name in spec.steps.compactMap(\.otherwise) where isUnused(name.value) {
            collector.report(
                "nothing reads side output '\(name.value)'", at: name.location,
                hint: "add a sink with 'from: \(name.value)', or remove 'otherwise'")
        }
        for source in spec.sources where isUnused(source.name.value) {
            let isTable = if case .table = source.role { true } else { false }
            collector.report(
                "nothing reads \(isTable ? "table" : "source") '\(source.name.value)'",
                at: source.name.location,
                hint: isTable
                    ? "look it up in a step, or remove it"
                    : "add a step or sink with 'from: \(source.name.value)', or remove it")
        }
    }
}
