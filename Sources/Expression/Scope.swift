import Columnar

/// The names that an expression may use, each bound to a column of the batch it runs on.
///
/// A name stands bare (`radius`) or qualified (`load.radius`); a bare name that two qualifiers
/// share is ambiguous and must be qualified.
package struct Scope: Sendable {
    /// One visible name.
    package struct Variable: Sendable {
        package var qualifier: String
        package var field: Field
        /// Index in the batch's columns.
        package var column: Int
        /// All texts that may stand in it, where that is known.
        package var texts: [String]?
    }

    package private(set) var variables: [Variable] = []

    package init() {}

    /// Makes a schema's fields visible under a qualifier; field `i` is column `firstColumn + i`.
    /// `knownTexts` gives all texts that may stand in a field, by its index, or nil.
    package mutating func add(
        _ schema: Schema, qualifier: String, firstColumn: Int,
        knownTexts: (Int) -> [String]? = { _ in nil }
    ) {
        for (index, field) in schema.fields.enumerated() {
            variables.append(
                Variable(
                    qualifier: qualifier, field: field, column: firstColumn + index,
                    texts: field.type == .string ? knownTexts(index) : nil))
        }
    }

    /// The field of a column, where all texts that may stand in it are known.
    func knownTexts(ofColumn column: Int) -> (name: String, texts: [String])? {
        guard let found = variables.first(where: { $0.column == column && $0.texts != nil })
        else { return nil }
        return found.texts.map { (found.field.name, $0) }
    }

    /// What the first names of a path stand for.
    enum Resolution {
        case variable(Variable, pathCount: Int)
        case ambiguous([Variable])
        case qualifier(String)
        case unknown
    }

    /// Resolves `a.b.c`: `a` as qualifier and `b` as its field, else the longest bare field name.
    func resolve(_ path: [String]) -> Resolution {
        if path.count >= 2,
            let found = variables.first(where: {
                !$0.qualifier.isEmpty && $0.qualifier == path[0] && $0.field.name == path[1]
            })
        {
            return .variable(found, pathCount: 2)
        }
        for length in stride(from: path.count, to: 0, by: -1) {
            let name = path[..<length].joined(separator: ".")
            let found = variables.filter { $0.field.name == name }
            if found.count == 1 { return .variable(found[0], pathCount: length) }
            if found.count > 1 { return .ambiguous(found) }
        }
        if variables.contains(where: { !$0.qualifier.isEmpty && $0.qualifier == path[0] }) {
            return .qualifier(path[0])
        }
        return .unknown
    }
}
