import Columnar
import Dataflow
import Primitives

/// A topology read from its files.
package struct LoadedTopology: Sendable {
    /// One a stage, upstream first; at least one.
    package var plans: [Plan]
    /// The first stage, which is all of a topology without `rekey`.
    package var plan: Plan { plans[0] }
    /// The file as written, with its places.
    package var spec: TopologySpec
    package var description: String { spec.description }
}

/// Reads topologies: YAML files to a checked plan, or everything that is wrong with them.
///
/// Reading has no state; any thread may call it.
package enum TopologyLoader {
    /// Reads the topology in a folder.
    package static func load(directory: String) throws(DiagnosticList) -> LoadedTopology {
        let files: TopologyDirectory
        do {
            files = try TopologyDirectory(directory)
        } catch {
            throw DiagnosticList([error])
        }
        return try load(files)
    }

    /// Reads a topology from its files. All diagnostics found are thrown together, `topology.yaml`
    /// first, by line and column.
    package static func load(_ files: some TopologyFiles) throws(DiagnosticList) -> LoadedTopology {
        let collector = DiagnosticCollector()
        let name = files.displayName(of: "topology.yaml")
        let place = SourceLocation(file: name, line: 1, column: 1)
        var loaded: LoadedTopology?
        if let root = read(
            "topology.yaml", files, collector,
            missing: {
                collector.report(
                    "no such file", at: place,
                    hint: "the folder of a topology holds a file named topology.yaml")
            }), let spec = SpecReader.read(root, collector)
        {
            let schemas = readSchemas(spec, files, collector)
            let rules = readRules(spec, files, collector)
            let avro = readAvro(spec, files, collector)
            let protobuf = readProtobuf(spec, files, collector)
            if let plans = PlanBuilder.build(
                spec, schemas: schemas, rules: rules, avro: avro, protobuf: protobuf, at: place,
                collector)
            {
                loaded = LoadedTopology(plans: plans, spec: spec)
            }
        }
        guard let loaded, collector.isEmpty else { throw collector.list(firstFile: name) }
        return loaded
    }

    /// Reads the plans of a topology's stages back from its canonical text.
    package static func load(canonicalText: String) throws(DiagnosticList) -> [Plan] {
        let collector = DiagnosticCollector()
        let source = SourceText(name: "plan", text: canonicalText)
        var plans: [Plan]?
        if let root = YAMLReader.read(source, collector),
            let reader = MappingReader(
                root, what: "a plan",
                keys: ["avro", "plumbline", "protobuf", "rules", "schemas", "topology"],
                collector,
                example: "{\"plumbline\":1,…}")
        {
            plans = build(reader, collector)
        }
        guard let plans, collector.isEmpty else { throw collector.list(firstFile: "plan") }
        return plans
    }

    private static func build(_ reader: MappingReader, _ collector: DiagnosticCollector) -> [Plan]?
    {
        let hint = "this is no plan that this version wrote"
        let version = reader.requiredText("plumbline", hint: hint)
        if let version, version.value != String(CanonicalText.formatVersion) {
            collector.report(
                "a plan of format \(version.value)", at: version.location,
                hint: "this build reads format \(CanonicalText.formatVersion)")
            return nil
        }
        guard let topology = reader.required("topology", hint: hint),
            let schemaNodes = reader.required("schemas", hint: hint),
            let spec = SpecReader.read(topology, collector)
        else { return nil }
        var schemas: [String: SchemaSpec] = [:]
        for entry in schemaNodes.entries ?? [] {
            schemas[entry.key] = SchemaReader.read(entry.value, name: entry.key, collector)
        }
        for source in spec.sources where schemas[source.schema.value] == nil {
            collector.report(
                "there is no schema '\(source.schema.value)'", at: source.schema.location,
                hint: hint)
        }
        var rules: [String: RuleFileSpec] = [:]
        for entry in reader["rules"]?.entries ?? [] {
            rules[entry.key] = RuleFileReader.read(entry.value, name: entry.key, collector)
        }
        for item in spec.rules where rules[item.file.value] == nil {
            collector.report(
                "there are no rules '\(item.file.value)'", at: item.file.location, hint: hint)
        }
        let avro = readAvro(reader["avro"], spec, collector)
        let protobuf = readProtobuf(reader["protobuf"], spec, collector)
        return PlanBuilder.build(
            spec, schemas: schemas, rules: rules, avro: avro, protobuf: protobuf,
            at: reader.node.location, collector)
    }

    private static func readRules(
        _ spec: TopologySpec, _ files: some TopologyFiles, _ collector: DiagnosticCollector
    ) -> [String: RuleFileSpec] {
        var rules: [String: RuleFileSpec] = [:]
        var seen: Set<String> = []
        for item in spec.rules where seen.insert(item.file.value).inserted {
            let name = item.file.value
            let root = read(
                "rules/\(name).yaml", files, collector,
                missing: {
                    collector.report(
                        "there are no rules '\(name)'", at: item.file.location,
                        hint: Suggestion.hint(
                            for: name, in: files.ruleNames(), kind: "rule files")
                            ?? "write \(files.displayName(of: "rules/\(name).yaml"))")
                })
            if let root { rules[name] = RuleFileReader.read(root, name: name, collector) }
        }
        return rules
    }

    private static func readSchemas(
        _ spec: TopologySpec, _ files: some TopologyFiles, _ collector: DiagnosticCollector
    ) -> [String: SchemaSpec] {
        var schemas: [String: SchemaSpec] = [:]
        var seen: Set<String> = []
        for source in spec.sources where !seen.contains(source.schema.value) {
            let name = source.schema.value
            let root = read(
                "schemas/\(name).yaml", files, collector,
                missing: {
                    let path = files.displayName(of: "schemas/\(name).yaml")
                    collector.report(
                        "there is no schema '\(name)'", at: source.schema.location,
                        hint: Suggestion.hint(for: name, in: files.schemaNames(), kind: "schemas")
                            ?? "write \(path)")
                })
            seen.insert(name)
            if let root { schemas[name] = SchemaReader.read(root, name: name, collector) }
        }
        return schemas
    }

    private static func read(
        _ name: String, _ files: some TopologyFiles, _ collector: DiagnosticCollector,
        missing: () -> Void
    ) -> YAMLNode? {
        do {
            if let source = try files.read(name) { return YAMLReader.read(source, collector) }
            missing()
        } catch {
            collector.report(error)
        }
        return nil
    }
}
