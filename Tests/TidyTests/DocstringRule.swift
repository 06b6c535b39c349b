/// What other targets can see is described: every `package` or `public` declaration has a `///`.
///
/// Exempt, because the type's own text covers them: stored and computed properties, plain
/// initialisers (those that can fail or throw are not exempt), overrides, and what the standard
/// protocols require (`witnesses`).
enum DocstringRule {
    /// Requirements of standard protocols; their meaning is the protocol's.
    static let witnesses: Set<String> = [
        "==", "<", "hash", "encode", "next", "makeIterator", "callAsFunction", "run", "validate",
    ]

    private static let modifiers: Set<String> = [
        "static", "final", "mutating", "nonmutating", "consuming", "borrowing", "override",
        "nonisolated", "indirect", "convenience", "required", "unsafe", "prefix", "postfix",
        "infix", "lazy", "weak",
    ]
    private static let described: Set<String> = [
        "func", "struct", "class", "enum", "protocol", "actor", "typealias", "subscript", "init",
        "macro", "operator",
    ]

    static func check(_ file: SourceFile) -> [Finding] {
        guard file.isSwift, file.path.hasPrefix("Sources/") else { return [] }
        let tokens = SwiftToken.scan(SwiftCode(file.bytes))
        let lines = file.lines
        var findings: [Finding] = []
        for index in tokens.indices where ["package", "public"].contains(tokens[index].text) {
            guard let name = undescribedName(tokens, at: index) else { continue }
            let line = tokens[index].line
            if hasDocstring(above: line, lines) { continue }
            let message = "\(name) has no docstring: say what it promises, in what units"
            findings.append(Finding(file.path, line, message))
        }
        return findings
    }

    /// The name of a declaration that needs a docstring; nil when it needs none.
    private static func undescribedName(_ tokens: [SwiftToken], at start: Int) -> String? {
        // In `private(set) package var`, `package` need not begin the line; elsewhere it does, or
        // follows an attribute or modifier. `x.package` is no modifier.
        if start > 0, tokens[start - 1].text == "." { return nil }
        var index = start + 1
        while index < tokens.count, modifiers.contains(tokens[index].text) {
            if tokens[index].text == "override" { return nil }
            index += 1
        }
        guard index + 1 < tokens.count, described.contains(tokens[index].text) else { return nil }
        let kind = tokens[index].text
        if kind == "class", ["func", "var"].contains(tokens[index + 1].text) { index += 1 }
        if kind == "init" {
            return canFail(tokens, from: index) ? "init" : nil
        }
        if kind == "subscript" { return kind }
        let name = operatorName(tokens, from: index + 1)
        return witnesses.contains(name) ? nil : name
    }

    /// An identifier, or the punctuation up to the parenthesis: `==` is two tokens.
    private static func operatorName(_ tokens: [SwiftToken], from start: Int) -> String {
        var name = ""
        for token in tokens[start...] {
            if let byte = token.text.utf8.first, SwiftToken.isWord(byte) {
                return name.isEmpty ? token.text : name
            }
            if token.text == "(" { return name }
            name += token.text
        }
        return name
    }

    private static func canFail(_ tokens: [SwiftToken], from start: Int) -> Bool {
        if start + 1 < tokens.count, ["?", "!"].contains(tokens[start + 1].text) { return true }
        var depth = 0
        for token in tokens[(start + 1)...] {
            switch token.text {
            case "(", "[": depth += 1
            case ")", "]": depth -= 1
            case "throws" where depth == 0: return true
            case "{", "}": if depth == 0 { return false }
            default: break
            }
        }
        return false
    }

    /// Looks upwards over attributes, also those that span lines.
    private static func hasDocstring(above line: Int, _ lines: [Substring]) -> Bool {
        var index = line - 2
        while index >= 0 {
            let text = lines[index].drop { $0 == " " || $0 == "\t" }
            if text.hasPrefix("///") || text.hasSuffix("*/") { return true }
            guard text.hasPrefix("@") || text.hasPrefix("#if") else { return false }
            index -= 1
        }
        return false
    }
}
