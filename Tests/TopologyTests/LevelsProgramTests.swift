import Columnar
import Dataflow
import Expression
import Primitives
import Testing
import Topology

/// What the composed program of a ladder computes, against limits counted by hand.
@Suite struct LevelsProgramTests {
    /// Runs the ladder `levels` over masses in hundredths of a ton; gives outputs by column.
    private func run(_ levels: String, masses: [Int64]) throws -> [Column] {
        let text =
            Crane.sources + """
                steps:
                  - use: {from: load, lookup: {crane: device}, select: {m: crane.model}}
                  - a: {from: load, key: device, levels: {\(levels)}}
                sinks: [{from: a, topic: a}, {from: use, topic: u}]
                """
        let plan = try TopologyLoader.load(Crane.texts(text)).plan
        guard case .levels(let step)? = plan.steps.first(where: { $0.name == "a" })?.operation
        else { return [] }
        let count = masses.count
        var columns = [Column](repeating: Column(.null(count: count)), count: 6)
        columns[2] = Column(.int64(masses))
        columns[3] = Column(.int64(Array(repeating: 20, count: count)))
        columns[4] = Column(.int64(masses.map { $0 / 100 }))
        let result = Evaluator(step.program).evaluate(columns, rowCount: count)
        #expect(result.faults.isEmpty)
        return result.columns
    }

    private func bools(_ column: Column) -> [Bool]? {
        if case .bool(let values) = column.values { values } else { nil }
    }

    private func integers(_ column: Column) -> [Int64]? {
        if case .int64(let values) = column.values { values } else { nil }
    }

    @Test func above() throws {
        let columns = try run(
            "of: mass, raise: {low: 1.5, high: 2}, clear: {low: 1.455, high: 1.9}",
            masses: [145, 146, 149, 150, 189, 190, 199, 200])
        #expect(columns.count == 9)
        let (f, t) = (false, true)
        #expect(bools(columns[1]) == [f, f, f, t, t, t, t, t])
        #expect(bools(columns[2]) == [f, f, f, f, f, f, f, t])
        #expect(bools(columns[3]) == [t, f, f, f, f, f, f, f])
        #expect(bools(columns[4]) == [t, t, t, t, t, f, f, f])
        #expect(columns[5...8].map { integers($0)?.first } == [1500, 2000, 1455, 1900])
    }

    @Test func below() throws {
        let columns = try run(
            "of: mass, direction: below, raise: {low: 1.5}, clear: {low: 1.6}",
            masses: [149, 150, 151, 160, 161])
        #expect(bools(columns[1]) == [true, true, false, false, false])
        #expect(bools(columns[2]) == [false, false, false, false, true])
        #expect(columns[3...4].map { integers($0)?.last } == [15, 16])
    }

    /// 1.80 t over 2.0 m is exactly 0.9 t/m: the limit is reached. 1.79 is not.
    @Test func quotientsAreExact() throws {
        let columns = try run("of: mass / radius, raise: {low: 0.9}", masses: [179, 180, 181])
        #expect(bools(columns[1]) == [false, true, true])
        #expect(bools(columns[2]) == [true, false, false])
    }

    @Test func countsAgainstFractionsAndExpressions() throws {
        let whole = try run("of: falls, raise: {low: 2.5}", masses: [200, 300])
        #expect(bools(whole[1]) == [false, true])
        #expect(integers(whole[3]) == [25, 25])
        let moving = try run(
            "of: mass, raise: {low: mass - 0.01, high: 9}", masses: [800, 900])
        #expect(bools(moving[1]) == [true, true])
        #expect(bools(moving[2]) == [false, true])
        #expect(integers(moving[5]) == [799, 899])
        #expect(integers(moving[6]) == [900, 900])
    }
}
