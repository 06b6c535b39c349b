import Connectors
import Dataflow
import Engine
import Primitives
import RecordLog
import Testing
import Topology

/// Alarms as records: CloudEvents in binary mode, with the envelope as data.
struct AlarmSinkTests {
    private static let sources = """
        topology: loads
        version: 1
        sources:
          load:
            topic: telemetry.load
            schema: load
            key: device
            time: {field: ts, disorder: 5s, lateness: 1h, ahead: 10m}
        """

    private static let schema = """
        schema: load
        fields:
          device: string
          ts: timestamp
          mass: decimal(2) t
          note: string?
        """

    private func driver(_ rest: String) throws -> TopologyDriver {
        let files = TopologyTexts([
            "topology.yaml": Self.sources + "\n" + rest, "schemas/load.yaml": Self.schema,
        ])
        return TopologyDriver(plan: try TopologyLoader.load(files).plan)
    }

    private func append(
        _ values: [String], headers: [RecordHeader] = [], to driver: TopologyDriver
    ) throws {
        var bytes: [UInt8] = []
        for header in headers { header.encode(into: &bytes) }
        try driver.append(
            source: 0,
            values.map {
                OutputRecord(
                    timestamp: Timestamp.maximum / 1000, key: nil, value: Array($0.utf8),
                    headers: bytes, headerCount: headers.count)
            })
        try driver.merge()
    }

    private func value(_ record: OutputRecord) -> String {
        String(decoding: record.value ?? [], as: UTF8.self)
    }

    /// Names and values of all headers, in order.
    private func headers(_ record: OutputRecord) -> [String] {
        var bytes: [UInt8] = []
        Varint.appendSigned(Int64(record.headerCount), to: &bytes)
        return (RecordHeaders.decode(bytes + record.headers) ?? []).map { header in
            String(decoding: header.key, as: UTF8.self) + "="
                + String(decoding: header.value ?? [], as: UTF8.self)
        }
    }

    /// An id is the episode and a hash of the value's bytes.
    private func checkID(_ record: OutputRecord, episode: String) {
        let hash = ContentHash.sha256(record.value ?? []).prefix(8)
        let digits = hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(record.header("ce_id") == "\(episode)-\(digits)")
    }

    private static let ladder = """
        steps:
          - heavy:
              from: load
              key: device
              levels:
                of: mass
                raise: {alarm: 2.0, critical: 3.0}
                clear: {alarm: 1.5, critical: 2.5}
        sinks:
          - from: heavy
            topic: alarms
            format: cloudevents
            alarm:
              type: cn.example.heavy
              source: /site/1
              severity: {critical: fatal}
              majorHazard: {critical: true}
              basis: {alarm: "GB 1, 2", critical: GB 3}
              message:
                zh: "{device}「{note}」：{mass} t {{{level}}}"
                en: "{device} {note} {mass} t since {since}"
                cleared: {zh: "{device} 解除", en: "{device} is \\"normal\\""}
        """

    /// Independent of this program: `printf '5:loads,5:heavy,4:塔1,20:2026-03-02T08:00:01Z,' |
    /// sha256sum`, the first 32 digits.
    private static let episode = "5c8b2c645e755e73cc471e01496f6750"

    /// In structured mode the event is the value: attributes that are headers otherwise, and as
    /// data the bytes that are the value otherwise (JSON event format 1.0.2).
    @Test func structuredMode() throws {
        let structured = Self.ladder.replacing(
            "format: cloudevents", with: "format: cloudevents\n    mode: structured")
        let rows = [
            #"{"device":"塔1","ts":"2026-03-02T08:00:01Z","mass":2.00,"note":"a\"b"}"#,
            #"{"device":"C2","ts":"2026-03-02T08:00:02Z","mass":3.5}"#,
        ]
        let (one, other) = (try driver(Self.ladder), try driver(structured))
        let own = [RecordHeader("site", "1"), RecordHeader("ce_id", "x")]
        try append(rows, headers: own, to: one)
        try append(rows, headers: own, to: other)
        #expect(one.records(sink: 0).count == 2 && other.records(sink: 0).count == 2)
        for (binary, record) in zip(one.records(sink: 0), other.records(sink: 0)) {
            let names = ["specversion", "id", "source", "type", "subject", "time"]
            let attributes = names.map { name in
                JSONValue.Member(name, .string(binary.header("ce_\(name)") ?? ""))
            }
            let data = try #require(JSONReader.read(value(binary)))
            let type = JSONValue.Member("datacontenttype", .string("application/json"))
            let event = JSONValue.object(attributes + [type, .init("data", data)])
            #expect(JSONReader.read(value(record)) == event)
            #expect(value(record).hasSuffix(#","data":"# + value(binary) + "}"))
            let isEvent = { (header: String) in
                header.hasPrefix("ce_") || header.hasPrefix("content-type=")
            }
            #expect(
                headers(record).filter(isEvent) == [
                    "content-type=application/cloudevents+json; charset=UTF-8"
                ])
            #expect(
                headers(record).filter { !isEvent($0) } == headers(binary).filter { !isEvent($0) })
            #expect(record.key == binary.key && record.timestamp == binary.timestamp)
        }
    }

    @Test func anEpisodeFromRaiseToClear() throws {
        let driver = try driver(Self.ladder)
        try append(
            [
                #"{"device":"塔1","ts":"2026-03-02T08:00:01Z","mass":2.00,"note":"a\"b"}"#,
                #"{"device":"塔1","ts":"2026-03-02T08:00:02Z","mass":3.5}"#,
                #"{"device":"塔1","ts":"2026-03-02T08:00:03.25Z","mass":1.49,"note":""}"#,
            ], to: driver)
        let records = driver.records(sink: 0)
        let start = #"{"episode":"\#(Self.episode)","rule":"heavy","event":"#
        let tail = #""since":"2026-03-02T08:00:01Z","key":"塔1","time":"2026-03-02T08:00:0"#
        let raised = [
            start, #""raised","level":"alarm","previous":"normal","severity":"alarm","#,
            #""majorHazardProposed":false,"value":2.00,"limit":2.0,"unit":"t","#,
            #""basis":"GB 1, 2","message":{"zh":"塔1「a\"b」：2.00 t {alarm}","#,
            #""en":"塔1 a\"b 2.00 t since 2026-03-02T08:00:01Z"},"#, tail,
            #"1Z","fields":{"ts":"2026-03-02T08:00:01Z","mass":2.00,"note":"a\"b"}}"#,
        ]
        let escalated = [
            start, #""escalated","level":"critical","previous":"alarm","severity":"fatal","#,
            #""majorHazardProposed":true,"value":3.50,"limit":3.0,"unit":"t","#,
            #""basis":"GB 3","message":{"zh":"塔1「-」：3.50 t {critical}","#,
            #""en":"塔1 - 3.50 t since 2026-03-02T08:00:01Z"},"#, tail,
            #"2Z","fields":{"ts":"2026-03-02T08:00:02Z","mass":3.50,"note":null}}"#,
        ]
        let cleared = [
            start, #""cleared","level":"normal","previous":"critical","severity":"normal","#,
            #""majorHazardProposed":false,"value":1.49,"limit":2.5,"unit":"t","#,
            #""basis":null,"message":{"zh":"塔1 解除","en":"塔1 is \"normal\""},"#, tail,
            #"3.250Z","fields":{"ts":"2026-03-02T08:00:03.250Z","mass":1.49,"note":""}}"#,
        ]
        #expect(records.map(value) == [raised, escalated, cleared].map { $0.joined() })
        for record in records { checkID(record, episode: Self.episode) }
        #expect(Set(records.map { $0.header("ce_id") }).count == 3)
        let id = try #require(records[2].header("ce_id"))
        #expect(
            headers(records[2]) == [
                "ce_specversion=1.0", "ce_id=\(id)", "ce_source=/site/1",
                "ce_type=cn.example.heavy", "ce_subject=塔1", "ce_time=2026-03-02T08:00:03.250Z",
                "content-type=application/json", "plumbline.causes=telemetry.load/0:2",
                "plumbline.asof=telemetry.load/0:3",
            ])
        #expect(records[0].key == Array("塔1".utf8))
    }

    /// Headers that came with a reading go on, but for those of an event that the reading was.
    @Test func headersOfTheInput() throws {
        let driver = try driver(Self.ladder)
        try append(
            [#"{"device":"塔1","ts":"2026-03-02T08:00:01Z","mass":2.00}"#],
            headers: [
                RecordHeader("trace", "7"), RecordHeader("ce_id", "A"), RecordHeader("CE_x", "B"),
                RecordHeader("Content-Type", "text/plain"), RecordHeader("ce", "C"),
            ], to: driver)
        let found = headers(driver.records(sink: 0)[0])
        #expect(found.prefix(3) == ["trace=7", "ce=C", "ce_specversion=1.0"])
        #expect(found.count == 11)
    }

    /// Without an event and its start each row is an episode of its own.
    @Test func rowsWithoutEpisodes() throws {
        let driver = try driver(
            """
            sinks:
              - from: load
                topic: all
                format: cloudevents
                alarm: {rule: all, subject: note, basis: GB 1, severity: info, majorHazard: true}
            """)
        try append(
            [
                #"{"device":"C2","ts":"2026-03-02T08:00:02.5Z","mass":1,"note":"n"}"#,
                #"{"device":"C2","ts":"2026-03-02T08:00:03Z","mass":1,"note":""}"#,
                #"{"device":"C2","ts":"2026-03-02T08:00:04Z","mass":1,"note":"a\nb"}"#,
            ], to: driver)
        let records = driver.records(sink: 0)
        // printf '5:loads,3:all,2:C2,24:2026-03-02T08:00:02.500Z,' | sha256sum
        let episode = "0cd9790a5f2355250b38f3d4084ebfcc"
        let expected = [
            #"{"episode":"\#(episode)","rule":"all","event":null,"level":null,"previous":null,"#,
            #""severity":"info","majorHazardProposed":true,"value":null,"limit":null,"#,
            #""unit":null,"basis":"GB 1","message":null,"since":"2026-03-02T08:00:02.500Z","#,
            #""key":"C2","time":"2026-03-02T08:00:02.500Z","#,
            #""fields":{"ts":"2026-03-02T08:00:02.500Z","mass":1.00,"note":"n"}}"#,
        ]
        #expect(value(records[0]) == expected.joined())
        checkID(records[0], episode: episode)
        #expect(records[0].header("ce_subject") == "n")
        #expect(records[0].header("ce_type") == "loads.all")
        #expect(records[0].header("ce_source") == "/plumbline/loads")
        // An empty text is no subject, nor is one of two lines.
        #expect(records[1].header("ce_subject") == nil)
        #expect(records[2].header("ce_subject") == nil)
        #expect(records[1].header("ce_id")?.hasPrefix(episode) == false)
    }

    /// The rule of each row, and what is said of it; null is the step's name.
    @Test func rulesFromAField() throws {
        let driver = try driver(
            """
            sinks:
              - from: load
                topic: all
                format: cloudevents
                alarm:
                  rule: {field: note}
                  severity: minor
                  rules: {heavy: {severity: major, basis: GB 1}}
            """)
        try append(
            [
                #"{"device":"C2","ts":"2026-03-02T08:00:02Z","mass":1,"note":"heavy"}"#,
                #"{"device":"C2","ts":"2026-03-02T08:00:03Z","mass":1}"#,
                #"{"device":"C2","ts":"2026-03-02T08:00:04Z","mass":1,"note":"a\nb"}"#,
            ], to: driver)
        let records = driver.records(sink: 0)
        // printf '5:loads,5:heavy,2:C2,20:2026-03-02T08:00:02Z,' | sha256sum; so the others.
        let expected = [
            ("c2a0f6e7b91917467f7208b51d2aa4d2", "heavy", "major", #""GB 1""#),
            ("4ae2b286d9ff48c24f3cbe6388b9020d", "load", "minor", "null"),
            ("b3cb009cfa5af8e0477028e07cc1cc55", #"a\nb"#, "minor", "null"),
        ]
        for (record, (episode, rule, severity, basis)) in zip(records, expected) {
            let start = #"{"episode":"\#(episode)","rule":"\#(rule)","event":null,"level":null,"#
            #expect(value(record).hasPrefix(start))
            #expect(value(record).contains(#""severity":"\#(severity)","#))
            #expect(value(record).contains(#""basis":\#(basis),"#))
            #expect(value(record).hasSuffix(#","mass":1.00}}"#))
        }
        // What is no attribute does not name the type.
        #expect(
            records.map { $0.header("ce_type") } == ["loads.heavy", "loads.load", "loads.load"])
    }

    /// A corrected row has an id of its own and says what it is.
    @Test func corrections() throws {
        let driver = try driver(
            """
            steps:
              - mean: {from: load, key: device, window: {tumbling: 1m, aggregate: {m: mean(mass)}}}
            sinks:
              - {from: mean, topic: means, format: cloudevents}
            """)
        for (second, mass) in [("00:01", "1"), ("02:00", "1"), ("00:02", "3"), ("00:03", "5")] {
            try append(
                [#"{"device":"C2","ts":"2026-03-02T08:\#(second)Z","mass":\#(mass)}"#],
                to: driver)
        }
        let records = driver.records(sink: 0)
        #expect(records.map { $0.header("plumbline.change") } == [nil, "correct", "correct"])
        #expect(records.map { value($0).hasSuffix("}}") } == [true, false, false])
        #expect(value(records[1]).hasSuffix(#","change":"correct","revision":1}"#))
        #expect(value(records[2]).hasSuffix(#","change":"correct","revision":2}"#))
        let ids = records.compactMap { $0.header("ce_id") }
        #expect(Set(ids).count == 3)
        #expect(Set(ids.map { $0.prefix(32) }).count == 1)
    }

    /// The members of an alarm, and the fields of its row, can be expected by name.
    @Test func casesOfAlarms() throws {
        func difference(_ record: String) throws -> String? {
            let files = TopologyTexts([
                "topology.yaml": Self.sources + "\n" + Self.ladder,
                "schemas/load.yaml": Self.schema,
                "cases/a.yaml": """
                case: a
                input:
                  - load: {device: C1, ts: "2026-03-02T08:00:01Z", mass: 3.1, note: x}
                expect:
                  alarms: [\(record)]
                """,
            ])
            let plan = try TopologyLoader.load(files).plan
            return try CaseRunner(plans: [plan]).run(try CaseFile.load(files, for: [plan])[0])
        }
        #expect(
            try difference(
                "{key: C1, severity: fatal, level: critical, value: 3.1, unit: t, mass: 3.10,"
                    + " note: x, majorHazardProposed: true, time: \"2026-03-02T08:00:01Z\"}") == nil
        )
        #expect(try difference("{severity: minor}")?.contains("severity: expected") == true)
        #expect(try difference("{mass: 3.2}")?.contains("mass: expected 3.2, got 3.10") == true)
        #expect(throws: DiagnosticList.self) { try difference("{weight: 3.2}") }
    }
}
