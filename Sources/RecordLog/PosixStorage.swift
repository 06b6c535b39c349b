import Glibc
import Primitives

/// The operating system's files.
package struct PosixStorage: Storage {
    package init() {}

    package func open(
        _ path: String, _ mode: StorageOpenMode
    ) throws(StorageError) -> any StorageFile {
        let flags: Int32 =
            switch mode {
            case .read: O_RDONLY
            case .update: O_RDWR
            case .create: O_RDWR | O_CREAT
            case .replace: O_RDWR | O_CREAT | O_TRUNC
            }
        let descriptor = retrying { Glibc.open(path, flags | O_CLOEXEC, 0o644) }
        guard descriptor >= 0 else { throw failure(.open, path) }
        return PosixFile(path: path, descriptor: descriptor)
    }

    package func list(_ directory: String) throws(StorageError) -> [String] {
        guard let stream = opendir(directory) else { throw failure(.list, directory) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw failure(.list, directory) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    package func kind(of path: String) throws(StorageError) -> StorageKind? {
        var information = stat()
        guard stat(path, &information) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw failure(.open, path)
        }
        return information.st_mode & S_IFMT == S_IFDIR ? .directory : .file
    }

    package func createDirectory(_ path: String) throws(StorageError) {
        if mkdir(path, 0o755) == 0 {
            // The entry is durable only once the parent is.
            try syncDirectory(Self.directory(of: path))
            return
        }
        if errno == EEXIST {
            guard try kind(of: path) == .directory else {
                throw StorageError(
                    .createDirectory, path, code: ENOTDIR, reason: "a file of that name exists")
            }
            return
        }
        let parent = Self.directory(of: path)
        guard errno == ENOENT, parent != path else { throw failure(.createDirectory, path) }
        try createDirectory(parent)
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
            throw failure(.createDirectory, path)
        }
        try syncDirectory(parent)
    }

    package func rename(_ path: String, to target: String) throws(StorageError) {
        guard Glibc.rename(path, target) == 0 else { throw failure(.rename, path) }
    }

    package func remove(_ path: String) throws(StorageError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure(.remove, path) }
    }

    package func removeDirectory(_ path: String) throws(StorageError) {
        guard rmdir(path) == 0 || errno == ENOENT else { throw failure(.remove, path) }
    }

    package func syncDirectory(_ path: String) throws(StorageError) {
        let descriptor = retrying { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw failure(.open, path) }
        defer { Glibc.close(descriptor) }
        guard retrying({ fsync(descriptor) }) == 0 else { throw failure(.sync, path) }
    }

    package func lock(_ path: String) throws(StorageError) -> (any StorageLock)? {
        let descriptor = retrying { Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }
        guard descriptor >= 0 else { throw failure(.lock, path) }
        guard retrying({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 else {
            let error = failure(.lock, path)
            Glibc.close(descriptor)
            if error.code == EWOULDBLOCK { return nil }
            throw error
        }
        return PosixLock(descriptor: descriptor)
    }
}

/// A file descriptor. `@unchecked`: the descriptor changes only in `close()`, which the contract of
/// `StorageFile` gives to one thread.
private final class PosixFile: StorageFile, @unchecked Sendable {
    let path: String
    private var descriptor: Int32

    init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close() }

    func size() throws(StorageError) -> Int {
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw failure(.read, path) }
        return Int(information.st_size)
    }

    func read(at position: Int, count: Int) throws(StorageError) -> [UInt8] {
        guard count > 0 else { return [] }
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { space, filled in
            filled = 0
            guard let base = space.baseAddress else { return }
            while filled < count {
                let step = pread(descriptor, base + filled, count - filled, position + filled)
                if step < 0, errno == EINTR { continue }
                failed = step < 0
                if step <= 0 { return }
                filled += step
            }
        }
        if failed { throw failure(.read, path) }
        return bytes
    }

    func write(_ bytes: Span<UInt8>, at position: Int) throws(StorageError) {
        let count = bytes.count
        let complete = bytes.withUnsafeBytes { source in
            guard let base = source.baseAddress else { return true }
            var done = 0
            while done < count {
                let step = pwrite(descriptor, base + done, count - done, position + done)
                if step < 0, errno == EINTR { continue }
                if step == 0 { errno = ENOSPC }
                if step <= 0 { return false }
                done += step
            }
            return true
        }
        if !complete { throw failure(.write, path) }
    }

    func sync() throws(StorageError) {
        guard retrying({ fdatasync(descriptor) }) == 0 else { throw failure(.sync, path) }
    }

    func truncate(to size: Int) throws(StorageError) {
        guard retrying({ ftruncate(descriptor, size) }) == 0 else {
            throw failure(.truncate, path)
        }
    }

    func close() {
        guard descriptor >= 0 else { return }
        _ = Glibc.close(descriptor)
        descriptor = -1
    }
}

/// `@unchecked` as for `PosixFile`: released by one thread.
private final class PosixLock: StorageLock, @unchecked Sendable {
    private var descriptor: Int32

    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { release() }

    func release() {
        guard descriptor >= 0 else { return }
        _ = close(descriptor)
        descriptor = -1
    }
}

/// The error of the call that has just failed.
private func failure(_ operation: StorageError.Operation, _ path: String) -> StorageError {
    let code = errno
    return StorageError(operation, path, code: code, reason: String(cString: strerror(code)))
}

private func retrying(_ call: () -> Int32) -> Int32 {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}
