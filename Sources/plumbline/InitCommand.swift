import ArgumentParser
import Foundation
import Glibc
import Primitives

/// `plumbline init DIR`
struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a new site directory that runs.",
        discussion: """
            Writes a small topology that watches tower cranes, with its schemas, cases and some \
            sample readings, and a README with what to type next; the same commands are printed. \
            The directory is made when it is missing; one that is not empty is refused.

            Example: plumbline init my-site

            \(Terminal.exitCodes)
            """)

    @Argument(
        help: ArgumentHelp("The directory to make.", valueName: "dir"), completion: .directory)
    var directory: String

    @Flag(help: "Write one JSON object: the directory, the files, the commands to type next.")
    var json = false

    private struct Result: Encodable {
        var directory: String
        var files: [String]
        var commands: [String]
    }

    func validate() throws {
        if directory.isEmpty { throw ValidationError("name the directory to make") }
    }

    func run() throws {
        try Terminal.run {
            if let names = try LocalFile.names(in: directory), !names.isEmpty {
                throw Diagnostic(
                    "\(directory) is not empty: it holds \(names.sorted()[0])",
                    hint: "name a directory that does not exist yet")
            }
            let files = SiteTemplate.files
            try write(files)
            let program = Shell.program
            if json {
                return try Terminal.json(
                    Result(
                        directory: directory, files: files.map(\.path),
                        commands: SiteTemplate.steps.map { "\(program) \($0.arguments)" }))
            }
            try Terminal.print("\(directory): \(files.count) files. What to type next:\n")
            try Terminal.print(
                "cd \(Shell.quoted(directory))\n\(SiteTemplate.commands(program: program))")
        }
    }

    /// Writes all files; when one fails, those before it go again.
    private func write(_ files: [(path: String, bytes: [UInt8])]) throws {
        var written: [String] = []
        do {
            for file in files {
                let path = "\(directory)/\(file.path)"
                let folder = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
                try LocalFile.makeFolder(String(folder))
                try LocalFile.write(file.bytes, to: path)
                written.append(path)
            }
        } catch {
            for path in written { unlink(path) }
            throw error
        }
    }
}

/// Words as a POSIX shell reads them.
enum Shell {
    /// How this program is called from any directory: its name when it was found by the search
    /// path, else its whole path.
    static var program: String {
        let name = CommandLine.arguments.first ?? "plumbline"
        guard name.contains("/") else { return quoted(name) }
        return quoted(URL(fileURLWithPath: name).standardizedFileURL.path)
    }

    /// The word, in quotes when the shell would take it for something else.
    static func quoted(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...:
                true
            default: "/._-+,:@%".utf8.contains(byte)
            }
        }
        if isPlain, !word.isEmpty, !word.hasPrefix("-") { return word }
        return "'\(word.replacing("'", with: "'\\''"))'"
    }
}
