import ArgumentParser
import Connectors
import Primitives
import RecordLog

/// `plumbline archive --brokers HOST:PORT[,...] --topics T... --data D`
struct ArchiveTopics: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Follow topics of a Kafka cluster into the log of a data directory.",
        discussion: """
            Every committed record is stored at the offset that it has on the cluster: key, value, \
            headers and time byte for byte. Started again it goes on where the log ends, after a \
            look whether the topic is still the same. Without --until-end it follows the topics \
            until SIGINT or SIGTERM. At the end it says of each partition what the cluster has and \
            what is archived; with --verify both sides are read again and compared.

            With a topology's sources, outputs, journal and plans the copy can be re-executed: \
            plumbline replay --data D.

            Examples:
              plumbline archive --brokers localhost:9092 --topics 'crane-overload.v1.*' \\
                  alarms.crane --data copy --until-end
              plumbline archive --brokers localhost:9092 --topics alarms.crane --data copy

            Exit codes: 0 done; 1 failed, or a record differs; 64 wrong usage.
            """)

    @Option(
        help: ArgumentHelp("Brokers of the cluster, HOST:PORT[,...].", valueName: "host:port"))
    var brokers: String

    @OptionGroup var cluster: ClusterSettings

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Topics; a * at the end stands for any rest.", valueName: "topic"))
    var topics: [String]

    @Option(
        help: ArgumentHelp("The data directory; created when missing.", valueName: "dir"),
        completion: .directory)
    var data: String

    @Flag(help: "Stop at what the topics hold now.")
    var untilEnd = false

    @Flag(help: "At the end, compare every record with the cluster's.")
    var verify = false

    @Flag(help: "Write the figures as JSON, one object a partition.")
    var json = false

    private struct Row: Encodable {
        var topic: String
        var partition: Int
        var clusterStart: Int64
        var clusterEnd: Int64
        var start: Int64
        var end: Int64
        var records: Int64
        var gaps: Int64
        var complete: Bool
    }

    func validate() throws {
        if topics.isEmpty { throw ValidationError("name at least one topic with --topics") }
    }

    func run() throws {
        try Terminal.run {
            let interrupts = Interrupts()
            let source = try cluster.connect(brokers, isStopping: { interrupts.isStopped })
            let log = try EmbeddedLog.open(data)
            let archive = try Archive(source, into: log, topics: topics)
            try copy(archive, interrupts)
            let figures = try archive.figures()
            try show(figures)
            let difference = verify ? try compare(archive) : nil
            try log.close()
            if let difference {
                throw Diagnostic(difference, hint: "keep both sides, and find out who changed one")
            }
            if verify { Terminal.note("archive: every record is the cluster's") }
        }
    }

    private func copy(_ archive: Archive, _ interrupts: Interrupts) throws {
        let ends = untilEnd ? try archive.figures().map(\.clusterEnd) : nil
        if !untilEnd { Terminal.note("following; end with Ctrl-C") }
        var progress = Progress()
        var rounds = 0
        while !interrupts.isStopped {
            if try archive.step(until: ends) {
                rounds += 1
                progress.show { "archive: \(rounds) rounds" }
            } else if untilEnd || interrupts.wait(seconds: 0.1) {
                return
            }
        }
    }

    private func compare(_ archive: Archive) throws -> String? {
        var progress = Progress()
        return try archive.verify { place in
            progress.show { "archive: comparing \(place)" }
        }
    }

    private func show(_ figures: [ArchivedPartition]) throws {
        if json {
            return try Terminal.json(
                figures.map {
                    Row(
                        topic: $0.place.topic, partition: $0.place.partition,
                        clusterStart: $0.clusterStart, clusterEnd: $0.clusterEnd, start: $0.start,
                        end: $0.end, records: $0.records, gaps: $0.gaps, complete: $0.isComplete)
                })
        }
        var table = TextTable([
            .left("partition"), .right("cluster has"), .right("archived"), .right("records"),
            .right("without"), .left(""),
        ])
        for one in figures {
            table.add([
                "\(one.place)", "\(one.clusterStart) to \(one.clusterEnd)",
                "\(one.start) to \(one.end)", Report.grouped(Int(one.records)), "\(one.gaps)",
                one.isComplete ? "complete" : "not yet complete",
            ])
        }
        try Terminal.print(table.text, terminator: "")
    }
}
