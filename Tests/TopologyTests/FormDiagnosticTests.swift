import Dataflow
import Primitives
import Testing
import Topology

/// Everything that can be wrong in form, with its place marked in the text. The language's JSON
/// Schema must refuse it too, but for what no schema can tell (`inSchema: false`).
@Suite struct FormDiagnosticTests {
    private static let head = """
        topology: t
        version: 1
        sources:
          load:
            topic: telemetry.crane
            schema: crane-load
            key: device
            time: {field: ts, disorder: 5s, lateness: 1m, ahead: 10m}

        """
    private static let tail = """

        sinks:
          - {from: load, topic: out}
        """

    private func expect(
        _ marked: String, _ messages: [String], hints: [String?]? = nil, inSchema: Bool? = nil,
        location: Testing.SourceLocation = #_sourceLocation
    ) throws {
        let marked = Marked(marked)
        let found = problems(marked.text)
        #expect(summary(found) == marked.with(messages), sourceLocation: location)
        if let hints { #expect(found.map(\.hint) == hints, sourceLocation: location) }
        for diagnostic in found {
            #expect(diagnostic.hint != nil, "no hint: \(diagnostic)", sourceLocation: location)
        }
        let error = try SchemaJudge.error(.topology, marked.text)
        #expect(
            (error != nil) == (inSchema ?? !messages.isEmpty), "schema: \(error ?? "valid")",
            sourceLocation: location)
    }

    @Test func aSourceMayGoStraightToASink() throws {
        let plan = try TopologyLoader.load(Crane.texts(Self.head + Self.tail)).plan
        #expect(plan.sources[0].fieldsRead == [0, 1, 2, 3, 4, 5])
        #expect(plan.steps.isEmpty)
        #expect(plan.sinks[0].input == .source(0))
    }

    @Test func namesAndVersions() throws {
        try expect(
            "‸version: 1\nsources: ‸{}\nsinks: ‸[]",
            [
                "a topology needs 'topology'",
                "'sources' must be a mapping of names to sources, not a mapping",
                "'sinks' must be a list, not an empty one",
            ])
        try expect(
            Self.head.replacing("topology: t\nversion: 1", with: "topology: ‸Big\nversion: ‸0")
                + Self.tail,
            ["'Big' is not a topology name", "'0' is not a version"])
        try expect(
            Self.head.replacing("version: 1", with: "version: ‸01") + Self.tail,
            ["'01' is not a version"], inSchema: false)
        try expect(
            Self.head.replacing("version: 1", with: "version: 1\n‸sorces: 2") + Self.tail,
            ["unknown key 'sorces' in a topology"], hints: ["did you mean 'sources'?"])
    }

    @Test func requiredTimesHaveNoDefaults() throws {
        try expect(
            Self.head.replacing(
                "{field: ts, disorder: 5s, lateness: 1m, ahead: 10m}", with: "‸{field: ts}")
                + Self.tail,
            [
                "'time' of source 'load' needs 'disorder': no default: depends on your network",
                "'time' of source 'load' needs 'lateness': no default: depends on your "
                    + "corrections",
                "'time' of source 'load' needs 'ahead': no default: depends on your clocks",
            ].enumerated().map { $0.offset == 0 ? $0.element : "8:11 " + $0.element },
            hints: ["such as 'disorder: 5s'", "such as 'lateness: 1m'", "such as 'ahead: 10m'"])
    }

    @Test func durations() throws {
        func time(_ text: String) -> String {
            Self.head.replacing("{field: ts, disorder: 5s", with: "{field: ts, disorder: ‸\(text)")
                + Self.tail
        }
        try expect(time("5"), ["'5' is not a duration"])
        try expect(time("5 s"), ["'5 s' is not a duration"])
        try expect(time("-5s"), ["'disorder' must not be negative"])
        try expect(time("99999d"), ["'disorder' must not be longer than 36500d"], inSchema: false)
        try expect(
            time("99999999999999999999d"), ["'99999999999999999999d' is not a duration"],
            inSchema: false)
        try expect(time("[5s]"), ["'disorder' must be a single value, not a list"])
        try expect(
            Self.head.replacing("ahead: 10m}", with: "ahead: 10m, granule: ‸0s}") + Self.tail,
            ["'granule' must be more than 0"])
    }

    @Test func clocks() throws {
        func time(_ text: String) -> String {
            Self.head.replacing("ahead: 10m}", with: "ahead: 10m, \(text)}") + Self.tail
        }
        try expect(
            time("clock: ‸wall"), ["'clock' cannot be 'wall'"], hints: ["one of: partition, key"])
        try expect(time("clock: key, ‸idle: 30s"), ["'idle' does not go with 'clock: key'"])
        try expect(time("‸abandon: 1h"), ["'abandon' goes with 'clock: key' only"])
    }

    @Test func keysAndTopics() throws {
        try expect(
            Self.head.replacing("topic: telemetry", with: "topic: ‸tele/metry") + Self.tail,
            ["'tele/metry.crane' is not a topic name"])
        try expect(
            Self.head.replacing("    key: device", with: "    ‸kee: device")
                .replacing("    topic: t", with: "    ‸topic: t") + Self.tail,
            ["source 'load' needs 'key'", "unknown key 'kee' in source 'load'"],
            hints: ["key: the field that says whose row it is", "did you mean 'key'?"])
        try expect(
            Self.head.replacing("  load:", with: "  ‸lo-ad:") + Self.tail,
            ["'lo-ad' is not a name: letters, digits and '_', no digit first"].map { $0 }
                + ["11:12 there is no source or step 'load'"])
        try expect(
            Self.head.replacing("  load:", with: "  ‸for:")
                + Self.tail.replacing("load", with: "for"),
            ["'for' is a reserved word of expressions"])
    }

    @Test func tables() throws {
        try expect(
            Self.head.replacing(
                "    time: {field: ts, disorder: 5s, lateness: 1m, ahead: 10m}",
                with: "    table: ‸{key: device}"
            ).replacing("    key: d", with: "    ‸key: d")
                + Self.tail,
            ["a table has no 'key'", "table 'load' needs 'asOf'"])
    }

    @Test func formats() throws {
        func format(_ text: String) -> String {
            Self.head.replacing("    key:", with: "    format: \(text)\n    key:") + Self.tail
        }
        try expect(format("‸xml"), ["unknown format 'xml'"])
        try expect(format("{hj212: {utcOffset: ‸\"8\"}}"), ["'8' is not an offset from UTC"])
        try expect(format("{‸hj213: {}}"), ["unknown key 'hj213' in 'format'"])
        try expect(format("‸{hj212: {}, csv: {}}"), ["'format' must name one format"])
        try expect(format("‸{}"), ["'format' must name one format"])
        try expect(format("csv"), [])
        try expect(format("{csv: {separator: ‸a}}"), ["'a' cannot separate the fields of CSV"])
        try expect(
            format("{csv: {separator: ‸\";;\"}}"), ["';;' cannot separate the fields of CSV"])
        try expect(
            format("{csv: {header: ‸maybe, ‸quote: x}}"),
            ["'header' cannot be 'maybe'", "unknown key 'quote' in 'csv'"])
    }

    @Test func steps() throws {
        func steps(_ text: String) -> String { Self.head + "steps:\n\(text)" + Self.tail }
        try expect(steps("  - ‸a: {from: load}"), ["step 'a' does nothing"])
        try expect(
            steps("  - ‸{a: {from: load}, b: {from: load}}"),
            ["a step must be one name with its mapping"])
        try expect(steps("  - a: ‸[1]"), ["step 'a' must be a mapping, not a list"])
        try expect(
            steps("  - a: {from: load, filter: x, ‸levels: {of: mass}}"),
            ["'filter' and 'levels' cannot be in one step"])
        try expect(
            steps("  - ‸a: {from: load, ‸key: device, filter: 'true'}"),
            ["nothing reads step 'a'", "'key' has no use in this step"])
        try expect(steps("  - a: ‸{from: load, distinct: {}}"), ["step 'a' needs 'key'"])
        try expect(
            steps("  - a: {from: load, key: device, distinct: {order: ‸tme}}"),
            ["'order' cannot be 'tme'"], hints: ["one of: arrival, time"])
        try expect(
            steps("  - ‸load: {from: load, filter: 'true'}"),
            ["'load' is already the name of a source or step"], inSchema: false)
        try expect(
            steps("  - a: {from: load, lookup: ‸{x: y, z: w}}"),
            ["'lookup' must name one table and the key field"], inSchema: false)
        try expect(
            steps("  - a: {from: load, filter: ‸[mass]}"),
            ["'filter' must be an expression, not a list"])
        try expect(
            steps("  - a: {from: load, select: {‸1st: mass}}"),
            ["'1st' is not a name: letters, digits and '_', no digit first"])
    }

    @Test func levels() throws {
        func levels(_ text: String) -> String {
            Self.head + "steps:\n  - a: {from: load, key: device, levels: \(text)}" + Self.tail
        }
        try expect(levels("‸{raise: {w: 1}}"), ["'levels' of step 'a' needs 'of'"])
        try expect(
            levels("{of: mass, raise: ‸{}}"),
            ["'raise' must be a mapping of names to expressions, not a mapping"])
        try expect(
            levels("{of: mass, raise: {‸normal: 1}}"),
            ["'normal' is the state below the lowest level"])
        try expect(
            levels("{of: mass, raise: {warning: 2}, clear: ‸{‸waring: 1}}"),
            [
                "'clear' lacks the level 'warning'",
                "'clear' names the level 'waring', 'raise' does not",
            ],
            hints: ["give each level of 'raise', or leave 'clear' out", "did you mean 'warning'?"],
            inSchema: false)
        try expect(
            levels("{of: mass, raise: {w: 1}, confirm: ‸0 readings}"),
            ["'0' is not a number of readings"])
        try expect(
            levels("{of: mass, raise: {w: 1}, confirm: ‸soon}"), ["'soon' is not a duration"])
        try expect(
            levels("{of: mass, raise: {w: 1}, direction: ‸up}"),
            ["'direction' cannot be 'up'"])
    }

    @Test func windows() throws {
        func window(_ text: String) -> String {
            Self.head + "steps:\n  - a: {from: load, key: device, window: \(text)}" + Self.tail
        }
        try expect(
            window("‸{aggregate: {n: count()}}"),
            ["'window' of step 'a' needs 'tumbling': or 'hopping', or 'calendar'"])
        try expect(
            window("{tumbling: ‸0s, aggregate: {n: count()}}"),
            ["'tumbling' must be more than 0"])
        try expect(
            window("{tumbling: 1m, ‸hopping: {size: 2m, every: 1m}, aggregate: {n: count()}}"),
            ["a window is tumbling, hopping or by calendar, only one of them"])
        try expect(
            window("{hopping: {size: ‸10m, every: 4m}, aggregate: {n: count()}}"),
            ["'size' must be a multiple of 'every'"], hints: ["10m is not a multiple of 4m"],
            inSchema: false)
        try expect(
            window("{hopping: {size: 365d, every: ‸1s}, aggregate: {n: count()}}"),
            ["a row would be in more than 10000 windows"], inSchema: false)
        try expect(
            window("{tumbling: 1m, aggregate: {n: ‸avg(mass), m: ‸mass, s: ‸maen(mass)}}"),
            [
                "unknown aggregate 'avg'", "'m' must be one aggregate call",
                "unknown aggregate 'maen'",
            ])
        try expect(
            window("{tumbling: 1m, aggregate: {n: mean(mass) ‸* 2.0}}"),
            ["'n' must be one aggregate call and nothing more"])
        try expect(
            window("{tumbling: 1m, aggregate: {n: mean‸()}}"), ["mean() needs an expression"])
    }

    @Test func sinks() throws {
        try expect(Self.head + "sinks:\n  - ‸{from: load}", ["a sink needs 'topic'"])
        try expect(
            Self.head + "sinks:\n  - {from: load, topic: ‸a b}", ["'a b' is not a topic name"])
        try expect(
            Self.head + "sinks:\n  - {from: load, topic: a, format: ‸xml, codec: ‸gzip}",
            ["'format' cannot be 'xml'", "'codec' cannot be 'gzip'"])
        try expect(
            Self.head + "sinks:\n  - {from: load, topic: a}\n  - {from: load, topic: ‸a}",
            ["topic 'a' is written by two sinks"], inSchema: false)
        try expect(
            Self.head + "sinks:\n  - {from: load, topic: ‸telemetry.crane}",
            ["topic 'telemetry.crane' is a source of this topology too"], inSchema: false)
        try expect(
            Self.head + "sinks:\n  - {from: load, topic: ‸t.v1.rejects}",
            ["topic 't.v1.rejects' is this topology's own"], inSchema: false)
    }
}
