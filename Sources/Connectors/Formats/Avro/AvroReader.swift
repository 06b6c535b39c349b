import Columnar
import Primitives

/// Reads one value of Avro binary into ``ColumnSinks`` by an ``AvroProgram``.
///
/// All pointers, no reference counting. Functions return the position after what they read, or the
/// complement of that of the offending byte: a negative number. A value that does not fit its
/// field is noted in the row's state and passed over, so that the rest is still read.
///
/// Source: Apache Avro 1.12 specification, "Binary Encoding".
struct AvroReader {
    /// The value's bytes, padded.
    let text: JSONText
    let nodes: UnsafeMutablePointer<SinkNode>
    let tables: AvroTables
    /// Takes faults, nulls, and texts of times.
    let values: JSONReader
    /// List items without a byte that the value may still have.
    let emptyItemsLeft: UnsafeMutablePointer<Int>

    /// Returned instead of a position: too many types inside one another.
    static let tooDeep = JSONText.tooDeep
    static let maximumEmptyItems = 65_536

    private var parts: UnsafeMutablePointer<Int> { tables.parts }

    // MARK: Plain numbers

    /// A zig-zag number of at most 64 bits.
    @inline(__always)
    func long(_ start: Int) -> (value: Int64, next: Int) {
        guard start < text.end else { return (0, ~start) }
        let first = text.byte(start)
        if first < 0x80 {
            return (Varint.unZigZag(UInt64(first)), start &+ 1)
        }
        return longer(start)
    }

    @inline(never)
    private func longer(_ start: Int) -> (value: Int64, next: Int) {
        var value: UInt64 = 0
        var position = start
        for shift in stride(from: 0, through: 63, by: 7) {
            guard position < text.end else { return (0, ~position) }
            let byte = text.byte(position)
            if shift == 63, byte > 1 { break }
            value |= UInt64(byte & 0x7F) &<< UInt64(shift)
            position &+= 1
            if byte < 0x80 { return (Varint.unZigZag(value), position) }
        }
        return (0, ~start)
    }

    /// A zig-zag number of at most 32 bits.
    @inline(__always)
    func int(_ start: Int) -> (value: Int64, next: Int) {
        let (value, next) = long(start)
        return Int64(Int32(truncatingIfNeeded: value)) == value ? (value, next) : (0, ~start)
    }

    /// A length, and the position after it; the bytes are all there.
    @inline(__always)
    func length(_ start: Int) -> (count: Int, next: Int) {
        let (value, next) = long(start)
        guard next >= 0 else { return (0, next) }
        guard value >= 0 else { return (0, ~start) }
        guard value <= Int64(text.end &- next) else { return (0, ~text.end) }
        return (Int(truncatingIfNeeded: value), next)
    }

    @inline(__always)
    private func bytes(_ start: Int, _ count: Int) -> Int {
        count <= text.end &- start ? start &+ count : ~text.end
    }

    // MARK: Values

    /// Reads a value at `start` as an action says.
    func read(_ index: Int, _ start: Int, depth: Int) -> Int {
        let action = tables.actions[index]
        switch action.operation {
        case .nothing: return start
        case .skipInt: return int(start).next
        case .skipLong: return long(start).next
        case .skipBoolean: return start < text.end && text.byte(start) <= 1 ? start &+ 1 : ~start
        case .skipBytes:
            let (count, next) = length(start)
            return next < 0 ? next : next &+ count
        case .skipFixed: return bytes(start, action.number)
        case .skipEnumeration:
            let (value, next) = int(start)
            return next < 0 || (0..<Int64(action.number)).contains(value) ? next : ~start
        case .skipArray, .skipMap: return skipBlocks(action, start, depth: depth)
        case .record: return sequence(action, start, depth: depth)
        case .union: return union(action, start, depth: depth)
        case .several:
            var next = start
            for part in action.firstPart..<action.firstPart &+ action.partCount where next >= 0 {
                next = read(parts[part], start, depth: depth)
            }
            return next
        case .structure:
            let next = sequence(action, start, depth: depth)
            if next >= 0 { nodes[action.node].appendStructure() }
            return next
        case .null:
            values.null(action.node)
            return start
        case .refuse:
            values.refuse(.wrongType, action.node)
            return read(parts[action.firstPart], start, depth: depth)
        case .refusePath:
            values.note(.wrongType, action.node)
            return read(parts[action.firstPart], start, depth: depth)
        case .list: return list(action, start, depth: depth)
        case .map: return map(action, start, depth: depth)
        default: return value(action, start)
        }
    }

    private func sequence(_ action: AvroAction, _ start: Int, depth: Int) -> Int {
        guard depth < JSONText.maximumDepth else { return Self.tooDeep }
        var position = start
        for part in action.firstPart..<action.firstPart &+ action.partCount {
            position = read(parts[part], position, depth: depth &+ 1)
            guard position >= 0 else { return position }
        }
        return position
    }

    private func union(_ action: AvroAction, _ start: Int, depth: Int) -> Int {
        let (branch, next) = long(start)
        guard next >= 0 else { return next }
        guard branch >= 0, branch < Int64(action.partCount) else { return ~start }
        return read(parts[action.firstPart &+ Int(branch)], next, depth: depth)
    }

    // MARK: Blocks

    /// The number of items of a block that begins at `start`, how many bytes they take where the
    /// writer says so (-1 where not), and where the first begins. No items end the blocks.
    private func block(
        _ start: Int, haveBytes: Bool
    ) -> (count: Int, size: Int, next: Int) {
        var (count, next) = long(start)
        guard next >= 0 else { return (0, -1, next) }
        var size = -1
        if count < 0 {
            guard count != .min else { return (0, -1, ~start) }
            count = -count
            (size, next) = length(next)
            guard next >= 0 else { return (0, -1, next) }
        }
        guard !haveBytes || count <= Int64(text.end &- next) else { return (0, -1, ~text.end) }
        return (Int(truncatingIfNeeded: count), size, next)
    }

    private func skipBlocks(_ action: AvroAction, _ start: Int, depth: Int) -> Int {
        guard depth < JSONText.maximumDepth else { return Self.tooDeep }
        let isMap = action.operation == .skipMap
        var position = start
        while true {
            let block = block(position, haveBytes: isMap || action.partsHaveBytes)
            guard block.next >= 0, block.count > 0 else { return block.next }
            position = block.next
            if block.size >= 0 {
                position &+= block.size
                continue
            }
            guard isMap || action.partsHaveBytes else { continue }
            for _ in 0..<block.count {
                if isMap {
                    let (count, next) = length(position)
                    guard next >= 0 else { return next }
                    position = next &+ count
                }
                position = read(parts[action.firstPart], position, depth: depth &+ 1)
                guard position >= 0 else { return position }
            }
        }
    }

    private func list(_ action: AvroAction, _ start: Int, depth: Int) -> Int {
        guard depth < JSONText.maximumDepth else { return Self.tooDeep }
        var position = start
        while true {
            let block = block(position, haveBytes: action.partsHaveBytes)
            guard block.next >= 0 else { return block.next }
            if block.count == 0 {
                nodes[action.node].append(end: nodes[nodes[action.node].firstChild].count)
                return block.next
            }
            if !action.partsHaveBytes {
                guard block.count <= emptyItemsLeft.pointee else { return ~position }
                emptyItemsLeft.pointee -= block.count
            }
            position = block.next
            for _ in 0..<block.count {
                position = read(parts[action.firstPart], position, depth: depth &+ 1)
                guard position >= 0 else { return position }
            }
        }
    }

    private func map(_ action: AvroAction, _ start: Int, depth: Int) -> Int {
        guard depth < JSONText.maximumDepth else { return Self.tooDeep }
        let key = nodes[action.node].firstChild
        let firstEntry = nodes[key].count
        var position = start
        while true {
            let block = block(position, haveBytes: true)
            guard block.next >= 0 else { return block.next }
            if block.count == 0 {
                guard values.hasDistinctKeys(key, from: firstEntry) else {
                    values.state.pointee.duplicateNode = action.node
                    return ~position
                }
                nodes[action.node].append(end: nodes[key].count)
                return block.next
            }
            position = block.next
            for _ in 0..<block.count {
                let (count, next) = length(position)
                guard next >= 0, isUTF8(next, count) else { return next < 0 ? next : ~next }
                values.mapKey(key, Array(text.bytes(next..<next &+ count)))
                position = read(parts[action.firstPart], next &+ count, depth: depth &+ 1)
                guard position >= 0 else { return position }
            }
        }
    }

    /// Whether some bytes are well-formed UTF-8.
    @inline(__always)
    func isUTF8(_ start: Int, _ count: Int) -> Bool {
        text.part(start, count: count).isUTF8()
    }
}
