/// Words that do not belong in a finished program, each with what to write instead.
enum WordRule {
    private struct Word: Sendable {
        var tokens: [String]
        var instead: String
        var holds: @Sendable (SourceFile) -> Bool
    }

    private static let words: [Word] = [
        Word(tokens: ["try", "!"], instead: "throw, or handle the error", holds: everywhere),
        Word(
            tokens: ["as", "!"], instead: "use as? and say what happens otherwise",
            holds: everywhere),
        Word(
            tokens: ["fatalError", "("],
            instead: "return an error; input must not stop the program",
            holds: everywhere),
        Word(
            tokens: ["print", "("], instead: "return text; only the command line and tests print",
            holds: { $0.path.hasPrefix("Sources/") && !$0.path.hasPrefix("Sources/plumbline/") }),
    ]

    /// In comments too, in every language.
    private static let notes = ["TODO", "FIXME"]

    /// Files that may use a word, with the reason.
    static let exceptions: [String: String] = [
        "Tests/TidyTests/WordRule.swift": "spells the words that it forbids",
        "Tests/TidyTests/WordRuleTests.swift": "its samples spell the words",
    ]

    static func check(_ file: SourceFile) -> [Finding] {
        guard file.isCode, exceptions[file.path] == nil else { return [] }
        var findings: [Finding] = []
        for (index, line) in file.lines.enumerated() {
            for note in notes where line.contains(note) {
                let message = "\(note): do it, or open an issue and name what is not there"
                findings.append(Finding(file.path, index + 1, message))
            }
        }
        return file.isSwift ? findings + checkTokens(file) : findings
    }

    private static func checkTokens(_ file: SourceFile) -> [Finding] {
        let words = words.filter { $0.holds(file) }
        let tokens = SwiftToken.scan(SwiftCode(file.bytes))
        var findings: [Finding] = []
        for index in tokens.indices.dropLast() {
            for word in words
            where tokens[index].text == word.tokens[0]
                && tokens[index + 1].text == word.tokens[1]
            {
                // `try !x` is a negation; `file.print(` and `func print(` are other functions.
                guard tokens[index + 1].isAttached else { continue }
                if index > 0, [".", "func"].contains(tokens[index - 1].text) { continue }
                let message = "\(word.tokens.joined()): \(word.instead)"
                findings.append(Finding(file.path, tokens[index].line, message))
            }
        }
        return findings
    }

    @Sendable private static func everywhere(_ file: SourceFile) -> Bool { true }
}
