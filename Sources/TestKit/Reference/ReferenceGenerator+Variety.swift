import Primitives

// Rules, calendar windows and statistics, put into a topology that is already made, so that the
// topologies of known seeds stay what they are.

extension ReferenceGenerator {
    /// A random topology with rules and statistics at its ends, and days for windows.
    package mutating func variedTopology() -> ReferenceTopology {
        var result = topology()
        let read = Set(
            result.steps.compactMap { step -> Int? in
                if case .step(let index) = step.from { index } else { nil }
            })
        for index in result.steps.indices {
            let isRead = read.contains(index)
            switch result.steps[index].operation {
            case .window(var rule):
                if chance(40) { makeDaily(&rule) }
                if !isRead { addStatistics(&rule, &result, index) }
                result.steps[index].operation = .window(rule)
            case .shape(nil, nil, let select?) where !isRead && chance(80):
                addRules(select, &result, index)
            default: break
            }
        }
        addWindows(&result)
        return result
    }

    /// Windows over the results of windows that nothing reads.
    private mutating func addWindows(_ topology: inout ReferenceTopology) {
        let read = Set(
            topology.steps.compactMap { step -> Int? in
                if case .step(let index) = step.from { index } else { nil }
            })
        var isWindowed: [Bool] = []
        for step in topology.steps {
            var after = false
            if case .step(let index) = step.from { after = isWindowed[index] }
            if case .window = step.operation { after = true }
            isWindowed.append(after)
        }
        for index in topology.steps.indices
        where isWindowed[index] && !read.contains(index) && chance(70) {
            let upstream = topology.steps[index]
            let fields = upstream.output.filter { $0.type != .curve && $0.type != .number }
            let name = "s\(topology.steps.count)"
            topology.steps.append(
                window(
                    name, .step(index), upstream.output[0],
                    ReferenceScope(upstream.name, fields)))
            topology.sinks.append(topology.steps.count - 1)
        }
    }

    /// A day that begins within the script's time.
    private mutating func makeDaily(_ rule: inout ReferenceWindowRule) {
        let day: Int64 = 86_400_000
        let ahead = pick([("Asia/Shanghai", 8), ("Asia/Kolkata", 5), ("UTC", 0)])
        let milliseconds = Int64(ahead.1) * 3_600_000 + (ahead.1 == 5 ? 1_800_000 : 0)
        let local = (Self.start + milliseconds + 1000 * Int64(random.int(in: 5...40))) % day
        rule.size = day
        rule.every = day
        rule.offset = local
        rule.zone = .init(name: ahead.0, ahead: milliseconds)
    }

    private mutating func addStatistics(
        _ rule: inout ReferenceWindowRule, _ topology: inout ReferenceTopology, _ index: Int
    ) {
        let inputs = Set(rule.aggregates.compactMap(\.input)).filter { !$0.type.isRatio }
        for input in inputs.sorted(by: { $0.cel < $1.cel })
        where input.type.scale <= 2 && chance(80) {
            let function = pick(["leq", "stddev", "timeMean"])
            let name = "x\(rule.aggregates.count)"
            rule.aggregates.append(.init(name: name, function: function, input: input))
            let scale = input.type.scale + 3
            let type: ReferenceType =
                switch function {
                case "leq": .decimal(3)
                case "stddev": .decimal(scale)
                default: .ratio(scale)
                }
            topology.steps[index].output.append(ReferenceField(name, type, isNullable: true))
        }
    }

    private mutating func addRules(
        _ select: [ReferenceNamed], _ topology: inout ReferenceTopology, _ index: Int
    ) {
        let fields: [ReferenceField]
        let name: String
        switch topology.steps[index].from {
        case .source(let source):
            (fields, name) = (topology.sources[source].fields, topology.sources[source].name)
        case .step(let step):
            (fields, name) = (topology.steps[step].output, topology.steps[step].name)
        }
        let choices = fields.filter { $0.type == .string || $0.type == .int }
        guard !choices.isEmpty else { return }
        var scope: [ReferenceField] = []
        var expressions: [ReferenceNamed] = []
        for number in 0..<random.int(in: 1...3) {
            let field = pick(choices)
            scope.append(ReferenceField("by\(number)", field.type))
            expressions.append(
                ReferenceNamed(
                    "by\(number)",
                    .field(field.name, text: "\(name).\(field.name)", field.type)))
        }
        let rules = ReferenceRules(
            name: "limits\(topology.rules.count)", scope: scope, rows: rows(scope))
        let top = ReferenceExpression.field(
            "\(rules.name).top", text: "\(rules.name).top", .decimal(1))
        var select = select
        select.append(ReferenceNamed("top", top))
        topology.steps[index].operation = .rules(
            ReferenceRulesLookup(
                rules: topology.rules.count, name: rules.name, scope: expressions, select: select))
        topology.steps[index].output.append(ReferenceField("top", .decimal(1)))
        topology.rules.append(rules)
    }

    /// Rows for some scopes, each a chain of times without a hole.
    private mutating func rows(_ scope: [ReferenceField]) -> [ReferenceRules.Row] {
        var rows: [ReferenceRules.Row] = []
        var seen: Set<[ReferenceValue?]> = []
        for number in 0..<random.int(in: 1...6) {
            let values = scope.map { field -> ReferenceValue? in
                if chance(50) || number == 0 { return nil }
                return field.type == .int
                    ? .number(ReferenceNumber(Int128(random.int(in: 0...5))))
                    : .string(pick(["x", "y", "a", "B", "A", "normal", "raised"]))
            }
            guard seen.insert(values).inserted else { continue }
            var from = Self.start + 1000 * Int64(random.int(in: -20...30))
            for _ in 0..<random.int(in: 1...3) {
                let to = from + 1000 * Int64(random.int(in: 1...20))
                rows.append(
                    ReferenceRules.Row(
                        scope: values, from: from, to: to,
                        top: ReferenceNumber(units: random.int(in: 0...50), scale: 1)))
                from = to
            }
            if chance(70) { rows[rows.count - 1].to = nil }
        }
        return rows
    }
}
