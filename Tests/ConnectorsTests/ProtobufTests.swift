import Columnar
import Connectors
import Dataflow
import Foundation
import Primitives
import RecordLog
import TestKit
import Testing
import Topology

/// Agreement with Google's implementation and with an encoder in Python by the text of "Encoding";
/// values that are wrong; Confluent's wire format.
@Suite struct ProtobufTests {
    private static let name = "site.Outer.Load"
    private static let kinds: [(String, String)] = [
        ("k", "string"), ("t", "timestamp"), ("mass", "decimal(2)"), ("radius", "decimal(1)"),
        ("i32", "int"), ("i64", "int"), ("u32", "int"), ("u64", "int"), ("s32", "int"),
        ("s64", "int"), ("f32", "int"), ("f64", "int"), ("sf32", "int"), ("sf64", "int"),
        ("on", "bool"), ("raw", "bytes"), ("mode", "string"), ("since", "duration?"),
        ("wind", "decimal(1)?"), ("card", "string?"), ("badge", "int?"), ("crew.name", "string?"),
        ("numbers", "list<int>"), ("names", "list<string>"),
        ("parts", "list<struct{name: string, size: int}>"),
        ("limits", "map<string, decimal(1)>"), ("chart", "map<int, struct{size: int}>"),
        ("part", "struct{name: string}?"), ("part.size", "int?"), ("part.next.name", "string?"),
        ("loose", "list<decimal(3)>"), ("modes", "list<string>"), ("deltas", "list<int>"),
    ]

    private static func field(_ path: String, _ type: String) throws -> Field {
        let (type, isNullable) = try TypeText.parse(type)
        return Field(
            path.replacing(".", with: "_"), type, isNullable: isNullable, path: path)
    }

    private static func schema() throws -> ProtobufSchema {
        let file = try #require(
            Bundle.module.url(forResource: "Fixtures/site.desc", withExtension: nil))
        return try ProtobufDescriptors(Array(Data(contentsOf: file))).schema(name)
    }

    private static func source(
        _ fields: [Field], isFramed: Bool = false, fieldsRead: [Int]? = nil
    ) throws -> SourcePlan {
        let schema = try schema()
        for field in fields { #expect(schema.mismatch(field) == nil) }
        let form = ProtobufForm(
            descriptors: "site", message: name, isFramed: isFramed, schema: schema)
        return makeSource(fields, format: .protobuf(form), fieldsRead: fieldsRead)
    }

    private struct Sample: Decodable {
        var value: String
        var expected: [String]
    }

    private func check(_ lines: Data, fieldsRead: [Int]? = nil) throws -> Int {
        let samples = try lines.split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(Sample.self, from: Data($0))
        }
        let fields = try Self.kinds.map { try Self.field($0.0, $0.1) }
        var keys = KeyTable()
        let rows = makeDecoder(for: try Self.source(fields, fieldsRead: fieldsRead)).decode(
            makeBlock(samples.map { hex($0.value) }), rows: 0..<samples.count, keys: &keys)
        #expect(rows.faults == [])
        for (row, sample) in samples.enumerated() {
            for field in Set((fieldsRead ?? Array(fields.indices)) + [0, 1]) {
                let found = show(rows.columns[field], row)
                #expect(found == sample.expected[field], "\(fields[field]): \(sample.value)")
            }
        }
        return samples.count
    }

    private func random(_ seed: UInt64, _ count: Int) throws -> Data {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("protobuf_oracle.py")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [script.path, "\(seed % 1_000_000)", "\(count)"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "protobuf_oracle.py failed")
        return text
    }

    @Test func valuesOfGoogle() throws {
        let file = try #require(
            Bundle.module.url(forResource: "Fixtures/protobuf-samples.txt", withExtension: nil))
        #expect(try check(try Data(contentsOf: file)) == 200)
    }

    @Test func randomValues() throws {
        let seed = TestSeed.value
        print("protobuf randomValues: seed \(seed)")
        var source = RandomSource(seed: seed)
        #expect(try check(try random(seed, 1000)) == 1000)
        for round in 0..<10 {
            let some = Self.kinds.indices.filter { _ in source.next() & 1 == 0 }
            #expect(try check(try random(seed + UInt64(round), 50), fieldsRead: some) == 50)
        }
    }

    @Test func damagedValues() throws {
        let seed = TestSeed.value
        print("protobuf damagedValues: seed \(seed)")
        var source = RandomSource(seed: seed)
        let fields = try Self.kinds.map { try Self.field($0.0, $0.1) }
        var values = try random(seed, 1000).split(separator: UInt8(ascii: "\n")).map {
            hex(try JSONDecoder().decode(Sample.self, from: Data($0)).value)
        }
        for index in values.indices {
            for _ in 0..<source.int(in: 1...4) where values[index].count > 1 {
                let place = source.int(in: 0...values[index].count - 1)
                switch source.int(in: 0...3) {
                case 0: values[index].removeLast(values[index].count - place)
                case 1: values[index].insert(UInt8(source.int(in: 0...255)), at: place)
                case 2: values[index][place] = 0xFF
                default: values[index][place] = UInt8(source.int(in: 0...255))
                }
            }
        }
        let plan = try Self.source(fields)
        let block = makeBlock(values)
        var keys = KeyTable()
        let whole = makeDecoder(for: plan).decode(block, rows: 0..<values.count, keys: &keys)
        let decoder = makeDecoder(for: plan)
        let found = reasons(whole)
        #expect(found.count { $0 != nil } > 300)
        for index in values.indices {
            let single = decoder.decode(block, rows: index..<index + 1, keys: &keys)
            #expect(reasons(single) == [found[index]])
            guard found[index] == nil else { continue }
            for column in fields.indices {
                #expect(show(single.columns[column], 0) == show(whole.columns[column], index))
            }
        }
        // Damaged descriptors are refused, or give messages.
        let file = try #require(
            Bundle.module.url(forResource: "Fixtures/site.desc", withExtension: nil))
        let descriptors = Array(try Data(contentsOf: file))
        for _ in 0..<2000 {
            var bytes = descriptors
            bytes[source.int(in: 0...bytes.count - 1)] = UInt8(source.int(in: 0...255))
            if source.int(in: 0...3) == 0 { bytes.removeLast(source.int(in: 0...bytes.count)) }
            _ = try? ProtobufDescriptors(bytes).schema(Self.name)
        }
    }

    /// What stands after the key "a" and the time 0.
    private func decode(_ fields: [(String, String)], _ values: [[UInt8]]) throws -> DecodedRows {
        var keys = KeyTable()
        let all = try keyAndTime + fields.map { try Self.field($0.0, $0.1) }
        return makeDecoder(for: try Self.source(all)).decode(
            makeBlock(values.map { [0x0A, 1, 0x61, 0x12, 0] + $0 }), rows: 0..<values.count,
            keys: &keys)
    }

    private func check(
        _ path: String, _ type: String, _ cases: [([UInt8], String)],
        location: Testing.SourceLocation = #_sourceLocation
    ) throws {
        let rows = try decode([(path, type)], cases.map(\.0))
        let found = reasons(rows)
        for (row, item) in cases.enumerated() {
            let result = found[row] ?? show(rows.columns[2], row)
            #expect(result == item.1, "\(item.0)", sourceLocation: location)
        }
    }

    /// The examples of "Encoding": 150 in a varint, "testing", packed 3, 270, 86942.
    @Test func examplesOfTheSpecification() throws {
        try check("i32", "int", [([0x28, 0x96, 0x01], "150"), ([], "0")])
        try check(
            "card", "string?",
            [([0xA2, 1, 7, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6E, 0x67], "'testing'"), ([], "null")])
        let numbers: [UInt8] = [3, 0x8E, 2, 0x9E, 0xA7, 5]
        try check(
            "numbers", "list<int>",
            [
                ([0xBA, 1, 6] + numbers, "[3 270 86942]"),
                // Not packed, and in parts: parsers take both.
                ([0xB8, 1, 3, 0xBA, 1, 5] + numbers.dropFirst(), "[3 270 86942]"),
                ([], "[]"), ([0xBA, 1, 0], "[]"), ([0xBA, 1, 1, 0x80], "malformed"),
            ])
    }

    @Test func lastOnesCount() throws {
        try check("i32", "int", [([0x28, 1, 0x28, 2], "2")])
        // A oneof: card "a", then badge 7.
        let both: [UInt8] = [0xA2, 1, 1, 0x61, 0xA8, 1, 7]
        try check(
            "card", "string?", [(both, "null"), (Array(both.dropFirst(4) + both.prefix(4)), "'a'")])
        try check("badge", "int?", [(both, "7")])
        try check("badge", "int", [([], "missing-field"), (both, "7")])
        // A message twice would have to be put together from both.
        let part: [UInt8] = [0xE2, 1, 2, 0x10, 1]
        try check("part.size", "int?", [(part, "1"), (part + part, "malformed")])
    }

    @Test func numbersThatDoNotFit() throws {
        try check(
            "u64", "int",
            [
                ([0x40] + [UInt8](repeating: 0xFF, count: 9) + [1], "out-of-range"),
                ([0x40, 1], "1"),
            ])
        try check(
            "mass", "decimal(2)",
            [
                ([0x19, 0, 0, 0, 0, 0, 0, 0xF8, 0x7F], "out-of-range"),
                ([0x19, 0xFC, 0xA9, 0xF1, 0xD2, 0x4D, 0x62, 0x50, 0x3F], "precision"),
            ])
        try check("mass", "double", [([0x19, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F], "1.0")])
        try check("mode", "string", [([0x88, 1, 7], "out-of-range"), ([0x88, 1, 1], "'ON'")])
        // A nanosecond; the year 10000.
        try check(
            "since", "duration",
            [([0x92, 1, 2, 0x10, 1], "precision"), ([0x92, 1, 3, 0x10, 0xE8, 7], "1")])
    }

    @Test func wrongBytes() throws {
        let rows = try decode(
            [("i32", "int"), ("card", "string?")],
            [
                [0x28], [0x28, 0x80], [0x2A, 0], [0x00, 1], [0x2E], [0x2C], [0xA2, 1, 5, 0x61],
                [0xA2, 1, 1, 0xFF], [0x33, 0x34], [0x33, 0x3C], [0x33],
                [UInt8](repeating: 0x33, count: 100), [0xF8, 0xFF, 0xFF, 0xFF, 0x1F, 1],
                [0x28] + [UInt8](repeating: 0xFF, count: 10),
            ])
        #expect(
            reasons(rows) == [
                "malformed", "malformed", "malformed", "malformed", "malformed", "malformed",
                "malformed", "malformed", nil, "malformed", "malformed", "malformed", "malformed",
                "malformed",
            ])
        let problem = "not a site.Outer.Load: "
        #expect(rows.faults[0].detail == problem + "ends early")
        #expect(rows.faults[2].detail == problem + "wrong at byte 6")
        #expect(rows.faults[10].detail == problem + "groups nested deeper than 64")
    }

    /// A zero byte, the schema's id, the message's indexes.
    @Test func wireFormat() throws {
        let value: [UInt8] = [0x0A, 1, 0x61, 0x12, 0, 0x28, 3]
        let frame: [UInt8] = [0, 0, 0, 0, 9]
        let fields = keyAndTime + [Field("i32", .int)]
        var keys = KeyTable()
        // Load is the first message (0) inside the second one (1) of its file.
        let values: [[UInt8]?] = [
            frame + [4, 2, 0] + value, frame + [0] + value, frame + [2, 2] + value,
            frame + [4, 2], frame, value, frame + [3] + value, [0, 1], nil,
        ]
        let rows = makeDecoder(for: try Self.source(fields, isFramed: true)).decode(
            makeBlock(values), rows: 0..<values.count, keys: &keys)
        #expect(show(rows.columns[2], 0) == "3")
        #expect(
            rows.faults.map { "\($0.reason.name): \($0.detail)" } == [
                "unknown-schema: message 0 of its file, and site.Outer.Load is 1.0",
                "unknown-schema: message 1 of its file, and site.Outer.Load is 1.0",
                "malformed: the message indexes end early, or are none",
                "malformed: no message indexes after the schema id",
                "malformed: the first byte is 10, not the 0 before a schema id",
                "malformed: no message indexes after the schema id",
                "malformed: 2 bytes, too few for a schema id",
                "null-value: the record has no value",
            ])
        let first = try ProtobufDescriptors(
            Array(
                Data(
                    contentsOf: try #require(
                        Bundle.module.url(forResource: "Fixtures/site.desc", withExtension: nil))))
        ).schema("site.Other")
        #expect(first.indexes == [0])
    }
}
