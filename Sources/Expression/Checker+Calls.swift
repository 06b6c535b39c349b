import Columnar
import Primitives

// Functions.

extension Checker {
    /// Names for "did you mean".
    private static let functions =
        [
            "size", "type", "int", "double", "string", "bool", "bytes", "timestamp", "duration",
            "decimal", "round", "abs", "min", "max", "interpolate", "quantity", "to", "has",
            "contains", "startsWith", "endsWith", "all", "exists", "exists_one", "existsOne", "map",
            "filter", "transformList", "localDate",
        ] + calendarFunctions.keys.sorted() + TimePart.allCases.map(\.rawValue)

    mutating func call(
        _ name: String, _ target: Syntax?, _ arguments: [Syntax], _ offset: Int
    ) -> Node? {
        if let target {
            let (handled, node) = macro(name, target, arguments, offset)
            if handled { return node }
        } else {
            switch name {
            case "has" where arguments.count == 1: return has(arguments[0])
            case "quantity": return quantity(arguments, offset)
            case "to": return convertUnit(arguments, offset)
            case "decimal", "round": return round(name, arguments, offset)
            case "type" where arguments.count == 1: return typeOf(arguments[0])
            default: break
            }
        }
        let nodes = ((target.map { [$0] } ?? []) + arguments).map { check($0) }
        let values = nodes.compactMap(\.self)
        guard values.count == nodes.count else { return nil }
        let result = target == nil ? global(name, values, offset) : member(name, values, offset)
        if let result { return result.node }
        return unknown(name, values, target != nil, offset)
    }

    /// An answer: the call is known; its node is nil when an error was reported.
    struct Answer {
        let node: Node?

        init(_ node: Node?) { self.node = node }
    }

    private mutating func unknown(
        _ name: String, _ values: [Node], _ isMember: Bool, _ offset: Int
    ) -> Node? {
        if name == "matches" {
            return fail(
                offset, "matches is not supported",
                hint: "use contains, startsWith or endsWith")
        }
        if name == "dyn" {
            return fail(offset, "dyn is not supported", hint: "every value has a type here")
        }
        if name == "uint" {
            return fail(offset, "unsigned integers are not supported", hint: "write int(x)")
        }
        guard Self.functions.contains(name) else {
            let near = Suggestion.nearest(name, among: Self.functions)
            return fail(
                offset, "unknown function '\(name)'", hint: near.map { "did you mean \($0)?" })
        }
        let types = values.map(\.type.description).joined(separator: ", ")
        return fail(offset, "\(name) is not defined for (\(types))", hint: Self.usage[name])
    }

    /// How functions are written, for hints.
    private static let usage: [String: String] = [
        "interpolate": "interpolate(list of struct{x, y}, value)",
        "contains": "text.contains(part)", "startsWith": "text.startsWith(part)",
        "endsWith": "text.endsWith(part)", "min": "min(a, b)", "max": "max(a, b)",
        "size": "size(text, bytes, list or map)", "has": "has(field)",
        "localDate": "localDate(timestamp, 'Asia/Shanghai')",
        "startOfDay": "startOfDay(timestamp, 'Asia/Shanghai')",
        "startOfWeek": "startOfWeek(timestamp, 'Asia/Shanghai')",
        "startOfMonth": "startOfMonth(timestamp, 'Asia/Shanghai')",
    ]

    private mutating func global(_ name: String, _ values: [Node], _ offset: Int) -> Answer? {
        switch (name, values.count) {
        case ("size", 1): return size(values[0])
        case ("abs", 1): return absolute(values[0])
        case ("min", 2...), ("max", 2...): return Answer(extreme(name, values, offset))
        case ("localDate", 2): return localDate(values, offset)
        case (_, 2) where Self.calendarFunctions[name] != nil:
            return startOf(name, values, offset)
        case ("interpolate", 2): return Answer(interpolation(values[0], values[1], offset))
        case (_, 1): return conversion(name, values[0]).map { Answer($0) }
        default: return nil
        }
    }

    private mutating func member(_ name: String, _ values: [Node], _ offset: Int) -> Answer? {
        if let part = TimePart(rawValue: name) { return timePart(part, values, offset) }
        switch (name, values.count) {
        case ("size", 1): return size(values[0])
        case ("contains", 2): return test(.contains, values)
        case ("startsWith", 2): return test(.startsWith, values)
        case ("endsWith", 2): return test(.endsWith, values)
        default: return nil
        }
    }

    private func test(_ test: StringTest, _ values: [Node]) -> Answer? {
        guard values.allSatisfy({ $0.type == .string }) else { return nil }
        return Answer(Node(.test(test), values, .bool))
    }

    private func size(_ value: Node) -> Answer? {
        switch value.type {
        case .string: Answer(Node(.codePointCount, [value], .int))
        case .bytes: Answer(Node(.byteCount, [value], .int))
        case .list, .map: Answer(Node(.elementCount, [value], .int))
        default: nil
        }
    }

    private func absolute(_ value: Node) -> Answer? {
        switch value.type {
        case .int, .decimal, .duration: Answer(Node(.absoluteInt64, [value], value.type))
        case .double: Answer(Node(.absoluteDouble, [value], value.type))
        case .ratio: Answer(Node(.absoluteRatio, [value], value.type))
        default: nil
        }
    }

    private mutating func extreme(_ name: String, _ values: [Node], _ offset: Int) -> Node? {
        var result = values[0]
        for value in values.dropFirst() {
            guard let (a, b) = unify(result, value, name, offset) else { return nil }
            guard
                let test = comparison(
                    name == "min" ? .lessOrEqual : .greaterOrEqual, a, b, offset)
            else { return nil }
            result = Node(.choose, [test, a, b], a.type)
        }
        return result
    }

    private mutating func has(_ argument: Syntax) -> Node? {
        if case .select(let operand, let field) = argument.kind {
            let before = errors.count
            if let node = check(operand), case .map(let key, _) = node.type,
                key == .string || key == .null
            {
                let key = Node(.constant(.bytes(Array(field.utf8))), [], .string)
                return Node(.mapContains, [node, key], .bool)
            }
            // The operand may be a source's name, which is no value by itself.
            errors.removeLast(errors.count - before)
        }
        guard let node = check(argument) else { return nil }
        return Node(.isNull(false), [node], .bool, isNullable: false)
    }

    private mutating func typeOf(_ argument: Syntax) -> Node? {
        guard let node = checkAny(argument) else { return nil }
        let name: String
        if node.typeName != nil {
            name = "type"
        } else {
            switch node.type {
            case .null: name = "null_type"
            case .bool: name = "bool"
            case .int: name = "int"
            case .double: name = "double"
            case .decimal: name = "decimal"
            case .ratio: name = "ratio"
            case .string: name = "string"
            case .bytes: name = "bytes"
            case .timestamp: name = "google.protobuf.Timestamp"
            case .duration: name = "google.protobuf.Duration"
            case .list: name = "list"
            case .map: name = "map"
            case .structure: name = "struct"
            }
        }
        return Node(.constant(.bytes(Array(name.utf8))), [], .string, typeName: name)
    }

    private mutating func interpolation(_ list: Node, _ value: Node, _ offset: Int) -> Node? {
        guard case .list(.structure(let fields)) = list.type, fields.count >= 2 else {
            return fail(
                offset, "interpolate needs a list of structs with two fields, not \(list.type)",
                hint: Self.usage["interpolate"])
        }
        let x = Node(.constant(.null(fields[0].type)), [], fields[0].type)
        guard let (value, x) = settleNumbers(value, x, takesUnit: true, offset),
            sameUnit(value, x, "interpolate", offset)
        else { return nil }
        if case .double = x.type, case .double = value.type, case .double = fields[1].type {
            return Node(.interpolateDouble, [list, value], fields[1].type)
        }
        guard let nodeScale = x.type.decimalScale, let scale = value.type.decimalScale,
            let yScale = fields[1].type.decimalScale
        else {
            let types = "\(fields[0].type), \(fields[1].type) and \(value.type)"
            return fail(
                offset, "interpolate is not defined for \(types)",
                hint:
                    "all three are decimal or int, or all three double; round(x, 2) makes a decimal"
            )
        }
        let common = max(nodeScale, scale)
        let scales = InterpolationScales(
            nodeFactor: Decimal.powerOfTen(common - nodeScale),
            argumentFactor: Decimal.powerOfTen(common - scale),
            yDivisor: Decimal.powerOfTen(yScale))
        return Node(
            .interpolate(scales), [list, value],
            .ratio(scale: min(yScale + 3, Decimal.maximumScale), unit: fields[1].type.unit))
    }
}
