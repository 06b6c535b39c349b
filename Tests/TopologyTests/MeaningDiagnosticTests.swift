import Columnar
import Dataflow
import Primitives
import Testing
import Topology

/// Everything that can be wrong in meaning, with its place marked in the text.
@Suite struct MeaningDiagnosticTests {
    private func expect(
        _ marked: String, _ messages: [String], hints: [String?]? = nil,
        location: Testing.SourceLocation = #_sourceLocation
    ) {
        let marked = Marked(marked)
        let found = problems(marked.text)
        #expect(summary(found) == marked.with(messages), sourceLocation: location)
        if let hints { #expect(found.map(\.hint) == hints, sourceLocation: location) }
    }

    private func crane(_ changes: (String, String)...) -> String {
        var text = Crane.topology
        for (old, new) in changes {
            precondition(text.contains(old), "\(old) is not in the text")
            text = text.replacing(old, with: new)
        }
        return text
    }

    /// The crane's sources with one step `a` that reads `load` and has a sink.
    private func step(_ text: String, sources: String = Crane.sources) -> String {
        sources
            + "steps:\n  - use: {from: load, lookup: {crane: device}, select: {m: crane.model}}\n"
            + "  - a: {from: load, \(text)}\n"
            + "sinks: [{from: a, topic: a}, {from: use, topic: u}]"
    }

    // MARK: Sources

    @Test func schemasAndFields() {
        expect(
            crane(("schema: crane-load", "schema: ‸crane-loda")),
            ["there is no schema 'crane-loda'"], hints: ["did you mean 'crane-load'?"])
        expect(
            crane(("key: device\n    time", "key: ‸devise\n    time")),
            ["schema 'crane-load' has no field 'devise'"], hints: ["did you mean 'device'?"])
        expect(
            crane(("{field: ts", "{field: ‸mass")),
            ["time field 'mass' is decimal(2) t, not timestamp"])
        expect(
            crane(("{key: device, asOf: ts}", "{key: ‸ts, asOf: ‸device}")),
            [
                "key field 'ts' is timestamp", "time field 'device' is string, not timestamp",
            ])
        expect(
            crane(("key: device\n    time", "key: ‸percent\n    time")),
            ["key field 'percent' is decimal(1) %"])
    }

    @Test func nullableKeyAndTime() {
        var files = Crane.texts(Crane.topology)
        files.texts["schemas/crane-load.yaml"] = Crane.loadSchema.replacing(
            "device: string", with: "device: string?"
        ).replacing("ts: timestamp", with: "ts: timestamp?")
        #expect(
            summary(problems(files)) == [
                "8:10 key field 'device' may be null", "9:19 time field 'ts' may be null",
            ])
    }

    @Test func brokenSchemaIsReportedInItsFile() {
        var files = Crane.texts(Crane.topology)
        files.texts["schemas/crane-load.yaml"] = Crane.loadSchema.replacing(
            "falls: int", with: "falls: itn")
        files.texts["schemas/crane.yaml"] = ""
        #expect(
            summary(problems(files)) == [
                "schemas/crane-load.yaml:8:10 unknown type 'itn'",
                "schemas/crane.yaml:1:1 the file is empty",
            ])
    }

    @Test func framesAreFlat() {
        expect(
            crane(("schema: crane\n", "schema: ‸crane\n    format: hj212\n")),
            [
                "field 'chart' is map<int, list<struct{radius: decimal(2) m, capacity: decimal(3) "
                    + "t}>>, which an HJ 212 frame cannot hold"
            ])
        expect(
            crane(("schema: crane\n", "schema: ‸crane\n    format: csv\n")),
            [
                "field 'chart' is map<int, list<struct{radius: decimal(2) m, capacity: decimal(3) "
                    + "t}>>, which a row of CSV cannot hold"
            ])
    }

    @Test func topicsOfSources() {
        expect(
            crane(("topic: registry.crane", "topic: ‸telemetry.crane")),
            ["topic 'telemetry.crane' is read by source 'load' already"])
        expect(
            crane(("topic: registry.crane", "topic: ‸crane-overload.v1.journal")),
            ["topic 'crane-overload.v1.journal' is written by this topology itself"])
    }

    // MARK: Graph

    @Test func unknownInputs() {
        expect(
            crane(("from: rated", "from: ‸ratde"), ("- rated:", "- ‸rated:")),
            ["nothing reads step 'rated'", "there is no source or step 'ratde'"],
            hints: ["add a sink with 'from: rated', or remove the step", "did you mean 'rated'?"])
        expect(
            step("filter: mass > 1.0").replacing("a: {from: load", with: "a: {from: ‸crane"),
            ["'crane' is a table"])
        expect(
            crane(("{from: mean15", "{from: ‸maen15"), ("- mean15", "- ‸mean15")),
            ["nothing reads step 'mean15'", "there is no source or step 'maen15'"])
    }

    @Test func unusedSources() {
        expect(
            crane(
                ("  crane:\n", "  ‸crane:\n"), ("      lookup: {crane: device}\n", ""),
                (
                    "load.mass / interpolate(crane.chart[load.falls], load.radius)",
                    "load.mass / load.mass"
                )),
            ["nothing reads table 'crane'"], hints: ["look it up in a step, or remove it"])
        expect(
            Crane.sources.replacing("  load:", with: "  ‸load:").replacing(
                "  crane:", with: "  ‸crane:")
                + "  other: {topic: o, schema: crane-load, key: device, time: {field: ts, "
                + "disorder: 1s, lateness: 0s, ahead: 1s}}\nsinks: [{from: other, topic: x}]",
            ["nothing reads source 'load'", "nothing reads table 'crane'"])
    }

    @Test func circles() {
        expect(
            Crane.sources + """
                steps:
                  - use: {from: load, lookup: {crane: device}, select: {m: crane.model}}
                  - a: {from: ‸c, filter: mass > 1.0}
                  - b: {from: a, filter: mass > 1.0}
                  - c: {from: b, filter: mass > 1.0}
                  - d: {from: c, filter: mass > 1.0}
                sinks: [{from: d, topic: x}, {from: use, topic: u}]
                """,
            ["steps form a circle: a ← c ← b ← a"])
        expect(
            step("filter: mass > 1.0").replacing("a: {from: load", with: "a: {from: ‸a"),
            ["steps form a circle: a ← a"])
    }

    @Test func keys() {
        expect(
            step("key: ‸model, distinct: {}"), ["key 'model' is not the key of source 'load'"],
            hints: ["the key is 'device'"])
        expect(
            step("key: ‸falls, distinct: {}"), ["key 'falls' is not the key of source 'load'"],
            hints: [
                "the key is 'device'; for another put a step before with 'rekey: falls'"
            ])
    }

    @Test func arrival() throws {
        let time = "abandon: 1h}"
        let text = crane(
            (time, "abandon: 1h, arrival: arrived}"),
            ("load.mass > 0.0", "load.arrived - load.ts < duration('8h')"))
        let plan = try TopologyLoader.load(Crane.texts(text)).plan
        #expect(plan.sources[0].schema.fields.last?.name == "arrived")
        let again = try TopologyLoader.load(canonicalText: plan.canonicalText)[0]
        #expect(again.canonicalText == plan.canonicalText)
        #expect(again.sources[0].arrivalField == plan.sources[0].arrivalField)
        expect(
            crane((time, "abandon: 1h, arrival: ‸mass}")),
            ["schema 'crane-load' has a field 'mass' already"],
            hints: ["give the time of arrival another name"])
        expect(
            crane((time, "abandon: 1h, arrival: ‸\"a b\"}")),
            ["'a b' is not a name: letters, digits and '_', no digit first"],
            hints: ["such as 'arrived'"])
    }

    /// The key of a sink's records is that of its task; one that is stated must be it.
    @Test func keysOfSinks() {
        let sink = "from: overload, topic: alarms.crane"
        expect(crane((sink, sink + ", key: device")), [])
        expect(crane((sink, sink + ", key: overload.device")), [])
        expect(
            crane((sink, sink + ", key: ‸falls")), ["key 'falls' is not the key of 'overload'"],
            hints: [
                "the key is 'device'; for another put a step before with 'rekey: falls'"
            ])
        expect(
            crane((sink, sink + ", key: ‸crane")), ["key 'crane' is not the key of 'overload'"],
            hints: ["the key is 'device'"])
        expect(crane((sink, sink + ", key: ‸[]")), ["'key' must be a single value, not a list"])
    }

    // MARK: Expressions

    /// A name that the stream and the table both have.
    @Test func ambiguousNames() {
        expect(
            crane(("falls: load.falls", "falls: ‸ts")), ["'ts' is ambiguous"],
            hints: ["write load.ts or crane.ts"])
        expect(
            crane(("filter: load.mass > 0.0", "filter: mass > 0.0 && ‸ts != load.ts")),
            ["'ts' is ambiguous"], hints: ["write load.ts or crane.ts"])
    }

    @Test func expressionsHaveTheirOwnPlaces() {
        let found = problems(
            crane(
                ("filter: load.mass > 0.0", "filter: load.mss > 0.0"),
                ("falls: load.falls", "falls: \"load.falls + nothing\"")))
        #expect(
            found.map { "\($0.location?.line ?? 0):\($0.location?.column ?? 0)" }
                == ["18:20", "21:30"])
        #expect(found[0].hint?.contains("mass") == true)
    }

    @Test func expressionsInBlockScalars() {
        let found = problems(
            crane(
                (
                    "filter: load.mass > 0.0",
                    "filter: |\n        load.mass > 0.0 &&\n        nothing"
                )))
        #expect(found.map { "\($0.location?.line ?? 0):\($0.location?.column ?? 0)" } == ["20:9"])
    }

    @Test func filtersAreBool() {
        expect(step("filter: ‸mass"), ["a filter must be bool, this is decimal(2) t"])
    }

    @Test func unitsMustAgree() {
        let found = problems(step("filter: mass > radius"))
        #expect(found.count == 1)
        #expect(found[0].location?.line == 16)
        #expect(found[0].message.contains("t") && found[0].message.contains("m"))
    }

    @Test func selects() {
        expect(
            step("select: {‸device: model}").replacing("model}}", with: "model}}"),
            ["'device' is the key, it cannot be another value"])
        expect(step("select: {x: ‸null}"), ["'x' is always null"])
    }

    @Test func lookups() {
        expect(
            crane(("lookup: {crane: device}", "lookup: {crane: ‸falls}")),
            ["table 'crane' can be looked up by the key 'device' only, not by 'falls'"])
        expect(
            crane(
                ("  crane:\n", "  ‸crane:\n"),
                ("lookup: {crane: device}", "lookup: {‸crain: device}")),
            ["nothing reads table 'crane'", "there is no table 'crain'"])
        expect(
            step("lookup: {‸load: device}"), ["'load' is not a table"])
        expect(
            step("lookup: {‸crane: device}"),
            ["'load' and table 'crane' both have 'device', 'ts'"],
            hints: ["add a select that names the fields to keep"])
        var files = Crane.texts(Crane.topology)
        files.texts["schemas/crane.yaml"] = Crane.craneSchema.replacing(
            "device: string", with: "device: int")
        #expect(
            summary(problems(files)) == [
                "17:23 key 'device' is string, the key of table 'crane' is int"
            ])
    }

    // MARK: Levels

    private func levels(_ text: String) -> String {
        step("key: device, levels: {\(text)}")
    }

    @Test func levelsNeedNumbers() {
        expect(levels("of: ‸device, raise: {w: 1}"), ["'of' must be a number, this is string"])
        expect(
            levels("of: mass, raise: {w: ‸device}"), ["a limit must be a number, this is string"])
        let marked = Marked(levels("of: mass, raise: {w: ‸radius}"))
        let found = problems(marked.text)
        #expect(summary(found).map { String($0.prefix { $0 != " " }) } == marked.places)
        #expect(found.first?.message.contains("unit") == true)
    }

    @Test func laddersRise() {
        expect(
            levels("of: mass, raise: {a: 2, b: ‸2, c: ‸1.5, d: 3}"),
            [
                "'raise' limits must rise from level to level: b 2 after a 2",
                "'raise' limits must rise from level to level: c 1.5 after b 2",
            ])
        expect(
            levels("of: mass, direction: below, raise: {a: 1, b: ‸2}"),
            ["'raise' limits must fall from level to level: b 2 after a 1"])
        expect(
            levels("of: mass, raise: {a: 1, b: 2}, clear: {a: ‸1.01, b: 2}"),
            ["'clear' of a is above its 'raise': 1.01 above 1"])
        expect(
            levels("of: mass, direction: below, raise: {a: 2, b: 1}, clear: {a: ‸1.99, b: 1}"),
            ["'clear' of a is below its 'raise': 1.99 below 2"])
        expect(
            levels("of: mass, raise: {a: 1, b: 2}, clear: {a: 0.9, b: ‸0.8}"),
            ["'clear' limits must rise from level to level: b 0.8 after a 0.9"])
        expect(levels("of: mass, raise: {a: 1, b: 2}, clear: {a: 0.9, b: 0.9}"), [])
    }

    @Test func levelsOutputNamesAreFree() {
        expect(
            Crane.sources + """
                steps:
                  - rated: {from: load, lookup: {crane: device}, \
                      select: {level: load.mass, m: crane.model}}
                  - a: {from: ‸rated, key: device, levels: {of: level, raise: {w: 1}}}
                sinks: [{from: a, topic: a}]
                """,
            ["levels adds 'level', which the input has already"],
            hints: ["rename the input's field in a select step before this one"])
    }

    @Test func limitsComeOutInOneType() throws {
        func limit(_ text: String) throws -> ValueType? {
            let plan = try TopologyLoader.load(Crane.texts(levels(text))).plan
            return plan.steps.first { $0.name == "a" }?.output.fields.first { $0.name == "limit" }?
                .type
        }
        let ton = Unit("t")
        #expect(try limit("of: mass, raise: {a: 1, b: 2.125}") == .decimal(scale: 3, unit: ton))
        #expect(try limit("of: mass, raise: {a: mass, b: 2.1}") == .decimal(scale: 2, unit: ton))
        #expect(try limit("of: falls, raise: {a: 1, b: 2}") == .int)
        #expect(try limit("of: falls, raise: {a: 1, b: 2.5}") == .decimal(scale: 1, unit: nil))
        #expect(try limit("of: double(mass), raise: {a: 1, b: 2.5}") == .double(unit: ton))
        #expect(
            try limit("of: mass, raise: {a: 'quantity(1, \"t\")', b: 2.5}")
                == .decimal(scale: 1, unit: ton))
        #expect(
            try limit("of: mass / radius, raise: {a: mass / radius, b: mass / radius}")
                == (try limit("of: mass / radius, raise: {a: mass / radius}")))
        expect(
            levels("of: mass / mass, raise: {a: ‸mass / mass, b: 2}"),
            ["the limits are of different types, some of them quotients"])
        expect(
            levels("of: mass, raise: {a: ‸0.1234567890123456789}"),
            ["a limit has more than 18 digits after the point"])
    }

    // MARK: Windows

    private func window(_ text: String) -> String {
        step("key: device, window: {tumbling: 1m, aggregate: {\(text)}}")
    }

    @Test func aggregateTypes() throws {
        let plan = try TopologyLoader.load(
            Crane.texts(
                window(
                    "c: count(percent), si: sum(falls), sd: sum(double(mass)), mi: mean(falls), "
                        + "md: mean(double(mass)), mr: mean(mass / mass), lo: min(ts), "
                        + "hi: max(device), f: first(mass / mass), l: last(device)"))
        ).plan
        let fields = try #require(plan.steps.first { $0.name == "a" }).output.fields
        let ton = Unit("t")
        #expect(
            fields.dropFirst(3).prefix(5).map(\.type) == [
                .int, .int, .double(unit: ton), .ratio(scale: 3, unit: nil), .double(unit: ton),
            ])
        guard case .double = fields[8].type else {
            Issue.record("the mean of quotients is \(fields[8].type)")
            return
        }
        #expect(fields[9].type == .timestamp)
        #expect(fields[10].type == .string)
        #expect(fields[12].type == .string)
        #expect(
            fields.map(\.isNullable) == [false, false, false, false]
                + Array(repeating: true, count: 9))
    }

    @Test func aggregatesRefuseTypes() {
        expect(
            window("a: sum(‸mass / mass), b: mean(‸device), c: min(‸falls > 1), d: sum(‸ts)"),
            [
                "sum() does not take ratio(5)", "mean() does not take string",
                "min() does not take bool", "sum() does not take timestamp",
            ],
            hints: [
                "round(x, n) makes a decimal of a quotient", "a number",
                "a number, timestamp, duration or string", "a number",
            ])
        expect(
            window("‸windowEnd: count(), ‸device: count()"),
            [
                "a window's result has a field 'windowEnd' already",
                "a window's result has a field 'device' already",
            ])
    }

    @Test func windowsUnderKeyClocksNeedAbandon() {
        expect(
            crane(("time: {", "time: ‸{"), (", abandon: 1h", "")),
            ["'time' of source 'load' needs 'abandon': step 'mean15' is a window under key clocks"])
    }

    @Test func windowThenSelectThenFilterThenLevels() throws {
        let text =
            Crane.sources + """
                steps:
                  - use: {from: load, lookup: {crane: device}, select: {m: crane.model}}
                  - w: {from: load, key: device, \
                      window: {tumbling: 15m, aggregate: {m: mean(mass), n: count()}}}
                  - s: {from: w, select: {m: m, n: n, end: windowEnd}}
                  - f: {from: s, filter: n >= 10}
                  - l: {from: f, key: device, levels: {of: m, raise: {w: 2.5}}}
                sinks: [{from: l, topic: x}, {from: use, topic: u}]
                """
        let plan = try TopologyLoader.load(Crane.texts(text)).plan
        let last = try #require(plan.steps.first { $0.name == "l" })
        #expect(
            last.output.fields.map(\.name) == [
                "device", "m", "n", "end", "level", "previous", "event", "value", "limit", "since",
            ])
        #expect(last.output.fields[7].type == .ratio(scale: 5, unit: Unit("t")))
        #expect(last.output.fields[7].isNullable)
        // Only the window's input is read.
        #expect(plan.sources[0].fieldsRead == [0, 1, 2])
    }

    @Test func personalDataStaysMarked() throws {
        var files = Crane.texts(step("select: {who: 'device + \"!\"', m: mass}"))
        files.texts["schemas/crane-load.yaml"] = Crane.loadSchema.replacing(
            "device: string", with: "device: {type: string, personal: true}")
        let plan = try TopologyLoader.load(files).plan
        let fields = try #require(plan.steps.first { $0.name == "a" }).output.fields
        #expect(fields.map(\.name) == ["device", "who", "m"])
        #expect(fields.map(\.isPersonal) == [true, true, false])
    }

    // MARK: Together

    /// One topology with something wrong in every part.
    private let severalProblems = Marked(
        """
        topology: crane-overload
        version: ‸one
        sources:
          load:
            topic: telemetry.crane
            schema: crane-load
            key: device
            time: ‸{field: ts, disorder: ‸5 seconds, lateness: 1m}
          crane:
            topic: registry.crane
            schema: crane
            table: {key: device, asOf: ‸when}
          wind:
            topic: telemetry.wind
            schema: ‸wnd
            key: device
            time: {field: ts, disorder: 5s, lateness: 1m, ahead: 10m}
        steps:
          - rated:
              from: load
              ‸filtr: load.mass > 0.0
              select: {ratio: load.mass}
          - gusts:
              from: wind
              key: device
              levels: {of: speed, raise: {‸normal: 1}}
        sinks:
          - {from: rated, topic: alarms.crane}
          - {from: gusts, topic: ‸alarms.crane}
          - {from: ‸gust, topic: x}
        """)

    private let severalDescriptions = [
        """
        topology.yaml:2:10: error: 'one' is not a version
            hint: a whole number from 1, such as 'version: 1'
        """,
        """
        topology.yaml:8:11: error: 'time' of source 'load' needs 'ahead': no default: \
        depends on your clocks
            hint: such as 'ahead: 10m'
        """,
        """
        topology.yaml:8:33: error: '5 seconds' is not a duration
            hint: write a duration such as 5s; units: d, h, m, s, ms, us
        """,
        """
        topology.yaml:12:32: error: schema 'crane' has no field 'when'
            hint: its fields: device, ts, model, chart
        """,
        """
        topology.yaml:15:13: error: there is no schema 'wnd'
            hint: schemas: crane, crane-load
        """,
        """
        topology.yaml:21:7: error: unknown key 'filtr' in step 'rated'
            hint: did you mean 'filter'?
        """,
        """
        topology.yaml:26:35: error: 'normal' is the state below the lowest level
            hint: rename it
        """,
        """
        topology.yaml:29:26: error: topic 'alarms.crane' is written by two sinks
            hint: it stands first on line 28; one topic, one sink
        """,
        """
        topology.yaml:30:12: error: there is no source or step 'gust'
            hint: did you mean 'gusts'?
        """,
        """
        topology.yaml:9:3: error: nothing reads table 'crane'
            hint: look it up in a step, or remove it
        """,
    ]

    @Test func severalAtOnceInOrder() {
        let found = problems(severalProblems.text)
        #expect(found.map(\.description) == severalDescriptions.sorted { line($0) < line($1) })
    }

    private func line(_ text: String) -> Int {
        Int(text.split(separator: ":")[1]) ?? 0
    }
}
