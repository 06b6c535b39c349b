import ArgumentParser
import Dataflow
import Engine
import Primitives
import Topology

/// `plumbline test DIR...`
struct Test: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the cases of topologies.",
        discussion: """
            Each file in a topology's cases/ gives input rows and the expected records and \
            rejects. A case that differs is shown with its differences.

            Example: plumbline test topologies/crane-overload

            Exit codes: 0 all cases hold; 1 a case differs, or the job failed; 64 wrong usage.
            """)

    @Argument(help: "Topology folders.", completion: .directory)
    var directories: [String]

    @Flag(help: "Write one JSON object for each case.")
    var json = false

    private struct Result: Encodable {
        var topology: String
        var `case`: String
        var file: String
        var passed: Bool
        var difference: String?
    }

    func run() throws {
        try Terminal.run {
            var passed = 0
            var failed = 0
            for directory in directories {
                let loaded = try LoadedCases(directory: directory)
                let runner = CaseRunner(plans: loaded.topology.plans)
                for file in loaded.cases {
                    let difference = try runner.run(file)
                    if difference == nil { passed += 1 } else { failed += 1 }
                    try report(file, difference, loaded.topology.plan.name)
                }
            }
            if !json { try Terminal.print("\(passed) passed, \(failed) failed") }
            if failed > 0 { throw ExitCode(1) }
        }
    }

    private func report(_ file: CaseFile, _ difference: String?, _ topology: String) throws {
        if json {
            try Terminal.json(
                Result(
                    topology: topology, case: file.name, file: file.location.file,
                    passed: difference == nil, difference: difference))
        } else if let difference {
            try Terminal.print("FAILED \(topology): \(file.name) (\(file.location.file))")
            try Terminal.print(
                difference.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n"))
        } else {
            try Terminal.print("passed \(topology): \(file.name)")
        }
    }
}
