import Glibc
import Primitives

/// The Unix stream socket `<data>/plumbline.sock` and the frames on it.
///
/// All numbers are big-endian. A frame is a length (4 bytes, of what follows), the protocol's
/// version (1 byte, ``version``), a kind (1 byte) and a body. The client sends a request and waits
/// for its reply. A string is a length (4 bytes) and UTF-8.
///
///     kind  request        body
///        1  ensureTopic    topic, partitions (4 bytes; 0: what there is, or the default)
///        2  recordCounts   topic, producer id (8), count (4), that many offsets (8 each)
///        3  append         topic, count (4), for each: partition (4), length (4), record batch
///     kind  reply
///      128  numbers        count (4), that many numbers (8 each): the partitions' ends for 1,
///                          the records of each partition for 2, none for 3
///      129  error          message, hint (empty: none); nothing of the request was done
enum ImportSocket {
    static let name = "plumbline.sock"
    static let version: UInt8 = 1
    /// A longer frame ends the connection. Imports send at most half of it at once.
    static let maximumFrameBytes = 64 << 20

    enum Kind: UInt8 {
        case ensureTopic = 1
        case recordCounts = 2
        case append = 3
        case numbers = 128
        case error = 129
    }

    /// Calls `body` with the address of the socket in a directory.
    ///
    /// An address holds 107 bytes; a longer path is reached through an open descriptor of the
    /// directory.
    static func withAddress(
        in directory: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(StorageError) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path) - 1
        var path = "\(directory)/\(name)"
        var descriptor: Int32 = -1
        if path.utf8.count > capacity {
            descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else { throw Self.failure(.open, directory) }
            path = "/proc/self/fd/\(descriptor)/\(name)"
        }
        defer { if descriptor >= 0 { close(descriptor) } }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    static func failure(_ operation: StorageError.Operation, _ path: String) -> StorageError {
        let code = errno
        return StorageError(operation, path, code: code, reason: String(cString: strerror(code)))
    }

    /// The start of a frame; `send` fills in the length.
    static func frame(_ kind: Kind) -> [UInt8] { [0, 0, 0, 0, version, kind.rawValue] }

    static func append(_ text: String, to frame: inout [UInt8]) {
        frame.appendBigEndian(Int32(clamping: text.utf8.count))
        frame += text.utf8
    }

    /// Sends a frame; false when the connection has ended.
    static func send(_ frame: [UInt8], on descriptor: Int32) -> Bool {
        var frame = frame
        var length: [UInt8] = []
        length.appendBigEndian(Int32(clamping: frame.count - 4))
        frame.replaceSubrange(0..<4, with: length)
        return frame.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let step = Glibc.send(
                    descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done,
                    Int32(MSG_NOSIGNAL))
                if step < 0, errno == EINTR { continue }
                guard step > 0 else { return false }
                done += step
            }
            return true
        }
    }

    /// The next frame's kind and body; nil when the connection has ended or sends something else.
    static func receive(on descriptor: Int32) -> (kind: UInt8, body: ByteCursor)? {
        guard let prefix = receive(4, on: descriptor) else { return nil }
        var cursor = ByteCursor(prefix)
        guard let length = cursor.readInt32(), length >= 2, length <= maximumFrameBytes,
            let bytes = receive(Int(length), on: descriptor), bytes[0] == version
        else { return nil }
        return (bytes[1], ByteCursor(bytes, in: 2..<bytes.count))
    }

    private static func receive(_ count: Int, on descriptor: Int32) -> [UInt8]? {
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { space, filled in
            filled = 0
            while filled < count {
                let step = recv(
                    descriptor, space.baseAddress.map { $0 + filled }, count - filled, 0)
                if step < 0, errno == EINTR { continue }
                guard step > 0 else { return }
                filled += step
            }
        }
        return bytes.count == count ? bytes : nil
    }
}

extension ByteCursor {
    /// Reads a string of the socket's frames.
    mutating func readText() -> String? {
        guard let count = readInt32(), let bytes = readBytes(Int(count)) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
