import Columnar
import Dataflow
import Primitives
import Testing
import Topology

/// Rule files: what they mean, what is wrong with them, and that a plan holds them whole.
@Suite struct RulesTests {
    static let rules = """
        rules: limits
        describe: Limits of the region
        zone: Asia/Shanghai
        scope: {stage: string, floor: int}
        values: {top: decimal(1) t, since: "timestamp?", hold: "duration?", strict: "bool?"}
        rows:
          - {stage: earthwork, floor: "*", from: 2020-09-01, to: 2026-01-01, top: 600, strict: true}
          - {stage: earthwork, floor: "*", from: 2026-01-01, top: 500.5 t, basis: b, verified: no}
          - {stage: "*", floor: 3, from: 2020-09-01T08:00, top: 300, hold: 15m}
          - {stage: "*", floor: "*", from: "2020-01-01T00:00:00Z", top: 250, since: 2020-01-01}
        """.replacing("verified: no", with: "verified: false")

    static let topology = """
        topology: t
        version: 1
        rules: {limits: limits}
        sources:
          load:
            topic: telemetry.crane
            schema: crane-load
            key: device
            time: {field: ts, disorder: 5s, lateness: 1m, ahead: 10m}
        steps:
          - judged:
              from: load
              lookup: {limits: {stage: load.device, floor: load.falls}}
              filter: load.mass > limits.top
              select: {mass: load.mass, top: limits.top, basis: limits.basis}
        sinks:
          - {from: judged, topic: out}

        """

    static func texts(_ rules: String, _ topology: String = topology) -> TopologyTexts {
        var texts = Crane.texts(topology)
        texts.texts["rules/limits.yaml"] = rules
        return texts
    }

    private func plan(_ texts: TopologyTexts) throws -> Plan {
        try TopologyLoader.load(texts).plan
    }

    private func rules(_ plan: Plan) throws -> RulesPlan {
        guard case .rules(let rules) = plan.steps[0].operation else {
            throw Diagnostic("the first step is no look-up of rules", at: nil, hint: nil)
        }
        return rules
    }

    private func time(_ text: String) -> Int64? { Timestamp.parse(text) }

    @Test func readsWhatIsWritten() throws {
        let plan = try plan(Self.texts(Self.rules))
        #expect(plan.steps.map(\.name) == ["judged.limits", "judged.filter", "judged"])
        let rules = try rules(plan)
        #expect(rules.scope.map(\.name) == ["stage", "floor"])
        #expect(
            rules.values.map(\.name)
                == ["top", "since", "hold", "strict", "basis", "verified"])
        #expect(rules.rows.count == 4)
        #expect(rules.rows[0].scope == [Array("earthwork".utf8), nil])
        #expect(rules.rows[0].from == time("2020-08-31T16:00:00Z"))
        #expect(rules.rows[0].to == time("2025-12-31T16:00:00Z"))
        #expect(rules.rows[1].to == .max)
        #expect(rules.rows[2].scope == [nil, Array("3".utf8)])
        #expect(rules.rows[2].from == time("2020-09-01T00:00:00Z"))
        guard case .int64(let tops) = rules.columns[0].values,
            case .int64(let holds) = rules.columns[2].values
        else {
            Issue.record("columns of another kind")
            return
        }
        #expect(tops == [6000, 5005, 3000, 2500])
        #expect(holds[2] == 900_000_000)
        #expect((0..<4).map { rules.columns[2].isValid($0) } == [false, false, true, false])
        #expect((0..<4).map { rules.columns[4].isValid($0) } == [false, true, false, false])
    }

    @Test func moreSpecificRowsGoBefore() throws {
        let rows = try rules(try plan(Self.texts(Self.rules))).rows
        #expect(rows[0].precedes(rows[3]) && !rows[3].precedes(rows[0]))
        // As many fields: the one that names the earlier field.
        #expect(rows[0].precedes(rows[2]) && !rows[2].precedes(rows[0]))
        #expect(!rows[0].precedes(rows[1]))
    }

    @Test func canonicalTextGivesThePlanAgain() throws {
        let plan = try plan(Self.texts(Self.rules))
        let again = try TopologyLoader.load(canonicalText: plan.canonicalText)[0]
        #expect(again.canonicalText == plan.canonicalText)
        #expect(again.steps.map(\.name) == plan.steps.map(\.name))
        let (one, two) = (try rules(plan), try rules(again))
        #expect(one.scope == two.scope && one.values == two.values)
        #expect(Set(one.rows) == Set(two.rows))
    }

    @Test func spellingDoesNotMatter() throws {
        let lines = Self.rules.split(separator: "\n")
        let turned = (lines[..<6] + lines[6...].reversed()).joined(separator: "\n")
            .replacing("zone: Asia/Shanghai", with: "zone: \"+08:00\"")
            .replacing("top: 600,", with: "top: 600.0 t, ").replacing(
                "Limits of", with: "Limits for"
            )
            .replacing("from: 2026-01-01,", with: "from: \"2025-12-31T16:00:00Z\",")
        #expect(
            try plan(Self.texts(turned)).canonicalText
                == plan(Self.texts(Self.rules)).canonicalText)
    }

    @Test func differenceNamesTheRow() throws {
        let old = try plan(Self.texts(Self.rules)).canonicalText
        let new = try plan(
            Self.texts(
                Self.rules.replacing("top: 500.5", with: "top: 450")
                    .replacing("floor: 3, from", with: "floor: 4, from"))
        ).canonicalText
        #expect(
            PlanDifference.describe(old, new) == [
                "rules.limits.rows.earthwork/* from 2025-12-31T16:00:00Z.top: 500.5 → 450.0",
                "rules.limits.rows.*/4 from 2020-09-01T00:00:00Z: added",
                "rules.limits.rows.*/3 from 2020-09-01T00:00:00Z: removed",
            ])
    }

    @Test func withoutASelectTheValuesStandBehindTheRow() throws {
        let topology = Self.topology.replacing(
            "      filter: load.mass > limits.top\n", with: ""
        )
        .replacing(
            "      select: {mass: load.mass, top: limits.top, basis: limits.basis}\n",
            with: "")
        let plan = try plan(Self.texts(Self.rules, topology))
        #expect(plan.steps.map(\.name) == ["judged"])
        #expect(
            plan.steps[0].output.fields.map(\.name)
                == [
                    "device", "ts", "mass", "radius", "falls", "percent", "top", "since", "hold",
                    "strict", "basis", "verified",
                ])
        #expect(
            summary(
                problems(
                    Self.texts(Self.rules.replacing("top:", with: "mass:"), topology))
            ).first
                == "13:16 rules 'limits' and what stands before them both have 'mass'")
    }

    @Test func withoutScopeTheDateAloneChooses() throws {
        let rules = """
            rules: limits
            values: {top: int}
            rows: [{from: "2026-01-01T00:00:00Z", top: 5}]
            """
        let topology = Self.topology.replacing(
            "{stage: load.device, floor: load.falls}", with: "{}"
        )
        .replacing("load.mass > limits.top", with: "load.falls > limits.top")
        .replacing(", basis: limits.basis", with: "")
        let plan = try plan(Self.texts(rules, topology))
        #expect(try self.rules(plan).rows.map(\.scope) == [[]])
        let again = try TopologyLoader.load(canonicalText: plan.canonicalText)[0]
        #expect(again.canonicalText == plan.canonicalText)
    }
}

// MARK: - Diagnostics

extension RulesTests {
    private func expect(
        rules marked: String, _ messages: [String], more: [String] = [], hints: [String?]? = nil,
        _ location: Testing.SourceLocation = #_sourceLocation
    ) {
        let marked = Marked(marked)
        let found = problems(Self.texts(marked.text))
        #expect(
            summary(found)
                == (marked.with(messages) + more).map { "rules/limits.yaml:\($0)" },
            sourceLocation: location)
        if let hints { #expect(found.map(\.hint) == hints, sourceLocation: location) }
    }

    private static func rows(_ rows: String) -> String {
        """
        rules: limits
        zone: Asia/Shanghai
        scope: {stage: string, floor: int}
        values: {top: decimal(1) t, basis: string?}
        rows:

        """ + rows
    }

    @Test func wrongForms() {
        expect(
            rules: "rules: ‸limit\nvalues: {top: int}\nrows: [{from: 2026-01-01, top: 1}]\n",
            ["the rules in this file are named 'limit', not 'limits'"])
        expect(
            rules: "‸rules: limits\nzone: UTC\n",
            ["a rule file needs 'values'"], more: ["1:1 a rule file needs 'rows'"])
        expect(
            rules: "rules: limits\nzone: ‸Asia/Beijing\nvalues: {a: int}\nrows: []\n",
            ["there is no time zone 'Asia/Beijing'"], hints: ["did you mean 'Asia/Shanghai'?"])
        expect(
            rules: "rules: limits\nvalues: {a: ‸list<int>, ‸to: int, b: decimal‸}\nrows: []\n",
            [
                "'a' cannot be list<int>", "'to' is a name of something else in a row",
                "expected '(', found the end",
            ])
        expect(
            rules: "rules: limits\nscope: {s: ‸double}\nvalues: {a: int}\nrows: []\n",
            ["'s' cannot be double"])
        expect(
            rules: "rules: limits\nvalues: {a: int}\nrows: ‸[]\n",
            ["'rows' must be a list, not an empty one"])
        expect(
            rules: "rules: limits\nvalues: {a: int}\nrows:\n  - {from: ‸2026-01-01, a: 1}\n",
            ["'2026-01-01' needs a time zone"])
    }

    @Test func wrongRows() {
        expect(
            rules: Self.rows("  - ‸{stage: a, floor: 1, top: 1}"), ["a row needs 'from'"])
        expect(
            rules: Self.rows("  - {stage: a, floor: 1, from: ‸2026-13-01, top: 1}"),
            ["'2026-13-01' is not a date or a point in time"])
        expect(
            rules: Self.rows("  - {stage: a, floor: 1, from: 2026-02-01, to: ‸2026-02-01, top: 1}"),
            ["the row ends before it begins"])
        expect(
            rules: Self.rows("  - ‸{stage: a, from: 2026-01-01, top: 1}"),
            ["a row needs 'floor'"], hints: ["'floor: \"*\"' is for any"])
        expect(
            rules: Self.rows("  - {stage: a, floor: ‸two, from: 2026-01-01, top: 1}"),
            ["'floor' is int, 'two' is not"])
        expect(
            rules: Self.rows("  - {stage: a, floor: 1, ‸stgae: b, from: 2026-01-01, top: 1}"),
            ["unknown key 'stgae' in a row"], hints: ["did you mean 'stage'?"])
        expect(
            rules: Self.rows("  - ‸{stage: a, floor: 1, from: 2026-01-01}"),
            ["a row needs 'top'"])
    }

    @Test func wrongValues() {
        func row(_ top: String) -> String {
            Self.rows("  - {stage: a, floor: 1, from: 2026-01-01, top: ‸\(top)}")
        }
        expect(
            rules: row("600.55"), ["'top' is decimal(1) t, '600.55' has more digits"],
            hints: ["declare the value with them, such as decimal(2)"])
        expect(
            rules: row("600 kg"), ["'top' is decimal(1) t, '600 kg' has another unit"],
            hints: ["the unit is t, as declared under 'values'; write the number alone"])
        expect(rules: row("heavy"), ["'top' is decimal(1) t, 'heavy' is not a number"])
        expect(
            rules: row("1e18"), ["'top' is decimal(1) t, '1e18' does not fit"])
        expect(
            rules: row("{a: 1}"), ["'top' must be a single value, not a mapping"])
    }

    @Test func overlapsAndGaps() {
        expect(
            rules: Self.rows(
                """
                  - {stage: a, floor: 1, from: 2026-01-01, to: 2026-03-01, top: 1}
                  - ‸{stage: a, floor: 1, from: 2026-02-01, top: 2}
                  - {stage: b, floor: 1, from: 2026-02-01, top: 2}
                """),
            ["two rows overlap for stage 'a', floor '1': this one holds from 2026-02-01"],
            hints: ["the row on line 6 holds until 2026-03-01; give it 'to: 2026-02-01'"])
        expect(
            rules: Self.rows(
                """
                  - {stage: a, floor: "*", from: 2026-01-01, top: 1}
                  - ‸{stage: a, floor: "*", from: 2026-01-01, to: 2027-01-01, top: 2}
                """),
            ["a second row for stage 'a', floor '*' from 2026-01-01"],
            hints: ["the first stands on line 6; remove one"])
        expect(
            rules: Self.rows(
                """
                  - {stage: a, floor: 1, from: 2026-01-01, to: 2026-02-01, top: 1}
                  - ‸{stage: a, floor: 1, from: 2026-03-01, top: 2}
                """),
            ["no row holds for stage 'a', floor '1' from 2026-02-01 to 2026-03-01"],
            hints: [
                "give the row on line 6 'to: 2026-03-01', or add a row for that time"
            ])
        // A more general row fills the gap; one that begins inside it does not.
        let filled = Self.rows(
            """
              - {stage: a, floor: 1, from: 2026-01-01, to: 2026-02-01, top: 1}
              - ‸{stage: a, floor: 1, from: 2026-03-01, top: 2}
              - {stage: "*", floor: 1, from: 2026-01-31, top: 3}
            """)
        expect(rules: filled.replacing("‸", with: ""), [])
        expect(
            rules: filled.replacing("2026-01-31", with: "2026-02-02"),
            ["no row holds for stage 'a', floor '1' from 2026-02-01 to 2026-03-01"])
    }

    private func expect(
        topology marked: String, _ messages: [String], hints: [String?]? = nil,
        _ location: Testing.SourceLocation = #_sourceLocation
    ) {
        let marked = Marked(marked)
        let found = problems(Self.texts(Self.rules, marked.text))
        #expect(summary(found) == marked.with(messages), sourceLocation: location)
        if let hints { #expect(found.map(\.hint) == hints, sourceLocation: location) }
    }

    @Test func wrongUses() {
        func with(_ text: String, _ replacement: String) -> String {
            Self.topology.replacing(text, with: replacement)
        }
        let scope = "{stage: load.device, floor: load.falls}"
        expect(
            topology: with(scope, "{stage: load.device, floor: load.falls, ‸flor: load.falls}"),
            ["rules 'limits' have no scope 'flor'"], hints: ["did you mean 'floor'?"])
        expect(
            topology: with("limits: \(scope)", "‸limits: {stage: load.device}"),
            ["rules 'limits' are chosen by 'floor' too"])
        expect(
            topology: with(scope, "{stage: load.device, floor: ‸load.mass}"),
            ["scope 'floor' of rules 'limits' is int, this is decimal(2) t"])
        expect(
            topology: with("lookup: {limits:", "lookup: {‸limts:"),
            ["there are no rules 'limts'"], hints: ["did you mean 'limits'?"])
        expect(
            topology: with("rules: {limits: limits}", "rules: {limits: ‸limit}"),
            ["there are no rules 'limit'"], hints: ["did you mean 'limits'?"])
        expect(
            topology: with("rules: {limits: limits}", "rules: {limits: limits, ‸more: limits}"),
            ["nothing looks up rules 'more'"])
    }
}
