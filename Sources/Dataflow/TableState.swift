import Columnar

/// The versions of a table, by key and event time.
///
/// Rows are only ever appended; each key has a list of versions from the newest time down. Of two
/// versions with one time the later record holds. Owned by one task.
final class TableState {
    /// One column a field of the table's schema.
    private(set) var columns: [Column]
    private(set) var times: [Int64] = []
    private(set) var offsets: [Int64] = []
    /// Per row: which of `inputs` it came from.
    private(set) var origins: [Int32] = []
    /// The task's inputs that the table comes in: one, or all partitions of a global table.
    let inputs: [Int]
    /// Per key code: row of its newest version, -1 for none.
    private var newest: [Int32] = []
    /// Per row: row of the next older version, -1 for none.
    private var older: [Int32] = []

    init(columnCount: Int, inputs: [Int]) {
        self.inputs = inputs
        columns = Array(repeating: Column(.null(count: 0)), count: columnCount)
    }

    /// Adds versions. O(rows × versions of their keys).
    func apply(_ batch: Batch) {
        let firstRow = Int32(times.count)
        for index in columns.indices { columns[index].append(batch.columns[index]) }
        times += batch.times
        for row in 0..<batch.rowCount {
            let origin = batch.origin(row)
            offsets.append(origin?.offset ?? -1)
            origins.append(Int32(origin?.input ?? -1))
        }
        for index in 0..<batch.rowCount {
            insert(row: firstRow + Int32(index), key: batch.keys[index])
        }
    }

    private func insert(row: Int32, key: Int32) {
        while newest.count <= Int(key) { newest.append(-1) }
        let time = times[Int(row)]
        older.append(-1)
        var previous: Int32 = -1
        var next = newest[Int(key)]
        while next >= 0, times[Int(next)] > time {
            previous = next
            next = older[Int(next)]
        }
        older[Int(row)] = next
        if previous < 0 { newest[Int(key)] = row } else { older[Int(previous)] = row }
    }

    /// The row of a key's newest version that is not younger than `time`; -1 for none.
    func version(key: Int32, at time: Int64) -> Int32 {
        guard Int(key) < newest.count else { return -1 }
        var row = newest[Int(key)]
        while row >= 0, times[Int(row)] > time { row = older[Int(row)] }
        return row
    }

    /// What caused the given rows, one column an input of the table.
    func causes(_ rows: [Int32]) -> [CauseColumn] {
        guard inputs.count > 1 else {
            let found = take(offsets, rows)
            return inputs.map { CauseColumn(input: $0, first: found, last: found) }
        }
        return inputs.map { input in
            let found = rows.map { row in
                Int(origins[Int(row)]) == input ? offsets[Int(row)] : -1
            }
            return CauseColumn(input: input, first: found, last: found)
        }
    }

    /// The rows of a key from its oldest version up, as they must be inserted again.
    private func versions(key: Int32) -> [Int32] {
        guard Int(key) < newest.count else { return [] }
        var rows: [Int32] = []
        var row = newest[Int(key)]
        while row >= 0 {
            rows.append(row)
            row = older[Int(row)]
        }
        return rows.reversed()
    }

    func save(to snapshot: inout SnapshotWriter, keys: KeyTable) {
        var rows: [Int32] = []
        var rowKeys: [Int32] = []
        for key in keys.sortedCodes() {
            let versions = versions(key: key)
            rows += versions
            rowKeys += Array(repeating: key, count: versions.count)
        }
        snapshot.write(Int64(rows.count))
        for (row, key) in zip(rows, rowKeys) {
            snapshot.write(keys.bytes(key))
            snapshot.write(times[Int(row)])
            snapshot.write(offsets[Int(row)])
            snapshot.write(origins[Int(row)])
        }
        for column in columns { snapshot.write(column.gather(rows)) }
    }

    func restore(
        from snapshot: inout SnapshotReader, keys: inout KeyTable
    ) throws(SnapshotError) {
        let count = try snapshot.readCount()
        var rowKeys: [Int32] = []
        for _ in 0..<count {
            rowKeys.append(keys.intern(try snapshot.readBytes()))
            times.append(try snapshot.read())
            offsets.append(try snapshot.read())
            origins.append(try snapshot.read())
        }
        for index in columns.indices { columns[index] = try snapshot.readColumn() }
        for (row, key) in rowKeys.enumerated() { insert(row: Int32(row), key: key) }
    }
}
