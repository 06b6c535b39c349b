/// A failed operation of the file system: what was tried, on which path, and why it failed.
package struct StorageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried; the raw value is its verb in messages.
    package enum Operation: String, Sendable {
        case open, read, write, sync, truncate, rename, remove, list, lock
        case createDirectory = "create directory"
    }

    package var operation: Operation
    package var path: String
    /// The `errno` of the failed call.
    package var code: Int32
    /// The system's words for `code`.
    package var reason: String

    package init(_ operation: Operation, _ path: String, code: Int32, reason: String) {
        self.operation = operation
        self.path = path
        self.code = code
        self.reason = reason
    }

    /// The disk or the user's quota is full (ENOSPC, EDQUOT).
    package var isDiskFull: Bool { code == 28 || code == 122 }
    /// There is no such file or directory (ENOENT).
    package var isNotFound: Bool { code == 2 }
    /// Access is denied (EACCES, EPERM, EROFS).
    package var isPermissionDenied: Bool { code == 13 || code == 1 || code == 30 }

    package var description: String {
        var text = "cannot \(operation.rawValue) \(path): \(reason)"
        if isDiskFull { text += "; free some space and start again, nothing accepted is lost" }
        return text
    }
}
