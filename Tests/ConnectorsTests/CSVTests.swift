import Columnar
import Connectors
import Dataflow
import Primitives
import RecordLog
import TestKit
import Testing

@Suite struct CSVTests {
    typealias SourceLocation = Testing.SourceLocation

    /// Rows with a header row of their own each; nil for a record without it.
    private func decode(
        _ fields: [Field], _ rows: [(header: String?, row: String?)],
        form: CSVForm = CSVForm(), keyField: Int = 0
    ) -> DecodedRows {
        let block = makeBlock(
            rows.map { $0.row.map { Array($0.utf8) } },
            headers: rows.map { item in
                var headers = [RecordHeader("other", "1")]
                if let header = item.header {
                    headers.append(RecordHeader(RecordHeaders.csvHeader, header))
                }
                var bytes: [UInt8] = []
                RecordHeaders.encode(headers, to: &bytes)
                return bytes
            })
        var keys = KeyTable()
        return makeDecoder(for: makeSource(fields, format: .csv(form), keyField: keyField))
            .decode(block, rows: 0..<rows.count, keys: &keys)
    }

    /// What a column `x` of some type gives for each text.
    private func check(
        _ field: Field, _ cases: [(text: String, expected: String)],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let rows = decode(
            keyAndTime + [field], cases.map { ("k,t,x", "a,0,\($0.text)") })
        let found = reasons(rows)
        for (row, item) in cases.enumerated() {
            let result = found[row] ?? show(rows.columns[2], row)
            #expect(result == item.expected, "\(item.text)", sourceLocation: sourceLocation)
        }
    }

    @Test func numbers() {
        check(
            Field("x", .decimal(scale: 2, unit: nil)),
            [
                ("3.2", "320"), ("-3.20000", "-320"), ("3.211", "precision"), ("1e2", "10000"),
                ("\"3.2\"", "320"), ("", "missing-field"), ("\"\"", "wrong-type"),
                ("3.2 ", "wrong-type"), (" 3.2", "wrong-type"), ("03", "wrong-type"),
                ("+3", "wrong-type"), (".5", "wrong-type"), ("5.", "wrong-type"),
                ("1.000.0", "wrong-type"), ("\"1,5\"", "wrong-type"), ("null", "wrong-type"),
                ("92233720368547758.08", "out-of-range"), ("-", "wrong-type"), ("-0", "0"),
                ("1\"", "malformed"), ("1,2", "malformed"),
            ])
        check(
            Field("x", .decimal(scale: 1, unit: nil), isNullable: true, rounds: true),
            [("0.25", "2"), ("0.35", "4"), ("", "null"), ("\"\"", "wrong-type")])
        check(
            Field("x", .int),
            [("12", "12"), ("1.0", "1"), ("1.5", "precision"), ("007", "wrong-type")])
        check(
            Field("x", .double),
            [
                ("0.1", "0.1"), ("1e400", "out-of-range"), ("NaN", "wrong-type"),
                ("9007199254740993", "9007199254740992.0"),
            ])
    }

    @Test func texts() {
        check(
            Field("x", .string),
            [
                ("abc", "'abc'"), ("", "missing-field"), ("\"\"", "''"), (" a ", "' a '"),
                ("\"a,b\"", "'a,b'"), ("\"a\"\"b\"", "'a\"b'"), ("\"\"\"\"", "'\"'"),
                ("\"a\r\nb\"", "'a\r\nb'"), ("塔吊", "'塔吊'"), ("null", "'null'"), ("1.50", "'1.50'"),
                ("a\"b", "malformed"), ("\"a\"b", "malformed"), ("\"a", "malformed"),
                ("\"a\" ", "malformed"), ("a\nb", "malformed"), ("a\n", "'a'"),
                ("\"a\"\r\n", "'a'"), ("a\n\n", "malformed"),
            ])
        check(
            Field("x", .string, isNullable: true), [("", "null"), ("\"\"", "''")])
        check(
            Field("x", .bool),
            [
                ("true", "true"), ("FALSE", "false"), ("True", "true"), ("1", "true"),
                ("0", "false"), ("yes", "wrong-type"), ("tru", "wrong-type"),
                ("2", "wrong-type"), ("11", "wrong-type"),
            ])
        check(
            Field("x", .bytes),
            [("YQ==", "'a'"), ("YQ", "wrong-type"), ("\"\"", "''")])
    }

    @Test func times() {
        check(
            Field("x", .timestamp),
            [
                ("2026-03-02T08:00:00Z", "1772438400000000"),
                ("2026-03-02 16:00:00+08:00", "1772438400000000"),
                ("1772438400000", "1772438400000000"), ("1772438400000.5", "1772438400000500"),
                ("2026-03-02T08:00:00", "wrong-type"), ("2026-03-02", "wrong-type"),
                ("2026-03-02T08:00:00.1234567Z", "precision"), ("1e300", "out-of-range"),
            ])
        check(
            Field("x", .timestamp, timestampEncoding: .epochSeconds),
            [("1772438400", "1772438400000000"), ("2026-03-02T08:00:00Z", "wrong-type")])
        check(
            Field("x", .timestamp, timestampEncoding: .rfc3339),
            [("1772438400", "wrong-type"), ("2026-03-02T08:00:00Z", "1772438400000000")])
        check(
            Field("x", .duration),
            [("1h30m", "5400000000"), ("-5s", "-5000000"), ("250", "250000"), ("x", "wrong-type")])
    }

    /// Columns are found by name, whatever their order; others are passed over.
    @Test func headerRows() {
        let mass = Field("m", .decimal(scale: 1, unit: nil), isNullable: true, path: "质量 t")
        let rows = decode(
            keyAndTime + [mass],
            [
                ("t,质量 t,k,extra", "0,1.5,a,\"x\"\"y\""), ("k,t", "a,0"),
                ("\u{FEFF}\"质量 t\",\"k\",\"t\"", "2.5,a,0"), ("\u{FEFF}k,t,质量 t\r\n", "a,0,3.5"),
                (nil, "a,0,1.5"), ("k,t,质量 t", "a,0"), ("k,t,质量 t", "a,0,1.5,2"),
                ("k,k,t", "a,a,0"), ("k,t,质量 t,x,x", "a,0,4.5,1,2"), ("k;t;质量 t", "a;0;1.5"),
                ("t,质量 t", "0,1.5"), ("k,质量 t", "a,1.5"), ("k,\"t", "a,0"), ("k,t", nil),
                ("", "a,0"),
            ])
        #expect(
            reasons(rows) == [
                nil, nil, nil, nil, "malformed", "malformed", "malformed", "malformed", nil,
                "malformed", "missing-field", "missing-field", "malformed", "null-value",
                "malformed",
            ])
        let shown = [0, 1, 2, 3, 8].map { show(rows.columns[2], $0) }
        #expect(shown == ["15", "null", "25", "35", "45"])
        #expect(
            rows.faults.map(\.detail) == [
                "no header plumbline.csv.header names the columns",
                "2 columns, the header row has 3", "4 columns, the header row has 3",
                "the header row names column k twice",
                "the header row names no field that is read: k;t;质量 t",
                "field k: missing or null", "field t: missing or null",
                "the header row: column 2: the closing quote is missing",
                "the record has no value", "the header row names no field that is read: ",
            ])
        // The time is known where it can be read.
        #expect(rows.faults[5].timeIsReadable && !rows.faults[6].timeIsReadable)
    }

    @Test func withoutHeaderRows() {
        let rows = decode(
            keyAndTime + [Field("x", .int, isNullable: true)],
            [(nil, "a;0;7"), ("x;t;k", "a;0;8"), (nil, "a;0;"), (nil, "a;0"), (nil, "a,0,7")],
            form: CSVForm(separator: 0x3B, hasHeader: false))
        #expect(reasons(rows) == [nil, nil, nil, "malformed", "malformed"])
        #expect((0..<3).map { show(rows.columns[2], $0) } == ["7", "8", "null"])
        #expect(rows.faults.map(\.detail).first == "2 columns, the schema has 3")
    }

    @Test func invalidUTF8() {
        var keys = KeyTable()
        let source = makeSource(keyAndTime, format: .csv(CSVForm(hasHeader: false)))
        let rows = makeDecoder(for: source).decode(
            makeBlock([Array("a,0".utf8), [0x61, 0xFF, 0x2C, 0x30], []]), rows: 0..<3,
            keys: &keys)
        #expect(rows.faults.map(\.detail) == ["not UTF-8", "1 column, the schema has 2"])
    }

    /// Names of columns do not come out again, other headers do.
    @Test func theHeaderRowIsNotCarriedOn() {
        var blob: [UInt8] = []
        let other = RecordHeader("trace", "7")
        RecordHeaders.encode(
            [
                RecordHeader(RecordHeaders.arrival, "1500"), other,
                RecordHeader(RecordHeaders.csvHeader, "k,t"),
            ], to: &blob)
        let block = makeBlock([[1]], headers: [blob])
        let (arrivals, carried) = RecordHeaders.read(block, 0..<1)
        #expect(arrivals == [1500])
        #expect(carried.flatMap { RecordHeaders.decode($0.array(0)) } == [other])
    }

    @Test func writtenRowsReadBack() {
        for separator in [UInt8(ascii: ","), UInt8(ascii: ";"), 0x09] {
            let cells: [String?] = ["a", "0", nil, "", "x,y;z\t", "\"", "\n", " b ", "塔"]
            let fields =
                keyAndTime
                + (2..<cells.count).map { Field("c\($0)", .string, isNullable: true) }
            var keys = KeyTable()
            let source = makeSource(
                fields, format: .csv(CSVForm(separator: separator, hasHeader: false)))
            let rows = makeDecoder(for: source).decode(
                makeBlock([CSVWriter.row(cells, separator: separator)]), rows: 0..<1, keys: &keys)
            #expect(rows.faults.isEmpty)
            for (column, cell) in cells.enumerated().dropFirst(2) {
                #expect(show(rows.columns[column], 0) == (cell.map { "'\($0)'" } ?? "null"))
            }
        }
    }

    // MARK: Import

    private func rows(_ block: RecordBlock) -> [String] {
        (0..<block.count).map { row in
            let names = RecordHeaders.headers(block, row).map { header in
                String(decoding: header.key, as: UTF8.self) + "="
                    + String(decoding: header.value ?? [], as: UTF8.self)
            }
            let key = block.key(row).map { String(decoding: $0, as: UTF8.self) } ?? "null"
            let value = String(decoding: block.value(row) ?? [], as: UTF8.self)
            return "\(key) \(block.timestamps[row]) \(value) \(names.joined(separator: " "))"
        }
    }

    @Test func importKeepsRowsAsTheyAre() throws {
        let text =
            "\u{FEFF}\"k\",t,at,\"the \n text\"\r\n"
            + "\"C\"\"1\",2026-03-02T08:00:00Z,1500,\"two\nlines\"\r\n\r\nC2,17,1501,\n"
            + "C3,then,1502,x\n,18,1503,x\nC4,19,1504\nC5\",20,1505,x"
        let (target, summary) = try importCSV(
            Array(text.utf8),
            fields: ImportFields(
                key: FieldPlace("k"), time: FieldPlace("t", numberUnit: .seconds),
                arrival: FieldPlace("at")))
        let header = "plumbline.csv.header=\"k\",t,at,\"the \n text\""
        let found = rows(try target.block())
        #expect(
            found.prefix(5) == [
                "C\"1 1772438400000 \"C\"\"1\",2026-03-02T08:00:00Z,1500,\"two\nlines\""
                    + " plumbline.arrival=1500 \(header)",
                "C2 17000 C2,17,1501, plumbline.arrival=1501 \(header)",
                "C3 1502 C3,then,1502,x plumbline.arrival=1502 \(header)",
                "null 18000 ,18,1503,x plumbline.arrival=1503 \(header)",
                "C4 19000 C4,19,1504 plumbline.arrival=1504 \(header)",
            ])
        #expect(found.count == 6 && found[5].contains("null") && found[5].contains("C5\",20"))
        #expect(summary.records == 6)
        #expect(summary.unreadable == 4)
        #expect(summary.firstUnreadableLine == 7)
    }

    @Test func importWithoutAHeaderRow() throws {
        let (target, summary) = try importCSV(
            Array("C1;1\nC2;2\n".utf8), separator: 0x3B, columns: ["k", "t"])
        let found = rows(try target.block())
        #expect(found.map { $0.prefix(9) } == ["C1 1 C1;1", "C2 2 C2;2"])
        #expect(!found[0].contains("csv"))
        #expect(summary.unreadable == 0)
        // A header row alone is no record.
        #expect(try importCSV(Array("k,t\n".utf8)).summary.records == 0)
    }

    @Test func importRefusals() throws {
        func refusal(_ text: String, separator: UInt8 = 0x2C) throws -> String {
            let error = #expect(throws: Diagnostic.self) {
                try importCSV(Array(text.utf8), separator: separator)
            }
            let place = try #require(error)
            let message = place.message.split(separator: "/").last.map(String.init) ?? ""
            return "\(message) | \(place.hint ?? "")"
        }
        #expect(
            try refusal("k;t\na;0\n")
                == "file.csv has no column 'k' | its one column is 'k;t'; --separator says what"
                + " stands between columns, now ','")
        #expect(try refusal("k,b\n") == "file.csv has no column 't' | its columns: k, b")
        #expect(
            try refusal("k,t,k\n") == "file.csv has more than one column 'k' | its columns: k, t, k"
        )
        #expect(
            try refusal("k,t\na,0\n\"b,1\nc,2\n")
                == "file.csv, line 3: the quotes of a field in this record are never closed | close"
                + " them, or double a quote that is meant; nothing was imported")
        #expect(
            try refusal("k,\"t\"x\n").hasPrefix(
                "file.csv: the header row: column 2: text after the closing quote |"))
        let long = String(repeating: "k,", count: 10_000)
        for text in [long, long + "\nC1,1\n", "\n\n" + String(long.prefix(16_384)) + "\n"] {
            #expect(try refusal(text).contains("header row is longer than 16384 bytes"))
        }
    }

    /// Records longer than a chunk, and quotes that open and close across chunks.
    @Test func longRecords() throws {
        var text = "k,t,x\n"
        let long = "\"" + String(repeating: "line\n\"\"quoted\"\",", count: 700_000) + "\""
        let cells = ["a", long, "\"b\n\"", long, long, "c"]
        for (index, cell) in cells.enumerated() { text += "C\(index),\(index),\(cell)\n" }
        let (target, summary) = try importCSV(Array(text.utf8))
        #expect(summary.records == 6)
        let block = try target.block()
        #expect(block.valueLengths.map { Int($0) } == cells.map { $0.utf8.count + 5 })
    }
}
