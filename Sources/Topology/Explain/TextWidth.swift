/// How wide text is in a font of equal widths: in columns, where a CJK character takes two.
package enum TextWidth {
    /// Columns of a text. O(length).
    package static func columns(_ text: String) -> Int {
        text.reduce(0) { $0 + columns($1) }
    }

    /// Two for what East Asian fonts draw wide, none for marks that join the one before.
    ///
    /// Source: Unicode Standard Annex 11, the ranges that are wide as whole blocks.
    private static func columns(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
            0xA000...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }

    /// The text with spaces after it up to a width.
    package static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - columns(text)))
    }

    /// The text, or as much of it as fits in `width` columns, ending with `…` when it is cut.
    package static func cut(_ text: String, to width: Int) -> String {
        guard columns(text) > width else { return text }
        var room = width - 1
        let kept = text.prefix { character in
            room -= columns(character)
            return room >= 0
        }
        return kept + "…"
    }

    /// Cuts a text into lines of at most `width` columns, between words where it can: at most
    /// `lineLimit` of them, the last ending with `…` when something was left out.
    package static func wrapped(_ text: String, width: Int, lineLimit: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        var room = width
        func fits(_ word: Substring) -> Bool { columns(String(word)) <= room }
        for word in text.split(separator: " ") {
            var rest = word
            if !line.isEmpty, columns(String(word)) + 1 <= room {
                line += " "
                room -= 1
            } else if !line.isEmpty {
                lines.append(line)
                (line, room) = ("", width)
            }
            while !fits(rest) {
                var cut = rest.startIndex
                while columns(rest[cut]) <= room {
                    room -= columns(rest[cut])
                    cut = rest.index(after: cut)
                }
                lines.append(line + rest[..<cut])
                (line, room) = ("", width)
                rest = rest[cut...]
            }
            line += rest
            room -= columns(String(rest))
        }
        if !line.isEmpty || lines.isEmpty { lines.append(line) }
        guard lines.count > lineLimit else { return lines }
        lines.removeSubrange(lineLimit...)
        lines[lineLimit - 1] = cut(lines[lineLimit - 1] + " …", to: width)
        return lines
    }
}
