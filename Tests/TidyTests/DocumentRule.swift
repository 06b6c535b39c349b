import Foundation

/// Documents hold together: both languages have the same sections, links lead somewhere, commands
/// exist.
enum DocumentRule {
    static func check(_ tree: SourceTree) -> [Finding] {
        let makefile = tree.files.first { $0.path == "Makefile" }
        let targets = makefile.map(makeTargets(of:)) ?? []
        var findings: [Finding] = []
        for file in tree.files where file.isMarkdown {
            findings += checkLinks(file, paths: tree.paths)
            findings += checkMakeTargets(file, targets: targets)
            findings += checkTitle(file)
        }
        return findings + checkPairs(tree)
    }

    // MARK: Pairs

    /// `X.zh-CN.md` beside `X.md`: headings of the same levels in the same order.
    static func checkPairs(_ tree: SourceTree) -> [Finding] {
        var byPath: [String: SourceFile] = [:]
        for file in tree.files where file.isMarkdown { byPath[file.path] = file }
        var findings: [Finding] = []
        for file in tree.files where file.path.hasSuffix(".zh-CN.md") {
            let path = file.path.dropLast(".zh-CN.md".count) + ".md"
            guard let original = byPath[String(path)] else {
                findings.append(Finding(file.path, 0, "there is no \(path) beside it"))
                continue
            }
            let levels = headings(of: file).map(\.level)
            let expected = headings(of: original).map(\.level)
            if levels != expected {
                let message = "headings of levels \(levels), but \(path) has \(expected)"
                findings.append(Finding(file.path, 0, message))
            }
        }
        for required in ["README.zh-CN.md", "README.md"]
        where byPath[required] == nil && !byPath.isEmpty {
            findings.append(Finding(required, 0, "missing"))
        }
        return findings
    }

    private static func checkTitle(_ file: SourceFile) -> [Finding] {
        let titles = headings(of: file).filter { $0.level == 1 }
        if titles.count == 1 { return [] }
        return [Finding(file.path, 0, "\(titles.count) titles (# …); a document has one")]
    }

    /// Headings outside code blocks.
    static func headings(of file: SourceFile) -> [(level: Int, line: Int)] {
        var result: [(level: Int, line: Int)] = []
        for (index, line) in prose(file).enumerated() where line.hasPrefix("#") {
            let level = line.prefix { $0 == "#" }.count
            if level <= 6, line.dropFirst(level).hasPrefix(" ") {
                result.append((level, index + 1))
            }
        }
        return result
    }

    // MARK: Links

    /// Relative links lead to a file or folder of the project.
    static func checkLinks(_ file: SourceFile, paths: Set<String>) -> [Finding] {
        var findings: [Finding] = []
        for (index, line) in prose(file).enumerated() {
            for target in links(in: line) {
                guard let path = resolve(target, from: file.path) else {
                    let message = "link to \(target) leaves the project"
                    findings.append(Finding(file.path, index + 1, message))
                    continue
                }
                if path.isEmpty || paths.contains(path) { continue }
                findings.append(Finding(file.path, index + 1, "link to \(target): no such file"))
            }
        }
        return findings
    }

    /// Targets of `](…)` that are relative, without anchor; code spans are not looked at.
    static func links(in line: String) -> [String] {
        let spans = line.split(separator: "`", omittingEmptySubsequences: false)
        let text = spans.enumerated().map { $0.offset % 2 == 0 ? String($0.element) : "" }.joined()
        var result: [String] = []
        for piece in text.components(separatedBy: "](").dropFirst() {
            guard let end = piece.firstIndex(of: ")") else { continue }
            let target = piece[..<end].split(separator: "#", omittingEmptySubsequences: false)[0]
            if target.isEmpty || target.contains("://") || target.hasPrefix("mailto:") { continue }
            result.append(String(target))
        }
        return result
    }

    /// The path from the root that a link means; nil when it leads outside.
    static func resolve(_ target: String, from path: String) -> String? {
        var parts = path.split(separator: "/").dropLast().map(String.init)
        if target.hasPrefix("/") { return nil }
        for part in target.split(separator: "/") where part != "." {
            if part == ".." {
                if parts.isEmpty { return nil }
                parts.removeLast()
            } else {
                parts.append(String(part))
            }
        }
        return parts.joined(separator: "/")
    }

    // MARK: Commands

    /// Every `make TARGET` in code, spans and blocks, is a target of the Makefile.
    static func checkMakeTargets(_ file: SourceFile, targets: Set<String>) -> [Finding] {
        var findings: [Finding] = []
        for (line, target) in makeMentions(in: file) where !targets.contains(target) {
            findings.append(Finding(file.path, line, "the Makefile has no target \(target)"))
        }
        return findings
    }

    static func makeTargets(of makefile: SourceFile) -> Set<String> {
        var targets: Set<String> = []
        for line in makefile.lines {
            guard let colon = line.firstIndex(of: ":"), !line[colon...].hasPrefix(":=") else {
                continue
            }
            let name = line[..<colon]
            if !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "-" }) {
                targets.insert(String(name))
            }
        }
        return targets
    }

    private static func makeMentions(in file: SourceFile) -> [(line: Int, target: String)] {
        var result: [(line: Int, target: String)] = []
        var isBlock = false
        for (index, line) in file.lines.enumerated() {
            if line.drop(while: { $0 == " " }).hasPrefix("```") {
                isBlock.toggle()
                continue
            }
            let spans = line.split(separator: "`", omittingEmptySubsequences: false)
            let codes =
                isBlock ? [line] : spans.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
            for code in codes {
                let words = code.split { $0 == " " || $0 == ";" || $0 == "&" }
                guard words.first == "make", words.count > 1 else { continue }
                for word in words.dropFirst() {
                    if word.hasPrefix("#") { break }
                    if word.contains("=") { continue }
                    result.append((index + 1, String(word)))
                }
            }
        }
        return result
    }

    /// Lines with those of code blocks emptied.
    private static func prose(_ file: SourceFile) -> [String] {
        var isBlock = false
        return file.lines.map { line in
            if line.drop(while: { $0 == " " }).hasPrefix("```") {
                isBlock.toggle()
                return ""
            }
            return isBlock ? "" : String(line)
        }
    }
}
