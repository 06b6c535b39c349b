import Dataflow
import Primitives

extension TopologyLoader {
    /// The registry's subjects whose schemas the sources of a topology name, sorted; from its form
    /// alone, since what it needs may not be there yet.
    package static func avroSubjects(
        _ files: some TopologyFiles
    ) throws(DiagnosticList) -> [String] {
        let collector = DiagnosticCollector()
        let name = files.displayName(of: "topology.yaml")
        var subjects: Set<String> = []
        do {
            if let source = try files.read("topology.yaml"),
                let root = YAMLReader.read(source, collector),
                let spec = SpecReader.read(root, collector)
            {
                for source in spec.sources {
                    guard case .avro(let form) = source.format,
                        case .subject(let subject) = form.origin
                    else { continue }
                    subjects.insert(subject)
                }
            }
        } catch {
            collector.report(error)
        }
        guard collector.isEmpty else { throw collector.list(firstFile: name) }
        return subjects.sorted()
    }
}
