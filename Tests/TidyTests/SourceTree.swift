import Foundation

/// A file of the project: its path from the root, with `/`, and its bytes.
struct SourceFile {
    var path: String
    var bytes: [UInt8]

    init(_ path: String, _ text: String) {
        self.path = path
        bytes = Array(text.utf8)
    }

    init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }

    /// What follows the last `.` of the name; the whole name when there is none.
    var kind: String {
        let name = path.split(separator: "/").last ?? ""
        return String(name.split(separator: ".").last ?? name)
    }

    var isSwift: Bool { kind == "swift" }
    var isMarkdown: Bool { kind == "md" }

    /// Written by hand and read by people: the files that size and word rules hold for.
    var isCode: Bool {
        ["swift", "c", "h", "cpp", "py", "sh", "modulemap", "Makefile", "run"].contains(kind)
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Lines without their ends.
    var lines: [Substring] {
        text.split(separator: "\n", omittingEmptySubsequences: false)
    }
}

/// Every file of the project, without what is built, downloaded or made by a run.
struct SourceTree {
    var files: [SourceFile]
    /// Paths of files and folders, for links.
    var paths: Set<String>

    /// Made by tools; `.gitignore` names them too.
    private static let skippedNames: Set<String> = [
        ".git", ".build", ".swiftpm", ".vscode", ".idea", "__pycache__", "Package.resolved",
        "DerivedData", ".DS_Store",
    ]
    /// Made by `make run`.
    private static let skippedPaths: Set<String> = ["data"]

    init(files: [SourceFile]) {
        self.files = files
        paths = Set(files.map(\.path))
        for file in files {
            var parts = file.path.split(separator: "/").dropLast()
            while !parts.isEmpty {
                paths.insert(parts.joined(separator: "/"))
                parts = parts.dropLast()
            }
        }
    }

    /// Reads the tree below a folder.
    init(root: URL) throws {
        var files: [SourceFile] = []
        var folders = [""]
        while let folder = folders.popLast() {
            let directory = folder.isEmpty ? root : root.appendingPathComponent(folder)
            let entries = try FileManager.default.contentsOfDirectory(
                at: directory, includingPropertiesForKeys: [.isDirectoryKey])
            for entry in entries {
                let name = entry.lastPathComponent
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                if Self.skippedNames.contains(name) || Self.skippedPaths.contains(path) { continue }
                if name.hasSuffix(".swp") { continue }
                if try entry.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true {
                    folders.append(path)
                } else {
                    files.append(SourceFile(path: path, bytes: Array(try Data(contentsOf: entry))))
                }
            }
        }
        self.init(files: files.sorted { $0.path < $1.path })
    }

    /// The checkout that this test was compiled from.
    static func project() throws -> SourceTree {
        let here = URL(fileURLWithPath: #filePath)
        let root = here.deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try SourceTree(root: root)
    }
}
