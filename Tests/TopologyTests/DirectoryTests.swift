import Dataflow
import Foundation
import Primitives
import Testing
import Topology

/// Folders on disk: what is there, what is missing, what cannot be read.
@Suite struct DirectoryTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let root = NSTemporaryDirectory() + "topology-" + UUID().uuidString
        let folder = root + "/crane"
        let manager = FileManager.default
        try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? manager.removeItem(atPath: root) }
        try body(folder)
    }

    private func write(_ text: String, _ path: String) throws {
        let folder = (path as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    private func problems(_ folder: String) -> [String] {
        do {
            _ = try TopologyLoader.load(directory: folder)
            return []
        } catch {
            return error.diagnostics.map { diagnostic in
                let place = diagnostic.location.map { "\($0.file):\($0.line):\($0.column): " }
                return ((place ?? "") + diagnostic.message).replacing(folder, with: "F")
            }
        }
    }

    @Test func schemasAreFoundInsideAndBeside() throws {
        try withFolder { folder in
            try write(Crane.topology, folder + "/topology.yaml")
            try write(Crane.loadSchema, folder + "/schemas/crane-load.yaml")
            try write(Crane.craneSchema, folder + "/../schemas/crane.yaml")
            // The one inside goes first.
            try write("schema: broken", folder + "/../schemas/crane-load.yaml")
            let loaded = try TopologyLoader.load(directory: folder + "/")
            #expect(
                loaded.plan.canonicalText
                    == (try TopologyLoader.load(Crane.texts(Crane.topology)).plan.canonicalText))
            #expect(loaded.description == "Load against the rated chart")
            try write("case: a\ninput: []\nexpect: {}", folder + "/cases/a.yaml")
            let files = try TopologyDirectory(folder)
            #expect(try CaseFile.load(files, for: loaded.plans).map(\.name) == ["a"])
            #expect(files.schemaNames() == ["crane", "crane-load"])
        }
    }

    /// A file beside the folder is named without a way down and up again, but for a link, above
    /// which there is another folder.
    @Test func pathsAreShort() throws {
        try withFolder { folder in
            let root = (folder as NSString).deletingLastPathComponent
            try write(Crane.topology, folder + "/topology.yaml")
            try write("schema: broken", root + "/schemas/crane.yaml")
            try write(Crane.loadSchema, root + "/schemas/crane-load.yaml")
            func file(_ folder: String) -> String? {
                do {
                    _ = try TopologyLoader.load(directory: folder)
                    return nil
                } catch {
                    return error.diagnostics.first?.location?.file
                }
            }
            #expect(file(folder) == root + "/schemas/crane.yaml")
            #expect(file(folder + "//") == root + "/schemas/crane.yaml")
            #expect(file(folder + "/.") == folder + "/./../schemas/crane.yaml")
            let link = root + "/elsewhere/link"
            try FileManager.default.createDirectory(
                atPath: root + "/elsewhere", withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: link, withDestinationPath: folder)
            #expect(file(link) == link + "/../schemas/crane.yaml")
        }
    }

    @Test func missingFoldersAndFiles() throws {
        try withFolder { folder in
            #expect(problems(folder + "/none") == ["F:1:1: no such folder"])
            #expect(problems(folder) == ["F/topology.yaml:1:1: no such file"])
            try write(Crane.topology, folder + "/topology.yaml")
            #expect(
                problems(folder) == [
                    "F/topology.yaml:7:13: there is no schema 'crane-load'",
                    "F/topology.yaml:12:13: there is no schema 'crane'",
                ])
            #expect(
                problems(folder + "/topology.yaml").first?.contains("not a folder") == true)
            #expect(try TopologyDirectory(folder).caseNames() == [])
        }
    }

    @Test func wrongContents() throws {
        try withFolder { folder in
            try write("", folder + "/topology.yaml")
            #expect(problems(folder) == ["F/topology.yaml:1:1: the file is empty"])
            try Data([0x61, 0x3A, 0x20, 0x62, 0x0A, 0xC3, 0xA9, 0xFF, 0x0A]).write(
                to: URL(fileURLWithPath: folder + "/topology.yaml"))
            #expect(problems(folder) == ["F/topology.yaml:2:2: not UTF-8 text"])
            try FileManager.default.removeItem(atPath: folder + "/topology.yaml")
            try FileManager.default.createDirectory(
                atPath: folder + "/topology.yaml", withIntermediateDirectories: true)
            #expect(problems(folder).first?.contains("cannot be read") == true)
        }
    }

    /// Root may read anything, so as root the thread takes another file-system user for a moment.
    @Test func noPermission() throws {
        try withFolder { folder in
            try write(Crane.topology, folder + "/topology.yaml")
            try write(Crane.craneSchema, folder + "/schemas/crane.yaml")
            try write(Crane.loadSchema, folder + "/schemas/crane-load.yaml")
            let manager = FileManager.default
            for file in ["/topology.yaml", "/schemas/crane.yaml"] {
                try manager.setAttributes([.posixPermissions: 0], ofItemAtPath: folder + file)
                let found = try asNobody { problems(folder) }
                #expect(found == ["F\(file):1:1: permission denied"])
                try manager.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder + file)
            }
            try manager.setAttributes([.posixPermissions: 0], ofItemAtPath: folder)
            let found = try asNobody { problems(folder) }
            try manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder)
            #expect(found == ["F/topology.yaml:1:1: permission denied"])
            #expect(problems(folder) == [])
        }
    }

    /// Runs a body on this thread without root's rights to files. Linux keeps them per thread.
    private func asNobody<Value>(_ body: () -> Value) throws -> Value {
        guard geteuid() == 0 else { return body() }
        typealias SetFileSystemUser = @convention(c) (UInt32) -> Int32
        let symbol = try #require(dlsym(nil, "setfsuid"))
        let setFileSystemUser = unsafeBitCast(symbol, to: SetFileSystemUser.self)
        _ = setFileSystemUser(65534)
        defer { _ = setFileSystemUser(0) }
        return body()
    }
}
