import Columnar

/// Up to where a task's inputs had been taken when rows came out: what a row is "as of".
///
/// The merge's order is fixed, so this is a property of the row: the positions after the record
/// that made it come out, or that made its timer due.
package struct TakenPositions: Sendable {
    /// Per input: the offset after the last record taken; -1 before the first.
    package var taken: [Int64]
    /// The input of the rows that were on their way, and the offset after the one that made each
    /// row come out; -1 where none of them did.
    var input: Int
    var next: [Int64]

    /// The offset after the last record of an input that was taken before a row came out; nil when
    /// there was none. O(1).
    package func position(ofInput index: Int, row: Int) -> Int64? {
        let position = index == input && next[row] >= 0 ? next[row] : taken[index]
        return position >= 0 ? position : nil
    }

    /// Those of the rows `rows[0]`, `rows[1]`, … O(rows).
    package func gather(_ rows: [Int32]) -> TakenPositions {
        var result = self
        result.next = rows.map { next[Int($0)] }
        return result
    }
}
