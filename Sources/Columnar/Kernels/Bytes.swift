/// `a` then `b`: strings and bytes.
package func concatenate(_ a: Vector, _ b: Vector, count: Int) -> Vector {
    let x = a.bytes
    let y = b.bytes
    var result = ByteValues()
    result.bytes.reserveCapacity(
        Int(x.offsets[count] - x.offsets[0]) + Int(y.offsets[count] - y.offsets[0]))
    result.offsets.reserveCapacity(count + 1)
    let (validity, joinedFaults) = joined(a, b)
    var faults = joinedFaults
    for row in 0..<count {
        let length = x.range(row).count + y.range(row).count
        if result.bytes.count + length > Int(Int32.max) {
            // Offsets are 32 bits: a batch holds at most 2 GiB of text.
            record(.overflow, row, count, in: &faults)
            result.offsets.append(Int32(result.bytes.count))
            continue
        }
        result.bytes.append(contentsOf: x.bytes[x.range(row)])
        result.append(y.bytes[y.range(row)])
    }
    return Vector(.bytes(result), validity, faults)
}

/// Code points of each string.
package func codePointCount(_ a: Vector, count: Int) -> Vector {
    let values = a.bytes
    let bytes = values.bytes.span
    var result = [Int64](repeating: 0, count: count)
    for row in 0..<count {
        var points: Int64 = 0
        for index in values.range(row) where bytes[index] & 0xC0 != 0x80 { points += 1 }
        result[row] = points
    }
    return Vector(.int64(result), a.column.validity, a.faults)
}

/// Bytes of each byte string.
package func byteCount(_ a: Vector, count: Int) -> Vector {
    let offsets = a.bytes.offsets
    let result = (0..<count).map { Int64(offsets[$0 + 1] - offsets[$0]) }
    return Vector(.int64(result), a.column.validity, a.faults)
}

/// Tests of a string against another.
package enum StringTest: Hashable, Sendable { case contains, startsWith, endsWith }

/// Whether `a` contains, starts or ends with `b`, by bytes.
package func testStrings(_ test: StringTest, _ a: Vector, _ b: Vector, count: Int) -> Vector {
    let x = a.bytes
    let y = b.bytes
    let text = x.bytes.span
    let part = y.bytes.span
    var result = [Bool](repeating: false, count: count)
    for row in 0..<count {
        let whole = x.range(row)
        let piece = y.range(row)
        guard piece.count <= whole.count else { continue }
        let last = whole.upperBound - piece.count
        switch test {
        case .startsWith: result[row] = matches(text, whole.lowerBound, part, piece)
        case .endsWith: result[row] = matches(text, last, part, piece)
        case .contains:
            var start = whole.lowerBound
            while start <= last, !matches(text, start, part, piece) { start += 1 }
            result[row] = start <= last
        }
    }
    let (validity, faults) = joined(a, b)
    return Vector(.bool(result), validity, faults)
}

private func matches(
    _ text: Span<UInt8>, _ start: Int, _ part: Span<UInt8>, _ range: Range<Int>
) -> Bool {
    for index in 0..<range.count where text[start + index] != part[range.lowerBound + index] {
        return false
    }
    return true
}
