import Columnar
import Dataflow
import Primitives

/// Checks that the rows of a rule file neither contradict one another nor leave a hole.
struct RuleValidity {
    private let file: RuleFileSpec
    private let collector: DiagnosticCollector

    init(_ file: RuleFileSpec, _ collector: DiagnosticCollector) {
        self.file = file
        self.collector = collector
    }

    /// False after diagnostics. O(rows² ) in the worst case.
    func check() -> Bool {
        var isRight = true
        let groups = Dictionary(grouping: file.rows) { $0.scope }
        for group in groups.values {
            let rows = group.sorted {
                ($0.from, $0.location.line, $0.location.column)
                    < ($1.from, $1.location.line, $1.location.column)
            }
            for (row, next) in zip(rows, rows.dropFirst()) where !follows(row, next) {
                isRight = false
            }
        }
        return isRight
    }

    /// Whether a row may come after another of the same scope; false after a diagnostic.
    private func follows(_ row: RuleRowSpec, _ next: RuleRowSpec) -> Bool {
        if row.from == next.from {
            let (first, second) =
                row.location.line <= next.location.line ? (row, next) : (next, row)
            collector.report(
                "a second row\(text(row.scope)) from \(next.fromText)", at: second.location,
                hint: "the first stands on line \(first.location.line); remove one")
            return false
        }
        guard let end = row.to, end <= next.from else {
            let until = row.toText.map { "holds until \($0)" } ?? "holds without end"
            collector.report(
                "two rows overlap\(text(row.scope)): this one holds from \(next.fromText)",
                at: next.location,
                hint: "the row on line \(row.location.line) \(until); "
                    + "give it 'to: \(next.fromText)'")
            return false
        }
        guard end < next.from, !isCovered(row.scope, end, next.from) else { return true }
        collector.report(
            "no row holds\(text(row.scope)) from \(row.toText ?? "") to \(next.fromText)",
            at: next.location,
            hint: "give the row on line \(row.location.line) 'to: \(next.fromText)', "
                + "or add a row for that time")
        return false
    }

    /// Whether more general rows hold for a scope all the time from one moment to another.
    private func isCovered(_ scope: [String?], _ from: Int64, _ to: Int64) -> Bool {
        let general = file.rows.filter { row in
            row.scope != scope
                && zip(row.scope, scope).allSatisfy { $0 == nil || $0 == $1 }
        }.sorted { $0.from < $1.from }
        var reached = from
        for row in general where row.from <= reached { reached = max(reached, row.to ?? .max) }
        return reached >= to
    }

    private func text(_ scope: [String?]) -> String {
        let parts = zip(file.scope, scope).map { "\($0.name) '\($1 ?? "*")'" }
        return parts.isEmpty ? "" : " for \(parts.joined(separator: ", "))"
    }
}
