import Columnar

/// Drops rows whose key and time were seen before, as rejects `duplicate`.
///
/// A (key, time) is kept until the watermark has passed it by `lateness`, which is disorder +
/// lateness behind the greatest time; a row older than that is a reject `late`, for whether it is
/// a repeat can no longer be told.
final class DistinctOperator: Operator {
    private let lateness: Int64
    /// Per key code: times kept, ascending.
    private var seen: [[Int64]] = []

    init(lateness: Int64) { self.lateness = lateness }

    func push(_ batch: Batch, _ context: RowContext, _ output: inout StepOutput) {
        var keep = Array(repeating: true, count: batch.rowCount)
        for row in 0..<batch.rowCount {
            if batch.change(row) == .withdraw { forget(batch.times[row], batch.keys[row]) }
            guard batch.change(row) == .new else { continue }
            let key = Int(batch.keys[row])
            while seen.count <= key { seen.append([]) }
            let time = batch.times[row]
            let horizon = context.before[row].subtractingSaturating(lateness)
            if time < horizon {
                keep[row] = false
                output.reject(
                    .late, "older than disorder and lateness allow", row: row, of: batch, context)
                continue
            }
            if insert(time, key: key, horizon: horizon) { continue }
            keep[row] = false
            output.reject(
                .duplicate, "a row with this key and time was taken before", row: row, of: batch,
                context)
        }
        let (kept, keptContext) = selectRows(
            keep, of: batch, context, keepsGhosts: output.keepsGhosts)
        output.emit(kept, keptContext)
    }

    /// Adds a time to a key's list and forgets those before `horizon`. False when it is there.
    private func insert(_ time: Int64, key: Int, horizon: Int64) -> Bool {
        let expired = seen[key].firstIndex { $0 >= horizon } ?? seen[key].count
        if expired > 64 || (expired > 0 && expired == seen[key].count) {
            seen[key].removeFirst(expired)
        }
        var index = seen[key].count
        while index > 0, seen[key][index - 1] > time { index -= 1 }
        if index > 0, seen[key][index - 1] == time { return false }
        seen[key].insert(time, at: index)
        return true
    }

    /// A row that is withdrawn was never there: another one may take its place.
    private func forget(_ time: Int64, _ key: Int32) {
        guard Int(key) < seen.count else { return }
        seen[Int(key)].removeAll { $0 == time }
    }

    func save(to snapshot: inout SnapshotWriter, keys: KeyTable) {
        let codes = keys.sortedCodes().filter { Int($0) < seen.count && !seen[Int($0)].isEmpty }
        snapshot.write(Int64(codes.count))
        for code in codes {
            snapshot.write(keys.bytes(code))
            snapshot.write(seen[Int(code)])
        }
    }

    func restore(
        from snapshot: inout SnapshotReader, keys: inout KeyTable
    ) throws(SnapshotError) {
        for _ in 0..<(try snapshot.readCount()) {
            let key = Int(keys.intern(try snapshot.readBytes()))
            while seen.count <= key { seen.append([]) }
            seen[key] = try snapshot.readInt64s()
        }
    }
}

extension Int64 {
    /// `self - other`, held at the bounds.
    func subtractingSaturating(_ other: Int64) -> Int64 {
        let (result, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other > 0 ? .min : .max) : result
    }

    /// `self + other`, held at the bounds.
    func addingSaturating(_ other: Int64) -> Int64 {
        let (result, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : result
    }
}
