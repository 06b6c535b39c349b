import ArgumentParser
import Dataflow
import Engine
import Primitives
import Topology

/// `plumbline check DIR...`
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check topologies without running them.",
        discussion: """
            Reads each topology with its schemas and cases and reports everything that is wrong, \
            with file, line, column, reason and a hint.

            Example: plumbline check topologies/crane-overload

            Exit codes: 0 all right; 1 something is wrong, or cannot be read; 64 wrong usage.
            """)

    @Argument(help: "Topology folders.", completion: .directory)
    var directories: [String]

    @Flag(help: "Write one JSON object for each topology.")
    var json = false

    private struct Result: Encodable {
        struct Problem: Encodable {
            var file: String?
            var line: Int?
            var column: Int?
            var message: String
            var hint: String?
        }
        var directory: String
        var topology: String?
        var problems: [Problem]
    }

    func validate() throws {
        if directories.isEmpty { throw ValidationError("name at least one topology folder") }
    }

    func run() throws {
        try Terminal.run {
            var failed = false
            var plans: [Plan] = []
            for directory in directories {
                var problems: [Diagnostic] = []
                var name: String?
                do {
                    let loaded = try LoadedCases(directory: directory)
                    plans += loaded.topology.plans
                    name = "\(loaded.topology.plan.name) version \(loaded.topology.plan.version)"
                    if !json {
                        try Terminal.print(
                            "\(directory): \(name ?? ""), \(loaded.cases.count) cases: ok")
                    }
                } catch let list as DiagnosticList {
                    problems = list.diagnostics
                    failed = true
                    if !json { Terminal.note(list.description) }
                }
                if json {
                    try Terminal.json(
                        Result(
                            directory: directory, topology: name,
                            problems: problems.map {
                                .init(
                                    file: $0.location?.file, line: $0.location?.line,
                                    column: $0.location?.column, message: $0.message,
                                    hint: $0.hint)
                            }))
                }
            }
            if failed { throw ExitCode(1) }
            // What the topologies are to each other: one writer a topic, and no circle.
            _ = try StageGraph(plans)
        }
    }
}

/// A topology with its cases, from a folder.
struct LoadedCases {
    let topology: LoadedTopology
    let cases: [CaseFile]

    init(directory: String) throws {
        topology = try TopologyLoader.load(directory: directory)
        do {
            cases = try CaseFile.load(try TopologyDirectory(directory), for: topology.plans)
        } catch let diagnostic as Diagnostic {
            throw DiagnosticList([diagnostic])
        }
    }
}
