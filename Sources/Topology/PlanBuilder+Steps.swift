import Columnar
import Dataflow
import Expression
import Primitives

extension PlanBuilder {
    func buildSteps() {
        let ordered = PlanBuilder.ordered(spec.steps)
        for step in ordered { build(step) }
        let names = Set(ordered.map(\.name.value))
        reportCycle(spec.steps.filter { !names.contains($0.name.value) })
    }

    /// Steps in an order that depends on the graph and the names only, not on the file's order:
    /// of the steps whose input is there, the first by name. Steps in a circle are left out.
    static func ordered(_ steps: [StepSpec]) -> [StepSpec] {
        var waiting = steps.sorted { $0.name.value < $1.name.value }
        var missing = Set(waiting.flatMap { outputs($0) })
        var result: [StepSpec] = []
        while let index = waiting.firstIndex(where: { step in
            step.inputs.allSatisfy { !missing.contains($0.value) }
        }) {
            let step = waiting.remove(at: index)
            missing.subtract(outputs(step))
            result.append(step)
        }
        return result
    }

    /// The names by which a step's rows are read.
    private static func outputs(_ step: StepSpec) -> [String] {
        [step.name.value] + [step.otherwise?.value].compactMap(\.self)
    }

    /// What is left waits for itself; names one circle and marks all of it broken.
    private func reportCycle(_ waiting: [StepSpec]) {
        for step in waiting {
            broken.formUnion(PlanBuilder.outputs(step))
            for input in step.inputs { consumed.insert(input.value) }
        }
        guard let first = waiting.first else { return }
        var path: [StepSpec] = []
        var next: StepSpec? = first
        while let step = next, !path.contains(where: { $0.name.value == step.name.value }) {
            path.append(step)
            next = waiting.first { other in
                step.inputs.contains { PlanBuilder.outputs(other).contains($0.value) }
            }
        }
        guard let again = next else { return }
        var circle = path.drop { $0.name.value != again.name.value }.map(\.name.value)
        circle.append(again.name.value)
        collector.report(
            "steps form a circle: \(circle.joined(separator: " ← "))", at: again.from.location,
            hint: "one of them must read from a source")
    }

    private func build(_ step: StepSpec) {
        if case .shape(let shape) = step.operation, let lookup = shape.lookup {
            consumed.insert(lookup.table.value)
        }
        if case .shape(let shape) = step.operation {
            consumed.formUnion(shape.rules.map(\.rules.value))
        }
        let planned: Stream? =
            if case .union(let streams) = step.operation {
                planUnion(streams, step)
            } else {
                stream(step.from).flatMap { checkKey(step, $0) ? plan(step, $0) : nil }
            }
        guard let output = planned else {
            broken.formUnion(PlanBuilder.outputs(step))
            return
        }
        streams[step.name.value] = output
    }

    /// The key of keyed operators must be the source's.
    private func checkKey(_ step: StepSpec, _ input: Stream) -> Bool {
        guard let key = step.key else { return true }
        if key.value == input.key.name || key.value == "\(input.qualifier).\(input.key.name)" {
            return true
        }
        let source = sources[input.source].name
        collector.report(
            "key '\(key.value)' is not the key of source '\(source)'", at: key.location,
            hint: keyHint(key.value, input))
        return false
    }

    /// What the key of a stream is, and how to get the one that was written.
    func keyHint(_ key: String, _ stream: Stream) -> String {
        let own = "the key is '\(stream.key.name)'"
        return stream.schema.index(of: key) == nil
            ? own : "\(own); for another put a step before with 'rekey: \(key)'"
    }

    private func plan(_ step: StepSpec, _ input: Stream) -> Stream? {
        switch step.operation {
        case .shape(let shape): return plan(shape, step, input)
        case .levels(let levels): return plan(levels, step, input)
        case .window(let window): return plan(window, step, input)
        case .union: return nil
        case .rekey(let field): return planRekey(field, step, input)
        case .machine(let machine): return plan(machine, step, input)
        case .distinct(let order):
            return append(
                step.name.value, .distinct(DistinctPlan(order: order)), input,
                fields: input.schema.fields.map(PlanBuilder.carried))
        }
    }

    /// Adds a step that reads `input`; returns its output stream.
    func append(
        _ name: String, _ operation: Operation, _ input: Stream, fields: [Field],
        isWindowed: Bool = false
    ) -> Stream {
        let schema = Schema(name: name, fields: fields)
        steps.append(
            StepPlan(name: name, input: input.upstream, operation: operation, output: schema))
        stages.append(input.stage ?? 1)
        var output = input
        output.stage = input.stage ?? 1
        output.upstream = .step(steps.count - 1)
        output.qualifier = name
        output.schema = schema
        output.isWindowed = input.isWindowed || isWindowed
        return output
    }

    /// A field as it stands in a step's output, without what only its input bytes need.
    static func carried(_ field: Field) -> Field {
        Field(
            field.name, field.type, isNullable: field.isNullable, isPersonal: field.isPersonal,
            documentation: field.documentation)
    }

    // MARK: Expressions

    /// Checks an expression; nil after diagnostics at its places. What comes back is made of the
    /// canonical text, so that a plan does not depend on blanks and comments.
    func check(_ expression: ExpressionText, in scope: Scope) -> TypedExpression? {
        do {
            let typed = try TypedExpression(expression.text, in: scope)
            let canonical = expression.canonical
            return canonical == expression.text
                ? typed : try TypedExpression(canonical, in: scope)
        } catch {
            for problem in error.errors {
                collector.report(
                    problem.message, at: expression.location(problem.offset), hint: problem.hint)
            }
            return nil
        }
    }

    /// Checks text composed of parts that are right by themselves; errors point at `part`.
    func check(composed text: String, in scope: Scope, part: ExpressionText) -> TypedExpression? {
        do {
            return try TypedExpression(text, in: scope)
        } catch {
            for problem in error.errors.prefix(1) {
                collector.report(problem.message, at: part.location, hint: problem.hint)
            }
            return nil
        }
    }

    func scope(_ input: Stream) -> Scope {
        var scope = Scope()
        scope.add(input.schema, qualifier: input.qualifier, firstColumn: 0) {
            knownTexts(ofField: $0, at: input.upstream)
        }
        return scope
    }

    // MARK: lookup, filter, select

    private func plan(_ shape: ShapeSpec, _ step: StepSpec, _ input: Stream) -> Stream? {
        let name = step.name.value
        var stream = input
        var scope = scope(input)
        if let lookup = shape.lookup {
            guard let plan = plan(lookup, step, input) else { return nil }
            let table = plan.table
            let schema = sources[table].schema
            scope.add(
                schema, qualifier: sources[table].name,
                firstColumn: input.schema.fields.count)
            let isLast = shape.filter == nil && shape.select == nil && shape.rules.isEmpty
            guard
                shape.select != nil && shape.otherwise == nil
                    || checkDistinctNames(lookup, input, schema)
            else {
                return nil
            }
            if lookup.awaits, case .table(let rule) = sources[table].role {
                stream.rule.idle = PlanBuilder.longest([stream.rule.silence, rule.idle])
                stream.rule.clock = .partition
            }
            stream = append(
                isLast ? name : "\(name).lookup", .lookup(plan), stream,
                fields: lookedUp(input, schema, table: sources[table].name))
        }
        guard
            shape.select != nil && shape.otherwise == nil
                || checkDistinctNames(shape.rules, stream.schema)
        else {
            return nil
        }
        for (index, lookup) in shape.rules.enumerated() {
            let isLast =
                shape.filter == nil && shape.select == nil && index == shape.rules.count - 1
            let suffix = isLast ? "" : ".\(lookup.rules.value)"
            guard let looked = plan(lookup, step: name + suffix, stream, scope: &scope) else {
                return nil
            }
            stream = looked
        }
        var isWhole = true
        if let filter = shape.filter {
            if let program = filterProgram(filter, in: scope) {
                let fields = stream.schema.fields.map(PlanBuilder.carried)
                let input = stream
                stream = append(
                    shape.select == nil ? name : "\(name).filter", .filter(program), input,
                    fields: fields)
                if let other = shape.otherwise {
                    streams[other.value] = append(
                        other.value, .otherwise(program), input, fields: fields)
                }
            } else {
                isWhole = false
            }
        }
        if let select = shape.select {
            guard let (program, fields) = selectProgram(select, input, scope), isWhole else {
                return nil
            }
            stream = append(name, .select(program), stream, fields: fields)
        }
        stream.qualifier = name
        return isWhole ? stream : nil
    }

    /// What a look-up asks which table, or nil after a diagnostic.
    private func plan(_ lookup: LookupSpec, _ step: StepSpec, _ input: Stream) -> LookupPlan? {
        guard let table = table(lookup) else { return nil }
        let source = sources[table]
        var plan = LookupPlan(table: table, awaits: lookup.awaits)
        let key = input.key.name
        let isOwnKey =
            lookup.key.canonical == key || lookup.key.canonical == "\(input.qualifier).\(key)"
        var keyType = input.key.type
        if source.partitions == .all, !isOwnKey {
            guard let typed = check(lookup.key, in: scope(input)) else { return nil }
            plan.key = Program([typed])
            keyType = typed.type
        } else if !isOwnKey {
            collector.report(
                "table '\(source.name)' can be looked up by the key '\(key)' only, not by "
                    + "'\(lookup.key.canonical)'", at: lookup.key.location,
                hint: "'\(source.name): \(key)'; for another value 'rekey' the stream, or make the"
                    + " table 'global: true'")
            return nil
        }
        let tableKey = source.schema.fields[source.keyField]
        guard tableKey.type == keyType else {
            collector.report(
                "key '\(lookup.key.canonical)' is \(keyType), the key of table '\(source.name)' is "
                    + "\(tableKey.type)", at: lookup.key.location,
                hint: "both must have one type")
            return nil
        }
        if lookup.awaits {
            guard case .table(let rule) = source.role, rule.disorder != nil else {
                collector.report(
                    "'await' needs 'disorder' of table '\(source.name)'", at: lookup.table.location,
                    hint: "such as 'table: {key: …, asOf: …, disorder: 1m}': how late its versions"
                        + " may come")
                return nil
            }
            guard checkEndsKeyClocks(input, step, at: lookup.table.location) else { return nil }
        }
        return plan
    }

    private func table(_ lookup: LookupSpec) -> Int? {
        let name = lookup.table.value
        guard let table = tables[name] else {
            if broken.contains(name) { return nil }
            if streams[name] != nil || spec.steps.contains(where: { $0.name.value == name }) {
                collector.report(
                    "'\(name)' is not a table", at: lookup.table.location,
                    hint: "a lookup needs a source with 'table: {key: …, asOf: …}'")
            } else {
                collector.report(
                    "there is no table '\(name)'", at: lookup.table.location,
                    hint: Suggestion.hint(for: name, in: tables.keys.sorted(), kind: "tables")
                        ?? "add a source with 'table: {key: …, asOf: …}'")
            }
            return nil
        }
        return table
    }

    /// Without a select, the fields of both sides come out; no name may stand twice.
    private func checkDistinctNames(
        _ lookup: LookupSpec, _ input: Stream, _ table: Schema
    ) -> Bool {
        let shared = table.fields.map(\.name).filter { input.schema.index(of: $0) != nil }
        if shared.isEmpty { return true }
        collector.report(
            "'\(input.qualifier)' and table '\(lookup.table.value)' both have "
                + shared.map { "'\($0)'" }.joined(separator: ", "), at: lookup.table.location,
            hint: "add a select that names the fields to keep")
        return false
    }

    private func lookedUp(_ input: Stream, _ table: Schema, table name: String) -> [Field] {
        var fields = input.schema.fields.map(PlanBuilder.carried)
        for field in table.fields {
            var field = PlanBuilder.carried(field)
            if input.schema.index(of: field.name) != nil { field.name = "\(name).\(field.name)" }
            field.path = field.name
            fields.append(field)
        }
        return fields
    }

    private func filterProgram(_ filter: ExpressionText, in scope: Scope) -> Program? {
        guard let typed = check(filter, in: scope) else { return nil }
        guard typed.type == .bool else {
            collector.report(
                "a filter must be bool, this is \(typed.type)", at: filter.location,
                hint: "compare it, such as '… > 0'")
            return nil
        }
        return Program([typed])
    }

    private func selectProgram(
        _ select: [NamedExpression], _ input: Stream, _ scope: Scope
    ) -> (Program, [Field])? {
        var outputs: [TypedExpression] = []
        var fields: [Field] = []
        var isWhole = true
        let key = input.key.name
        let keyReferences = [key, "\(input.qualifier).\(key)"]
        for entry in select {
            if entry.name.value == key, !keyReferences.contains(entry.expression.canonical) {
                collector.report(
                    "'\(key)' is the key, it cannot be another value", at: entry.name.location,
                    hint: "give this field another name; the key comes out anyway")
                isWhole = false
                continue
            }
            // A table's key field may share the bare name.
            let isKey = entry.name.value == key
            let typed =
                isKey
                ? check(composed: "\(input.qualifier).\(key)", in: scope, part: entry.expression)
                : check(entry.expression, in: scope)
            guard let typed else {
                isWhole = false
                continue
            }
            if typed.type == .null || typed.typeName != nil {
                collector.report(
                    "'\(entry.name.value)' is \(typed.type == .null ? "always null" : "a type")",
                    at: entry.expression.location, hint: "a field needs a value; remove it")
                isWhole = false
                continue
            }
            let isPersonal = typed.columns.contains { column in
                scope.variables.contains { $0.column == column && $0.field.isPersonal }
            }
            fields.append(
                Field(
                    entry.name.value, typed.type, isNullable: typed.isNullable,
                    isPersonal: isPersonal))
            outputs.append(typed)
        }
        if !fields.contains(where: { $0.name == key }), isWhole {
            let part = select[0].expression
            guard
                let carried = check(
                    composed: "\(input.qualifier).\(key)", in: scope, part: part)
            else { return nil }
            outputs.insert(carried, at: 0)
            fields.insert(PlanBuilder.carried(input.key), at: 0)
        }
        return isWhole ? (Program(outputs), fields) : nil
    }
}
