import Columnar

// Names, fields and indexes.

extension Checker {
    /// Names of CEL's types. Source: cel-spec, "Abstract Types".
    static let typeNames: Set<String> = [
        "bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type",
        "google.protobuf.Timestamp", "google.protobuf.Duration",
    ]

    mutating func path(_ syntax: Syntax) -> Node? {
        guard let names = names(syntax) else {
            guard case .select(let operand, let field) = syntax.kind,
                let node = check(operand)
            else { return nil }
            return select(node, field, syntax.offset)
        }
        let texts = names.map(\.name)
        if let found = variables.last(where: { $0.name == texts[0] }) {
            return select(found.node, names.dropFirst())
        }
        switch scope.resolve(texts) {
        case .variable(let variable, let count):
            let node = Node(
                .column(variable.column), [], variable.field.type,
                isNullable: variable.field.isNullable)
            return select(node, names.dropFirst(count))
        case .ambiguous(let found):
            let choices = found.map { "\($0.qualifier).\($0.field.name)" }
            return fail(
                names[0].offset, "'\(texts[0])' is ambiguous",
                hint: "write \(choices.joined(separator: " or "))")
        case .qualifier(let qualifier):
            return unknownField(qualifier, names)
        case .unknown:
            let joined = texts.joined(separator: ".")
            if Self.typeNames.contains(joined) {
                return Node(
                    .constant(.bytes(Array(joined.utf8))), [], .string, typeName: joined)
            }
            return unknownName(texts, names[0].offset)
        }
    }

    /// The names of `a.b.c` with their places; nil when something else stands below.
    private func names(_ syntax: Syntax) -> [(name: String, offset: Int)]? {
        switch syntax.kind {
        case .name(let name): return [(name, syntax.offset)]
        case .select(let operand, let field):
            return names(operand).map { $0 + [(field, syntax.offset)] }
        default: return nil
        }
    }

    private mutating func unknownField(
        _ qualifier: String, _ names: [(name: String, offset: Int)]
    ) -> Node? {
        let fields = scope.variables.filter { $0.qualifier == qualifier }.map(\.field.name)
        guard names.count > 1 else {
            return fail(
                names[0].offset, "'\(qualifier)' is not a value",
                hint: "name a field of it, such as \(qualifier).\(fields[0])")
        }
        return fail(
            names[1].offset, "'\(qualifier)' has no field '\(names[1].name)'",
            hint: Self.hint(names[1].name, fields))
    }

    private mutating func unknownName(_ path: [String], _ offset: Int) -> Node? {
        var visible = variables.map(\.name) + scope.variables.map(\.field.name)
        for variable in scope.variables
        where !variable.qualifier.isEmpty && !visible.contains(variable.qualifier) {
            visible.append(variable.qualifier)
        }
        return fail(offset, "unknown name '\(path[0])'", hint: Self.hint(path[0], visible))
    }

    /// The nearest candidate, or what there is.
    static func hint(_ word: String, _ candidates: [String]) -> String {
        if let near = Suggestion.nearest(word, among: candidates) { return "did you mean \(near)?" }
        guard !candidates.isEmpty else { return "no names are visible here" }
        let shown = candidates.prefix(12).joined(separator: ", ")
        return "visible here: \(shown)\(candidates.count > 12 ? ", …" : "")"
    }

    private mutating func select(
        _ node: Node, _ fields: ArraySlice<(name: String, offset: Int)>
    ) -> Node? {
        var node = node
        for field in fields {
            guard let next = select(node, field.name, field.offset) else { return nil }
            node = next
        }
        return node
    }

    /// A field of a struct, or an entry of a map with string keys.
    mutating func select(_ node: Node, _ field: String, _ offset: Int) -> Node? {
        switch node.type {
        case .structure(let fields):
            guard let index = fields.firstIndex(where: { $0.name == field }) else {
                return fail(
                    offset, "there is no field '\(field)'",
                    hint: Self.hint(field, fields.map(\.name)))
            }
            return Node(
                .field(index), [node], fields[index].type,
                isNullable: node.isNullable || fields[index].isNullable)
        case .map(let key, let value) where key == .string || key == .null:
            let key = Node(.constant(.bytes(Array(field.utf8))), [], .string)
            return Node(
                .mapElement, [node, key], value,
                isNullable: node.isNullable || node.hasNullableElements || value == .null)
        default:
            return fail(offset, "\(node.type) has no fields")
        }
    }

    mutating func element(_ operand: Syntax, _ index: Syntax, _ offset: Int) -> Node? {
        let container = check(operand)
        let position = check(index)
        guard let container, let position else { return nil }
        switch container.type {
        case .list(let element):
            guard case .int(nil) = position.type else {
                return fail(
                    index.offset, "a list is indexed by an int, not \(position.type)")
            }
            return Node(
                .listElement, [container, position], element,
                isNullable: container.isNullable || position.isNullable
                    || container.hasNullableElements || element == .null)
        case .map(let key, let value):
            guard let position = matching(position, key, index.offset) else { return nil }
            return Node(
                .mapElement, [container, position], value,
                isNullable: container.isNullable || position.isNullable
                    || container.hasNullableElements || value == .null)
        default:
            return fail(
                offset, "\(container.type) cannot be indexed",
                hint: "an index is for a list or a map")
        }
    }

    /// A key of the type that a map has; an int key needs no unit.
    private mutating func matching(_ node: Node, _ key: ValueType, _ offset: Int) -> Node? {
        switch (key, node.type) {
        case (.int, .int), (.string, .string), (.bool, .bool), (.null, _): return node
        default:
            return fail(offset, "the keys of this map are \(key), not \(node.type)")
        }
    }

    mutating func membership(_ a: Node, _ b: Node, _ offset: Int) -> Node? {
        switch b.type {
        case .list(let element):
            if element == .null, !b.hasNullableElements {
                return Node(.listContains, [a, b], .bool)
            }
            let sample = Node(.constant(.null(element)), [], element, isNullable: true)
            guard let (x, y) = unify(a, sample, "'in'", offset) else { return nil }
            guard y.type == element else {
                return fail(
                    offset, "\(a.type) cannot be looked for in \(b.type)",
                    hint: "round() the value to the scale of the list")
            }
            return Node(.listContains, [x, b], .bool)
        case .map(let key, _):
            guard let a = matching(a, key, offset) else { return nil }
            return Node(.mapContains, [b, a], .bool)
        default:
            return fail(offset, "'in' needs a list or a map on its right, not \(b.type)")
        }
    }
}
