import Primitives

/// Finds up to three fields of JSON documents, and checks each document whole. One thread.
///
/// It needs no schema: a key is a string or a number, an instant is RFC 3339 text or a number.
struct JSONFieldFinder {
    /// A field's place while a document is read.
    private struct Wanted {
        var names: [[UInt8]]
        var value: Range<Int>?
    }

    private static let key = 0
    private static let time = 1
    private static let arrival = 2

    private var wanted: [Wanted]
    private let units: [FieldPlace.NumberUnit]
    /// One bit for each field that is wanted.
    private let all: Int

    init(_ fields: ImportFields) {
        let places = [fields.key, fields.time, fields.arrival]
        wanted = places.map { place in
            Wanted(names: (place?.path ?? []).map { Array($0.utf8) })
        }
        units = places.map { $0?.numberUnit ?? .milliseconds }
        all = places.indices.reduce(0) { places[$1] == nil ? $0 : $0 | 1 << $1 }
    }

    /// Reads the document that is `range` of the buffer, after which ``JSONText/slack`` more bytes
    /// can be read.
    mutating func find(in buffer: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> LineFields {
        guard let base = buffer.baseAddress else { return LineFields(value: range) }
        let text = JSONText(base + range.lowerBound, count: range.count)
        for index in wanted.indices { wanted[index].value = nil }
        var fields = LineFields(value: range)
        fields.isUnreadable = !check(text)
        if all & 1 << Self.key != 0 {
            readKey(text, &fields)
            // The text counts from its own start.
            fields.key = fields.key.map { key in
                key.lowerBound + range.lowerBound..<key.upperBound + range.lowerBound
            }
            if fields.key == nil, fields.ownedKey == nil { fields.isUnreadable = true }
        }
        if all & 1 << Self.time != 0 {
            fields.time = instant(text, Self.time)
            if fields.time == nil { fields.isUnreadable = true }
        }
        if all & 1 << Self.arrival != 0 {
            fields.arrival = instant(text, Self.arrival)
            if fields.arrival == nil { fields.isUnreadable = true }
        }
        return fields
    }

    /// Whether the text is one JSON object and nothing else, in UTF-8.
    private mutating func check(_ text: JSONText) -> Bool {
        let first = text.skipSpace(0)
        guard text.byte(first) == 0x7B else { return false }
        let position = object(text, first + 1, all, level: 0, depth: 1)
        guard position >= 0, text.skipSpace(position) == text.end else { return false }
        return text.isUTF8()
    }

    /// Reads an object after its brace; `active` are the fields whose path leads here.
    private mutating func object(
        _ text: JSONText, _ start: Int, _ active: Int, level: Int, depth: Int
    ) -> Int {
        guard depth <= JSONText.maximumDepth else { return JSONText.tooDeep }
        var position = text.skipSpace(start)
        if text.byte(position) == 0x7D { return position &+ 1 }
        while true {
            position = text.skipSpace(position)
            guard text.byte(position) == 0x22 else { return ~position }
            let name = position &+ 1
            position = text.skipString(name)
            guard position >= 0 else { return position }
            let matching = active == 0 ? 0 : match(text, name..<position &- 1, active, level)
            position = text.skipSpace(position)
            guard text.byte(position) == 0x3A else { return ~position }
            let value = text.skipSpace(position &+ 1)
            position = self.value(text, value, matching, level: level, depth: depth)
            guard position >= 0 else { return position }
            position = text.skipComma(position)
            if position < 0 { return text.byte(~position) == 0x7D ? ~position &+ 1 : position }
        }
    }

    /// Reads a member's value, noting it for the fields whose path ends here.
    private mutating func value(
        _ text: JSONText, _ start: Int, _ matching: Int, level: Int, depth: Int
    ) -> Int {
        guard matching != 0 else { return text.skipValue(start, depth: depth) }
        var deeper = 0
        for index in wanted.indices where matching & 1 << index != 0 {
            if wanted[index].names.count > level + 1 { deeper |= 1 << index }
        }
        let end =
            deeper != 0 && text.byte(start) == 0x7B
            ? object(text, start &+ 1, deeper, level: level &+ 1, depth: depth &+ 1)
            : text.skipValue(start, depth: depth)
        guard end >= 0 else { return end }
        for index in wanted.indices
        where matching & ~deeper & 1 << index != 0 && wanted[index].value == nil {
            wanted[index].value = start..<end
        }
        return end
    }

    /// The active fields whose name at this level is `range`, the bytes between two quotes.
    private func match(_ text: JSONText, _ range: Range<Int>, _ active: Int, _ level: Int) -> Int {
        let name = text.bytes(range)
        var matching = 0
        for index in 0..<3 where active & 1 << index != 0 {
            let names = wanted[index].names
            if names[level].count == name.count, names[level].elementsEqual(name) {
                matching |= 1 << index
            }
        }
        guard matching == 0, name.contains(0x5C) else { return matching }
        let plain = Self.unescape(text, range)
        for index in 0..<3 where active & 1 << index != 0 && wanted[index].names[level] == plain {
            matching |= 1 << index
        }
        return matching
    }

    private func readKey(_ text: JSONText, _ fields: inout LineFields) {
        guard let range = wanted[Self.key].value else { return }
        switch text.byte(range.lowerBound) {
        case 0x22:
            let content = range.lowerBound + 1..<range.upperBound - 1
            if text.bytes(content).contains(0x5C) {
                fields.ownedKey = Self.unescape(text, content)
            } else {
                fields.key = content
            }
        case 0x2D, 0x30...0x39: fields.key = range
        default: break
        }
    }

    private func instant(_ text: JSONText, _ index: Int) -> Int64? {
        guard let range = wanted[index].value else { return nil }
        switch text.byte(range.lowerBound) {
        case 0x22:
            let content = text.bytes(range.lowerBound + 1..<range.upperBound - 1)
            return Timestamp.parse(content.span).flatMap(RecordTime.milliseconds)
        case 0x2D, 0x30...0x39:
            let number = text.decimal(
                range.lowerBound, scale: units[index].rawValue, rounds: true)
            guard number.status == .value else { return nil }
            return RecordTime.milliseconds(number.value)
        default: return nil
        }
    }

    /// The bytes of a checked string's content.
    private static func unescape(_ text: JSONText, _ range: Range<Int>) -> [UInt8] {
        var result: [UInt8] = []
        var position = range.lowerBound
        while position < range.upperBound {
            let byte = text.byte(position)
            guard byte == 0x5C else {
                result.append(byte)
                position += 1
                continue
            }
            let escape = text.escape(position)
            guard escape.next > position, let scalar = Unicode.Scalar(escape.scalar) else { break }
            result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            position = escape.next
        }
        return result
    }
}
