import Columnar
import Expression

/// Values from a rule file, chosen by scope and event time: limits as data.
package struct RulesPlan: Sendable {
    /// The name by which the topology calls the rules, and that of their file.
    package var name: String
    package var file: String
    /// What rows are chosen by; types are string, int or bool.
    package var scope: [Field]
    /// What they give, one column each over `rows`.
    package var values: [Field]
    package var columns: [Column]
    package var rows: [RuleRow]
    /// One output for each scope field.
    package var program: Program

    package init(
        name: String, file: String, scope: [Field], values: [Field], columns: [Column],
        rows: [RuleRow], program: Program
    ) {
        self.name = name
        self.file = file
        self.scope = scope
        self.values = values
        self.columns = columns
        self.rows = rows
        self.program = program
    }
}

/// One row of a rule file: for whom, and from when on and before when it holds.
package struct RuleRow: Hashable, Sendable {
    /// For each scope field the bytes of its value as text; nil matches anything.
    package var scope: [[UInt8]?]
    package var from: Int64
    /// `Int64.max` for a row without an end.
    package var to: Int64

    package init(scope: [[UInt8]?], from: Int64, to: Int64) {
        self.scope = scope
        self.from = from
        self.to = to
    }

    /// Whether the row is for these scope values, whatever the time. Null matches `*` only.
    package func matches(_ values: [[UInt8]?]) -> Bool {
        zip(scope, values).allSatisfy { own, value in own == nil || own == value }
    }

    /// Whether the row goes before another that matches too: the one that names more fields; of
    /// two that name as many, the one that names the earlier field. False for the same fields.
    package func precedes(_ other: RuleRow) -> Bool {
        let named = (scope.count { $0 != nil }, other.scope.count { $0 != nil })
        if named.0 != named.1 { return named.0 > named.1 }
        for (own, theirs) in zip(scope, other.scope) where (own == nil) != (theirs == nil) {
            return own != nil
        }
        return false
    }
}
