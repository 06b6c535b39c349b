import Connectors
import Engine
import Primitives
import RecordLog
import Testing
import Topology

/// `arrival:` in a source's time: when a record came, as a field.
struct ArrivalTests {
    private func driver(_ format: String = "json", steps: String = "") throws -> TopologyDriver {
        let files = TopologyTexts([
            "topology.yaml": """
            topology: lags
            version: 1
            sources:
              load:
                topic: loads
                format: \(format)
                schema: load
                key: device
                time: {field: ts, disorder: 5s, lateness: 1h, ahead: 10m, arrival: arrived}
            \(steps)
            """,
            "schemas/load.yaml": """
            schema: load
            fields: {device: string, ts: timestamp, note: string?}
            """,
        ])
        return TopologyDriver(plan: try TopologyLoader.load(files).plan)
    }

    /// Timestamps and arrival headers in milliseconds after 2026-03-02T08:00:00Z.
    private func append(
        _ rows: [(value: String, timestamp: Int64, arrival: Int64?)], to driver: TopologyDriver
    ) throws {
        let start: Int64 = 1_772_438_400_000
        try driver.append(
            source: 0,
            rows.map { row in
                var headers: [UInt8] = []
                if let arrival = row.arrival {
                    RecordHeader(RecordHeaders.arrival, "\(start + arrival)").encode(into: &headers)
                }
                return OutputRecord(
                    timestamp: start + row.timestamp, key: nil, value: Array(row.value.utf8),
                    headers: headers, headerCount: row.arrival == nil ? 0 : 1)
            })
        try driver.merge()
    }

    private func values(_ driver: TopologyDriver) -> [String] {
        driver.records(sink: 0).map { String(decoding: $0.value ?? [], as: UTF8.self) }
    }

    private static let lag = """
        steps:
          - lag:
              from: load
              filter: load.arrived - load.ts >= duration("1s")
              select: {arrived: arrived, seconds: (load.arrived - load.ts).getSeconds()}
        sinks: [{from: lag, topic: lags}]
        """

    @Test func headerElseTimestamp() throws {
        let driver = try driver(steps: Self.lag)
        // A field of that name in the value is not it.
        let value = #"{"device":"C1","ts":"2026-03-02T08:00:00Z","arrived":"2020-01-01T00:00:00Z"}"#
        try append(
            [(value, 5_000, 28_800_000), (value, 2_000, nil), (value, 500, nil), (value, 0, 999)],
            to: driver)
        #expect(
            values(driver) == [
                #"{"device":"C1","arrived":"2026-03-02T16:00:00Z","seconds":28800}"#,
                #"{"device":"C1","arrived":"2026-03-02T08:00:02Z","seconds":2}"#,
            ])
    }

    /// Rows of CSV without a header have as many columns as the schema, not one more.
    @Test func besideRowsOfCSV() throws {
        let driver = try driver("{csv: {header: false}}", steps: Self.lag)
        try append([("C1,2026-03-02T08:00:00Z,x", 3_000, nil)], to: driver)
        #expect(
            values(driver) == [
                #"{"device":"C1","arrived":"2026-03-02T08:00:03Z","seconds":3}"#
            ])
    }

    /// A sink of the source itself writes it as its last field.
    @Test func ofTheSourceItself() throws {
        let driver = try driver(steps: "sinks: [{from: load, topic: all}]")
        try append([(#"{"device":"C1","ts":"2026-03-02T08:00:00Z"}"#, 1_500, nil)], to: driver)
        #expect(
            values(driver) == [
                #"{"device":"C1","ts":"2026-03-02T08:00:00Z","note":null,"#
                    + #""arrived":"2026-03-02T08:00:01.500Z"}"#
            ])
    }

    /// A clock that is ahead by whole hours is told from one that is merely wrong.
    @Test func aheadByWholeHours() throws {
        let driver = try driver(steps: Self.lag)
        let value = #"{"device":"C1","ts":"2026-03-02T08:00:00Z"}"#
        let hour: Int64 = 3_600_000
        try append(
            [
                (value, -8 * hour, nil), (value, -8 * hour - 600_000, nil),
                (value, -8 * hour - 600_001, nil), (value, -24 * hour, nil),
                (value, -601_000, nil),
            ], to: driver)
        let texts = [
            "28800000 ms ahead of the record's arrival: about 8 h, a wrong time zone?",
            "29400000 ms ahead of the record's arrival: about 8 h, a wrong time zone?",
            "29400001 ms ahead of the record's arrival",
            "86400000 ms ahead of the record's arrival",
            "601000 ms ahead of the record's arrival",
        ]
        #expect(
            driver.rejects.map { $0.header("plumbline.detail") }
                == texts.map { "the time is \($0)" })
    }
}
