/// Lines with their arrival times, given out in order of arrival; of equal times the one appended
/// first comes first.
struct ArrivalLines {
    private struct Entry {
        var arrival: Int
        var start: Int
        var end: Int
    }

    private var bytes: [UInt8] = []
    private var entries: [Entry] = []

    mutating func append(_ line: [UInt8], arrival: Int) {
        let start = bytes.count
        bytes.append(contentsOf: line)
        entries.append(Entry(arrival: arrival, start: start, end: bytes.count))
    }

    /// Calls `body` with each line that arrives before `end` and forgets it; later ones stay.
    /// O(n log n) in the lines held.
    mutating func drain<E: Error>(
        before end: Int, _ body: (Span<UInt8>) throws(E) -> Void
    ) throws(E) {
        // The start breaks ties, so that the order does not rest on the sort being stable.
        entries.sort { ($0.arrival, $0.start) < ($1.arrival, $1.start) }
        var keptBytes: [UInt8] = []
        var keptEntries: [Entry] = []
        for entry in entries {
            if entry.arrival < end {
                try body(bytes.span.extracting(entry.start..<entry.end))
            } else {
                let start = keptBytes.count
                keptBytes.append(contentsOf: bytes[entry.start..<entry.end])
                keptEntries.append(
                    Entry(arrival: entry.arrival, start: start, end: keptBytes.count))
            }
        }
        bytes.replaceSubrange(0..., with: keptBytes)
        entries.replaceSubrange(0..., with: keptEntries)
    }
}
