import Columnar
import Expression
import Primitives
import Testing

/// One expression over columns, evaluated.
func evaluate(
    _ text: String, _ scope: Scope = Scope(), _ columns: [Column] = [], rows: Int = 1
) throws -> (type: ValueType, column: Column, faults: [RowFault]) {
    let expression = try TypedExpression(text, in: scope)
    let result = Evaluator(Program([expression])).evaluate(columns, rowCount: rows)
    return (expression.type, result.columns[0], result.faults)
}

/// The messages of a wrong expression; empty when it is right.
func problems(_ text: String, _ scope: Scope = Scope()) -> [ExpressionError] {
    do throws(ExpressionErrors) {
        _ = try TypedExpression(text, in: scope)
        return []
    } catch { return error.errors }
}

/// A row of a flat column as text: exact for every type.
func text(_ column: Column, _ type: ValueType, _ row: Int = 0) -> String {
    guard column.isValid(row) else { return "null" }
    switch column.flattened().values {
    case .null: return "null"
    case .bool(let values): return "\(values[row])"
    case .int64(let values):
        if case .decimal(let scale, _) = type { return Decimal.text(values[row], scale: scale) }
        return "\(values[row])"
    case .double(let values): return "\(values[row])"
    case .ratio(let values):
        var (a, b) = (values.numerators[row].magnitude, values.denominators[row].magnitude)
        while b != 0 { (a, b) = (b, a % b) }
        let divisor = Int128(max(a, 1))
        return "\(values.numerators[row] / divisor)/\(values.denominators[row] / divisor)"
    case .bytes(let values): return String(decoding: values.array(row), as: UTF8.self)
    default: return "nested"
    }
}

/// A crane's chart and readings, the chart behind a dictionary as a table look-up gives it.
enum CraneData {
    static let load = Schema(
        name: "crane-load",
        fields: [
            Field("device", .string), Field("mass", .decimal(scale: 2, unit: Unit("t"))),
            Field("radius", .decimal(scale: 2, unit: Unit("m"))), Field("falls", .int),
            Field("percent", .decimal(scale: 1, unit: Unit("%")), isNullable: true),
        ])
    static let crane = Schema(
        name: "crane",
        fields: [
            Field("device", .string),
            Field(
                "chart",
                .map(
                    key: .int,
                    value: .list(
                        .structure([
                            Field("radius", .decimal(scale: 2, unit: Unit("m"))),
                            Field("capacity", .decimal(scale: 3, unit: Unit("t"))),
                        ])))),
        ])

    static var scope: Scope {
        var scope = Scope()
        scope.add(load, qualifier: "load", firstColumn: 0)
        scope.add(crane, qualifier: "crane", firstColumn: 5)
        return scope
    }

    static func strings(_ values: [String]) -> Column {
        var bytes = ByteValues()
        for value in values { bytes.append(Array(value.utf8)) }
        return Column(.bytes(bytes))
    }

    /// Two charts: falls 2 and 4, five points each; the second chart carries half.
    static func columns(rows: Int) -> [Column] {
        let radii: [Int64] = [300, 1000, 2000, 3000, 5000]
        let capacity: [Int64] = [10_000, 9_000, 5_000, 3_100, 1_700]
        let points = Column(
            .structure([
                Column(.int64(radii + radii + radii + radii)),
                Column(
                    .int64(
                        capacity + capacity.map { $0 * 2 } + capacity.map { $0 / 2 } + capacity)),
            ]))
        let lists = Column(.list(ListValues(offsets: [0, 5, 10, 15, 20], elements: points)))
        let chart = Column(
            .map(
                MapValues(
                    offsets: [0, 2, 4], keys: Column(.int64([2, 4, 2, 4])), values: lists)))
        var mass: [Int64] = []
        var radius: [Int64] = []
        var falls: [Int64] = []
        var crane: [Int32] = []
        for row in 0..<rows {
            mass.append(Int64(row * 37 % 1100))
            radius.append(Int64(300 + row * 53 % 4700))
            falls.append(row % 3 == 0 ? 4 : 2)
            crane.append(Int32(row & 1))
        }
        return [
            strings(Array(repeating: "C1", count: rows)), Column(.int64(mass)),
            Column(.int64(radius)), Column(.int64(falls)),
            Column(.int64(mass), validity: Bitmap(repeating: true, count: rows)),
            strings(Array(repeating: "C1", count: rows)),
            Column(.dictionary(DictionaryValues(indices: crane, base: chart))),
        ]
    }
}
