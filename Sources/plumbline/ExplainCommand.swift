import ArgumentParser
import Foundation
import Primitives
import Topology

/// `plumbline explain DIR...`
struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what topologies do: as an outline, or as a picture.",
        discussion: """
            Sources with their time rules, steps with expressions, types and units, the state \
            that is kept for each key and for how long, where exact values turn into doubles, \
            and sinks. Several topologies make one picture, joined where one writes a topic \
            that another reads. text is an outline; dot is for Graphviz; svg is drawn here and \
            opens in any browser, with everything else as tooltips.

            Example: plumbline explain topologies/crane-overload --format svg --output crane.svg

            \(Terminal.exitCodes)
            """)

    /// How the explanation is written.
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, dot, svg }

    @Argument(help: "Topology folders.", completion: .directory)
    var directories: [String]

    @Option(help: "text, dot or svg; text when not given.")
    var format: Format?

    @Option(
        help: ArgumentHelp("The file to write instead of standard output.", valueName: "file"),
        completion: .file())
    var output: String?

    @Flag(help: "Write one JSON object: topologies with nodes and edges, and links between them.")
    var json = false

    func validate() throws {
        if json, format != nil {
            throw ValidationError("--json and --format do not go together; choose one")
        }
    }

    func run() throws {
        try Terminal.run {
            let explanation = Explainer.explain(try TopologyFolders.load(directories))
            let text: String
            if json {
                text = try Terminal.jsonText(explanation) + "\n"
            } else {
                switch format ?? .text {
                case .text: text = ExplanationText.write(explanation)
                case .dot: text = ExplanationDot.write(explanation)
                case .svg: text = ExplanationSVG.write(explanation)
                }
            }
            try Terminal.write(text, to: output)
        }
    }
}

/// Topology folders of a command line.
enum TopologyFolders {
    /// Reads all of them; what is wrong in any of them is thrown together.
    static func load(_ directories: [String]) throws -> [LoadedTopology] {
        var loaded: [LoadedTopology] = []
        var problems: [Diagnostic] = []
        for directory in directories {
            do {
                loaded.append(try TopologyLoader.load(directory: directory))
            } catch {
                problems += error.diagnostics
            }
        }
        if !problems.isEmpty { throw DiagnosticList(problems) }
        return loaded
    }
}
