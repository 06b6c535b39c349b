import Columnar

/// Records of one input that went into a pane or window.
struct PaneCause: Hashable {
    var first: Int64
    var last: Int64
    var count: Int32

    static let none = PaneCause(first: .max, last: .min, count: 0)

    @inline(__always)
    mutating func add(_ other: PaneCause) {
        first = min(first, other.first)
        last = max(last, other.last)
        count &+= other.count
    }

    /// -1 for none.
    var firstOffset: Int64 { count == 0 ? -1 : first }
    var lastOffset: Int64 { count == 0 ? -1 : last }
}

/// Slots of panes one after the other in time: of a key, or of one of its windows.
///
/// They are `length` slots of a block from its `offset`-th on, and round its end.
struct PaneRun: RandomAccessCollection {
    /// The block's first slot.
    var base: Int32
    /// The block's size, a power of two, less one.
    var mask: Int32
    var offset: Int32
    var length: Int32

    static let none = PaneRun(base: 0, mask: -1, offset: 0, length: 0)

    var startIndex: Int { 0 }
    var endIndex: Int { Int(length) }

    /// The slots in order, up to the block's end and then from its start: loops that need not wrap.
    var parts: (Range<Int>, Range<Int>) {
        let start = Int(base &+ offset)
        let whole = Swift.min(Int(length), Int(mask &+ 1 &- offset))
        return (start..<start &+ whole, Int(base)..<Int(base) &+ Int(length) &- whole)
    }

    /// The slot of the `place`-th pane.
    subscript(place: Int) -> Int {
        Int(base &+ ((offset &+ Int32(truncatingIfNeeded: place)) & mask))
    }
}

/// Panes of all keys, each with a slot. Slot 0 belongs to no key and takes what does not count.
///
/// A key's slots stand one after the other in a block of its own, ascending by pane, as a ring:
/// what merges a window's panes reads on in memory. A block that is full is exchanged for one of
/// twice the size, so slots move; ``takeMoves()`` says where, for what is kept beside the panes.
struct PaneStore {
    /// Where one value goes from one slot to another.
    typealias Move = (from: Int, to: Int)

    /// A key's panes, in a block of `capacity` slots, a power of two.
    private struct Ring {
        var panes = PaneRun.none
        var capacity: Int32 { panes.mask &+ 1 }
    }

    /// Per slot: its pane.
    private(set) var indices: [Int64] = [0]
    /// Per causing input and slot.
    private var causes: [[PaneCause]] = []
    /// Inputs that the step's rows may come from, as its batches name them.
    private(set) var causeInputs: [Int] = []
    /// Per key code.
    private var rings: [Ring] = []
    /// Free blocks by the logarithm of their size.
    private var free: [[Int32]] = []
    private var moves: [Move] = []

    var slotCount: Int { indices.count }

    mutating func grow(keyCount: Int) {
        while rings.count < keyCount { rings.append(Ring()) }
    }

    mutating func setCauses(_ inputs: [Int]) {
        guard causeInputs.isEmpty, !inputs.isEmpty else { return }
        causeInputs = inputs
        causes = inputs.map { _ in Array(repeating: .none, count: slotCount) }
    }

    // MARK: Slots

    /// The slot of a pane, made when it is not there. O(1) for the newest pane of a key, else
    /// O(panes of the key).
    mutating func slot(key: Int32, pane: Int64) -> (index: Int32, isNew: Bool) {
        let panes = rings[Int(key)].panes
        var place = panes.count
        while place > 0 {
            let slot = panes[place - 1]
            if indices[slot] == pane { return (Int32(slot), false) }
            if indices[slot] < pane { break }
            place -= 1
        }
        return (insert(pane, at: place, key: key), true)
    }

    private mutating func insert(_ pane: Int64, at place: Int, key: Int32) -> Int32 {
        if rings[Int(key)].panes.length == rings[Int(key)].capacity { enlarge(key) }
        rings[Int(key)].panes.length += 1
        let panes = rings[Int(key)].panes
        for later in stride(from: panes.count - 1, to: place, by: -1) {
            move(from: panes[later - 1], to: panes[later])
        }
        let slot = panes[place]
        indices[slot] = pane
        resetCauses(slot)
        return Int32(slot)
    }

    private mutating func enlarge(_ key: Int32) {
        let old = rings[Int(key)]
        let capacity = max(1, old.capacity * 2)
        let base = takeBlock(capacity)
        rings[Int(key)].panes = PaneRun(
            base: base, mask: capacity - 1, offset: 0, length: old.panes.length)
        for (place, slot) in old.panes.enumerated() { move(from: slot, to: Int(base) + place) }
        release(old)
    }

    private mutating func takeBlock(_ capacity: Int32) -> Int32 {
        let size = capacity.trailingZeroBitCount
        if size < free.count, let block = free[size].popLast() { return block }
        let base = Int32(slotCount)
        for _ in 0..<capacity {
            indices.append(0)
            for index in causes.indices { causes[index].append(.none) }
        }
        return base
    }

    private mutating func release(_ ring: Ring) {
        if ring.capacity == 0 { return }
        let size = ring.capacity.trailingZeroBitCount
        while free.count <= size { free.append([]) }
        free[size].append(ring.panes.base)
    }

    private mutating func move(from: Int, to: Int) {
        indices[to] = indices[from]
        for index in causes.indices { causes[index][to] = causes[index][from] }
        moves.append((from, to))
    }

    var hasMoves: Bool { !moves.isEmpty }

    /// The moves since the last call, to be followed in order.
    mutating func takeMoves() -> [Move] {
        defer { moves = [] }
        return moves
    }

    /// A key's panes in a range. O(panes of the key that are not in it).
    func run(key: Int32, _ range: Range<Int64>) -> PaneRun {
        var panes = rings[Int(key)].panes
        while let last = panes.last, indices[last] >= range.upperBound { panes.length -= 1 }
        while let first = panes.first, indices[first] < range.lowerBound {
            panes.offset = (panes.offset &+ 1) & panes.mask
            panes.length -= 1
        }
        return panes
    }

    /// All panes of a key.
    func run(key: Int32) -> PaneRun {
        Int(key) < rings.count ? rings[Int(key)].panes : .none
    }

    /// The first pane of a key not before `pane`.
    func firstPane(key: Int32, from pane: Int64) -> Int64? {
        for slot in rings[Int(key)].panes where indices[slot] >= pane { return indices[slot] }
        return nil
    }

    /// Frees a key's panes before `pane`. What they hold stays until a pane is made.
    mutating func removePanes(key: Int32, before pane: Int64) {
        var ring = rings[Int(key)]
        while let first = ring.panes.first, indices[first] < pane {
            ring.panes.offset = (ring.panes.offset &+ 1) & ring.panes.mask
            ring.panes.length -= 1
        }
        if ring.panes.isEmpty {
            release(ring)
            ring = Ring()
        }
        rings[Int(key)] = ring
    }

    // MARK: Causes

    /// Notes the records that caused a row.
    mutating func note(_ columns: [CauseColumn], row: Int, slot: Int32) {
        for index in causes.indices where columns[index].first[row] >= 0 {
            causes[index][Int(slot)].add(
                PaneCause(
                    first: columns[index].first[row], last: columns[index].last[row],
                    count: columns[index].counts?[row] ?? 1))
        }
    }

    /// Notes the records that caused a row, one entry a causing input.
    mutating func note(_ row: [PaneCause], slot: Int32) {
        for (index, other) in row.enumerated() where other.first >= 0 {
            causes[index][Int(slot)].add(other)
        }
    }

    /// Forgets the records behind a pane.
    mutating func resetCauses(_ slot: Int) {
        for index in causes.indices { causes[index][slot] = .none }
    }

    /// Records behind a pane, one entry a causing input.
    func causes(_ slot: Int) -> [PaneCause] { causes.map { $0[slot] } }

    /// Appends the records behind windows to columns, one a causing input.
    func appendCauses(_ windows: [PaneRun], to columns: inout [[PaneCause]]) {
        for index in causes.indices {
            let column = causes[index]
            Self.append(windows, column.span, to: &columns[index])
        }
    }

    private static func append(
        _ windows: [PaneRun], _ causes: Span<PaneCause>, to column: inout [PaneCause]
    ) {
        for window in windows {
            var total = PaneCause.none
            let (first, second) = window.parts
            for slot in first { total.add(causes[slot]) }
            for slot in second { total.add(causes[slot]) }
            column.append(total)
        }
    }

    /// Sets what was restored of a slot.
    mutating func restoreCauses(_ restored: [PaneCause], slot: Int32) {
        for index in causes.indices { causes[index][Int(slot)] = restored[index] }
    }
}
