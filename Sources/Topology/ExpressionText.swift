import Expression
import Primitives

/// An expression as it stands in a file: its text, and where each character of it is.
package struct ExpressionText: Sendable {
    package var text: String
    /// The scalar that holds it, and the character of the scalar at which it begins.
    package var node: YAMLNode
    package var offset: Int

    /// The whole text of a scalar.
    package init(_ text: String, node: YAMLNode) {
        self.text = text
        self.node = node
        offset = 0
    }

    package init(_ text: String, node: YAMLNode, offset: Int) {
        self.text = text
        self.node = node
        self.offset = offset
    }

    /// Where a character of the expression stands in the file; counted from 0.
    package func location(_ character: Int) -> SourceLocation {
        node.location(ofCharacter: offset + character)
    }

    package var location: SourceLocation { location(0) }

    /// The same expression with runs of blanks as one space, and without comments; blanks inside
    /// quotes stay. So that line breaks in a file do not change a plan.
    package var canonical: String {
        var result = ""
        var pendingSpace = false
        for piece in ExpressionText.pieces(text) {
            switch piece {
            case .blank: pendingSpace = true
            case .quoted(let text), .other(let text):
                if pendingSpace, !result.isEmpty { result += " " }
                pendingSpace = false
                result += text
            }
        }
        return result
    }

    /// The number, when the expression is one literal, or `quantity(number, "unit")`.
    package var literal: ExactNumber? {
        let text = canonical
        if let number = ExactNumber(text) { return number }
        guard text.hasPrefix("quantity("), text.hasSuffix(")") else { return nil }
        let parts = text.dropFirst(9).dropLast().split(separator: ",")
        return parts.count == 2 ? ExactNumber(parts[0].filter { $0 != " " }) : nil
    }

    /// Whether it is a number and nothing else.
    package var isBareNumber: Bool { ExactNumber(canonical) != nil }

    /// A stretch of CEL text as ``pieces(_:)`` cuts it.
    package enum Piece {
        /// So many characters of blanks or comment.
        case blank(Int)
        /// A string or bytes literal with its quotes and prefix.
        case quoted(String)
        /// One character.
        case other(String)
    }

    /// Cuts CEL text into blanks (comments among them), quoted literals, and single characters.
    ///
    /// Source: the lexical rules of google/cel-spec. An unclosed quote runs to the end.
    package static func pieces(_ text: String) -> [Piece] {
        let characters = Array(text)
        var pieces: [Piece] = []
        var index = 0
        var wordStart = 0
        while index < characters.count {
            let character = characters[index]
            if character.isWhitespace {
                pieces.append(.blank(1))
                index += 1
                wordStart = index
            } else if character == "/", index + 1 < characters.count, characters[index + 1] == "/" {
                let start = index
                while index < characters.count, !characters[index].isNewline { index += 1 }
                pieces.append(.blank(index - start))
                wordStart = index
            } else if character == "\"" || character == "'" {
                let prefix = characters[wordStart..<index].map { $0.lowercased() }.joined()
                let end = quoteEnd(characters, index, raw: ["r", "br", "rb"].contains(prefix))
                pieces.append(.quoted(String(characters[index..<end])))
                index = end
                wordStart = end
            } else {
                pieces.append(.other(String(character)))
                index += 1
                if !(character.isLetter || character.isNumber || character == "_") {
                    wordStart = index
                }
            }
        }
        return pieces
    }

    private static func quoteEnd(_ text: [Character], _ start: Int, raw: Bool) -> Int {
        let quote = text[start]
        let isTriple =
            start + 2 < text.count && text[start + 1] == quote && text[start + 2] == quote
        let width = isTriple ? 3 : 1
        var index = start + width
        while index < text.count {
            if text[index] == "\\", !raw {
                index += 2
                continue
            }
            if index + width <= text.count, text[index..<index + width].allSatisfy({ $0 == quote })
            {
                return index + width
            }
            index += 1
        }
        return text.count
    }
}
