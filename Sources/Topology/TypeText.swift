import Columnar
import Primitives

/// Reads a field's type as schema files write it: `decimal(2) t`, `map<int, list<string>>?`.
package struct TypeText {
    /// Why a text is no type, and where; nil `hint` when there is no way out to name.
    package struct Problem: Error {
        /// Characters from the start of the text.
        package var offset: Int
        package var message: String
        package var hint: String?
    }

    private let text: [Character]
    private var index = 0
    private static let names = [
        "bool", "int", "double", "decimal", "string", "bytes", "timestamp", "duration", "list",
        "map", "struct",
    ]
    private static let maximumDepth = 16

    private init(_ text: String) { self.text = Array(text) }

    /// The type, and whether a `?` makes it nullable. O(length).
    package static func parse(
        _ text: String
    ) throws(Problem) -> (type: ValueType, isNullable: Bool) {
        var parser = TypeText(text)
        let type = try parser.parseType(depth: 0)
        let isNullable = parser.take("?")
        parser.skipBlanks()
        guard parser.index == parser.text.count else {
            throw parser.problem(
                "unexpected '\(parser.rest)' after the type", parser.unitHint(type))
        }
        return (type, isNullable)
    }

    private var rest: String { String(text[index...]) }

    private func unitHint(_ type: ValueType) -> String {
        type.isNumeric
            ? "TYPE UNIT, a '?' last when it may be missing, such as 'decimal(2) t?'"
            : "only numbers have a unit; a '?' means that it may be missing"
    }

    private func problem(_ message: String, _ hint: String?, at offset: Int? = nil) -> Problem {
        Problem(offset: offset ?? index, message: message, hint: hint)
    }

    private mutating func skipBlanks() {
        while index < text.count, text[index].isWhitespace { index += 1 }
    }

    private mutating func take(_ character: Character) -> Bool {
        skipBlanks()
        guard index < text.count, text[index] == character else { return false }
        index += 1
        return true
    }

    private mutating func expect(_ character: Character, _ hint: String) throws(Problem) {
        guard take(character) else {
            let found = index < text.count ? "'\(text[index])'" : "the end"
            throw problem("expected '\(character)', found \(found)", hint)
        }
    }

    private mutating func word() -> String {
        skipBlanks()
        let start = index
        while index < text.count,
            text[index].isASCII,
            text[index].isLetter || text[index].isNumber || text[index] == "_"
        {
            index += 1
        }
        return String(text[start..<index])
    }

    private mutating func parseType(depth: Int) throws(Problem) -> ValueType {
        guard depth < TypeText.maximumDepth else {
            throw problem("nested too deeply", "at most \(TypeText.maximumDepth) levels")
        }
        skipBlanks()
        let start = index
        let name = word()
        switch name {
        case "bool": return .bool
        case "string": return .string
        case "bytes": return .bytes
        case "timestamp": return .timestamp
        case "duration": return .duration
        case "int": return .int(unit: try unit())
        case "double": return .double(unit: try unit())
        case "decimal":
            let scale = try parseScale()
            return .decimal(scale: scale, unit: try unit())
        case "list":
            try expect("<", "list<TYPE>")
            let element = try parseType(depth: depth + 1)
            try refuseNullable("an element of a list")
            try expect(">", "list<TYPE>")
            return .list(element)
        case "map": return try parseMap(depth)
        case "struct": return try parseStruct(depth)
        default:
            throw problem(
                name.isEmpty ? "a type is missing" : "unknown type '\(name)'",
                Suggestion.hint(for: name, in: TypeText.names, kind: "types"), at: start)
        }
    }

    private mutating func parseScale() throws(Problem) -> Int {
        let hint = "decimal(2): the number of digits after the point, 0 to 18"
        try expect("(", hint)
        skipBlanks()
        let start = index
        let digits = word()
        guard let scale = Int(digits), scale >= 0, scale <= Decimal.maximumScale else {
            throw problem("'\(digits)' is not a number of digits from 0 to 18", hint, at: start)
        }
        try expect(")", hint)
        return scale
    }

    private mutating func parseMap(_ depth: Int) throws(Problem) -> ValueType {
        let hint = "map<string, TYPE> or map<int, TYPE>"
        try expect("<", hint)
        skipBlanks()
        let start = index
        let key = try parseType(depth: depth + 1)
        guard key == .string || key == .int else {
            throw problem("a map's key must be string or int", hint, at: start)
        }
        try expect(",", hint)
        let value = try parseType(depth: depth + 1)
        try refuseNullable("a value of a map")
        try expect(">", hint)
        return .map(key: key, value: value)
    }

    private mutating func parseStruct(_ depth: Int) throws(Problem) -> ValueType {
        let hint = "struct{name: TYPE, …}"
        try expect("{", hint)
        var fields: [Field] = []
        repeat {
            skipBlanks()
            let start = index
            let name = word()
            if let message = NameRules.problem(identifier: name) {
                throw problem(message, hint, at: start)
            }
            guard !fields.contains(where: { $0.name == name }) else {
                throw problem("field '\(name)' stands twice", "rename one", at: start)
            }
            try expect(":", hint)
            let type = try parseType(depth: depth + 1)
            fields.append(Field(name, type, isNullable: take("?")))
        } while take(",")
        try expect("}", hint)
        return .structure(fields)
    }

    private mutating func refuseNullable(_ what: String) throws(Problem) {
        skipBlanks()
        if index < text.count, text[index] == "?" {
            throw problem("\(what) cannot be nullable", "remove the '?'")
        }
    }

    /// A UCUM code up to a blank, `,`, `>`, `?` or the brace that closes a struct.
    private mutating func unit() throws(Problem) -> Unit? {
        skipBlanks()
        var code = ""
        let start = index
        var depth = 0
        while index < text.count {
            let character = text[index]
            if character == "{" || character == "[" { depth += 1 }
            if character == "}" || character == "]" { depth -= 1 }
            if depth < 0 { break }
            if depth == 0, character.isWhitespace || ",>?".contains(character) { break }
            code.append(character)
            index += 1
        }
        if code.isEmpty { return nil }
        guard Unit(code).isKnown else {
            throw problem(
                "unknown unit '\(code)'", "a UCUM code, such as t, m, ug/m3, Cel, %", at: start)
        }
        return Unit(code)
    }
}
