/// A place in a user's file. Lines and columns count from 1; a column counts characters.
package struct SourceLocation: Hashable, Sendable {
    package var file: String
    package var line: Int
    package var column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
}

/// One message about a user's input: where, what is wrong, and the way out.
///
/// `message` says what is wrong in one short lower-case sentence without a full stop; `hint` says
/// what to write instead. Diagnostics are collected, so that one run reports several.
package struct Diagnostic: Hashable, Sendable, Error, CustomStringConvertible {
    package var location: SourceLocation?
    package var message: String
    package var hint: String?

    package init(_ message: String, at location: SourceLocation? = nil, hint: String? = nil) {
        self.location = location
        self.message = message
        self.hint = hint
    }

    /// `file:line:column: error: message` and, on a second line, the hint.
    package var description: String {
        var text = ""
        if let location { text += "\(location.file):\(location.line):\(location.column): " }
        text += "error: \(message)"
        if let hint { text += "\n    hint: \(hint)" }
        return text
    }
}

/// Several diagnostics thrown together.
package struct DiagnosticList: Error, Sendable, CustomStringConvertible {
    package var diagnostics: [Diagnostic]

    package init(_ diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }

    package var description: String {
        diagnostics.map(\.description).joined(separator: "\n")
    }
}
