import Dataflow
import Engine
import Testing
import Topology

/// Cases of a topology that reads CSV.
struct CSVSourceTests {
    private static let schema = """
        schema: load
        fields:
          device: string
          ts: timestamp
          mass: {type: decimal(2) t, path: "Mass [t]"}
          note: string?
        """

    private func topology(_ format: String) -> String {
        """
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
        """
    }

    private func difference(_ format: String, _ input: String, _ expect: String) throws -> String? {
        let files = TopologyTexts([
            "topology.yaml": topology(format), "schemas/load.yaml": Self.schema,
            "cases/a.yaml": "case: a\ninput:\n\(input)\nexpect:\n\(expect)\n",
        ])
        let plan = try TopologyLoader.load(files).plan
        let cases = try CaseFile.load(files, for: [plan])
        #expect(cases.count == 1)
        return try CaseRunner(plans: [plan]).run(cases[0])
    }

    /// A mapping names its columns; a text has those of the schema.
    @Test(arguments: ["csv", "{csv: {separator: \";\"}}", "{csv: {separator: tab, header: false}}"])
    func mappingsAndTexts(format: String) throws {
        let separator = format == "csv" ? "," : format.contains(";") ? ";" : "\\t"
        let text = ["C2", "2026-03-02T08:00:02Z", "2.00", ""].joined(separator: separator)
        let broken = ["C2", "2026-03-02T08:00:03Z", "2.001", ""].joined(separator: separator)
        let found = try difference(
            format,
            """
              - load:
                  device: "C,;1"
                  "Mass [t]": 3.50
                  note: "say \\"so\\"\\n"
                  ts: "2026-03-02T08:00:01Z"
              - load: "\(text)"
              - load: "\(broken)"
              - load: {device: C3, ts: "2026-03-02T08:00:04Z", "Mass [t]": 1.99, note: null}
              - load: {device: C4, ts: "2026-03-02T08:00:05Z", note: ""}
            """,
            """
              heavy:
                - {key: "C,;1", time: "2026-03-02T08:00:01Z", mass: 3.5, note: "say \\"so\\"\\n"}
                - {key: C2, time: "2026-03-02T08:00:02Z", mass: 2, note: null}
              rejects:
                - {source: load, reason: precision, row: 3}
                - {source: load, reason: missing-field, row: 5}
            """)
        #expect(found == nil, "\(found ?? "")")
    }
}
