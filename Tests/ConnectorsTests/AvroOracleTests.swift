import Columnar
import Connectors
import Dataflow
import Foundation
import Primitives
import RecordLog
import TestKit
import Testing
import Topology

/// Agreement with fastavro, and with an encoder in Python by the specification's text.
@Suite struct AvroOracleTests {
    struct Document {
        var schema: AvroSchema
        var fields: [Field]
        var values: [[UInt8]]
        var expected: [[String]]

        init(_ line: Data) throws {
            let object = try #require(
                JSONSerialization.jsonObject(with: line) as? [String: Any])
            let avsc = try JSONSerialization.data(withJSONObject: try #require(object["schema"]))
            schema = try avroSchema(String(decoding: avsc, as: UTF8.self))
            fields = try #require(object["fields"] as? [[Any]]).map { item in
                let type = try TypeText.parse(try #require(item[1] as? String)).type
                return Field(
                    try #require(item[0] as? String), type,
                    isNullable: try #require(item[2] as? Bool))
            }
            values = try #require(object["values"] as? [String]).map { hex($0) }
            expected = try #require(object["expected"] as? [[String]])
        }
    }

    static func documents(_ seed: UInt64, _ count: Int) throws -> [Document] {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("avro_oracle.py")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [script.path, "\(seed % 1_000_000)", "\(count)"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "avro_oracle.py failed")
        return try text.split(separator: UInt8(ascii: "\n")).map { try Document(Data($0)) }
    }

    /// Every row of a document gives what it should, whichever fields are read.
    private func check(_ document: Document, fieldsRead: [Int]? = nil) {
        let form = AvroForm(
            .file("x"), writers: [AvroForm.Writer(id: 0, schema: document.schema)])
        for field in document.fields { #expect(document.schema.mismatch(field) == nil) }
        var keys = KeyTable()
        let source = makeSource(document.fields, format: .avro(form), fieldsRead: fieldsRead)
        let rows = makeDecoder(for: source).decode(
            makeBlock(document.values), rows: 0..<document.values.count, keys: &keys)
        #expect(rows.faults == [], "\(document.schema)")
        for (row, expected) in document.expected.enumerated() {
            for field in Set((fieldsRead ?? Array(document.fields.indices)) + [0, 1]) {
                #expect(
                    show(rows.columns[field], row) == expected[field],
                    "\(document.fields[field]) in \(document.schema)")
            }
        }
    }

    @Test func valuesOfFastavro() throws {
        let file = try #require(
            Bundle.module.url(forResource: "Fixtures/avro-samples.txt", withExtension: nil))
        let lines = try Data(contentsOf: file).split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == 60)
        for line in lines { check(try Document(Data(line))) }
    }

    @Test func randomValues() throws {
        let seed = TestSeed.value
        print("randomValues: seed \(seed)")
        var random = RandomSource(seed: seed)
        for document in try Self.documents(seed, 400) {
            check(document)
            let some = document.fields.indices.filter { _ in random.next() & 1 == 0 }
            check(document, fieldsRead: some)
        }
    }

    /// The plan's text of a schema gives the schema again.
    @Test func schemasReadBack() throws {
        let seed = TestSeed.value
        print("schemasReadBack: seed \(seed)")
        for document in try Self.documents(seed, 200) {
            let text = CanonicalText.avro(document.schema).text
            #expect(CanonicalText.avro(try avroSchema(text)).text == text)
            var again = document
            again.schema = try avroSchema(text)
            check(again)
        }
    }

    /// Damaged values never stop the program, and a row is either read or rejected; what is read
    /// does not depend on how rows are cut into runs.
    @Test func damagedValues() throws {
        let seed = TestSeed.value
        print("damagedValues: seed \(seed)")
        var random = RandomSource(seed: seed)
        var rejected = 0
        for document in try Self.documents(seed, 300) {
            var values = document.values
            for index in values.indices {
                for _ in 0..<(1 + Int(random.next() % 4)) where !values[index].isEmpty {
                    let place = Int(random.next() % UInt64(values[index].count))
                    switch random.next() % 4 {
                    case 0: values[index].removeLast(values[index].count - place)
                    case 1:
                        values[index].insert(UInt8(truncatingIfNeeded: random.next()), at: place)
                    case 2: values[index][place] = 0xFF
                    default: values[index][place] = UInt8(truncatingIfNeeded: random.next())
                    }
                }
            }
            let form = AvroForm(
                .file("x"), writers: [AvroForm.Writer(id: 0, schema: document.schema)])
            let source = makeSource(document.fields, format: .avro(form))
            let block = makeBlock(values)
            var keys = KeyTable()
            let whole = makeDecoder(for: source).decode(block, rows: 0..<values.count, keys: &keys)
            let decoder = makeDecoder(for: source)
            rejected += whole.faults.count
            for row in values.indices {
                var one = KeyTable()
                let single = decoder.decode(block, rows: row..<row + 1, keys: &one)
                let fault = whole.faults.first { $0.row == row }
                #expect(single.faults.first?.detail == fault?.detail)
                guard fault == nil else { continue }
                for column in document.fields.indices {
                    #expect(show(single.columns[column], 0) == show(whole.columns[column], row))
                }
            }
        }
        #expect(rejected > 300)
    }
}

/// Bytes of hexadecimal digits.
func hex(_ text: String) -> [UInt8] {
    let digits = text.utf8.map { UInt8($0 < 0x3A ? $0 - 0x30 : $0 - 0x57) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// The schema of an `.avsc` text.
func avroSchema(_ text: String) throws -> AvroSchema {
    let collector = DiagnosticCollector()
    let spec = AvroSchemaReader.read(SourceText(name: "x.avsc", text: text), collector)
    guard let spec, collector.isEmpty else { throw collector.list(firstFile: "x.avsc") }
    return spec.schema
}
