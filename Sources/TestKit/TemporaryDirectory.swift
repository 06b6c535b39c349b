import Glibc
import Primitives
import RecordLog

/// A new directory under the system's temporary one, removed with everything in it when the object
/// goes.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init() {
        var template = Array("/tmp/plumbline-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, mkdtemp(base) != nil else { return "" }
            return String(cString: base)
        }
        precondition(!path.isEmpty, "cannot create a directory in /tmp")
    }

    deinit { Self.remove(path) }

    /// Errors are of no interest in a temporary directory.
    private static func remove(_ path: String) {
        let storage = PosixStorage()
        for name in (try? storage.list(path)) ?? [] {
            let entry = path + "/" + name
            if (try? storage.kind(of: entry)) == .directory {
                remove(entry)
            } else {
                unlink(entry)
            }
        }
        rmdir(path)
    }
}
