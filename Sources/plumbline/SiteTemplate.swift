/// What `plumbline init` writes: the files of `SiteTemplate/`, which are part of the program.
enum SiteTemplate {
    /// A command to type in the new directory, without the program's name, and what it does.
    struct Step {
        var arguments: String
        var purpose: String
    }

    /// The way from the new directory to the first alarms.
    static let steps = [
        Step(arguments: "check topologies/crane-overload", purpose: "reads it, says what is wrong"),
        Step(arguments: "test topologies/crane-overload", purpose: "runs its cases"),
        Step(
            arguments: importing("registry.crane", schema: "crane", "samples/registry.ndjson"),
            purpose: "the cranes and their load charts"),
        Step(
            arguments: importing("telemetry.crane", schema: "crane-load", "samples/crane.ndjson"),
            purpose: "their readings; one line is broken"),
        Step(
            arguments: "run --data data topologies/crane-overload --until-end",
            purpose: "judges them"),
        Step(arguments: "export --data data --topic alarms.crane", purpose: "the alarms"),
    ]

    private static func importing(_ topic: String, schema: String, _ file: String) -> String {
        "import --data data --topic \(topic) --format json --schema \(schema)"
            + " --key device --time ts --arrival arrival \(file)"
    }

    /// The lines to type, each after what it does. `program` is written as a shell reads it.
    static func commands(program: String) -> String {
        steps.map { "# \($0.purpose)\n\(program) \($0.arguments)" }.joined(separator: "\n")
    }

    /// Paths in the new directory, with what stands there.
    static var files: [(path: String, bytes: [UInt8])] {
        let topology = "topologies/crane-overload"
        return [
            ("README.md", readme(PackageResources.README_md)),
            ("README.zh-CN.md", readme(PackageResources.README_zh_CN_md)),
            (".gitignore", Array("data/\n".utf8)),
            ("\(topology)/topology.yaml", PackageResources.topology_yaml),
            ("\(topology)/cases/confirm.yaml", PackageResources.confirm_yaml),
            ("\(topology)/cases/rejects.yaml", PackageResources.rejects_yaml),
            ("topologies/schemas/crane.yaml", PackageResources.crane_yaml),
            ("topologies/schemas/crane-load.yaml", PackageResources.crane_load_yaml),
            ("samples/registry.ndjson", PackageResources.registry_ndjson),
            ("samples/crane.ndjson", PackageResources.crane_ndjson),
        ]
    }

    private static func readme(_ template: [UInt8]) -> [UInt8] {
        let text = String(decoding: template, as: UTF8.self)
        return Array(
            text.replacing("{{commands}}", with: commands(program: "plumbline")).utf8)
    }
}
