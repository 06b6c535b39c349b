/// Which names the language takes.
package enum NameRules {
    /// Words that CEL keeps for itself, so that an expression could not name them.
    private static let reserved: Set<String> = [
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for",
        "function", "if", "import", "let", "loop", "package", "namespace", "return", "var", "void",
        "while",
    ]

    /// Why a name of a source, step or field is refused, or nil.
    package static func problem(identifier name: String) -> String? {
        let scalars = name.unicodeScalars
        guard let first = scalars.first, isLetter(first) || first == "_",
            scalars.allSatisfy({ isLetter($0) || isDigit($0) || $0 == "_" })
        else { return "'\(name)' is not a name: letters, digits and '_', no digit first" }
        if name.utf8.count > 128 { return "a name has at most 128 characters" }
        return reserved.contains(name) ? "'\(name)' is a reserved word of expressions" : nil
    }

    /// Whether it is `[a-z][a-z0-9-]*`.
    package static func isTopologyName(_ name: String) -> Bool {
        let scalars = name.unicodeScalars
        guard let first = scalars.first, ("a"..."z").contains(first) else { return false }
        return name.utf8.count <= 128
            && scalars.allSatisfy { ("a"..."z").contains($0) || isDigit($0) || $0 == "-" }
    }

    /// Whether it is `[A-Za-z][A-Za-z0-9_-]*`: names of levels and schemas.
    package static func isLabel(_ name: String) -> Bool {
        guard let first = name.unicodeScalars.first, isLetter(first) else { return false }
        return name.utf8.count <= 128
            && name.unicodeScalars.allSatisfy {
                isLetter($0) || isDigit($0) || $0 == "_" || $0 == "-"
            }
    }

    /// Why Kafka would refuse a topic name, or nil.
    ///
    /// Source: org.apache.kafka.common.internals.Topic.
    package static func problem(topic name: String) -> String? {
        if name == "." || name == ".." { return "a topic cannot be named '\(name)'" }
        if name.utf8.count > 249 { return "a topic name has at most 249 characters" }
        let isValid = name.unicodeScalars.allSatisfy {
            isLetter($0) || isDigit($0) || $0 == "." || $0 == "_" || $0 == "-"
        }
        return isValid && !name.isEmpty ? nil : "'\(name)' is not a topic name"
    }

    package static let topicHint = "letters, digits, '.', '_' and '-', such as alarms.crane"

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
}
