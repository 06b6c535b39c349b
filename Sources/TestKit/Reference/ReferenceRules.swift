import Primitives

/// A rule file of the reference engine; prints itself as the YAML that the real one reads.
package struct ReferenceRules: Sendable, Codable {
    package var name: String
    package var scope: [ReferenceField]
    package var rows: [Row]

    /// One rule with its value `top`, a decimal(1). Times in milliseconds; no `to` is no end.
    package struct Row: Sendable, Codable {
        /// Nil matches anything.
        package var scope: [ReferenceValue?]
        package var from: Int64
        package var to: Int64?
        package var top: ReferenceNumber
    }

    var yaml: String {
        var lines = ["rules: \(name)", "scope:"]
        lines += scope.map { "  \($0.name): \($0.type)" }
        lines += ["values: {top: decimal(1)}", "rows:"]
        for row in rows {
            var parts = ["from: \"\(Timestamp.text(row.from * 1000))\""]
            if let to = row.to { parts.append("to: \"\(Timestamp.text(to * 1000))\"") }
            for (field, value) in zip(scope, row.scope) {
                parts.append("\(field.name): \(Self.text(value))")
            }
            parts.append("top: \(row.top.text(scale: 1))")
            lines.append("  - {\(parts.joined(separator: ", "))}")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func text(_ value: ReferenceValue?) -> String {
        switch value {
        case .string(let text): "\"\(text.replacing("\"", with: "\\\""))\""
        case .number(let number): number.text(scale: 0)
        default: "\"*\""
        }
    }

    /// The value that holds: of the rows that match, the one that names most fields, then the one
    /// that names the earlier ones.
    func top(_ values: [ReferenceValue], at time: Int64) -> ReferenceNumber? {
        let matching = rows.filter { row in
            row.from * 1000 <= time && row.to.map { time < $0 * 1000 } ?? true
                && zip(row.scope, values).allSatisfy { $0 == nil || $0 == $1 }
        }
        func rank(_ row: Row) -> String {
            let named = row.scope.map { $0 == nil ? "b" : "a" }.joined()
            return "\(9 - named.filter { $0 == "a" }.count)\(named)"
        }
        return matching.min { rank($0) < rank($1) }?.top
    }
}

/// A look-up of rules (by index) with an expression for each scope field, and a select.
package struct ReferenceRulesLookup: Sendable, Codable {
    package var rules: Int
    package var name: String
    package var scope: [ReferenceNamed]
    package var select: [ReferenceNamed]
}

extension ReferenceTopology {
    func text(_ lookup: ReferenceRulesLookup) -> [String] {
        let scope = lookup.scope.map { "\($0.name): \"\($0.expression.cel)\"" }
        var lines = ["      lookup: {\(lookup.name): {\(scope.joined(separator: ", "))}}"]
        lines.append("      select:")
        for field in lookup.select {
            lines.append("        \(field.name): \"\(field.expression.cel)\"")
        }
        return lines
    }
}

/// `lookup` of rules, then `select`.
final class ReferenceRulesStep: ReferenceOperator {
    private let lookup: ReferenceRulesLookup
    private let rules: ReferenceRules
    private let shape: ReferenceShape

    init(_ lookup: ReferenceRulesLookup, _ rules: ReferenceRules, keyField: String) {
        self.lookup = lookup
        self.rules = rules
        shape = ReferenceShape(
            lookup: nil, filter: nil, select: lookup.select, keyField: keyField)
    }

    func take(_ item: ReferenceItem, watermark: Int64, _ context: ReferenceContext) {
        var found = item
        if let row = item.before, case .success(let ruled) = ruled(row) {
            found.before = ruled
        } else {
            found.before = nil
        }
        found.after = nil
        if let row = item.after {
            switch ruled(row) {
            case .success(let ruled): found.after = ruled
            case .failure(let reason): context.reject(row, reason.name)
            }
        }
        shape.take(found, watermark: watermark, context)
    }

    private struct Reason: Error {
        var name: String
    }

    private func ruled(_ row: ReferenceRow) -> Result<ReferenceRow, Reason> {
        var values: [ReferenceValue] = []
        for field in lookup.scope {
            switch field.expression.evaluate(row.values) {
            case .fault(let name): return .failure(Reason(name: name))
            case .value(let value): values.append(value)
            }
        }
        guard let top = rules.top(values, at: row.time) else {
            return .failure(Reason(name: "unmatched"))
        }
        var row = row
        row.values["\(lookup.name).top"] = .number(top)
        return .success(row)
    }

    func advance(_ watermark: (String) -> Int64, _ context: ReferenceContext) {}
    func flush(_ keys: Set<String>?, _ context: ReferenceContext) {}
}
