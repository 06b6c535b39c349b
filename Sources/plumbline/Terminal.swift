import ArgumentParser
import Foundation
import Glibc
import Primitives

/// What the commands share: messages on standard error, results on standard output, exit codes.
enum Terminal {
    /// Exit codes, as every command's help states them.
    static let exitCodes = """
        Exit codes: 0 done; 1 the job failed, with the reason on standard error; 64 wrong usage.
        """

    static func note(_ text: String) {
        var rest = Array((text + "\n").utf8)[...]
        while !rest.isEmpty {
            let step = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if step < 0, errno == EINTR { continue }
            // Whoever closed it does not want to be told.
            guard step > 0 else { return }
            rest = rest.dropFirst(step)
        }
    }

    /// Runs a job; an error is written to standard error and ends the command with exit code 1.
    static func run(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let code as ExitCode {
            throw code
        } catch {
            report(error)
            throw ExitCode(1)
        }
    }

    /// Writes an error to standard error: as text, or with `--json` as JSON, one object a line.
    private static func report(_ error: any Error) {
        let diagnostics =
            switch error {
            case let list as DiagnosticList: list.diagnostics
            case let diagnostic as Diagnostic: [diagnostic]
            default: [Diagnostic(ofText: "\(error)")]
            }
        for diagnostic in diagnostics {
            note(wantsJSON ? Failure(diagnostic, code: 1).line : diagnostic.description)
        }
    }

    /// Ends the program as its command did: with help, a message about wrong usage, or a code.
    static func exit(with error: any Error) -> Never {
        let code = Plumbline.exitCode(for: error)
        let text = Plumbline.fullMessage(for: error)
        guard !text.isEmpty else { Glibc.exit(code.rawValue) }
        if code.isSuccess {
            do { try print(text) } catch {
                report(error)
                Glibc.exit(1)
            }
        } else if wantsJSON {
            // The last line of the usage names the command's help.
            let help = text.split(separator: "\n").last.map { $0.drop { $0 == " " } }
            let usage = Diagnostic(Plumbline.message(for: error), hint: help.map { String($0) })
            note(Failure(usage, code: code.rawValue).line)
        } else {
            note(text)
        }
        Glibc.exit(code.rawValue)
    }

    /// Whether the command line asks for JSON; known also where it could not be read.
    private static var wantsJSON: Bool {
        CommandLine.arguments.prefix { $0 != "--" }.contains("--json")
    }

    /// An error as one line of JSON; what is not known is left out.
    private struct Failure: Encodable {
        struct Place: Encodable {
            var file: String
            var line: Int
            var column: Int
        }
        var error: String
        var place: Place?
        var hint: String?
        /// The exit code.
        var code: Int32

        init(_ diagnostic: Diagnostic, code: Int32) {
            error = diagnostic.message
            place = diagnostic.location.map {
                Place(file: $0.file, line: $0.line, column: $0.column)
            }
            hint = diagnostic.hint
            self.code = code
        }

        var line: String { (try? jsonText(self)) ?? error }
    }

    /// Text and a line feed to standard output; throws when it cannot be written.
    static func print(_ text: String, terminator: String = "\n") throws {
        var bytes = Array((text + terminator).utf8)
        try StandardOutput.write(&bytes)
    }

    /// One JSON value on standard output.
    static func json(_ value: some Encodable) throws { try print(try jsonText(value)) }

    /// A value as JSON on one line, its members by name.
    static func jsonText(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// Text to standard output, or to a file, which is replaced whole or not at all.
    static func write(_ text: String, to file: String?) throws {
        guard let file else { return try print(text, terminator: "") }
        try LocalFile.write(Array(text.utf8), to: file)
    }
}

extension Diagnostic {
    /// The text of an error of another kind, which may begin with `error:` and end with a hint.
    fileprivate init(ofText text: String) {
        let body = text.hasPrefix("error: ") ? String(text.dropFirst("error: ".count)) : text
        let mark = "\n    hint: "
        guard let range = body.range(of: mark) else {
            self.init(body)
            return
        }
        self.init(String(body[..<range.lowerBound]), hint: String(body[range.upperBound...]))
    }
}
