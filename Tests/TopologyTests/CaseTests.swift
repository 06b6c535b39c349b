import Columnar
import Dataflow
import Primitives
import Testing
import Topology

@Suite struct CaseTests {
    private let text = """
        case: two readings confirm a warning
        describe: the second one
        input:
          - crane: {device: C1, ts: "2026-03-02T08:00:00Z", \
              chart: {"2": [{radius: 3.0, capacity: 3.00}]}}
          - load: {device: C1, ts: "2026-03-02T08:00:01Z", mass: 2.80, falls: 2, \
              ok: true, no: no, x: null, n: 1e3, s: "1.5"}
            arrival: "2026-03-02T08:00:02.5Z"
          - load: "{\\"device\\": broken"
            key: C1
          - tick: "2026-03-02T09:00:00Z"
          - {tick: "2026-03-02T09:00:01Z", until: "2026-03-02T10:00:00Z"}
        bounded: false
        expect:
          alarms.crane:
            - {key: C1, time: "2026-03-02T08:00:02Z", level: warning, event: raised, \
               value: 0.93333, change: new}
            - {level: normal}
          means.crane: []
          rejects:
            - {source: load, reason: out-of-order, row: 3}
        """

    private var plan: Plan {
        get throws { try TopologyLoader.load(Crane.texts(Crane.topology)).plan }
    }

    private func read(_ text: String) throws -> CaseFile {
        try CaseFile.read(SourceText(name: "cases/a.yaml", text: text), for: [plan])
    }

    @Test func inputKeepsItsDigits() throws {
        let file = try read(text)
        #expect(file.name == "two readings confirm a warning")
        #expect(file.description == "the second one")
        #expect(!file.bounded)
        #expect(file.input.count == 5)
        var records: [String] = []
        for input in file.input {
            switch input.content {
            case .record(let source, let value):
                records.append("\(source) \(String(decoding: value.bytes, as: UTF8.self))")
            case .tick(let time): records.append("tick \(Timestamp.text(time))")
            case .ticks(let times):
                records.append(
                    "tick \(Timestamp.text(times.lowerBound)) to "
                        + Timestamp.text(times.upperBound))
            }
        }
        #expect(
            records == [
                #"crane {"device":"C1","ts":"2026-03-02T08:00:00Z","chart":{"2":[{"radius":3.0,"#
                    + #""capacity":3.00}]}}"#,
                #"load {"device":"C1","ts":"2026-03-02T08:00:01Z","mass":2.80,"falls":2,"#
                    + #""ok":true,"no":"no","x":null,"n":1e3,"s":"1.5"}"#,
                #"load {"device": broken"#, "tick 2026-03-02T09:00:00Z",
                "tick 2026-03-02T09:00:01Z to 2026-03-02T10:00:00Z",
            ])
        #expect(file.input[1].arrival == Timestamp.parse("2026-03-02T08:00:02.500Z"))
        #expect(file.input[0].arrival == nil)
        #expect(file.input[2].key == "C1")
        #expect(file.input[2].location == SourceLocation(file: "cases/a.yaml", line: 7, column: 5))
    }

    @Test func expectations() throws {
        let file = try read(text)
        #expect(file.expectations.map(\.topic) == ["alarms.crane", "means.crane"])
        #expect(file.expectations[0].records.count == 2)
        let record = file.expectations[0].records[0]
        #expect(record.key == "C1")
        #expect(record.time == Timestamp.parse("2026-03-02T08:00:02Z"))
        #expect(record.change == "new")
        #expect(record.fields.map(\.name) == ["level", "event", "value"])
        #expect(file.rejects.count == 1)
        #expect(file.rejects[0].row == 3)
    }

    @Test func problemsHavePlaces() throws {
        let marked = Marked(
            """
            ‸describe: no name
            input:
              - ‸{}
              - {‸lod: {device: C1}}
              - {load: x, arrival: ‸yesterday}
              - {tick: ‸soon}
              - {tick: "2026-03-02T09:00:00Z", ‸key: C1}
              - {tick: "2026-03-02T09:00:00Z", until: ‸"2026-03-02T08:00:00Z"}
              - {load: x, ‸until: "2026-03-02T08:00:00Z"}
            partitions: ‸0
            bounded: ‸maybe
            expect:
              ‸alarms: []
              means.crane: ‸{}
              alarms.crane:
                - {‸levl: warning}
                - {change: ‸old}
              rejects:
                - {source: ‸lode, reason: ‸lates, row: ‸9}
            """)
        do {
            _ = try read(marked.text)
            Issue.record("read")
        } catch let error as DiagnosticList {
            let found = error.diagnostics.map {
                "\($0.location?.line ?? 0):\($0.location?.column ?? 0) \($0.message)"
            }
            #expect(
                found
                    == marked.with([
                        "a case needs 'case'", "an input item is one record or one tick",
                        "unknown key 'lod' in an input item", "'yesterday' is not a point in time",
                        "'soon' is not a point in time", "a tick has no 'key'",
                        "'until' is before 'tick'", "'until' goes with 'tick' only",
                        "'0' is no number of partitions",
                        "'bounded' cannot be 'maybe'", "unknown key 'alarms' in 'expect'",
                        "'means.crane' must be a list, not a mapping",
                        "unknown key 'levl' in a record of 'alarms.crane'",
                        "'change' cannot be 'old'", "there is no source 'lode'",
                        "there is no reject reason 'lates'",
                        "'9' is not the number of an input item",
                    ]))
            for diagnostic in error.diagnostics { #expect(diagnostic.hint != nil) }
        }
    }

    @Test func allCasesOfATopologyAreRead() throws {
        var files = Crane.texts(Crane.topology)
        files.texts["cases/b.yaml"] = "case: b\ninput: []\nexpect: {}"
        files.texts["cases/a.yaml"] = "case: a\ninput: []\nexpect: {}"
        let cases = try CaseFile.load(files, for: [plan])
        #expect(cases.map(\.name) == ["a", "b"])
        #expect(cases.map(\.bounded) == [true, true])
        files.texts["cases/c.yaml"] = ""
        #expect(throws: DiagnosticList.self) { try CaseFile.load(files, for: [plan]) }
    }

    // MARK: Comparison

    private func alarm(
        key: String? = "C1", time: String = "2026-03-02T08:00:02Z", change: String = "new",
        _ value: String
    ) -> ProducedRecord {
        ProducedRecord(key: key, time: Timestamp.parse(time) ?? 0, change: change, value: value)
    }

    private let first = #"{"level":"warning","event":"raised","value":0.933330,"more":[1]}"#
    private let reject = ProducedReject(source: "load", reason: "out-of-order", row: 3)

    @Test func equalRunsHaveNoDifference() throws {
        let file = try read(text)
        let produced = ["alarms.crane": [alarm(first), alarm(#"{"level":"normal"}"#)]]
        #expect(CaseComparison.difference(file, produced: produced, rejects: [reject]) == nil)
    }

    @Test func differencesAreReadable() throws {
        let file = try read(text)
        let found = CaseComparison.difference(
            file,
            produced: [
                "alarms.crane": [
                    alarm(
                        key: nil, time: "2026-03-02T08:00:03Z", change: "correct",
                        #"{"level":"alarm","event":"raised","value":0.93334}"#)
                ],
                "means.crane": [alarm("{}")],
            ],
            rejects: [
                ProducedReject(source: "crane", reason: "late", row: 1, detail: "1 s"), reject,
            ])
        #expect(
            found == """
                alarms.crane:
                  ~ 1: key null 2026-03-02T08:00:03Z correct \
                {"level":"alarm","event":"raised","value":0.93334}
                      key: expected C1, got null
                      time: expected 2026-03-02T08:00:02Z, got 2026-03-02T08:00:03Z
                      change: expected new, got correct
                      level: expected "warning", got "alarm"
                      value: expected 0.93333, got 0.93334
                  - 2: missing: {"level":"normal"}
                means.crane:
                  + 1: not expected: key C1 2026-03-02T08:00:02Z {}
                rejects:
                  ~ 1: row 1 of crane late (1 s)
                      source: expected load, got crane
                      reason: expected out-of-order, got late
                      row: expected 3, got 1
                  + 2: not expected: row 3 of load out-of-order
                """)
    }

    @Test func rejectsNotNamedAreNotExpected() throws {
        let file = try read("case: a\ninput: []\nexpect: {}")
        #expect(
            CaseComparison.difference(file, produced: [:], rejects: [reject])
                == "rejects:\n  + 1: not expected: row 3 of load out-of-order")
    }

    @Test(arguments: [
        ("0.93333", "0.933330", true), ("1e3", "1000.0", true), ("-0", "0.0", true),
        ("0.1", "0.10000000000000000000000000000001", false),
        ("123456789012345678901234567890", "1.2345678901234567890123456789e29", true),
        ("1", "\"1\"", false), ("null", "0", false),
        ("\"2026-03-02T08:00:00Z\"", "\"2026-03-02T16:00:00.000+08:00\"", true),
        ("\"2026-03-02T08:00:00Z\"", "\"2026-03-02T08:00:01Z\"", false),
        ("\"é\"", "\"e\\u0301\"", false), ("[1, 2.0]", "[1.0,2]", true), ("[1]", "[1,1]", false),
        ("{\"a\": 1, \"b\": {}}", "{\"b\":{},\"a\":1.0}", true), ("{\"a\":1}", "{\"b\":1}", false),
    ])
    func values(expected: String, produced: String, areEqual: Bool) throws {
        let a = try #require(JSONReader.read(expected))
        let b = try #require(JSONReader.read(produced))
        #expect(CaseComparison.isEqual(a, b) == areEqual)
    }

    @Test func brokenJSONIsNoValue() {
        for text in [
            "", "{", "[1,]", "01", "1.", ".5", "+1", "tru", "\"\\x\"", "\"\\ud800\"", "\"a",
            "{a:1}",
            "1 2", "\"\u{1}\"", "\"\\u12g4\"", "--1", "1e", String(repeating: "[", count: 5000),
        ] {
            #expect(JSONReader.read(text) == nil, "\(text)")
        }
        #expect(JSONReader.read(#" "\ud83d\ude00\/\b" "#) == .string("😀/\u{8}"))
    }
}
