import Primitives

/// A text file as its user sees it: its name, and its lines for mapping places. Immutable.
package final class SourceText: Sendable {
    /// The name that diagnostics give, such as `topologies/crane/topology.yaml`.
    package let name: String
    package let text: String
    private let lines: [String]

    /// A byte-order mark at the start is dropped. O(length).
    package init(name: String, text: String) {
        self.name = name
        var scalars = text.unicodeScalars[...]
        if scalars.first == "\u{FEFF}" { scalars = scalars.dropFirst() }
        self.text = String(scalars)
        lines = SourceText.split(scalars)
    }

    /// Lines by the line breaks of YAML 1.1, which the YAML reader counts by.
    private static func split(_ scalars: Substring.UnicodeScalarView) -> [String] {
        var lines: [String] = []
        var line = String.UnicodeScalarView()
        var afterReturn = false
        for scalar in scalars {
            switch scalar {
            case "\n" where afterReturn: break
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}":
                lines.append(String(line))
                line = String.UnicodeScalarView()
            default: line.append(scalar)
            }
            afterReturn = scalar == "\r"
        }
        lines.append(String(line))
        return lines
    }

    /// The text of a line, from 1; empty outside the file.
    package func line(_ number: Int) -> String {
        number >= 1 && number <= lines.count ? lines[number - 1] : ""
    }

    package var lineCount: Int { lines.count }

    /// A place given by line and Unicode-scalar column (both from 1), with its column in
    /// characters.
    package func location(line number: Int, scalarColumn: Int) -> SourceLocation {
        let before = String(line(number).unicodeScalars.prefix(max(0, scalarColumn - 1)))
        let beyond = max(0, scalarColumn - 1 - before.unicodeScalars.count)
        return SourceLocation(file: name, line: number, column: before.count + beyond + 1)
    }
}
