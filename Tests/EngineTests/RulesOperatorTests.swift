import Dataflow
import Engine
import Primitives
import Testing
import Topology

/// Look-ups of rules on rows: which row holds, and what is said when none does.
@Suite struct RulesOperatorTests {
    private static let rules = """
        rules: limits
        scope: {region: string, floor: int}
        values: {top: decimal(1), basis: string?}
        rows:
          - {region: "*", floor: "*", from: "2026-01-01T00:00Z", to: "2026-01-02T00:00Z", top: 1}
          - {region: a, floor: "*", from: "2026-01-01T00:00Z", to: "2026-01-01T12:00Z", top: 2}
          - {region: "*", floor: 3, from: "2026-01-01T00:00Z", top: 3, basis: three}
          - {region: a, floor: 3, from: "2026-01-01T06:00Z", top: 4}
        """

    private static let topology = """
        topology: t
        version: 1
        rules: {limits: limits}
        sources:
          s:
            topic: in
            schema: s
            key: k
            time: {field: at, disorder: 0s, lateness: 0s, ahead: 1d}
        steps:
          - found:
              from: s
              lookup: {limits: {region: s.region, floor: s.floor}}
              select: {n: s.n, top: limits.top, basis: limits.basis}
        sinks:
          - {from: found, topic: out, codec: none}
        """

    private static let schema = """
        schema: s
        fields: {k: string, at: timestamp, n: int, region: string?, floor: int?}
        """

    /// Rows as `time region floor`, a dash for null; what each gives.
    private static let rows: [(row: String, result: String)] = [
        ("2026-01-01T00:00:00Z b 1", "1.0 null"),
        ("2026-01-01T00:00:00Z a 1", "2.0 null"),
        ("2026-01-01T11:59:59.999999Z a 1", "2.0 null"),
        ("2026-01-01T12:00:00Z a 1", "1.0 null"),
        // Two rows that name one field each: region stands before floor.
        ("2026-01-01T05:00:00Z a 3", "2.0 null"),
        ("2026-01-01T06:00:00Z a 3", "4.0 null"),
        ("2026-01-01T06:00:00Z b 3", "3.0 three"),
        ("2026-01-01T06:00:00Z - 3", "3.0 three"),
        ("2026-01-01T06:00:00Z - -", "1.0 null"),
        ("2026-01-02T00:00:00Z b 3", "3.0 three"),
        (
            "2025-12-31T23:59:59.999999Z a 3",
            "limits has no rule for region 'a', floor '3' at 2025-12-31T23:59:59.999999Z"
        ),
        (
            "2026-01-02T00:00:00Z c -",
            "limits has no rule for region 'c', floor null at 2026-01-02T00:00:00Z"
        ),
    ]

    @Test(arguments: [1, 2, 7, 2048])
    func theRuleThatHolds(batchRows: Int) throws {
        let plan = try TopologyLoader.load(
            TopologyTexts([
                "topology.yaml": Self.topology, "schemas/s.yaml": Self.schema,
                "rules/limits.yaml": Self.rules,
            ])
        ).plan
        // As a run reads it from its log.
        let stored = try TopologyLoader.load(canonicalText: plan.canonicalText)[0]
        for plan in [plan, stored] {
            var options = TaskOptions()
            options.batchRows = batchRows
            let driver = TopologyDriver(plan: plan, options: options)
            for (number, row) in Self.rows.enumerated() {
                let parts = row.row.split(separator: " ")
                let region = parts[1] == "-" ? "null" : "\"\(parts[1])\""
                let floor = parts[2] == "-" ? "null" : "\(parts[2])"
                let text = """
                    {"k":"x","at":"\(parts[0])","n":\(number),"region":\(region),"floor":\(floor)}
                    """
                try driver.append(
                    source: 0,
                    [
                        OutputRecord(
                            timestamp: Timestamp.maximum / 1000, key: nil, value: Array(text.utf8),
                            headers: [], headerCount: 0)
                    ])
            }
            try driver.merge()
            var found = Array(repeating: "nothing", count: Self.rows.count)
            for record in driver.records(sink: 0) {
                let text = String(decoding: record.value ?? [], as: UTF8.self)
                let value = JSONReader.read(text)
                let number = Int(value?["n"]?.text ?? "") ?? 0
                let basis = value?["basis"]?.text.filter { $0 != "\"" } ?? ""
                found[number] = "\(value?["top"]?.text ?? "") \(basis)"
            }
            for reject in driver.rejects {
                #expect(reject.header("plumbline.reason") == "unmatched")
                let value = JSONReader.read(String(decoding: reject.value ?? [], as: UTF8.self))
                found[Int(value?["n"]?.text ?? "") ?? 0] = reject.header("plumbline.detail") ?? ""
            }
            #expect(found == Self.rows.map(\.result))
        }
    }
}
