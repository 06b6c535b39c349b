import Columnar
import Expression
import Primitives
import Testing

/// The crane's rule over a full batch: right for every row, and its cost printed.
@Suite struct SpeedTests {
    static let ratio = "load.mass / interpolate(crane.chart[load.falls], load.radius)"
    static let limits = [(">=", 90), (">=", 100), (">=", 110), ("<", 85), ("<", 95), ("<", 100)]

    static func program() throws -> Program {
        let texts =
            [ratio] + limits.map { "\(ratio) \($0.0) \(Decimal.text(Int64($0.1), scale: 2))" }
        return Program(try texts.map { try TypedExpression($0, in: CraneData.scope) })
    }

    /// The chart of ``CraneData`` by hand: capacity in kg × segment width, and the width.
    static func capacity(crane: Int, falls: Int64, radius: Int64) -> (Int128, Int128) {
        let radii: [Int64] = [300, 1000, 2000, 3000, 5000]
        let base: [Int64] = [10_000, 9_000, 5_000, 3_100, 1_700]
        let loads = base.map { load in
            crane == 0 ? (falls == 2 ? load : load * 2) : (falls == 2 ? load / 2 : load)
        }
        for index in 0..<4 where radius <= radii[index + 1] {
            let width = radii[index + 1] - radii[index]
            let sum =
                loads[index] * (radii[index + 1] - radius)
                + loads[index + 1] * (radius - radii[index])
            return (Int128(sum), Int128(width))
        }
        return (0, 1)
    }

    @Test func craneBatch() throws {
        let rows = Batch.maximumRowCount
        let columns = CraneData.columns(rows: rows)
        let evaluator = Evaluator(try Self.program())
        let result = evaluator.evaluate(columns, rowCount: rows)
        #expect(result.faults.isEmpty)
        guard case .int64(let mass) = columns[1].values,
            case .int64(let radius) = columns[2].values,
            case .int64(let falls) = columns[3].values
        else { return }
        for (index, limit) in Self.limits.enumerated() {
            guard case .bool(let found) = result.columns[index + 1].values else {
                Issue.record("output \(index + 1) is not bool")
                return
            }
            var wrong = 0
            for row in 0..<rows {
                let (load, width) = Self.capacity(
                    crane: row & 1, falls: falls[row], radius: radius[row])
                // mass × 10 kg / (load / width kg) against limit / 100.
                let left = Int128(mass[row]) * 10 * width * 100
                let right = Int128(limit.1) * load
                if found[row] != (limit.0 == "<" ? left < right : left >= right) { wrong += 1 }
            }
            #expect(wrong == 0, "\(limit)")
        }
        var best = Duration.seconds(1000)
        for _ in 0..<20 {
            let time = ContinuousClock().measure {
                for _ in 0..<5 { _ = evaluator.evaluate(columns, rowCount: rows) }
            }
            best = min(best, time)
        }
        let nanoseconds = Double(best.components.attoseconds) / 1e9 / Double(rows * 5)
        print("crane ratio and six comparisons: \(nanoseconds) ns a row")
    }
}
