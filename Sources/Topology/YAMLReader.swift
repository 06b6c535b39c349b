import Primitives
import Yams

/// Reads one YAML document into ``YAMLNode``s.
///
/// Refused, each with its place: more than one document, anchors and aliases, tags, keys that are
/// not single values, and one key twice. A canonical (JSON) text is YAML too.
package struct YAMLReader {
    private let source: SourceText
    private let collector: DiagnosticCollector
    /// Deeper nesting is refused; nothing in the language needs more than a dozen levels.
    private static let maximumDepth = 64

    /// The root of the document, or nil with diagnostics.
    package static func read(_ source: SourceText, _ collector: DiagnosticCollector) -> YAMLNode? {
        let reader = YAMLReader(source: source, collector: collector)
        guard reader.checkNesting() else { return nil }
        do {
            let parser = try Parser(yaml: source.text, resolver: .basic)
            guard let root = try parser.singleRoot(), !isEmpty(root) else {
                reader.reportEmpty()
                return nil
            }
            // Nodes hold their anchors weakly; the parser owns them.
            let before = collector.count
            let node = withExtendedLifetime(parser) { reader.convert(root, depth: 0) }
            // Judging what is left would only add noise.
            return collector.count == before ? node : nil
        } catch let error as YamlError {
            reader.report(error)
        } catch {
            collector.report("cannot be read: \(error)", at: reader.place(1, 1))
        }
        return nil
    }

    private static func isEmpty(_ node: Node) -> Bool {
        if case .scalar(let scalar) = node { scalar.string.isEmpty } else { false }
    }

    private func place(_ line: Int, _ column: Int) -> SourceLocation {
        source.location(line: line, scalarColumn: column)
    }

    private func reportEmpty() {
        collector.report(
            "the file is empty", at: place(1, 1), hint: "it must hold one YAML mapping")
    }

    /// The YAML library recurses; brackets beyond any sensible depth are refused before it does.
    private func checkNesting() -> Bool {
        var depth = 0
        for number in 1...max(1, source.lineCount) {
            let line = source.line(number)
            var markers = 0
            for (column, scalar) in line.unicodeScalars.enumerated() {
                switch scalar {
                case "[", "{": depth += 1
                case "]", "}": depth = max(0, depth - 1)
                case "-", "?", ":": markers += 1
                default: break
                }
                if depth > 500 || (markers > 500 && depth == 0 && isMarkerRun(line)) {
                    collector.report(
                        "nested too deeply", at: place(number, column + 1),
                        hint: "at most \(YAMLReader.maximumDepth) levels")
                    return false
                }
            }
        }
        return true
    }

    private func isMarkerRun(_ line: String) -> Bool {
        line.unicodeScalars.prefix(600).allSatisfy { " -?:\t".unicodeScalars.contains($0) }
    }

    private func convert(_ node: Node, depth: Int) -> YAMLNode? {
        let mark = node.mark
        let line = mark?.line ?? 1
        let column = mark?.column ?? 1
        let location = place(line, column)
        guard depth <= YAMLReader.maximumDepth else {
            collector.report(
                "nested too deeply", at: location,
                hint: "at most \(YAMLReader.maximumDepth) levels")
            return nil
        }
        if node.anchor != nil {
            collector.report(
                "anchors and aliases are not supported", at: location,
                hint: "write the value out where it is used, or quote a value that begins with '&'")
            return nil
        }
        func made(_ content: YAMLNode.Content) -> YAMLNode {
            YAMLNode(content: content, location: location, scalarColumn: column, source: source)
        }
        switch node {
        case .scalar(let scalar):
            guard checkTag(scalar.tag.description, at: location) else { return nil }
            return made(.scalar(scalar.string, YAMLReader.style(scalar.style)))
        case .sequence(let sequence):
            guard checkTag(sequence.tag.description, at: location) else { return nil }
            return made(.sequence(sequence.compactMap { convert($0, depth: depth + 1) }))
        case .mapping(let mapping):
            guard checkTag(mapping.tag.description, at: location) else { return nil }
            return made(.mapping(entries(mapping, depth: depth)))
        case .alias:
            collector.report(
                "anchors and aliases are not supported", at: location,
                hint: "write the value out where it is used")
            return nil
        }
    }

    private func entries(_ mapping: Node.Mapping, depth: Int) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        for (key, value) in mapping {
            let mark = key.mark
            let location = place(mark?.line ?? 1, mark?.column ?? 1)
            guard key.anchor == nil, let name = key.scalar?.string else {
                collector.report(
                    "a key must be a single value", at: location,
                    hint: "quote a key that begins with '[', '{', '&' or '*'")
                continue
            }
            if name == "<<" {
                collector.report(
                    "merge keys are not supported", at: location,
                    hint: "write the merged keys out")
                continue
            }
            guard let value = convert(value, depth: depth + 1) else { continue }
            entries.append(YAMLNode.Entry(key: name, keyLocation: location, value: value))
        }
        return entries
    }

    /// `!x` at the start of a plain value is a YAML tag, which swallows a CEL negation.
    private func checkTag(_ tag: String, at location: SourceLocation) -> Bool {
        if tag.isEmpty || tag == "!" || tag.hasPrefix("tag:yaml.org,2002:") { return true }
        collector.report(
            "YAML tag '\(tag)' is not supported", at: location,
            hint: "put a value that begins with '!' in quotes")
        return false
    }

    private static func style(_ style: Node.Scalar.Style) -> YAMLNode.Style {
        switch style {
        case .any, .plain: .plain
        case .singleQuoted: .singleQuoted
        case .doubleQuoted: .doubleQuoted
        case .literal: .literal
        case .folded: .folded
        }
    }
}

extension YAMLReader {
    private func report(_ error: YamlError) {
        switch error {
        case .scanner(let context, let problem, let mark, _),
            .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            reportSyntax(context?.text, problem, mark)
        case .duplicatedKeysInMapping(let duplicates, let context):
            let key = duplicates.first ?? ""
            let second = secondPlace(of: key, after: context.mark)
            collector.report(
                "key '\(key)' stands twice", at: second,
                hint: "it stands first on line \(context.mark.line); remove one")
        case .reader(let problem, let offset, _, let yaml):
            collector.report(
                "character that YAML does not allow: \(problem)",
                at: place(ofCharacter: offset ?? 0, in: yaml),
                hint: "remove it, or write it as \"\\u…\" inside double quotes")
        default:
            collector.report("cannot be read as YAML: \(error)", at: place(1, 1))
        }
    }

    private func reportSyntax(_ context: String?, _ problem: String, _ mark: Mark) {
        let location = place(mark.line, mark.column)
        let line = source.line(mark.line)
        if problem.contains("another document") {
            collector.report(
                "more than one YAML document", at: location,
                hint: "one file holds one document; remove '---'")
        } else if problem.contains("undefined alias") {
            collector.report(
                "anchors and aliases are not supported", at: location,
                hint: "put a value that begins with '*' in quotes")
        } else if line.prefix(while: { $0 == " " || $0 == "\t" }).contains("\t") {
            collector.report(
                "tab in the indentation", at: location, hint: "indent with spaces")
        } else if problem.contains("mapping values are not allowed") {
            let example = quoted(valueBefore(mark)).map { ": \($0)" } ?? ""
            collector.report(
                "unexpected ':' in a value", at: location,
                hint: "put a value that contains ': ' in quotes\(example), or check the indentation"
            )
        } else if problem.contains("cannot start any token") {
            let sign = line.unicodeScalars.dropFirst(mark.column - 1).first.map { "\($0)" } ?? ""
            let example = quoted(valueBefore(mark)).map { ": \($0)" } ?? ""
            collector.report(
                "a value cannot begin with '\(sign)'", at: location,
                hint: "put it in quotes\(example)")
        } else if problem.contains("did not find expected ',' or") {
            collector.report(
                "not valid YAML: \(problem)", at: location,
                hint: "close the bracket, or put the whole of a value in quotes that begins with a"
                    + " bracket or a quote and goes on behind it")
        } else if problem.contains("did not find expected"),
            let value = valueBefore(mark, isBehindBrackets: true),
            let sign = value.first, "[{\"'".contains(sign)
        {
            let example = quoted(value).map { ": \($0)" } ?? ""
            collector.report(
                "text after a value that begins with \(sign) and has ended", at: location,
                hint: "put the whole value in quotes\(example)")
        } else {
            let text = [context, problem].compactMap(\.self).joined(separator: ": ")
            collector.report(
                "not valid YAML: \(text)", at: location,
                hint: "check indentation and quotes; quote values that begin with a special sign")
        }
    }

    /// The rest of a line from the value on in which a mark stands: what follows the first `: ` or
    /// `- ` before it. Nil in brackets, where a value may end before the line does;
    /// `isBehindBrackets` when all are closed.
    private func valueBefore(_ mark: Mark, isBehindBrackets: Bool = false) -> String? {
        let line = Array(source.line(mark.line).unicodeScalars)
        var start: Int?
        for index in line.indices.dropLast() where index < mark.column {
            guard [":", "-"].contains(line[index]), line[index + 1] == " " else { continue }
            let before = String(String.UnicodeScalarView(line[..<index]))
            if before.contains(where: { "[{".contains($0) }) {
                if isBehindBrackets { break }
                return nil
            }
            start = index + 2
            // A list's dash may stand before a key.
            if line[index] == ":" { break }
        }
        guard let start else { return nil }
        var value = String(String.UnicodeScalarView(line[start...]))[...]
        value = value.drop { $0 == " " }
        while let last = value.last, last.isWhitespace { value.removeLast() }
        return value.isEmpty ? nil : String(value)
    }

    /// A value in the quotes that leave most of it as it is; nil when there is none, or when a
    /// comment may stand in it.
    private func quoted(_ value: String?) -> String? {
        guard let value, !value.contains(" #"), value.count <= 60 else { return nil }
        if value.contains("'"), !value.contains("\""), !value.contains("\\") {
            return "\"\(value)\""
        }
        return "'\(value.replacing("'", with: "''"))'"
    }

    /// Where a duplicated key of a block mapping stands again; its first place otherwise.
    private func secondPlace(of key: String, after mark: Mark) -> SourceLocation {
        let first = source.line(mark.line).unicodeScalars
        let indent = mark.column - 1
        let isBlock = first.prefix(indent).allSatisfy { " -".unicodeScalars.contains($0) }
        var number = mark.line + 1
        while isBlock, number <= source.lineCount {
            let line = source.line(number).unicodeScalars
            let rest = String(line.dropFirst(indent))
            if line.prefix(indent).allSatisfy({ $0 == " " }),
                ["", "\"", "'"].contains(where: { rest.hasPrefix("\($0)\(key)\($0):") })
            {
                return place(number, mark.column)
            }
            number += 1
        }
        return place(mark.line, mark.column)
    }

    private func place(ofCharacter offset: Int, in text: String) -> SourceLocation {
        let before = text.prefix(offset)
        let line = before.count { $0.isNewline } + 1
        let column = before.reversed().prefix { !$0.isNewline }.count + 1
        return SourceLocation(file: source.name, line: line, column: column)
    }
}
