import ArgumentParser
import Connectors
import Dataflow
import Engine
import Topology

/// `plumbline deploy --brokers HOST:PORT[,...] DIR...`
struct Deploy: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make the topics of topologies on a Kafka cluster and register their plans.",
        discussion: """
            Shows first what is to be done: topics to make, those that are fine, and those that \
            differ with what to do about it. A topic that is there is never changed. What would \
            break readers is refused, and then nothing is done: other numbers of partitions, \
            compaction or limited retention of what re-execution needs, a second writer, a plan \
            that has changed under the same version.

            Sources that are missing are made with as many partitions as the topology's other \
            sources, else with --partitions.

            Examples:
              plumbline deploy --brokers localhost:9092 --dry-run topologies/crane-overload
              plumbline deploy --brokers localhost:9092 --partitions 12 topologies/crane-overload

            Exit codes: 0 done; 1 refused or failed, with the reason; 64 wrong usage.
            """)

    @Option(
        help: ArgumentHelp("Brokers of the cluster, HOST:PORT[,...].", valueName: "host:port"))
    var brokers: String

    @OptionGroup var cluster: ClusterSettings

    @Option(parsing: .unconditional, help: "Partitions of sources that are missing.")
    var partitions: Int?

    @Flag(help: "Show the plan and change nothing.")
    var dryRun = false

    @Flag(help: "Write the plan as JSON.")
    var json = false

    @Argument(help: "Topology folders.", completion: .directory)
    var directories: [String]

    func validate() throws {
        if let partitions, !(1...10_000).contains(partitions) {
            throw ValidationError("--partitions must be 1 to 10000")
        }
        if directories.isEmpty { throw ValidationError("name at least one topology folder") }
    }

    private struct Row: Encodable {
        var topic: String
        var partitions: Int
        var writer: String?
        var state: String
        var notes: [String]
    }

    func run() throws {
        try Terminal.run {
            let plans = try directories.flatMap { try TopologyLoader.load(directory: $0).plans }
            let deployment = try Deployment(
                plans, try cluster.connect(brokers), partitions: partitions)
            try show(deployment.items)
            guard deployment.isPossible else {
                Terminal.note("deploy: refused; nothing was changed")
                throw ExitCode(1)
            }
            guard !dryRun else { return Terminal.note("deploy: a dry run; nothing was changed") }
            try deployment.apply { Terminal.note("deploy: made \($0)") }
            let names = plans.map(\.taskName).joined(separator: ", ")
            Terminal.note("deploy: registered \(names)")
        }
    }

    private func show(_ items: [Deployment.Item]) throws {
        if json {
            return try Terminal.json(
                items.map {
                    Row(
                        topic: $0.topic, partitions: $0.partitions, writer: $0.writer,
                        state: $0.state.rawValue, notes: $0.notes)
                })
        }
        var table = TextTable([
            .left("topic"), .right("partitions"), .left("written by"), .left("plan"),
        ])
        for item in items {
            table.add([
                item.topic, "\(item.partitions)", item.writer ?? "others", item.state.rawValue,
            ])
        }
        try Terminal.print(table.text, terminator: "")
        for item in items {
            for note in item.notes { try Terminal.print("\(item.topic): \(note)") }
        }
    }
}
