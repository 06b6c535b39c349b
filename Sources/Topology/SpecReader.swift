import Dataflow
import Primitives

/// Reads a topology file's YAML into a ``TopologySpec``, reporting everything that is wrong in
/// form: keys, names, durations, choices. Meaning (types, graph) is the plan builder's. One thread.
package final class SpecReader {
    let collector: DiagnosticCollector
    var brokenNames: Set<String> = []
    var brokenReads: Set<String> = []
    private var names: [String: SourceLocation] = [:]
    /// Names that `rules:` gives to rule files.
    var ruleNames: Set<String> = []

    init(_ collector: DiagnosticCollector) { self.collector = collector }

    /// The spec, or nil when the file has no form to speak of. Elements with errors are left out;
    /// the collector says why.
    package static func read(
        _ root: YAMLNode, _ collector: DiagnosticCollector
    ) -> TopologySpec? {
        SpecReader(collector).read(root)
    }

    private func read(_ root: YAMLNode) -> TopologySpec? {
        guard
            let reader = MappingReader(
                root, what: "a topology",
                keys: ["topology", "version", "describe", "sources", "rules", "steps", "sinks"],
                collector, example: "begin with 'topology: <name>'")
        else { return nil }
        let name = readName(reader)
        let version = readVersion(reader)
        let description = reader["describe"]?.text ?? ""
        let sources = readSources(reader)
        let rules = readRules(reader)
        let steps = readSteps(reader)
        let sinks = readSinks(reader)
        return TopologySpec(
            name: name ?? "unnamed", version: version ?? 1, description: description,
            sources: sources, rules: rules, steps: steps, sinks: sinks, brokenNames: brokenNames,
            brokenReads: brokenReads)
    }

    private func readName(_ reader: MappingReader) -> String? {
        let hint = "a name such as crane-overload: small letters, digits and '-'"
        guard let name = reader.requiredText("topology", hint: hint) else { return nil }
        guard NameRules.isTopologyName(name.value) else {
            collector.report(
                "'\(name.value)' is not a topology name", at: name.location, hint: hint)
            return nil
        }
        return name.value
    }

    private func readVersion(_ reader: MappingReader) -> Int? {
        let hint = "a whole number from 1, such as 'version: 1'"
        guard let text = reader.requiredText("version", hint: hint) else { return nil }
        guard let version = Int(text.value), version >= 1, version <= 1_000_000,
            String(version) == text.value
        else {
            collector.report("'\(text.value)' is not a version", at: text.location, hint: hint)
            return nil
        }
        return version
    }

    /// Takes a source's or step's name; false after a diagnostic.
    func declare(_ name: String, at location: SourceLocation, kind: String) -> Bool {
        if let problem = NameRules.problem(identifier: name) {
            collector.report(problem, at: location, hint: "rename the \(kind)")
            return false
        }
        if let first = names[name] {
            collector.report(
                "'\(name)' is already the name of a source or step", at: location,
                hint: "it stands first on line \(first.line); rename one")
            return false
        }
        names[name] = location
        return true
    }

    func checkTopic(_ topic: Located<String>) {
        if let problem = NameRules.problem(topic: topic.value) {
            collector.report(problem, at: topic.location, hint: NameRules.topicHint)
        }
    }
}

// MARK: Sources

extension SpecReader {
    private func readSources(_ reader: MappingReader) -> [SourceSpec] {
        let example = "sources: {load: {topic: …, schema: …, key: …, time: {…}}}"
        guard let node = reader.required("sources", hint: example) else { return [] }
        guard let entries = node.entries, !entries.isEmpty else {
            collector.report(
                "'sources' must be a mapping of names to sources, not \(node.kind)",
                at: node.location, hint: example)
            return []
        }
        return entries.compactMap { entry in
            let source = readSource(entry)
            if source == nil { brokenNames.insert(entry.key) }
            return source
        }
    }

    private func readSource(_ entry: YAMLNode.Entry) -> SourceSpec? {
        let isDeclared = declare(entry.key, at: entry.keyLocation, kind: "source")
        guard
            let reader = MappingReader(
                entry.value, what: "source '\(entry.key)'",
                keys: ["topic", "format", "schema", "key", "time", "table", "describe"], collector,
                example: "\(entry.key): {topic: …, schema: …, key: …, time: {…}}")
        else { return nil }
        let topic = reader.requiredText("topic", hint: "topic: telemetry.crane")
        if let topic { checkTopic(topic) }
        let format = readFormat(reader, topic: topic?.value ?? "")
        let formatLocation = reader["format"]?.location ?? entry.keyLocation
        let schema = reader.requiredText("schema", hint: "the name of a file in schemas/")
        if let schema, !NameRules.isLabel(schema.value) {
            collector.report(
                "'\(schema.value)' is not a schema name", at: schema.location,
                hint: "the name of a file in schemas/, without '.yaml'")
            return nil
        }
        let name = Located(value: entry.key, location: entry.keyLocation)
        if let table = reader["table"] {
            for key in ["time", "key"] {
                guard let extra = reader.entry(key) else { continue }
                collector.report(
                    "a table has no '\(key)'", at: extra.keyLocation,
                    hint: "its key and time stand in 'table: {key: …, asOf: …}'")
            }
            guard let (key, table) = readTable(table, name: entry.key), let topic, let format,
                let schema, isDeclared
            else { return nil }
            return SourceSpec(
                name: name, topic: topic, format: format, formatLocation: formatLocation,
                schema: schema, key: key, role: .table(table))
        }
        let key = reader.requiredText("key", hint: "key: the field that says whose row it is")
        let example = "time: {field: ts, disorder: 5s, lateness: 1m, ahead: 10m}"
        let time = reader.required("time", hint: example).flatMap {
            readTime($0, source: entry.key, example: example)
        }
        guard let topic, let format, let schema, let key, let time, isDeclared else { return nil }
        return SourceSpec(
            name: name, topic: topic, format: format, formatLocation: formatLocation,
            schema: schema, key: key, role: .stream(time))
    }

    private func readTable(
        _ node: YAMLNode, name: String
    ) -> (key: Located<String>, table: TableSpec)? {
        let example = "table: {key: device, asOf: ts}"
        guard
            let reader = MappingReader(
                node, what: "table '\(name)'", keys: ["key", "asOf", "global", "disorder", "idle"],
                collector, example: example)
        else { return nil }
        let key = reader.requiredText("key", hint: example)
        let asOf = reader.requiredText("asOf", hint: example)
        let isGlobal = reader.choice("global", [("false", false), ("true", true)], default: false)
        let disorder = reader.duration("disorder", example: "1m")
        let idle = reader.duration("idle", minimum: 1, example: "30s")
        if let idle = reader.entry("idle"), reader["disorder"] == nil {
            collector.report(
                "'idle' goes with 'disorder'", at: idle.keyLocation,
                hint: "both are for look-ups with 'await: true'; add 'disorder', or remove it")
        }
        guard let key, let asOf, let isGlobal, reader["disorder"] == nil || disorder != nil,
            reader["idle"] == nil || idle != nil
        else { return nil }
        return (
            key, TableSpec(asOf: asOf, isGlobal: isGlobal, disorder: disorder, idle: idle)
        )
    }

    private func readTime(_ node: YAMLNode, source: String, example: String) -> TimeSpec? {
        guard
            let reader = MappingReader(
                node, what: "'time' of source '\(source)'",
                keys: [
                    "field", "disorder", "lateness", "ahead", "clock", "abandon", "idle", "granule",
                    "arrival",
                ], collector, example: example)
        else { return nil }
        let field = reader.requiredText("field", hint: "field: the field with the event time")
        let disorder = requiredDuration(
            reader, "disorder", "no default: depends on your network", "5s")
        let lateness = requiredDuration(
            reader, "lateness", "no default: depends on your corrections", "1m")
        let ahead = requiredDuration(
            reader, "ahead", "no default: depends on your clocks", "10m")
        let clock = reader.choice(
            "clock", [("partition", ClockScope.partition), ("key", .key)], default: .partition)
        let abandon = reader.duration("abandon", minimum: 1, example: "1h")
        let idle = reader.duration("idle", minimum: 1, example: "30s")
        let granule = reader.duration("granule", minimum: 1, example: "1s")
        let arrival = reader.text("arrival", hint: "arrival: arrived")
        if let arrival, let problem = NameRules.problem(identifier: arrival.value) {
            collector.report(problem, at: arrival.location, hint: "such as 'arrived'")
        }
        if clock == .key, let idle = reader.entry("idle") {
            collector.report(
                "'idle' does not go with 'clock: key'", at: idle.keyLocation,
                hint: "remove it; a silent key holds up no other key (see 'abandon')")
        }
        if clock == .partition, let abandon = reader.entry("abandon") {
            collector.report(
                "'abandon' goes with 'clock: key' only", at: abandon.keyLocation,
                hint: "remove it, or say 'clock: key'; 'idle' is for partition clocks")
        }
        guard let field, let disorder, let lateness, let ahead, let clock,
            reader["abandon"] == nil || abandon != nil, reader["idle"] == nil || idle != nil,
            reader["granule"] == nil || granule != nil
        else { return nil }
        return TimeSpec(
            field: field, disorder: disorder, lateness: lateness, ahead: ahead, clock: clock,
            abandon: abandon, idle: idle, granule: granule ?? 1_000_000, arrival: arrival,
            location: node.location)
    }

    private func requiredDuration(
        _ reader: MappingReader, _ key: String, _ reason: String, _ example: String
    ) -> Int64? {
        let hint = "such as '\(key): \(example)'"
        guard reader.required(key, hint: hint, reason: reason) != nil else { return nil }
        return reader.duration(key, example: example)
    }
}

// MARK: Sinks

extension SpecReader {
    private func readSinks(_ reader: MappingReader) -> [SinkSpec] {
        let example = "sinks: [{from: overload, topic: alarms.crane}]"
        guard let node = reader.required("sinks", hint: example) else { return [] }
        guard let items = node.items, !items.isEmpty else {
            collector.report(
                "'sinks' must be a list, not \(node.items == nil ? node.kind : "an empty one")",
                at: node.location, hint: example)
            return []
        }
        return items.compactMap { readSink($0, example: "{from: overload, topic: alarms.crane}") }
    }

    private func readSink(_ node: YAMLNode, example: String) -> SinkSpec? {
        guard
            let reader = MappingReader(
                node, what: "a sink",
                keys: ["from", "topic", "key", "format", "mode", "alarm", "codec", "describe"],
                collector, example: example)
        else { return nil }
        let from = reader.requiredText("from", hint: example)
        let topic = reader.requiredText("topic", hint: example)
        if let topic { checkTopic(topic) }
        let key = reader.text("key", hint: "key: the field that is the rows' key")
        let format = readSinkFormat(reader)
        let codec = reader.choice(
            "codec", [("none", SinkPlan.Codec.none), ("lz4", .lz4), ("zstd", .zstd)], default: .lz4)
        if let from, topic == nil || format == nil || codec == nil {
            // The step has a sink, if a broken one.
            brokenReads.insert(from.value)
        }
        guard let from, let topic, let format, let codec else { return nil }
        return SinkSpec(from: from, topic: topic, key: key, format: format, codec: codec)
    }
}
