import Primitives

/// How a sink writes, as written in the file.
package enum SinkFormatSpec: Sendable {
    case json
    case cloudEvents(AlarmSpec)
}

/// An `alarm:` as written; what is nil was left out.
package struct AlarmSpec: Sendable {
    package var rule: AlarmRuleSpec?
    package var type: Located<String>?
    package var source: Located<String>?
    package var subject: Located<String>?
    package var common = AlarmTextsSpec()
    /// What rules say instead of `common`, by the names that a field gives.
    package var rules: [(name: Located<String>, texts: AlarmTextsSpec)] = []
    package var location: SourceLocation
    /// The attributes stand in the value, not in headers.
    package var isStructured = false
}

/// Which rule a row is an alarm of.
package enum AlarmRuleSpec: Sendable {
    case name(Located<String>)
    /// The field that names it.
    case field(Located<String>)
}

/// What alarms, or those of one rule, say beside their row.
package struct AlarmTextsSpec: Sendable {
    package var severity: ByLevelSpec<String>?
    package var majorHazard: ByLevelSpec<Bool>?
    package var basis: ByLevelSpec<String>?
    package var message: MessageSpec?
    /// Messages of certain events.
    package var eventMessages: [(event: Located<String>, message: MessageSpec)] = []
}

/// One value, or a value for each level named.
package struct ByLevelSpec<Value: Sendable>: Sendable {
    package var common: Value?
    package var levels: [(level: Located<String>, value: Value)]
}

/// A message in both languages, as templates.
package struct MessageSpec: Sendable {
    package var chinese: TemplateText
    package var english: TemplateText
}

/// A template as it stands in the file: `{field}` is the field's value, `{{` and `}}` are braces.
package struct TemplateText: Sendable {
    /// A stretch of text with its braces made single, or the name between braces.
    package enum Part: Sendable {
        case text(String)
        /// `offset` is the character of the template at which the name begins.
        case field(String, offset: Int)
    }

    package var text: String
    package var parts: [Part]
    package var node: YAMLNode

    /// Reads a template; the character that is wrong, and why, instead.
    static func parse(_ text: String) -> Result<[Part], Fault> {
        var parts: [Part] = []
        var plain = ""
        let characters = Array(text)
        var position = 0
        while position < characters.count {
            let character = characters[position]
            let isDoubled =
                position + 1 < characters.count && characters[position + 1] == character
            switch character {
            case "{" where isDoubled, "}" where isDoubled:
                plain.append(character)
                position += 2
            case "}":
                return .failure(Fault(offset: position, message: "'}' closes nothing"))
            case "{":
                guard
                    let end = characters[position...].firstIndex(where: { $0 == "}" }),
                    end > position + 1, !characters[(position + 1)..<end].contains("{")
                else { return .failure(Fault(offset: position, message: "'{' names no field")) }
                if !plain.isEmpty { parts.append(.text(plain)) }
                plain = ""
                parts.append(
                    .field(String(characters[(position + 1)..<end]), offset: position + 1))
                position = end + 1
            default:
                plain.append(character)
                position += 1
            }
        }
        if !plain.isEmpty { parts.append(.text(plain)) }
        return .success(parts)
    }

    /// What is wrong with a template, and at which character.
    struct Fault: Error {
        var offset: Int
        var message: String
    }
}
