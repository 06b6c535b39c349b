import Connectors
import Dataflow
import RecordLog

/// What starting a task found and did.
package struct RecoveryReport: Sendable {
    package var task: String
    /// Epochs in the journal.
    package var epochs: Int64 = 0
    /// Epoch of the snapshot it started from.
    package var snapshotEpoch: Int64?
    package var executedEpochs = 0
    package var executedRows = 0
    /// Output records without a journal record: cut.
    package var cutRecords = 0
    /// Output records that the journal names and that were missing: written again.
    package var regeneratedRecords = 0
}

extension TaskRunner {
    /// Brings the task to its last journaled epoch.
    ///
    /// Starts from the newest usable snapshot and executes the epochs after it again. Every output
    /// must hash to what the journal says; what is missing is written again at the same offsets;
    /// what no journal record names is cut. O(input since the snapshot).
    func recover() throws -> RecoveryReport {
        var report = RecoveryReport(task: identity.name)
        let places = identity.outputTopics.map { TopicPartition($0.name, identity.partition) }
        let journalEnd = try log.storedEnd(identity.journal, isDerived: false)
        report.epochs = journalEnd
        var stored: [Int64] = []
        for place in places { stored.append(try log.storedEnd(place, isDerived: true)) }
        guard journalEnd > 0 else {
            for place in places { report.cutRecords += try cut(place, to: 0) }
            return report
        }
        let last = try journalRecord(journalEnd - 1)
        for (index, place) in places.enumerated() where stored[index] > last.outputEnds[index] {
            report.cutRecords += try cut(place, to: last.outputEnds[index])
            stored[index] = last.outputEnds[index]
        }
        let snapshot = try startFromSnapshot(through: last.epoch, stored: stored)
        report.snapshotEpoch = snapshot?.epoch
        let first = (snapshot?.epoch ?? -1) + 1
        if first <= last.epoch {
            try reexecute(first...last.epoch, stored: stored, &report)
        }
        resume(after: last, snapshot: snapshot, executedRows: report.executedRows)
        try log.publish(places + [identity.journal])
        return report
    }

    /// Cuts what no journal record names. What readers have seen is never cut: journal and outputs
    /// are published together, so another hand wrote it.
    private func cut(_ place: TopicPartition, to offset: Int64) throws -> Int {
        guard try log.visibleEnd(place) <= offset else {
            throw EngineError(
                "\(place) holds published records from offset \(offset) on that no journal record"
                    + " of \(identity.plan.taskName) names",
                hint: "something else wrote to this topic: export those records, and restore the"
                    + " data directory from a copy or name another sink topic")
        }
        let end = try log.storedEnd(place, isDerived: true)
        try log.truncate(place, to: offset)
        return Int(end - offset)
    }

    /// Reads one epoch of the journal.
    func journalRecord(_ epoch: Int64) throws -> EpochRecord {
        let reader = try log.storedRecords(identity.journal)
        defer { reader.close() }
        guard let block = try reader.read(from: epoch, maxBytes: 1 << 16),
            let row = block.row(at: epoch), let value = block.value(row)
        else {
            throw EngineError("the journal \(identity.journal) has no record at \(epoch)")
        }
        return try EpochRecord(decoding: value, place: "\(identity.journal), offset \(epoch)")
    }

    /// Makes the core from the newest snapshot that is whole and not past a missing output.
    private func startFromSnapshot(through last: Int64, stored: [Int64]) throws -> SnapshotMark? {
        for epoch in snapshots.epochs().reversed() where epoch <= last {
            guard let (state, mark) = snapshots.read(epoch: epoch, plan: identity.planHash)
            else { continue }
            let record = try journalRecord(epoch)
            guard zip(record.outputEnds, stored).allSatisfy({ $0 <= $1 }) else { continue }
            if epoch < last {
                // The journal names the snapshot's hash from the next epoch on.
                let next = try journalRecord(epoch + 1)
                if let named = next.snapshot, named.epoch == epoch, named != mark { continue }
            }
            let core = try Self.makeCore(
                identity, log, options, positions: record.positions,
                outputStarts: record.outputEnds)
            var reader = SnapshotReader(state)
            do {
                try core.pipeline.restore(from: &reader)
            } catch {
                continue
            }
            guard reader.isAtEnd else { continue }
            self.core = core
            return mark
        }
        return nil
    }

    private func reexecute(
        _ epochs: ClosedRange<Int64>, stored: [Int64], _ report: inout RecoveryReport
    ) throws {
        for epoch in epochs {
            let record = try journalRecord(epoch)
            try check(record)
            let before = core.positions
            for (output, end) in zip(core.outputs, stored) {
                output.restart(at: output.nextOffset, storedEnd: end)
            }
            for step in record.steps { try core.execute(step) }
            var ranges: [OutputRange] = []
            var missing: [PartitionAppend] = []
            for (output, end) in zip(core.outputs, stored) {
                guard let (range, batches) = try output.finishEpoch() else { continue }
                ranges.append(range)
                report.regeneratedRecords += Int(max(0, range.to - max(range.from, end)))
                missing.append(
                    PartitionAppend(
                        place: TopicPartition(output.topic, identity.partition),
                        batches: batches))
            }
            guard ranges == record.outputs else { throw mismatch(record, ranges) }
            if missing.contains(where: { !$0.batches.isEmpty }) { try log.commit(missing) }
            report.executedEpochs += 1
            let rows = zip(core.positions, before).reduce(0) { $0 + Int($1.0 - $1.1) }
            report.executedRows += rows
            monitor.recordsRead?(rows)
        }
    }

    private func check(_ record: EpochRecord) throws {
        guard record.semantics == EpochRecord.currentSemantics else {
            throw EngineError(
                "\(identity.journal), epoch \(record.epoch) was written by a build of semantics"
                    + " version \(record.semantics); this one has"
                    + " \(EpochRecord.currentSemantics)",
                hint: "stop that build cleanly once, so that it leaves a snapshot at its last"
                    + " epoch")
        }
    }

    private func mismatch(_ record: EpochRecord, _ ranges: [OutputRange]) -> EngineError {
        let wrong = record.outputs.first { !ranges.contains($0) } ?? ranges.first
        let place = wrong.map { "\($0.topic), offsets \($0.from) to \($0.to)" } ?? "no output"
        return EngineError(
            "\(identity.name): re-execution of epoch \(record.epoch) gives other records than the"
                + " journal says (\(place))",
            hint: "inputs or journal were changed; run `plumbline replay` to find the first"
                + " differing record")
    }
}
