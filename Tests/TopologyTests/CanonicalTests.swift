import Columnar
import Dataflow
import Expression
import Primitives
import Testing
import Topology

@Suite struct CanonicalTests {
    private func plan(_ topology: String) throws -> Plan {
        try TopologyLoader.load(Crane.texts(topology)).plan
    }

    /// Everything of a plan but its canonical text, as text.
    private func picture(_ plan: Plan) -> [String] {
        var lines = ["\(plan.name) v\(plan.version)"]
        for source in plan.sources {
            let fields = source.schema.fields.map {
                "\($0.name):\($0.type):\($0.isNullable):\($0.path):\($0.rounds)"
                    + ":\($0.timestampEncoding):\($0.isPersonal)"
            }
            lines.append(
                "\(source.name) \(source.topic) \(source.format) \(source.fieldsRead) "
                    + "\(source.keyField) \(source.role) \(fields)")
        }
        for step in plan.steps {
            lines.append("\(step.name) \(step.input) \(describe(step.operation)) \(step.output)")
        }
        for sink in plan.sinks { lines.append("\(sink)") }
        return lines
    }

    private func describe(_ operation: Operation) -> String {
        func text(_ program: Program) -> String {
            program.outputs.map {
                "\(canonical($0.text)):\($0.type):\($0.isNullable):\($0.columns)"
            }.joined(separator: ";")
        }
        switch operation {
        case .filter(let program): return "filter \(text(program))"
        case .otherwise(let program): return "otherwise \(text(program))"
        case .machine(let machine): return describe(machine, text)
        case .select(let program): return "select \(text(program))"
        case .lookup(let lookup):
            return "lookup \(lookup.table) \(lookup.key.map(text) ?? "") \(lookup.awaits)"
        case .union(let union): return "union \(union)"
        case .rekey(let field): return "rekey \(field)"
        case .rules(let rules):
            return "rules \(rules.file) \(rules.scope) \(rules.values) \(rules.rows) "
                + "\(rules.columns) \(text(rules.program))"
        case .levels(let levels):
            return "levels \(levels.levels) \(levels.confirmReadings) \(levels.confirmDuration) "
                + "\(levels.hold) \(levels.order) \(levels.judgesTies) \(text(levels.program))"
        case .distinct(let distinct): return "distinct \(distinct.order)"
        case .window(let window):
            return "window \(window.grid) \(window.aggregates) "
                + text(window.program)
        }
    }

    private func describe(_ machine: MachinePlan, _ text: (Program) -> String) -> String {
        func part(_ expression: MachinePlan.Expression?) -> String {
            expression.map { "\(text($0.program)) \($0.readsMachine)" } ?? "-"
        }
        var lines = [
            "machine \(machine.order) \(machine.states) \(machine.initial) \(machine.unexpected)"
        ]
        for item in machine.variables {
            let initial = item.initial.map { text($0) } ?? "-"
            lines.append("\(item.name) \(item.type) \(item.isNullable) \(initial)")
        }
        for item in machine.transitions {
            let set = item.set.map { "\($0.variable)=\(part($0.value))" }
            lines.append(
                "\(part(item.on)) \(item.from) \(part(item.when)) \(item.to ?? -1) \(set)")
        }
        for item in machine.invariants {
            lines.append("\(item.name) \(part(item.on)) \(part(item.require))")
        }
        for item in machine.deadlines {
            var after = ""
            switch item.after {
            case .constant(let length): after = "\(length)"
            case .expression(let expression): after = part(expression)
            }
            lines.append(
                "\(item.name) \(item.states ?? []) \(part(item.since)) \(part(item.until)) "
                    + "\(after) \(item.every ?? 0) \(item.clock) \(item.to ?? -1)")
        }
        return lines.joined(separator: "; ")
    }

    private func canonical(_ text: String) -> String {
        text.split { $0.isWhitespace }.joined(separator: " ")
    }

    private let second = """
        # The same topology, written another way.
        version: "1"
        topology: crane-overload
        sinks:
          - topic: means.crane
            from: mean15
            codec: none
          - {from: overload, topic: "alarms.crane"}
        steps:
          - mean15:
              window:
                aggregate:
                  m: mean( load.mass )   # the mean
                  n: 'count()'
                  top: max(load.mass)
                  d: count(load.mass)
                offset: 0s
                tumbling: 900s
              key: load.device
              from: load
          - overload:
              describe: four levels
              from: rated
              key: device
              levels:
                confirm: 2 readings
                clear: {critical: 1.00, alarm: "0.95", warning: 0.85}
                raise:
                  warning: 0.90
                  alarm: 1.00
                  critical: 1.1
                of: ratio
                hold: 0m
                ties: reject
          - rated:
              from: load
              lookup: {crane: load.device}
              filter: |
                load.mass   > // more than nothing
                0.0
              select:
                ratio: load.mass / interpolate(crane.chart[load.falls],
                  load.radius)
                falls: >-
                  load.falls
        sources:
          load:
            format: json
            key: device
            schema: crane-load
            topic: telemetry.crane
            time:
              ahead: 600s
              field: ts
              disorder: 5000ms
              lateness: 60s
              clock: key
              abandon: 60m
              granule: 1s
          crane:
            table: {asOf: ts, key: device}
            topic: registry.crane
            schema: crane
        """

    @Test func spellingDoesNotMatter() throws {
        let first = try plan(Crane.topology)
        let second = try plan(second)
        #expect(first.canonicalText == second.canonicalText)
        #expect(picture(first) == picture(second))
    }

    @Test func documentationDoesNotMatter() throws {
        let first = try plan(Crane.topology)
        var files = Crane.texts(Crane.topology.replacing("Load against", with: "Anything about"))
        files.texts["schemas/crane.yaml"] = Crane.craneSchema.replacing(
            "model: string", with: "model: {doc: The type plate, type: string, personal: false}")
        #expect(try TopologyLoader.load(files).plan.canonicalText == first.canonicalText)
    }

    @Test func meaningDoesMatter() throws {
        let first = try plan(Crane.topology).canonicalText
        for (old, new) in [
            ("warning: 0.90", "warning: 0.91"), ("warning: 0.90", "warning: 0.9"),
            ("disorder: 5s", "disorder: 6s"), ("codec: none", "codec: zstd"),
            ("version: 1", "version: 2"), ("2 readings", "3 readings"),
            ("{m: mean(load.mass), n: count()", "{n: count(), m: mean(load.mass)"),
        ] {
            #expect(Crane.topology.contains(old))
            #expect(try plan(Crane.topology.replacing(old, with: new)).canonicalText != first)
        }
    }

    @Test func canonicalTextReadsBackAsTheSamePlan() throws {
        var files = Crane.texts(Crane.topology)
        files.texts["schemas/crane.yaml"] = Crane.craneSchema.replacing(
            "model: string",
            with:
                "model: {path: \"a.\\u2028\\\"\\\\\\u0085\\u4e2d\\U0001F600\\uFEFF\","
                + " type: string?}"
        )
        for topology in [Crane.topology, second, Operators.everything] {
            files.texts["topology.yaml"] = topology
            let plan = try TopologyLoader.load(files).plan
            let again = try TopologyLoader.load(canonicalText: plan.canonicalText)[0]
            #expect(again.canonicalText == plan.canonicalText)
            #expect(picture(again) == picture(plan))
        }
    }

    /// `csv` alone is the form with its defaults, and each option is part of the plan.
    @Test func formsOfCSV() throws {
        func text(_ format: String) throws -> String {
            let load = "topic: telemetry.crane\n"
            return try plan(
                Crane.topology.replacing(load, with: load + "    format: \(format)\n")
            ).canonicalText
        }
        let plain = try text("csv")
        #expect(plain.contains(#""format":{"csv":{"header":true,"separator":","}}"#))
        #expect(try text("{csv: {}}") == plain)
        #expect(try text("{csv: {separator: \",\", header: true}}") == plain)
        for other in ["{separator: tab}", "{separator: \";\"}", "{header: false}"] {
            let changed = try text("{csv: \(other)}")
            #expect(changed != plain)
            #expect(try TopologyLoader.load(canonicalText: changed)[0].canonicalText == changed)
        }
        #expect(try text("{csv: {separator: \"\\t\"}}") == text("{csv: {separator: tab}}"))
    }

    @Test func canonicalTextIsJSONWithSortedFixedKeys() throws {
        let text = try plan(Crane.topology).canonicalText
        #expect(text.hasPrefix(#"{"plumbline":1,"schemas":{"crane":{"fields":{"device":"#))
        #expect(
            text.contains(
                #""time":{"abandon":"1h","ahead":"10m","clock":"key","disorder":"5s","#
                    + #""field":"ts","granule":"1s","lateness":"1m"},"topic":"telemetry.crane"}"#))
        let levels = [
            #""levels":{"bounds":"inclusive","#,
            #""clear":{"warning":"0.85","alarm":"0.95","critical":"1.00"},"#,
            #""confirm":"2 readings","direction":"above","hold":"0s","of":"ratio","#,
            #""order":"arrival","#,
            #""raise":{"warning":"0.90","alarm":"1.00","critical":"1.1"},"ties":"reject"}"#,
        ].joined()
        #expect(text.contains(levels))
        let value = try #require(JSONReader.read(text))
        #expect(value.text == text)
    }

    @Test func brokenCanonicalTextIsRefused() throws {
        let text = try plan(Crane.topology).canonicalText
        for broken in [
            "", "{}", "[]", text.replacing("\"plumbline\":1", with: "\"plumbline\":2"),
            text.replacing("telemetry.crane", with: "tele/metry"), String(text.dropLast(1)),
            text.replacing("\"schemas\":{\"crane\"", with: "\"schemas\":{\"crone\""),
        ] {
            #expect(throws: DiagnosticList.self) {
                try TopologyLoader.load(canonicalText: broken)
            }
        }
    }

    @Test func differencesNameTheirPath() throws {
        var files = Crane.texts(Crane.topology)
        let old = try TopologyLoader.load(files).plan.canonicalText
        #expect(PlanDifference.describe(old, old) == [])
        files.texts["topology.yaml"] = Crane.topology
            .replacing("disorder: 5s", with: "disorder: 10s")
            .replacing("warning: 0.90", with: "warning: 0.85")
            .replacing("clear: {warning: 0.85", with: "clear: {warning: 0.80")
            .replacing("codec: none", with: "codec: zstd")
            .replacing("n: count(), ", with: "")
            .replacing("filter: load.mass > 0.0", with: "filter: load.mass > 1.0")
        files.texts["schemas/crane-load.yaml"] = Crane.loadSchema + "\n  wind: decimal(1) m/s?"
        let new = try TopologyLoader.load(files).plan.canonicalText
        #expect(
            PlanDifference.describe(old, new) == [
                "sinks.means.crane.codec: none → zstd",
                "sources.load.time.disorder: 5s → 10s",
                "steps.mean15.window.aggregate.n: removed",
                "steps.rated.filter: load.mass > 0.0 → load.mass > 1.0",
                "steps.overload.levels.clear.warning: 0.85 → 0.80",
                "steps.overload.levels.raise.warning: 0.90 → 0.85",
                "schemas.crane-load.fields.wind: added",
            ])
        #expect(
            PlanDifference.describe(new, old).contains("schemas.crane-load.fields.wind: removed"))
    }

    @Test func differencesNameAChangedOrder() throws {
        let old = try plan(Crane.topology).canonicalText
        let new = try plan(
            Crane.topology.replacing(
                "{m: mean(load.mass), n: count()", with: "{n: count(), m: mean(load.mass)")
        ).canonicalText
        #expect(
            PlanDifference.describe(old, new)
                == ["steps.mean15.window.aggregate: order is now n, m, top, d"])
    }
}
