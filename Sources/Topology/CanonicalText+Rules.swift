import Columnar
import Dataflow
import Primitives

extension CanonicalText {
    static func ruleNames(_ rules: [RulesSpec]) -> JSONValue {
        let sorted = rules.sorted { $0.name.value < $1.name.value }
        return .object(sorted.map { .init($0.name.value, .string($0.file.value)) })
    }

    /// A rule file: declarations in their order, which decides between rows; rows in an order of
    /// their own, with times in UTC and numbers in the digits of their type.
    static func rules(_ file: RuleFileSpec) -> JSONValue {
        func type(_ field: Field) -> JSONValue.Member {
            .init(field.name, .string("\(field.type)\(field.isNullable ? "?" : "")"))
        }
        return .object([
            .init("rows", .array(file.sortedRows.map { row($0, of: file) })),
            .init("rules", .string(file.name)),
            .init("scope", .object(file.scope.map(type))),
            .init("values", .object(file.values.map(type))),
        ])
    }

    private static func row(_ row: RuleRowSpec, of file: RuleFileSpec) -> JSONValue {
        var members: [JSONValue.Member] = []
        for (field, text) in zip(file.scope, row.scope) {
            members.append(.init(field.name, .string(text ?? "*")))
        }
        members.append(.init("from", .string(Timestamp.text(row.from))))
        if let to = row.to { members.append(.init("to", .string(Timestamp.text(to)))) }
        for (field, value) in zip(file.values, row.values) {
            if let value { members.append(.init(field.name, text(value, field.type))) }
        }
        return .object(members)
    }

    private static func text(_ value: RuleValue, _ type: ValueType) -> JSONValue {
        switch (value, type) {
        case (.bool(let value), _): .bool(value)
        case (.string(let text), _): .string(text)
        case (.double(let value), _): .number("\(value)")
        case (.int64(let units), .decimal(let scale, _)):
            .number(Decimal.text(units, scale: scale))
        case (.int64(let time), .timestamp): .string(Timestamp.text(time))
        case (.int64(let length), .duration): .string(DurationText.text(length))
        case (.int64(let value), _): .number(String(value))
        }
    }
}

extension RuleFileSpec {
    /// Rows by scope, `*` last, and time.
    var sortedRows: [RuleRowSpec] {
        rows.sorted { a, b in
            for (x, y) in zip(a.scope, b.scope) where x != y {
                guard let x else { return false }
                guard let y else { return true }
                return x.utf8.lexicographicallyPrecedes(y.utf8)
            }
            return a.from < b.from
        }
    }
}
