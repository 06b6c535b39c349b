import Dataflow
import Foundation
import Testing
import Topology

/// The JSON Schemas in docs/schema and the parser take the same documents. What is wrong in form is
/// in `FormDiagnosticTests`; that both know the same keys is in `TidyTests`.
@Suite struct LanguageSchemaTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// Files of the project in folders of a name, such as `cases`.
    private func files(in folder: URL, named isWanted: (String) -> Bool) throws -> [URL] {
        let found = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        return try #require(found).compactMap { $0 as? URL }.filter { isWanted($0.path) }
    }

    private func expectValid(_ kind: SchemaJudge.Kind, _ file: URL) throws {
        let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        #expect(try SchemaJudge.error(kind, text) == nil, "\(file.path)")
    }

    @Test func everyShippedDocumentIsValid() throws {
        let folder = Self.root.appendingPathComponent("topologies")
        let topologies = try files(in: folder) { $0.hasSuffix("/topology.yaml") }
        let schemas = try files(in: folder) { $0.contains("/schemas/") && $0.hasSuffix(".yaml") }
        let rules = try files(in: folder) { $0.contains("/rules/") && $0.hasSuffix(".yaml") }
        #expect(rules.count >= 3)
        for file in rules { try expectValid(.rules, file) }
        let cases = try files(in: folder) { $0.contains("/cases/") && $0.hasSuffix(".yaml") }
        #expect(topologies.count >= 2 && schemas.count >= 3 && cases.count >= 10)
        for file in topologies { try expectValid(.topology, file) }
        for file in schemas { try expectValid(.schema, file) }
        for file in cases { try expectValid(.case, file) }
        // And the parser takes them.
        for file in topologies {
            let directory = try TopologyDirectory(file.deletingLastPathComponent().path)
            _ = try CaseFile.load(directory, for: try TopologyLoader.load(directory).plans)
        }
    }

    /// Whole files in the manual, which other tests run: "```yaml topology.yaml".
    @Test func everyDocumentOfTheManualIsValid() throws {
        let pages = try files(in: Self.root.appendingPathComponent("docs")) {
            $0.hasSuffix(".md")
        }
        var count = 0
        for page in pages {
            let text = String(decoding: try Data(contentsOf: page), as: UTF8.self)
            for block in text.components(separatedBy: "\n```yaml ").dropFirst() {
                let name = block.prefix { $0 != "\n" }
                let body = block.dropFirst(name.count + 1).components(separatedBy: "\n```")[0]
                let kinds: [String: SchemaJudge.Kind] = [
                    "topology.yaml": .topology, "schemas": .schema, "rules": .rules, "cases": .case,
                ]
                guard let kind = kinds[String(name.prefix { $0 != "/" })] else { continue }
                #expect(try SchemaJudge.error(kind, body) == nil, "\(page.path): \(name)")
                count += 1
            }
        }
        #expect(count >= 12)
    }

    @Test func theTemplateOfASiteIsValid() throws {
        let folder = Self.root.appendingPathComponent("Sources/plumbline/SiteTemplate")
        try expectValid(.topology, folder.appendingPathComponent("topology.yaml"))
        for name in ["crane", "crane-load"] {
            try expectValid(.schema, folder.appendingPathComponent("\(name).yaml"))
        }
        for name in ["confirm", "rejects"] {
            try expectValid(.case, folder.appendingPathComponent("\(name).yaml"))
        }
    }

    /// Documents that the parser takes, with every operator, option and spelling.
    @Test func whatTheParserTakesIsValid() throws {
        let spellings = [
            ("clock: key, abandon: 1h", "granule: 1s, clock: partition"),
            ("asOf: ts}", "asOf: ts, disorder: 1m, idle: 30s, global: false}"),
            ("confirm: 2 readings", "confirm: 1 reading\n        hold: 1h30m\n        order: time"),
            ("falls: load.falls", "falls: load.falls\n        two: 2\n        yes: true"),
            ("schema: crane-load", "schema: crane-load\n    format: json\n    describe: x"),
            ("tumbling: 15m", "hopping: {size: 15m, every: 5m}\n        offset: 0s"),
            ("codec: lz4", "format: json, describe: x"),
            ("schema: crane-load", "schema: crane-load\n    format: csv"),
            ("schema: crane-load", "schema: crane-load\n    format: {csv: {separator: ;}}"),
            (
                "schema: crane-load",
                "schema: crane-load\n    format: {csv: {header: false, separator: tab}}"
            ),
            ("tumbling: 15m", "calendar: day\n        zone: Asia/Shanghai\n        offset: 6h"),
            ("max( load.mass )", "' last ( load.mass ) '"),
        ]
        var documents = [Crane.topology, Operators.everything]
        documents += spellings.map { Crane.topology.replacing($0.0, with: $0.1) }
        for text in documents {
            #expect(summary(problems(text)) == [])
            #expect(try SchemaJudge.error(.topology, text) == nil)
        }
        #expect(try SchemaJudge.error(.topology, RulesTests.topology) == nil)
        for text in [Crane.loadSchema, Crane.craneSchema] {
            #expect(try SchemaJudge.error(.schema, text) == nil)
        }
    }

    @Test(arguments: AggregateFunction.allCases)
    func everyAggregateIsKnown(function: AggregateFunction) throws {
        let text = Crane.topology.replacing(
            "mean(load.mass)", with: "\(function.rawValue)(load.falls)")
        #expect(summary(problems(text)) == [])
        #expect(try SchemaJudge.error(.topology, text) == nil)
        let unknown = Crane.topology.replacing(
            "mean(load.mass)", with: "\(function.rawValue)x(load.mass)")
        #expect(summary(problems(unknown)).count == 1)
        #expect(try SchemaJudge.error(.topology, unknown) != nil)
    }

    private static func step(_ text: String) -> String {
        Crane.topology.replacing(
            "  - mean15:", with: "  - more: \(text)\n  - mean15:"
        ).replacing("sinks:", with: "sinks:\n  - {from: more, topic: more}")
    }

    private static let machine = "{from: load, key: device, machine: {initial: a, states: [a, b]"

    @Test(arguments: [
        "{union: [load, once]}", "{from: load, rekey: falls}",
        "{from: load, lookup: {crane: {key: device}}, select: {model: crane.model}}",
        "{from: load, lookup: {crane: {key: load.device, await: false}}, select: {m: crane.model}}",
        "{from: load, filter: mass > 1.0, otherwise: light}",
        machine + ", transitions: [{on: mass > 1.0, from: a, to: b}]}}",
        machine + ", order: arrival, unexpected: ignore, "
            + "remember: {n: {type: int, initial: 0}, t: 'string?'}, "
            + "transitions: [{on: mass > 1.0, from: any, when: machine.n < 5, to: b, "
            + "set: {n: machine.n + 1, t: machine.state}, describe: x}, "
            + "{on: mass < 1.0, from: [a, b], to: a}], "
            + "invariants: [{name: i-1, on: mass > 9.0, require: false, describe: x}], "
            + "deadlines: [{name: d, in: b, after: 24h, repeat: 1h, clock: tick, to: a}, "
            + "{name: e, since: mass > 5.0, until: 'mass < 5.0', after: 'duration(\"1h\")'}]}}",
    ])
    func steps(text: String) throws {
        var document = Self.step(text)
        if text.contains("once") {
            document = document.replacing(
                "  - more:", with: "  - once: {from: load, filter: mass > 1.0}\n  - more:")
        }
        if text.contains("light") {
            document = document.replacing("sinks:", with: "sinks:\n  - {from: light, topic: light}")
        }
        #expect(summary(problems(document)) == [])
        #expect(try SchemaJudge.error(.topology, document) == nil)
    }

    @Test(arguments: [
        "{union: [load]}", "{union: load}", "{union: [load, load]}", "{union: [load, [x]]}",
        "{from: load, union: [load, rated]}", "{union: [load, rated], filter: mass > 1.0}",
        "{from: load, key: device, rekey: falls}", "{from: load, rekey: []}",
        "{from: load, lookup: {crane: {await: true}}, select: {model: crane.model}}",
        "{from: load, lookup: {crane: {key: device, wait: true}}, select: {model: crane.model}}",
        "{from: load, lookup: {crane: [device]}, select: {model: crane.model}}",
        "{from: load, select: {mass: mass}, otherwise: light}",
        "{from: load, filter: mass > 1.0, otherwise: 1st}",
        "{from: load, key: device, machine: {initial: a}}",
        machine + ", transitions: [{on: mass > 1.0, to: b}]}}",
        machine + ", transitions: [{on: mass > 1.0, from: [], to: b}]}}",
        machine + ", transitions: {on: mass > 1.0}}}", machine + ", order: never}}",
        machine + ", unexpected: drop}}", machine + ", remember: {n: {initial: 0}}}}",
        machine + ", remember: {1n: int}}}", machine + ", remember: {n: list<int>}}}",
        machine + ", invariants: [{name: i, on: mass > 1.0}]}}",
        machine + ", invariants: [{name: i x, on: mass > 1.0, require: false}]}}",
        machine + ", deadlines: [{name: d, after: 24h}]}}",
        machine + ", deadlines: [{name: d, in: b}]}}",
        machine + ", deadlines: [{name: d, in: b, after: 24}]}}",
        machine + ", deadlines: [{name: d, in: b, after: 1h, clock: wall}]}}",
        machine + ", deadlines: [{name: d, in: b, after: 1h, repeat: 0s}]}}",
    ])
    func noSteps(text: String) throws {
        let document = Self.step(text)
        #expect(summary(problems(document)) != [])
        #expect(try SchemaJudge.error(.topology, document) != nil)
    }

    // MARK: Schemas

    private func parserTakes(schema text: String) -> Bool {
        let collector = DiagnosticCollector()
        let source = SourceText(name: "schemas/s.yaml", text: text)
        let spec = YAMLReader.read(source, collector).flatMap {
            SchemaReader.read($0, name: "s", collector)
        }
        return spec != nil && collector.isEmpty
    }

    @Test(arguments: [
        "bool", "int", "int min?", "double dB[SPL]", "decimal(2) t", "decimal( 0 )?",
        "decimal(18)", "list<struct{x: decimal(2) m, y: int?}>", "map<string, list<bytes>>?",
        "map<int, int>", "timestamp", "duration ?", "decimal(1) %?", "decimal(1) {count}",
        "struct{a: struct{b: bool}}",
    ])
    func types(text: String) throws {
        let document = "schema: s\nfields: {a: \"\(text)\"}"
        #expect(parserTakes(schema: document))
        #expect(try SchemaJudge.error(.schema, document) == nil)
        let long = "schema: s\nfields: {a: {type: \"\(text)\"}}"
        #expect(parserTakes(schema: long))
        #expect(try SchemaJudge.error(.schema, long) == nil)
    }

    @Test(arguments: [
        "strng", "decimal", "decimal(19)", "decimal(-1)", "string t", "list<int?>", "list<>",
        "map<bool, int>", "map<int>", "struct{}", "int? t", "",
    ])
    func noTypes(text: String) throws {
        let document = "schema: s\nfields: {a: \"\(text)\"}"
        #expect(!parserTakes(schema: document))
        #expect(try SchemaJudge.error(.schema, document) != nil)
    }

    @Test(arguments: [
        "schema: s", "schema: s\nfields: {}", "schema: s\nfields: []", "fields: {a: int}",
        "schema: s\nfields: {in: int}", "schema: s\nfields: {a: {}}",
        "schema: s\nfields: {a-b: int}", "schema: s\nfields: {a: int}\nmore: 1",
        "schema: s\nfields: {a: {type: int, nulable: true}}",
        "schema: s\nfields: {a: {type: string, encoding: epoch-s}}",
        "schema: s\nfields: {a: {type: timestamp, encoding: epoch}}",
        "schema: s\nfields: {a: {type: int, round: true}}",
        "schema: s\nfields: {a: {type: string, nullable: maybe}}",
        "schema: s\nfields: {a: {type: string, path: a..b}}",
    ])
    func noSchemas(text: String) throws {
        #expect(!parserTakes(schema: text))
        #expect(try SchemaJudge.error(.schema, text) != nil)
    }

    @Test(arguments: ["automatic", "rfc3339", "epoch-s", "epoch-ms", "epoch-us"])
    func fieldOptions(encoding: String) throws {
        let text = """
            schema: s
            describe: x
            fields:
              a: {type: timestamp, encoding: \(encoding), path: data.time, doc: x, personal: true}
              b: {type: decimal(1) t, round: true, nullable: false}
            """
        #expect(parserTakes(schema: text))
        #expect(try SchemaJudge.error(.schema, text) == nil)
    }

    // MARK: Rules

    private func parserTakes(rules text: String) -> Bool {
        let collector = DiagnosticCollector()
        let source = SourceText(name: "rules/limits.yaml", text: text)
        let spec = YAMLReader.read(source, collector).flatMap {
            RuleFileReader.read($0, name: "limits", collector)
        }
        return spec != nil && collector.isEmpty
    }

    private static func rules(_ rows: String, values: String = "{top: decimal(1) t}") -> String {
        "rules: limits\nzone: Asia/Shanghai\nscope: {stage: string}\nvalues: \(values)\n"
            + "rows: \(rows)"
    }

    @Test(arguments: [
        RulesTests.rules, rules("[{stage: a, from: 2026-01-01, top: 1.5}]"),
        rules("[{stage: \"*\", from: 2026-01-01T08:00, top: 1.5 t, basis: x, verified: false}]"),
        rules(
            "[{stage: a, from: \"2026-01-01T08:00:00Z\", to: 2026-02-01, top: null, describe: x}]",
            values: "{top: \"decimal(1)?\"}"),
        "rules: limits\nzone: UTC\nvalues: {n: int}\nrows: [{from: 2026-01-01, n: 1}]",
    ])
    func ruleFiles(text: String) throws {
        #expect(parserTakes(rules: text))
        #expect(try SchemaJudge.error(.rules, text) == nil)
    }

    @Test(arguments: [
        "zone: UTC\nvalues: {n: int}\nrows: [{from: 2026-01-01, n: 1}]", rules("[]"), rules("{}"),
        rules("[{stage: a, top: 1}]"), rules("[{stage: a, from: yesterday, top: 1}]"),
        rules("[{stage: a, from: [2026-01-01], top: 1}]"),
        rules("[{stage: a, from: 2026-01-01, top: [1]}]"),
        rules("[{stage: a, from: 2026-01-01}]", values: "{}"),
        rules("[{stage: a, from: 2026-01-01, top: 1}]", values: "{top: list<int>}"),
        rules("[{stage: a, from: 2026-01-01, top: 1}]", values: "{from: int}"),
        rules("[{stage: a, from: 2026-01-01, top: 1}]").replacing("string", with: "decimal(1)"),
        rules("[{stage: a, from: 2026-01-01, top: 1}]") + "\nmore: 1",
    ])
    func noRuleFiles(text: String) throws {
        #expect(!parserTakes(rules: text))
        #expect(try SchemaJudge.error(.rules, text) != nil)
    }

    // MARK: Cases

    private func parserTakes(case text: String) throws -> Bool {
        let plans = try TopologyLoader.load(Crane.texts(Crane.topology)).plans
        do {
            _ = try CaseFile.read(SourceText(name: "cases/a.yaml", text: text), for: plans)
            return true
        } catch {
            return false
        }
    }

    private static func caseText(item: String, expect: String = "{}") -> String {
        "case: a\ninput:\n  - \(item)\nexpect: \(expect)"
    }

    @Test(arguments: [
        caseText(item: "{load: {device: C1, x: null, n: 1.50}}"), caseText(item: "{load: text}"),
        caseText(item: "{load: x, arrival: \"2026-03-02T08:00:00.5+08:00\", key: C1}"),
        caseText(item: "{key: 7, crane: x}"),
        caseText(item: "{arrival: 2026-03-02T08:00:00Z, load: x}"),
        caseText(item: "{tick: \"2026-03-02T08:00:00Z\"}"),
        caseText(item: "{tick: 2026-03-02T08:00:00Z, until: 2026-03-02T09:00:00Z}"),
        caseText(item: "{load: x}", expect: "{alarms.crane: [], rejects: []}"),
        caseText(
            item: "{load: x}",
            expect:
                "{alarms.crane: [{key: C1, time: 2026-03-02T08:00:00Z, change: new, revision: 1, "
                + "level: warning, value: 0.9}]}"),
        "case: a\ndescribe: x\nbounded: false\ninput: []\nexpect: {}",
    ])
    func cases(text: String) throws {
        #expect(try parserTakes(case: text))
        #expect(try SchemaJudge.error(.case, text) == nil)
    }

    @Test(arguments: [
        "input: []\nexpect: {}", "case: a\nexpect: {}", "case: a\ninput: []",
        "case: a\ninput: {}\nexpect: {}", "case: a\ninput: []\nexpect: {}\nmore: 1",
        "case: a\ninput: []\nexpect: {}\nbounded: maybe", caseText(item: "{}"),
        caseText(item: "{load: x, crane: y}"), caseText(item: "{key: C1}"),
        caseText(item: "{arrival: \"2026-03-02T08:00:00Z\", key: C1}"),
        caseText(item: "{load: x, arrival: yesterday}"), caseText(item: "{tick: soon}"),
        caseText(item: "{tick: \"2026-03-02T09:00:00Z\", key: C1}"),
        caseText(item: "{load: x, until: 2026-03-02T09:00:00Z}"),
        caseText(item: "{until: 2026-03-02T09:00:00Z}"),
        caseText(item: "{load: x}", expect: "{alarms.crane: {}}"),
        caseText(item: "{load: x}", expect: "{alarms.crane: [{change: old}]}"),
        caseText(item: "{load: x}", expect: "{alarms.crane: [{revision: one}]}"),
        caseText(item: "{load: x}", expect: "{rejects: [{reason: lates}]}"),
        caseText(item: "{load: x}", expect: "{rejects: [{row: 0}]}"),
        caseText(item: "{load: x}", expect: "{rejects: [{rows: 1}]}"),
    ])
    func noCases(text: String) throws {
        #expect(try !parserTakes(case: text))
        #expect(try SchemaJudge.error(.case, text) != nil)
    }

    @Test(arguments: RejectReasons.all)
    func everyReasonIsKnown(reason: String) throws {
        let text = Self.caseText(
            item: "{load: x}", expect: "{rejects: [{source: load, reason: \(reason), row: 1}]}")
        #expect(try parserTakes(case: text))
        #expect(try SchemaJudge.error(.case, text) == nil)
    }
}
