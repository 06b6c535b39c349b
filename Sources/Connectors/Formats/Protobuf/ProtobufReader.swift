import Columnar
import Primitives

/// Reads one value of Protocol Buffers into ``ColumnSinks`` by a ``ProtobufProgram``.
///
/// A message is walked once to find where its wanted members stand, then they are read in the order
/// of their numbers: the last occurrence of a single one counts. All pointers, no reference
/// counting. Walking gives positions as ``JSONText`` does: negative where the bytes are wrong.
///
/// Source: Protocol Buffers, "Encoding".
struct ProtobufReader {
    /// The value's bytes, padded.
    let text: JSONText
    let nodes: UnsafeMutablePointer<SinkNode>
    let places: UnsafeMutablePointer<ProtobufPlace>
    let slots: UnsafeMutablePointer<ProtobufSlot>
    let targets: UnsafeMutablePointer<ProtobufTarget>
    let symbols: [[Int32: [UInt8]]]
    /// Takes faults, nulls, and texts of times.
    let values: JSONReader

    /// Returned instead of a position: a message that may stand once stands twice.
    static let twice = Int.min + 1
    private static let maximumGroupDepth = 64

    // MARK: The wire

    @inline(__always)
    private func varint(_ start: Int, _ end: Int) -> (value: UInt64, next: Int) {
        guard start < end else { return (0, ~start) }
        let first = text.byte(start)
        return first < 0x80 ? (UInt64(first), start &+ 1) : longVarint(start, end)
    }

    @inline(never)
    private func longVarint(_ start: Int, _ end: Int) -> (value: UInt64, next: Int) {
        var value: UInt64 = 0
        var position = start
        for shift in stride(from: 0, through: 63, by: 7) {
            guard position < end else { return (0, ~position) }
            let byte = text.byte(position)
            if shift == 63, byte > 1 { break }
            value |= UInt64(byte & 0x7F) &<< UInt64(shift)
            position &+= 1
            if byte < 0x80 { return (value, position) }
        }
        return (0, ~start)
    }

    /// A member's number and wire type.
    @inline(__always)
    private func tag(_ start: Int, _ end: Int) -> (number: Int, type: Int, next: Int) {
        let (value, next) = varint(start, end)
        guard next >= 0 else { return (0, 0, next) }
        guard value >> 3 > 0, value >> 3 < 1 << 29 else { return (0, 0, ~start) }
        return (Int(truncatingIfNeeded: value >> 3), Int(truncatingIfNeeded: value & 7), next)
    }

    /// The position after a value.
    private func skip(_ type: Int, number: Int, _ start: Int, _ end: Int, depth: Int = 0) -> Int {
        switch type {
        case 0: return varint(start, end).next
        case 1: return end &- start >= 8 ? start &+ 8 : ~end
        case 5: return end &- start >= 4 ? start &+ 4 : ~end
        case 2:
            let (count, next) = varint(start, end)
            guard next >= 0 else { return next }
            return count <= UInt64(end &- next) ? next &+ Int(count) : ~end
        case 3:
            guard depth < Self.maximumGroupDepth else { return JSONText.tooDeep }
            var position = start
            while true {
                let inner = tag(position, end)
                guard inner.next >= 0 else { return inner.next }
                if inner.type == 4 { return inner.number == number ? inner.next : ~position }
                position = skip(
                    inner.type, number: inner.number, inner.next, end, depth: depth &+ 1)
                guard position >= 0 else { return position }
            }
        default: return ~start
        }
    }

    /// The bytes of a value with a length; they are all there.
    @inline(__always)
    private func region(_ start: Int) -> Range<Int> {
        let (count, next) = varint(start, text.end)
        return next..<next &+ Int(truncatingIfNeeded: count)
    }

    // MARK: Messages

    /// Reads the message in `start..<end` into the members of a place; `end`, or what is wrong.
    func message(_ place: Int, _ start: Int, _ end: Int) -> Int {
        let found = find(places[place], start, end)
        guard found >= 0 else { return found }
        let first = places[place].firstSlot
        for index in first..<first &+ places[place].slotCount {
            let slot = slots[index]
            for target in slot.firstTarget..<slot.firstTarget &+ slot.targetCount {
                let next =
                    slot.isRepeated
                    ? list(targets[target], slot, start, end)
                    : slot.position >= 0
                        ? value(targets[target], targets[target].node, slot.position)
                        : absent(targets[target], slot)
                guard next >= 0 else { return next }
            }
        }
        return end
    }

    /// Notes where each wanted member stands, and walks over everything.
    private func find(_ place: ProtobufPlace, _ start: Int, _ end: Int) -> Int {
        let slots = slots + place.firstSlot
        for index in 0..<place.slotCount { slots[index].position = -1 }
        var position = start
        var guess = 0
        while position < end {
            let tag = tag(position, end)
            guard tag.next >= 0 else { return tag.next }
            let next = skip(tag.type, number: tag.number, tag.next, end)
            guard next >= 0 else { return next }
            // Writers keep to the order of numbers: most often it is the next one.
            var index = guess < place.slotCount && slots[guess].number == tag.number ? guess : 0
            while index < place.slotCount, slots[index].number != tag.number { index &+= 1 }
            if index < place.slotCount {
                let taken = take(slots, place.slotCount, index, tag.type, tag.next)
                guard taken >= 0 else { return taken }
                guess = index &+ 1
            }
            position = next
        }
        return position
    }

    private func take(
        _ slots: UnsafeMutablePointer<ProtobufSlot>, _ count: Int, _ index: Int, _ type: Int,
        _ position: Int
    ) -> Int {
        let slot = slots[index]
        let isPacked = slot.isRepeated && type == 2
        guard slot.wireType == type || isPacked || slot.wireType < 0 else { return ~position }
        if slot.isMessage, !slot.isRepeated, slot.position >= 0 { return Self.twice }
        if slot.oneof >= 0 {
            for other in 0..<count where slots[other].oneof == slot.oneof {
                slots[other].position = -1
            }
        }
        slots[index].position = position
        return position
    }

    /// What a member that is not there gives: null where that can be told, else the default.
    private func absent(_ target: ProtobufTarget, _ slot: ProtobufSlot) -> Int {
        if target.operation == .path {
            let place = places[target.inner]
            for index in place.firstSlot..<place.firstSlot &+ place.slotCount {
                let inner = slots[index]
                for next in inner.firstTarget..<inner.firstTarget &+ inner.targetCount {
                    if targets[next].operation == .path, !targets[next].isMap {
                        _ = absent(targets[next], inner)
                    } else {
                        values.null(targets[next].node)
                    }
                }
            }
            return 0
        }
        guard !slot.hasPresence else {
            values.null(target.node)
            return 0
        }
        return byDefault(target, target.node)
    }

    /// A type's default: zero, false, nothing.
    private func byDefault(_ target: ProtobufTarget, _ node: Int) -> Int {
        switch target.operation {
        case .bool: nodes[node].append(false)
        case .symbol: symbol(target, node, 0)
        case .text, .bytes: values.appendText(node, [])
        case .timeText, .durationText: values.refuse(.wrongType, node)
        case .instant: nodes[node].append(Int64(0))
        case .structure: return structure(target, node, 0, 0)
        case .float, .double: number(target, node, 0)
        default: whole(target, node, 0)
        }
        return 0
    }

    private func structure(_ target: ProtobufTarget, _ node: Int, _ start: Int, _ end: Int) -> Int {
        let next = message(target.inner, start, end)
        if next >= 0 { nodes[node].appendStructure() }
        return next
    }

    // MARK: Lists and maps

    /// Reads every occurrence of a repeated member, packed ones too.
    private func list(
        _ target: ProtobufTarget, _ slot: ProtobufSlot, _ start: Int, _ end: Int
    ) -> Int {
        let first = nodes[target.node].firstChild
        let firstEntry = nodes[first].count
        var position = slot.position < 0 ? end : start
        while position < end {
            let tag = tag(position, end)
            let next = skip(tag.type, number: tag.number, tag.next, end)
            guard tag.next >= 0, next >= 0 else { return next }
            position = next
            guard tag.number == slot.number else { continue }
            if target.isMap {
                let entry = region(tag.next)
                let read = message(target.inner, entry.lowerBound, entry.upperBound)
                guard read >= 0 else { return read }
            } else if tag.type == 2, slot.wireType != 2 {
                let packed = region(tag.next)
                var item = packed.lowerBound
                while item < packed.upperBound {
                    let after = skip(slot.wireType, number: 0, item, packed.upperBound)
                    guard after >= 0 else { return after }
                    _ = value(target, first, item)
                    item = after
                }
            } else {
                let read = value(target, first, tag.next)
                guard read >= 0 else { return read }
            }
        }
        if target.isMap, !values.hasDistinctKeys(first, from: firstEntry) {
            values.state.pointee.duplicateNode = target.node
            return ~start
        }
        nodes[target.node].append(end: nodes[first].count)
        return end
    }

    // MARK: Values

    /// Reads a value, whose bytes are all there, into a node: some position, or what is wrong.
    private func value(_ target: ProtobufTarget, _ node: Int, _ start: Int) -> Int {
        switch target.operation {
        case .text, .timeText, .durationText:
            let range = region(start)
            guard text.part(range.lowerBound, count: range.count).isUTF8() else {
                return ~range.lowerBound
            }
            switch target.operation {
            case .text where nodes[node].kind == .string: append(node, range)
            case .timeText: values.rfc3339(node, text.bytes(range))
            default: values.duration(node, Array(text.bytes(range)))
            }
        case .bytes: append(node, region(start))
        case .path:
            let range = region(start)
            return message(target.inner, range.lowerBound, range.upperBound)
        case .structure:
            let range = region(start)
            return structure(target, node, range.lowerBound, range.upperBound)
        case .instant: return instant(node, region(start))
        case .bool: nodes[node].append(varint(start, text.end).value != 0)
        case .symbol:
            symbol(target, node, Int32(truncatingIfNeeded: varint(start, text.end).value))
        case .double:
            number(target, node, Double(bitPattern: UInt64(littleEndian: text.load(start))))
        case .float:
            let bits = UInt32(truncatingIfNeeded: UInt64(littleEndian: text.load(start)))
            float(target, node, Float(bitPattern: bits))
        default: integer(target, node, start)
        }
        return start
    }

    private func append(_ node: Int, _ range: Range<Int>) {
        let sink = nodes + node
        sink.pointee.reserveBytes(range.count)
        text.copy(
            range.lowerBound, count: range.count,
            to: sink.pointee.bytes + sink.pointee.byteCount)
        sink.pointee.byteCount &+= range.count
        sink.pointee.append(end: sink.pointee.byteCount)
    }

    private func integer(_ target: ProtobufTarget, _ node: Int, _ start: Int) {
        let word = UInt64(littleEndian: text.load(start))
        switch target.operation {
        case .fixed32: whole(target, node, Int64(UInt32(truncatingIfNeeded: word)))
        case .sfixed32: whole(target, node, Int64(Int32(truncatingIfNeeded: word)))
        case .fixed64: unsigned(target, node, word)
        case .sfixed64: whole(target, node, Int64(bitPattern: word))
        default:
            let value = varint(start, text.end).value
            switch target.operation {
            case .int32: whole(target, node, Int64(Int32(truncatingIfNeeded: value)))
            case .uint32: whole(target, node, Int64(UInt32(truncatingIfNeeded: value)))
            case .sint32:
                whole(target, node, Int64(Int32(truncatingIfNeeded: Varint.unZigZag(value))))
            case .sint64: whole(target, node, Varint.unZigZag(value))
            case .uint64: unsigned(target, node, value)
            default: whole(target, node, Int64(bitPattern: value))
            }
        }
    }

    private func unsigned(_ target: ProtobufTarget, _ node: Int, _ value: UInt64) {
        if nodes[node].kind == .double {
            nodes[node].append(Double(value))
        } else if let value = Int64(exactly: value) {
            whole(target, node, value)
        } else {
            values.refuse(.outOfRange, node)
        }
    }

    private func whole(_ target: ProtobufTarget, _ node: Int, _ value: Int64) {
        switch nodes[node].kind {
        case .double: nodes[node].append(Double(value))
        // A map's key.
        case .string: values.refuse(.wrongType, node)
        default: values.whole(node, value, digits: target.digits)
        }
    }

    private func number(_ target: ProtobufTarget, _ node: Int, _ value: Double) {
        if nodes[node].kind == .double {
            values.double(node, value: value)
        } else {
            values.number(node, value, digits: target.digits)
        }
    }

    private func float(_ target: ProtobufTarget, _ node: Int, _ value: Float) {
        if nodes[node].kind == .double {
            values.double(node, value: Double(value))
        } else {
            values.number(node, value, digits: target.digits)
        }
    }

    private func symbol(_ target: ProtobufTarget, _ node: Int, _ number: Int32) {
        if let symbol = symbols[target.inner][number] {
            values.appendText(node, symbol)
        } else {
            values.refuse(.outOfRange, node)
        }
    }

    /// Seconds and nanoseconds.
    private func instant(_ node: Int, _ range: Range<Int>) -> Int {
        var (seconds, nanos): (Int64, Int64) = (0, 0)
        var position = range.lowerBound
        while position < range.upperBound {
            let tag = tag(position, range.upperBound)
            guard tag.next >= 0 else { return tag.next }
            let next = skip(tag.type, number: tag.number, tag.next, range.upperBound)
            guard next >= 0 else { return next }
            if tag.number <= 2 {
                guard tag.type == 0 else { return ~position }
                let value = varint(tag.next, text.end).value
                if tag.number == 1 {
                    seconds = Int64(bitPattern: value)
                } else {
                    nanos = Int64(Int32(truncatingIfNeeded: value))
                }
            }
            position = next
        }
        let all = Int128(seconds) * 1_000_000_000 + Int128(nanos)
        values.whole(node, all, digits: -3)
        return position
    }
}
