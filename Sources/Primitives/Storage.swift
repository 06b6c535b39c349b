/// How `Storage.open(_:_:)` opens a file.
package enum StorageOpenMode: Sendable {
    /// For reading; the file must exist.
    case read
    /// For reading and writing; the file must exist.
    case update
    /// For reading and writing; created empty when missing.
    case create
    /// For reading and writing; created, or emptied when it exists.
    case replace
}

/// What a path names: a directory, or anything else, which counts as a file.
package enum StorageKind: Sendable {
    case file, directory
}

/// An open file. Positions and sizes are in bytes.
///
/// Threading: reads at different positions may run at once; everything else by one thread at a
/// time.
package protocol StorageFile: AnyObject, Sendable {
    var path: String { get }

    func size() throws(StorageError) -> Int

    /// Up to `count` bytes from `position`; fewer only at the end of the file.
    func read(at position: Int, count: Int) throws(StorageError) -> [UInt8]

    /// Writes all bytes at `position`, growing the file. On an error any prefix may be written.
    func write(_ bytes: Span<UInt8>, at position: Int) throws(StorageError)

    /// Returns when the contents and the size are durable.
    func sync() throws(StorageError)

    func truncate(to size: Int) throws(StorageError)

    /// Gives the handle back; the file must not be used afterwards. Also done on deinit.
    func close()
}

/// A held lock, given back by `release()` or when the object goes.
package protocol StorageLock: AnyObject, Sendable {
    func release()
}

/// The file system as the log sees it; the tests put a simulated one with faults in its place.
///
/// Paths are absolute or relative to the working directory, separated by `/`.
package protocol Storage: Sendable {
    func open(_ path: String, _ mode: StorageOpenMode) throws(StorageError) -> any StorageFile

    /// The names in a directory, in ascending order of their bytes.
    func list(_ directory: String) throws(StorageError) -> [String]

    /// What is at a path, or nil when there is nothing.
    func kind(of path: String) throws(StorageError) -> StorageKind?

    /// Creates a directory and its missing parents; no error when it exists.
    func createDirectory(_ path: String) throws(StorageError)

    /// Replaces `target` atomically.
    func rename(_ path: String, to target: String) throws(StorageError)

    /// Removes a file; no error when there is none.
    func remove(_ path: String) throws(StorageError)

    /// Removes an empty directory; no error when there is none.
    func removeDirectory(_ path: String) throws(StorageError)

    /// Returns when creations, renames and removals in a directory are durable.
    func syncDirectory(_ path: String) throws(StorageError)

    /// Takes an exclusive lock on a file (created when missing), or nil when another holds it.
    func lock(_ path: String) throws(StorageError) -> (any StorageLock)?
}

extension Storage {
    /// The whole contents of a file, or nil when it does not exist.
    package func contents(of path: String) throws(StorageError) -> [UInt8]? {
        let file: any StorageFile
        do {
            file = try open(path, .read)
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
        defer { file.close() }
        return try file.read(at: 0, count: try file.size())
    }

    /// Puts `bytes` in the place of a file, durably: afterwards, and after a crash in between, it
    /// holds either the old contents or the new.
    package func writeAtomically(_ bytes: [UInt8], to path: String) throws(StorageError) {
        let temporary = path + ".tmp"
        let file = try open(temporary, .replace)
        do {
            defer { file.close() }
            try file.write(bytes.span, at: 0)
            try file.sync()
        }
        try rename(temporary, to: path)
        try syncDirectory(Self.directory(of: path))
    }

    /// The part of a path before its last `/`, or `.`.
    package static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
