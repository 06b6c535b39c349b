import ArgumentParser
import Connectors
import Foundation
import Primitives
import Topology

/// `plumbline fetch DIR...`
struct FetchSchemas: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Fetch the schemas of Avro sources from a schema registry.",
        discussion: """
            Reads which subjects the sources of topologies name with 'format: avro', and writes \
            all versions of each into schemas/<subject>/<id>.avsc: in the topology's folder, or \
            beside it where schemas/ lies there. They are part of the plan from then on; run and \
            replay ask no registry. A file that is there is never changed.

            Settings: schema.registry.url (several, separated by commas, are tried in turn), \
            basic.auth.user.info, schema.registry.request.timeout.ms.

            Example:
              plumbline fetch --set schema.registry.url=http://localhost:8081 topologies/crane

            Exit codes: 0 done; 1 not reached, refused or not there, with the reason; 64 wrong \
            usage.
            """)

    @Option(
        help: ArgumentHelp(
            "A setting, for example schema.registry.url=http://localhost:8081.",
            valueName: "name=value"))
    var set: [String] = []

    @Option(
        help: ArgumentHelp(
            "A file of such settings, a line each, those of other programs too; --set comes after.",
            valueName: "file"), completion: .file())
    var config: String?

    @Flag(help: "Write one JSON object for each schema.")
    var json = false

    @Argument(help: "Topology folders.", completion: .directory)
    var directories: [String]

    func validate() throws {
        if directories.isEmpty { throw ValidationError("name at least one topology folder") }
    }

    private struct Row: Encodable {
        var subject: String
        var id: Int
        var version: Int
        var file: String
        var isNew: Bool
    }

    func run() throws {
        try Terminal.run {
            let ofFile = try config.map { try KafkaSettings.settings(ofFile: $0) } ?? []
            let settings = try SchemaRegistrySettings(
                ofFile + KafkaSettings.settings(fromArguments: set), strictly: set.count)
            let registry = SchemaRegistry(settings)
            var files: [(row: Row, text: String)] = []
            // All is fetched and checked before anything is written.
            for directory in directories {
                let subjects = try TopologyLoader.avroSubjects(try topology(directory))
                if subjects.isEmpty {
                    Terminal.note("\(directory): no source has 'format: avro' with a subject")
                }
                for subject in subjects { files += try fetch(subject, for: directory, registry) }
            }
            var seen: Set<String> = []
            for (row, text) in files where seen.insert(row.file).inserted {
                if row.isNew {
                    let folder = (row.file as NSString).deletingLastPathComponent
                    try FileManager.default.createDirectory(
                        atPath: folder, withIntermediateDirectories: true)
                    try LocalFile.write(Array(text.utf8), to: row.file)
                }
                try show(row)
            }
        }
    }

    private func topology(_ directory: String) throws(DiagnosticList) -> TopologyDirectory {
        do {
            return try TopologyDirectory(directory)
        } catch {
            throw DiagnosticList([error])
        }
    }

    private func fetch(
        _ subject: String, for directory: String, _ registry: SchemaRegistry
    ) throws -> [(Row, String)] {
        let folder = "\(schemasFolder(of: directory))/\(subject)"
        return try registry.schemas(of: subject).map { schema in
            let file = "\(folder)/\(schema.id).avsc"
            let text = schema.text.hasSuffix("\n") ? schema.text : schema.text + "\n"
            let collector = DiagnosticCollector()
            _ = AvroSchemaReader.read(SourceText(name: file, text: text), collector)
            guard collector.isEmpty else { throw collector.list(firstFile: file) }
            let known = FileManager.default.contents(atPath: file)
            if let known, known != Data(text.utf8), known != Data(schema.text.utf8) {
                throw Diagnostic(
                    "the registry has another schema with this id",
                    at: SourceLocation(file: file, line: 1, column: 1),
                    hint: "an id never changes its meaning: is it the same registry? Move the file"
                        + " away to take the registry's")
            }
            return (
                Row(
                    subject: subject, id: schema.id, version: schema.version, file: file,
                    isNew: known == nil), text
            )
        }
    }

    /// Where a topology's schemas lie: in its folder, else beside it.
    private func schemasFolder(of directory: String) -> String {
        var path = directory
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        var isDirectory: ObjCBool = false
        for folder in ["\(path)/schemas", "\(path)/../schemas"]
        where FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory) {
            if isDirectory.boolValue { return folder }
        }
        return "\(path)/schemas"
    }

    private func show(_ row: Row) throws {
        if json { return try Terminal.json(row) }
        print(
            "\(row.subject) version \(row.version), id \(row.id): \(row.file)"
                + (row.isNew ? "" : ", there already"))
    }
}
