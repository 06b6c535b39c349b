import Primitives

// Topologies with several clocks in one task, and with several stages.

extension ReferenceGenerator {
    /// One or two streams, branched, joined again, with look-ups of all kinds.
    mutating func joinedTopology() -> ReferenceTopology {
        var result = joinedSources()
        let streams = result.sources.indices.filter { result.sources[$0].time != nil }
        var places = streams.map { start($0, result) }
        if chance(40) { places = addLookups(places, &result) }
        if places.count == 1, chance(80) {
            places = Array(repeating: places[0], count: random.int(in: 2...3))
        }
        if places.count > 1 {
            places = [join(places, &result)]
            if chance(30) { places = addLookups(places, &result) }
        }
        var none: Int?
        grow(&places, steps: random.int(in: 1...3), &none, &result)
        if chance(30) { _ = addLookups([places[places.count - 1]], &result) }
        dropUnused(&result)
        addSinks(&result)
        return result
    }

    /// One to three stages: steps, a `rekey`, steps, perhaps another `rekey`.
    mutating func stagedTopology() -> ReferenceTopology {
        var result = joinedSources()
        let streams = result.sources.indices.filter { result.sources[$0].time != nil }
        var places = streams.map { start($0, result) }
        var none: Int?
        if chance(40) {
            places = chance(50) ? [join(places + places, &result)] : addLookups(places, &result)
        }
        for _ in 0..<(chance(20) ? 2 : 1) {
            if chance(60) {
                places = alike(places, &result) { generator, name, place, topology in
                    generator.makeStep(name, place, nil, topology)
                }
            }
            places = addRekeys(places, &result)
            if places.count > 1 { places = [join(places, &result)] }
            if chance(30) { places = addLookups(places, &result) }
        }
        grow(&places, steps: random.int(in: 1...3), &none, &result)
        dropUnused(&result)
        addSinks(&result)
        return result
    }

    private func start(_ source: Int, _ topology: ReferenceTopology) -> Place {
        Place(
            from: .source(source), name: topology.sources[source].name,
            fields: topology.sources[source].fields, roots: [source])
    }

    // MARK: Sources

    private mutating func joinedSources() -> ReferenceTopology {
        let key = chance(20) ? ReferenceField("unit", .int) : ReferenceField("device", .string)
        var sources = (chance(60) ? ["load", "gust"] : ["load"]).map {
            Self.stream($0, key, timeRule())
        }
        if chance(40) {
            var site = Self.table("site", key)
            if chance(60) { setClock(&site) }
            site.isGlobal = chance(30)
            sources.insert(site, at: random.int(in: 0...sources.count))
        }
        if chance(40) {
            var kind = Self.table(
                "kind", chance(70) ? ReferenceField("kind", .string) : ReferenceField("kind", .int))
            kind.hasStreamKey = false
            kind.isGlobal = true
            if chance(60) { setClock(&kind) }
            sources.insert(kind, at: random.int(in: 0...sources.count))
        }
        return ReferenceTopology(sources: sources, steps: [], sinks: [])
    }

    private mutating func setClock(_ table: inout ReferenceSource) {
        table.tableDisorder = pick([0, 1000, 5000, 20_000])
        table.tableIdle = chance(50) ? nil : pick([2000, 5000])
    }

    /// Sources that no step reads are no part of a topology.
    private func dropUnused(_ topology: inout ReferenceTopology) {
        var used: Set<Int> = []
        for step in topology.steps {
            if case .source(let source) = step.from { used.insert(source) }
            if case .union(let streams) = step.operation {
                for case .source(let source) in streams { used.insert(source) }
            }
            if case .shape(let lookup?, _, _) = step.operation { used.insert(lookup.table) }
        }
        let kept = used.sorted()
        func moved(_ upstream: ReferenceUpstream) -> ReferenceUpstream {
            guard case .source(let source) = upstream else { return upstream }
            return .source(kept.firstIndex(of: source) ?? 0)
        }
        for index in topology.steps.indices {
            topology.steps[index].from = moved(topology.steps[index].from)
            switch topology.steps[index].operation {
            case .union(let streams):
                topology.steps[index].operation = .union(streams.map(moved))
            case .shape(var lookup?, let filter, let select):
                lookup.table = kept.firstIndex(of: lookup.table) ?? 0
                topology.steps[index].operation = .shape(
                    lookup: lookup, filter: filter, select: select)
            default: break
            }
        }
        topology.sources = kept.map { topology.sources[$0] }
    }

    // MARK: Steps

    /// The same random step behind each of several places with the same fields.
    private mutating func alike(
        _ places: [Place], _ topology: inout ReferenceTopology,
        _ make: (inout Self, String, Place, ReferenceTopology) -> ReferenceStep
    ) -> [Place] {
        let before = random
        return places.map { place in
            random = before
            let step = make(&self, Self.stepName(topology), place, topology)
            return add(step, behind: place, to: &topology)
        }
    }

    private mutating func addLookups(
        _ places: [Place], _ topology: inout ReferenceTopology
    ) -> [Place] {
        let isRekeyed = places.contains { $0.isRekeyed }
        let tables = topology.sources.indices.filter { index in
            let source = topology.sources[index]
            guard source.time == nil else { return false }
            return source.isGlobal || !isRekeyed
        }
        guard !tables.isEmpty else { return places }
        let table = pick(tables)
        let source = topology.sources[table]
        var lookup = ReferenceLookup(table: table)
        lookup.awaits = source.tableDisorder != nil && chance(80)
        let keyType = source.fields[0].type
        let choices = places[0].fields.indices.filter { places[0].fields[$0].type == keyType }
        let needsKey = source.isGlobal && (!source.hasStreamKey || isRekeyed || chance(50))
        if needsKey && choices.isEmpty { return places }
        let choice = needsKey ? pick(choices) : nil
        var next = alike(places, &topology) { generator, name, place, topology in
            var lookup = lookup
            let scope = ReferenceScope(place.name, place.fields)
            lookup.key = choice.map { scope.fields[$0] }
            return generator.lookupStep(name, place, lookup, source)
        }
        if lookup.awaits {
            for index in next.indices { next[index].roots.append(table) }
        }
        return next
    }

    private mutating func lookupStep(
        _ name: String, _ place: Place, _ lookup: ReferenceLookup, _ table: ReferenceSource
    ) -> ReferenceStep {
        var scope = ReferenceScope(place.name, place.fields)
        scope.add(table)
        let filter = chance(25) ? condition(scope, depth: 1) : nil
        var select = selection(scope, key: place.keyField.name)
        // Something to rekey by, and to look up by.
        for field in place.fields where [.string, .int].contains(field.type) && chance(60) {
            guard field.name != place.keyField.name,
                !select.contains(where: { $0.name == field.name })
            else { continue }
            select.append(
                ReferenceNamed(
                    field.name,
                    .field(field.name, text: "\(place.name).\(field.name)", field.type)))
        }
        let output =
            [place.keyField]
            + select.map { ReferenceField($0.name, $0.expression.type, isNullable: true) }
        return ReferenceStep(
            name: name, from: place.from,
            operation: .shape(lookup: lookup, filter: filter, select: select), output: output)
    }

    /// A union of places with the same fields, with steps of their own before it.
    private mutating func join(
        _ places: [Place], _ topology: inout ReferenceTopology
    ) -> Place {
        var places = places
        if chance(60) { for index in places.indices { pass(&places[index], &topology) } }
        if chance(50) {
            places = alike(places, &topology) { generator, name, place, topology in
                generator.makeStep(name, place, nil, topology)
            }
        }
        var met: Set<ReferenceUpstream> = []
        for index in places.indices {
            if !met.insert(places[index].from).inserted {
                pass(&places[index], &topology, always: true)
            }
        }
        // Steps that are drawn alike may still differ, as their streams do.
        let names = places[0].fields.map(\.name)
        places.removeAll { $0.fields.map(\.name) != names }
        if places.count < 2 { return places[0] }
        if chance(30) { places.reverse() }
        var joined = places[0]
        joined.roots = Array(Set(places.flatMap(\.roots))).sorted()
        joined.hasWaited = places.contains { $0.hasWaited }
        joined.mayWindow = chance(60)
        for index in joined.fields.indices
        where places.contains(where: { $0.fields[index].isNullable }) {
            joined.fields[index].isNullable = true
        }
        let step = ReferenceStep(
            name: Self.stepName(topology), from: places[0].from,
            operation: .union(places.map(\.from)), output: joined.fields)
        return add(step, behind: joined, to: &topology)
    }

    /// A step that changes no field: a filter, a `distinct`, or none.
    private mutating func pass(
        _ place: inout Place, _ topology: inout ReferenceTopology, always: Bool = false
    ) {
        let scope = ReferenceScope(place.name, place.fields)
        let kind = random.int(in: always ? 3...9 : 0...9)
        guard kind >= 3 else { return }
        let operation: ReferenceOperation =
            kind >= 7
            ? .distinct(byTime: chance(50) && !place.hasWaited)
            : .shape(lookup: nil, filter: condition(scope, depth: 1), select: nil)
        let step = ReferenceStep(
            name: Self.stepName(topology), from: place.from, operation: operation,
            output: place.fields)
        place = add(step, behind: place, to: &topology)
    }

    /// Rekeys streams with the same fields by the same field.
    private mutating func addRekeys(
        _ places: [Place], _ topology: inout ReferenceTopology
    ) -> [Place] {
        let choices = places[0].fields.filter {
            ($0.type == .string || $0.type == .int) && $0.name != places[0].keyField.name
        }
        guard !choices.isEmpty else { return places }
        let field = pick(choices)
        let mayWindow = chance(70)
        return places.map { place in
            let output = place.fields.map { field in
                var field = field
                if case .ratio(let scale) = field.type { field.type = .decimal(min(scale, 18)) }
                return field
            }
            var step = ReferenceStep(
                name: Self.stepName(topology), from: place.from, operation: .rekey(field.name),
                output: output)
            if let index = output.firstIndex(where: { $0.name == field.name }) {
                step.output[index].isNullable = false
            }
            var next = add(step, behind: place, to: &topology)
            next.key = field.name
            topology.steps[topology.steps.count - 1].key = field.name
            next.isRekeyed = true
            next.mayWindow = mayWindow
            return next
        }
    }
}
