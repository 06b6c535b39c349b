extension JSONReader {
    /// Reads a whole value, an object: its end, or as ``JSONText`` says.
    @inline(__always)
    func document() -> Int {
        let brace = text.skipSpace(0)
        guard text.byte(brace) == 0x7B else {
            let next = text.skipValue(brace, depth: 0)
            note(.wrongType, -1)
            return next < 0 ? next : trailing(next)
        }
        let next = object(brace &+ 1, 0, row: state.pointee.row, depth: 1)
        return next == text.end || next < 0 ? next : trailing(next)
    }

    private func trailing(_ position: Int) -> Int {
        let next = text.skipSpace(position)
        return next == text.end ? next : ~next
    }

    /// Why a document that ended at `next` is malformed. `names` are those of the nodes.
    @inline(never)
    func problem(_ next: Int, _ names: [String]) -> String {
        if next == text.end { return "not UTF-8" }
        if next == JSONText.tooDeep { return "nested deeper than \(JSONText.maximumDepth)" }
        if state.pointee.duplicateNode >= 0 {
            return "field \(names[state.pointee.duplicateNode]): duplicate member"
        }
        return ~next >= text.end ? "not JSON: ends early" : "not JSON at byte \(~next)"
    }
}
