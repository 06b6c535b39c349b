import Glibc
import Primitives
import RecordLog

/// A file to import, open for reading, or a copy of a stream. One thread.
package final class ImportFile {
    /// A longer line is refused: nothing that a topology reads is that long.
    package static let maximumLineBytes = 16 << 20
    private static let readBytes = 4 << 20

    /// What one pass over the bytes has shown.
    package struct Survey: Sendable {
        package var byteCount: Int
    }

    /// The name in messages.
    package let name: String
    private let descriptor: Int32
    /// Size and time of change when it was opened.
    private let opened: (size: Int, seconds: Int, nanoseconds: Int)

    /// Bytes of the file, as it was when it was opened.
    package var byteCount: Int { opened.size }

    private init(name: String, descriptor: Int32) throws {
        self.name = name
        self.descriptor = descriptor
        opened = try Self.status(descriptor, name)
    }

    deinit { close(descriptor) }

    private static func status(
        _ descriptor: Int32, _ name: String
    ) throws(Diagnostic) -> (size: Int, seconds: Int, nanoseconds: Int) {
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw failure("read", name) }
        return (
            Int(information.st_size), information.st_mtim.tv_sec, information.st_mtim.tv_nsec
        )
    }

    /// Opens a file; what is no regular file (a pipe) is copied into `spoolDirectory` first, and
    /// `-` is the standard input. `onProgress` gets the bytes copied so far.
    package static func open(
        _ path: String, spoolDirectory: String, onProgress: (Int) -> Void = { _ in }
    ) throws -> ImportFile {
        if path == "-" {
            return try spool(
                STDIN_FILENO, name: "standard input", in: spoolDirectory, onProgress)
        }
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("read", path) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else {
            defer { close(descriptor) }
            throw failure("read", path)
        }
        switch information.st_mode & S_IFMT {
        case S_IFREG: return try ImportFile(name: path, descriptor: descriptor)
        case S_IFDIR:
            close(descriptor)
            throw Diagnostic(
                "\(path) is a directory", hint: "give one file, or - for the standard input")
        default:
            defer { close(descriptor) }
            return try spool(descriptor, name: path, in: spoolDirectory, onProgress)
        }
    }

    /// Copies a stream into a file without a name, which goes when the process does.
    private static func spool(
        _ source: Int32, name: String, in directory: String, _ onProgress: (Int) -> Void
    ) throws -> ImportFile {
        try PosixStorage().createDirectory(directory)
        let path = "\(directory)/spool-\(getpid())"
        let copy = Glibc.open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard copy >= 0 else { throw failure("write", path) }
        unlink(path)
        let space = UnsafeMutableRawBufferPointer.allocate(byteCount: readBytes, alignment: 16)
        defer { space.deallocate() }
        var total = 0
        while true {
            let count = read(source, space.baseAddress, space.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                defer { close(copy) }
                throw failure("read", name)
            }
            if count == 0 { break }
            var done = 0
            while done < count {
                let step = write(copy, space.baseAddress.map { $0 + done }, count - done)
                if step < 0, errno == EINTR { continue }
                guard step > 0 else {
                    defer { close(copy) }
                    throw failure("write", path)
                }
                done += step
            }
            total += count
            onProgress(total)
        }
        return try ImportFile(name: name, descriptor: copy)
    }

    private static func failure(_ verb: String, _ path: String) -> Diagnostic {
        let code = errno
        let hint: String? =
            switch code {
            case ENOENT, ENOTDIR: "give the path of the file to import, or - for standard input"
            case EACCES, EPERM: "make it accessible for the user who runs this"
            case ENOSPC, EDQUOT: "free some space and start the same command again"
            default: nil
            }
        return Diagnostic("cannot \(verb) \(path): \(String(cString: strerror(code)))", hint: hint)
    }

    /// Reads the whole file once, giving its bytes to `onBytes` in order.
    ///
    /// Throws for a record that is too long, and for quotes that are never closed, so that such a
    /// file is refused before any of it is stored.
    package func survey(
        _ ends: RecordEnds, onBytes: (UnsafeRawBufferPointer) -> Void
    ) throws -> Survey {
        var ends = ends
        let space = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.readBytes, alignment: 16)
        defer { space.deallocate() }
        var survey = Survey(byteCount: 0)
        var recordBytes = 0
        while survey.byteCount < opened.size {
            let count = try fill(space, at: survey.byteCount)
            guard count > 0 else { break }
            let bytes = UnsafeRawBufferPointer(rebasing: space[..<count])
            onBytes(bytes)
            var start = 0
            while true {
                let line = ends.line
                guard let end = ends.next(bytes, from: start) else { break }
                try checkLength(recordBytes + end - start, line: line, isInQuotes: false)
                recordBytes = 0
                start = end + 1
            }
            recordBytes += count - start
            try checkLength(recordBytes, line: ends.line, isInQuotes: ends.isInQuotes)
            survey.byteCount += count
        }
        if ends.isInQuotes {
            throw Diagnostic(
                "\(name), line \(ends.line): the quotes of a field in this record are never closed",
                hint: "close them, or double a quote that is meant; nothing was imported")
        }
        return survey
    }

    private func checkLength(_ count: Int, line: Int, isInQuotes: Bool) throws(Diagnostic) {
        guard count > Self.maximumLineBytes else { return }
        throw Diagnostic(
            "\(name), line \(line): longer than \(Self.maximumLineBytes >> 20) MiB",
            hint: isInQuotes
                ? "quotes are opened here and not closed; nothing was imported"
                : "one record is one line; nothing was imported")
    }

    /// The first record that is not empty, without its line end; empty when there is none.
    /// Throws when it is longer than `limit` bytes.
    func firstRecord(_ ends: RecordEnds, limit: Int) throws -> [UInt8] {
        let space = UnsafeMutableRawBufferPointer.allocate(byteCount: limit + 2, alignment: 16)
        defer { space.deallocate() }
        let count = try fill(space, at: 0)
        let bytes = UnsafeRawBufferPointer(rebasing: space[..<count])
        var ends = ends
        var start = 0
        while start < count {
            let end = ends.next(bytes, from: start)
            // There is more of it in the file.
            if end == nil, count == space.count { break }
            var last = end ?? count
            if last > start, bytes[last - 1] == 0x0D { last -= 1 }
            if last > start { return Array(bytes[start..<last]) }
            start = (end ?? count) + 1
        }
        guard count == space.count else { return [] }
        throw Diagnostic(
            "\(name), line \(ends.line): the header row is longer than \(limit) bytes",
            hint: "a file without a header row needs --no-header and --schema")
    }

    /// Reads from a position until `space` is full or the file, as it was when opened, ends.
    private func fill(_ space: UnsafeMutableRawBufferPointer, at position: Int) throws -> Int {
        let wanted = min(space.count, opened.size - position)
        var done = 0
        while done < wanted {
            let step = pread(
                descriptor, space.baseAddress.map { $0 + done }, wanted - done, position + done)
            if step < 0, errno == EINTR { continue }
            guard step >= 0 else { throw Self.failure("read", name) }
            if step == 0 { break }
            done += step
        }
        return done
    }

    /// Gives the file's records in order, whole ones in chunks of at least `chunkBytes` but for the
    /// last. `body` gets a buffer, after which ``JSONText/slack`` more bytes can be read; each
    /// record's end is a newline or the buffer's end.
    func forEachChunk(
        of chunkBytes: Int, _ ends: RecordEnds,
        _ body: (UnsafeBufferPointer<UInt8>, _ position: Int) throws -> Void
    ) throws {
        var memory = Self.memory(chunkBytes)
        defer { memory.deallocate() }
        var held = 0
        var position = 0
        while true {
            let space = UnsafeMutableRawBufferPointer(rebasing: memory.dropLast(JSONText.slack))
            let count = try fill(
                UnsafeMutableRawBufferPointer(rebasing: space[held...]), at: position)
            position += count
            let filled = UnsafeRawBufferPointer(rebasing: space[..<(held + count)])
            let isLast = position >= opened.size || count == 0
            guard let end = isLast ? filled.count : Self.lastEnd(filled, ends) else {
                // One record is longer than the space.
                let larger = Self.memory(space.count * 2)
                larger.copyMemory(from: filled)
                memory.deallocate()
                memory = larger
                held = filled.count
                continue
            }
            let lines = UnsafeRawBufferPointer(rebasing: filled[..<end])
            if end > 0 { try body(lines.bindMemory(to: UInt8.self), position - filled.count + end) }
            if isLast { return }
            held = filled.count - end
            UnsafeMutableRawBufferPointer(rebasing: space[..<held])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: filled[end...]))
        }
    }

    private static func memory(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: byteCount + JSONText.slack, alignment: 16)
        memory.initializeMemory(as: UInt8.self, repeating: 0)
        return memory
    }

    /// Where the last whole record ends; the bytes begin with one.
    private static func lastEnd(_ bytes: UnsafeRawBufferPointer, _ ends: RecordEnds) -> Int? {
        if ends.isEveryNewline { return bytes.lastIndex(of: 0x0A).map { $0 + 1 } }
        var ends = ends
        var last: Int?
        while let end = ends.next(bytes, from: last ?? 0) { last = end + 1 }
        return last
    }

    /// Throws when the file has changed since it was opened.
    package func checkUnchanged() throws {
        guard try Self.status(descriptor, name) != opened else { return }
        throw Diagnostic(
            "\(name) was changed while it was imported",
            hint: "what was read before is stored; import a file that nobody writes")
    }
}
