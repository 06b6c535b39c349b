/// What other targets can see is described: every `package` or `public` declaration has a `///`.
///
/// Exempt, because another text covers them: stored and computed properties and plain initialisers
/// (the type's; those that can fail or throw are not exempt), overrides, overloads of a name that
/// is described above in the same file, functions that implement a protocol of ours (the
/// protocol's), and what the standard protocols require (`witnesses`).
enum DocstringRule {
    /// Requirements of standard protocols; their meaning is the protocol's.
    static let witnesses: Set<String> = [
        "==", "<", "hash", "encode", "next", "makeIterator", "run", "validate",
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

    static func check(_ tree: SourceTree) -> [Finding] {
        let files = tree.files.filter { $0.isSwift && $0.path.hasPrefix("Sources/") }
        let requirements = files.reduce(into: Set()) { $0.formUnion(Self.requirements(of: $1)) }
        return files.flatMap { check($0, requirements: requirements) }
    }

    /// `requirements` are the signatures that protocols of ours ask for.
    static func check(_ file: SourceFile, requirements: Set<String>) -> [Finding] {
        let tokens = SwiftToken.scan(SwiftCode(file.bytes))
        let lines = file.lines
        var described: Set<String> = []
        var findings: [Finding] = []
        for index in tokens.indices where ["package", "public"].contains(tokens[index].text) {
            guard let keyword = declaration(tokens, at: index) else { continue }
            let name = name(tokens, of: keyword)
            if witnesses.contains(name) { continue }
            let line = tokens[index].line
            if hasDocstring(above: line, lines) {
                described.insert(name)
                continue
            }
            let isFunction = tokens[keyword].text == "func"
            if isFunction, described.contains(name) { continue }
            if isFunction, requirements.contains(signature(tokens, of: keyword)) { continue }
            let message = "\(name) has no docstring: say what it promises, in what units"
            findings.append(Finding(file.path, line, message))
        }
        return findings
    }

    /// Signatures of the functions that a file's protocols require.
    static func requirements(of file: SourceFile) -> Set<String> {
        let tokens = SwiftToken.scan(SwiftCode(file.bytes))
        var result: Set<String> = []
        for index in tokens.indices where tokens[index].text == "protocol" {
            var depth = 0
            for inner in tokens.indices.dropFirst(index) {
                if tokens[inner].text == "{" { depth += 1 }
                if tokens[inner].text == "}" {
                    depth -= 1
                    if depth == 0 { break }
                }
                if depth == 1, tokens[inner].text == "func" {
                    result.insert(signature(tokens, of: inner))
                }
            }
        }
        return result
    }

    /// Name and argument labels: `read(at:count:)`.
    private static func signature(_ tokens: [SwiftToken], of keyword: Int) -> String {
        var text = name(tokens, of: keyword) + "("
        var depth = 0
        var isLabel = false
        for token in tokens.dropFirst(keyword + 1) {
            if depth == 1, isLabel {
                if token.text != ")" { text += token.text + ":" }
                isLabel = false
            }
            if ["(", "["].contains(token.text) {
                depth += 1
                isLabel = depth == 1
            }
            if [")", "]"].contains(token.text) {
                depth -= 1
                if depth == 0 { break }
            }
            if depth == 1, token.text == "," { isLabel = true }
        }
        return text + ")"
    }

    /// Where the `func`, `struct`, … of a declaration that needs a docstring stands; nil when this
    /// is none. `x.package` is no modifier.
    private static func declaration(_ tokens: [SwiftToken], at start: Int) -> Int? {
        if start > 0, tokens[start - 1].text == "." { return nil }
        var index = start + 1
        while index < tokens.count, modifiers.contains(tokens[index].text) {
            if tokens[index].text == "override" { return nil }
            index += 1
        }
        guard index + 1 < tokens.count, described.contains(tokens[index].text) else { return nil }
        if tokens[index].text == "class", tokens[index + 1].text == "func" { index += 1 }
        if tokens[index].text == "init", !canFail(tokens, from: index) { return nil }
        return index
    }

    /// What a declaration declares, for messages.
    private static func name(_ tokens: [SwiftToken], of keyword: Int) -> String {
        let kind = tokens[keyword].text
        return kind == "init" || kind == "subscript"
            ? kind : operatorName(tokens, from: keyword + 1)
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
