import Columnar
import Expression
import Foundation
import Primitives
import Testing

/// Results computed by Python's fractions (Fixtures/exact/exact.py).
@Suite struct ExactTests {
    static let lines: [(String, String)] = {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/exact/exact.tsv")
        let text = (try? String(contentsOf: url, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map { line in
            let parts = line.split(separator: "\t")
            return (String(parts[0]), String(parts[1]))
        }
    }()

    @Test func arithmeticAndRounding() throws {
        var count = 0
        for (expression, expected) in Self.lines where !expression.hasPrefix("interpolate ") {
            let result = try evaluate(expression)
            let found =
                result.faults.first.map { "fault \($0.code.name)" }
                ?? text(result.column, result.type)
            #expect(found == expected, "\(expression)")
            count += 1
        }
        #expect(count > 800)
    }

    @Test func interpolation() throws {
        var count = 0
        for (line, expected) in Self.lines where line.hasPrefix("interpolate ") {
            let parts = line.split(separator: " ").map(String.init)
            let points = parts[3].split(separator: ";").map {
                $0.split(separator: ",").compactMap { Int64($0) }
            }
            let found = try interpolate(
                points, xScale: Int(parts[1]) ?? 0, yScale: Int(parts[2]) ?? 0,
                value: Int64(parts[4]) ?? 0, scale: Int(parts[5]) ?? 0)
            #expect(found == expected, "\(line)")
            count += 1
        }
        #expect(count == 200)
    }

    private func interpolate(
        _ points: [[Int64]], xScale: Int, yScale: Int, value: Int64, scale: Int
    ) throws -> String {
        let x = ValueType.decimal(scale: xScale, unit: nil)
        let y = ValueType.decimal(scale: yScale, unit: nil)
        let chart = ValueType.list(.structure([Field("x", x), Field("y", y)]))
        let schema = Schema(
            name: "t",
            fields: [Field("chart", chart), Field("v", .decimal(scale: scale, unit: nil))])
        var scope = Scope()
        scope.add(schema, qualifier: "t", firstColumn: 0)
        let nodes = Column(
            .structure([
                Column(.int64(points.map { $0[0] })), Column(.int64(points.map { $0[1] })),
            ]))
        let lists = Column(
            .list(ListValues(offsets: [0, Int32(points.count)], elements: nodes)))
        let result = try evaluate(
            "interpolate(chart, v)", scope, [lists, Column(.int64([value]))])
        return result.faults.first.map { "fault \($0.code.name)" }
            ?? text(result.column, result.type)
    }
}
