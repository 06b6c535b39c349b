import Columnar

// List and map literals, and the macros over them.

extension Checker {
    mutating func list(_ elements: [Syntax]) -> Node? {
        let nodes = elements.map { ($0.offset, check($0)) }
        guard let (values, type) = sameType(nodes, "elements of a list") else { return nil }
        return Node(
            .makeList, values, .list(type), isNullable: false,
            hasNullableElements: values.contains { $0.isNullable })
    }

    mutating func map(_ entries: [(key: Syntax, value: Syntax)], _ offset: Int) -> Node? {
        let keys = entries.map { ($0.key.offset, check($0.key)) }
        let values = entries.map { ($0.value.offset, check($0.value)) }
        guard let (keyNodes, keyType) = sameType(keys, "keys of a map"),
            let (valueNodes, valueType) = sameType(values, "values of a map")
        else { return nil }
        switch keyType {
        case .int, .string, .bool: break
        case .null where entries.isEmpty: break
        default:
            return fail(offset, "keys of a map are int, string or bool, not \(keyType)")
        }
        let constants = keyNodes.map(\.operation)
        for (index, key) in constants.enumerated() {
            if case .constant = key, constants[..<index].contains(key) {
                return fail(keys[index].0, "this key stands twice in the map")
            }
        }
        return Node(
            .makeMap, zip(keyNodes, valueNodes).flatMap { [$0, $1] },
            .map(key: keyType, value: valueType), isNullable: false,
            hasNullableElements: valueNodes.contains { $0.isNullable })
    }

    /// Brings all values to one type; `.null` when there are none, or only nulls.
    private mutating func sameType(_ nodes: [(offset: Int, node: Node?)], _ what: String) -> (
        [Node], ValueType
    )? {
        guard nodes.allSatisfy({ $0.node != nil }) else { return nil }
        var values = nodes.compactMap(\.node)
        guard var sample = values.first else { return ([], .null) }
        // Twice: what the first value learns from the last, those between learn in turn.
        for _ in 0..<2 {
            for index in values.indices {
                guard
                    let (a, b) = unify(
                        sample.number != nil || sample.type == .null ? sample : stand(sample),
                        values[index], what, nodes[index].offset)
                else { return nil }
                values[index] = b
                sample = a.type == .null ? b : a
            }
        }
        return (values, sample.type)
    }

    /// A value of the same type that is no number as written.
    private func stand(_ node: Node) -> Node {
        Node(.constant(.null(node.type)), [], node.type, isNullable: true)
    }

    /// The macros; nil with `handled` false when `name` is none of them.
    mutating func macro(
        _ name: String, _ target: Syntax, _ arguments: [Syntax], _ offset: Int
    ) -> (handled: Bool, node: Node?) {
        let kind: Comprehension
        switch (name, arguments.count) {
        case ("all", 2), ("all", 3): kind = .all
        case ("exists", 2), ("exists", 3): kind = .exists
        case ("exists_one", 2), ("existsOne", 2), ("existsOne", 3): kind = .existsOne
        case ("map", 2): kind = .map
        case ("map", 3), ("filter", 2): kind = .filter
        case ("transformList", 3): kind = .map
        case ("transformList", 4): kind = .filter
        default: return (false, nil)
        }
        return (true, comprehension(name, kind, target, arguments, offset))
    }

    private mutating func comprehension(
        _ name: String, _ kind: Comprehension, _ target: Syntax, _ arguments: [Syntax],
        _ offset: Int
    ) -> Node? {
        let hasTwo =
            name == "transformList" || (arguments.count == 3 && name != "map")
        guard let range = check(target) else { return nil }
        var names: [String] = []
        for argument in arguments.prefix(hasTwo ? 2 : 1) {
            guard case .name(let name) = argument.kind else {
                return fail(argument.offset, "the first argument of \(name) is a variable's name")
            }
            names.append(name)
        }
        if let result = Self.overNothing(kind, range) { return result }
        let loop = loopCount
        loopCount += 1
        guard let slots = loopVariables(range, loop, hasTwo, name, offset) else { return nil }
        for (name, node) in zip(names, slots) { variables.append((name, node)) }
        let bodies = arguments.dropFirst(names.count).map { ($0, check($0)) }
        variables.removeLast(names.count)
        return assemble(name, kind, range, slots, bodies, loop)
    }

    /// The result over `[]` or `{}`, whose elements have no type for the body to be checked with.
    private static func overNothing(_ kind: Comprehension, _ range: Node) -> Node? {
        guard !range.hasNullableElements,
            range.type == .list(.null) || range.type == .map(key: .null, value: .null)
        else { return nil }
        switch kind {
        case .all: return Node(.constant(.bool(true)), [], .bool)
        case .exists, .existsOne: return Node(.constant(.bool(false)), [], .bool)
        case .map, .filter: return Node(.makeList, [], .list(.null))
        }
    }

    private mutating func loopVariables(
        _ range: Node, _ loop: Int, _ hasTwo: Bool, _ name: String, _ offset: Int
    ) -> [Node]? {
        func variable(_ slot: Int, _ type: ValueType, _ isNullable: Bool) -> Node {
            Node(
                .loopVariable(loop: loop, slot: slot), [], type,
                isNullable: isNullable || type == .null)
        }
        switch range.type {
        case .list(let element):
            let value = variable(0, element, range.hasNullableElements)
            return hasTwo ? [variable(1, .int, false), value] : [value]
        case .map(let key, let value):
            let keys = variable(0, key, false)
            return hasTwo ? [keys, variable(1, value, range.hasNullableElements)] : [keys]
        default:
            _ = fail(offset, "\(name) needs a list or a map, not \(range.type)")
            return nil
        }
    }

    private mutating func assemble(
        _ name: String, _ kind: Comprehension, _ range: Node, _ slots: [Node],
        _ bodies: [(syntax: Syntax, node: Node?)], _ loop: Int
    ) -> Node? {
        var nodes: [Node] = []
        for body in bodies {
            guard let node = body.node else { return nil }
            nodes.append(node)
        }
        let testCount = kind == .map ? 0 : 1
        for (index, node) in nodes.prefix(testCount).enumerated() {
            if node.type == .null {
                nodes[index] = Node(.constant(.null(.bool)), [], .bool, isNullable: true)
            } else if node.type != .bool {
                return fail(
                    bodies[index].syntax.offset, "\(name) needs a bool, not \(node.type)")
            }
        }
        switch kind {
        case .all, .exists, .existsOne:
            return Node(.comprehension(kind, loop: loop), [range] + nodes, .bool)
        case .map, .filter:
            if nodes.count == testCount { nodes.append(slots[0]) }
            guard let result = nodes.last else { return nil }
            return Node(
                .comprehension(kind, loop: loop), [range] + nodes, .list(result.type),
                isNullable: range.isNullable, hasNullableElements: result.isNullable)
        }
    }
}
