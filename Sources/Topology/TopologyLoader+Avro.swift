import Dataflow
import Primitives

extension TopologyLoader {
    /// The writers' schemas of all Avro sources by ``AvroNames``.
    static func readAvro(
        _ spec: TopologySpec, _ files: some TopologyFiles, _ collector: DiagnosticCollector
    ) -> [String: AvroSchemaSpec] {
        var schemas: [String: AvroSchemaSpec] = [:]
        for source in spec.sources {
            guard case .avro(let form) = source.format else { continue }
            switch form.origin {
            case .file(let name):
                readAvro(name, files, collector, into: &schemas) {
                    collector.report(
                        "there is no Avro schema '\(name)'", at: source.formatLocation,
                        hint: "write \(files.displayName(of: "schemas/\(name).avsc"))")
                }
            case .subject(let subject):
                let names = files.avroNames(of: subject)
                if names.isEmpty {
                    let folder = files.displayName(of: "schemas/\(subject)")
                    collector.report(
                        "there are no schemas of subject '\(subject)'",
                        at: source.formatLocation,
                        hint: "'plumbline fetch' writes them to \(folder)/<id>.avsc; values without"
                            + " a schema id have 'format: {avro: {schema: …}}'")
                }
                for name in names {
                    guard AvroNames.id(name) != nil else {
                        let file = files.displayName(of: "schemas/\(subject)/\(name).avsc")
                        collector.report(
                            "'\(name)' is not a schema id",
                            at: SourceLocation(file: file, line: 1, column: 1),
                            hint: "the files of a subject are named by ids, such as 17.avsc")
                        continue
                    }
                    readAvro("\(subject)/\(name)", files, collector, into: &schemas) {}
                }
            }
        }
        return schemas
    }

    private static func readAvro(
        _ name: String, _ files: some TopologyFiles, _ collector: DiagnosticCollector,
        into schemas: inout [String: AvroSchemaSpec], missing: () -> Void
    ) {
        guard schemas[name] == nil else { return }
        do {
            guard let source = try files.read("schemas/\(name).avsc") else { return missing() }
            schemas[name] = AvroSchemaReader.read(source, collector)
        } catch {
            collector.report(error)
        }
    }

    /// The writers' schemas that a plan holds.
    static func readAvro(
        _ node: YAMLNode?, _ spec: TopologySpec, _ collector: DiagnosticCollector
    ) -> [String: AvroSchemaSpec] {
        var schemas: [String: AvroSchemaSpec] = [:]
        for entry in node?.entries ?? [] {
            schemas[entry.key] = AvroSchemaReader.read(entry.value, collector)
        }
        for source in spec.sources {
            guard case .avro(let form) = source.format else { continue }
            let names = AvroNames.names(of: form, in: schemas.keys)
            guard names.isEmpty || names.contains(where: { schemas[$0.key] == nil }) else {
                continue
            }
            collector.report(
                "there are no Avro schemas of source '\(source.name.value)'",
                at: source.formatLocation, hint: "this is no plan that this version wrote")
        }
        return schemas
    }
}
