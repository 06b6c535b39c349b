import Columnar

/// Runs a program. Holds scratch storage: one thread, one evaluator.
package final class Evaluator {
    package let program: Program
    private var constants = ConstantCache()

    package init(_ program: Program) { self.program = program }

    /// Evaluates over `rowCount` rows (at most ``Batch/maximumRowCount``). `columns` must be bound
    /// as the scope said. Deterministic and row by row: a row's result depends on that row only.
    ///
    /// `readsByRow` promises that results are only read at rows below `rowCount`: those of
    /// constants then come with as many rows as they have, instead of copies.
    package func evaluate(
        _ columns: [Column], rowCount: Int, readsByRow: Bool = false
    ) -> Evaluation {
        let vectors = run(
            program.block, count: rowCount, columns: columns, outer: [], loop: nil)
        var faults: [RowFault] = []
        if vectors.contains(where: { $0.faults != nil }) {
            for row in 0..<rowCount {
                for (output, vector) in vectors.enumerated() {
                    guard let code = vector.faults?.code(row) else { continue }
                    faults.append(RowFault(row: Int32(row), output: Int32(output), code: code))
                    break
                }
            }
        }
        let results = vectors.map { vector in
            readsByRow || vector.column.count == rowCount
                ? vector.column : vector.column.slice(0..<rowCount)
        }
        return Evaluation(columns: results, faults: faults)
    }

    /// Runs a block over `count` rows, or over the elements of `loop`.
    private func run(
        _ block: Block, count: Int, columns: [Column], outer: [Vector], loop: LoopRows?
    ) -> [Vector] {
        let empty = Vector(Column(.null(count: 0)))
        var registers = [Vector](repeating: empty, count: block.registerCount)
        constants.fill(&registers, of: block, count: count)
        if let loop {
            for (source, target) in block.captures {
                registers[target] = gather(outer[source], loop.rows)
            }
            for (slot, register) in block.loopVariables {
                registers[register] = Vector(slot == 0 ? loop.elements : loop.seconds)
            }
        }
        for instruction in block.instructions {
            registers[instruction.result] = result(
                of: instruction, registers, count: count, columns: columns)
        }
        return block.results.map { registers[$0] }
    }

    private func result(
        of instruction: Instruction, _ registers: [Vector], count: Int, columns: [Column]
    ) -> Vector {
        if case .column(let index) = instruction.operation { return Vector(columns[index]) }
        if let body = instruction.body {
            return runLoop(instruction, body, registers, count: count, columns: columns)
        }
        return execute(instruction, instruction.arguments.map { registers[$0] }, count: count)
    }

    private func runLoop(
        _ instruction: Instruction, _ body: Block, _ registers: [Vector], count: Int,
        columns: [Column]
    ) -> Vector {
        let range = registers[instruction.arguments[0]]
        let loop = LoopRows(range, count: count)
        let results = run(
            body, count: loop.count, columns: columns, outer: registers, loop: loop)
        guard case .comprehension(let kind, _) = instruction.operation else { return range }
        switch kind {
        case .all: return quantify(results[0], loop, range, decisive: false, count: count)
        case .exists: return quantify(results[0], loop, range, decisive: true, count: count)
        case .existsOne: return existsOne(results[0], loop, range, count: count)
        case .map: return collect(results[0], where: nil, loop, range, count: count)
        case .filter:
            return collect(results[1], where: results[0], loop, range, count: count)
        }
    }
}

/// Constants spread over as many rows as the largest batch so far.
private struct ConstantCache {
    private struct Entry {
        var capacity: Int
        var columns: [Column]
    }

    private var entries: [ObjectIdentifier: Entry] = [:]

    mutating func fill(_ registers: inout [Vector], of block: Block, count: Int) {
        guard !block.constants.isEmpty else { return }
        let id = ObjectIdentifier(block)
        if (entries[id]?.capacity ?? -1) < count {
            let columns = block.constants.map { broadcast($0.column, count: count) }
            entries[id] = Entry(capacity: count, columns: columns)
        }
        guard let entry = entries[id] else { return }
        for (index, constant) in block.constants.enumerated() {
            var column = entry.columns[index]
            if let validity = column.validity, validity.count != count {
                column.validity = Bitmap(repeating: false, count: count)
            }
            if case .null = column.values { column.values = .null(count: count) }
            registers[constant.register] = Vector(column)
        }
    }
}
