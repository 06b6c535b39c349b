import Primitives

/// Why the log could not do what was asked; the text names the place, the reason, the way out.
package enum RecordLogError: Error, Hashable, Sendable, CustomStringConvertible {
    case storage(StorageError)
    /// Bytes that are not a valid batch, at a byte position of a file (or of a buffer, path "").
    case corruptBatch(path: String, position: Int, reason: BatchFault)
    /// A damaged batch below the published end of a partition: cutting would lose records that were
    /// accepted, so it is not done unless asked for.
    case damagedPartition(path: String, position: Int, offset: Int64, published: Int64, BatchFault)
    case directoryLocked(String)
    case directoryClosed(String)
    case invalidTopicName(String, reason: String)
    case partitionCountDiffers(topic: String, existing: Int, wanted: Int)
    case invalidPartitionCount(topic: String, count: Int)
    case unknownTopic(String, directory: String)
    case unknownPartition(topic: String, partition: Int, directory: String)
    case wrongBaseOffset(partition: String, expected: Int64, found: Int64)
    case offsetOutOfRange(partition: String, offset: Int64, valid: ClosedRange<Int64>)
    case malformedFile(path: String, reason: String)
    case batchTooLarge(bytes: Int)
    /// The batches of one producer do not follow one another.
    case producerGap(partition: String, offset: Int64, expected: Int32, found: Int32)
    case compressionFailed(codec: CompressionCodec, reason: String)
    /// A failed sync leaves unknown bytes on disk; the log must be cut to its durable end first.
    case syncFailedBefore(partition: String, durableEnd: Int64)

    package var description: String {
        switch self {
        case .storage(let error): return error.description
        case .corruptBatch(let path, let position, let reason):
            guard !path.isEmpty else {
                return "byte \(position): not a valid record batch: \(reason)"
            }
            return "\(path), byte \(position): not a valid record batch: \(reason);"
                + " nothing was changed, restore the file from a copy"
        case .damagedPartition(let path, let position, let offset, let published, let reason):
            return "\(path), byte \(position): damaged record batch (\(reason)); the records from"
                + " offset \(offset) up to \(published) were accepted and cannot be read; nothing"
                + " was changed, restore the file from a copy"
        case .directoryLocked(let path):
            return "\(path) is in use by another process that writes to it;"
                + " stop it, or choose another directory"
        case .directoryClosed(let path): return "\(path): the log directory is closed"
        case .invalidTopicName(let name, let reason):
            return "topic name '\(name)' is not valid: \(reason)"
        case .partitionCountDiffers(let topic, let existing, let wanted):
            return "topic \(topic) has \(existing) partitions, not \(wanted);"
                + " the count is fixed when a topic is created; use another topic or a fresh --data"
        case .invalidPartitionCount(let topic, let count):
            return "topic \(topic) cannot have \(count) partitions; use 1 to 10000"
        case .unknownTopic(let topic, let directory): return "no topic \(topic) in \(directory)"
        case .unknownPartition(let topic, let partition, let directory):
            return
                "no partition \(partition) of topic \(topic) in \(directory): its folder is gone;"
                + " restore \(topic)-\(partition) from a copy, or if a topology writes it,"
                + " `plumbline run` makes it again"
        case .wrongBaseOffset(let partition, let expected, let found):
            return "\(partition): a batch for offset \(found) where \(expected) is next"
        case .offsetOutOfRange(let partition, let offset, let valid):
            return "\(partition): offset \(offset) is not in the log, which holds"
                + " \(valid.lowerBound) up to \(valid.upperBound)"
        case .malformedFile(let path, let reason): return "\(path): \(reason)"
        case .batchTooLarge(let bytes):
            return "a record batch of \(bytes) bytes is larger than the format allows"
        case .producerGap(let partition, let offset, let expected, let found):
            return "\(partition): the batch at offset \(offset) is numbered \(found) by its writer"
                + " where \(expected) is next; records before it are missing"
        case .compressionFailed(let codec, let reason):
            return "\(codec.name) compression failed: \(reason)"
        case .syncFailedBefore(let partition, let durableEnd):
            return
                "\(partition): an earlier sync failed; only the records below offset \(durableEnd)"
                + " are known to be on disk"
        }
    }

    /// The disk is full; after space is freed the same call can be made again.
    package var isDiskFull: Bool {
        if case .storage(let error) = self { return error.isDiskFull }
        return false
    }
}

/// What is wrong with the bytes of a batch.
package enum BatchFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// The bytes end inside the batch.
    case truncated
    case badLength(Int32)
    case unsupportedMagic(Int8)
    case checksum(stored: UInt32, computed: UInt32)
    case unknownCodec(UInt8)
    case badCount(Int32)
    case badOffset
    case malformedRecord(index: Int)
    case trailingBytes
    case compression(CompressionCodec)
    /// It has, or decompresses to, more bytes than allowed.
    case tooLarge(limit: Int)

    package var description: String {
        switch self {
        case .truncated: "it ends before its stated length"
        case .badLength(let length): "its length field is \(length)"
        case .unsupportedMagic(let magic):
            "its format version is \(magic), only version 2 is read"
        case .checksum(let stored, let computed):
            "its checksum is \(hexadecimal(stored)), its bytes give \(hexadecimal(computed))"
        case .unknownCodec(let code): "its compression code \(code) is unknown"
        case .badCount(let count): "its record count \(count) does not fit its bytes"
        case .badOffset: "its offsets are not ascending"
        case .malformedRecord(let index): "record \(index) in it is malformed"
        case .trailingBytes: "bytes are left over after its last record"
        case .compression(let codec): "its \(codec.name) data cannot be decompressed"
        case .tooLarge(let limit): "it holds more than \(limit) bytes, decompressed or not"
        }
    }

    private func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
    }
}

/// Runs something of the file system and wraps its error.
func storageCall<T>(_ body: () throws(StorageError) -> T) throws(RecordLogError) -> T {
    do { return try body() } catch { throw .storage(error) }
}
