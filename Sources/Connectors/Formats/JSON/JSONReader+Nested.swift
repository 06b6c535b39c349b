import Columnar
import Primitives

// Lists, maps, structures, and strings that are more than a run of bytes.

extension JSONReader {
    /// The text of a string after its opening quote, escapes resolved; it must be well-formed.
    func unescaped(_ start: Int) -> [UInt8] {
        var result: [UInt8] = []
        var position = start
        while true {
            let end = text.scanString(position)
            result.append(contentsOf: text.bytes(position..<end))
            guard text.byte(end) == 0x5C else { return result }
            let escape = text.escape(end)
            guard escape.next >= 0, let scalar = Unicode.Scalar(escape.scalar) else {
                return result
            }
            result.append(contentsOf: UTF8.encode(scalar).unsafelyUnwrapped)
            position = escape.next
        }
    }

    /// Reads a string with escapes after its opening quote into a text node.
    @inline(never)
    func escapedString(_ node: Int, _ start: Int) -> Int {
        let next = text.skipString(start)
        guard next >= 0 else { return next }
        appendText(node, unescaped(start))
        return next
    }

    func appendText(_ node: Int, _ bytes: [UInt8]) {
        let sink = nodes + node
        sink.pointee.reserveBytes(bytes.count)
        for byte in bytes {
            sink.pointee.bytes[sink.pointee.byteCount] = byte
            sink.pointee.byteCount &+= 1
        }
        sink.pointee.append(end: sink.pointee.byteCount)
    }

    /// Reads a duration as text such as `1h30m` or `-5s`.
    func durationText(_ node: Int, _ start: Int) -> Int {
        let next = text.skipString(start &+ 1)
        if next >= 0 { duration(node, unescaped(start &+ 1)) }
        return next
    }

    /// Takes a duration's text.
    func duration(_ node: Int, _ bytes: [UInt8]) {
        let words = String(decoding: bytes, as: UTF8.self)
        let isNegative = words.hasPrefix("-")
        if let value = DurationText.parse(isNegative ? String(words.dropFirst()) : words) {
            nodes[node].append(isNegative ? -value : value)
        } else {
            refuse(.wrongType, node)
        }
    }

    /// Reads bytes as base64 text (RFC 4648 §4, padded).
    func base64(_ node: Int, _ start: Int) -> Int {
        let next = text.skipString(start &+ 1)
        if next >= 0 { base64(node, unescaped(start &+ 1)) }
        return next
    }

    /// Takes base64 text.
    func base64(_ node: Int, _ characters: [UInt8]) {
        if let bytes = Base64.decode(characters) {
            appendText(node, bytes)
        } else {
            refuse(.wrongType, node)
        }
    }

    /// Reads a list after its bracket.
    func list(_ node: Int, _ start: Int, depth: Int) -> Int {
        guard depth <= JSONText.maximumDepth else { return JSONText.tooDeep }
        let child = nodes[node].firstChild
        var position = text.skipSpace(start)
        if text.byte(position) == 0x5D {
            nodes[node].append(end: nodes[child].count)
            return position &+ 1
        }
        while true {
            position = value(
                child, text.skipSpace(position), row: nodes[child].count, depth: depth)
            guard position >= 0 else { return position }
            position = text.skipComma(position)
            if position < 0 {
                guard text.byte(~position) == 0x5D else { return position }
                nodes[node].append(end: nodes[child].count)
                return ~position &+ 1
            }
        }
    }

    /// Reads a structure after its brace.
    func structure(_ node: Int, _ start: Int, depth: Int) -> Int {
        let row = nodes[node].count
        let next = object(start, nodes[node].layout, row: row, depth: depth)
        guard next >= 0 else { return next }
        let first = nodes[node].firstChild
        for child in first..<first &+ nodes[node].childCount where nodes[child].count == row {
            if !nodes[child].isNullable { note(.missing, child) }
            sinks._withUnsafeGuaranteedRef { $0.appendNull(child) }
        }
        nodes[node].appendStructure()
        return next
    }

    /// Reads a map after its brace. Keys within one map are distinct.
    func map(_ node: Int, _ start: Int, depth: Int) -> Int {
        guard depth <= JSONText.maximumDepth else { return JSONText.tooDeep }
        let key = nodes[node].firstChild
        let value = key &+ 1
        let firstEntry = nodes[key].count
        var position = text.skipSpace(start)
        if text.byte(position) == 0x7D {
            nodes[node].append(end: firstEntry)
            return position &+ 1
        }
        while true {
            position = mapKey(key, text.skipSpace(position))
            guard position >= 0 else { return position }
            let row = nodes[value].count
            position = self.value(value, position, row: row, depth: depth)
            guard position >= 0 else { return position }
            position = text.skipComma(position)
            if position < 0 {
                guard text.byte(~position) == 0x7D else { return position }
                guard hasDistinctKeys(key, from: firstEntry) else {
                    state.pointee.duplicateNode = node
                    return position
                }
                nodes[node].append(end: nodes[key].count)
                return ~position &+ 1
            }
        }
    }

    /// Reads a map's key and its colon: the position of the value.
    private func mapKey(_ node: Int, _ start: Int) -> Int {
        guard text.byte(start) == 0x22 else { return ~start }
        let end = text.skipString(start &+ 1)
        guard end >= 0 else { return end }
        mapKey(node, unescaped(start &+ 1))
        let colon = text.skipSpace(end)
        guard text.byte(colon) == 0x3A else { return ~colon }
        return text.skipSpace(colon &+ 1)
    }

    /// Whether the keys from row `first` on differ; those that were refused do not count.
    func hasDistinctKeys(_ node: Int, from first: Int) -> Bool {
        let sink = nodes + node
        if sink.pointee.kind == .string {
            var seen = Set<[UInt8]>()
            for row in first..<sink.pointee.count {
                let start = sink.pointee.end(row - 1)
                let key = UnsafeBufferPointer(
                    start: sink.pointee.bytes + start, count: sink.pointee.end(row) - start)
                if !seen.insert(Array(key)).inserted { return false }
            }
            return true
        }
        var seen = Set<Int64>()
        for row in first..<sink.pointee.count where sink.pointee.isValid(row) {
            if !seen.insert(sink.pointee.int64(row)).inserted { return false }
        }
        return true
    }
}
