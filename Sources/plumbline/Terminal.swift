import ArgumentParser
import Foundation
import Primitives

/// What the commands share: messages on standard error, results on standard output, exit codes.
enum Terminal {
    /// Exit codes, as every command's help states them.
    static let exitCodes = """
        Exit codes: 0 done; 1 the job failed, with the reason on standard error; 64 wrong usage.
        """

    static func note(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    /// Runs a job; an error is written to standard error and ends the command with exit code 1.
    static func run(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let code as ExitCode {
            throw code
        } catch let list as DiagnosticList {
            note(list.description)
            throw ExitCode(1)
        } catch {
            let text = "\(error)"
            note(text.hasPrefix("error:") ? text : "error: \(text)")
            throw ExitCode(1)
        }
    }

    /// One JSON value on standard output.
    static func json(_ value: some Encodable) throws { print(try jsonText(value)) }

    /// A value as JSON on one line, its members by name.
    static func jsonText(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// Text to standard output, or to a file, which is replaced whole or not at all.
    static func write(_ text: String, to file: String?) throws {
        guard let file else { return print(text, terminator: "") }
        try LocalFile.write(Array(text.utf8), to: file)
    }
}
