import CSimdjson
import Columnar
import Connectors
import Dataflow
import Primitives
import Testing

@Suite struct JSONEncoderTests {
    private func text(_ type: ValueType, _ column: Column, _ row: Int = 0) -> String {
        let encoder = JSONRowEncoder(schema: Schema(name: "o", fields: [Field("x", type)]))
        let batch = Batch(
            columns: [column], times: Array(repeating: 0, count: column.count),
            keys: Array(repeating: 0, count: column.count))
        let bytes = encoder.encode(batch).array(row)
        #expect(csimdjson_parse(bytes, bytes.count) == 0)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasPrefix("{\"x\":") && text.hasSuffix("}"))
        return String(text.dropFirst(5).dropLast())
    }

    private func bytes(_ values: [[UInt8]]) -> Column {
        var result = ByteValues()
        for value in values { result.append(value) }
        return Column(.bytes(result))
    }

    @Test func numbers() {
        func decimal(_ units: Int64, _ scale: Int) -> String {
            text(.decimal(scale: scale, unit: nil), Column(.int64([units])))
        }
        #expect(decimal(2500, 1) == "250.0" && decimal(-5, 3) == "-0.005")
        #expect(decimal(0, 2) == "0.00" && decimal(7, 0) == "7")
        #expect(decimal(.min, 18) == "-9.223372036854775808")
        #expect(decimal(.max, 0) == "9223372036854775807")
        #expect(decimal(12, 18) == "0.000000000000000012")
        #expect(text(.int, Column(.int64([-42]))) == "-42")
        func double(_ value: Double) -> String { text(.double, Column(.double([value]))) }
        #expect(
            double(0.1) == "0.1" && double(.leastNonzeroMagnitude) == "5e-324"
                && double(1e22) == "1e+22")
        #expect(double(.nan) == "null" && double(-.infinity) == "null")
        #expect(text(.bool, Column(.bool([false, true])), 1) == "true")
    }

    @Test func ratios() {
        func ratio(_ numerator: Int128, _ denominator: Int128, _ scale: Int) -> String {
            text(
                .ratio(scale: scale, unit: nil),
                Column(
                    .ratio(RatioValues(numerators: [numerator], denominators: [denominator]))))
        }
        #expect(ratio(1, 3, 5) == "0.33333" && ratio(2, 3, 5) == "0.66667")
        #expect(ratio(1, 8, 2) == "0.12" && ratio(3, 8, 2) == "0.38" && ratio(-1, 8, 2) == "-0.12")
        #expect(ratio(5, 2, 0) == "2" && ratio(7, 2, 0) == "4")
        // Too wide to be scaled within 128 bits: 2^126/2^125, and one less over it.
        let big = Int128(1) << 126
        #expect(ratio(big, big >> 1, 3) == "2.000")
        #expect(ratio(big - 1, big, 6) == "1.000000" && ratio(1 - big, big, 0) == "-1")
        #expect(ratio(big + 1, big * -1 / 2, 2) == "-2.00")
        #expect(ratio(big / 4 * 3, big / 2, 0) == "2" && ratio(big / 4, big / 2, 0) == "0")
    }

    @Test func textTimesAndNulls() {
        #expect(
            text(.timestamp, Column(.int64([1_772_438_400_500_000])))
                == "\"2026-03-02T08:00:00.500Z\"")
        #expect(text(.duration, Column(.int64([5_400_000_000]))) == "\"1h30m\"")
        #expect(text(.duration, Column(.int64([-5_000_000]))) == "\"-5s\"")
        #expect(
            text(.string, bytes([Array("塔\"\\/\n\u{1}\u{7f}".utf8)]))
                == "\"塔\\\"\\\\/\\n\\u0001\u{7f}\"")
        #expect(text(.string, bytes([[]])) == "\"\"")
        #expect(
            text(.bytes, bytes([[], [1], [1, 2], [1, 2, 3], [255, 254, 253, 252]]), 4)
                == "\"//79/A==\"")
        #expect(text(.bytes, bytes([[], [1]]), 0) == "\"\"")
        #expect(
            text(.int, Column(.int64([1, 2]), validity: Bitmap(words: [2], count: 2))) == "null")
        #expect(text(.int, Column(.null(count: 1))) == "null")
        let base = Column(.int64([7, 8, 9]), validity: Bitmap(words: [5], count: 3))
        let look = Column(.dictionary(DictionaryValues(indices: [2, 1], base: base)))
        #expect(text(.int, look, 0) == "9" && text(.int, look, 1) == "null")
    }

    /// What the decoder reads, the encoder writes, and the decoder reads the same again.
    @Test func nestedRoundTrip() {
        let point = ValueType.structure([
            Field("radius", .decimal(scale: 2, unit: nil)),
            Field("note", .string, isNullable: true),
        ])
        let fields =
            keyAndTime + [
                Field("chart", .map(key: .int, value: .list(point))),
                Field("names", .map(key: .string, value: .bytes)),
                Field("wait", .duration, isNullable: true), Field("d", .double),
            ]
        let document =
            #"{"k":"a","t":"1970-01-01T00:00:00Z","chart":{"4":[],"2":[{"radius":3.00,"#
            + #""note":"é\n"},{"radius":4.25,"note":null}]},"names":{"x":"aGk="},"#
            + #""wait":"1h30m","d":0.30000000000000004}"#
        var keys = KeyTable()
        let decoder = makeDecoder(for: makeSource(fields))
        let rows = decoder.decode(makeBlock([document]), rows: 0..<1, keys: &keys)
        #expect(rows.faults.isEmpty)
        let batch = Batch(columns: rows.columns, times: rows.times, keys: rows.keys)
        let objects = JSONRowEncoder(schema: Schema(name: "o", fields: fields)).encode(batch)
        #expect(String(decoding: objects.array(0), as: UTF8.self) == document)
    }
}
