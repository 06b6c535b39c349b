import Columnar

/// Records of one input that went into a pane or window.
struct PaneCause: Hashable {
    var first: Int64
    var last: Int64
    var count: Int32

    /// -1 for none.
    var firstOffset: Int64 { count == 0 ? -1 : first }
    var lastOffset: Int64 { count == 0 ? -1 : last }
}

/// Panes of all keys: each key has a list of slots ascending by pane index. Slot 0 belongs to no
/// key and takes what does not count.
struct PaneStore {
    /// Per slot.
    private(set) var indices: [Int64] = [0]
    private var next: [Int32] = [-1]
    /// Per causing input and slot.
    private var causes: [[PaneCause]] = []
    /// Inputs that the step's rows may come from, as its batches name them.
    private(set) var causeInputs: [Int] = []
    /// Per key code.
    private var head: [Int32] = []
    private var tail: [Int32] = []
    private var free: [Int32] = []

    var slotCount: Int { indices.count }

    mutating func grow(keyCount: Int) {
        while head.count < keyCount {
            head.append(-1)
            tail.append(-1)
        }
    }

    mutating func setCauses(_ inputs: [Int]) {
        guard causeInputs.isEmpty, !inputs.isEmpty else { return }
        causeInputs = inputs
        let none = PaneCause(first: .max, last: .min, count: 0)
        causes = inputs.map { _ in Array(repeating: none, count: slotCount) }
    }

    /// The slot of a pane, made when it is not there. O(1) for the newest pane of a key, else
    /// O(panes of the key).
    mutating func slot(key: Int32, pane: Int64) -> (index: Int32, isNew: Bool) {
        let last = tail[Int(key)]
        if last >= 0, indices[Int(last)] == pane { return (last, false) }
        var previous: Int32 = -1
        var following: Int32 = -1
        if last >= 0, indices[Int(last)] < pane {
            previous = last
        } else {
            following = head[Int(key)]
            while following >= 0, indices[Int(following)] < pane {
                previous = following
                following = next[Int(following)]
            }
            if following >= 0, indices[Int(following)] == pane { return (following, false) }
        }
        let slot = makeSlot(pane)
        next[Int(slot)] = following
        if previous < 0 { head[Int(key)] = slot } else { next[Int(previous)] = slot }
        if following < 0 { tail[Int(key)] = slot }
        return (slot, true)
    }

    private mutating func makeSlot(_ pane: Int64) -> Int32 {
        let none = PaneCause(first: .max, last: .min, count: 0)
        if let slot = free.popLast() {
            indices[Int(slot)] = pane
            for index in causes.indices { causes[index][Int(slot)] = none }
            return slot
        }
        indices.append(pane)
        next.append(-1)
        for index in causes.indices { causes[index].append(none) }
        return Int32(indices.count - 1)
    }

    /// Notes the records that caused a row.
    mutating func note(_ columns: [CauseColumn], row: Int, slot: Int32) {
        for (index, column) in columns.enumerated() where column.first[row] >= 0 {
            var cause = causes[index][Int(slot)]
            cause.first = min(cause.first, column.first[row])
            cause.last = max(cause.last, column.last[row])
            cause.count &+= column.counts?[row] ?? 1
            causes[index][Int(slot)] = cause
        }
    }

    /// Notes the records that caused a row, one entry a causing input.
    mutating func note(_ row: [PaneCause], slot: Int32) {
        for (index, other) in row.enumerated() where other.first >= 0 {
            var cause = causes[index][Int(slot)]
            cause.first = min(cause.first, other.first)
            cause.last = max(cause.last, other.last)
            cause.count &+= other.count
            causes[index][Int(slot)] = cause
        }
    }

    /// Forgets the records behind a pane.
    mutating func resetCauses(_ slot: Int32) {
        for index in causes.indices {
            causes[index][Int(slot)] = PaneCause(first: .max, last: .min, count: 0)
        }
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
        var slot = head[Int(key)]
        while slot >= 0, indices[Int(slot)] < range.upperBound {
            if indices[Int(slot)] >= range.lowerBound { result.append(slot) }
            slot = next[Int(slot)]
        }
    }

    /// The first pane of a key not before `pane`.
    func firstPane(key: Int32, from pane: Int64) -> Int64? {
        var slot = head[Int(key)]
        while slot >= 0, indices[Int(slot)] < pane { slot = next[Int(slot)] }
        return slot >= 0 ? indices[Int(slot)] : nil
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
        var total = PaneCause(first: .max, last: .min, count: 0)
        for slot in slots {
            let cause = column[Int(slot)]
            total.first = min(total.first, cause.first)
            total.last = max(total.last, cause.last)
            total.count &+= cause.count
        }
        return total
    }

    /// Frees a key's panes before `pane`.
    mutating func removePanes(key: Int32, before pane: Int64) {
        var slot = head[Int(key)]
        while slot >= 0, indices[Int(slot)] < pane {
            free.append(slot)
            slot = next[Int(slot)]
        }
        head[Int(key)] = slot
        if slot < 0 { tail[Int(key)] = -1 }
    }

    /// All slots of a key, ascending by pane.
    func slots(key: Int32) -> [Int32] {
        Int(key) < head.count ? slots(key: key, .min..<(.max)) : []
    }

    /// Sets what was restored of a slot.
    mutating func restoreCauses(_ restored: [PaneCause], slot: Int32) {
        for index in causes.indices { causes[index][Int(slot)] = restored[index] }
    }
}
