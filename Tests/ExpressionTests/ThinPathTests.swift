import Columnar
import Expression
import Primitives
import Testing

@Suite struct ThinPathTests {
    @Test func craneRatio() throws {
        let columns = CraneData.columns(rows: 4)
        let ratio = "load.mass / interpolate(crane.chart[load.falls], load.radius)"
        let result = try evaluate(ratio, CraneData.scope, columns, rows: 4)
        #expect(result.faults.isEmpty)
        #expect(result.type == .ratio(scale: 5, unit: nil))
        // Row 1: mass 0.37, radius 3.53, falls 2, second chart: 5 − 0.5 × 0.53 / 7 = 4.962142…
        // = 34.735 / 7; 0.37 / that = 2.59 / 34.735.
        #expect(text(result.column, result.type, 0) == "0/1")
        #expect(text(result.column, result.type, 1) == "518/6947")
        let alarm = try evaluate("\(ratio) >= 0.07", CraneData.scope, columns, rows: 4)
        #expect(text(alarm.column, alarm.type, 1) == "true")
        #expect(text(alarm.column, alarm.type, 0) == "false")
    }

    @Test(arguments: [
        ("load.mass * 0.9", "0.333"), ("load.mass + 1", "1.37"), ("-load.mass", "-0.37"),
        ("load.mass > 0.37", "false"), ("load.mass >= 0.370", "true"),
        ("load.mass / 0", "fault division-by-zero"),
        ("load.mass / 0 > 1 || true", "true"), ("load.falls / 0 > 1 && false", "false"),
        ("load.falls > 1 ? load.mass : null", "0.37"),
        ("load.falls > 9 ? load.mass : null", "null"),
        ("load.mass * load.radius", "1.3061"), ("round(load.mass, 1)", "0.4"),
        ("crane.chart[load.falls][0].capacity", "5.000"),
        ("crane.chart[7][0].capacity", "fault no-such-key"),
        ("crane.chart[2][9].capacity", "fault index-out-of-bounds"),
        ("interpolate(crane.chart[2], 99)", "fault out-of-range"),
        ("interpolate(crane.chart[2], 50.000)", "17/20"),
        ("crane.chart[2].exists(p, p.capacity > 4.9)", "true"),
        ("crane.chart[2].map(p, p.capacity * 2)[1]", "9.000"),
        ("size(crane.chart)", "2"), ("has(load.percent) && load.percent != null", "true"),
        ("string(load.mass)", "0.37"), ("to(load.mass, \"kg\")", "370.00"),
        ("min(load.mass, 0.1)", "0.10"),
    ])
    func rows(_ expression: String, _ expected: String) throws {
        let result = try evaluate(
            expression, CraneData.scope, CraneData.columns(rows: 2), rows: 2)
        let fault = result.faults.first { $0.row == 1 }
        let found = fault.map { "fault \($0.code.name)" } ?? text(result.column, result.type, 1)
        #expect(found == expected, "\(expression)")
    }
}
