import Foundation
import Primitives
import Simulation

/// A score as JSON, or as a table for people.
struct ScoreReport: Encodable {
    struct Rule: Encodable {
        var topology: String?
        var rule: String?
        var incidents: Int
        var found: Int
        var episodes: Int
        var falseAlarms: Int
        var recall: Double
        var precision: Double
        var delayMedianMs: Int64?
        var delayP95Ms: Int64?

        init(_ rule: Score.Rule) {
            topology = rule.topology.isEmpty ? nil : rule.topology
            self.rule = rule.rule.isEmpty ? nil : rule.rule
            incidents = rule.incidents
            found = rule.found
            episodes = rule.episodes
            falseAlarms = rule.falseAlarms
            recall = rule.recall
            precision = rule.precision
            delayMedianMs = rule.delay(percent: 50)
            delayP95Ms = rule.delay(percent: 95)
        }
    }

    struct Miss: Encodable {
        var topology: String
        var rule: String
        var key: String
        var level: String
        var kind: String
        var start: String
        var end: String
        var reached: String?
    }

    struct FalseAlarm: Encodable {
        var topology: String
        var rule: String
        var key: String
        var level: String
        var raised: String
    }

    var enough: Bool
    var rules: [Rule]
    var total: Rule
    var misses: [Miss]
    var falseAlarms: [FalseAlarm]

    init(_ score: Score, isEnough: Bool) {
        enough = isEnough
        rules = score.rules.map(Rule.init)
        total = Rule(score.total)
        misses = score.misses.map { miss in
            let incident = miss.incident
            return Miss(
                topology: incident.topology, rule: incident.rule, key: incident.key,
                level: incident.level, kind: incident.kind, start: Self.text(incident.start),
                end: Self.text(incident.end), reached: miss.reached)
        }
        falseAlarms = score.falseAlarms.map { episode in
            FalseAlarm(
                topology: episode.topology, rule: episode.rule, key: episode.key,
                level: episode.level, raised: Self.text(episode.raised))
        }
    }

    private static func text(_ milliseconds: Int64) -> String {
        Timestamp.text(milliseconds * 1000)
    }

    private static let header = [
        "topology", "rule", "incidents", "found", "episodes", "false", "recall", "precision",
        "delay median", "p95",
    ]

    /// A table of the rules, then at most `limit` misses and as many false alarms.
    static func printTable(_ score: Score, limit: Int) throws {
        func cells(_ rule: Score.Rule) -> [String] {
            [
                rule.topology.isEmpty ? "all" : rule.topology, rule.rule,
                "\(rule.incidents)", "\(rule.found)", "\(rule.episodes)", "\(rule.falseAlarms)",
                String(format: "%.3f", rule.recall), String(format: "%.3f", rule.precision),
                delay(rule.delay(percent: 50)), delay(rule.delay(percent: 95)),
            ]
        }
        let rows = [header] + score.rules.map(cells) + [cells(score.total)]
        let widths = header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            let texts = row.indices.map { column in
                let pad = String(repeating: " ", count: widths[column] - row[column].count)
                return column < 2 ? row[column] + pad : pad + row[column]
            }
            try Terminal.print(texts.joined(separator: "  "))
        }
        for miss in score.misses.prefix(limit) {
            let incident = miss.incident
            try Terminal.print(
                "missed: \(incident.topology)/\(incident.rule) \(incident.key)"
                    + " \(incident.level) (\(incident.kind)) \(text(incident.start)) to"
                    + " \(text(incident.end)): "
                    + (miss.reached.map { "reached \($0)" } ?? "nothing raised"))
        }
        for alarm in score.falseAlarms.prefix(limit) {
            try Terminal.print(
                "false: \(alarm.topology)/\(alarm.rule) \(alarm.key) \(alarm.level)"
                    + " \(text(alarm.raised))")
        }
        let hidden =
            max(0, score.misses.count - limit) + max(0, score.falseAlarms.count - limit)
        if hidden > 0 { try Terminal.print("\(hidden) more; --limit shows them, or --json") }
    }

    /// Seconds below two minutes, then minutes, hours and days.
    private static func delay(_ milliseconds: Int64?) -> String {
        guard let milliseconds else { return "-" }
        let seconds = Double(milliseconds) / 1000
        switch abs(seconds) {
        case ..<120: return String(format: "%.1f s", seconds)
        case ..<7_200: return String(format: "%.1f min", seconds / 60)
        case ..<172_800: return String(format: "%.1f h", seconds / 3_600)
        default: return String(format: "%.1f d", seconds / 86_400)
        }
    }
}
