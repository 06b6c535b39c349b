import Columnar
import Expression
import Primitives
import Testing

/// Programs over the storage that batches really have: nulls, dictionaries, faults.
@Suite struct ProgramTests {
    static let point = ValueType.structure([
        Field("x", .decimal(scale: 1, unit: nil)), Field("y", .decimal(scale: 0, unit: nil)),
    ])

    static var scope: Scope {
        var scope = Scope()
        scope.add(
            Schema(
                name: "t",
                fields: [
                    Field("a", .int, isNullable: true), Field("b", .int),
                    Field("name", .string, isNullable: true),
                    Field("points", .list(point)), Field("limits", .map(key: .string, value: .int)),
                    Field("flag", .bool, isNullable: true), Field("real", .double),
                    Field("at", .timestamp), Field("pos", point),
                ]), qualifier: "t", firstColumn: 0)
        return scope
    }

    static func bits(_ values: [Bool]) -> Bitmap {
        var bits = Bitmap(repeating: false, count: values.count)
        for (index, value) in values.enumerated() { bits[index] = value }
        return bits
    }

    /// Four rows. `points` and `limits` stand behind dictionaries; list 0 is sound, list 1 does
    /// not ascend, list 2 is empty.
    static var columns: [Column] {
        let nodes = Column(
            .structure([Column(.int64([0, 10, 20, 5, 5])), Column(.int64([1, 3, 4, 0, 9]))]))
        let lists = Column(.list(ListValues(offsets: [0, 3, 5, 5], elements: nodes)))
        let maps = Column(
            .map(
                MapValues(
                    offsets: [0, 2, 2], keys: CraneData.strings(["lo", "hi"]),
                    values: Column(.int64([3, 7])))))
        return [
            Column(.int64([1, 2, 3, 4]), validity: bits([true, false, true, true])),
            Column(.int64([2, 0, 5, -1])),
            Column(
                .dictionary(
                    DictionaryValues(
                        indices: [0, 1, 0, 2], base: CraneData.strings(["C1", "é", "塔"]))),
                validity: bits([true, true, false, true])),
            Column(.dictionary(DictionaryValues(indices: [0, 1, 2, 0], base: lists))),
            Column(.dictionary(DictionaryValues(indices: [0, 1, 0, 0], base: maps))),
            Column(.null(count: 4)),
            Column(.double([0.5, -1.5, .nan, 1e300])),
            Column(.int64([0, 1_500_000, -1, 253_402_300_799_999_999])),
            Column(.structure([Column(.int64([10, 20, 30, 40])), Column(.int64([1, 2, 3, 4]))])),
        ]
    }

    @Test(
        arguments: [
            ("a + b", ["3", "null", "8", "3"]),
            ("b / (a - 1)", ["fault division-by-zero", "null", "2", "0"]),
            ("a > 1 || b == 0", ["false", "true", "true", "true"]),
            ("a > 1 && b == 0", ["false", "null", "false", "false"]),
            ("flag || true", ["true", "true", "true", "true"]),
            ("flag && true", ["null", "null", "null", "null"]),
            ("flag ? 1 : 1 / 0", ["null", "null", "null", "null"]),
            ("a == null", ["false", "true", "false", "false"]),
            ("has(name) && name == 'é'", ["false", "true", "false", "false"]),
            ("name + '!'", ["C1!", "é!", "null", "塔!"]),
            ("size(name)", ["2", "1", "null", "1"]),
            ("name.startsWith('C')", ["true", "false", "null", "false"]),
            (
                "interpolate(points, 1.5)",
                ["7/2", "fault invalid-argument", "fault invalid-argument", "7/2"]
            ),
            (
                "interpolate(points, 1)",
                ["3/1", "fault invalid-argument", "fault invalid-argument", "3/1"]
            ),
            (
                "interpolate(points, 2.01)",
                [
                    "fault out-of-range", "fault invalid-argument", "fault invalid-argument",
                    "fault out-of-range",
                ]
            ),
            ("size(points)", ["3", "2", "0", "3"]),
            ("points[1].y", ["3", "9", "fault index-out-of-bounds", "3"]),
            ("points[b].y", ["4", "0", "fault index-out-of-bounds", "fault index-out-of-bounds"]),
            ("limits['hi']", ["7", "fault no-such-key", "7", "7"]),
            ("limits.lo + b", ["5", "fault no-such-key", "8", "2"]),
            ("'hi' in limits ? limits['hi'] : -1", ["7", "-1", "7", "7"]),
            ("has(limits.hi)", ["true", "false", "true", "true"]),
            ("points.all(p, p.x >= 0.5)", ["false", "true", "true", "false"]),
            (
                "points.exists(p, p.y / b > 2)",
                ["false", "fault division-by-zero", "false", "false"]
            ),
            ("points.filter(p, p.y > b).size()", ["2", "1", "0", "3"]),
            ("points.map(p, p.y * b)[0]", ["2", "0", "fault index-out-of-bounds", "-1"]),
            (
                "points.map(p, points.exists(q, q.y > p.y && q.y > b))[0]",
                ["true", "true", "fault index-out-of-bounds", "true"]
            ),
            (
                "points.transformList(i, p, p.y + i)[1]",
                ["4", "10", "fault index-out-of-bounds", "4"]
            ),
            ("b in [0, 5]", ["false", "true", "true", "false"]),
            ("a in [1, null]", ["true", "null", "false", "false"]),
            ("[a, b][0]", ["1", "null", "3", "4"]),
            ("points == points", ["true", "true", "true", "true"]),
            ("points + points == points", ["false", "false", "true", "false"]),
            ("(b > 0 ? points : [points[0]])[0].y", ["1", "0", "fault index-out-of-bounds", "1"]),
            ("round(real, 0)", ["0", "-2", "fault overflow", "fault overflow"]),
            ("real == real", ["true", "true", "false", "true"]),
            ("int(real)", ["0", "-1", "fault overflow", "fault overflow"]),
            (
                "string(at)",
                [
                    "1970-01-01T00:00:00Z", "1970-01-01T00:00:01.500Z",
                    "1969-12-31T23:59:59.999999Z",
                    "9999-12-31T23:59:59.999999Z",
                ]
            ),
            ("at + duration('1us') > at", ["true", "true", "true", "fault out-of-range"]),
            ("at.getDate('+08:00')", ["1", "1", "1", "1"]),
            ("int(at)", ["0", "1", "-1", "253402300799"]),
            ("pos.x + 0.25", ["1.25", "2.25", "3.25", "4.25"]),
            ("max(a, b, 3)", ["3", "null", "5", "4"]),
            ("abs(b) + (-b)", ["0", "0", "0", "2"]),
            ("decimal(b, 2) / 3", ["2/3", "0/1", "5/3", "-1/3"]),
            ("string(decimal(b, 0) / 3)", ["0.667", "0.000", "1.667", "-0.333"]),
            ("int(decimal(b, 0) / 3)", ["0", "0", "1", "0"]),
            ("double(decimal(b, 0) / 4)", ["0.5", "0.0", "1.25", "-0.25"]),
            ("decimal(b, 1) / 3 + 1 / decimal(3, 0)", nil),
            (
                "9223372036854775807 + b",
                [
                    "fault overflow", "9223372036854775807", "fault overflow",
                    "9223372036854775806",
                ]
            ),
        ] as [(String, [String]?)])
    func rows(_ expression: String, _ expected: [String]?) throws {
        let columns = Self.columns
        let result = try evaluate(expression, Self.scope, columns, rows: 4)
        guard let expected else {
            // Two ratios in arithmetic give a double.
            #expect(result.type == .double)
            return
        }
        let found = (0..<4).map { row in
            result.faults.first { $0.row == Int32(row) }.map { "fault \($0.code.name)" }
                ?? text(result.column, result.type, row)
        }
        #expect(found == expected, "\(expression)")
        // Row by row: the same, whatever stands beside a row.
        for row in 0..<4 {
            let one = try evaluate(
                expression, Self.scope, columns.map { $0.gather([Int32(row)]) })
            let alone =
                one.faults.first.map { "fault \($0.code.name)" } ?? text(one.column, one.type)
            #expect(alone == expected[row], "\(expression), row \(row)")
        }
    }

    @Test func firstFaultingOutputWins() throws {
        let texts = ["b", "1 / b", "points[9]", "b + 1"]
        let program = Program(try texts.map { try TypedExpression($0, in: Self.scope) })
        let result = Evaluator(program).evaluate(Self.columns, rowCount: 4)
        #expect(result.columns.count == 4)
        #expect(result.faults.map(\.row) == [0, 1, 2, 3])
        #expect(result.faults.map(\.output) == [2, 1, 2, 2])
        #expect(result.faults[1].code == .divisionByZero)
    }

    @Test func evaluatorServesBatchesOfAnySize() throws {
        let program = Program([
            try TypedExpression("a == 2 ? null : (flag == null ? a + 40 : 0)", in: Self.scope),
            try TypedExpression("'x'", in: Self.scope),
            try TypedExpression("[1, 2]", in: Self.scope),
        ])
        let evaluator = Evaluator(program)
        for rows in [4, 1, 0, 3, 2, 4] {
            let columns = Self.columns.map { $0.slice(0..<rows) }
            let result = evaluator.evaluate(columns, rowCount: rows)
            #expect(result.columns.map(\.count) == [rows, rows, rows])
            #expect(result.faults.isEmpty)
            let found = (0..<rows).map { text(result.columns[0], .int, $0) }
            #expect(found == Array(["41", "null", "43", "44"].prefix(rows)))
        }
    }

    @Test func readsOnlyItsColumns() throws {
        let expression = try TypedExpression("at > timestamp(0) && t.b > 0", in: Self.scope)
        #expect(expression.columns == [1, 7])
        #expect(!expression.isNullable)
        #expect(try TypedExpression("a + b", in: Self.scope).isNullable)
    }

    @Test func numberBesideAValue() throws {
        let unit = Unit("t")
        let limit = try TypedExpression(
            "0.90", in: Self.scope, beside: .ratio(scale: 5, unit: unit))
        #expect(limit.type == .decimal(scale: 2, unit: unit))
        let other = try TypedExpression("b", in: Self.scope, beside: .decimal(scale: 2, unit: unit))
        #expect(other.type == .int)
    }

    @Test func emptyTablesGiveNulls() throws {
        let empty = Column(
            .dictionary(
                DictionaryValues(
                    indices: [0, 0],
                    base: Column(
                        .list(ListValues(offsets: [0], elements: Column(.null(count: 0))))))),
            validity: Bitmap(repeating: false, count: 2))
        var scope = Scope()
        scope.add(
            Schema(name: "t", fields: [Field("points", .list(Self.point), isNullable: true)]),
            qualifier: "t", firstColumn: 0)
        for expression in [
            "size(points)", "interpolate(points, 1)", "points[0].x", "points[0] == points[0]",
        ] {
            let result = try evaluate(expression, scope, [empty], rows: 2)
            #expect(result.faults.isEmpty, "\(expression)")
            #expect(text(result.column, result.type, 1) == "null", "\(expression)")
        }
    }
}
