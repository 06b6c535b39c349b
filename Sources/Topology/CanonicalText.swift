import Columnar
import Dataflow
import Primitives

/// Writes the canonical text of a topology: what its hash is taken of.
///
/// `{"plumbline":1,"rules":{…},"schemas":{…},"topology":{…}}`, compact; before them `avro`, and
/// before the rules `protobuf`, what values of those formats were written with. Fixed keys stand in
/// sorted order and all of them are written, defaults too, but for those sections where they are
/// empty; durations are normalised; descriptions, comments and documentation are left out. Where
/// order means something it stays: sources, fields, levels, selected fields and aggregates. Steps
/// stand in the plan's order, sinks by topic.
package enum CanonicalText {
    /// Raised when the shape of the text changes.
    static let formatVersion = 1

    static func write(
        _ spec: TopologySpec, schemas: [Schema], rules: [RuleFileSpec],
        avro: [(name: String, schema: AvroSchema)],
        protobuf: [(name: String, schema: ProtobufSchema)]
    ) -> String {
        let schemaMembers = schemas.map { JSONValue.Member($0.name, schema($0)) }
        let ruleMembers = rules.map { JSONValue.Member($0.name, CanonicalText.rules($0)) }
        var members: [JSONValue.Member] = []
        if !avro.isEmpty {
            let writers = avro.map { JSONValue.Member($0.name, CanonicalText.avro($0.schema)) }
            members.append(.init("avro", .object(writers)))
        }
        members.append(.init("plumbline", .number(String(formatVersion))))
        if !protobuf.isEmpty {
            let messages = protobuf.map {
                JSONValue.Member($0.name, CanonicalText.protobuf($0.schema))
            }
            members.append(.init("protobuf", .object(messages)))
        }
        if !rules.isEmpty { members.append(.init("rules", .object(ruleMembers))) }
        members.append(.init("schemas", .object(schemaMembers)))
        members.append(.init("topology", topology(spec)))
        return JSONValue.object(members).text
    }

    private static func topology(_ spec: TopologySpec) -> JSONValue {
        let steps = PlanBuilder.ordered(spec.steps).map { step in
            JSONValue.object([.init(step.name.value, CanonicalText.step(step))])
        }
        let sinks = spec.sinks.sorted { $0.topic.value < $1.topic.value }.map(sink)
        let sources = spec.sources.map { JSONValue.Member($0.name.value, source($0)) }
        var members: [JSONValue.Member] = []
        if !spec.rules.isEmpty { members.append(.init("rules", ruleNames(spec.rules))) }
        members.append(.init("sinks", .array(sinks)))
        members.append(.init("sources", .object(sources)))
        members.append(.init("steps", .array(steps)))
        members.append(.init("topology", .string(spec.name)))
        members.append(.init("version", .number(String(spec.version))))
        return .object(members)
    }

    private static func sink(_ sink: SinkSpec) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("codec", .string(sink.codec.rawValue)), .init("format", .string("json")),
            .init("from", .string(sink.from.value)), .init("topic", .string(sink.topic.value)),
        ]
        if case .cloudEvents(let spec) = sink.format {
            members[1].value = .string("cloudevents")
            members.insert(.init("alarm", alarm(spec)), at: 0)
            // Binary was all there was; its plans keep their hash.
            if spec.isStructured { members.insert(.init("mode", .string("structured")), at: 4) }
        }
        return .object(members)
    }

    static func duration(_ microseconds: Int64) -> JSONValue {
        .string(DurationText.text(microseconds))
    }

    // MARK: Sources

    private static func source(_ source: SourceSpec) -> JSONValue {
        var members: [JSONValue.Member] = [.init("format", format(source.format))]
        switch source.role {
        case .stream(let rule):
            members.append(.init("key", .string(source.key.value)))
            members.append(.init("schema", .string(source.schema.value)))
            members.append(.init("time", time(rule)))
        case .table(let rule):
            members.append(.init("schema", .string(source.schema.value)))
            members.append(.init("table", table(rule, key: source.key.value)))
        }
        members.append(.init("topic", .string(source.topic.value)))
        return .object(members)
    }

    private static func table(_ rule: TableSpec, key: String) -> JSONValue {
        var members: [JSONValue.Member] = [.init("asOf", .string(rule.asOf.value))]
        if let disorder = rule.disorder { members.append(.init("disorder", duration(disorder))) }
        members.append(.init("global", .string(rule.isGlobal ? "true" : "false")))
        if let idle = rule.idle { members.append(.init("idle", duration(idle))) }
        members.append(.init("key", .string(key)))
        return .object(members)
    }

    private static func format(_ format: FormatPlan) -> JSONValue {
        switch format {
        case .json: return .string("json")
        case .csv(let form):
            let options = JSONValue.object([
                .init("header", .bool(form.hasHeader)),
                .init("separator", .string(CSVForm.text(separator: form.separator))),
            ])
            return .object([.init("csv", options)])
        case .cloudEvents(let mode):
            return .object([
                .init("cloudevents", .object([.init("mode", .string(mode.rawValue))]))
            ])
        case .avro(let form): return CanonicalText.format(form)
        case .protobuf(let form): return CanonicalText.format(form)
        case .hj212(let minutes):
            func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
            let size = abs(minutes)
            let text = "\(minutes < 0 ? "-" : "+")\(two(size / 60)):\(two(size % 60))"
            return .object([.init("hj212", .object([.init("utcOffset", .string(text))]))])
        }
    }

    private static func time(_ rule: TimeSpec) -> JSONValue {
        var members: [JSONValue.Member] = []
        if let abandon = rule.abandon { members.append(.init("abandon", duration(abandon))) }
        members.append(.init("ahead", duration(rule.ahead)))
        if let arrival = rule.arrival { members.append(.init("arrival", .string(arrival.value))) }
        members.append(.init("clock", .string(rule.clock.rawValue)))
        members.append(.init("disorder", duration(rule.disorder)))
        members.append(.init("field", .string(rule.field.value)))
        members.append(.init("granule", duration(rule.granule)))
        if let idle = rule.idle { members.append(.init("idle", duration(idle))) }
        members.append(.init("lateness", duration(rule.lateness)))
        return .object(members)
    }

    // MARK: Steps

    /// A field named `device` or `load.device`, as `device`.
    private static func bare(_ name: String) -> JSONValue {
        .string(name.split(separator: ".").last.map(String.init) ?? name)
    }

    private static func step(_ step: StepSpec) -> JSONValue {
        var members: [JSONValue.Member] = []
        if case .union = step.operation {
        } else {
            members.append(.init("from", .string(step.from.value)))
        }
        if let key = step.key { members.append(.init("key", bare(key.value))) }
        switch step.operation {
        case .shape(let shape):
            if let filter = shape.filter {
                members.insert(.init("filter", .string(filter.canonical)), at: 0)
            }
            if let lookups = lookups(shape, from: step.from.value) {
                members.append(.init("lookup", lookups))
            }
            if let other = shape.otherwise {
                members.append(.init("otherwise", .string(other.value)))
            }
            if let select = shape.select { members.append(.init("select", named(select))) }
        case .levels(let levels): members.append(.init("levels", CanonicalText.levels(levels)))
        case .distinct(let order):
            members.insert(
                .init("distinct", .object([.init("order", .string(order.rawValue))])), at: 0)
        case .window(let window): members.append(.init("window", CanonicalText.window(window)))
        case .union(let streams):
            members.append(.init("union", .array(streams.map { .string($0.value) })))
        case .rekey(let field): members.append(.init("rekey", bare(field.value)))
        case .machine(let machine): members.append(.init("machine", CanonicalText.machine(machine)))
        }
        return .object(members)
    }

    private static func lookup(_ lookup: LookupSpec, from stream: String) -> JSONValue {
        var key = lookup.key.canonical
        if key.hasPrefix("\(stream).") { key.removeFirst(stream.count + 1) }
        guard lookup.awaits else { return .string(key) }
        return .object([.init("await", .string("true")), .init("key", .string(key))])
    }

    private static func lookups(_ shape: ShapeSpec, from stream: String) -> JSONValue? {
        var members: [JSONValue.Member] = []
        if let lookup = shape.lookup {
            members.append(
                .init(lookup.table.value, CanonicalText.lookup(lookup, from: stream)))
        }
        for lookup in shape.rules {
            let scope = lookup.scope.sorted { $0.name.value < $1.name.value }
            members.append(.init(lookup.rules.value, named(scope)))
        }
        return members.isEmpty ? nil : .object(members)
    }

    static func named(_ expressions: [NamedExpression]) -> JSONValue {
        .object(expressions.map { .init($0.name.value, .string($0.expression.canonical)) })
    }

    private static func levels(_ levels: LevelsSpec) -> JSONValue {
        let confirm: JSONValue =
            levels.confirmDuration > 0
            ? duration(levels.confirmDuration)
            : .string("\(levels.confirmReadings) reading\(levels.confirmReadings == 1 ? "" : "s")")
        return .object([
            .init("bounds", .string(levels.isStrict ? "exclusive" : "inclusive")),
            .init("clear", named(levels.clear)),
            .init("confirm", confirm),
            .init("direction", .string(levels.isAbove ? "above" : "below")),
            .init("hold", duration(levels.hold)),
            .init("of", .string(levels.of.canonical)),
            .init("order", .string(levels.order.rawValue)),
            .init("raise", named(levels.raise)),
            .init("ties", .string(levels.judgesTies ? "judge" : "reject")),
        ])
    }

    private static func window(_ window: WindowSpec) -> JSONValue {
        let aggregates = window.aggregates.map { aggregate in
            let inner = aggregate.input?.canonical ?? ""
            return JSONValue.Member(
                aggregate.name.value, .string("\(aggregate.function.rawValue)(\(inner))"))
        }
        var members: [JSONValue.Member] = [.init("aggregate", .object(aggregates))]
        switch window.grid {
        case .fixed(let size, let every, let offset):
            if size != every {
                members.append(
                    .init(
                        "hopping",
                        .object([
                            .init("every", duration(every)), .init("size", duration(size)),
                        ])))
            }
            members.append(.init("offset", duration(offset)))
            if size == every { members.append(.init("tumbling", duration(size))) }
        case .calendar(let calendar):
            members.append(.init("calendar", .string(calendar.unit.rawValue)))
            members.append(.init("offset", duration(calendar.offset)))
            members.append(.init("zone", .string(calendar.zone.name)))
        }
        return .object(members)
    }

    // MARK: Schemas

    private static func schema(_ schema: Schema) -> JSONValue {
        let fields = schema.fields.map { field -> JSONValue.Member in
            var members: [JSONValue.Member] = []
            if field.type == .timestamp {
                members.append(.init("encoding", .string(field.timestampEncoding.rawValue)))
            }
            members.append(.init("nullable", .bool(field.isNullable)))
            members.append(.init("path", .string(field.path)))
            members.append(.init("personal", .bool(field.isPersonal)))
            if case .decimal = field.type { members.append(.init("round", .bool(field.rounds))) }
            members.append(.init("type", .string(field.type.description)))
            return .init(field.name, .object(members))
        }
        return .object([
            .init("fields", .object(fields)), .init("schema", .string(schema.name)),
        ])
    }
}
