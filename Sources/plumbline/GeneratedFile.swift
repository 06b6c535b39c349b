import Engine
import Glibc

/// Why a generated file could not be written.
struct GenerationError: Error, CustomStringConvertible {
    var description: String
}

/// A file being written, in pieces of a mebibyte. One thread.
final class GeneratedFile {
    let path: String
    private(set) var lineCount = 0
    private(set) var byteCount = 0
    /// SHA-256 of the content in hexadecimal digits; known once closed.
    private(set) var hash = ""
    private var hasher = ContentHash()
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    /// Bytes written when progress was last shown; only a terminal sees progress.
    private var shownByteCount = 0
    private let showsProgress = isatty(STDERR_FILENO) == 1

    init(path: String) throws(GenerationError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Self.failure("write", path) }
        buffer.reserveCapacity(1 << 20 + 1 << 16)
    }

    static func failure(_ operation: String, _ path: String) -> GenerationError {
        GenerationError(
            description: "cannot \(operation) \(path): \(String(cString: strerror(errno)))")
    }

    /// Adds one line, its line feed included.
    func append(_ line: Span<UInt8>) throws(GenerationError) {
        line.withUnsafeBufferPointer { buffer.append(contentsOf: $0) }
        lineCount += 1
        byteCount += line.count
        if buffer.count >= 1 << 20 { try flush() }
    }

    /// Writes what is left and closes. The file is whole only after this returns.
    func close() throws(GenerationError) {
        try flush()
        if shownByteCount > 0 { showProgress("\n") }
        guard Glibc.close(descriptor) == 0 else { throw Self.failure("write", path) }
        hash = hasher.finalize().map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }

    private func flush() throws(GenerationError) {
        buffer.withUnsafeBytes { hasher.update($0) }
        var start = 0
        while start < buffer.count {
            let written = buffer.withUnsafeBytes { bytes in
                Glibc.write(descriptor, bytes.baseAddress.map { $0 + start }, bytes.count - start)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw Self.failure("write", path) }
            start += written
        }
        buffer.removeAll(keepingCapacity: true)
        if showsProgress, byteCount - shownByteCount >= 100 << 20 {
            shownByteCount = byteCount
            showProgress("")
        }
    }

    private func showProgress(_ end: String) {
        let text = Array("\r\(path): \(lineCount) lines, \(byteCount >> 20) MiB\(end)".utf8)
        // Progress that cannot be shown is no failure of the job.
        _ = text.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
