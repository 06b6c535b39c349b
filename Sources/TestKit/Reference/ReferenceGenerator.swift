import Primitives

/// Makes random topologies and scripts for them from a seed.
package struct ReferenceGenerator {
    var random: RandomSource

    package init(seed: UInt64) { random = RandomSource(seed: seed) }

    mutating func chance(_ percent: Int) -> Bool {
        random.chance(partsPerMillion: percent * 10_000)
    }

    mutating func pick<Element>(_ items: [Element]) -> Element {
        items[random.int(in: 0...items.count - 1)]
    }

    // MARK: Topologies

    /// What the next step can read.
    struct Place {
        var from: ReferenceUpstream
        var name: String
        var fields: [ReferenceField]
        var isAfterWindow = false
        var isAfterLevels = false
        /// Behind a `rekey`: only global tables are at hand.
        var isRekeyed = false
        /// A window may follow a window.
        var mayWindow = false
        /// Rows of windows have waited: no second wait, whose order between keys is left open.
        var hasWaited = false
        /// The sources that the rows come from, and tables that they have waited for.
        var roots: [Int]
        /// Name of the key; nil for the first field.
        var key: String?

        /// No field has a name that `levels` or a machine adds.
        var canAddEvents: Bool {
            let added = [
                "level", "previous", "event", "value", "limit", "since", "state", "name", "c", "v",
            ]
            return !isAfterLevels && !fields.contains { added.contains($0.name) }
        }

        var keyField: ReferenceField { fields.first { $0.name == key } ?? fields[0] }
    }

    /// A topology of one or two streams, perhaps a table, and one to four steps.
    package mutating func topology() -> ReferenceTopology {
        let key =
            chance(20) ? ReferenceField("unit", .int) : ReferenceField("device", .string)
        var sources: [ReferenceSource] = []
        for name in chance(25) ? ["load", "gust"] : ["load"] {
            sources.append(Self.stream(name, key, timeRule()))
        }
        var table: Int?
        if chance(40) {
            table = chance(50) ? 0 : sources.count
            sources.insert(Self.table("site", key), at: table ?? 0)
        }
        var result = ReferenceTopology(sources: sources, steps: [], sinks: [])
        var pending = table
        for (index, source) in sources.enumerated() where source.time != nil {
            chain(index, source, &pending, &result)
        }
        addSinks(&result)
        return result
    }

    static func stream(
        _ name: String, _ key: ReferenceField, _ time: ReferenceTimeRule
    ) -> ReferenceSource {
        ReferenceSource(
            name: name,
            fields: [
                key, ReferenceField("ts", .timestamp), ReferenceField("a", .decimal(1)),
                ReferenceField("b", .decimal(2), isNullable: true), ReferenceField("n", .int),
                ReferenceField("tag", .string, isNullable: true),
            ], time: time)
    }

    static func table(_ name: String, _ key: ReferenceField) -> ReferenceSource {
        ReferenceSource(
            name: name,
            fields: [
                key, ReferenceField("ts", .timestamp), ReferenceField("top", .decimal(1)),
                ReferenceField("curve", .curve),
                ReferenceField("label", .string, isNullable: true),
            ], time: nil)
    }

    /// What nothing reads is written, and now and then what something reads.
    mutating func addSinks(_ topology: inout ReferenceTopology) {
        var read: Set<Int> = []
        for step in topology.steps {
            if case .step(let index) = step.from { read.insert(index) }
            guard case .union(let streams) = step.operation else { continue }
            for case .step(let index) in streams { read.insert(index) }
        }
        for index in topology.steps.indices where !read.contains(index) || chance(15) {
            topology.sinks.append(index)
        }
    }

    mutating func timeRule() -> ReferenceTimeRule {
        let clocksKeys = chance(50)
        return ReferenceTimeRule(
            disorder: pick([0, 1000, 3000, 5000]), lateness: pick([0, 2000, 5000, 20_000]),
            ahead: pick([0, 10_000, 60_000]), granule: pick([1000, 1000, 500, 5000]),
            clocksKeys: clocksKeys, abandon: clocksKeys ? pick([3000, 5000, 10_000]) : nil,
            idle: clocksKeys || chance(50) ? nil : pick([2000, 5000]))
    }

    private mutating func chain(
        _ index: Int, _ source: ReferenceSource, _ table: inout Int?,
        _ result: inout ReferenceTopology
    ) {
        var places = [
            Place(
                from: .source(index), name: source.name, fields: source.fields, roots: [index])
        ]
        grow(&places, steps: random.int(in: 1...4), &table, &result)
    }

    /// Adds steps, each behind the last one or, now and then, behind any other.
    mutating func grow(
        _ places: inout [Place], steps: Int, _ table: inout Int?, _ result: inout ReferenceTopology
    ) {
        for number in 0..<steps {
            let isBranch = chance(20)
            let place = isBranch ? pick(places) : places[places.count - 1]
            let name = Self.stepName(result)
            let step = makeStep(name, place, number == 0 ? table : nil, result)
            if number == 0 { table = nil }
            places.append(add(step, behind: place, to: &result))
            if case .shape(nil, let filter?, _) = step.operation, chance(40) {
                places.append(addOtherwise(filter, place, &result))
            }
        }
    }

    /// Steps in the order of their names, for so the engine takes them.
    static func stepName(_ topology: ReferenceTopology) -> String {
        let number = topology.steps.count
        return number < 10 ? "s\(number)" : "t\(number)"
    }

    /// Appends a step; gives the place behind it.
    func add(
        _ step: ReferenceStep, behind place: Place, to topology: inout ReferenceTopology
    ) -> Place {
        var step = step
        var next = place
        (next.from, next.name) = (.step(topology.steps.count), step.name)
        next.fields = step.output
        switch step.operation {
        case .window: (next.isAfterWindow, next.isAfterLevels, next.key) = (true, false, nil)
        case .levels, .machine: next.isAfterLevels = true
        case .shape(_, _, .some), .rules: next.key = nil
        default: break
        }
        if case .shape(_, _, .some) = step.operation { next.isAfterLevels = false }
        next.hasWaited = place.isAfterWindow && (place.hasWaited || step.operation.waits)
        step.key = next.key
        topology.steps.append(step)
        return next
    }

    /// The side output of the filter step that was added last.
    private func addOtherwise(
        _ filter: ReferenceExpression, _ place: Place, _ topology: inout ReferenceTopology
    ) -> Place {
        let index = topology.steps.count - 1
        var step = ReferenceStep(
            name: Self.stepName(topology), from: place.from,
            operation: .otherwise(filter, of: index), output: place.fields)
        step.key = place.key
        var other = place
        (other.from, other.name) = (.step(index + 1), step.name)
        topology.steps.append(step)
        return other
    }

    mutating func makeStep(
        _ name: String, _ place: Place, _ table: Int?, _ topology: ReferenceTopology
    ) -> ReferenceStep {
        var scope = ReferenceScope(place.name, place.fields)
        let kind = table != nil ? 0 : random.int(in: 0...11)
        switch kind {
        case 10...11 where place.canAddEvents:
            let byTime = chance(60) && !place.hasWaited
            if let rule = machine(
                scope, byTime: byTime, canCountTicks: canCountTicks(place, topology, byTime))
            {
                return ReferenceStep(
                    name: name, from: place.from, operation: .machine(rule),
                    output: place.fields + rule.addedFields)
            }
        case 4...5 where place.canAddEvents:
            if var rule = levels(scope) {
                rule.byTime = rule.byTime && !place.hasWaited
                let added = [
                    ReferenceField("level", .string), ReferenceField("previous", .string),
                    ReferenceField("event", .string), ReferenceField("value", rule.value.type),
                    ReferenceField("limit", .number), ReferenceField("since", .timestamp),
                ]
                return ReferenceStep(
                    name: name, from: place.from, operation: .levels(rule),
                    output: place.fields + added)
            }
        case 6:
            return ReferenceStep(
                name: name, from: place.from,
                operation: .distinct(byTime: chance(40) && !place.hasWaited),
                output: place.fields)
        case 7...9 where !place.isAfterWindow || place.mayWindow:
            return window(name, place.from, place.keyField, scope)
        default: break
        }
        if let table { scope.add(topology.sources[table]) }
        let filter = chance(table == nil ? 50 : 25) ? condition(scope, depth: 1) : nil
        if table == nil, filter != nil, chance(40) {
            return ReferenceStep(
                name: name, from: place.from,
                operation: .shape(lookup: nil, filter: filter, select: nil),
                output: place.fields)
        }
        let select = selection(scope, key: place.keyField.name)
        let output =
            [place.keyField]
            + select.map { ReferenceField($0.name, $0.expression.type, isNullable: true) }
        return ReferenceStep(
            name: name, from: place.from,
            operation: .shape(
                lookup: table.map { ReferenceLookup(table: $0) }, filter: filter, select: select),
            output: output)
    }

    /// Ticks are counted where the last rows do not wait for ever.
    private func canCountTicks(
        _ place: Place, _ topology: ReferenceTopology, _ byTime: Bool
    ) -> Bool {
        !byTime
            || place.roots.allSatisfy { root in
                guard let rule = topology.sources[root].time else {
                    return topology.sources[root].tableIdle != nil
                }
                return (rule.clocksKeys ? rule.abandon : rule.idle) != nil
            }
    }

    mutating func selection(_ scope: ReferenceScope, key: String) -> [ReferenceNamed] {
        var select: [ReferenceNamed] = []
        let letter = key.hasPrefix("f") ? "e" : "f"
        for number in 0..<random.int(in: 1...3) {
            select.append(
                ReferenceNamed(
                    "\(letter)\(number)",
                    number == 0 || chance(70)
                        ? numeric(scope, depth: 2) : anything(scope)))
        }
        return select
    }

    private mutating func levels(_ scope: ReferenceScope) -> ReferenceLevelsRule? {
        let value = numeric(scope, depth: chance(70) ? 0 : 1)
        let isAbove = chance(70)
        let names = Array(["warn", "alarm", "crit"].prefix(random.int(in: 1...3)))
        let digits = value.type == .int ? 0 : 1
        var raise: [ReferenceNamed] = []
        var clear: [ReferenceNamed] = []
        var limit = random.int(in: isAbove ? 1...4 : 5...8) * 10
        var cleared: Int?
        for name in names {
            let gap = chance(40) ? 0 : digits == 0 ? 10 : 5 * random.int(in: 1...4)
            let back = isAbove ? limit - gap : limit + gap
            cleared = cleared.map { isAbove ? max($0, back) : min($0, back) } ?? back
            func literal(_ tenths: Int) -> ReferenceExpression {
                .literal(
                    ReferenceNumber(units: max(tenths, 0), scale: 1).text(scale: digits),
                    digits == 0 ? .int : .decimal(1))
            }
            raise.append(ReferenceNamed(name, literal(limit)))
            clear.append(ReferenceNamed(name, literal(cleared ?? limit)))
            limit += (isAbove ? 1 : -1) * 10 * random.int(in: 1...2)
            if limit <= 0 { break }
        }
        return ReferenceLevelsRule(
            value: value, raise: raise, clear: clear, isAbove: isAbove,
            readings: pick([1, 1, 2, 3]), duration: chance(25) ? pick([1000, 2000, 5000]) : nil,
            hold: pick([0, 0, 2000, 5000]), byTime: chance(40), judgesTies: chance(30))
    }

    mutating func window(
        _ name: String, _ from: ReferenceUpstream, _ key: ReferenceField, _ scope: ReferenceScope
    ) -> ReferenceStep {
        let size: Int64 = pick([5000, 10_000, 20_000, 30_000])
        var rule = ReferenceWindowRule(
            size: size, every: chance(30) ? size / pick([2, 5]) : size,
            offset: chance(20) ? 2000 : 0, aggregates: [])
        var output = [
            key, ReferenceField("windowStart", .timestamp), ReferenceField("windowEnd", .timestamp),
        ]
        let letter = key.name.hasPrefix("g") ? "h" : "g"
        for number in 0..<random.int(in: 1...3) {
            var function = pick(["count", "sum", "mean", "min", "max", "first", "last"])
            let input: ReferenceExpression? =
                function == "count" && chance(50) ? nil : numeric(scope, depth: 1)
            if input?.type.isRatio ?? false, function == "sum" || function == "mean" {
                function = pick(["min", "max", "first", "last"])
            }
            let type: ReferenceType =
                switch function {
                case "count": .int
                case "mean": .ratio((input?.type.scale ?? 0) + 3)
                default: input?.type ?? .int
                }
            rule.aggregates.append(
                .init(name: "\(letter)\(number)", function: function, input: input))
            output.append(
                ReferenceField("\(letter)\(number)", type, isNullable: function != "count"))
        }
        return ReferenceStep(name: name, from: from, operation: .window(rule), output: output)
    }
}
