import Connectors
import Crypto
import Foundation

/// A task's snapshots: states cut into pieces, and a manifest that says what they are.
///
/// Losing them loses time, never a record. Threading: one task owns it.
struct SnapshotStore {
    /// Snapshots kept: the newest ones.
    private static let keptCount = 2

    private let chunks: any SnapshotChunks

    init(_ chunks: any SnapshotChunks) { self.chunks = chunks }

    private struct Manifest: Codable {
        var epoch: Int64
        var plan: String
        var semantics: Int
        var byteCounts: [Int]
        var hash: String
        /// The hash of the epoch's journal record: neither is believed when the other has changed.
        var journal: String
    }

    /// Writes a state durably and drops all but the newest snapshots.
    func write(_ state: [UInt8], after record: EpochRecord) throws -> SnapshotMark {
        let epoch = record.epoch
        let pieces = stride(from: 0, to: state.count, by: chunks.chunkBytes).map { start in
            Array(state[start..<min(start + chunks.chunkBytes, state.count)])
        }
        let mark = SnapshotMark(epoch: epoch, hash: Self.hash(state))
        let manifest = Manifest(
            epoch: epoch, plan: record.plan, semantics: Semantics.version,
            byteCounts: pieces.map(\.count), hash: mark.hash,
            journal: Self.hash(try record.encoded()))
        try chunks.write(
            epoch: epoch, manifest: Array(try JSONEncoder().encode(manifest)), chunks: pieces,
            keeping: Self.keptCount)
        return mark
    }

    /// Epochs that have a snapshot, ascending.
    func epochs() throws -> [Int64] { try chunks.epochs() }

    /// The state after an epoch; nil when it is damaged, of another plan or of other semantics, or
    /// when it was taken with another journal record than this one.
    func read(
        after record: EpochRecord, plan: String
    ) throws -> (state: [UInt8], mark: SnapshotMark)? {
        let epoch = record.epoch
        guard let (bytes, pieces) = try chunks.read(epoch: epoch),
            let manifest = try? JSONDecoder().decode(Manifest.self, from: Data(bytes)),
            manifest.epoch == epoch, manifest.plan == plan,
            manifest.semantics == Semantics.version,
            manifest.journal == Self.hash(try record.encoded()),
            manifest.byteCounts == pieces.map(\.count)
        else { return nil }
        let state = Array(pieces.joined())
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
