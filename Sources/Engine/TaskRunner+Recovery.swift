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
        let journal = JournalReader(try transport.journal(), identity.journal)
        guard let last = try journal.last() else {
            let nothing = identity.outputs.map { _ in Int64(0) }
            report.cutRecords = try transport.settle(outputEnds: nothing).cutRecords
            return report
        }
        try last.check(fits: identity)
        guard last.plan == identity.planHash else {
            throw EngineError(
                "\(identity.journal): epoch \(last.epoch) was written under another plan than the"
                    + " one that is stored",
                hint: "the journal was changed; restore the data directory from a copy")
        }
        try checkInputs(hold: last.positions)
        report.epochs = last.epoch + 1
        let (stored, cutRecords) = try transport.settle(outputEnds: last.outputEnds)
        report.cutRecords = cutRecords
        let snapshot = try startFromSnapshot(through: last.epoch, stored: stored, journal)
        report.snapshotEpoch = snapshot?.epoch
        if snapshot == nil { try startFromBeginning(journal) }
        let first = (snapshot?.epoch ?? -1) + 1
        if first <= last.epoch {
            try reexecute(first...last.epoch, stored: stored, journal, &report)
        }
        resume(after: last, snapshot: snapshot, executedRows: report.executedRows)
        try transport.publish()
        return report
    }

    /// Throws when an input has lost records that the journal has read.
    private func checkInputs(hold positions: [Int64]) throws {
        for (place, position) in zip(identity.places.sources, positions) {
            let end = try transport.source(place).committedEnd()
            guard position > end else { continue }
            throw EngineError(
                "\(place) ends at offset \(end), the journal of \(identity.name) has read it up"
                    + " to \(position)",
                hint: "records that were accepted are missing; restore the data directory from a"
                    + " copy")
        }
    }

    /// Makes the core as it was before the first epoch.
    private func startFromBeginning(_ journal: JournalReader) throws {
        let starts = try journal.record(0).starts
        guard starts.count == identity.inputs.count else {
            throw EngineError("\(identity.journal), epoch 0 does not fit the plan's sources")
        }
        core = try Self.makeCore(
            identity, transport, options, positions: starts,
            outputStarts: identity.outputs.map { _ in 0 })
    }

    /// Makes the core from the newest snapshot that is whole and not past a missing output.
    private func startFromSnapshot(
        through last: Int64, stored: [Int64], _ journal: JournalReader
    ) throws -> SnapshotMark? {
        for epoch in try snapshots.epochs().reversed() where epoch <= last {
            let record = try journal.record(epoch)
            try record.check(fits: identity)
            guard let (state, mark) = try snapshots.read(after: record, plan: identity.planHash)
            else { continue }
            guard zip(record.outputEnds, stored).allSatisfy({ $0 <= $1 }) else { continue }
            if epoch < last {
                // The journal names the snapshot's hash from the next epoch on.
                let next = try journal.record(epoch + 1)
                if let named = next.snapshot, named.epoch == epoch, named != mark { continue }
            }
            let core = try Self.makeCore(
                identity, transport, options, positions: record.positions,
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
        _ epochs: ClosedRange<Int64>, stored: [Int64], _ journal: JournalReader,
        _ report: inout RecoveryReport
    ) throws {
        for epoch in epochs {
            let record = try journal.record(epoch)
            try record.check(fits: identity)
            try check(record)
            let before = core.positions
            for (index, output) in core.outputs.enumerated() {
                output.restart(
                    at: start(of: output, in: record), storedEnd: stored[index])
            }
            for step in record.steps { try core.execute(step) }
            var ranges: [OutputRange] = []
            var missing: [EpochOutput] = []
            for (output, end) in zip(core.outputs, stored) {
                guard let (range, batches) = try output.finishEpoch() else { continue }
                ranges.append(range)
                report.regeneratedRecords += Int(max(0, range.to - max(range.from, end)))
                guard !batches.isEmpty else { continue }
                missing.append(
                    EpochOutput(
                        append: PartitionAppend(place: output.place, batches: batches),
                        offsets: max(range.from, end)..<range.to))
            }
            guard ranges.elementsEqual(record.outputs, by: { $0.hasSameRecords(as: $1) }) else {
                throw mismatch(record, ranges)
            }
            try checkEnds(record)
            if !missing.isEmpty { try transport.restore(missing) }
            report.executedEpochs += 1
            let rows = zip(core.positions, before).reduce(0) { $0 + Int($1.0 - $1.1) }
            report.executedRows += rows
            monitor.recordsRead?(rows)
        }
    }

    /// Throws when re-execution has ended elsewhere than the record says. On a cluster other things
    /// take offsets of the outputs, too.
    private func checkEnds(_ record: EpochRecord) throws {
        let ends = core.outputs.map(\.nextOffset)
        guard
            core.positions != record.positions
                || (transport.storesBatches && ends != record.outputEnds)
        else { return }
        throw EngineError(
            "\(identity.name): re-execution of epoch \(record.epoch) ends at other offsets than the"
                + " journal says",
            hint: "the journal was changed; restore the data directory from a copy")
    }

    /// Where an epoch's records of an output begin: where the last one's ended; on a cluster,
    /// where the journal says.
    private func start(of output: OutputTopic, in record: EpochRecord) -> Int64 {
        guard !transport.storesBatches else { return output.nextOffset }
        return record.outputs.first {
            $0.topic == output.place.topic && $0.partition == output.place.partition
        }?.from ?? output.nextOffset
    }

    private func check(_ record: EpochRecord) throws {
        guard record.semantics == Semantics.version else {
            throw EngineError(
                "\(identity.journal), epoch \(record.epoch) was written by a build of semantics"
                    + " version \(record.semantics); this one has"
                    + " \(Semantics.version)",
                hint: "stop that build cleanly once, so that it leaves a snapshot at its last"
                    + " epoch")
        }
    }

    private func mismatch(_ record: EpochRecord, _ ranges: [OutputRange]) -> EngineError {
        let wrong = record.outputs.first { !ranges.contains($0) } ?? ranges.first
        let place =
            wrong.map { "\($0.topic)/\($0.partition), offsets \($0.from) to \($0.to)" }
            ?? "no output"
        return EngineError(
            "\(identity.name): re-execution of epoch \(record.epoch) gives other records than the"
                + " journal says (\(place))",
            hint: "inputs or journal were changed; run `plumbline replay` to find the first"
                + " differing record")
    }
}

extension EpochRecord {
    /// Throws when the record cannot be one of the task's: then it was damaged or changed.
    func check(fits task: TaskIdentity) throws {
        var lastEnds: [Int64]?
        for case .merge(let ends, _) in steps { lastEnds = ends }
        let isSound =
            (0..<Int64.max).contains(epoch) && starts.count == task.inputs.count
            && positions.count == task.inputs.count && outputEnds.count == task.outputs.count
            && (starts + positions).allSatisfy { $0 >= 0 }
            && outputEnds.allSatisfy { (0..<Int64.max / 2).contains($0) }
            && (lastEnds ?? positions) == positions
        guard !isSound else { return }
        throw EngineError(
            "\(task.journal): the record of epoch \(epoch) does not fit the task",
            hint: "the journal is damaged; restore the data directory from a copy")
    }
}
