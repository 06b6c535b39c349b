import Foundation
import Primitives
import RecordLog

/// A task's snapshots as files: a folder an epoch, the pieces first and the manifest last.
/// Threading: one task owns it.
final class SnapshotDirectory: SnapshotChunks {
    private let directory: URL

    let chunkBytes = 4 << 20

    /// `directory` is made with the first snapshot.
    init(_ directory: String) { self.directory = URL(fileURLWithPath: directory) }

    private func folder(_ epoch: Int64) -> URL {
        let name = String(epoch)
        let padded = String(repeating: "0", count: max(0, 20 - name.count)) + name
        return directory.appendingPathComponent(padded, isDirectory: true)
    }

    func write(epoch: Int64, manifest: [UInt8], chunks: [[UInt8]], keeping: Int) throws {
        let files = FileManager.default
        let folder = folder(epoch)
        try? files.removeItem(at: folder)
        try fileCall(.createDirectory, folder.path) {
            try files.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        for (number, chunk) in chunks.enumerated() {
            try writeDurably(Data(chunk), to: folder.appendingPathComponent("\(number)"))
        }
        try writeDurably(Data(manifest), to: folder.appendingPathComponent("manifest"))
        let kept = epochs().suffix(keeping)
        // Those that were broken off before their manifest go too.
        for old in folders() where !kept.contains(old) {
            let path = self.folder(old)
            try fileCall(.remove, path.path) { try files.removeItem(at: path) }
        }
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

    func epochs() -> [Int64] {
        folders().filter {
            FileManager.default.fileExists(
                atPath: folder($0).appendingPathComponent("manifest").path)
        }.sorted()
    }

    func read(epoch: Int64) throws -> (manifest: [UInt8], chunks: [[UInt8]])? {
        let folder = folder(epoch)
        guard let manifest = try? Data(contentsOf: folder.appendingPathComponent("manifest")),
            let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        else { return nil }
        var chunks: [[UInt8]] = []
        for number in 0..<names.count - 1 {
            guard let chunk = try? Data(contentsOf: folder.appendingPathComponent("\(number)"))
            else { return nil }
            chunks.append(Array(chunk))
        }
        return (Array(manifest), chunks)
    }
}
