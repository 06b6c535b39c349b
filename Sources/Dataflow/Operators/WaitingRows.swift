import Columnar

/// Rows that wait for their turn, in order of arrival.
///
/// Rows that are taken stay where they are, so that the others keep their numbers, until whoever
/// holds the numbers takes out all that is left. Done when half are taken, each row moves twice at
/// the most.
struct WaitingRows {
    /// All rows since the last ``takeAll()``.
    private(set) var rows = Batch(columns: [], times: [], keys: [])
    /// Of each row that waits, its original record; nil where it has none.
    private var records: [WaitingRecords.Record?] = []
    private var isTaken: [Bool] = []
    private var takenCount = 0

    /// Whether more rows are taken than wait, and enough to matter.
    var isSparse: Bool { takenCount > 1024 && takenCount * 2 > isTaken.count }

    func isThere(_ row: Int32) -> Bool { !isTaken[Int(row)] }

    /// Takes in rows; the number of the first. Amortised O(rows).
    mutating func append(_ batch: Batch) -> Int32 {
        let first = Int32(isTaken.count)
        for row in 0..<batch.rowCount {
            let place = batch.raw == nil ? nil : batch.ownRecord(row)
            records.append(place.map { (batch.raw?.key(at: $0), batch.raw?.value(at: $0)) })
        }
        if isTaken.isEmpty { rows = batch } else { rows.append(batch) }
        rows.raw = nil
        isTaken += Array(repeating: false, count: batch.rowCount)
        return first
    }

    /// Whether a row has its original record. In one batch all have, or none: it tells them by
    /// place, which a result shares with the only row that it is made of.
    func hasRecord(_ number: Int32) -> Bool { records[Int(number)] != nil }

    /// Gives out some rows, alike in ``hasRecord(_:)``.
    mutating func take(_ numbers: [Int32]) -> Batch {
        var batch = rows.gather(numbers)
        var taken: [RecordPlace: WaitingRecords.Record] = [:]
        for (row, number) in numbers.enumerated() {
            isTaken[Int(number)] = true
            if let place = batch.ownRecord(row) { taken[place] = records[Int(number)] }
            records[Int(number)] = nil
        }
        takenCount += numbers.count
        batch.raw = taken.isEmpty ? nil : WaitingRecords(taken)
        return batch
    }

    /// Whether a row of a key and time waits. O(rows).
    func contains(key: Int32, time: Int64) -> Bool {
        rows.times.indices.contains {
            rows.times[$0] == time && rows.keys[$0] == key && !isTaken[$0]
        }
    }

    /// The numbers of all that wait, by time and then arrival.
    func inTimeOrder() -> [Int32] {
        let left = isTaken.indices.filter { !isTaken[$0] }.map { Int32($0) }
        return left.sorted {
            let (a, b) = (rows.times[Int($0)], rows.times[Int($1)])
            return a != b ? a < b : $0 < $1
        }
    }

    /// Gives out all that is left, in order of arrival, in batches that are alike in
    /// ``hasRecord(_:)``.
    mutating func takeAll() -> [Batch] {
        defer { self = WaitingRows() }
        let left = isTaken.indices.filter { !isTaken[$0] }.map { Int32($0) }
        var batches: [Batch] = []
        var start = 0
        while start < left.count {
            let end =
                left[start...].firstIndex { hasRecord($0) != hasRecord(left[start]) }
                ?? left.count
            batches.append(take(Array(left[start..<end])))
            start = end
        }
        return batches
    }
}

/// Numbers of rows, the one with the least time first, and of one time the least number: a binary
/// heap. O(log rows) a change.
struct RowQueue {
    typealias Entry = (time: Int64, row: Int32)

    private var entries: [Entry] = []

    var first: Entry? { entries.first }

    private func precedes(_ a: Int, _ b: Int) -> Bool {
        let (a, b) = (entries[a], entries[b])
        return a.time != b.time ? a.time < b.time : a.row < b.row
    }

    mutating func insert(_ entry: Entry) {
        entries.append(entry)
        var child = entries.count - 1
        while child > 0, precedes(child, (child - 1) / 2) {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeFirst() {
        guard let last = entries.popLast(), !entries.isEmpty else { return }
        entries[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < entries.count && precedes(child, least) {
                least = child
            }
            if least == parent { return }
            entries.swapAt(parent, least)
            parent = least
        }
    }

    mutating func removeAll() { entries.removeAll(keepingCapacity: true) }
}

/// Original records of rows that have waited, by their place.
final class WaitingRecords: RawRecords {
    typealias Record = (key: [UInt8]?, value: [UInt8]?)

    private let rows: [RecordPlace: Record]

    init(_ rows: [RecordPlace: Record]) { self.rows = rows }

    func key(at place: RecordPlace) -> [UInt8]? { rows[place]?.key }

    func value(at place: RecordPlace) -> [UInt8]? { rows[place]?.value }
}

extension Batch {
    /// Appends rows of the same shape, without their original records.
    mutating func append(_ other: Batch) {
        let oldCount = rowCount
        for index in columns.indices { columns[index].append(other.columns[index]) }
        times += other.times
        keys += other.keys
        if changes != nil || other.changes != nil {
            changes =
                (changes ?? Array(repeating: 0, count: oldCount))
                + (other.changes ?? Array(repeating: 0, count: other.rowCount))
        }
        if revisions != nil || other.revisions != nil {
            revisions =
                (revisions ?? Array(repeating: 0, count: oldCount))
                + (other.revisions ?? Array(repeating: 0, count: other.rowCount))
        }
        for index in causes.indices {
            let counts = causes[index].counts
            let more = other.causes[index].counts
            if counts != nil || more != nil {
                causes[index].counts =
                    (counts ?? Array(repeating: 1, count: oldCount))
                    + (more ?? Array(repeating: 1, count: other.rowCount))
            }
            causes[index].first += other.causes[index].first
            causes[index].last += other.causes[index].last
        }
        if headers != nil || other.headers != nil {
            var joined = headers ?? .empty(rows: oldCount)
            let more = other.headers ?? .empty(rows: other.rowCount)
            for row in 0..<more.count { joined.append(more.array(row)) }
            headers = joined
        }
    }
}

extension ByteValues {
    /// `rows` empty strings.
    static func empty(rows: Int) -> ByteValues {
        ByteValues(offsets: Array(repeating: 0, count: rows + 1), bytes: [])
    }
}
