import Columnar
import Primitives
import Testing
import Topology

@Suite struct SchemaTests {
    private func read(_ text: String) -> (spec: SchemaSpec?, problems: [Diagnostic]) {
        let collector = DiagnosticCollector()
        let source = SourceText(name: "topology.yaml", text: text)
        let spec = YAMLReader.read(source, collector).flatMap {
            SchemaReader.read($0, name: "s", collector)
        }
        return (spec, collector.list(firstFile: "topology.yaml").diagnostics)
    }

    @Test func everyTypeAndOption() throws {
        let found = read(
            """
            schema: s
            fields:
              a: bool
              b: int
              c: int min?
              d: double dB[SPL]
              e: decimal(2) t
              f: decimal( 0 )?
              g: "list<struct{x: decimal(2) m, y: int?}>"
              h: map<string, list<bytes>>?
              i: {type: timestamp, encoding: epoch-s, path: data.time, doc: "When", personal: true}
              j: {type: decimal(1) ug/m3, nullable: true, path: a34001-Rtd, round: true}
              k: duration
              l: decimal(1) %?
              m: decimal(1) {count}
            """)
        #expect(found.problems.map(\.description) == [])
        let fields = try #require(found.spec).schema.fields
        let x = Field("x", .decimal(scale: 2, unit: Unit("m")))
        let expected = [
            Field("a", .bool), Field("b", .int),
            Field("c", .int(unit: Unit("min")), isNullable: true),
            Field("d", .double(unit: Unit("dB[SPL]"))),
            Field("e", .decimal(scale: 2, unit: Unit("t"))),
            Field("f", .decimal(scale: 0, unit: nil), isNullable: true),
            Field("g", .list(.structure([x, Field("y", .int, isNullable: true)]))),
            Field("h", .map(key: .string, value: .list(.bytes)), isNullable: true),
            Field(
                "i", .timestamp, path: "data.time", timestampEncoding: .epochSeconds,
                isPersonal: true, documentation: "When"),
            Field(
                "j", .decimal(scale: 1, unit: Unit("ug/m3")), isNullable: true, path: "a34001-Rtd",
                rounds: true),
            Field("k", .duration),
            Field("l", .decimal(scale: 1, unit: Unit("%")), isNullable: true),
            Field("m", .decimal(scale: 1, unit: Unit("{count}"))),
        ]
        #expect(fields == expected)
    }

    @Test func problemsHavePlaces() {
        let marked = Marked(
            """
            schema: s
            fields:
              a: ‸strng
              b: decimal‸
              c: decimal(‸19)
              d: string ‸t
              e: list<int‸?>
              f: map<‸bool, int>
              ‸in: int
              g: {type: int, ‸nulable: true}
              h: {type: string, ‸encoding: epoch-s}
              i: {type: int, ‸round: true}
              j:‸
              k: {type: string, nullable: ‸maybe}
              l: {type: string, path: ‸a..b}
              m: list<int‸
              n: struct{x:int,‸x:int}
              o: ‸{doc: x}
            """)
        #expect(
            summary(read(marked.text).problems)
                == marked.with([
                    "unknown type 'strng'", "expected '(', found the end",
                    "'19' is not a number of digits from 0 to 18",
                    "unexpected 't' after the type", "an element of a list cannot be nullable",
                    "a map's key must be string or int",
                    "'in' is a reserved word of expressions",
                    "unknown key 'nulable' in field 'g'", "'encoding' is for timestamps",
                    "'round' is for decimals", "a type is missing",
                    "'nullable' cannot be 'maybe'", "'a..b' is not a path",
                    "expected '>', found the end", "field 'x' stands twice",
                    "field 'o' needs 'type'",
                ]))
    }

    @Test func nameAndFields() {
        #expect(
            summary(read("schema: other\nfields: {a: int}").problems)
                == ["1:9 the schema in this file is named 'other', not 's'"])
        #expect(
            summary(read("schema: s\nfields: []").problems)
                == ["2:9 'fields' must be a mapping of names to types, not a list"])
        #expect(summary(read("schema: s").problems) == ["1:1 a schema needs 'fields'"])
    }

    @Test func typesReadBackTheirDescription() throws {
        let texts = [
            "bool", "int", "int min", "double dB[SPL]", "decimal(3) t", "string", "bytes",
            "timestamp", "duration", "list<decimal(2) m>", "map<int, list<string>>",
            "struct{a: int?, b: map<string, struct{c: bool}>}",
        ]
        for text in texts {
            let type = try TypeText.parse(text).type
            #expect(type.description == text)
            #expect(try TypeText.parse(type.description).type == type)
        }
    }
}
