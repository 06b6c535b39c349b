import Columnar
import Primitives

/// Values of columns as JSON text.
enum JSONWriter {
    /// Writes the values of a column, each a row of `texts` after `prefix`. What is written often
    /// has a loop of its own.
    static func values(
        _ column: Column, _ type: ValueType, prefix: [UInt8], to texts: inout ByteValuesWriter
    ) {
        let isWhole = column.validity == nil
        switch (column.values, type) {
        case (.int64(let values), .timestamp) where isWhole:
            timestamps(values, prefix, to: &texts)
        case (.int64(let values), .int) where isWhole: decimals(values, 0, prefix, to: &texts)
        case (.int64(let values), .decimal(let scale, _)) where isWhole:
            decimals(values, scale, prefix, to: &texts)
        case (.ratio(let values), _) where isWhole: ratios(values, type, prefix, to: &texts)
        case (.bool(let values), _) where isWhole:
            for value in values {
                texts.bytes.put(prefix.span)
                bool(value, to: &texts.bytes)
                texts.endRow()
            }
        case (.dictionary(let values), .string) where isWhole:
            guard case .bytes(let base) = values.base.values, values.base.validity == nil else {
                fallthrough
            }
            strings(values.indices, base, prefix, to: &texts)
        default:
            for row in 0..<column.count {
                texts.bytes.put(prefix.span)
                value(column, row, type, to: &texts.bytes)
                texts.endRow()
            }
        }
    }

    private static func decimals(
        _ values: [Int64], _ scale: Int, _ prefix: [UInt8], to texts: inout ByteValuesWriter
    ) {
        let prefix = prefix.span
        for value in values {
            texts.bytes.put(prefix)
            texts.bytes.put(decimal: value, scale: scale)
            texts.endRow()
        }
    }

    private static func ratios(
        _ values: RatioValues, _ type: ValueType, _ prefix: [UInt8],
        to texts: inout ByteValuesWriter
    ) {
        let prefix = prefix.span
        let numerators = values.numerators.span
        let denominators = values.denominators.span
        for row in numerators.indices {
            texts.bytes.put(prefix)
            ratio(numerators[row], denominators[row], type, to: &texts.bytes)
            texts.endRow()
        }
    }

    private static func strings(
        _ rows: [Int32], _ base: ByteValues, _ prefix: [UInt8], to texts: inout ByteValuesWriter
    ) {
        let prefix = prefix.span
        let bytes = base.bytes.span
        let offsets = base.offsets.span
        for row in rows {
            texts.bytes.put(prefix)
            let range = Int(offsets[Int(row)])..<Int(offsets[Int(row) + 1])
            string(bytes.extracting(range), to: &texts.bytes)
            texts.endRow()
        }
    }

    /// Results of one window share their times: a time equal to the last is copied.
    private static func timestamps(
        _ values: [Int64], _ prefix: [UInt8], to texts: inout ByteValuesWriter
    ) {
        var last: Int64?
        var text: [UInt8] = []
        for value in values {
            if value != last {
                var writer = ByteWriter(capacity: 32)
                int64(value, .timestamp, to: &writer)
                text = prefix + writer.array()
                last = value
            }
            texts.bytes.put(text.span)
            texts.endRow()
        }
    }

    /// Writes one value of a column; null where the row has none.
    static func value(_ column: Column, _ row: Int, _ type: ValueType, to bytes: inout ByteWriter) {
        if let validity = column.validity, !validity[row] { return null(to: &bytes) }
        switch column.values {
        case .null: null(to: &bytes)
        case .bool(let values): bool(values[row], to: &bytes)
        case .int64(let values): int64(values[row], type, to: &bytes)
        case .double(let values): double(values[row], to: &bytes)
        case .ratio(let values):
            ratio(values.numerators[row], values.denominators[row], type, to: &bytes)
        case .bytes(let values):
            let text = values.bytes.span.extracting(values.range(row))
            if case .bytes = type {
                bytes.put(0x22)
                Base64.encode(text, to: &bytes)
                bytes.put(0x22)
            } else {
                string(text, to: &bytes)
            }
        case .list(let values):
            guard case .list(let element) = type else { return null(to: &bytes) }
            bytes.put(0x5B)
            let first = Int(values.offsets[row])
            for child in first..<Int(values.offsets[row + 1]) {
                if child > first { bytes.put(0x2C) }
                value(values.elements, child, element, to: &bytes)
            }
            bytes.put(0x5D)
        case .map(let values): map(values, row, type, to: &bytes)
        case .structure(let columns):
            guard case .structure(let fields) = type else { return null(to: &bytes) }
            bytes.put(0x7B)
            for (index, field) in fields.enumerated() {
                if index > 0 { bytes.put(0x2C) }
                string(Array(field.name.utf8).span, to: &bytes)
                bytes.put(0x3A)
                value(columns[index], row, field.type, to: &bytes)
            }
            bytes.put(0x7D)
        case .dictionary(let values):
            value(values.base, Int(values.indices[row]), type, to: &bytes)
        }
    }

    private static func map(
        _ values: MapValues, _ row: Int, _ type: ValueType, to bytes: inout ByteWriter
    ) {
        guard case .map(let keyType, let valueType) = type else { return null(to: &bytes) }
        bytes.put(0x7B)
        let first = Int(values.offsets[row])
        for entry in first..<Int(values.offsets[row + 1]) {
            if entry > first { bytes.put(0x2C) }
            if case .string = keyType {
                value(values.keys, entry, keyType, to: &bytes)
            } else {
                bytes.put(0x22)
                value(values.keys, entry, keyType, to: &bytes)
                bytes.put(0x22)
            }
            bytes.put(0x3A)
            value(values.values, entry, valueType, to: &bytes)
        }
        bytes.put(0x7D)
    }

    private static func int64(_ value: Int64, _ type: ValueType, to bytes: inout ByteWriter) {
        switch type {
        case .decimal(let scale, _): bytes.put(decimal: value, scale: scale)
        case .timestamp:
            bytes.put(0x22)
            Timestamp.write(value, to: &bytes)
            bytes.put(0x22)
        case .duration:
            bytes.put(0x22)
            if value < 0 { bytes.put(0x2D) }
            // The magnitude of the least Int64 does not fit; nobody can tell 1 µs of 292,000 years.
            let magnitude = value == .min ? .max : abs(value)
            bytes.put(DurationText.text(magnitude))
            bytes.put(0x22)
        default: bytes.put(decimal: value, scale: 0)
        }
    }

    private static func ratio(
        _ numerator: Int128, _ denominator: Int128, _ type: ValueType, to bytes: inout ByteWriter
    ) {
        guard denominator != 0 else { return null(to: &bytes) }
        var scale = 0
        if case .ratio(let stated, _) = type { scale = stated }
        if case .decimal(let stated, _) = type { scale = stated }
        if scale <= Decimal.maximumScale,
            let rounded = Decimal.rounded(numerator, over: denominator, scale: scale)
        {
            if let small = Int64(exactly: rounded) {
                bytes.put(decimal: small, scale: scale)
            } else {
                Decimal.write(rounded, scale: scale, to: &bytes)
            }
        } else {
            wideRatio(numerator, denominator, scale: scale, to: &bytes)
        }
    }

    /// A quotient whose scaled numerator needs more than 128 bits: long division, digit by digit.
    private static func wideRatio(
        _ numerator: Int128, _ denominator: Int128, scale: Int, to bytes: inout ByteWriter
    ) {
        let divisor = denominator.magnitude
        var (whole, rest) = numerator.magnitude.quotientAndRemainder(dividingBy: divisor)
        var digits: [UInt8] = []
        for _ in 0..<scale {
            let product = rest.multipliedFullWidth(by: 10)
            let division = divisor.dividingFullWidth(product)
            digits.append(UInt8(truncatingIfNeeded: division.quotient))
            rest = division.remainder
        }
        let isOdd = (digits.last ?? UInt8(truncatingIfNeeded: whole & 1)) & 1 == 1
        if rest > divisor - rest || (rest == divisor - rest && isOdd) {
            var index = digits.count - 1
            while index >= 0, digits[index] == 9 {
                digits[index] = 0
                index -= 1
            }
            if index >= 0 { digits[index] += 1 } else { whole += 1 }
        }
        let isZero = whole == 0 && digits.allSatisfy { $0 == 0 }
        if (numerator < 0) != (denominator < 0), !isZero { bytes.put(0x2D) }
        bytes.put(String(whole))
        if scale > 0 { bytes.put(0x2E) }
        for digit in digits { bytes.put(48 + digit) }
    }

    private static func double(_ value: Double, to bytes: inout ByteWriter) {
        guard value.isFinite else { return null(to: &bytes) }
        bytes.put(value.description)
    }

    private static func null(to bytes: inout ByteWriter) {
        bytes.put(literal: "null")
    }

    private static func bool(_ value: Bool, to bytes: inout ByteWriter) {
        bytes.put(literal: value ? "true" : "false")
    }

    /// Writes a string in quotes, escaping only what JSON demands.
    @inline(__always)
    static func string(_ text: Span<UInt8>, to bytes: inout ByteWriter) {
        bytes.put(0x22)
        var isPlain = true
        for index in text.indices {
            let byte = text[index]
            if byte < 0x20 || byte == 0x22 || byte == 0x5C { isPlain = false }
        }
        if isPlain { bytes.put(text) } else { escaped(text, to: &bytes) }
        bytes.put(0x22)
    }

    @inline(never)
    private static func escaped(_ text: Span<UInt8>, to bytes: inout ByteWriter) {
        for index in text.indices {
            let byte = text[index]
            guard byte < 0x20 || byte == 0x22 || byte == 0x5C else {
                bytes.put(byte)
                continue
            }
            bytes.put(0x5C)
            switch byte {
            case 0x08: bytes.put(0x62)
            case 0x09: bytes.put(0x74)
            case 0x0A: bytes.put(0x6E)
            case 0x0C: bytes.put(0x66)
            case 0x0D: bytes.put(0x72)
            case 0x22, 0x5C: bytes.put(byte)
            default:
                bytes.put("u00")
                for digit in [byte >> 4, byte & 15] {
                    bytes.put(digit < 10 ? 48 + digit : 87 + digit)
                }
            }
        }
    }
}
