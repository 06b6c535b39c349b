import Primitives

extension PartitionLog {
    /// Removes the records from `offset` on, durably. A batch that `offset` falls into is encoded
    /// anew with the records before it.
    ///
    /// Does nothing at or beyond the log's end. It also ends the state after a failed `sync()`,
    /// when `offset` is not beyond `durableEndOffset`. Throws `offsetOutOfRange` before the log's
    /// start. A high watermark beyond `offset` moves back first and is published.
    package func truncate(to offset: Int64) throws(RecordLogError) {
        guard offset >= logStartOffset else {
            throw .offsetOutOfRange(
                partition: "\(place)", offset: offset, valid: logStartOffset...logEndOffset)
        }
        if syncFailed, offset > durableEndOffset {
            throw .syncFailedBefore(partition: "\(place)", durableEnd: durableEndOffset)
        }
        // A cut that failed after the bytes were gone is finished by the next call.
        guard offset < logEndOffset || syncFailed || durableEndOffset > logEndOffset else { return }
        if state.recoveryPoint(place) > offset { state.setRecoveryPoint(place, offset) }
        if state.published(place) > offset {
            // First, so that no crash leaves an end published that the log does not have.
            state.setPublished(place, offset)
            try state.publish()
        }
        try removeSegments(beyond: offset)
        if let batch = try active.batch(reaching: offset) {
            if batch.header.baseOffset < offset {
                try replaceTail(batch, keepingBelow: offset)
            } else {
                try cutActive(at: batch.position)
            }
        }
        try storageCall { () throws(StorageError) in
            try active.sync()
            try Segment.removeSnapshots(after: offset, in: path, storage)
            try storage.syncDirectory(path)
        }
        durableEndOffset = logEndOffset
        syncFailed = false
    }

    private func removeSegments(beyond offset: Int64) throws(RecordLogError) {
        guard let last = segments.last, last > offset else { return }
        while segments.count > 1, let base = segments.last, base > offset {
            try storageCall { () throws(StorageError) in
                try Segment.remove(base, in: path, storage)
            }
            segments.removeLast()
        }
        try storageCall { () throws(StorageError) in try storage.syncDirectory(path) }
        try reopenActive()
    }

    /// Opens the newest segment anew and rebuilds its indexes.
    private func reopenActive() throws(RecordLogError) {
        let base = segments.last ?? 0
        let segment = try storageCall { () throws(StorageError) in
            try Segment.open(base, in: path, storage)
        }
        if let fault = try segment.recover() {
            segment.close()
            throw fault
        }
        // Taken up before its index files are written: on a full disk that may fail, and the log is
        // cut all the same.
        active.close()
        active = segment
        try storageCall { () throws(StorageError) in try segment.cut() }
    }

    private func cutActive(at position: Int) throws(RecordLogError) {
        try storageCall { () throws(StorageError) in
            let file = try storage.open(active.path, .update)
            defer { file.close() }
            try file.truncate(to: position)
        }
        try reopenActive()
    }

    /// Writes the active segment anew with a shorter last batch, and puts it in place by a rename,
    /// so that a crash loses none of the kept records.
    private func replaceTail(
        _ batch: SegmentScanner.Batch, keepingBelow offset: Int64
    ) throws(RecordLogError) {
        let shorter = try encodePrefix(batch, below: offset)
        let target = active.path
        // Recovery, Kafka's too, removes this name.
        let temporary = target + ".cleaned"
        try storageCall { () throws(StorageError) in
            let source = try storage.open(target, .read)
            defer { source.close() }
            let copy = try storage.open(temporary, .replace)
            defer { copy.close() }
            var position = 0
            while position < batch.position {
                let chunk = try source.read(
                    at: position, count: min(1 << 20, batch.position - position))
                if chunk.isEmpty { break }
                try copy.write(chunk.span, at: position)
                position += chunk.count
            }
            try copy.write(shorter.span, at: position)
            try copy.sync()
            try storage.rename(temporary, to: target)
            try storage.syncDirectory(path)
        }
        try reopenActive()
    }

    private func encodePrefix(
        _ batch: SegmentScanner.Batch, below offset: Int64
    ) throws(RecordLogError) -> [UInt8] {
        let block = try decode(batch, in: active)
        let builder = RecordBatchBuilder()
        for row in 0..<block.count where block.offsets[row] < offset {
            guard block.offsets[row] == batch.header.baseOffset + Int64(row) else {
                throw .corruptBatch(
                    path: active.path, position: batch.position, reason: .badOffset)
            }
            builder.append(
                timestampMilliseconds: block.timestamps[row], key: block.key(row),
                value: block.value(row), headers: block.headers(row))
        }
        let codec = CompressionCodec(rawValue: batch.header.codecCode) ?? .none
        let producer = RecordBatch.Producer(
            id: batch.header.producerID, epoch: batch.header.producerEpoch,
            baseSequence: batch.header.baseSequence)
        return try builder.finish(
            baseOffset: batch.header.baseOffset, codec: codec, producer: producer)
    }
}
