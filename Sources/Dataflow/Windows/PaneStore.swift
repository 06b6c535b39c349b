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

/// Panes of all keys, each with a slot. Slot 0 belongs to no key and takes what does not count.
///
/// A key's slots stand one after the other in a block of its own, ascending by pane, as a ring: what
/// merges a window's panes reads on in memory. A block that is full is exchanged for one of twice
/// the size, so slots move; ``takeMoves()`` says where, for what is kept beside the panes.
struct PaneStore {
    /// Where one value goes from one slot to another.
    typealias Move = (from: Int32, to: Int32)

    /// A key's panes: `count` slots of a block of `capacity`, a power of two, from `first` on and
    /// round its end.
    private struct Ring {
        var base: Int32 = 0
        var capacity: Int32 = 0
        var first: Int32 = 0
        var count: Int32 = 0

        /// The slot of the `place`-th pane.
        func slot(_ place: Int32) -> Int32 { base &+ ((first &+ place) & (capacity &- 1)) }
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
        let ring = rings[Int(key)]
        var place = ring.count
        while place > 0 {
            let slot = ring.slot(place - 1)
            if indices[Int(slot)] == pane { return (slot, false) }
            if indices[Int(slot)] < pane { break }
            place -= 1
        }
        return (insert(pane, at: place, key: key), true)
    }

    private mutating func insert(_ pane: Int64, at place: Int32, key: Int32) -> Int32 {
        var ring = rings[Int(key)]
        if ring.count == ring.capacity { enlarge(&ring) }
        ring.count += 1
        for later in stride(from: ring.count - 1, to: place, by: -1) {
            move(from: ring.slot(later - 1), to: ring.slot(later))
        }
        rings[Int(key)] = ring
        let slot = ring.slot(place)
        indices[Int(slot)] = pane
        resetCauses(slot)
        return slot
    }

    private mutating func enlarge(_ ring: inout Ring) {
        let capacity = max(1, ring.capacity * 2)
        let base = takeBlock(capacity)
        for place in 0..<ring.count { move(from: ring.slot(place), to: base + place) }
        release(ring)
        ring = Ring(base: base, capacity: capacity, first: 0, count: ring.count)
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
        free[size].append(ring.base)
    }

    private mutating func move(from: Int32, to: Int32) {
        indices[Int(to)] = indices[Int(from)]
        for index in causes.indices { causes[index][Int(to)] = causes[index][Int(from)] }
        moves.append((from, to))
    }

    var hasMoves: Bool { !moves.isEmpty }

    /// The moves since the last call, to be followed in order.
    mutating func takeMoves() -> [Move] {
        defer { moves = [] }
        return moves
    }

    /// The slots of a key in a range of panes, ascending.
    func slots(key: Int32, _ range: Range<Int64>) -> [Int32] {
        var result: [Int32] = []
        findSlots(key: key, range, &result)
        return result
    }

    /// As ``slots(key:_:)``, into an array that keeps its storage.
    func findSlots(key: Int32, _ range: Range<Int64>, _ result: inout [Int32]) {
        result.removeAll(keepingCapacity: true)
        let ring = rings[Int(key)]
        for place in 0..<ring.count {
            let slot = ring.slot(place)
            let pane = indices[Int(slot)]
            if pane >= range.upperBound { return }
            if pane >= range.lowerBound { result.append(slot) }
        }
    }

    /// The first pane of a key not before `pane`.
    func firstPane(key: Int32, from pane: Int64) -> Int64? {
        let ring = rings[Int(key)]
        for place in 0..<ring.count {
            let index = indices[Int(ring.slot(place))]
            if index >= pane { return index }
        }
        return nil
    }

    /// Frees a key's panes before `pane`.
    mutating func removePanes(key: Int32, before pane: Int64) {
        var ring = rings[Int(key)]
        while ring.count > 0, indices[Int(ring.slot(0))] < pane {
            ring.first += 1
            ring.count -= 1
        }
        ring.first &= ring.capacity &- 1
        if ring.count == 0 {
            release(ring)
            ring = Ring()
        }
        rings[Int(key)] = ring
    }

    /// All slots of a key, ascending by pane.
    func slots(key: Int32) -> [Int32] {
        Int(key) < rings.count ? slots(key: key, .min..<(.max)) : []
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
    mutating func resetCauses(_ slot: Int32) {
        for index in causes.indices { causes[index][Int(slot)] = .none }
    }

    /// Records behind several panes, one entry a causing input.
    func causes(_ slots: [Int32]) -> [PaneCause] {
        causes.map { Self.total($0, slots) }
    }

    /// Appends the records behind several panes to columns, one a causing input.
    func appendCauses(_ slots: [Int32], to columns: inout [[PaneCause]]) {
        for index in causes.indices { columns[index].append(Self.total(causes[index], slots)) }
    }

    private static func total(_ column: [PaneCause], _ slots: [Int32]) -> PaneCause {
        var total = PaneCause.none
        for slot in slots { total.add(column[Int(slot)]) }
        return total
    }

    /// Sets what was restored of a slot.
    mutating func restoreCauses(_ restored: [PaneCause], slot: Int32) {
        for index in causes.indices { causes[index][Int(slot)] = restored[index] }
    }
}
