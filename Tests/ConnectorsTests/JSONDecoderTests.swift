import Columnar
import Connectors
import Dataflow
import Primitives
import TestKit
import Testing

@Suite struct JSONDecoderTests {
    /// One field `x` of a type, and what each JSON value gives.
    private func check(
        _ field: Field, _ cases: [(json: String, expected: String)],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let (rows, _) = decode([field], cases.map { "\"x\":\($0.json)" })
        let found = reasons(rows)
        for (row, item) in cases.enumerated() {
            let result = found[row] ?? show(rows.columns[2], row)
            #expect(result == item.expected, "\(item.json)", sourceLocation: sourceLocation)
        }
    }

    typealias SourceLocation = Testing.SourceLocation

    @Test func decimals() {
        check(
            Field("x", .decimal(scale: 2, unit: nil)),
            [
                ("0", "0"), ("-0", "0"), ("1", "100"), ("3.21", "321"), ("3.2", "320"),
                ("-3.20000", "-320"), ("3.211", "precision"), ("1e2", "10000"),
                ("125e-2", "125"), ("125e-3", "precision"), ("1E+2", "10000"),
                ("92233720368547758.07", "9223372036854775807"),
                ("-92233720368547758.08", "-9223372036854775808"),
                ("92233720368547758.08", "out-of-range"), ("1e30", "out-of-range"),
                ("123456789012345678901234567890", "out-of-range"),
                ("0.00000000000000000000000000000", "0"),
                ("\"3.2\"", "wrong-type"), ("true", "wrong-type"), ("[1]", "wrong-type"),
                ("null", "missing-field"), ("01", "malformed"), ("1.", "malformed"),
                (".5", "malformed"), ("+1", "malformed"), ("1e", "malformed"),
                ("-", "malformed"), ("0x1", "malformed"), ("NaN", "malformed"),
                ("1 2", "malformed"), ("--1", "malformed"), ("1e+", "malformed"),
            ])
    }

    @Test func roundedDecimals() {
        check(
            Field("x", .decimal(scale: 1, unit: nil), rounds: true),
            [
                ("0.25", "2"), ("0.35", "4"), ("0.2500001", "3"), ("-0.25", "-2"),
                ("12.04", "120"), ("1e-9", "0"), ("0.05", "0"), ("0.15", "2"),
            ])
    }

    @Test func integersAndDoubles() {
        check(
            Field("x", .int),
            [
                ("9223372036854775807", "9223372036854775807"),
                ("-9223372036854775808", "-9223372036854775808"),
                ("9223372036854775808", "out-of-range"), ("1.0", "1"), ("1e3", "1000"),
                ("1.5", "precision"), ("\"1\"", "wrong-type"),
            ])
        check(
            Field("x", .double),
            [
                ("0.1", "0.1"), ("-0.0", "-0.0"), ("1e308", "1e+308"),
                ("1e309", "out-of-range"), ("-1e309", "out-of-range"), ("1e-400", "0.0"),
                ("9007199254740993", "9007199254740992.0"),
                ("0.30000000000000004", "0.30000000000000004"),
                ("2.2250738585072011e-308", "2.225073858507201e-308"),
                ("123456789012345", "123456789012345.0"), ("5e-324", "5e-324"),
                ("\"NaN\"", "wrong-type"),
            ])
    }

    @Test func strings() {
        check(
            Field("x", .string),
            [
                (#""""#, "''"), (#""abc""#, "'abc'"), (#""塔吊-1""#, "'塔吊-1'"),
                (#""a\"b\\c\/d""#, #"'a"b\c/d'"#), (#""\u0041\u00e9\u5854""#, "'Aé塔'"),
                (#""\ud83d\ude00""#, "'😀'"), (#""\ud83d""#, "malformed"),
                (#""\ude00""#, "malformed"), (#""\ud83d\u0041""#, "malformed"),
                (#""\x""#, "malformed"), (#""\u12g4""#, "malformed"), ("\"a\tb\"", "malformed"),
                ("\"a\nb\"", "malformed"), ("\"\u{7f}\"", "'\u{7f}'"),
                (
                    #""0123456789012345678901234567890123456789""#,
                    "'0123456789012345678901234567890123456789'"
                ),
                ("1", "wrong-type"), ("'a'", "malformed"),
                (
                    #""\t\n\r\b\f""#,
                    "'\t\n\r\u{8}\u{c}'"
                ),
            ])
    }

    @Test func times() {
        check(
            Field("x", .timestamp),
            [
                (#""2026-03-02T08:00:00Z""#, "1772438400000000"),
                (#""2026-03-02T16:00:00.5+08:00""#, "1772438400500000"),
                ("1772438400123", "1772438400123000"), ("1772438400123.5", "1772438400123500"),
                ("1772438400123.4567", "precision"),
                (#""2026-03-02T08:00:00.123456789Z""#, "precision"),
                (#""2026-03-02T08:00:00.12345678Zulu""#, "wrong-type"),
                (#""2026-03-02T08:00:00.123456000000Z""#, "1772438400123456"),
                (#""yesterday""#, "wrong-type"),
                ("1e15", "out-of-range"), ("true", "wrong-type"),
            ])
        check(
            Field("x", .timestamp, rounds: true),
            [
                (#""1970-01-01T00:00:00.0000015Z""#, "2"),
                (#""1970-01-01T00:00:00.000002500Z""#, "2"),
                (#""1970-01-01T01:00:00.0000025001+01:00""#, "3"), ("0.0015", "2"),
            ])
        check(
            Field("x", .timestamp, timestampEncoding: .epochSeconds),
            [("1772438400.25", "1772438400250000"), (#""2026-03-02T08:00:00Z""#, "wrong-type")])
        check(
            Field("x", .timestamp, timestampEncoding: .epochMicroseconds),
            [("1772438400250001", "1772438400250001"), ("0.5", "precision")])
        check(
            Field("x", .timestamp, timestampEncoding: .rfc3339),
            [("1772438400", "wrong-type"), (#""1970-01-01T00:00:01Z""#, "1000000")])
        check(
            Field("x", .duration),
            [
                (#""1h30m""#, "5400000000"), (#""-5s""#, "-5000000"), ("1500", "1500000"),
                (#""soon""#, "wrong-type"),
            ])
    }

    @Test func othersAndNulls() {
        check(Field("x", .bool), [("true", "true"), ("false", "false"), ("tru", "malformed")])
        check(
            Field("x", .bytes),
            [(#""aGk=""#, "'hi'"), (#""aGk""#, "wrong-type"), (#""""#, "''")])
        check(
            Field("x", .int, isNullable: true),
            [("null", "null"), ("1", "1"), ("null", "null"), ("2", "2"), ("nul", "malformed")])
    }

    @Test func nested() {
        let point = ValueType.structure([
            Field("radius", .decimal(scale: 2, unit: nil)),
            Field("capacity", .decimal(scale: 3, unit: nil), isNullable: true),
        ])
        check(
            Field("x", .map(key: .int, value: .list(point))),
            [
                (
                    #"{"2":[{"radius":3,"capacity":3.5},{"capacity":null,"radius":4.25}]}"#,
                    "{2:[(300 3500) (425 null)]}"
                ),
                ("{}", "{}"), (#"{"2":[],"4":[{"radius":1}]}"#, "{2:[] 4:[(100 null)]}"),
                (#"{"two":[]}"#, "wrong-type"), (#"{"two":[],"three":[]}"#, "wrong-type"),
                (#"{"2":[],"2":[]}"#, "malformed"),
                (#"{"2":[{"capacity":1}]}"#, "missing-field"), (#"{"2":[1]}"#, "wrong-type"),
                (#"{"2":[{"radius":1,"radius":1}]}"#, "malformed"),
                (#"{"2":[{"radius":1.001}]}"#, "precision"), (#"{"2":[{"radius":1]}"#, "malformed"),
                (#"{"2":[{"radius":7}]}"#, "{2:[(700 null)]}"), ("[]", "wrong-type"),
                (#"{ "2" : [ { "radius" : 7 , "z" : [ { } ] } ] }"#, "{2:[(700 null)]}"),
                (#"{"2":[{"radius":7}],}"#, "malformed"),
            ])
        check(
            Field("x", .map(key: .string, value: .bool)),
            [(#"{"a":true,"b":false}"#, "{'a':true 'b':false}"), (#"{"a":1}"#, "wrong-type")])
        check(
            Field("x", .list(.string)),
            [(#"["a", "b" ]"#, "['a' 'b']"), ("[null]", "missing-field"), ("[1,]", "malformed")])
    }

    @Test func dottedPaths() {
        let fields = [
            Field("x", .int, path: "a.b.c"), Field("y", .int, isNullable: true, path: "a.d"),
        ]
        let (rows, _) = decode(
            fields,
            [
                #""a":{"b":{"c":1},"d":2}"#, #""a":{"d":null,"z":0,"b":{"c":3}}"#,
                #""a":{"b":null}"#, #""a":{"b":5}"#, #""a":{"b":{"c":1}},"a":{"d":2}"#, "",
            ])
        #expect(
            reasons(rows)
                == [nil, nil, "missing-field", "wrong-type", "malformed", "missing-field"])
        #expect(show(rows.columns[2], 0) == "1" && show(rows.columns[3], 0) == "2")
        #expect(show(rows.columns[2], 1) == "3" && show(rows.columns[3], 1) == "null")
    }

    @Test func wholeDocuments() {
        let texts: [(String, String?)] = [
            (#"{"k":"a","t":1}"#, nil), (#" {"t":2 ,"k":"b"} "#, nil),
            (#"{"k":"a","t":1,"z":{"q":[1,2,{"w":null}]}}"#, nil),
            (#"{"k":"a","t":1}x"#, "malformed"), (#"{"k":"a","t":1"#, "malformed"),
            ("", "malformed"),
            (#"{"k":"a","t":1,}"#, "malformed"), ("[]", "wrong-type"), ("null", "wrong-type"),
            ("{}", "missing-field"), (#"{"k":"a"}"#, "missing-field"),
            (#"{"k":"a","t":1,"z":01}"#, "malformed"), (#"{"k":"a","t":1,"z":"\q"}"#, "malformed"),
            (#"{"\u006b":"esc","t":3}"#, nil), (#"{"k":"a","k":"b","t":1}"#, "malformed"),
            (#"{"k":"a","t":1,"z":tru}"#, "malformed"), (#"{"k":7,"t":1}"#, "wrong-type"),
            ("{\"k\":\"a\",\"t\":1}\u{0}", "malformed"),
            ("\u{feff}{\"k\":\"a\",\"t\":1}", "malformed"),
            (#"{"k":"last","t":9}"#, nil),
        ]
        var keys = KeyTable()
        let decoder = makeDecoder(for: makeSource(keyAndTime))
        let block = makeBlock(texts.map(\.0))
        let rows = decoder.decode(block, rows: 0..<texts.count, keys: &keys)
        #expect(reasons(rows) == texts.map(\.1))
        #expect(show(rows.columns[0], 1) == "'b'" && rows.times[1] == 2000)
        #expect(show(rows.columns[0], 13) == "'esc'" && show(rows.columns[0], 19) == "'last'")
        // A missing key leaves the time readable; broken JSON leaves nothing.
        let byRow = Dictionary(uniqueKeysWithValues: rows.faults.map { (Int($0.row), $0) })
        #expect(byRow[16]?.timeIsReadable == true && rows.times[16] == 1000 && rows.keys[16] == -1)
        #expect(byRow[3]?.timeIsReadable == false && byRow[10]?.timeIsReadable == false)
        #expect(byRow[10]?.detail == "field t: missing or null")
        // One row at a time gives the same.
        for row in 0..<texts.count {
            var other = KeyTable()
            let one = decoder.decode(block, rows: row..<row + 1, keys: &other)
            #expect(reasons(one) == [texts[row].1] && one.times == [rows.times[row]])
            if texts[row].1 == nil {
                #expect(show(one.columns[0], 0) == show(rows.columns[0], row))
            }
        }
    }

    @Test func nullValuesInvalidUTF8AndDepth() {
        let good = Array(#"{"k":"a","t":1,"z":"é"}"#.utf8)
        let broken: [[UInt8]] = [
            [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF],
            [0xE2, 0x28, 0xA1], [0xF0, 0x9F, 0x98], [0x80],
        ]
        func document(_ bytes: [UInt8]) -> [UInt8] {
            Array(#"{"k":"a","t":1,"z":""#.utf8) + bytes + Array("\"}".utf8)
        }
        func deep(_ count: Int) -> [UInt8] {
            Array(#"{"k":"a","t":1,"z":"#.utf8) + Array(repeating: 0x5B, count: count)
                + Array(repeating: 0x5D, count: count) + [0x7D]
        }
        let values: [[UInt8]?] =
            [good, nil] + broken.map { document($0) } + [deep(63), deep(64), deep(100_000), good]
        var keys = KeyTable()
        let rows = makeDecoder(for: makeSource(keyAndTime))
            .decode(makeBlock(values), rows: 0..<values.count, keys: &keys)
        let expected: [String?] =
            [nil, "null-value"] + broken.map { _ in "malformed" }
            + [nil, "malformed", "malformed", nil]
        #expect(reasons(rows) == expected)
        #expect(rows.faults.contains { $0.detail == "nested deeper than 64" })
        #expect(rows.keys.first == 0 && rows.keys.last == 0)
    }

    @Test func keysAreInternedAndUnreadFieldsAreNull() {
        let fields = keyAndTime + [Field("x", .int), Field("y", .int)]
        var keys = KeyTable()
        let decoder = makeDecoder(for: makeSource(fields, fieldsRead: [0, 1, 3]))
        let texts = (0..<10).map { #"{"k":"c\#($0 % 3)","t":\#($0),"x":"no","y":\#($0)}"# }
        let rows = decoder.decode(makeBlock(texts), rows: 2..<10, keys: &keys)
        #expect(rows.faults.isEmpty && rows.rowCount == 8 && rows.firstRow == 2)
        #expect(rows.keys == [0, 1, 2, 0, 1, 2, 0, 1])
        #expect(show(rows.columns[0], 0) == "'c2'" && show(rows.columns[0], 1) == "'c0'")
        guard case .null(8) = rows.columns[2].values else {
            Issue.record("x is not read")
            return
        }
        #expect((0..<8).map { show(rows.columns[3], $0) } == (2..<10).map { "\($0)" })
        let integers = makeDecoder(
            for: makeSource([Field("k", .int), Field("t", .timestamp)]))
        let two = integers.decode(
            makeBlock([#"{"k":-7,"t":0}"#]), rows: 0..<1, keys: &keys)
        #expect(keys.bytes(two.keys[0]) == Array("-7".utf8) && show(two.columns[0], 0) == "-7")
    }

    /// How rows are cut into calls, and what was decoded before, changes nothing.
    @Test func cutsDoNotMatter() {
        let seed = TestSeed.value
        print("cutsDoNotMatter seed \(seed)")
        var generator = DocumentGenerator(seed: seed)
        let documents = (0..<700).map { _ in generator.document() }
        let block = makeBlock(documents)
        func decode(_ cut: Int) -> [String] {
            var keys = KeyTable()
            let decoder = makeDecoder(for: makeSource(JSONOracleTests.fields))
            var result: [String] = []
            for start in stride(from: 0, to: documents.count, by: cut) {
                let range = start..<min(start + cut, documents.count)
                let rows = decoder.decode(block, rows: range, keys: &keys)
                let faults = Dictionary(uniqueKeysWithValues: rows.faults.map { ($0.row, $0) })
                for row in 0..<rows.rowCount {
                    let key = rows.keys[row] < 0 ? "-" : "\(keys.bytes(rows.keys[row]))"
                    var text = "\(key) \(rows.keys[row]) \(rows.times[row])"
                    if let fault = faults[Int32(row)] {
                        text += " \(fault.reason.name) \(fault.detail) \(fault.timeIsReadable)"
                    } else {
                        text += rows.columns.map { " " + show($0, row) }.joined()
                    }
                    result.append(text)
                }
            }
            return result
        }
        let whole = decode(700)
        for cut in [1, 2, 7, 64, 65, 300] { #expect(decode(cut) == whole, "cut \(cut)") }
    }

    @Test func hugeKeysAndDocuments() {
        let key = String(repeating: "K", count: 1 << 20)
        let padding = String(repeating: "塔[{\\\"", count: 1 << 19)
        let texts = [
            #"{"k":"\#(key)","t":1,"z":"\#(padding)"}"#, #"{"k":"\#(key)","t":2}"#,
            #"{"k":"\#(key)","t":3,"z":["# + String(repeating: "0,", count: 1 << 20) + "0]}",
        ]
        var keys = KeyTable()
        let rows = makeDecoder(for: makeSource(keyAndTime))
            .decode(makeBlock(texts), rows: 0..<3, keys: &keys)
        #expect(rows.faults.isEmpty && rows.keys == [0, 0, 0] && rows.times == [1000, 2000, 3000])
        #expect(keys.bytes(0).count == 1 << 20)
    }

    /// More members than are remembered, and names longer than are compared at once.
    @Test func wideObjects() {
        let names = (0..<200).map { "\($0)" + String(repeating: "n", count: $0 % 50) }
        let fields = keyAndTime + names.map { Field($0, .int) }
        let members = names.enumerated().map { "\"\($1)\":\($0)" }
        let texts = [members, Array(members.reversed()), members, Array(members.dropFirst())]
            .map { #"{"k":"a","t":0,"# + $0.joined(separator: ",") + "}" }
        var keys = KeyTable()
        let rows = makeDecoder(for: makeSource(fields))
            .decode(makeBlock(texts), rows: 0..<4, keys: &keys)
        #expect(reasons(rows) == [nil, nil, nil, "missing-field"])
        for row in 0..<3 {
            #expect((0..<200).allSatisfy { show(rows.columns[2 + $0], row) == "\($0)" })
        }
    }
}
