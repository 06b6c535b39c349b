import Columnar

/// Rows that a machine makes, in order, with the clock moves between them.
struct MachineEmission {
    enum Kind: String {
        case transition, breach, deadline, correction
    }

    /// The clock that judges a row downstream, and the number that orders its rejects.
    struct Mark {
        var before: Int64
        var after: Int64
        var sequence: Int64
    }

    struct Row {
        /// One row: the input's columns and hidden ones.
        var input: Batch
        var state: Int32
        var previous: Int32
        var kind: Kind
        /// Of an invariant or a deadline.
        var name: String?
        var since: Int64
        var variables: [Column]
        var mark: Mark
    }

    var rows: [Row] = []
    private var ghosts: [RowContext.Ghost] = []

    /// A key's clock moves after the rows so far.
    mutating func move(_ key: Int32, to watermark: Int64, sequence: Int64) {
        ghosts.append(
            RowContext.Ghost(
                position: rows.count, key: key, watermark: watermark, sequence: sequence))
    }

    /// Hands the rows on in batches; `empty` is a batch of the input's shape, `variables` have
    /// the type of each.
    func emit(
        _ plan: MachinePlan, empty: Batch?, variables: [Column], _ output: inout StepOutput
    ) {
        if rows.isEmpty && ghosts.isEmpty { return }
        var start = 0
        var nextGhost = 0
        repeat {
            let end = min(start + output.maximumRowCount, rows.count)
            let chunk = rows[start..<end]
            var context = RowContext(
                before: chunk.map(\.mark.before), after: chunk.map(\.mark.after),
                sequences: chunk.map(\.mark.sequence))
            while nextGhost < ghosts.count,
                ghosts[nextGhost].position < end || end == rows.count
            {
                var ghost = ghosts[nextGhost]
                ghost.position -= start
                context.ghosts.append(ghost)
                nextGhost += 1
            }
            if let input = chunk.first.map({ joined($0, chunk.dropFirst()) }) ?? empty?.gather([]) {
                output.emit(completed(input, chunk, plan, variables), context)
            }
            start = end
        } while start < rows.count
    }

    private func joined(_ first: Row, _ rest: ArraySlice<Row>) -> Batch {
        var result = first.input
        for row in rest { result.append(row.input) }
        return result
    }

    /// Adds the machine's own columns to those of the input.
    private func completed(
        _ input: Batch, _ rows: ArraySlice<Row>, _ plan: MachinePlan, _ variables: [Column]
    ) -> Batch {
        var result = input
        result.changes = nil
        result.revisions = nil
        result.raw = nil
        var state = ByteValues()
        var previous = ByteValues()
        var event = ByteValues()
        var name = ByteValues()
        var named = Bitmap(repeating: false, count: 0)
        for row in rows {
            state.append(plan.states[Int(row.state)].utf8)
            previous.append(plan.states[Int(row.previous)].utf8)
            event.append(row.kind.rawValue.utf8)
            name.append((row.name ?? "").utf8)
            named.append(row.name != nil)
        }
        result.columns += [
            Column(.bytes(state)), Column(.bytes(previous)), Column(.bytes(event)),
            Column(.bytes(name), validity: named), Column(.int64(rows.map(\.since))),
        ]
        for index in variables.indices {
            var column = variables[index].gather([])
            for row in rows { column.append(row.variables[index]) }
            result.columns.append(column)
        }
        return result
    }
}
