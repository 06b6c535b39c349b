import Columnar
import Connectors
import Dataflow
import RecordLog
import Testing

/// The specification's own examples, what fields take, and values that are wrong.
@Suite struct AvroTests {
    typealias SourceLocation = Testing.SourceLocation

    private static let row = """
        {"type": "record", "name": "Row", "fields": [
          {"name": "k", "type": "string"},
          {"name": "t", "type": {"type": "long", "logicalType": "timestamp-millis"}},
          {"name": "x", "type": TYPE}]}
        """

    private func source(_ type: String, _ field: Field) throws -> SourcePlan {
        let schema = try avroSchema(Self.row.replacing("TYPE", with: type))
        let form = AvroForm(.file("row"), writers: [AvroForm.Writer(id: 0, schema: schema)])
        return makeSource(keyAndTime + [field], format: .avro(form))
    }

    /// Values of a field `x` behind the key "a" and the time 0.
    private func decode(_ type: String, _ field: Field, _ values: [[UInt8]]) throws -> DecodedRows {
        var keys = KeyTable()
        let block = makeBlock(values.map { [2, 0x61, 0] + $0 })
        return makeDecoder(for: try source(type, field)).decode(
            block, rows: 0..<values.count, keys: &keys)
    }

    private func check(
        _ type: String, _ field: Field, _ cases: [([UInt8], String)],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let rows = try decode(type, field, cases.map(\.0))
        let found = reasons(rows)
        for (row, item) in cases.enumerated() {
            let result = found[row] ?? show(rows.columns[2], row)
            #expect(result == item.1, "\(item.0)", sourceLocation: sourceLocation)
        }
    }

    private func decimal(_ scale: Int, rounds: Bool = false) -> Field {
        Field("x", .decimal(scale: scale, unit: nil), rounds: rounds)
    }

    private func long(_ value: Int64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = UInt64(bitPattern: value << 1 ^ value >> 63)
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    private func double(_ value: Double) -> [UInt8] {
        (0..<8).map { UInt8(value.bitPattern >> ($0 * 8) & 0xFF) }
    }

    private func float(_ value: Float) -> [UInt8] {
        (0..<4).map { UInt8(value.bitPattern >> ($0 * 8) & 0xFF) }
    }

    /// Numbers of "Binary Encoding", the array [3, 27] and the unions of "a" and null.
    @Test func examplesOfTheSpecification() throws {
        try check(
            "\"long\"", Field("x", .int),
            [
                ([0x00], "0"), ([0x01], "-1"), ([0x02], "1"), ([0x03], "-2"), ([0x04], "2"),
                ([0x7F], "-64"), ([0x80, 0x01], "64"),
            ])
        try check(
            "\"string\"", Field("x", .string), [([0x06, 0x66, 0x6F, 0x6F], "'foo'")])
        try check(
            #"{"type": "array", "items": "long"}"#, Field("x", .list(.int)),
            [([0x04, 0x06, 0x36, 0x00], "[3 27]"), ([0x03, 0x04, 0x06, 0x36, 0x00], "[3 27]")])
        try check(
            #"["null", "string"]"#, Field("x", .string, isNullable: true),
            [([0x00], "null"), ([0x02, 0x02, 0x61], "'a'")])
        try check(
            #"{"type": "enum", "name": "Foo", "symbols": ["A", "B", "C", "D"]}"#,
            Field("x", .string), [([0x00], "'A'"), ([0x06], "'D'"), ([0x08], "malformed")])
    }

    @Test func decimals() throws {
        try check(
            "\"double\"", decimal(2),
            [
                (double(250), "25000"), (double(3.2), "320"), (double(-0.07), "-7"),
                (double(3.201), "precision"), (double(0.1 + 0.2), "precision"),
                (double(-0.0), "0"), (double(.nan), "out-of-range"),
                (double(.infinity), "out-of-range"), (double(1e17), "out-of-range"),
                (double(9e16), "9000000000000000000"), (double(1e300), "out-of-range"),
                (double(.leastNonzeroMagnitude), "precision"),
                ([0, 0, 0, 0, 0, 0, 0], "malformed"),
            ])
        try check(
            "\"double\"", decimal(2, rounds: true),
            [
                (double(3.205), "320"), (double(3.215), "322"), (double(3.2051), "321"),
                (double(.leastNonzeroMagnitude), "0"),
            ])
        try check(
            "\"float\"", decimal(2),
            [(float(3.2), "320"), (float(-1234.5), "-123450"), (float(3.201), "precision")])
        try check(
            "\"long\"", decimal(2),
            [
                (long(3), "300"), (long(.max / 100), "\(Int64.max / 100 * 100)"),
                (long(.max / 100 + 1), "out-of-range"), (long(.min), "out-of-range"),
            ])
        try check(
            #"{"type": "bytes", "logicalType": "decimal", "precision": 40, "scale": 3}"#,
            decimal(2),
            [
                ([0x02, 0x0A], "1"), ([0x02, 0xF6], "-1"), ([0x02, 0x0B], "precision"),
                ([0x00], "0"), ([0x22] + [UInt8](repeating: 0xFF, count: 16) + [0xF6], "-1"),
                ([0x22, 0x01] + [UInt8](repeating: 0, count: 16), "out-of-range"),
                ([0x12, 0x01] + [UInt8](repeating: 0, count: 8), "precision"),
                ([0x04, 0x0A], "malformed"),
            ])
        try check(
            #"{"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 1}"#,
            Field("x", .double), [([0x02, 0x0B], "1.1")])
    }

    @Test func timesAndDurations() throws {
        let time = Field("x", .timestamp)
        func logical(_ form: String, _ name: String) -> String {
            #"{"type": "\#(form)", "logicalType": "\#(name)"}"#
        }
        try check(
            logical("long", "timestamp-nanos"), time,
            [(long(1_000), "1"), (long(1_500), "precision"), (long(-1_000), "-1")])
        try check(
            logical("long", "timestamp-nanos"), Field("x", .timestamp, rounds: true),
            [(long(1_500), "2"), (long(2_500), "2"), (long(-1_501), "-2")])
        try check(
            logical("long", "timestamp-millis"), time,
            [(long(.max), "out-of-range"), (long(253_402_300_800_000), "out-of-range")])
        try check(
            logical("int", "date"), time,
            [
                (long(1), "86400000000"), (long(Int64(Int32.max)), "out-of-range"),
                (long(Int64(Int32.max) + 1), "malformed"),
            ])
        try check(
            "\"double\"", Field("x", .timestamp, timestampEncoding: .epochSeconds),
            [(double(1.5), "1500000"), (double(1e-7), "precision")])
        try check(
            "\"string\"", time,
            [
                ([0x28] + Array("2026-03-02T08:00:00Z".utf8), "1772438400000000"),
                ([0x02, 0x61], "wrong-type"),
            ])
        try check(
            #"{"type": "fixed", "size": 12, "name": "D", "logicalType": "duration"}"#,
            Field("x", .duration),
            [
                ([0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0], "86400002000"),
                ([1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0], "out-of-range"),
                ([0, 0, 0, 0] + [UInt8](repeating: 0xFF, count: 8), "out-of-range"),
            ])
    }

    /// What is null, of another type, or not there.
    @Test func unions() throws {
        try check(
            #"["null", "string", "long"]"#, Field("x", .int),
            [
                ([0], "missing-field"), ([2, 2, 0x61], "wrong-type"), ([4, 6], "3"),
                ([6], "malformed"),
            ])
        try check(
            #"{"type": "array", "items": ["null", "int"]}"#, Field("x", .list(.int)),
            [([2, 2, 6, 0], "[3]"), ([2, 0, 0], "missing-field")])
        let nested =
            #"["null", {"type": "record", "name": "P", "fields": [{"name": "y","type": "int"}]}]"#
        try check(
            nested, Field("x", .int, isNullable: true, path: "x.y"),
            [([0], "null"), ([2, 6], "3")])
        try check(nested, Field("x", .int, path: "x.y"), [([0], "missing-field")])
        try check(
            nested, Field("x", .int, isNullable: true, path: "x.z"), [([2, 6], "null")])
        try check(
            #"["int", {"type": "record", "name": "P", "fields": [{"name": "y","type": "int"}]}]"#,
            Field("x", .int, isNullable: true, path: "x.y"), [([0, 6], "wrong-type")])
    }

    /// A type that contains itself can be passed over, but not without end.
    @Test func recursionAndEmptyItems() throws {
        let list =
            #"{"type": "record", "name": "L", "fields": [{"name": "n", "type": ["null", "L"]}]}"#
        let field = Field("y", .int, isNullable: true)
        func nested(_ depth: Int) -> [UInt8] { [UInt8](repeating: 2, count: depth) + [0] }
        try check(list, field, [(nested(40), "null"), (nested(60_000), "malformed")])
        let empty = #"{"type": "array", "items": "null"}"#
        try check(empty, field, [(long(.max) + [0], "null"), (long(-1) + long(3), "malformed")])
        try check(
            #"{"type": "array", "items": {"type": "record", "name": "E", "fields": []}}"#,
            Field("x", .list(.structure([Field("z", .int, isNullable: true)]))),
            [
                (long(2) + [0], "[(null) (null)]"), (long(70_000) + [0], "malformed"),
                (long(.max) + [0], "malformed"),
            ])
    }

    @Test func wrongBytes() throws {
        let rows = try decode(
            "\"int\"", Field("x", .int),
            [[2, 0], [], long(1 << 31), [0x80], [UInt8](repeating: 0xFF, count: 11)])
        #expect(
            rows.faults.map(\.detail) == [
                "not Avro of schema row: 1 byte too many", "not Avro of schema row: ends early",
                "not Avro of schema row: wrong at byte 3", "not Avro of schema row: ends early",
                "not Avro of schema row: wrong at byte 3",
            ])
        let map = #"{"type": "map", "values": "int"}"#
        let type = Field("x", .map(key: .string, value: .int))
        try check(
            map, type,
            [
                ([4, 2, 0x61, 2, 2, 0x62, 4, 0], "{'a':1 'b':2}"),
                ([4, 2, 0x61, 2, 2, 0x61, 4, 0], "malformed"), ([2, 2, 0xFF, 2, 0], "malformed"),
                ([1], "malformed"), ([0x80], "malformed"),
            ])
        try check(
            map, Field("x", .map(key: .int, value: .int)),
            [([2, 2, 0x37, 2, 0], "{7:1}"), ([2, 2, 0x61, 2, 0], "wrong-type")])
        try check(
            "\"string\"", Field("x", .string), [([2, 0xFF], "malformed"), ([1], "malformed")])
        try check("\"boolean\"", Field("x", .bool), [([1], "true"), ([2], "malformed")])
    }

    /// Confluent's wire format: a zero byte and the schema's id before each value.
    @Test func schemaIDs() throws {
        let one = try avroSchema(Self.row.replacing("TYPE", with: "\"int\""))
        let two = try avroSchema(
            Self.row.replacing("TYPE", with: "\"double\"").replacing("\"x\"", with: "\"y\""))
        let form = AvroForm(
            .subject("t-value"),
            writers: [
                AvroForm.Writer(id: 17, schema: one), AvroForm.Writer(id: 70_000, schema: two),
            ])
        let fields =
            keyAndTime + [
                Field("x", .int, isNullable: true),
                Field("y", .decimal(scale: 1, unit: nil), isNullable: true),
            ]
        let first: [UInt8] = [0, 0, 0, 0, 17, 2, 0x61, 0, 6]
        let second: [UInt8] = [0, 0, 1, 0x11, 0x70, 2, 0x61, 0] + double(1.5)
        var keys = KeyTable()
        let values: [[UInt8]?] = [
            first, second, second, first, [0, 0, 0, 0, 18, 2], [0, 0, 0], Array(#"{"k":"a"}"#.utf8),
            [1] + first.dropFirst(), [0, 0, 0, 0, 17], nil,
        ]
        let rows = makeDecoder(for: makeSource(fields, format: .avro(form))).decode(
            makeBlock(values), rows: 0..<values.count, keys: &keys)
        #expect((0..<4).map { show(rows.columns[2], $0) } == ["3", "null", "null", "3"])
        #expect((0..<4).map { show(rows.columns[3], $0) } == ["null", "15", "15", "null"])
        #expect(
            reasons(rows) == [
                nil, nil, nil, nil, "unknown-schema", "malformed", "malformed", "malformed",
                "malformed", "null-value",
            ])
        #expect(
            rows.faults.map(\.detail) == [
                "schema id 18 is not among those of the plan", "3 bytes, too few for a schema id",
                "the first byte is 123, not the 0 before a schema id; it looks like JSON",
                "the first byte is 1, not the 0 before a schema id",
                "not Avro of schema id 17: ends early", "the record has no value",
            ])
    }
}
