import Primitives

/// Kafka's checkpoint files: a version line `0`, the number of entries, and a line for each entry.
enum CheckpointFile {
    static let published = "replication-offset-checkpoint"
    static let recoveryPoint = "recovery-point-offset-checkpoint"
    static let logStart = "log-start-offset-checkpoint"
    static let cleaner = "cleaner-offset-checkpoint"

    /// Reads `topic partition offset` lines; a missing file has none.
    static func read(
        _ path: String, _ storage: any Storage
    ) throws(RecordLogError) -> [TopicPartition: Int64] {
        let bytes: [UInt8]?
        do { bytes = try storage.contents(of: path) } catch { throw .storage(error) }
        guard let bytes else { return [:] }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard lines.first == "0", lines.count >= 2, let count = Int(lines[1]),
            lines.count - 2 == count
        else { throw .malformedFile(path: path, reason: "not a checkpoint of version 0") }
        var entries: [TopicPartition: Int64] = [:]
        for line in lines.dropFirst(2) {
            let fields = line.split(separator: " ")
            guard fields.count == 3, let partition = Int(fields[1]), let offset = Int64(fields[2]),
                partition >= 0, offset >= 0
            else { throw .malformedFile(path: path, reason: "bad line '\(line)'") }
            entries[TopicPartition(String(fields[0]), partition)] = offset
        }
        return entries
    }

    /// The published ends of a log directory. Without them nobody knows which records were
    /// accepted, so a missing file is an error: it is there before the first partition is.
    static func readPublished(
        _ directory: String, _ storage: any Storage
    ) throws(RecordLogError) -> [TopicPartition: Int64] {
        let path = directory + "/" + published
        let kind = try storageCall { () throws(StorageError) in try storage.kind(of: path) }
        guard kind != nil else {
            throw .malformedFile(
                path: path,
                reason: "this file is missing; without it nobody knows which records were"
                    + " accepted. Restore it from a copy of the directory")
        }
        return try read(path, storage)
    }

    /// The text of a checkpoint, in the order of topic and partition.
    static func encode(_ entries: [TopicPartition: Int64]) -> [UInt8] {
        var text = "0\n\(entries.count)\n"
        for (place, offset) in entries.sorted(by: { $0.key < $1.key }) {
            text += "\(place.topic) \(place.partition) \(offset)\n"
        }
        return Array(text.utf8)
    }
}
