import Engine
import Foundation
import Primitives
import TestKit
import Testing
import Topology

/// `leq`, `stddev` and `timeMean` against exact arithmetic in Python (Fixtures/aggregates.py).
@Suite struct AggregateTests {
    struct Vector {
        var function: String
        var digits: Int
        /// Milliseconds in the window and value.
        var rows: [(time: Int64, value: String)]
        var result: String
    }

    static func vectors() throws -> [Vector] {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/aggregates.tsv")
        return try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map { line in
            let cells = line.split(separator: "\t")
            return Vector(
                function: String(cells[0]), digits: Int(cells[1]) ?? 0,
                rows: cells[2].split(separator: " ").map { row in
                    let parts = row.split(separator: ":")
                    return (Int64(parts[0]) ?? 0, String(parts[1]))
                }, result: String(cells[3]))
        }
    }

    private static let start: Int64 = 1_767_225_600_000

    private func plan(_ function: String, _ digits: Int, _ window: String) throws -> LoadedTopology
    {
        try TopologyLoader.load(
            TopologyTexts([
                "schemas/s.yaml": """
                schema: s
                fields: {k: int, at: timestamp, x: decimal(\(digits))}
                """,
                "topology.yaml": """
                topology: t
                version: 1
                sources:
                  s:
                    topic: in
                    schema: s
                    key: k
                    time: {field: at, disorder: 10m, lateness: 0s, ahead: 1d, clock: key,
                      abandon: 1h}
                steps:
                  - w:
                      from: s
                      key: k
                      window:
                        \(window)
                        aggregate: {r: \(function)(s.x)}
                sinks:
                  - {from: w, topic: out, codec: none}
                """,
            ]))
    }

    /// The result of each key's first window that ends at `end`, by key.
    private func results(
        _ vectors: [Vector], window: String, end: String, batchRows: Int
    ) throws -> [String] {
        var options = TaskOptions()
        options.batchRows = batchRows
        let plan = try plan(vectors[0].function, vectors[0].digits, window).plan
        let driver = TopologyDriver(plan: plan, options: options)
        for (key, vector) in vectors.enumerated() {
            try driver.append(
                source: 0,
                vector.rows.map { row in
                    let time = Self.start + row.time
                    let text = "{\"k\":\(key),\"at\":\(time),\"x\":\(row.value)}"
                    return OutputRecord(
                        timestamp: Self.start + 600_000, key: nil, value: Array(text.utf8),
                        headers: [], headerCount: 0)
                })
        }
        try driver.merge()
        try driver.flush()
        #expect(driver.rejects.isEmpty)
        var results = Array(repeating: "nothing", count: vectors.count)
        for record in driver.records(sink: 0) {
            let text = String(decoding: record.value ?? [], as: UTF8.self)
            guard text.contains("\"windowEnd\":\"\(end)\""),
                case .object(let members)? = JSONReader.read(text)
            else { continue }
            let key = Int(members[0].value.text) ?? 0
            results[key] = members.last?.value.text ?? ""
        }
        return results
    }

    @Test(arguments: [1, 7, 2048])
    func agreeWithExactArithmetic(batchRows: Int) throws {
        let groups = Dictionary(grouping: try Self.vectors()) { "\($0.function) \($0.digits)" }
        #expect(groups.count == 12)
        for (name, group) in groups.sorted(by: { $0.key < $1.key }) {
            let found = try results(
                group, window: "tumbling: 10m", end: "2026-01-01T00:10:00Z", batchRows: batchRows)
            #expect(found == group.map(\.result), "\(name)")
        }
    }

    /// Panes of a hopping window, merged, give what one pane gives.
    @Test func panesMerge() throws {
        let groups = Dictionary(grouping: try Self.vectors()) { "\($0.function) \($0.digits)" }
        for (name, group) in groups.sorted(by: { $0.key < $1.key }) {
            let found = try results(
                group, window: "hopping: {size: 10m, every: 30s}", end: "2026-01-01T00:10:00Z",
                batchRows: 7)
            #expect(found == group.map(\.result), "\(name)")
        }
    }

    /// Rows of one window, one after the other, and what comes out.
    private func records(
        _ type: String, _ aggregate: String, _ values: [String]
    ) throws -> (records: [String], rejects: [String]) {
        let loaded = try TopologyLoader.load(
            TopologyTexts([
                "schemas/s.yaml": "schema: s\nfields: {k: string, at: timestamp, x: \(type)}\n",
                "topology.yaml": """
                topology: t
                version: 1
                sources:
                  s:
                    topic: in
                    schema: s
                    key: k
                    time: {field: at, disorder: 0s, lateness: 1h, ahead: 1d}
                steps:
                  - w:
                      from: s
                      key: k
                      window: {tumbling: 10m, aggregate: {r: "\(aggregate)"}}
                sinks:
                  - {from: w, topic: out, codec: none}
                """,
            ]))
        let driver = TopologyDriver(plan: loaded.plan)
        for (index, value) in values.enumerated() {
            let time = Self.start + 1000 * Int64(index)
            let text = "{\"k\":\"a\",\"at\":\(time),\"x\":\(value)}"
            try driver.append(
                source: 0,
                [
                    OutputRecord(
                        timestamp: time, key: nil, value: Array(text.utf8), headers: [],
                        headerCount: 0)
                ])
        }
        try driver.merge()
        try driver.flush()
        return (
            driver.records(sink: 0).map {
                JSONReader.read(String(decoding: $0.value ?? [], as: UTF8.self))?["r"]?.text ?? ""
            }, driver.rejects.map { $0.header("plumbline.reason") ?? "" }
        )
    }

    @Test func doublesAndNulls() throws {
        let values = ["2.0", "null", "4.0", "9.0"]
        #expect(try records("double?", "stddev(s.x)", values).records == ["3.605551275463989"])
        // 2 for 2 s, 4 for 1 s, 9 for the 597 s that are left.
        let mean = 5381.0 / 600.0
        #expect(try records("double?", "timeMean(s.x)", values).records == ["\(mean)"])
        #expect(try records("double?", "timeMean(s.x)", ["null"]).records == ["null"])
        #expect(try records("int?", "leq(s.x)", ["null"]).records == ["null"])
        #expect(try records("int?", "stddev(s.x)", ["3", "null"]).records == ["null"])
        #expect(try records("int", "stddev(s.x)", ["1", "3"]).records == ["1.414"])
    }

    @Test func levelsThatAreNone() throws {
        let found = try records(
            "\"decimal(1) dB[SPL]\"", "leq(s.x)", ["70.0", "200.1", "-100.1", "73.0"])
        #expect(found.rejects == ["out-of-range", "out-of-range"])
        #expect(found.records == ["71.754"])
    }

    @Test(
        arguments: [
            ("\"decimal(1) t\"", "leq(s.x)", "leq() does not take decimal(1) t"),
            ("double", "leq(s.x)", "leq() does not take double"),
            ("\"decimal(9)\"", "leq(s.x)", "leq() does not take decimal(9)"),
            ("string", "stddev(s.x)", "stddev() does not take string"),
            ("int", "timeMean(s.x / decimal(3, 0))", "timeMean() does not take ratio(3)"),
        ])
    func wrongInputs(type: String, aggregate: String, message: String) {
        #expect {
            try records(type, aggregate, [])
        } throws: { error in
            (error as? DiagnosticList)?.diagnostics.map(\.message) == [message]
        }
    }
}
