import ArgumentParser
import Connectors
import Dataflow
import Engine
import Foundation
import Primitives
import Simulation
import Topology

/// `plumbline score`: alarms against a ground truth.
struct ScoreAlarms: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Compare alarms with a simulation's ground truth.",
        discussion: """
            Gives recall, precision and detection delay for each topology and rule, and lists \
            what was missed and what was raised for nothing. Alarms are read from a data \
            directory, or from files of `plumbline export`, named after their topics, with the \
            topologies that wrote them. docs/reference/simulate.md says when an alarm counts.

            Example:
              plumbline score --truth site-day/truth.ndjson --data data
              plumbline score --truth truth.ndjson --alarms alarms.crane.ndjson \\
                --topology topologies/crane-overload --require recall=1,precision=1

            Exit codes: 0 done, and as good as required; 1 not so good, or failed; 64 wrong usage.
            """)

    @Option(
        help: ArgumentHelp("Ground truth, as simulate writes it.", valueName: "file"),
        completion: .file())
    var truth: String
    @Option(
        help: ArgumentHelp("Data directory whose alarms are judged.", valueName: "dir"),
        completion: .directory)
    var data: String?
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Exported alarms instead of a data directory.", valueName: "file"),
        completion: .file())
    var alarms: [String] = []
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("The topologies that wrote the exported alarms.", valueName: "dir"),
        completion: .directory)
    var topology: [String] = []
    @Option(help: "How far outside its incident an alarm may be raised.")
    var tolerance: String = "1m"
    @Option(help: "Least recall and precision of every rule, such as recall=1,precision=0.9.")
    var require: String?
    @Option(
        parsing: .unconditional,
        help: "How many misses and false alarms are listed; all are counted.")
    var limit: Int = 20
    @Flag(help: "Write one JSON object.")
    var json = false

    func validate() throws {
        guard (data == nil) != alarms.isEmpty else {
            throw ValidationError("give either --data or --alarms.")
        }
        guard alarms.isEmpty || !topology.isEmpty else {
            throw ValidationError("--alarms needs the --topology that wrote them.")
        }
        guard limit >= 0 else { throw ValidationError("--limit cannot be negative.") }
        _ = try toleranceMilliseconds()
        _ = try requirements()
    }

    private func toleranceMilliseconds() throws -> Int64 {
        guard let microseconds = DurationText.parse(tolerance) else {
            throw ValidationError("--tolerance \"\(tolerance)\" is not a duration such as 1m.")
        }
        return microseconds / 1000
    }

    private func requirements() throws -> [String: Double] {
        guard let require else { return [:] }
        var result: [String: Double] = [:]
        for part in require.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, ["recall", "precision"].contains(sides[0]),
                let least = Double(sides[1]), (0...1).contains(least)
            else {
                throw ValidationError(
                    "--require \"\(part)\" is not recall=N or precision=N with N from 0 to 1.")
            }
            result[String(sides[0])] = least
        }
        return result
    }

    func run() throws {
        try Terminal.run {
            let incidents = try TruthFile.read(truth)
            let score = Score(
                incidents: incidents, episodes: try episodes(),
                tolerance: try toleranceMilliseconds())
            let required = try requirements()
            let short = score.rules.filter { rule in
                rule.recall < required["recall"] ?? 0
                    || rule.precision < required["precision"] ?? 0
            }
            if json {
                try Terminal.json(ScoreReport(score, isEnough: short.isEmpty))
            } else {
                try ScoreReport.printTable(score, limit: limit)
            }
            guard short.isEmpty else {
                let names = short.map { "\($0.topology)/\($0.rule)" }.joined(separator: ", ")
                Terminal.note("score: less than \(require ?? ""): \(names)")
                throw ExitCode(1)
            }
        }
    }

    private func episodes() throws -> [Episode] {
        var reader: AlarmReader
        if let data {
            let log = PublishedLog(data)
            let plans = try StoredPlans.latest(log)
            guard !plans.isEmpty else { throw StoredPlans.isEmpty(log, what: "plan") }
            reader = AlarmReader(plans: plans)
            for topic in reader.topics { try reader.read(topic: topic, dataPath: data) }
        } else {
            reader = AlarmReader(
                plans: try topology.flatMap { try TopologyLoader.load(directory: $0).plans })
            for file in alarms { try reader.read(file: file) }
        }
        return reader.collector.episodes
    }
}

/// A file of ground truth.
enum TruthFile {
    private struct Line: Decodable {
        var topology: String
        /// Absent in lines about faults.
        var rule: String?
        var key: String
        var level: String?
        var kind: String?
        var start: String
        var end: String
    }

    /// The incidents; faults are left out. Throws naming the line that is none.
    static func read(_ file: String) throws -> [Incident] {
        let decoder = JSONDecoder()
        var incidents: [Incident] = []
        for (number, text) in try AlarmReader.lines(of: file).enumerated() {
            guard let line = try? decoder.decode(Line.self, from: Data(text)),
                let start = Timestamp.parse(line.start), let end = Timestamp.parse(line.end),
                start <= end, line.rule == nil || line.level != nil
            else {
                throw Diagnostic(
                    "\(file), line \(number + 1) is no line of a ground truth",
                    hint: #"such as {"topology":"…","rule":"…","key":"…","level":"…","#
                        + #""start":"2026-03-02T00:00:00Z","end":"2026-03-02T00:05:00Z"}"#)
            }
            guard let rule = line.rule, let level = line.level else { continue }
            incidents.append(
                Incident(
                    topology: line.topology, rule: rule, key: line.key, level: level,
                    kind: line.kind ?? "", start: start / 1000, end: end / 1000))
        }
        return incidents
    }
}
