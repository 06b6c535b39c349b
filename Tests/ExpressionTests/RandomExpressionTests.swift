import Columnar
import Expression
import Primitives
import TestKit
import Testing

/// Random expressions over random columns with nulls: kernels against the naive interpreter.
@Suite struct RandomExpressionTests {
    /// Columns: c0, c1 int (c1 with nulls), c2 decimal(2), c3 decimal(1) with nulls, c4 bool with
    /// nulls, c5 great ints that overflow.
    static let kinds: [Formula.Kind] = [.int, .int, .decimal(2), .decimal(1), .bool, .int]

    struct Generator {
        var random: RandomSource

        mutating func pick(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

        mutating func number(_ depth: Int) -> Formula {
            if depth == 0 || pick(5) == 0 {
                switch pick(7) {
                case 0: return .column(0, .int)
                case 1: return .column(1, .int)
                case 2: return .column(2, .decimal(2))
                case 3: return .column(3, .decimal(1))
                case 4: return .column(5, .int)
                case 5: return .int(pick(41) - 20)
                default: return .decimal(pick(401) - 200, scale: 1 + pick(2))
                }
            }
            switch pick(10) {
            case 0: return .negate(number(depth - 1))
            case 1: return .choose(boolean(depth - 1), number(depth - 1), number(depth - 1))
            case 2: return .chooseOrNull(boolean(depth - 1), number(depth - 1))
            case 3: return .round(small(depth - 1), pick(3))
            default: return arithmetic(depth)
            }
        }

        /// A number whose fractions stay short enough for the interpreter.
        mutating func small(_ depth: Int) -> Formula {
            .arithmetic(
                "/", .column(2, .decimal(2)),
                pick(2) == 0 ? .column(3, .decimal(1)) : .column(2, .decimal(2)))
        }

        mutating func arithmetic(_ depth: Int) -> Formula {
            let x = number(depth - 1)
            var y = number(depth - 1)
            var op = ["+", "-", "*", "/", "%"][pick(5)]
            // Two ratios make a double, and a ratio beside a great int leaves 128 bits.
            if y.kind == .ratio { y = .column(2, .decimal(2)) }
            if x.kind != .int || y.kind != .int, op == "%" { op = "+" }
            if op == "*", x.kind.scale + y.kind.scale > 6 { op = "-" }
            return .arithmetic(op, x, y)
        }

        mutating func boolean(_ depth: Int) -> Formula {
            if depth == 0 { return pick(4) == 0 ? .boolean(pick(2) == 0) : .column(4, .bool) }
            switch pick(8) {
            case 0: return .and(boolean(depth - 1), boolean(depth - 1))
            case 1: return .or(boolean(depth - 1), boolean(depth - 1))
            case 2: return .not(boolean(depth - 1))
            case 3: return .isNull(number(depth - 1))
            case 4: return .choose(boolean(depth - 1), boolean(depth - 1), boolean(depth - 1))
            default:
                let op = ["==", "!=", "<", "<=", ">", ">="][pick(6)]
                return .compare(op, number(depth - 1), number(depth - 1))
            }
        }
    }

    struct Data {
        var scope = Scope()
        var columns: [Column] = []
        var rows: [[Outcome]]

        init(rowCount: Int, random: inout RandomSource) {
            rows = Array(repeating: [], count: rowCount)
            let nullable = [false, true, false, true, true, false]
            var fields: [Field] = []
            for (index, kind) in kinds.enumerated() {
                var integers: [Int64] = []
                var bits = Bitmap(repeating: true, count: rowCount)
                for row in 0..<rowCount {
                    var value = Int64(random.next() % 61) - 30
                    if index == 5, random.next() % 8 == 0 {
                        value = [Int64.max, .min, 4_000_000_000][Int(random.next() % 3)]
                    }
                    integers.append(kind == .bool ? value & 1 : value)
                    if nullable[index], random.next() % 6 == 0 {
                        bits[row] = false
                        rows[row].append(.null)
                    } else if kind == .bool {
                        rows[row].append(.bool(value & 1 == 1))
                    } else {
                        rows[row].append(
                            .fraction(
                                Int128(value), Int128(Decimal.powerOfTen(kind.scale))))
                    }
                }
                let values: ColumnValues =
                    kind == .bool ? .bool(integers.map { $0 == 1 }) : .int64(integers)
                columns.append(Column(values, validity: nullable[index] ? bits : nil))
                let type: ValueType =
                    switch kind {
                    case .bool: .bool
                    case .decimal(let scale): .decimal(scale: scale, unit: nil)
                    default: .int
                    }
                fields.append(Field("c\(index)", type, isNullable: nullable[index]))
            }
            scope.add(Schema(name: "t", fields: fields), qualifier: "t", firstColumn: 0)
        }
    }

    static func outcome(_ column: Column, _ kind: Formula.Kind, _ row: Int) -> Outcome {
        guard column.isValid(row) else { return .null }
        switch column.values {
        case .bool(let values): return .bool(values[row])
        case .int64(let values):
            return .fraction(Int128(values[row]), Int128(Decimal.powerOfTen(kind.scale)))
        case .ratio(let values):
            return .fraction(values.numerators[row], values.denominators[row])
        default: return .null
        }
    }

    static func run(_ formula: Formula, _ data: Data, batch: Int) throws -> [Outcome] {
        let expression = try TypedExpression(formula.text, in: data.scope)
        let evaluator = Evaluator(Program([expression]))
        var results: [Outcome] = []
        var start = 0
        while start < data.rows.count {
            let end = min(start + batch, data.rows.count)
            let columns = data.columns.map { $0.slice(start..<end) }
            let result = evaluator.evaluate(columns, rowCount: end - start)
            var faults: [Int32: FaultCode] = [:]
            for fault in result.faults { faults[fault.row] = fault.code }
            for row in 0..<end - start {
                if let code = faults[Int32(row)] {
                    results.append(.fault(code.name))
                } else {
                    results.append(outcome(result.columns[0], formula.kind, row))
                }
            }
            start = end
        }
        return results
    }

    @Test(arguments: [(64, 300, [1, 2, 7, 2048]), (2100, 12, [1, 7, 2048])])
    func agreesWithInterpreter(rowCount: Int, formulas: Int, batches: [Int]) throws {
        let seed = TestSeed.value
        print("random expressions: seed \(seed)")
        var random = RandomSource(seed: seed)
        let data = Data(rowCount: rowCount, random: &random)
        var generator = Generator(random: random)
        for index in 0..<formulas {
            let depth = 1 + generator.pick(3)
            let formula =
                index % 2 == 0 ? generator.boolean(depth) : generator.number(depth)
            let expected = data.rows.map { formula.value($0) }
            for batch in batches {
                let found = try Self.run(formula, data, batch: batch)
                let wrong = found.indices.first { found[$0] != expected[$0] }
                if let wrong {
                    Issue.record(
                        """
                        seed \(seed), batch \(batch), row \(wrong): \(formula.text) \
                        is \(found[wrong]), not \(expected[wrong]), for \(data.rows[wrong])
                        """)
                    return
                }
            }
        }
    }
}
