import Glibc
import Primitives

/// Files that commands write besides the log. Errors are diagnostics with the path and the reason.
enum LocalFile {
    /// Writes a file: whole, or not at all when something fails. What is no regular file, such as
    /// a device, is written to as it is.
    static func write(_ bytes: [UInt8], to path: String) throws(Diagnostic) {
        var information = stat()
        let isSpecial =
            stat(path, &information) == 0 && information.st_mode & S_IFMT != S_IFREG
        guard !isSpecial else { return try writeThrough(bytes, to: path, as: path) }
        let draft = "\(path).\(getpid()).part"
        do {
            try writeThrough(bytes, to: draft, as: path)
        } catch {
            unlink(draft)
            throw error
        }
        guard rename(draft, path) == 0 else {
            let code = errno
            unlink(draft)
            throw failure(code, "write", path)
        }
    }

    private static func writeThrough(
        _ bytes: [UInt8], to path: String, as name: String
    ) throws(Diagnostic) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw failure(errno, "write", name) }
        var done = 0
        while done < bytes.count {
            let step = bytes.withUnsafeBytes { buffer in
                Glibc.write(
                    descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done)
            }
            if step < 0, errno == EINTR { continue }
            guard step > 0 else {
                let code = errno
                close(descriptor)
                throw failure(code, "write", name)
            }
            done += step
        }
        guard close(descriptor) == 0 else { throw failure(errno, "write", name) }
    }

    /// Makes a folder and those above it that are missing.
    static func makeFolder(_ path: String) throws(Diagnostic) {
        var prefix = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            prefix += prefix.isEmpty || prefix.hasSuffix("/") ? String(part) : "/" + part
            guard mkdir(prefix, 0o777) != 0 else { continue }
            let code = errno
            var information = stat()
            if stat(prefix, &information) == 0, information.st_mode & S_IFMT == S_IFDIR { continue }
            throw failure(code, "create the folder", prefix)
        }
    }

    /// Names in a folder but `.` and `..`, in no order; nil when there is no such folder.
    static func names(in path: String) throws(Diagnostic) -> [String]? {
        guard let folder = opendir(path) else {
            if errno == ENOENT { return nil }
            throw failure(errno, "read the folder", path)
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func failure(_ code: Int32, _ verb: String, _ path: String) -> Diagnostic {
        let hint =
            switch code {
            case ENOENT: "the folder that it is to stand in does not exist; make it first"
            case ENOTDIR: "a part of the path is a file, not a folder"
            case EACCES, EPERM, EROFS: "choose a place where you may write"
            case ENOSPC, EDQUOT: "free some space and try again"
            default: nil as String?
            }
        return Diagnostic("cannot \(verb) \(path): \(String(cString: strerror(code)))", hint: hint)
    }
}
