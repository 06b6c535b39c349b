import Columnar
import Primitives

/// What a machine remembers of one key.
struct MachineKey {
    /// A deadline of the key.
    struct Timer {
        /// When its episode began.
        var start: Int64 = .min
        /// Event time, or microseconds of counted ticks; `Int64.max` while it does not run.
        var due: Int64 = .max
        /// Start of the last episode in which it fell due.
        var lastFired: Int64 = .min
        /// The event that began it.
        var row: MachineRow?

        var isRunning: Bool { due != .max }
    }

    /// A row that an event has made.
    struct Made {
        /// Invariant; -1 for a transition.
        var rule: Int32
        var since: Int64
    }

    var state: Int32
    /// When the state was entered.
    var since: Int64
    /// Greatest event time judged: of an event, or of a deadline that fell due.
    var lastTime: Int64
    /// One row each.
    var variables: [Column]
    /// Per invariant: since when all that it judged was a breach; `.min` when the last was none.
    var breaches: [Int64]
    /// Per deadline.
    var timers: [Timer]
    /// What events of the time `madeTime`, the last that made rows, have made.
    var made: [Made] = []
    var madeTime: Int64 = .min

    /// State, since and variables, as expressions see them.
    func columns(_ states: [Column]) -> [Column] {
        [states[Int(state)], Column(.int64([since]))] + variables
    }

    mutating func note(_ rule: Int, since: Int64, at time: Int64) {
        if madeTime != time {
            madeTime = time
            made = []
        }
        made.append(Made(rule: Int32(rule), since: since))
    }
}

/// An event that a deadline keeps: one row, without its original record, the same for every cut
/// into batches.
final class MachineRow {
    let batch: Batch

    init(_ batch: Batch) { self.batch = batch }

    convenience init(_ event: MachineEvent) {
        self.init(Self.row(event.row, of: event.batch))
    }

    /// One row of a batch as a new row of its own.
    static func row(_ row: Int, of batch: Batch) -> Batch {
        var result = batch.gather([Int32(row)])
        result.columns = result.columns.map { $0.canonicalRow() }
        result.changes = nil
        result.revisions = nil
        result.raw = nil
        return result
    }
}

extension Column {
    /// A column of one row without dictionary, and without storage that depends on the rows that
    /// once stood beside it: null is one value.
    func canonicalRow() -> Column {
        var flat = flattened()
        guard !flat.isValid(0) else { return Column(flat.values) }
        flat = flat.gather([])
        flat.append(Column(.null(count: 1)))
        return flat
    }
}

/// Deadlines by due time. What is in it may have ended: who takes one asks the key.
struct MachineTimers {
    struct Entry {
        var due: Int64
        var key: Int32
        var deadline: Int32
    }

    /// A binary heap, the earliest first.
    private var entries: [Entry] = []

    var first: Entry? { entries.first }

    mutating func insert(_ entry: Entry) {
        entries.append(entry)
        var index = entries.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard entries[index].due < entries[parent].due else { break }
            entries.swapAt(index, parent)
            index = parent
        }
    }

    mutating func removeFirst() {
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        var index = 0
        while true {
            var least = index
            for child in 2 * index + 1..<2 * index + 3
            where child < entries.count && entries[child].due < entries[least].due {
                least = child
            }
            if least == index { return }
            entries.swapAt(index, least)
            index = least
        }
    }
}

/// Greatest accepted event times at the end of input: as far as deadlines fall due there.
struct AcceptedTimes {
    var partition: Int64
    /// Per key code; nil under a partition clock.
    var keys: [Int64]?

    /// The greatest accepted event time that counts for a key; `Int64.min` for none.
    func greatest(of key: Int32) -> Int64 {
        guard let keys else { return partition }
        return Int(key) < keys.count ? keys[Int(key)] : .min
    }
}
