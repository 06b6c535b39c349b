import Columnar
import Expression
import Primitives

/// Gives each row the values of the rule that holds for its scope at its event time.
///
///     rules:   earthwork 600 ─────────────── 500 ─────────────
///              *         250 ──────────────────────── 200 ────
///     row of `earthwork` → 600 or 500       row of `structure` → 250 or 200
///
/// Of several rules that match, the one that names most scope fields is taken. A row without a
/// rule is a reject `unmatched`. Appends the values as references; nothing is copied. No state.
final class RulesOperator: Operator {
    private let plan: RulesPlan
    private let evaluator: Evaluator
    /// Scope values met, as codes, and for each the rules that hold for it, one after the other.
    private var combinations = KeyTable()
    private var timelines: [[Stretch]] = []
    private static let mostCombinations = 65_536

    /// The rule that holds for a scope from one time to another.
    private struct Stretch {
        var from: Int64
        var to: Int64
        var row: Int32
    }

    init(_ plan: RulesPlan) {
        self.plan = plan
        evaluator = Evaluator(plan.program)
    }

    func push(_ batch: Batch, _ context: RowContext, _ output: inout StepOutput) {
        let evaluation = evaluator.evaluate(batch.columns, rowCount: batch.rowCount)
        let scope = evaluation.columns.map { $0.flattened() }
        var keep = Array(repeating: true, count: batch.rowCount)
        rejectFaults(evaluation.faults, of: batch, context, keep: &keep, &output) { fault in
            "\(plan.name): \(plan.program.outputs[Int(fault.output)].text)"
        }
        var rules = Array(repeating: Int32(-1), count: batch.rowCount)
        var key: [UInt8] = []
        for row in 0..<batch.rowCount where keep[row] {
            let values = plan.scope.indices.map { scope[$0].scopeText(row) }
            rules[row] = rule(values, at: batch.times[row], &key)
            guard rules[row] < 0 else { continue }
            keep[row] = false
            if batch.change(row) == .before || batch.change(row) == .withdraw { continue }
            output.reject(
                .unmatched, explanation(values, batch.times[row]), row: row, of: batch, context)
        }
        output.orderRejects()
        let (kept, keptContext) = selectRows(
            keep, of: batch, context, keepsGhosts: output.keepsGhosts)
        var result = kept
        let indices = rules.enumerated().filter { keep[$0.offset] }.map(\.element)
        for column in plan.columns {
            result.columns.append(
                Column(.dictionary(DictionaryValues(indices: indices, base: column))))
        }
        output.emit(result, keptContext)
    }

    /// The index of the rule that holds; -1 for none. `key` is reused room.
    private func rule(_ values: [[UInt8]?], at time: Int64, _ key: inout [UInt8]) -> Int32 {
        key.removeAll(keepingCapacity: true)
        for value in values {
            guard let value else {
                key.append(0)
                continue
            }
            key.append(1)
            for shift in [0, 8, 16, 24] {
                key.append(UInt8(truncatingIfNeeded: value.count >> shift))
            }
            key += value
        }
        if combinations.count >= Self.mostCombinations {
            combinations = KeyTable()
            timelines = []
        }
        let code = Int(combinations.intern(key))
        if code == timelines.count { timelines.append(timeline(values)) }
        return timelines[code].last { $0.from <= time && time < $0.to }?.row ?? -1
    }

    /// The rules that hold for scope values, without overlap, ascending by time. O(rules + m²) for
    /// m that match.
    private func timeline(_ values: [[UInt8]?]) -> [Stretch] {
        let rows = plan.rows
        let matching = rows.indices.filter { rows[$0].matches(values) }
        let times = Set(matching.flatMap { [rows[$0].from, rows[$0].to] }).sorted()
        var result: [Stretch] = []
        for (from, to) in zip(times, times.dropFirst()) {
            var best: Int?
            for index in matching where rows[index].from <= from && to <= rows[index].to {
                if best.map({ rows[index].precedes(rows[$0]) }) ?? true { best = index }
            }
            if let best { result.append(Stretch(from: from, to: to, row: Int32(best))) }
        }
        return result
    }

    private func explanation(_ values: [[UInt8]?], _ time: Int64) -> String {
        let parts = zip(plan.scope, values).map { field, value in
            "\(field.name) \(value.map { "'\(String(decoding: $0, as: UTF8.self))'" } ?? "null")"
        }
        let scope = parts.isEmpty ? "" : " for \(parts.joined(separator: ", "))"
        return "\(plan.file) has no rule\(scope) at \(Timestamp.text(time))"
    }
}

extension Column {
    /// A scope value as bytes: a string's own, an int's digits, `true` or `false`; nil for null.
    fileprivate func scopeText(_ row: Int) -> [UInt8]? {
        guard isValid(row) else { return nil }
        switch values {
        case .bytes(let values): return values.array(row)
        case .int64(let values): return Array(String(values[row]).utf8)
        case .bool(let values): return Array((values[row] ? "true" : "false").utf8)
        default: return nil
        }
    }
}
