import Connectors
import RecordLog

/// Reads a task's journal by epoch. On the embedded log an epoch's number is its offset; on a
/// cluster other things take offsets too.
///
/// Threading: one thread at a time.
final class JournalReader {
    private let source: any RecordSource
    private let place: TopicPartition
    /// The block read last, and where its records' epochs begin.
    private var block: RecordBlock?
    private var firstEpoch: Int64 = 0

    init(_ source: any RecordSource, _ place: TopicPartition) {
        self.source = source
        self.place = place
    }

    /// The last epoch; nil when there is none.
    func last() throws -> EpochRecord? {
        guard let (block, row) = try source.lastRecord() else { return nil }
        try keep(block)
        return try decode(block, row)
    }

    /// Reads one epoch. No read when it is near the last one read, else O(log epochs) of them.
    func record(_ epoch: Int64) throws -> EpochRecord {
        if let block {
            if let found = try find(epoch, in: block) { return found }
            // The next block, where epochs are read one after the other.
            if epoch == firstEpoch + Int64(block.count), try load(from: block.nextOffset),
                let found = try find(epoch, in: self.block)
            {
                return found
            }
        }
        var low = try source.firstOffset()
        var high = try source.committedEnd()
        var probe = epoch
        while low < high {
            if probe < low || probe >= high { probe = low + (high - low) / 2 }
            guard try load(from: probe), let block else {
                high = probe
                continue
            }
            if let found = try find(epoch, in: block) { return found }
            if firstEpoch < epoch { low = block.nextOffset } else { high = probe }
            probe = -1
        }
        throw EngineError("the journal \(place) has no record of epoch \(epoch)")
    }

    /// Reads the first block with records at or after an offset; false when there is none.
    private func load(from offset: Int64) throws -> Bool {
        var next = offset
        while let read = try source.read(from: next, limit: nil) {
            if read.count > 0 {
                try keep(read)
                return true
            }
            next = max(next + 1, read.nextOffset)
        }
        return false
    }

    private func keep(_ block: RecordBlock) throws {
        firstEpoch = try decode(block, 0).epoch
        self.block = block
    }

    /// The record of an epoch in a block, whose epochs follow one another.
    private func find(_ epoch: Int64, in block: RecordBlock?) throws -> EpochRecord? {
        guard let block, epoch >= firstEpoch, epoch - firstEpoch < Int64(block.count) else {
            return nil
        }
        let record = try decode(block, Int(epoch - firstEpoch))
        guard record.epoch == epoch else {
            throw EngineError(
                "\(place) names epoch \(record.epoch) where epoch \(epoch) must stand",
                hint: "the journal is damaged: an epoch was written twice or is missing")
        }
        return record
    }

    private func decode(_ block: RecordBlock, _ row: Int) throws -> EpochRecord {
        let name = "\(place), offset \(block.offsets[row])"
        guard let value = block.value(row) else {
            throw EngineError("\(name) has no value, so it is not a journal record")
        }
        return try EpochRecord(decoding: value, place: name)
    }
}
