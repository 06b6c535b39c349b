import Connectors
import RecordLog

/// Reads a task's journal by epoch. On the embedded log an epoch's number is its offset; on a
/// cluster other things take offsets too.
///
/// Threading: one thread at a time.
final class JournalReader {
    private let source: any RecordSource
    private let place: TopicPartition
    /// Where the record after the last one read may stand.
    private var next: Int64 = 0

    init(_ source: any RecordSource, _ place: TopicPartition) {
        self.source = source
        self.place = place
    }

    /// The last epoch; nil when there is none.
    func last() throws -> EpochRecord? {
        try source.lastRecord().map { try decode($0.block, $0.row) }
    }

    /// Reads one epoch. One read when it follows the last one read, else O(log epochs) of them.
    func record(_ epoch: Int64) throws -> EpochRecord {
        var low = try source.firstOffset()
        var high = try source.committedEnd()
        var probe = next > epoch ? next : epoch
        while low < high {
            if probe < low || probe >= high { probe = low + (high - low) / 2 }
            guard let (block, row) = try source.firstRecord(from: probe) else {
                high = probe
                continue
            }
            let record = try decode(block, row)
            if record.epoch == epoch {
                next = block.offsets[row] + 1
                return record
            }
            if record.epoch < epoch { low = block.offsets[row] + 1 } else { high = probe }
            probe = -1
        }
        throw EngineError("the journal \(place) has no record of epoch \(epoch)")
    }

    private func decode(_ block: RecordBlock, _ row: Int) throws -> EpochRecord {
        let name = "\(place), offset \(block.offsets[row])"
        guard let value = block.value(row) else {
            throw EngineError("\(name) has no value, so it is not a journal record")
        }
        return try EpochRecord(decoding: value, place: name)
    }
}
