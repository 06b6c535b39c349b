import Columnar
import Connectors
import Dataflow
import Primitives
import RecordLog
import TestKit
import Testing

/// CloudEvents as input: the examples of the specification's texts (JSON event format and Kafka
/// protocol binding, both 1.0.2), what is read of them, and what is none.
@Suite struct CloudEventsTests {
    private static let fields = [
        Field("id", .string, path: "ce_id"), Field("time", .timestamp, path: "ce_time"),
        Field("type", .string, isNullable: true, path: "ce_type"),
        Field("subject", .string, isNullable: true, path: "ce_subject"),
        Field("other", .int, isNullable: true, path: "ce_comexampleothervalue"),
        Field("content", .string, isNullable: true, path: "ce_datacontenttype"),
        Field("a", .string, isNullable: true, path: "appinfoA"),
        Field("b", .int, isNullable: true, path: "appinfoB"),
        Field("c", .bool, isNullable: true, path: "appinfoC"),
    ]

    /// JSON event format, §4: "Example event with JSON object-valued data", with its extensions.
    private static let example = #"""
        {
            "specversion" : "1.0",
            "type" : "com.example.someevent",
            "source" : "/mycontext",
            "subject": null,
            "id" : "C234-1234-1234",
            "time" : "2018-04-05T17:31:00Z",
            "comexampleextension1" : "value",
            "comexampleothervalue" : 5,
            "datacontenttype" : "application/json",
            "data" : {
                "appinfoA" : "abc",
                "appinfoB" : 123,
                "appinfoC" : true
            }
        }
        """#

    private static let structured = ("content-type", "application/cloudevents+json; charset=UTF-8")
    /// Kafka protocol binding, §3.2.5, with the data of the example above.
    private static let binary = [
        ("ce_specversion", "1.0"), ("ce_type", "com.example.someevent"),
        ("ce_source", "/mycontext/subcontext"), ("ce_id", "1234-1234-1234"),
        ("ce_time", "2018-04-05T03:56:24Z"), ("content-type", "application/json"),
    ]
    private static let data = #"{"appinfoA": "abc", "appinfoB": 123, "appinfoC": true}"#

    private func decode(
        _ records: [(headers: [(String, String)], value: String?)],
        _ fields: [Field] = CloudEventsTests.fields, mode: CloudEventsMode = .automatic
    ) -> DecodedRows {
        let block = makeBlock(
            records.map { $0.value.map { Array($0.utf8) } },
            headers: records.map { record in
                var bytes: [UInt8] = []
                RecordHeaders.encode(record.headers.map { RecordHeader($0.0, $0.1) }, to: &bytes)
                return bytes
            })
        var keys = KeyTable()
        return makeDecoder(for: makeSource(fields, format: .cloudEvents(mode))).decode(
            block, rows: 0..<records.count, keys: &keys)
    }

    private func row(_ rows: DecodedRows, _ row: Int) -> [String] {
        rows.columns.map { show($0, row) }
    }

    @Test func examplesOfTheSpecification() {
        let rows = decode([
            ([Self.structured], Self.example), (Self.binary, Self.data),
            ([("Other", "x"), ("content-type", "Application/CloudEvents+JSON")], Self.example),
        ])
        #expect(rows.faults == [])
        let expected = [
            "'C234-1234-1234'", "1522949460000000", "'com.example.someevent'", "null", "5",
            "'application/json'", "'abc'", "123", "true",
        ]
        #expect(row(rows, 0) == expected)
        #expect(row(rows, 2) == expected)
        #expect(
            row(rows, 1) == [
                "'1234-1234-1234'", "1522900584000000", "'com.example.someevent'", "null", "null",
                "'application/json'", "'abc'", "123", "true",
            ])
    }

    /// Data in XML, and data in base64 (JSON event format, §3.1.1): there is nothing to read.
    @Test func dataOfOtherKinds() {
        let text = Self.example.replacing("\"data\" : {", with: "\"was\" : {")
        let rows = decode([
            (
                [Self.structured],
                text.replacing("\"was\"", with: #""data": "<much wow=\"xml\"/>", "was""#)
            ),
            ([Self.structured], text.replacing("\"was\"", with: #""data_base64": "e30=", "was""#)),
            ([Self.structured], text.replacing("\"was\"", with: #""data": null, "was""#)),
            ([Self.structured], text),
        ])
        #expect(reasons(rows) == ["wrong-type", nil, nil, nil])
        #expect((1..<4).allSatisfy { row(rows, $0)[6...] == ["null", "null", "null"] })
    }

    @Test func modesThatAreStated() {
        let records: [(headers: [(String, String)], value: String?)] = [
            ([], Self.example), ([Self.structured], Self.example), (Self.binary, Self.data),
        ]
        #expect(reasons(decode(records, mode: .structured)) == [nil, nil, "missing-field"])
        #expect(reasons(decode(records, mode: .binary)) == ["missing-field", "missing-field", nil])
        #expect(reasons(decode(records)) == ["malformed", nil, nil])
    }

    @Test func wrongRecords() {
        let twice = Self.binary + [("ce_id", "2")]
        let rows = decode([
            ([("content-type", "application/json")], Self.data),
            ([("content-type", "application/cloudevents-batch+json")], "[]"),
            ([("content-type", "application/cloudevents+avro")], "x"), (twice, Self.data),
            (Self.binary, "{"), ([Self.structured], "{} {}"), (Self.binary, nil),
            ([Self.structured], nil), (Self.binary.filter { $0.0 != "ce_id" }, Self.data),
            (Self.binary.map { $0.0 == "ce_time" ? ("ce_time", "noon") : $0 }, Self.data),
            ([Self.structured], "[]"),
        ])
        #expect(
            rows.faults.map { "\($0.reason.name): \($0.detail)" } == [
                "malformed: no CloudEvent: neither a content-type application/cloudevents+json"
                    + " nor a header ce_specversion",
                "malformed: events as application/cloudevents-batch+json are not read",
                "malformed: events as application/cloudevents+avro are not read",
                "malformed: an attribute's header stands twice",
                "malformed: not JSON: ends early", "malformed: not JSON at byte 3",
                "null-value: the record has no value", "null-value: the record has no value",
                "missing-field: field id: missing or null",
                "wrong-type: field time: not a timestamp",
                "wrong-type: the value is not a JSON object",
            ])
    }

    /// An event without data, of which attributes alone are read.
    @Test func attributesAlone() {
        let rows = decode(
            [(Self.binary, nil), (Self.binary, "\u{0}"), ([Self.structured], Self.example)],
            Array(Self.fields.prefix(3)))
        #expect(rows.faults == [])
        #expect(row(rows, 0)[0] == "'1234-1234-1234'")
    }

    /// Damaged events never stop the program, and give what they give in any cut of rows.
    @Test func damagedEvents() {
        let seed = TestSeed.value
        print("damagedEvents: seed \(seed)")
        var random = RandomSource(seed: seed)
        var values: [[UInt8]?] = []
        var headers: [[UInt8]] = []
        for index in 0..<3000 {
            let isBinary = index % 2 == 0
            var value = Array((isBinary ? Self.data : Self.example).utf8)
            var list: [UInt8] = []
            RecordHeaders.encode(
                (isBinary ? Self.binary : [Self.structured]).map { RecordHeader($0.0, $0.1) },
                to: &list)
            for _ in 0..<random.int(in: 0...3) {
                value[random.int(in: 0...value.count - 1)] = UInt8(
                    truncatingIfNeeded: random.next())
                // The count of headers, in the first byte, stays.
                list[random.int(in: 1...list.count - 1)] = UInt8(truncatingIfNeeded: random.next())
            }
            values.append(value)
            headers.append(list)
        }
        let block = makeBlock(values, headers: headers)
        var keys = KeyTable()
        let source = makeSource(Self.fields, format: .cloudEvents(.automatic))
        let whole = makeDecoder(for: source).decode(block, rows: 0..<values.count, keys: &keys)
        let decoder = makeDecoder(for: source)
        let found = reasons(whole)
        #expect(found.contains("malformed") && found.contains(nil))
        for index in values.indices {
            let single = decoder.decode(block, rows: index..<index + 1, keys: &keys)
            #expect(reasons(single) == [found[index]])
            if found[index] == nil { #expect(row(single, 0) == row(whole, index)) }
        }
    }
}
