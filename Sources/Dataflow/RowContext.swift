/// What a step knows of a batch's rows beside their values: the clock before and after each row,
/// and which taken record each row comes from. Never stored.
package struct RowContext: Sendable {
    /// A watermark move whose row did not reach this step, because an upstream step dropped it.
    package struct Ghost: Sendable {
        /// Number of the batch's rows that come before it.
        package var position: Int
        package var key: Int32
        package var watermark: Int64
        package var sequence: Int64
    }

    /// Watermark that judges each row, in microseconds: that of its key under key clocks, of the
    /// partition else.
    package var before: [Int64]
    /// The same watermark after each row. Under a partition clock only ``Pipeline`` acts on it.
    package var after: [Int64]
    /// Ascending number of the taken record, or of the fired timer, that made each row; orders
    /// rejects of several steps.
    package var sequences: [Int64]
    /// Ascending by position; only under key clocks with timers downstream.
    package var ghosts: [Ghost]
    /// Whether a move of the partition's watermark past the rows' times has made them, as the end
    /// of a window does; not told to other time domains, where they may have to wait.
    package var isFired = false

    package init(
        before: [Int64], after: [Int64], sequences: [Int64], ghosts: [Ghost] = []
    ) {
        self.before = before
        self.after = after
        self.sequences = sequences
        self.ghosts = ghosts
    }

    /// The context of the rows that stay; the dropped ones leave ghosts where `keepsGhosts`.
    /// `kept` ascends. O(rows).
    func keeping(_ kept: [Int32], keys: [Int32], keepsGhosts: Bool) -> RowContext {
        var result = RowContext(
            before: take(before, kept), after: take(after, kept),
            sequences: take(sequences, kept))
        result.isFired = isFired
        guard keepsGhosts else { return result }
        var nextGhost = 0
        var nextKept = 0
        for row in 0..<before.count {
            while nextGhost < ghosts.count, ghosts[nextGhost].position <= row {
                var ghost = ghosts[nextGhost]
                ghost.position = nextKept
                result.ghosts.append(ghost)
                nextGhost += 1
            }
            if nextKept < kept.count, Int(kept[nextKept]) == row {
                nextKept += 1
            } else if after[row] > before[row] {
                result.ghosts.append(
                    Ghost(
                        position: nextKept, key: keys[row], watermark: after[row],
                        sequence: sequences[row]))
            }
        }
        for var ghost in ghosts[nextGhost...] {
            ghost.position = nextKept
            result.ghosts.append(ghost)
        }
        return result
    }

    private func take<Element>(_ values: [Element], _ rows: [Int32]) -> [Element] {
        rows.map { values[Int($0)] }
    }
}
