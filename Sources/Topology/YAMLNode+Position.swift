import Primitives

extension YAMLNode {
    /// The place of the `offset`-th character of a scalar's text.
    ///
    /// Quotes, escapes and folded lines of plain and quoted scalars are followed; in a block
    /// scalar (`|`, `>`) the place is the start of the line. O(length of the scalar).
    package func location(ofCharacter offset: Int) -> SourceLocation {
        guard case .scalar(let text, let style) = content else { return location }
        let scalarOffset = String(text.prefix(max(0, offset))).unicodeScalars.count
        switch style {
        case .literal, .folded: return blockLocation(text, scalarOffset, style)
        case .plain, .singleQuoted, .doubleQuoted:
            return flowLocation(Array(text.unicodeScalars), scalarOffset, style)
        }
    }

    private func blockLocation(_ text: String, _ offset: Int, _ style: Style) -> SourceLocation {
        var line = location.line + 1
        if style == .literal {
            line += text.unicodeScalars.prefix(offset).count { $0 == "\n" }
        } else {
            // Folding hides line breaks: count the words before, and find the line they end on.
            var words = text.unicodeScalars.prefix(offset).split { $0 == " " || $0 == "\n" }.count
            while line < source.lineCount {
                let here = source.line(line).split(separator: " ").count
                if words < here || (words == here && offset >= text.unicodeScalars.count) { break }
                words -= here
                line += 1
            }
        }
        let indent = source.line(line).prefix { $0 == " " }.count
        return SourceLocation(file: source.name, line: line, column: indent + 1)
    }

    /// Walks the raw characters beside the decoded ones.
    private func flowLocation(
        _ decoded: [Unicode.Scalar], _ offset: Int, _ style: Style
    ) -> SourceLocation {
        var line = location.line
        var raw = Array(source.line(line).unicodeScalars)
        var column = scalarColumn - 1 + (style == .plain ? 0 : 1)
        var index = 0
        func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" }
        /// Whether only blanks are left on the line, so that the text goes on in the next.
        func atFold() -> Bool {
            column >= raw.count || raw[column...].allSatisfy(isBlank)
        }
        while true {
            let escapedEnd =
                style == .doubleQuoted && column < raw.count && raw[column] == "\\"
                && column + 1 == raw.count
            if index < decoded.count, atFold() || escapedEnd, line < source.lineCount {
                repeat {
                    line += 1
                    raw = Array(source.line(line).unicodeScalars)
                } while raw.allSatisfy(isBlank) && line < source.lineCount
                column = raw.prefix(while: isBlank).count
                if !escapedEnd {
                    while index < offset, index < decoded.count,
                        isBlank(decoded[index]) || decoded[index] == "\n"
                    {
                        index += 1
                    }
                }
            }
            guard index < offset, index < decoded.count, column < raw.count else { break }
            column += YAMLNode.rawLength(raw, at: column, style: style)
            index += 1
        }
        return source.location(line: line, scalarColumn: column + 1)
    }

    /// How many raw scalars stand for one decoded one.
    private static func rawLength(_ raw: [Unicode.Scalar], at index: Int, style: Style) -> Int {
        if style == .singleQuoted, raw[index] == "'" { return 2 }
        guard style == .doubleQuoted, raw[index] == "\\", index + 1 < raw.count else { return 1 }
        switch raw[index + 1] {
        case "x": return 4
        case "u": return 6
        case "U": return 10
        default: return 2
        }
    }
}
