import Primitives

/// Conversions between text and values; a text that cannot be read faults `invalidArgument`.
package enum Conversion: Hashable, Sendable {
    /// Units of 10^-scale as text with all digits.
    case decimalToString(scale: Int)
    /// A ratio rounded half-even to `scale` digits.
    case ratioToString(scale: Int)
    case doubleToString, boolToString, timestampToString, durationToString
    /// Bytes that are no UTF-8 fault.
    case bytesToString
    case stringToInt, stringToDouble, stringToBool, stringToTimestamp, stringToDuration
    /// Rounded half-even to units of 10^-scale.
    case stringToDecimal(scale: Int)
}

/// Converts each row. Not for hot paths: a row of text costs about 100 ns.
package func convert(_ conversion: Conversion, _ a: Vector, count: Int) -> Vector {
    switch conversion {
    case .decimalToString(let scale):
        let values = a.int64
        return write(a, count) {
            $1.put(decimal: values[$0], scale: scale)
            return true
        }
    case .ratioToString(let scale):
        let values = a.ratio
        return write(a, count) { row, bytes in
            let quotient = Quotient(values.numerators[row], values.denominators[row])
            guard let units = roundedWide(quotient, scale: scale) else { return false }
            Decimal.write(units, scale: scale, to: &bytes)
            return true
        }
    case .doubleToString:
        let values = a.double
        return write(a, count) {
            $1.put(doubleText(values[$0]))
            return true
        }
    case .boolToString:
        let values = a.bool
        return write(a, count) {
            $1.put(values[$0] ? "true" : "false")
            return true
        }
    case .timestampToString:
        let values = a.int64
        return write(a, count) {
            Timestamp.write(values[$0], to: &$1)
            return true
        }
    case .durationToString:
        let values = a.int64
        return write(a, count) {
            writeDuration(values[$0], to: &$1)
            return true
        }
    case .bytesToString:
        let values = a.bytes
        return write(a, count) { row, bytes in
            let text = values.bytes[values.range(row)]
            guard String(validating: text, as: UTF8.self) != nil else { return false }
            bytes.put(text)
            return true
        }
    default: return read(conversion, a, count)
    }
}

private func roundedWide(_ value: Quotient, scale: Int) -> Int128? {
    Decimal.rounded(value.numerator, over: value.denominator, scale: scale)
        ?? Decimal.rounded(
            value.reduced().numerator, over: value.reduced().denominator, scale: scale)
}

private func write(
    _ a: Vector, _ count: Int, _ body: (Int, inout ByteWriter) -> Bool
) -> Vector {
    var texts = ByteValuesWriter(capacity: 16 * count)
    var faults = a.faults
    for row in 0..<count {
        if a.isLive(row), !body(row, &texts.bytes) {
            record(.invalidArgument, row, count, in: &faults)
        }
        texts.endRow()
    }
    return Vector(.bytes(texts.values()), a.column.validity, faults)
}

/// The shortest text that reads back to the same double, whole numbers without a point.
private func doubleText(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    let text = value.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

/// Seconds with the fewest digits, and an `s`.
private func writeDuration(_ microseconds: Int64, to bytes: inout ByteWriter) {
    var text = ByteWriter(capacity: 24)
    text.put(decimal: microseconds, scale: 6)
    var kept = text.array()[...]
    while kept.last == 48 { kept.removeLast() }
    if kept.last == 46 { kept.removeLast() }
    bytes.put(kept)
    bytes.put(0x73)
}

private func read(_ conversion: Conversion, _ a: Vector, _ count: Int) -> Vector {
    switch conversion {
    case .stringToDouble: return parse(a, count, 0.0, parseDouble) { .double($0) }
    case .stringToBool: return parse(a, count, false, parseBool) { .bool($0) }
    case .stringToTimestamp:
        return parse(a, count, Int64(0)) {
            Timestamp.parse($0.span)
        } _: {
            .int64($0)
        }
    case .stringToDuration: return parse(a, count, Int64(0), parseDuration) { .int64($0) }
    case .stringToDecimal(let scale):
        return parse(a, count, Int64(0)) { text -> Int64? in
            guard case .value(let units) = Decimal.parse(text.span, scale: scale, rounding: true)
            else { return nil }
            return units
        } _: {
            .int64($0)
        }
    default:
        return parse(a, count, Int64(0)) {
            Int64(String(decoding: $0, as: UTF8.self))
        } _: {
            .int64($0)
        }
    }
}

private func parse<Value>(
    _ a: Vector, _ count: Int, _ zero: Value, _ body: ([UInt8]) -> Value?,
    _ wrap: ([Value]) -> ColumnValues
) -> Vector {
    let texts = a.bytes
    var result = [Value](repeating: zero, count: count)
    var faults = a.faults
    for row in 0..<count where a.isLive(row) {
        if let value = body(texts.array(row)) {
            result[row] = value
        } else {
            record(.invalidArgument, row, count, in: &faults)
        }
    }
    return Vector(wrap(result), a.column.validity, faults)
}

private func parseDouble(_ text: [UInt8]) -> Double? {
    Double(String(decoding: text, as: UTF8.self))
}

/// Source: cel-spec, "Type Conversions": `bool(string)`.
private func parseBool(_ text: [UInt8]) -> Bool? {
    switch String(decoding: text, as: UTF8.self) {
    case "1", "t", "T", "true", "TRUE", "True": true
    case "0", "f", "F", "false", "FALSE", "False": false
    default: nil
    }
}

/// Microseconds of a duration as CEL writes it: `-1h30m`, `1.5s`, `20ms`; nanoseconds must come
/// to whole microseconds.
package func parseDuration(_ text: [UInt8]) -> Int64? {
    var rest = text[...]
    let isNegative = rest.first == 45
    if rest.first == 45 || rest.first == 43 { rest.removeFirst() }
    if rest.elementsEqual([48]) { return 0 }
    guard !rest.isEmpty else { return nil }
    var nanoseconds: Int128 = 0
    while !rest.isEmpty {
        let digits = rest.prefix { ($0 >= 48 && $0 <= 57) || $0 == 46 }
        rest = rest.dropFirst(digits.count)
        let letters = rest.prefix { $0 > 57 || $0 < 46 }
        rest = rest.dropFirst(letters.count)
        let size: Int64
        switch String(decoding: letters, as: UTF8.self) {
        case "h": size = 3_600_000_000_000
        case "m": size = 60_000_000_000
        case "s": size = 1_000_000_000
        case "ms": size = 1_000_000
        case "us", "µs", "μs": size = 1000
        case "ns": size = 1
        default: return nil
        }
        var digitsText = Array(digits)
        if digitsText.first == 46 { digitsText.insert(48, at: 0) }
        if digitsText.last == 46 { digitsText.append(48) }
        // Leading zeros are no JSON number, but a duration may have them.
        while digitsText.count > 1, digitsText[0] == 48, digitsText[1] != 46 {
            digitsText.removeFirst()
        }
        guard case .value(let units) = Decimal.parse(digitsText.span, scale: 6) else { return nil }
        let (part, rest) = (Int128(units) * Int128(size)).quotientAndRemainder(
            dividingBy: 1_000_000)
        guard rest == 0 else { return nil }
        nanoseconds += part
        guard nanoseconds < 1 << 100 else { return nil }
    }
    guard nanoseconds % 1000 == 0 else { return nil }
    return Int64(exactly: (isNegative ? -nanoseconds : nanoseconds) / 1000)
}
