import Foundation

/// The JSON Schemas in docs/schema know the same keys as the parser: every mapping that
/// `Sources/Topology` reads has its object there, with the same keys, and the other way round.
///
/// The parser's keys are read from its calls of `MappingReader(…, what:, keys:, …)`. A schema's
/// object names its mapping in `$comment`: `parser: ` and the call's `what`, each interpolation
/// as `…`; what follows a `;` is for readers.
enum LanguageSchemaRule {
    /// Mappings that are no part of the language, with the reason.
    static let internals = ["a plan": "the canonical text, which the program itself writes"]
    /// Names in `keys:` that stand for names of the user's, with what they are.
    static let userNames: Set<String> = ["sources", "topics", "fields", "names"]

    /// One mapping: where it stands and which keys it takes.
    struct Mapping {
        var path: String
        var line: Int
        var keys: Set<String>
    }

    static func check(_ tree: SourceTree) -> [Finding] {
        var findings: [Finding] = []
        var parsed: [String: Mapping] = [:]
        for file in tree.files where file.isSwift && file.path.hasPrefix("Sources/Topology/") {
            for (what, mapping) in parserMappings(file, &findings) {
                parsed[what, default: mapping].keys.formUnion(mapping.keys)
            }
        }
        for name in internals.keys { parsed[name] = nil }
        var known: [String: Mapping] = [:]
        for file in tree.files where file.path.hasPrefix("docs/schema/") && file.kind == "json" {
            guard let root = try? JSONSerialization.jsonObject(with: Data(file.bytes)) else {
                findings.append(Finding(file.path, 0, "no JSON"))
                continue
            }
            known.merge(schemaMappings(root, file.path)) { first, _ in first }
        }
        return findings + compare(parsed, known)
    }

    private static func compare(
        _ parsed: [String: Mapping], _ known: [String: Mapping]
    ) -> [Finding] {
        var findings: [Finding] = []
        for (what, mapping) in parsed {
            guard let schema = known[what] else {
                findings.append(
                    Finding(
                        mapping.path, mapping.line,
                        "no object of docs/schema has \"$comment\": \"parser: \(what)\""))
                continue
            }
            for key in mapping.keys.subtracting(schema.keys) {
                findings.append(
                    Finding(
                        mapping.path, mapping.line, "\(what): \(schema.path) lacks the key '\(key)'"
                    ))
            }
            for key in schema.keys.subtracting(mapping.keys) {
                findings.append(
                    Finding(schema.path, 0, "\(what): the parser does not know the key '\(key)'"))
            }
        }
        for (what, schema) in known where parsed[what] == nil {
            findings.append(Finding(schema.path, 0, "the parser reads no mapping '\(what)'"))
        }
        return findings
    }

    // MARK: The parser

    /// Calls of `MappingReader` in a file, by `what`.
    static func parserMappings(
        _ file: SourceFile, _ findings: inout [Finding]
    ) -> [(what: String, mapping: Mapping)] {
        let text = file.text
        var result: [(String, Mapping)] = []
        for call in text.ranges(of: "MappingReader(") {
            let line = text[..<call.lowerBound].count { $0 == "\n" } + 1
            let rest = text[call.upperBound...]
            guard let what = literal(after: "what: ", in: rest),
                let list = rest.range(of: "keys: "),
                let end = rest[list.upperBound...].range(of: "collector")
            else { continue }
            let expression = rest[list.upperBound..<end.lowerBound]
            var keys: Set<String> = []
            for term in expression.split(separator: "+") {
                let term = term.trimmingCharacters(in: CharacterSet(charactersIn: " \n,"))
                if term.hasPrefix("[") {
                    keys.formUnion(strings(in: term))
                } else if let list = definition(of: term, before: call.lowerBound, in: text) {
                    keys.formUnion(list)
                } else if !userNames.contains(term) {
                    findings.append(
                        Finding(
                            file.path, line,
                            "keys '\(term)' of \(what): write them out, or in a 'let' before it"))
                }
            }
            result.append((what, Mapping(path: file.path, line: line, keys: keys)))
        }
        return result
    }

    /// A string literal, each interpolation in it as `…`.
    private static func literal(after label: String, in text: Substring) -> String? {
        guard let start = text.range(of: label + "\"")?.upperBound else { return nil }
        var result = ""
        var depth = 0
        var index = start
        while index < text.endIndex {
            let character = text[index]
            if depth > 0 {
                depth += character == "(" ? 1 : character == ")" ? -1 : 0
            } else if text[index...].hasPrefix("\\(") {
                result += "…"
                depth = 1
                index = text.index(after: index)
            } else if character == "\"" {
                return result
            } else {
                result.append(character)
            }
            index = text.index(after: index)
        }
        return nil
    }

    /// The strings of `let name = ["…", …]`, the last one before a place.
    private static func definition(
        of name: String, before place: String.Index, in text: String
    ) -> Set<String>? {
        let head = text[..<place]
        guard let start = head.ranges(of: "let \(name) = [").last?.upperBound,
            let end = text[start...].firstIndex(of: "]")
        else { return nil }
        let found = strings(in: String(text[start..<end]))
        return found.isEmpty ? nil : found
    }

    private static func strings(in text: String) -> Set<String> {
        let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
        return Set(parts.enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) })
    }

    // MARK: The schema

    /// Objects of a schema that name a mapping of the parser.
    static func schemaMappings(_ root: Any, _ path: String) -> [String: Mapping] {
        var result: [String: Mapping] = [:]
        func walk(_ value: Any) {
            if let list = value as? [Any] { list.forEach(walk) }
            guard let object = value as? [String: Any] else { return }
            if let comment = object["$comment"] as? String, comment.hasPrefix("parser: ") {
                let what = comment.dropFirst(8).split(separator: ";")[0]
                result[String(what)] = Mapping(path: path, line: 0, keys: keys(of: object, root))
            }
            object.values.forEach(walk)
        }
        walk(root)
        return result
    }

    /// The properties of an object and of its alternatives; one that is forbidden does not count.
    private static func keys(of object: [String: Any], _ root: Any) -> Set<String> {
        let properties = object["properties"] as? [String: Any] ?? [:]
        var keys = Set(properties.filter { $0.value as? Bool != false }.keys)
        for kind in ["allOf", "anyOf", "oneOf"] {
            for part in object[kind] as? [[String: Any]] ?? [] {
                keys.formUnion(self.keys(of: resolved(part, root), root))
            }
        }
        return keys
    }

    private static func resolved(_ part: [String: Any], _ root: Any) -> [String: Any] {
        guard let reference = part["$ref"] as? String, reference.hasPrefix("#/") else {
            return part
        }
        var value: Any? = root
        for name in reference.dropFirst(2).split(separator: "/") {
            value = (value as? [String: Any])?[String(name)]
        }
        return value as? [String: Any] ?? part
    }
}
