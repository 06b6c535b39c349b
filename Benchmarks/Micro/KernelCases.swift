import Columnar
import Expression
import Primitives

/// One expression a kernel, over columns of a full batch: the kernel and what the evaluator adds.
let kernelCases =
    KernelColumns.expressions.map { name, text in
        MicroEntry("kernels: \(name)") { try kernelCase(text) }
    } + [MicroEntry("kernels: gather half of 13 columns", gatherCase)]

private func kernelCase(_ text: String) throws -> MicroCase {
    let columns = KernelColumns()
    let expression = try TypedExpression(text, in: columns.scope)
    let evaluator = Evaluator(Program([expression]))
    let last = Box<Evaluation?>(nil)
    return MicroCase(
        count: Batch.maximumRowCount,
        result: {
            var digest = Digest()
            for column in last.value?.columns ?? [] { digest.add(column) }
            digest.add(last.value?.faults.count ?? 0)
            return digest
        },
        run: { _ in
            last.value = evaluator.evaluate(
                columns.columns, rowCount: Batch.maximumRowCount, readsByRow: true)
        })
}

/// What a filter does with the rows that stay: every other row of all columns.
@Sendable private func gatherCase() -> MicroCase {
    let columns = KernelColumns().columns
    let rows = (0..<Int32(Batch.maximumRowCount)).filter { $0 % 2 == 0 }
    let batch = Batch(
        columns: columns, times: Array(repeating: 7, count: Batch.maximumRowCount),
        keys: Array(repeating: 3, count: Batch.maximumRowCount))
    let last = Box<Batch?>(nil)
    return MicroCase(
        count: Batch.maximumRowCount,
        result: {
            var digest = Digest()
            if let batch = last.value { digest.add(batch) }
            return digest
        },
        run: { _ in last.value = batch.gather(rows) })
}

/// A batch with a column of every type that kernels take.
private struct KernelColumns {
    let columns: [Column]
    let scope: Scope

    static let expressions: [(name: String, text: String)] = [
        ("int + int", "n + m"),
        ("int * int", "n * m"),
        ("int / int", "n / m"),
        ("int < int", "n < m"),
        ("int == constant", "n == 17"),
        ("decimal(2) + decimal(3)", "mass + load"),
        ("decimal * int constant", "mass * 3"),
        ("decimal < decimal constant", "mass < 2.5"),
        ("decimal(2) < decimal(3)", "mass < load"),
        ("decimal / decimal (ratio)", "mass / load"),
        ("ratio >= decimal", "mass / load >= 0.9"),
        ("ratio * decimal", "(mass / load) * mass"),
        ("round(ratio, 3)", "round(mass / load, 3)"),
        ("interpolate", "interpolate(chart, radius)"),
        ("decimal / interpolate >= decimal", "load / interpolate(chart, radius) >= 0.9"),
        ("double * double", "x * y"),
        ("double < double", "x < y"),
        ("bool && bool", "a && b"),
        ("!bool || bool", "!a || b"),
        ("a ? n : m", "a ? n : m"),
        ("nullable + int", "maybe + n"),
        ("nullable == null", "maybe == null"),
        ("string == constant", "name == 'crane-17'"),
        ("startsWith", "name.startsWith('crane-1')"),
        ("string + string", "name + '/' + name"),
        ("timestamp < timestamp", "ts < timestamp('2026-03-01T00:00:00Z')"),
        ("timestamp - timestamp", "ts - timestamp('2026-03-01T00:00:00Z')"),
        ("getHours in UTC", "ts.getHours()"),
        ("getHours in a zone", "ts.getHours('Asia/Shanghai')"),
        ("int to double", "double(n)"),
        ("decimal to double", "double(mass)"),
        ("list element", "chart[2].capacity"),
        ("exists over 10 elements", "chart.exists(p, p.radius > radius)"),
        ("two comparisons and an addition", "mass > 1.0 && radius < 40.0 && n + m > 5"),
    ]

    init() {
        var random = RandomSource(seed: 7)
        func numbers(_ range: ClosedRange<Int>) -> [Int64] {
            (0..<Batch.maximumRowCount).map { _ in Int64(random.int(in: range)) }
        }
        func flags() -> [Bool] { numbers(0...1).map { $0 == 1 } }
        let metre = Unit("m")
        let tonne = Unit("t")
        let point: ValueType = .structure([
            Field("radius", .decimal(scale: 2, unit: metre)),
            Field("capacity", .decimal(scale: 3, unit: tonne)),
        ])
        var names = ByteValues()
        for number in numbers(0...99) { names.append("crane-\(number)".utf8) }
        let fields: [(Field, ColumnValues)] = [
            (Field("n", .int), .int64(numbers(0...1000))),
            (Field("m", .int), .int64(numbers(1...1000))),
            (Field("mass", .decimal(scale: 2, unit: tonne)), .int64(numbers(1...600))),
            (Field("load", .decimal(scale: 3, unit: tonne)), .int64(numbers(1...6000))),
            (Field("radius", .decimal(scale: 2, unit: metre)), .int64(numbers(250...5000))),
            (Field("x", .double), .double(numbers(0...9999).map { Double($0) / 7 })),
            (Field("y", .double), .double(numbers(0...9999).map { Double($0) / 3 })),
            (Field("a", .bool), .bool(flags())),
            (Field("b", .bool), .bool(flags())),
            (Field("name", .string), .bytes(names)),
            (Field("ts", .timestamp), .int64(numbers(0...86_400).map { Self.noon + $0 * 997_000 })),
            (Field("chart", .list(point)), Self.chart),
        ]
        var validity = Bitmap(repeating: true, count: Batch.maximumRowCount)
        for row in stride(from: 0, to: Batch.maximumRowCount, by: 5) { validity[row] = false }
        columns =
            fields.map { Column($0.1) }
            + [Column(.int64(numbers(0...1000)), validity: validity)]
        let schema = Schema(
            name: "k", fields: fields.map(\.0) + [Field("maybe", .int, isNullable: true)])
        var scope = Scope()
        scope.add(schema, qualifier: "k", firstColumn: 0)
        self.scope = scope
    }

    private static let noon: Int64 = 1_772_366_400_000_000

    /// The chart of the benchmark behind a dictionary, as a look-up gives it.
    private static var chart: ColumnValues {
        let radii: [Int64] = [250, 1370, 1600, 2000, 2500, 3000, 3500, 4000, 4500, 5000]
        let loads: [Int64] = [6000, 6000, 5000, 3900, 3000, 2400, 2000, 1700, 1450, 1300]
        let points = Column(.structure([Column(.int64(radii)), Column(.int64(loads))]))
        let lists = Column(.list(ListValues(offsets: [0, 10], elements: points)))
        return .dictionary(
            DictionaryValues(
                indices: Array(repeating: 0, count: Batch.maximumRowCount), base: lists))
    }
}
