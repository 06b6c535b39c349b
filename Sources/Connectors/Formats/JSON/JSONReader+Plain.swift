import Columnar

extension JSONReader {
    /// Takes the bytes `start..<end` of the text as a whole value: a number, or what would be the
    /// content of a JSON string. They must be UTF-8.
    ///
    /// The node has one row more afterwards, null after a fault, which is noted.
    @inline(__always)
    func plainValue(_ node: Int, _ start: Int, _ end: Int) {
        if nodes[node].kind == .string {
            plainText(node, start, end)
        } else {
            plainNonText(node, start, end)
        }
    }

    private func plainText(_ node: Int, _ start: Int, _ end: Int) {
        let sink = nodes + node
        let count = end &- start
        sink.pointee.reserveBytes(count)
        text.copy(start, count: count, to: sink.pointee.bytes + sink.pointee.byteCount)
        sink.pointee.byteCount &+= count
        sink.pointee.append(end: sink.pointee.byteCount)
    }

    private func plainNonText(_ node: Int, _ start: Int, _ end: Int) {
        let encoding = nodes[node].encoding
        let isNumber = text.skipNumber(start) == end
        switch nodes[node].kind {
        case .decimal where isNumber: _ = scaled(node, start, scale: nodes[node].scale)
        case .double where isNumber: _ = double(node, start)
        case .duration where isNumber: _ = scaled(node, start, scale: 3)
        case .timestamp where isNumber && encoding != .rfc3339: _ = epochTime(node, start)
        case .timestamp where encoding == .automatic || encoding == .rfc3339:
            rfc3339(node, text.bytes(start..<end))
        case .duration: duration(node, Array(text.bytes(start..<end)))
        case .bytes: base64(node, Array(text.bytes(start..<end)))
        case .bool where isWord(start, end, "true") || isWord(start, end, "1"):
            nodes[node].append(true)
        case .bool where isWord(start, end, "false") || isWord(start, end, "0"):
            nodes[node].append(false)
        default: refuse(.wrongType, node)
        }
    }

    /// Whether the text is a word of small letters and digits, its case aside.
    private func isWord(_ start: Int, _ end: Int, _ word: StaticString) -> Bool {
        guard end &- start == word.utf8CodeUnitCount else { return false }
        for index in 0..<word.utf8CodeUnitCount
        where text.byte(start &+ index) | 0x20 != word.utf8Start[index] {
            return false
        }
        return true
    }
}
