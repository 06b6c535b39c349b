import Columnar
import Expression
import Foundation
import Primitives
import Testing

/// Time zones in expressions; the zones themselves are tested in PrimitivesTests.
@Suite struct ZoneExpressionTests {
    /// The table of the manual's section on time zones: what stands left gives what stands right.
    @Test func examplesOfTheManual() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(
            contentsOf: root.appendingPathComponent("docs/reference/expressions.md"),
            encoding: .utf8)
        let section = try #require(page.components(separatedBy: "## Time zones").last)
        let text = section.components(separatedBy: "\n## ")[0]
        var count = 0
        for line in text.split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.components(separatedBy: "`")
            let result = try evaluate("(\(cells[1])) == \(cells[3])")
            #expect(self.text(result) == "true", "\(line)")
            count += 1
        }
        #expect(count >= 6)
    }

    private func text(_ result: (type: ValueType, column: Column, faults: [RowFault])) -> String {
        result.faults.first.map { "fault \($0.code.name)" }
            ?? ExpressionTests.text(result.column, result.type)
    }

    /// Rows on both sides of a change of the clocks, before and after one another, and a null.
    @Test func rowsOfOneBatch() throws {
        var scope = Scope()
        scope.add(
            Schema(name: "s", fields: [Field("at", .timestamp, isNullable: true)]),
            qualifier: "s", firstColumn: 0)
        let times = try [
            "2026-03-29T00:59:59.999999Z", "2026-03-29T01:00:00Z", "2026-03-28T22:59:59Z",
            "2026-07-01T00:00:00Z", "2026-07-01T00:00:00Z", "2026-10-25T01:00:00Z",
        ].map { try #require(Timestamp.parse($0)) }
        var validity = Bitmap(repeating: true, count: times.count)
        validity[4] = false
        let columns = [Column(.int64(times), validity: validity)]
        let expected = [
            ("at.getHours('Europe/Berlin')", ["1", "3", "23", "2", "null", "2"]),
            (
                "localDate(at, 'Europe/Berlin')",
                ["2026-03-29", "2026-03-29", "2026-03-28", "2026-07-01", "null", "2026-10-25"]
            ),
            (
                "string(startOfDay(at, 'Europe/Berlin'))",
                [
                    "2026-03-28T23:00:00Z", "2026-03-28T23:00:00Z", "2026-03-27T23:00:00Z",
                    "2026-06-30T22:00:00Z", "null", "2026-10-24T22:00:00Z",
                ]
            ),
            (
                "string(startOfMonth(at, 'Asia/Shanghai'))",
                [
                    "2026-02-28T16:00:00Z", "2026-02-28T16:00:00Z", "2026-02-28T16:00:00Z",
                    "2026-06-30T16:00:00Z", "null", "2026-09-30T16:00:00Z",
                ]
            ),
        ]
        for (expression, values) in expected {
            let result = try evaluate(expression, scope, columns, rows: times.count)
            let found = times.indices.map {
                ExpressionTests.text(result.column, result.type, $0)
            }
            #expect(found == values, "\(expression)")
        }
    }

    @Test func theEndsOfTimeAreFaults() throws {
        let first = "timestamp('0001-01-01T00:00:00Z')"
        #expect(text(try evaluate("localDate(\(first), '-01:00')")) == "fault out-of-range")
        #expect(text(try evaluate("startOfDay(\(first), '-01:00')")) == "fault out-of-range")
        let last = "timestamp('9999-12-31T23:00:00Z')"
        #expect(text(try evaluate("localDate(\(last), '+02:00')")) == "fault out-of-range")
        #expect(text(try evaluate("localDate(\(last), 'UTC')")) == "9999-12-31")
    }

    @Test(
        arguments: [
            (
                "at.getHours('Asia/Beijing')", "there is no time zone 'Asia/Beijing'",
                "did you mean 'Asia/Shanghai'?"
            ),
            (
                "localDate(at, 'Asia/Shanghia')", "there is no time zone 'Asia/Shanghia'",
                "did you mean 'Asia/Shanghai'?"
            ),
            (
                "startOfDay(at, 'nowhere at all')", "there is no time zone 'nowhere at all'",
                "an IANA name such as 'Asia/Shanghai', or an offset such as '+08:00'"
            ),
            (
                "startOfDay(at, string(at))", "the time zone must be written out",
                "as in 'Asia/Shanghai' or '+08:00'"
            ),
            (
                "startOfDay(at)", "startOfDay is not defined for (timestamp)",
                "startOfDay(timestamp, 'Asia/Shanghai')"
            ),
            (
                "localDate('x', 'UTC')", "localDate is not defined for (string, string)",
                "localDate(timestamp, 'Asia/Shanghai')"
            ),
        ])
    func wrongZones(_ expression: String, _ message: String, _ hint: String) {
        var scope = Scope()
        scope.add(
            Schema(name: "s", fields: [Field("at", .timestamp)]), qualifier: "s", firstColumn: 0)
        let found = problems(expression, scope)
        #expect(found.map(\.message) == [message])
        #expect(found.map(\.hint) == [hint])
    }
}
