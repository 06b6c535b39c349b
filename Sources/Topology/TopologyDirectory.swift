import Glibc
import Primitives

/// A topology's folder. Schemas are looked for in `<folder>/schemas`, then `<folder>/../schemas`;
/// rule files in the same way in `rules`.
package struct TopologyDirectory: TopologyFiles {
    package let path: String
    /// What stands before the names in the folder above: as short as it can be.
    private let parent: String
    /// A larger file is refused: no topology is that long.
    private static let maximumByteCount = 16 << 20

    /// The folder must exist and hold a `topology.yaml`; else a diagnostic says which is missing.
    package init(_ path: String) throws(Diagnostic) {
        var trimmed = path
        while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
        self.path = trimmed
        parent = TopologyDirectory.parent(of: trimmed)
        var information = stat()
        guard unsafe stat(trimmed, &information) == 0 else {
            throw TopologyDirectory.failure(
                errno, path: trimmed, missing: "no such folder",
                hint: "give the folder that holds topology.yaml")
        }
        guard information.st_mode & S_IFMT == S_IFDIR else {
            throw Diagnostic(
                "not a folder", at: SourceLocation(file: trimmed, line: 1, column: 1),
                hint: "give the folder that holds topology.yaml")
        }
        let file = "\(trimmed)/topology.yaml"
        guard unsafe stat(file, &information) == 0 else {
            throw TopologyDirectory.failure(
                errno, path: file, missing: "no such file",
                hint: "the folder of a topology holds a file named topology.yaml")
        }
    }

    /// The folder above, with a slash at its end: `a/` of `a/b`, and nothing of `b`. A link, `.`
    /// and `..` have another folder above them than their text says.
    private static func parent(of path: String) -> String {
        let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        var information = stat()
        let isLink =
            unsafe lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFLNK
        guard !isLink, !["", ".", ".."].contains(path[start...]) else { return path + "/../" }
        return String(path[..<start])
    }

    private static func failure(
        _ code: Int32, path: String, missing: String, hint: String
    ) -> Diagnostic {
        let place = SourceLocation(file: path, line: 1, column: 1)
        switch code {
        case ENOENT, ENOTDIR: return Diagnostic(missing, at: place, hint: hint)
        case EACCES, EPERM:
            return Diagnostic(
                "permission denied", at: place, hint: "make it readable for the user who runs this")
        default:
            return Diagnostic(
                "cannot be read: \(unsafe String(cString: strerror(code)))", at: place)
        }
    }

    private func candidates(_ name: String) -> [String] {
        name.hasPrefix("schemas/") || name.hasPrefix("rules/")
            ? ["\(path)/\(name)", parent + name] : ["\(path)/\(name)"]
    }

    package func displayName(of name: String) -> String { candidates(name)[0] }

    package func read(_ name: String) throws(Diagnostic) -> SourceText? {
        for candidate in candidates(name) {
            if let bytes = try TopologyDirectory.bytes(candidate) {
                return try TopologyDirectory.decode(bytes, name: candidate)
            }
        }
        return nil
    }

    package func readBytes(_ name: String) throws(Diagnostic) -> [UInt8]? {
        for candidate in candidates(name) {
            if let bytes = try TopologyDirectory.bytes(candidate) { return bytes }
        }
        return nil
    }

    /// UTF-8 text of a file, or a diagnostic with the line of the first wrong byte.
    private static func decode(_ bytes: [UInt8], name: String) throws(Diagnostic) -> SourceText {
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            let before = bytes.prefix(error.byteOffsets.lowerBound)
            let line = before.count { $0 == 10 } + 1
            let start = before.lastIndex(of: 10).map { $0 + 1 } ?? 0
            let column = String(decoding: before[start...], as: UTF8.self).count + 1
            throw Diagnostic(
                "not UTF-8 text", at: SourceLocation(file: name, line: line, column: column),
                hint: "save the file as UTF-8")
        }
        return SourceText(name: name, text: String(decoding: bytes, as: UTF8.self))
    }

    /// All bytes of a file, or nil when there is none.
    private static func bytes(_ path: String) throws(Diagnostic) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw failure(errno, path: path, missing: "", hint: "")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(errno, path: path, missing: "", hint: "") }
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
            guard bytes.count <= maximumByteCount else {
                throw Diagnostic(
                    "larger than 16 MiB", at: SourceLocation(file: path, line: 1, column: 1),
                    hint: "give the file of a topology, a schema, rules or a case")
            }
        }
    }

    package func schemaNames() -> [String] {
        names(in: "schemas/")
    }

    package func ruleNames() -> [String] {
        names(in: "rules/")
    }

    package func avroNames(of subject: String) -> [String] {
        names(in: "schemas/\(subject)/", ending: ".avsc")
    }

    private func names(in folder: String, ending: String = ".yaml") -> [String] {
        let found = candidates(folder).flatMap {
            TopologyDirectory.list($0, ending: ending) ?? []
        }
        return Set(found).map { String($0.dropLast(5)) }.sorted()
    }

    package func caseNames() throws(Diagnostic) -> [String] {
        let folder = "\(path)/cases"
        if let names = TopologyDirectory.list(folder) {
            return names.sorted().map { "cases/\($0)" }
        }
        if errno == ENOENT { return [] }
        throw TopologyDirectory.failure(errno, path: folder, missing: "not a folder", hint: "")
    }

    /// Names of the files in a folder that end so, in no order; nil with `errno` when it cannot be
    /// read.
    private static func list(_ folder: String, ending: String = ".yaml") -> [String]? {
        guard let directory = unsafe opendir(folder) else { return nil }
        defer { unsafe _ = closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name.hasSuffix(ending), !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }
}
