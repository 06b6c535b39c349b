import Columnar

/// What a node of ``ColumnSinks`` holds.
enum SinkKind: UInt8 {
    case bool
    /// int and decimal: `Int64` units of 10^-scale.
    case decimal
    case timestamp
    case duration
    case double
    case string
    case bytes
    case list
    case map
    case structure
    /// A type that no input can hold; every value is a fault.
    case unreadable
}

/// One column under construction: a plain struct of pointers, so that appending costs no
/// reference counting and no exclusivity check.
///
/// Storage by kind: `Int64` (decimal, timestamp, duration), `Double`, `Bool`, or `Int32` offsets,
/// `count + 1` of them (string, bytes, list, map). A structure has children only.
struct SinkNode {
    var kind: SinkKind
    var isNullable: Bool
    var rounds: Bool
    var encoding: Field.TimestampEncoding
    /// Digits after the point that a number keeps: microseconds of its unit for a timestamp.
    var scale: Int
    /// Rows held, and rows that the storage has room for.
    var count = 0
    var capacity = 0
    var values = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
    /// Text of string and bytes; always 16 bytes of slack after `byteCapacity`.
    var bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: 16)
    var byteCount = 0
    var byteCapacity = 0
    /// Bits of rows with a value; kept from the first null on.
    var validity = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
    var hasNulls = false
    /// Node index of a list's element, a map's key (its value follows), a structure's first field.
    var firstChild = -1
    var childCount = 0
    /// Index of the JSON object layout of a structure.
    var layout = -1

    init(_ type: ValueType, isNullable: Bool, rounds: Bool, encoding: Field.TimestampEncoding) {
        self.isNullable = isNullable
        self.rounds = rounds
        self.encoding = encoding
        scale = 0
        switch type {
        case .bool: kind = .bool
        case .int: kind = .decimal
        case .decimal(let scale, _):
            kind = .decimal
            self.scale = scale
        case .timestamp:
            kind = .timestamp
            switch encoding {
            case .automatic, .epochMilliseconds: scale = 3
            case .epochSeconds: scale = 6
            case .epochMicroseconds, .rfc3339: scale = 0
            }
        case .duration: kind = .duration
        case .double: kind = .double
        case .string: kind = .string
        case .bytes: kind = .bytes
        case .list: kind = .list
        case .map: kind = .map
        case .structure: kind = .structure
        case .null, .ratio: kind = .unreadable
        }
    }

    func deallocate() {
        values.deallocate()
        bytes.deallocate()
        validity.deallocate()
    }

    private var stride: Int {
        switch kind {
        case .bool: 1
        case .decimal, .timestamp, .duration, .double: 8
        case .string, .bytes, .list, .map: 4
        case .structure, .unreadable: 0
        }
    }

    var hasOffsets: Bool { stride == 4 }

    /// Whether a time may be a number since the epoch.
    var takesEpoch: Bool {
        if case .rfc3339 = encoding { false } else { true }
    }

    /// Whether a time may be text.
    var takesTimeText: Bool {
        switch encoding {
        case .automatic, .rfc3339: true
        case .epochSeconds, .epochMilliseconds, .epochMicroseconds: false
        }
    }

    /// Room for `rows` rows in all.
    @inline(never)
    mutating func reserve(_ rows: Int) {
        guard rows > capacity else { return }
        let newCapacity = max(rows, capacity * 2, 16)
        let newValues = UnsafeMutableRawPointer.allocate(
            byteCount: (newCapacity + 1) * max(stride, 1), alignment: 8)
        newValues.copyMemory(from: values, byteCount: capacity == 0 ? 0 : (count + 1) * stride)
        values.deallocate()
        values = newValues
        if capacity == 0, stride == 4 { values.storeBytes(of: 0, as: Int32.self) }
        let newValidity = UnsafeMutablePointer<UInt64>.allocate(capacity: newCapacity / 64 + 1)
        newValidity.initialize(repeating: 0, count: newCapacity / 64 + 1)
        newValidity.update(from: validity, count: capacity == 0 ? 0 : capacity / 64 + 1)
        validity.deallocate()
        validity = newValidity
        capacity = newCapacity
    }

    /// Room for `more` further bytes of text.
    @inline(__always)
    mutating func reserveBytes(_ more: Int) {
        if byteCount + more > byteCapacity { growBytes(more) }
    }

    @inline(never)
    private mutating func growBytes(_ more: Int) {
        let newCapacity = max(byteCount + more, byteCapacity * 2, 256)
        let newBytes = UnsafeMutablePointer<UInt8>.allocate(capacity: newCapacity + 16)
        newBytes.update(from: bytes, count: byteCount)
        bytes.deallocate()
        bytes = newBytes
        byteCapacity = newCapacity
    }

    /// Forgets all rows, keeps the storage.
    mutating func reset() {
        count = 0
        byteCount = 0
        hasNulls = false
        reserve(1)
    }

    /// Counts the row just stored as one with a value.
    @inline(__always)
    private mutating func commit() {
        if hasNulls { validity[count >> 6] |= 1 &<< UInt64(truncatingIfNeeded: count) }
        count &+= 1
    }

    @inline(__always)
    mutating func append(_ value: Int64) {
        if count == capacity { reserve(count + 1) }
        values.storeBytes(of: value, toByteOffset: count &* 8, as: Int64.self)
        commit()
    }

    @inline(__always)
    mutating func append(_ value: Double) {
        if count == capacity { reserve(count + 1) }
        values.storeBytes(of: value, toByteOffset: count &* 8, as: Double.self)
        commit()
    }

    @inline(__always)
    mutating func append(_ value: Bool) {
        if count == capacity { reserve(count + 1) }
        values.storeBytes(of: value, toByteOffset: count, as: Bool.self)
        commit()
    }

    /// Ends a row of a kind with offsets: its text or children end at `end`.
    @inline(__always)
    mutating func append(end: Int) {
        if count == capacity { reserve(count + 1) }
        values.storeBytes(
            of: Int32(truncatingIfNeeded: end), toByteOffset: count &* 4 &+ 4,
            as: Int32.self)
        commit()
    }

    /// Ends a row of a structure, whose children hold their row already.
    mutating func appendStructure() {
        if count == capacity { reserve(count + 1) }
        commit()
    }

    /// The end of row `row` of a kind with offsets; -1 is the start of the first.
    @inline(__always)
    func end(_ row: Int) -> Int {
        Int(values.load(fromByteOffset: row &* 4 &+ 4, as: Int32.self))
    }

    @inline(__always)
    func int64(_ row: Int) -> Int64 { values.load(fromByteOffset: row &* 8, as: Int64.self) }

    /// Whether a row has a value.
    func isValid(_ row: Int) -> Bool {
        !hasNulls || validity[row >> 6] & (1 << UInt64(row & 63)) != 0
    }

    /// Counts a row without a value. Children of a structure are the caller's.
    mutating func appendNullRow() {
        if count == capacity { reserve(count + 1) }
        if !hasNulls {
            hasNulls = true
            for word in 0...(capacity / 64) {
                let below = count - word * 64
                validity[word] = below >= 64 ? ~0 : below <= 0 ? 0 : (1 << UInt64(below)) - 1
            }
        }
        switch stride {
        case 8: values.storeBytes(of: 0, toByteOffset: count * 8, as: Int64.self)
        case 4:
            let last = end(count - 1)
            values.storeBytes(of: Int32(last), toByteOffset: count * 4 + 4, as: Int32.self)
        case 1: values.storeBytes(of: false, toByteOffset: count, as: Bool.self)
        default: break
        }
        count += 1
    }

    /// Drops rows from `rows` on.
    mutating func truncate(_ rows: Int) {
        guard count > rows else { return }
        for row in rows..<count where hasNulls { validity[row >> 6] &= ~(1 << UInt64(row & 63)) }
        count = rows
        if kind == .string || kind == .bytes { byteCount = end(rows - 1) }
    }
}

/// The columns of a run of rows under construction: a forest of ``SinkNode``, the roots first.
///
/// Not thread-safe; reused from run to run by one decoder.
final class ColumnSinks {
    let nodes: UnsafeMutablePointer<SinkNode>
    let nodeCount: Int
    /// Field names by node, dotted, for messages.
    let names: [String]
    let types: [ValueType]

    /// One root a field.
    init(_ fields: [Field]) {
        var nodes: [SinkNode] = []
        var names: [String] = []
        var types: [ValueType] = []
        func add(_ field: Field, _ name: String) {
            nodes.append(
                SinkNode(
                    field.type, isNullable: field.isNullable, rounds: field.rounds,
                    encoding: field.timestampEncoding))
            names.append(name)
            types.append(field.type)
        }
        for field in fields { add(field, field.name) }
        var next = 0
        while next < nodes.count {
            let name = names[next]
            nodes[next].firstChild = nodes.count
            switch types[next] {
            case .list(let element):
                add(Self.unnamed(element, like: nodes[next]), name)
            case .map(let key, let value):
                add(Self.unnamed(key, like: nodes[next]), name)
                add(Self.unnamed(value, like: nodes[next]), name)
            case .structure(let fields):
                for field in fields { add(field, "\(name).\(field.name)") }
            default: break
            }
            nodes[next].childCount = nodes.count - nodes[next].firstChild
            next += 1
        }
        nodeCount = nodes.count
        self.nodes = UnsafeMutablePointer<SinkNode>.allocate(capacity: max(1, nodes.count))
        self.nodes.initialize(from: nodes, count: nodes.count)
        self.names = names
        self.types = types
    }

    deinit {
        for node in 0..<nodeCount { nodes[node].deallocate() }
        nodes.deallocate()
    }

    /// A list's or map's part takes the marks of the field it belongs to.
    private static func unnamed(_ type: ValueType, like node: SinkNode) -> Field {
        Field("", type, rounds: node.rounds, timestampEncoding: node.encoding)
    }

    /// Forgets all rows.
    func reset() {
        for node in 0..<nodeCount { nodes[node].reset() }
    }

    /// Appends a row without a value, to the children of structures as well.
    func appendNull(_ index: Int) {
        let node = nodes + index
        if node.pointee.kind == .structure {
            for child in 0..<node.pointee.childCount {
                appendNull(node.pointee.firstChild + child)
            }
        }
        node.pointee.appendNullRow()
    }

    /// Gives a node exactly `rows` rows, dropping what was begun beyond them and filling what is
    /// missing with nulls: after a row that broke off in the middle.
    func settle(_ index: Int, rows: Int) {
        let node = nodes + index
        node.pointee.truncate(rows)
        switch node.pointee.kind {
        case .list, .map:
            let end = node.pointee.end(node.pointee.count - 1)
            for child in 0..<node.pointee.childCount {
                settle(node.pointee.firstChild + child, rows: end)
            }
        case .string, .bytes:
            node.pointee.byteCount = node.pointee.end(node.pointee.count - 1)
        case .structure:
            for child in 0..<node.pointee.childCount {
                settle(node.pointee.firstChild + child, rows: node.pointee.count)
            }
        default: break
        }
        while node.pointee.count < rows { appendNull(index) }
    }

    /// A copy of a node's rows as a column. O(rows).
    func column(_ index: Int) -> Column {
        let node = nodes[index]
        let count = node.count
        let values: ColumnValues
        switch node.kind {
        case .bool: values = .bool(copy(node.values, count))
        case .decimal, .timestamp, .duration: values = .int64(copy(node.values, count))
        case .double: values = .double(copy(node.values, count))
        case .string, .bytes:
            let text = UnsafeBufferPointer(start: node.bytes, count: node.byteCount)
            values = .bytes(
                ByteValues(offsets: copy(node.values, count + 1), bytes: Array(text)))
        case .list:
            values = .list(
                ListValues(
                    offsets: copy(node.values, count + 1), elements: column(node.firstChild)))
        case .map:
            values = .map(
                MapValues(
                    offsets: copy(node.values, count + 1), keys: column(node.firstChild),
                    values: column(node.firstChild + 1)))
        case .structure:
            values = .structure((0..<node.childCount).map { column(node.firstChild + $0) })
        case .unreadable: return Column(.null(count: count))
        }
        // Where nulls are not allowed, only rows with a fault have them.
        guard node.hasNulls, node.isNullable else { return Column(values) }
        let words = Array(UnsafeBufferPointer(start: node.validity, count: (count + 63) / 64))
        return Column(values, validity: Bitmap(words: words, count: count))
    }

    /// A copy of an `Int64` node's values; 0 where a row has none.
    func int64s(_ index: Int) -> [Int64] { copy(nodes[index].values, nodes[index].count) }

    private func copy<Element>(_ storage: UnsafeMutableRawPointer, _ count: Int) -> [Element] {
        let start = storage.assumingMemoryBound(to: Element.self)
        return Array(UnsafeBufferPointer(start: start, count: count))
    }
}
