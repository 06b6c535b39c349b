import ArgumentParser
import Connectors
import Engine
import RecordLog

/// `plumbline replay --data D`
struct ReplayJournal: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Execute the journal again and compare every output and reject.",
        discussion: """
            Needs the topics alone: the plans are among them. Says for each task how many records \
            were compared, and names the first offset that differs. On a cluster this proves that \
            no transaction was torn or doubled.

            Examples:
              plumbline replay --data data
              plumbline replay --brokers localhost:9092

            Exit codes: 0 all identical; 1 a record differs or the job failed; 64 wrong usage.
            """)

    @OptionGroup var location: LogLocation

    @Flag(help: "Write one JSON object for each task.")
    var json = false

    private struct Result: Encodable {
        var task: String
        var epochs: Int64
        var records: Int
        var identical: Bool
        var topic: String?
        var partition: Int?
        var offset: Int64?
        var reason: String?
    }

    func run() throws {
        try Terminal.run {
            var failure: (any Error)?
            var progress = Progress()
            let replay = try Replay(location.reader()) { task, epoch in
                progress.show { "replay: \(task), epoch \(epoch)" }
            }
            let identical = try replay.run { result in
                do { try report(result) } catch { failure = error }
            }
            if let failure { throw failure }
            if !identical { throw ExitCode(1) }
        }
    }

    private func report(_ result: ReplayResult) throws {
        let difference = result.difference
        if json {
            try Terminal.json(
                Result(
                    task: result.task, epochs: result.epochs, records: result.records,
                    identical: difference == nil, topic: difference?.place.topic,
                    partition: difference?.place.partition, offset: difference?.offset,
                    reason: difference?.reason))
        } else if let difference {
            try Terminal.print(
                "\(result.task): DIFFERENT after \(result.records) records: \(difference)")
        } else {
            try Terminal.print(
                "\(result.task): identical, \(result.records) records in \(result.epochs) epochs")
        }
    }
}
