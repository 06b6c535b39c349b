import ArgumentParser
import Connectors
import Dataflow
import Dispatch
import Engine
import Foundation
import Primitives
import Topology

/// `plumbline run --data D DIR...`, and on a cluster `--brokers HOST:PORT[,...]`
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run topologies on the log of a data directory, or on Apache Kafka.",
        discussion: """
            With --until-end it takes everything that the input topics hold, closes what is open \
            and stops; without it it follows the topics until SIGINT or SIGTERM. Started again it \
            goes on where the journal ends: nothing is lost, nothing is doubled. A topology that \
            differs from the one in the journal is refused with what differs.

            Examples:
              plumbline run --data data topologies/crane-overload --until-end
              plumbline run --brokers localhost:9092 topologies/crane-overload

            \(Terminal.exitCodes)
            """)

    @OptionGroup var location: LogLocation

    @Argument(help: "Topology folders.", completion: .directory)
    var directories: [String]

    @Flag(help: "Run to the present end of the input topics, then stop.")
    var untilEnd = false

    @Option(parsing: .unconditional, help: "Worker threads.")
    var workers = 1

    @Option(parsing: .unconditional, help: "Rows in an epoch at the most: what one commit covers.")
    var epochRows = 65_536

    @Option(parsing: .unconditional, help: "Rows between two snapshots of a task's state.")
    var snapshotRows = 1_048_576

    @Option(
        parsing: .unconditional, help: "Rows in a batch at the most (1 to 2048); changes no result."
    )
    var batchRows = 2048

    @Option(
        name: .customLong("metrics"), parsing: .unconditional,
        help: ArgumentHelp(
            "Answer Prometheus on this port of the loopback address; 0 takes a free one.",
            valueName: "port"))
    var metricsPort: UInt16?

    @Flag(help: "Let all keys collide in hash tables; changes no result.")
    var collidingHashes = false

    @Flag(help: "Say on standard error when each epoch begins and commits.")
    var trace = false

    @Flag(help: "Write the summary as JSON.")
    var json = false

    func validate() throws {
        if directories.isEmpty { throw ValidationError("name at least one topology folder") }
        guard (1...2048).contains(batchRows) else {
            throw ValidationError("--batch-rows must be 1 to 2048, not \(batchRows)")
        }
        for (name, value) in [
            ("workers", workers), ("epoch-rows", epochRows), ("snapshot-rows", snapshotRows),
        ] where value < 1 {
            throw ValidationError("--\(name) must be positive, not \(value)")
        }
    }

    func run() throws {
        try Terminal.run {
            let plans = try directories.flatMap { try TopologyLoader.load(directory: $0).plans }
            let started = Date()
            let stop = StopFlag()
            let summary =
                if let brokers = location.brokers {
                    try runOnCluster(plans, brokers, stop)
                } else {
                    try runOnLog(plans, location.data ?? "", stop)
                }
            try report(summary, seconds: Date().timeIntervalSince(started))
            guard !untilEnd || !stop.value else {
                throw Diagnostic(
                    "ended by a signal, perhaps before the end of the data",
                    hint: "the same command goes on where this one stopped")
            }
        }
    }

    private func runOnLog(
        _ plans: [Plan], _ data: String, _ stop: StopFlag
    ) throws -> RunSummary {
        let log = try openLog(data)
        let signals = [SIGINT, SIGTERM].map { signalSource($0, stop, log) }
        defer { for signal in signals { signal.cancel() } }
        let runner = try Runner(plans, transport: log, options: options(try startMetrics()))
        // While this process holds the directory, imports hand their batches over to it.
        let server = try ImportServer(log: log)
        server.start()
        if !untilEnd { Terminal.note("following; end with Ctrl-C") }
        let result = Result { try runner.run(stop: stop) }
        server.stop()
        // After an error the directory stays as it is: the next start recovers it.
        let summary = try result.get()
        try log.close()
        return summary
    }

    private func runOnCluster(
        _ plans: [Plan], _ brokers: String, _ stop: StopFlag
    ) throws -> RunSummary {
        let metrics = try startMetrics()
        let cluster = try location.cluster.connect(
            brokers, metrics: metrics, isStopping: { stop.value })
        let signals = [SIGINT, SIGTERM].map { signalSource($0, stop, cluster) }
        defer { for signal in signals { signal.cancel() } }
        if !untilEnd { Terminal.note("following; end with Ctrl-C") }
        // Leaving the group hands the tasks to other processes at once, after an error too.
        defer { cluster.close() }
        return try Runner.runShared(
            plans, transport: cluster, options: options(metrics), stop: stop)
    }

    private func openLog(_ data: String) throws -> EmbeddedLog {
        var isWaiting = false
        return try EmbeddedLog.open(
            data,
            whileAnImportHoldsIt: {
                if !isWaiting { Terminal.note("an import holds \(data); waiting for its end") }
                isWaiting = true
                return true
            })
    }

    /// Answers scrapes from now on, if that is wanted.
    private func startMetrics() throws -> Metrics? {
        guard let port = metricsPort else { return nil }
        let metrics = Metrics()
        let server = try MetricsServer(port: port) { metrics.text() }
        server.start()
        Terminal.note("metrics on http://127.0.0.1:\(server.port)/metrics")
        return metrics
    }

    private func options(_ metrics: Metrics?) -> RunOptions {
        var options = RunOptions()
        options.monitor.metrics = metrics
        options.workers = workers
        options.untilEnd = untilEnd
        options.task.batchRows = batchRows
        options.task.collidingHashes = collidingHashes
        options.task.epochRows = epochRows
        options.task.snapshotRows = snapshotRows
        options.monitor.waiting = { Terminal.note($0) }
        if trace { options.monitor.trace = { Terminal.note("trace: \($0)") } }
        if untilEnd {
            let meter = RecordMeter()
            options.monitor.recordsRead = { meter.add($0) }
        }
        return options
    }

    private func signalSource(
        _ number: Int32, _ stop: StopFlag, _ transport: any Transport
    ) -> any DispatchSourceSignal {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler {
            stop.set()
            transport.wake()
        }
        source.resume()
        return source
    }

    private struct Report: Encodable {
        struct Topology: Encodable {
            var name: String
            var tasks: Int
            var rows: Int
            var epochs: Int
            var records: [String: Int]
        }
        var topologies: [Topology]
        var reexecutedEpochs: Int
        var cutRecords: Int
        var regeneratedRecords: Int
        var seconds: Double
    }

    private func report(_ summary: RunSummary, seconds: Double) throws {
        let recoveries = summary.recoveries
        if json {
            try Terminal.json(
                Report(
                    topologies: summary.topologies.map { topology in
                        .init(
                            name: topology.name, tasks: topology.tasks, rows: topology.rows,
                            epochs: topology.epochs,
                            records: Dictionary(
                                uniqueKeysWithValues: topology.outputs.map { ($0.0, $0.1) }))
                    },
                    reexecutedEpochs: recoveries.reduce(0) { $0 + $1.executedEpochs },
                    cutRecords: recoveries.reduce(0) { $0 + $1.cutRecords },
                    regeneratedRecords: recoveries.reduce(0) { $0 + $1.regeneratedRecords },
                    seconds: (seconds * 1000).rounded() / 1000))
            return
        }
        for recovery in recoveries
        where recovery.executedEpochs + recovery.cutRecords + recovery.regeneratedRecords > 0 {
            try Terminal.print(
                "recovered \(recovery.task): \(recovery.executedEpochs) epochs re-executed and"
                    + " found identical, \(recovery.cutRecords) uncommitted records cut,"
                    + " \(recovery.regeneratedRecords) written again")
        }
        for topology in summary.topologies {
            try Terminal.print(
                "\(topology.name): \(topology.rows) records read, \(topology.epochs) epochs,"
                    + " \(topology.tasks) tasks")
            for (topic, records) in topology.outputs where records > 0 {
                try Terminal.print("    \(topic): \(records) records")
            }
        }
    }
}
