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
    }

    package private(set) var variables: [Variable] = []

    package init() {}

    /// Makes a schema's fields visible under a qualifier; field `i` is column `firstColumn + i`.
    package mutating func add(_ schema: Schema, qualifier: String, firstColumn: Int) {
        for (index, field) in schema.fields.enumerated() {
            variables.append(
                Variable(qualifier: qualifier, field: field, column: firstColumn + index))
        }
    }
}
