import Connectors
import Dataflow
import Engine
import Primitives
import RecordLog
import Testing
import Topology

/// Sources of Avro and CloudEvents in whole topologies: their cases, and plans read back.
struct FormatSourceTests {
    private static let avsc = """
        {"type": "record", "name": "Load", "fields": [
          {"name": "device", "type": "string"}, {"name": "unread", "type": ["null", "bytes"]},
          {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-millis"}},
          {"name": "mass", "type": "double"}]}
        """

    private func files(_ format: String, fields: String, _ more: String = "") -> TopologyTexts {
        TopologyTexts([
            "topology.yaml": """
            topology: loads
            version: 1
            sources:
              load:
                topic: telemetry.load
                format: \(format)
                schema: load
                key: device
                time: {field: ts, disorder: 5s, lateness: 1m, ahead: 10m}
            steps:
              - heavy: {from: load, filter: load.mass >= 2.0}
            sinks:
              - {from: heavy, topic: heavy}
            """, "schemas/load.yaml": "schema: load\nfields: {\(fields)}",
            "schemas/telemetry.load-value/7.avsc": Self.avsc, "cases/a.yaml": more,
        ])
    }

    private static let plain = "device: string, ts: timestamp, mass: decimal(2) t"

    private func difference(_ files: TopologyTexts) throws -> String? {
        let plans = try TopologyLoader.load(files).plans
        let cases = try CaseFile.load(files, for: plans)
        #expect(cases.count == 1)
        return try CaseRunner(plans: plans).run(cases[0])
    }

    @Test func casesOfAvroAreJSON() throws {
        let found = try difference(
            files(
                "avro", fields: Self.plain,
                """
                case: a
                input:
                  - load: {device: C1, ts: "2026-03-02T08:00:01Z", mass: 2.50}
                  - load: {device: C1, ts: "2026-03-02T08:00:02Z", mass: 2.501}
                expect:
                  heavy: [{key: C1, mass: 2.5}]
                  rejects: [{source: load, reason: precision, row: 2}]
                """))
        #expect(found == nil, "\(found ?? "")")
    }

    @Test func casesOfCloudEventsAreWholeEvents() throws {
        let found = try difference(
            files(
                "cloudevents",
                fields: "device: {type: string, path: ce_subject},"
                    + " ts: {type: timestamp, path: ce_time}, mass: decimal(2) t",
                """
                case: a
                input:
                  - load: {specversion: "1.0", id: "1", source: /s, type: t, subject: C1,
                      time: "2026-03-02T08:00:01Z", data: {mass: 2.50}}
                  - load: {subject: C1, time: "2026-03-02T08:00:02Z", data: [1]}
                expect:
                  heavy: [{key: C1, mass: 2.5, ts: "2026-03-02T08:00:01Z"}]
                  rejects: [{source: load, reason: wrong-type, row: 2}]
                """))
        #expect(found == nil, "\(found ?? "")")
    }

    /// Records on the wire, under the plan of the files and under the plan of its stored text.
    @Test func storedPlansReadTheSameBytes() throws {
        let plan = try TopologyLoader.load(files("avro", fields: Self.plain)).plan
        let stored = try TopologyLoader.load(canonicalText: plan.canonicalText)[0]
        // Schema 7: "C1", null, 1 s after 1970, 2.5; then of a schema that nobody has.
        let frame: [UInt8] = [0, 0, 0, 0, 7, 4, 0x43, 0x31, 0, 0xD0, 0x0F]
        let mass: [UInt8] = [0, 0, 0, 0, 0, 0, 4, 0x40]
        for plan in [plan, stored] {
            let driver = TopologyDriver(plan: plan)
            try driver.append(
                source: 0,
                [frame + mass, [0, 0, 0, 0, 8] + frame.dropFirst(5) + mass].map {
                    OutputRecord(
                        timestamp: Timestamp.maximum / 1000, key: nil, value: $0, headers: [],
                        headerCount: 0)
                })
            try driver.merge()
            let records = driver.records(sink: 0)
            #expect(
                records.map { String(decoding: $0.value ?? [], as: UTF8.self) }
                    == [#"{"device":"C1","ts":"1970-01-01T00:00:01Z","mass":2.50}"#])
            #expect(driver.rejects.map { $0.header("plumbline.reason") } == ["unknown-schema"])
        }
    }
}
