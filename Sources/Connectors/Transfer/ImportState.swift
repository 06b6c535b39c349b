import Foundation
import Primitives
import RecordLog

/// What is kept of an import in `<data>/state/imports/<topic>-<hash>.json`: written before its
/// first record and again after its last.
struct ImportState: Codable, Hashable {
    var isComplete: Bool
    var topic: String
    var file: String
    var sha256: String
    var bytes: Int
    /// The options that decide what records the file gives.
    var meaning: String
    /// The ends of the topic's partitions before the first record.
    var startOffsets: [Int64]
    /// The arrival of lines that state none, milliseconds: when the import was first started.
    var startedAt: Int64
    /// Records stored; 0 until it is complete.
    var records: Int
    /// Records of each partition that are stored, where the log itself does not tell.
    var stored: [Int64]?
}

/// Keeps what is known of one import. Threading: one thread.
protocol ImportStates: AnyObject {
    /// What was written last; nil when the import was never begun.
    func read() throws -> ImportState?
    func write(_ state: ImportState) throws
    /// Another process may take the import now.
    func release()
}

/// The directory of import states, for one import at a time. One thread.
final class ImportStateFile: ImportStates {
    private let path: String
    private let storage = PosixStorage()
    private let lock: any StorageLock

    static func directory(_ dataPath: String) -> String { dataPath + "/state/imports" }

    /// Takes the import of one content into one topic for this process.
    init(dataPath: String, topic: String, hash: String) throws {
        let directory = Self.directory(dataPath)
        try storage.createDirectory(directory)
        path = "\(directory)/\(topic)-\(hash).json"
        guard let lock = try storage.lock(path + ".lock") else {
            throw Diagnostic(
                "another process imports this file into \(topic) right now",
                hint: "wait until it has ended")
        }
        self.lock = lock
    }

    func read() throws -> ImportState? {
        guard let bytes = try storage.contents(of: path) else { return nil }
        do {
            return try JSONDecoder().decode(ImportState.self, from: Data(bytes))
        } catch {
            throw Diagnostic(
                "\(path) is not the state of an import",
                hint: "remove it; the records tell what is already there")
        }
    }

    func write(_ state: ImportState) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try storage.writeAtomically(Array(try encoder.encode(state)) + [0x0A], to: path)
    }

    func release() { lock.release() }
}
