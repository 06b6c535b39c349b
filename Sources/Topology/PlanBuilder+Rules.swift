import Columnar
import Dataflow
import Expression
import Primitives

extension PlanBuilder {
    /// Adds a look-up of rules to a step; returns the stream with the rules' values, which come
    /// into `scope`. Nil after diagnostics.
    func plan(
        _ lookup: RulesLookupSpec, step name: String, _ input: Stream, scope: inout Scope
    ) -> Stream? {
        let alias = lookup.rules.value
        consumed.insert(alias)
        guard let file = ruleFiles[alias] else {
            broken.insert(alias)
            return nil
        }
        guard let program = scopeProgram(lookup, file, scope) else { return nil }
        let plan = RulesPlan(
            name: alias, file: file.name, scope: file.scope, values: file.values,
            columns: file.columns, rows: file.rows.map(PlanBuilder.row), program: program)
        let fields = file.values.map { field in
            var field = field
            if input.schema.index(of: field.name) != nil { field.name = "\(alias).\(field.name)" }
            field.path = field.name
            return field
        }
        scope.add(
            Schema(name: file.name, fields: file.values), qualifier: alias,
            firstColumn: input.schema.fields.count)
        return append(
            name, .rules(plan), input,
            fields: input.schema.fields.map(PlanBuilder.carried) + fields)
    }

    private static func row(_ row: RuleRowSpec) -> RuleRow {
        RuleRow(
            scope: row.scope.map { text in text.map { Array($0.utf8) } }, from: row.from,
            to: row.to ?? .max)
    }

    /// An expression for every scope field, of its type.
    private func scopeProgram(
        _ lookup: RulesLookupSpec, _ file: RuleFileSpec, _ scope: Scope
    ) -> Program? {
        var isWhole = true
        let names = file.scope.map(\.name)
        for entry in lookup.scope where !names.contains(entry.name.value) {
            collector.report(
                "rules '\(file.name)' have no scope '\(entry.name.value)'",
                at: entry.name.location,
                hint: Suggestion.hint(for: entry.name.value, in: names, kind: "their scope"))
            isWhole = false
        }
        var outputs: [TypedExpression] = []
        for field in file.scope {
            guard let entry = lookup.scope.first(where: { $0.name.value == field.name }) else {
                collector.report(
                    "rules '\(file.name)' are chosen by '\(field.name)' too",
                    at: lookup.rules.location,
                    hint: "add '\(field.name): …' to the lookup of '\(lookup.rules.value)'")
                isWhole = false
                continue
            }
            guard let typed = check(entry.expression, in: scope) else {
                isWhole = false
                continue
            }
            if typed.type != field.type {
                collector.report(
                    "scope '\(field.name)' of rules '\(file.name)' is \(field.type), this is "
                        + "\(typed.type)", at: entry.expression.location,
                    hint: field.type == .string ? "string(x) makes a string" : nil)
                isWhole = false
            }
            outputs.append(typed)
        }
        return isWhole ? Program(outputs) : nil
    }

    /// Without a select, the fields of both sides come out; no name may stand twice.
    func checkDistinctNames(_ lookups: [RulesLookupSpec], _ input: Schema) -> Bool {
        var seen = Set(input.fields.map(\.name))
        var isRight = true
        for lookup in lookups {
            let names = (ruleFiles[lookup.rules.value]?.values ?? []).map(\.name)
            let shared = names.filter { seen.contains($0) }
            if !shared.isEmpty {
                collector.report(
                    "rules '\(lookup.rules.value)' and what stands before them both have "
                        + shared.map { "'\($0)'" }.joined(separator: ", "),
                    at: lookup.rules.location, hint: "add a select that names the fields to keep")
                isRight = false
            }
            seen.formUnion(names)
        }
        return isRight
    }

    /// Rules that no step looks up.
    func checkRulesUse() {
        for rules in spec.rules
        where !consumed.contains(rules.name.value)
            && !spec.brokenReads.contains(rules.name.value)
        {
            collector.report(
                "nothing looks up rules '\(rules.name.value)'", at: rules.name.location,
                hint: "add 'lookup: {\(rules.name.value): {…}}' to a step, or remove them")
        }
    }
}
