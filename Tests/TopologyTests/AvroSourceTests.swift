import Dataflow
import Primitives
import Testing
import Topology

/// Sources of Avro: files of schemas, what is wrong with them, and what the plan holds.
@Suite struct AvroSourceTests {
    private static let avsc = """
        {
          "type": "record", "name": "Load", "namespace": "site", "doc": "a reading",
          "fields": [
            {"name": "device", "type": "string"},
            {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-millis"}},
            {"name": "mass", "type": "double", "default": 0},
            {"name": "radius", "type": ["null", "float"], "default": null},
            {"name": "falls", "type": "int"},
            {"name": "percent", "type": ["null", "double"], "aliases": ["p"]}
          ]
        }
        """

    private func files(
        _ format: String, _ avsc: [String: String] = ["load": Self.avsc]
    ) -> TopologyTexts {
        let place = "topic: telemetry.crane\n"
        var files = Crane.texts(
            Crane.topology.replacing(place, with: place + "    format: \(format)\n"))
        for (name, text) in avsc { files.texts["schemas/\(name).avsc"] = text }
        return files
    }

    private func plan(_ files: TopologyTexts) throws -> Plan { try TopologyLoader.load(files).plan }

    @Test func onePlanForEverySpelling() throws {
        let text = try plan(files("{avro: {schema: load}}")).canonicalText
        #expect(
            text.hasPrefix(
                #"{"avro":{"load":{"fields":[{"name":"device","type":"string"},{"name":"ts","#
                    + #""type":{"logicalType":"timestamp-millis","type":"long"}},"#))
        #expect(text.contains(#""format":{"avro":{"schema":"load"}}"#))
        #expect(try TopologyLoader.load(canonicalText: text)[0].canonicalText == text)
        // Documentation, defaults and aliases mean nothing to a reader.
        let bare = Self.avsc.replacing(#", "doc": "a reading""#, with: "")
            .replacing(#", "default": 0"#, with: "").replacing(#", "aliases": ["p"]"#, with: "")
            .replacing(#""name": "Load", "namespace": "site""#, with: #""name": "site.Load""#)
        #expect(try plan(files("{avro: {schema: load}}", ["load": bare])).canonicalText == text)
        let other = Self.avsc.replacing("\"int\"", with: "\"long\"")
        let changed = try plan(files("{avro: {schema: load}}", ["load": other])).canonicalText
        #expect(PlanDifference.describe(text, changed) == ["avro.load: changed"])
    }

    @Test func subjectsHoldSchemasByID() throws {
        let schemas = [
            "telemetry.crane-value/9": Self.avsc,
            "telemetry.crane-value/1700": Self.avsc.replacing("\"float\"", with: "\"double\""),
            "other/5": Self.avsc, "load": Self.avsc,
        ]
        for format in ["avro", "{avro: {}}", "{avro: {subject: telemetry.crane-value}}"] {
            let plan = try plan(files(format, schemas))
            guard case .avro(let form) = plan.sources[0].format else { throw Diagnostic("no form") }
            #expect(form.origin == .subject("telemetry.crane-value"))
            #expect(form.writers.map(\.id) == [9, 1700])
            #expect(form.writers[0].schema != form.writers[1].schema)
            let again = try TopologyLoader.load(canonicalText: plan.canonicalText)[0]
            #expect(again.canonicalText == plan.canonicalText)
            #expect(again.sources[0].format == plan.sources[0].format)
        }
        let two = try plan(files("avro", schemas)).canonicalText
        var fewer = schemas
        fewer["telemetry.crane-value/1700"] = nil
        let one = try plan(files("avro", fewer)).canonicalText
        #expect(PlanDifference.describe(one, two) == ["avro.telemetry.crane-value/1700: added"])
    }

    @Test func filesThatAreNotThere() {
        let missing = problems(files("{avro: {schema: lode}}"))
        #expect(summary(missing) == ["7:13 there is no Avro schema 'lode'"])
        #expect(missing[0].hint == "write schemas/lode.avsc")
        let none = problems(files("avro"))
        #expect(summary(none) == ["7:13 there are no schemas of subject 'telemetry.crane-value'"])
        #expect(none[0].hint?.contains("schemas/telemetry.crane-value/<id>.avsc") == true)
        let misnamed = files(
            "avro", ["telemetry.crane-value/07": Self.avsc, "telemetry.crane-value/7": Self.avsc])
        #expect(
            summary(problems(misnamed)) == [
                "schemas/telemetry.crane-value/07.avsc:1:1 '07' is not a schema id"
            ])
    }

    @Test func fieldsThatCannotBeRead() {
        let avsc = Self.avsc.replacing(
            #""mass", "type": "double""#, with: #""mass", "type": "string""#
        )
        .replacing(#"{"name": "falls", "type": "int"},"#, with: "")
        .replacing(
            #"["null", "double"], "aliases": ["p"]"#, with: #"["null", "boolean"]"#)
        let found = problems(files("{avro: {schema: load}}", ["load": avsc]))
        #expect(
            summary(found) == [
                "schemas/load.avsc:2:11 record site.Load has no 'falls', which field 'falls' of"
                    + " schema 'crane-load' reads",
                "schemas/load.avsc:6:30 string cannot be read as field 'mass' of schema"
                    + " 'crane-load', which is decimal(2) t",
                "schemas/load.avsc:9:42 boolean cannot be read as field 'percent' of schema"
                    + " 'crane-load', which is decimal(1) %",
            ])
        #expect(found.allSatisfy { $0.hint != nil })
    }

    @Test(arguments: [
        (#"{"type": "record", "name": "A", "fields": ‸3}"#, "record needs a list of 'fields'"),
        (#"‸{"name": "A"}"#, "this type has no 'type'"),
        (#"{"type": ‸"strin"}"#, "there is no type 'strin'"),
        (#"‸{"type": "array"}"#, "array needs 'items'"),
        (#"["int", ["string", "null"]]"#, "a union directly inside a union"),
        (#"["int", "int"]"#, "a union with 'int' twice"),
        (#"{"type": "fixed", "name": "F", "size": -1}"#, "fixed needs a 'size' in bytes"),
        (#"{"type": "fixed", "size": 1}"#, "fixed needs a 'name'"),
        (
            #"{"type": "enum", "name": "E", "symbols": ["A", "A"]}"#,
            "'symbols' must be distinct texts"
        ),
        (
            #"{"type": "record", "name": "A", "fields": [{"type": "int"}]}"#,
            "a field needs a 'name'"
        ),
        (
            #"{"type": "record", "name": "A", "fields": [{"name": "x"}]}"#,
            "field 'x' needs a 'type'"
        ),
        (
            #"{"type": "record", "name": "A", "fields": [{"name": "x", "type": "int"},"#
                + #" {"name": "x", "type": "int"}]}"#, "field 'x' is declared twice"
        ),
        (
            #"{"type": "record", "name": "A", "fields": [{"name": "x", "type": {"type": "enum","#
                + #" "name": "A", "symbols": []}}]}"#, "type 'A' is declared twice"
        ),
        ("name: x", "not JSON"), ("", "the file is empty"),
    ])
    func filesThatAreNoSchemas(text: String, message: String) {
        let text = text.filter { $0 != "‸" }
        let found = problems(files("{avro: {schema: load}}", ["load": text]))
        #expect(found.map(\.message).contains(message), "\(found)")
        #expect(found.allSatisfy { $0.location?.file == "schemas/load.avsc" })
    }

    @Test func deepSchemasAreRefused() {
        let deep =
            String(repeating: #"{"type":"array","items":"#, count: 300) + "\"int\""
            + String(repeating: "}", count: 300)
        let found = problems(files("{avro: {schema: load}}", ["load": deep]))
        #expect(!found.isEmpty && found.allSatisfy { $0.location?.file == "schemas/load.avsc" })
    }

    @Test(arguments: [
        ("{avro: {schema: load, subject: x}}", "'subject' does not go with 'schema'"),
        ("{avro: {schema: a/b}}", "'a/b' is not a schema name"),
        ("{avro: {subject: a/b}}", "'a/b' cannot be the name of a folder of schemas"),
        ("{avro: {registry: x}}", "unknown key 'registry' in 'avro'"),
        ("{avro: x}", "'avro' must be a mapping, not a single value"),
    ])
    func formsThatAreWrong(format: String, message: String) throws {
        let files = files(format, ["load": Self.avsc, "telemetry.crane-value/1": Self.avsc])
        #expect(problems(files).map(\.message) == [message])
        #expect(try SchemaJudge.error(.topology, files.texts["topology.yaml"] ?? "") != nil)
    }

    @Test(arguments: ["{avro: {schema: load}}", "avro", "{avro: {}}", "{avro: {subject: a.b}}"])
    func formsThatAreRight(format: String) throws {
        let files = files(
            format,
            ["load": Self.avsc, "telemetry.crane-value/1": Self.avsc, "a.b/1": Self.avsc])
        #expect(summary(problems(files)) == [])
        #expect(try SchemaJudge.error(.topology, files.texts["topology.yaml"] ?? "") == nil)
    }
}
