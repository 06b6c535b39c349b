import Testing
import Topology

/// What `explain` says of operators: facts, types, state, and where exactness ends.
@Suite struct ExplainTests {
    private func explain(_ topology: String) throws -> ExplainedTopology {
        let loaded = try TopologyLoader.load(Crane.texts(topology))
        return try #require(Explainer.explain([loaded]).topologies.first)
    }

    private func node(_ name: String, _ topology: String) throws -> ExplainedNode {
        try #require(try explain(topology).nodes.first { $0.id == name })
    }

    private func facts(_ node: ExplainedNode) -> [String] {
        node.facts.map { "\($0.name): \($0.value)" }
    }

    private func fields(_ node: ExplainedNode) -> [String] {
        node.fields.map {
            let origin = $0.isCarried ? " carried" : $0.expression.map { " = \($0)" } ?? ""
            return "\($0.name): \($0.type)\(origin)"
        }
    }

    @Test func aStepOfSeveralPartsIsOneNode() throws {
        let rated = try node("rated", Crane.topology)
        #expect(rated.operation == "lookup, filter, select")
        #expect(
            facts(rated) == [
                "looks up: crane by device: the newest version not after the row's time",
                "keeps: load.mass > 0.0",
            ])
        #expect(
            fields(rated) == [
                "device: string carried",
                "ratio: ratio(5) = load.mass / interpolate(crane.chart[load.falls], load.radius)",
                "falls: int carried",
            ])
        #expect(rated.state.isEmpty && rated.doubles.isEmpty)
    }

    @Test func levelsTellTheirLimitsWithUnits() throws {
        let overload = try node("overload", Crane.topology)
        #expect(
            facts(overload) == [
                "judges: ratio: ratio(5)", "warning: raised at >= 0.90, cleared at < 0.85",
                "alarm: raised at >= 1.00, cleared at < 0.95",
                "critical: raised at >= 1.10, cleared at < 1.00", "confirm: 2 readings",
                "order: arrival",
            ])
        #expect(
            fields(overload).suffix(6) == [
                "level: string", "previous: string", "event: string", "value: ratio(5)",
                "limit: decimal(2)", "since: timestamp",
            ])
        #expect(overload.state.map(\.per) == ["key"])
        let heavy = try node(
            "heavy",
            Crane.sources + """
                steps:
                  - heavy:
                      from: load
                      key: device
                      levels:
                        of: mass
                        raise: {big: 2.5, huge: 'load.mass * 2.0'}
                        bounds: exclusive
                  - joined: {from: load, lookup: {crane: device}, select: {model: crane.model}}
                sinks: [{from: heavy, topic: h}, {from: joined, topic: j}]
                """)
        #expect(
            facts(heavy).prefix(3) == [
                "judges: mass: decimal(2) t", "big: raised at > 2.500 t, cleared at <= 2.500 t",
                "huge: raised at > load.mass * 2.0, cleared at <= load.mass * 2.0",
            ])
    }

    @Test func sourcesTellTheirTimeRules() throws {
        let topology = try explain(Operators.everything)
        let load = try #require(topology.nodes.first { $0.id == "load" })
        #expect(
            facts(load) == [
                "topic: telemetry.crane", "format: json", "schema: crane-load", "key: device",
                "time: ts", "disorder: 5s", "lateness: 1m", "ahead: 10m", "clock: partition",
                "idle: 30s", "granule: 500ms",
            ])
        #expect(load.kind == .stream && load.state.map(\.per) == ["partition"])
        let crane = try #require(topology.nodes.first { $0.id == "crane" })
        #expect(crane.kind == .table && facts(crane).last == "as of: ts")
        // Only what the plan reads.
        #expect(crane.fields.map(\.name) == ["device", "ts", "model"])
        #expect(topology.rejects == ["crane-overload.v1.rejects"])
    }

    @Test func windowsAndWaitingRowsTellTheirState() throws {
        let topology = try explain(Operators.everything)
        func states(_ name: String) -> [String] {
            topology.nodes.first { $0.id == name }?.state.map {
                "\($0.what) | \($0.per) | \($0.kept)"
            } ?? []
        }
        #expect(
            states("once") == [
                "rows that wait | partition | until the watermark has passed them",
                "times seen | key | until the watermark has passed them by 1m",
            ])
        #expect(
            states("hop").first
                == "panes of 1m, their aggregates | key | until the watermark has passed the "
                + "window's end by 1m")
        let keyed = try node("mean15", Crane.topology)
        #expect(keyed.state.first?.kept.contains("after 1h of silence") == true)
        #expect(facts(keyed) == ["tumbling: 15m"])
        #expect(
            fields(keyed) == [
                "device: string carried", "windowStart: timestamp", "windowEnd: timestamp",
                "m: ratio(5) t? = mean(load.mass)", "n: int = count()",
                "top: decimal(2) t? = max(load.mass)", "d: int = count(load.mass)",
            ])
    }

    @Test func placesWhereExactValuesBecomeDoublesAreTold() throws {
        func doubles(_ expression: String) throws -> [String] {
            try node(
                "s",
                Crane.sources + """
                    steps:
                      - s: {from: load, select: {x: '\(expression)'}}
                      - joined: {from: load, lookup: {crane: device}, select: {model: crane.model}}
                    sinks: [{from: s, topic: s}, {from: joined, topic: j}]
                    """
            ).doubles.map { "\($0.cause) | \($0.expression)" }
        }
        // Exact to the end: a ratio with a decimal is a ratio again.
        #expect(try doubles("mass / mass + 1.5") == [])
        #expect(try doubles("round(mass / radius * 2.0, 3)") == [])
        #expect(try doubles("1.5 * 2.0") == [])
        let twice = "(mass / radius) / (mass / radius)"
        #expect(try doubles(twice) == ["'/' between two ratios | \(twice)"])
        #expect(
            try doubles("double(mass) * 2.0")
                == ["double() of a decimal(2) t | double(mass) * 2.0"])
        #expect(
            try doubles("(mass / radius - mass / radius) * double(falls)")
                == [
                    "'-' between two ratios | (mass / radius - mass / radius) * double(falls)"
                ])
        let windowed = try node(
            "w",
            Crane.sources + """
                steps:
                  - s: {from: load, select: {r: mass / radius}}
                  - w: {from: s, key: device, window: {tumbling: 1m, aggregate: {m: mean(r)}}}
                  - joined: {from: load, lookup: {crane: device}, select: {model: crane.model}}
                sinks: [{from: w, topic: w}, {from: joined, topic: j}]
                """)
        #expect(windowed.doubles.map(\.cause) == ["mean() of ratios"])
        #expect(windowed.fields.last?.type == "double t/m?")
    }

    @Test func stagesAreOnePicture() throws {
        let topology = try explain(
            Crane.sources + """
                steps:
                  - heavy: {from: load, filter: mass > 2.0, otherwise: light}
                  - all: {union: [heavy, light]}
                  - by_falls: {from: all, rekey: falls}
                  - counted:
                      from: by_falls
                      key: falls
                      window: {tumbling: 1h, aggregate: {n: count()}}
                  - joined: {from: load, lookup: {crane: device}, select: {model: crane.model}}
                sinks: [{from: counted, topic: c}, {from: joined, topic: j}]
                """)
        #expect(
            topology.nodes.map(\.id) == [
                "load", "crane", "heavy", "light", "all", "by_falls", "joined", "counted",
                "sink j", "sink c",
            ])
        #expect(
            Set(topology.edges.map { "\($0.from) \($0.to)" }) == [
                "load heavy", "heavy light", "heavy all", "light all", "all by_falls",
                "by_falls counted", "load joined", "crane joined", "counted sink c",
                "joined sink j",
            ])
        #expect(
            topology.rejects == [
                "crane-overload.v1.rejects", "crane-overload.v1.stage2.rejects",
            ])
        func node(_ id: String) -> ExplainedNode? { topology.nodes.first { $0.id == id } }
        #expect(
            node("by_falls").map(facts)?.prefix(2) == [
                "new key: falls", "topic: crane-overload.v1.by_falls",
            ])
        #expect(node("light").map(facts) == ["keeps: the other rows of mass > 2.0"])
        #expect(node("sink c").map(facts)?.last == "key: falls")
        // Key clocks end at the union; the abandoned key's windows are no matter of stage 2.
        let kept = node("counted")?.state.first?.kept
        #expect(kept == "until the watermark has passed the window's end by 1m")
    }

    @Test func machinesTellTheirRules() throws {
        let run = try node(
            "run",
            Crane.sources + """
                steps:
                  - run:
                      from: load
                      key: device
                      machine:
                        initial: idle
                        states: [idle, lifting, over]
                        remember: {lifts: {type: int, initial: 0}}
                        transitions:
                          - on: mass > 0.5
                            from: idle
                            to: lifting
                            set: {lifts: machine.lifts + 1}
                          - {on: mass > 6.0, from: [lifting, over], to: over, when: falls == 4}
                          - {on: mass <= 0.5, from: any, to: idle}
                          - {on: percent != null, from: lifting}
                        invariants:
                          - {name: falls_kept, on: mass > 0.5, require: falls > 0}
                        deadlines:
                          - name: stuck
                            in: lifting
                            until: mass < 0.5
                            after: 2h
                            repeat: 1h
                            to: idle
                          - {name: silent, since: mass > 0.5, after: 10m, clock: tick}
                  - joined: {from: load, lookup: {crane: device}, select: {model: crane.model}}
                sinks: [{from: run, topic: r}, {from: joined, topic: j}]
                """)
        #expect(
            facts(run) == [
                "states: idle, lifting, over", "initial: idle", "remembers: lifts: int, at first 0",
                "→ lifting: from idle on mass > 0.5; sets lifts = machine.lifts + 1",
                "→ over: from lifting, over on mass > 6.0 when falls == 4",
                "→ idle: from any on mass <= 0.5",
                "stays: from lifting on percent != null",
                "falls_kept: on mass > 0.5 requires falls > 0",
                "stuck: 2h in lifting until mass < 0.5, again every 1h, then idle; by event time",
                "silent: 10m since mass > 0.5; by ticks", "unexpected: reject", "order: time",
            ])
        #expect(run.state.map(\.per) == ["key", "key", "key"])
        #expect(run.state[1].what == "state and since when, lifts")
        #expect(
            fields(run).suffix(6) == [
                "state: string", "previous: string", "event: string", "name: string?",
                "since: timestamp", "lifts: int",
            ])
    }

    @Test func spellingChangesNoPicture() throws {
        let one = try TopologyLoader.load(Crane.texts(Crane.topology))
        let other = try TopologyLoader.load(
            Crane.texts(
                Crane.topology.replacing("confirm: 2 readings", with: "confirm:  2 readings # x")))
        #expect(
            ExplanationSVG.write(Explainer.explain([one]))
                == ExplanationSVG.write(Explainer.explain([other])))
    }

    @Test func wideCharactersTakeTwoColumns() {
        #expect(TextWidth.columns("塔吊 T1") == 7)
        #expect(TextWidth.padded("塔", to: 4) == "塔  ")
        #expect(TextWidth.cut("塔吊载荷", to: 5) == "塔吊…")
        #expect(TextWidth.cut("abc", to: 3) == "abc")
        #expect(TextWidth.wrapped("aa bb cc", width: 5, lineLimit: 9) == ["aa bb", "cc"])
        #expect(TextWidth.wrapped("塔吊载荷超限", width: 5, lineLimit: 2) == ["塔吊", "载荷…"])
        #expect(TextWidth.wrapped("aaaaaaa", width: 3, lineLimit: 9) == ["aaa", "aaa", "a"])
        #expect(TextWidth.wrapped("", width: 3, lineLimit: 9) == [""])
    }
}
