/// One thing per file: at most 700 lines a file, 70 a function, 100 characters a line; no file is
/// empty.
enum SizeRule {
    static let fileLines = 700
    static let functionLines = 70
    static let columns = 100

    /// Files that may be longer or wider, with the reason.
    static let exceptions: [String: String] = [:]
    /// Functions that may be longer, as `path#name`, with the reason.
    static let functionExceptions: [String: String] = [:]

    static func check(_ file: SourceFile) -> [Finding] {
        var findings = checkNotEmpty(file)
        guard file.isCode, exceptions[file.path] == nil else { return findings }
        var lines = file.lines
        if lines.last?.isEmpty == true { lines.removeLast() }
        if lines.count > fileLines {
            let message = "\(lines.count) lines, more than \(fileLines): split it by aspect"
            findings.append(Finding(file.path, 0, message))
        }
        for (index, line) in lines.enumerated()
        where line.utf8.count > columns && line.count > columns {
            let message = "\(line.count) columns, more than \(columns)"
            findings.append(Finding(file.path, index + 1, message))
        }
        return file.isSwift ? findings + checkFunctions(file) : findings
    }

    private static func checkNotEmpty(_ file: SourceFile) -> [Finding] {
        // A fixture may be empty on purpose: an empty index, an empty input.
        if file.path.contains("/Fixtures/") || file.path.hasPrefix("fixtures/") { return [] }
        let content = file.isSwift ? SwiftCode(file.bytes).bytes : file.bytes
        if content.contains(where: { $0 > UInt8(ascii: " ") }) { return [] }
        return [Finding(file.path, 0, "nothing in it; a file enters with the work that needs it")]
    }

    private static func checkFunctions(_ file: SourceFile) -> [Finding] {
        functions(SwiftToken.scan(SwiftCode(file.bytes))).compactMap { function in
            if function.lineCount <= functionLines { return nil }
            if functionExceptions["\(file.path)#\(function.name)"] != nil { return nil }
            let message =
                "\(function.name) has \(function.lineCount) lines, more than "
                + "\(functionLines): keep the control flow here, move the leaves out"
            return Finding(file.path, function.line, message)
        }
    }

    struct Function {
        var name: String
        var line: Int
        /// From the line of `func` to that of the closing brace.
        var lineCount: Int
    }

    /// Functions, initialisers and subscripts that have a body, nested ones too.
    static func functions(_ tokens: [SwiftToken]) -> [Function] {
        var result: [Function] = []
        for (index, token) in tokens.enumerated() {
            guard ["func", "init", "deinit", "subscript"].contains(token.text) else { continue }
            if index > 0, [".", "`"].contains(tokens[index - 1].text) { continue }
            guard let open = bodyStart(tokens, after: index) else { continue }
            let close = matchingBrace(tokens, from: open)
            let isNamed = token.text == "func" && index + 1 < tokens.count
            let name = isNamed ? tokens[index + 1].text : token.text
            let lineCount = tokens[close].line - token.line + 1
            result.append(Function(name: name, line: token.line, lineCount: lineCount))
        }
        return result
    }

    private static let declarations: Set<String> = [
        "func", "init", "deinit", "subscript", "var", "let", "case", "typealias", "associatedtype",
        "struct", "class", "enum", "protocol", "extension", "actor", "package", "public",
        "internal", "private", "fileprivate", "static", "mutating", "nonmutating", "consuming",
        "@", "#",
    ]

    /// The brace that opens the body; nil for a requirement of a protocol.
    private static func bodyStart(_ tokens: [SwiftToken], after start: Int) -> Int? {
        var depth = 0
        for index in tokens.indices.dropFirst(start + 1) {
            let token = tokens[index]
            switch token.text {
            case "(", "[": depth += 1
            case ")", "]": depth -= 1
            case "{" where depth == 0: return index
            case "}" where depth == 0: return nil
            default:
                if depth == 0, token.startsLine, declarations.contains(token.text) { return nil }
            }
        }
        return nil
    }

    private static func matchingBrace(_ tokens: [SwiftToken], from open: Int) -> Int {
        var depth = 0
        for index in open..<tokens.count {
            if tokens[index].text == "{" { depth += 1 }
            if tokens[index].text == "}" {
                depth -= 1
                if depth == 0 { return index }
            }
        }
        return tokens.count - 1
    }
}
