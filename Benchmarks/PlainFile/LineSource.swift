import Connectors
import Glibc
import Primitives
import RecordLog

/// Lines of a file as records without a key, read in large pieces: constant memory.
///
/// Their arrival is later than any time in them, so that none is ahead of it.
final class LineSource: RecordSource {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private let path: String
    private let file: Int32
    /// Bytes that are read at a time.
    private let pieceBytes: Int
    /// What was read behind the last whole line.
    private var rest: [UInt8] = []
    private var next: Int64 = 0
    private var hasEnded = false

    init(_ path: String, pieceBytes: Int = 256 << 10) throws {
        self.path = path
        self.pieceBytes = pieceBytes
        file = open(path, O_RDONLY)
        guard file >= 0 else {
            throw Failure(description: "\(path): \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(file) }

    func read(from offset: Int64, limit: Int64?) throws -> RecordBlock? {
        guard offset == next else { throw Failure(description: "\(path) is read once only") }
        while !hasEnded {
            var length = 0
            var bytes = try piece(&length)
            let whole = hasEnded ? length : Self.end(ofLastLineIn: bytes, length)
            rest = Array(bytes[whole..<length])
            bytes.removeLast(bytes.count - whole)
            if whole > 0 { return block(bytes) }
        }
        return nil
    }

    /// What is left over and what is read behind it.
    private func piece(_ length: inout Int) throws -> [UInt8] {
        let held = rest.count
        var read = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: held + pieceBytes) { space, count in
            rest.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(space).copyMemory(from: $0)
            }
            read = Glibc.read(file, space.baseAddress.map { $0 + held }, pieceBytes)
            count = held + max(read, 0)
        }
        guard read >= 0 else { throw Failure(description: "\(path) cannot be read") }
        hasEnded = read == 0
        length = bytes.count
        return bytes
    }

    /// Behind the last line feed; 0 without one.
    private static func end(ofLastLineIn bytes: [UInt8], _ length: Int) -> Int {
        var end = length
        while end > 0, bytes[end - 1] != 10 { end -= 1 }
        return end
    }

    private func block(_ bytes: [UInt8]) -> RecordBlock {
        var starts: [Int32] = []
        var lengths: [Int32] = []
        bytes.withUnsafeBytes { all in
            guard let base = all.baseAddress else { return }
            var start = 0
            while start < all.count {
                let found = memchr(base + start, 10, all.count - start)
                let end = found.map { UnsafeRawPointer($0) - base } ?? all.count
                if end > start {
                    starts.append(Int32(truncatingIfNeeded: start))
                    lengths.append(Int32(truncatingIfNeeded: end - start))
                }
                start = end + 1
            }
        }
        let count = starts.count
        let first = next
        next += Int64(count)
        return RecordBlock(
            bytes: bytes, offsets: Array(first..<next),
            timestamps: Array(repeating: Timestamp.maximum / 1000, count: count),
            keyStarts: Array(repeating: 0, count: count),
            keyLengths: Array(repeating: -1, count: count), valueStarts: starts,
            valueLengths: lengths, headerStarts: Array(repeating: 0, count: count),
            headerCounts: Array(repeating: 0, count: count), nextOffset: next)
    }

    func committedEnd() throws -> Int64 { hasEnded ? next : .max }

    func firstOffset() throws -> Int64 { 0 }
}
