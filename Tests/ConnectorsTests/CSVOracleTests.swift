import Columnar
import Connectors
import Dataflow
import Foundation
import Primitives
import RecordLog
import TestKit
import Testing

/// Keeps what an import stores, in one partition.
final class MemoryImportTarget: ImportTarget {
    private(set) var batches: [[UInt8]] = []

    func ensureTopic(_ name: String, partitions: Int?) throws -> [Int64] { [0] }

    func recordCounts(
        topic: String, producerID: Int64, from offsets: [Int64]
    ) throws -> [Int64] { [0] }

    func append(topic: String, _ batches: [ImportBatch]) throws {
        self.batches += batches.map(\.bytes)
    }

    func close() throws {}

    /// All records stored.
    func block() throws -> RecordBlock {
        var bytes: [UInt8] = []
        var offset: Int64 = 0
        for var batch in batches {
            RecordBatch.rebase(&batch, to: offset)
            offset = try RecordBatch.validate(batch).nextOffset
            bytes += batch
        }
        return try RecordBatchDecoder().decodeAll(bytes)
    }
}

/// What an import of a CSV text stores, with the key `k` and the time `t`.
func importCSV(
    _ text: [UInt8], separator: UInt8 = 0x2C, columns: [String]? = nil,
    fields: ImportFields = ImportFields(key: FieldPlace("k"), time: FieldPlace("t"))
) throws -> (target: MemoryImportTarget, summary: ImportSummary) {
    let temporary = TemporaryDirectory()
    let path = temporary.path + "/file.csv"
    try Data(text).write(to: URL(fileURLWithPath: path))
    let file = try ImportFile.open(path, spoolDirectory: temporary.path)
    let options = ImportOptions(
        dataPath: temporary.path, topic: "t", format: .csv, fields: fields,
        separator: separator, columns: columns)
    let survey = try file.survey(options.recordEnds) { _ in }
    let target = MemoryImportTarget()
    let job = FileImport(
        options, file: file, survey: survey, sha256: Array(repeating: 7, count: 32),
        identify: { _ in Array(repeating: 9, count: 32) })
    return (target, try job.run { target })
}

/// Agreement with Python's csv module and the grammar of RFC 4180.
@Suite struct CSVOracleTests {
    private struct Document: Decodable {
        var separator: String?
        var text: String
        var rows: [[String]]?
        var cells: [String?]?
    }

    private func documents(_ seed: UInt64, _ counts: Int...) throws -> [Document] {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("csv_oracle.py")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [script.path, "\(seed % 1_000_000)"] + counts.map(String.init)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "csv_oracle.py failed")
        return try text.split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(Document.self, from: Data($0))
        }
    }

    private func columns(_ count: Int) -> [Field] {
        [Field("k", .string), Field("t", .timestamp)]
            + (0..<count).map { Field("c\($0)", .string, isNullable: true) }
    }

    /// The texts of a row's columns after key and time; nil for null.
    private func cells(_ rows: DecodedRows, _ row: Int) -> [String?] {
        rows.columns.dropFirst(2).map { column in
            let text = show(column, row)
            return text == "null" ? nil : String(text.dropFirst().dropLast())
        }
    }

    @Test func filesOfPython() throws {
        let seed = TestSeed.value
        print("filesOfPython: seed \(seed)")
        var total = 0
        for document in try documents(seed, 300, 0) {
            let rows = try #require(document.rows)
            let separator = try #require(document.separator?.utf8.first)
            let (target, summary) = try importCSV(Array(document.text.utf8), separator: separator)
            #expect(summary.records == rows.count)
            #expect(summary.unreadable == 0)
            guard let count = rows.first?.count, summary.records == rows.count else { continue }
            let block = try target.block()
            var keys = KeyTable()
            let source = makeSource(
                columns(count - 2), format: .csv(CSVForm(separator: separator)))
            let decoded = makeDecoder(for: source).decode(
                block, rows: 0..<block.count, keys: &keys)
            #expect(decoded.faults.isEmpty, "\(document.text)")
            for (index, row) in rows.enumerated() {
                // Python does not tell an empty field from an empty text.
                #expect(cells(decoded, index).map { $0 ?? "" } == Array(row.dropFirst(2)))
            }
            total += rows.count
        }
        #expect(total > 3000)
    }

    @Test func rowsOfAllKinds() throws {
        let seed = TestSeed.value
        print("rowsOfAllKinds: seed \(seed)")
        var (good, bad) = (0, 0)
        for document in try documents(seed, 0, 6000) {
            let count = document.cells?.count ?? 3
            let source = makeSource(
                columns(count - 2), format: .csv(CSVForm(hasHeader: false)))
            var keys = KeyTable()
            let decoded = makeDecoder(for: source).decode(
                makeBlock([document.text]), rows: 0..<1, keys: &keys)
            if let expected = document.cells {
                #expect(decoded.faults.isEmpty, "\(document.text)")
                #expect(cells(decoded, 0) == Array(expected.dropFirst(2)), "\(document.text)")
                good += 1
            } else {
                #expect(reasons(decoded) == ["malformed"], "\(document.text)")
                bad += 1
            }
        }
        #expect(good > 1000 && bad > 1000)
    }
}
