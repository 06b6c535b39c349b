import Columnar

extension MachineOperator {
    func save(to snapshot: inout SnapshotWriter, keys table: KeyTable) {
        snapshot.write(watermark)
        snapshot.write(elapsed)
        let codes = table.sortedCodes().filter { Int($0) < keys.count && keys[Int($0)] != nil }
        snapshot.write(Int64(codes.count))
        for code in codes {
            guard let key = keys[Int(code)] else { continue }
            snapshot.write(table.bytes(code))
            snapshot.write(key.state)
            snapshot.write(key.since)
            snapshot.write(key.lastTime)
            for variable in key.variables { snapshot.write(variable) }
            for breach in key.breaches { snapshot.write(breach) }
            snapshot.write(key.madeTime)
            snapshot.write(Int64(key.made.count))
            for made in key.made {
                snapshot.write(made.rule)
                snapshot.write(made.since)
            }
            for timer in key.timers {
                snapshot.write(timer.start)
                snapshot.write(timer.due)
                snapshot.write(timer.lastFired)
                snapshot.write(timer.row != nil)
                timer.row?.batch.save(to: &snapshot, keys: table)
            }
        }
    }

    func restore(
        from snapshot: inout SnapshotReader, keys table: inout KeyTable
    ) throws(SnapshotError) {
        watermark = try snapshot.read()
        elapsed = try snapshot.read()
        for _ in 0..<(try snapshot.readCount()) {
            let code = table.intern(try snapshot.readBytes())
            while keys.count <= Int(code) { keys.append(nil) }
            var key = MachineKey(
                state: try snapshot.read(), since: try snapshot.read(),
                lastTime: try snapshot.read(), variables: [], breaches: [], timers: [])
            guard plan.states.indices.contains(Int(key.state)) else {
                throw SnapshotError("the snapshot holds a state that the plan does not have")
            }
            for _ in plan.variables { key.variables.append(try snapshot.readColumn()) }
            for _ in plan.invariants { key.breaches.append(try snapshot.read()) }
            key.madeTime = try snapshot.read()
            for _ in 0..<(try snapshot.readCount()) {
                let made = MachineKey.Made(
                    rule: try snapshot.read(), since: try snapshot.read())
                guard made.rule < Int32(plan.invariants.count) else {
                    throw SnapshotError("the snapshot holds a rule that the plan does not have")
                }
                key.made.append(made)
            }
            for _ in plan.deadlines { key.timers.append(try readTimer(&snapshot, &table)) }
            keys[Int(code)] = key
            for (index, timer) in key.timers.enumerated() where timer.isRunning {
                enter(code, index, due: timer.due)
            }
        }
    }

    private func readTimer(
        _ snapshot: inout SnapshotReader, _ table: inout KeyTable
    ) throws(SnapshotError) -> MachineKey.Timer {
        var timer = MachineKey.Timer(
            start: try snapshot.read(), due: try snapshot.read(), lastFired: try snapshot.read())
        guard try snapshot.readBool() else {
            timer.due = .max
            return timer
        }
        var row = try Batch(from: &snapshot, keys: &table)
        guard row.rowCount == 1 else {
            throw SnapshotError("the snapshot holds a deadline with other than one event")
        }
        row.raw = nil
        timer.row = MachineRow(row)
        return timer
    }
}
