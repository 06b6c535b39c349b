import Columnar
import Primitives

// Conversions between types and units.

extension Checker {
    func conversion(_ name: String, _ value: Node) -> Node? {
        switch name {
        case "int": int(value)
        case "double": convertedToDouble(value)
        case "string": string(value)
        case "bool":
            switch value.type {
            case .bool: value
            case .string: Node(.convert(.stringToBool), [value], .bool)
            default: nil
            }
        case "bytes":
            value.type == .string || value.type == .bytes ? settled(value, .bytes) : nil
        case "timestamp":
            switch value.type {
            case .timestamp: value
            case .string: Node(.convert(.stringToTimestamp), [value], .timestamp)
            case .int(nil):
                inRange(Node(.scaleInt64(1_000_000), [settled(value, .int)], .timestamp))
            default: nil
            }
        case "duration":
            switch value.type {
            case .duration: value
            case .string: inRange(Node(.convert(.stringToDuration), [value], .duration))
            default: nil
            }
        default: nil
        }
    }

    /// The same node, its type settled.
    private func settled(_ node: Node, _ type: ValueType) -> Node {
        Node(
            node.operation, node.arguments, type, isNullable: node.isNullable,
            hasNullableElements: node.hasNullableElements)
    }

    private func int(_ value: Node) -> Node? {
        let type = ValueType.int(unit: value.type.unit)
        switch value.type {
        case .int: return settled(value, type)
        case .double: return Node(.doubleToInt64, [value], type)
        case .decimal(let scale, _):
            return Node(.divideConstant(Decimal.powerOfTen(scale), isFloor: false), [value], type)
        case .ratio: return Node(.truncateRatio, [value], type)
        case .string: return Node(.convert(.stringToInt), [value], .int)
        case .timestamp: return Node(.divideConstant(1_000_000, isFloor: true), [value], .int)
        default: return nil
        }
    }

    func asDouble(_ ratio: Node) -> Node {
        Node(.ratioToDouble, [ratio], .double(unit: ratio.type.unit))
    }

    private func convertedToDouble(_ value: Node) -> Node? {
        let type = ValueType.double(unit: value.type.unit)
        switch value.type {
        case .double: return settled(value, type)
        case .int: return Node(.int64ToDouble(1), [value], type)
        case .decimal(let scale, _):
            return Node(.int64ToDouble(Decimal.powerOfTen(scale)), [value], type)
        case .ratio: return asDouble(value)
        case .string: return Node(.convert(.stringToDouble), [value], .double)
        default: return nil
        }
    }

    private func string(_ value: Node) -> Node? {
        let conversion: Conversion
        switch value.type {
        case .string: return value
        case .int: conversion = .decimalToString(scale: 0)
        case .decimal(let scale, _): conversion = .decimalToString(scale: scale)
        case .ratio(let scale, _): conversion = .ratioToString(scale: scale)
        case .double: conversion = .doubleToString
        case .bool: conversion = .boolToString
        case .bytes: conversion = .bytesToString
        case .timestamp: conversion = .timestampToString
        case .duration: conversion = .durationToString
        default: return nil
        }
        return Node(.convert(conversion), [value], .string)
    }

    /// `decimal(x, s)` and `round(x, s)`: half-even to `s` digits.
    mutating func round(_ name: String, _ arguments: [Syntax], _ offset: Int) -> Node? {
        guard arguments.count == 2, case .int(let text) = arguments[1].kind,
            let scale = Int(text), scale >= 0, scale <= Decimal.maximumScale
        else {
            return fail(
                offset, "\(name) needs a value and a number of digits, 0 to 18",
                hint: "as in \(name)(x, 2)")
        }
        guard let value = check(arguments[0]) else { return nil }
        let type = ValueType.decimal(scale: scale, unit: value.type.unit)
        if let number = value.number, let (units, own) = number.decimal {
            // A number as written is exact: round its digits, not its nearest double.
            let exact = Node(
                .constant(.int64(units)), [], .decimal(scale: own, unit: value.type.unit))
            return roundExact(exact, own, scale, type)
        }
        switch value.type {
        case .int: return roundExact(value, 0, scale, type)
        case .decimal(let own, _): return roundExact(value, own, scale, type)
        case .ratio: return Node(.roundRatio(scale), [value], type)
        case .double: return Node(.roundDouble(scale), [value], type)
        case .string where name == "decimal":
            return Node(.convert(.stringToDecimal(scale: scale)), [value], type)
        default: return fail(offset, "\(name) is not defined for \(value.type)")
        }
    }

    private func roundExact(_ value: Node, _ own: Int, _ scale: Int, _ type: ValueType) -> Node {
        if scale >= own { return rescaled(value, scale) }
        return Node(.roundInt64(from: own, to: scale), [value], type)
    }

    /// `quantity(250, "ug/m3")`: a number as written, with its unit.
    mutating func quantity(_ arguments: [Syntax], _ offset: Int) -> Node? {
        guard arguments.count == 2, case .string(let code) = arguments[1].kind,
            let node = check(arguments[0]), let number = node.number
        else {
            return fail(
                offset, "quantity needs a number and a unit, both written out",
                hint: "as in quantity(250, \"ug/m3\")")
        }
        guard let unit = known(code, arguments[1].offset) else { return nil }
        let type = number.isDouble ? ValueType.double(unit: unit) : .int(unit: unit)
        return Node(node.operation, [], type, number: number)
    }

    private mutating func known(_ code: String, _ offset: Int) -> Unit? {
        let unit = Unit(code)
        if unit.isKnown { return unit }
        _ = fail(
            offset, "unknown unit '\(code)'",
            hint: "units are UCUM codes, such as t, m/s, ug/m3, dB[SPL]")
        return nil
    }

    /// `to(x, "mg/m3")`: exact, between units of the same dimension.
    mutating func convertUnit(_ arguments: [Syntax], _ offset: Int) -> Node? {
        guard arguments.count == 2, case .string(let code) = arguments[1].kind else {
            return fail(
                offset, "to needs a value and a unit", hint: "as in to(x, \"mg/m3\")")
        }
        guard let node = check(arguments[0]), let target = known(code, arguments[1].offset) else {
            return nil
        }
        guard node.type.isNumeric else { return fail(offset, "to is not defined for \(node.type)") }
        let source = node.type.unit ?? Unit("1")
        guard let factor = source.factor(to: target) else {
            // A temperature's zero and a level's logarithm are more than a factor.
            let isMoreThanAFactor = [source, target].contains {
                $0.code == "Cel" || $0.code.hasPrefix("B[") || $0.code.hasPrefix("dB")
            }
            return fail(
                offset, "\(source) cannot be converted to \(target)",
                hint: isMoreThanAFactor
                    ? "only units that differ by a factor can be converted"
                    : "they measure different things")
        }
        guard let n = Int64(exactly: factor.numerator), let d = Int64(exactly: factor.denominator)
        else { return fail(offset, "the factor from \(source) to \(target) is too large") }
        return scaled(node, n, d, target, offset)
    }

    private mutating func scaled(
        _ node: Node, _ n: Int64, _ d: Int64, _ unit: Unit, _ offset: Int
    ) -> Node? {
        switch node.type {
        case .double:
            return Node(.scaleDouble(numerator: n, denominator: d), [node], .double(unit: unit))
        case .ratio(let scale, _):
            let factor = Node(.constant(.int64(n)), [], .int)
            let top = Node(.ratio(.multiply, nil, 1), [node, factor], node.type)
            let bottom = Node(.constant(.int64(d)), [], .int)
            return Node(.ratio(.divide, nil, 1), [top, bottom], .ratio(scale: scale, unit: unit))
        default:
            let scale = node.type.decimalScale ?? 0
            // A power of ten below moves the point only.
            if let power = powerOfTen(d), scale + power <= Decimal.maximumScale {
                let type: ValueType
                if case .int = node.type, power == 0 {
                    type = .int(unit: unit)
                } else {
                    type = .decimal(scale: scale + power, unit: unit)
                }
                return n == 1 ? retyped(node, type) : Node(.scaleInt64(n), [node], type)
            }
            let top = Node(.scaleInt64(n), [node], node.type)
            let bottom = Node(.constant(.int64(d)), [], .int)
            return Node(
                .ratio(.divide, Decimal.powerOfTen(scale), 1), [top, bottom],
                .ratio(scale: min(scale + 3, Decimal.maximumScale), unit: unit))
        }
    }

    private func powerOfTen(_ value: Int64) -> Int? {
        (0...Decimal.maximumScale).first { Decimal.powerOfTen($0) == value }
    }
}
