import Columnar

extension WindowState {
    func save(to snapshot: inout SnapshotWriter, keys: KeyTable) {
        snapshot.write(watermark)
        snapshot.write(panes.causeInputs.map { Int64($0) })
        let codes = keys.sortedCodes().filter {
            !panes.run(key: $0).isEmpty || versions[$0] != nil
        }
        snapshot.write(Int64(codes.count))
        for code in codes {
            snapshot.write(keys.bytes(code))
            snapshot.write(nextClose[Int(code)])
            let slots = panes.run(key: code)
            snapshot.write(Int64(slots.count))
            for slot in slots {
                snapshot.write(panes.indices[slot])
                write(panes.causes(slot), to: &snapshot)
                for accumulator in accumulators { accumulator.save(slot, to: &snapshot) }
                if let retained { write(retained.rows(Int32(slot)), to: &snapshot) }
            }
            let list = versions[code] ?? []
            snapshot.write(Int64(list.count))
            for version in list {
                snapshot.write(version.end)
                snapshot.write(version.revision)
                snapshot.write(version.isDirty)
                snapshot.write(version.isWithdrawn)
                snapshot.write(Int64(version.columns.count))
                for column in version.columns { snapshot.write(column) }
                snapshot.write(Int64(version.causes.count))
                write(version.causes, to: &snapshot)
            }
        }
    }

    private func write(_ rows: [RetainedRows.Row], to snapshot: inout SnapshotWriter) {
        snapshot.write(Int64(rows.count))
        for row in rows {
            snapshot.write(row.time)
            snapshot.write(Int64(row.inputs.count))
            for column in row.inputs { snapshot.write(column) }
            write(row.causes, to: &snapshot)
        }
    }

    private mutating func readRows(
        _ snapshot: inout SnapshotReader, slot: Int32
    ) throws(SnapshotError) {
        retained?.reset(slot)
        for _ in 0..<(try snapshot.readCount()) {
            var row = RetainedRows.Row(time: try snapshot.read(), inputs: [], causes: [])
            for _ in 0..<(try snapshot.readCount()) { row.inputs.append(try snapshot.readColumn()) }
            row.causes = try readCauses(panes.causeInputs.count, &snapshot)
            retained?.restore(row, slot: slot)
        }
    }

    private func write(_ causes: [PaneCause], to snapshot: inout SnapshotWriter) {
        for cause in causes {
            snapshot.write(cause.first)
            snapshot.write(cause.last)
            snapshot.write(cause.count)
        }
    }

    mutating func restore(
        from snapshot: inout SnapshotReader, keys: inout KeyTable
    ) throws(SnapshotError) {
        watermark = try snapshot.read()
        panes.setCauses(try snapshot.readInt64s().map { Int($0) })
        for _ in 0..<(try snapshot.readCount()) {
            let key = keys.intern(try snapshot.readBytes())
            grow(keyCount: Int(key) + 1)
            restoreTimer(key: key, try snapshot.read())
            for _ in 0..<(try snapshot.readCount()) {
                let slot = panes.slot(key: key, pane: try snapshot.read()).index
                prepare(slot)
                panes.restoreCauses(
                    try readCauses(panes.causeInputs.count, &snapshot), slot: slot)
                for accumulator in accumulators {
                    try accumulator.restore(Int(slot), from: &snapshot)
                }
                if retained != nil { try readRows(&snapshot, slot: slot) }
            }
            var list: [WindowVersion] = []
            for _ in 0..<(try snapshot.readCount()) {
                var version = WindowVersion(
                    end: try snapshot.read(), revision: try snapshot.read())
                version.isDirty = try snapshot.readBool()
                version.isWithdrawn = try snapshot.readBool()
                for _ in 0..<(try snapshot.readCount()) {
                    version.columns.append(try snapshot.readColumn())
                }
                version.causes = try readCauses(try snapshot.readCount(), &snapshot)
                list.append(version)
            }
            if !list.isEmpty { versions[key] = list }
        }
    }

    private func readCauses(
        _ count: Int, _ snapshot: inout SnapshotReader
    ) throws(SnapshotError) -> [PaneCause] {
        var causes: [PaneCause] = []
        for _ in 0..<count {
            causes.append(
                PaneCause(
                    first: try snapshot.read(), last: try snapshot.read(),
                    count: try snapshot.read()))
        }
        return causes
    }
}
