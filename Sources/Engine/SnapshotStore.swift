import Connectors
import Crypto
import Foundation
import Primitives

/// A task's snapshots in a state directory: chunks, and a manifest that is written last.
///
/// Losing them loses time, never a record. Threading: one task owns it.
struct SnapshotStore {
    private static let chunkBytes = 4 << 20
    /// Snapshots kept: the newest ones.
    private static let keptCount = 2

    let directory: URL

    init(statePath: String, task: String, partition: Int) {
        directory = URL(fileURLWithPath: statePath)
            .appendingPathComponent("snapshots/\(task)/\(partition)", isDirectory: true)
    }

    private struct Manifest: Codable {
        var epoch: Int64
        var plan: String
        var semantics: Int
        var byteCounts: [Int]
        var hash: String
    }

    private func folder(_ epoch: Int64) -> URL {
        let name = String(epoch)
        let padded = String(repeating: "0", count: max(0, 20 - name.count)) + name
        return directory.appendingPathComponent(padded, isDirectory: true)
    }

    /// Writes a state durably and drops all but the newest snapshots.
    func write(_ state: [UInt8], epoch: Int64, plan: String) throws -> SnapshotMark {
        let files = FileManager.default
        let folder = folder(epoch)
        try? files.removeItem(at: folder)
        try fileCall(.createDirectory, folder.path) {
            try files.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        var counts: [Int] = []
        var start = 0
        while start < state.count {
            let end = min(start + Self.chunkBytes, state.count)
            try writeDurably(
                Data(state[start..<end]), to: folder.appendingPathComponent("\(counts.count)"))
            counts.append(end - start)
            start = end
        }
        let mark = SnapshotMark(epoch: epoch, hash: Self.hash(state))
        let manifest = Manifest(
            epoch: epoch, plan: plan, semantics: Semantics.version,
            byteCounts: counts, hash: mark.hash)
        try writeDurably(
            try JSONEncoder().encode(manifest), to: folder.appendingPathComponent("manifest"))
        let kept = epochs().suffix(Self.keptCount)
        // Those that were broken off before their manifest go too.
        for old in folders() where !kept.contains(old) {
            let path = self.folder(old)
            try fileCall(.remove, path.path) { try files.removeItem(at: path) }
        }
        return mark
    }

    private func writeDurably(_ data: Data, to url: URL) throws {
        try fileCall(.write, url.path) {
            try data.write(to: url)
            let handle = try FileHandle(forUpdating: url)
            defer { try? handle.close() }
            try handle.synchronize()
        }
    }

    private func folders() -> [Int64] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        return names.compactMap { Int64($0) }
    }

    /// Epochs that have a manifest, ascending.
    func epochs() -> [Int64] {
        folders().filter {
            FileManager.default.fileExists(
                atPath: folder($0).appendingPathComponent("manifest").path)
        }.sorted()
    }

    /// The state of an epoch; nil when it is damaged, of another plan or of other semantics.
    func read(epoch: Int64, plan: String) -> (state: [UInt8], mark: SnapshotMark)? {
        let folder = folder(epoch)
        guard let data = try? Data(contentsOf: folder.appendingPathComponent("manifest")),
            let manifest = try? JSONDecoder().decode(Manifest.self, from: data),
            manifest.epoch == epoch, manifest.plan == plan,
            manifest.semantics == Semantics.version
        else { return nil }
        var state: [UInt8] = []
        for (index, count) in manifest.byteCounts.enumerated() {
            guard let chunk = try? Data(contentsOf: folder.appendingPathComponent("\(index)")),
                chunk.count == count
            else { return nil }
            state += chunk
        }
        guard Self.hash(state) == manifest.hash else { return nil }
        return (state, SnapshotMark(epoch: epoch, hash: manifest.hash))
    }

    private static func hash(_ state: [UInt8]) -> String {
        hexadecimal(SHA256.hash(data: state))
    }
}

/// Lower-case hexadecimal digits of a digest.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}
