import Foundation
import Primitives
import RecordLog

/// What is kept of an import in `<data>/state/imports/<topic>-<hash>.json` (of a long topic the
/// beginning and a number): written before its first record and again after its last.
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

    /// Names of files are 255 bytes at the most; a topic's has up to 249.
    private static func name(topic: String, hash: String, identity: Int64) -> String {
        guard topic.utf8.count > 150 else { return "\(topic)-\(hash)" }
        return "\(topic.prefix(100))-\(String(identity, radix: 16))-\(hash)"
    }

    /// What is kept of all imports into a topic, in no order. Files that cannot be read are left
    /// out: they are for who imports that content again. O(imports).
    static func all(dataPath: String, topic: String) throws -> [ImportState] {
        let storage = PosixStorage()
        let directory = Self.directory(dataPath)
        guard try storage.kind(of: directory) == .directory else { return [] }
        return try storage.list(directory)
            .filter { $0.hasPrefix(topic.prefix(100)) && $0.hasSuffix(".json") }
            .compactMap { name in
                try storage.contents(of: "\(directory)/\(name)").flatMap {
                    try? JSONDecoder().decode(ImportState.self, from: Data($0))
                }
            }
            .filter { $0.topic == topic }
    }

    /// Takes the import of one content into one topic for this process; `identity` is a number of
    /// both.
    init(dataPath: String, topic: String, hash: String, identity: Int64) throws {
        let directory = Self.directory(dataPath)
        try storage.createDirectory(directory)
        path = "\(directory)/\(Self.name(topic: topic, hash: hash, identity: identity)).json"
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
