import ArgumentParser

/// `plumbline schema KIND`
struct PrintSchema: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema of a kind of file, for editors and other tools.",
        discussion: """
            JSON Schema, draft 2020-12: topology is for topologies/<name>/topology.yaml, schema \
            for topologies/schemas/*.yaml, rules for topologies/rules/*.yaml, case for \
            topologies/<name>/cases/*.yaml. It knows the form of a file: keys, names, \
            durations, choices. What they mean together is for check.

            Example: plumbline schema topology > topology.schema.json

            Exit codes: 0 done; 64 wrong usage.
            """)

    /// The kinds of file that a site's owner writes.
    enum Kind: String, ExpressibleByArgument, CaseIterable { case topology, schema, rules, `case` }

    @Argument(help: "topology, schema, rules or case.")
    var kind: Kind

    @Flag(help: "As with every command; the output is JSON with and without it.")
    var json = false

    func run() throws {
        let bytes =
            switch kind {
            case .topology: PackageResources.topology_schema_json
            case .schema: PackageResources.schema_schema_json
            case .rules: PackageResources.rules_schema_json
            case .case: PackageResources.case_schema_json
            }
        try Terminal.print(String(decoding: bytes, as: UTF8.self), terminator: "")
    }
}
