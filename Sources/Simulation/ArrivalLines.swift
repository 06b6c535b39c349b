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

    /// Calls `body` with each line. O(n log n).
    func forEach<E: Error>(_ body: (Span<UInt8>) throws(E) -> Void) throws(E) {
        // The start breaks ties, so that the order does not rest on the sort being stable.
        let ordered = entries.sorted {
            ($0.arrival, $0.start) < ($1.arrival, $1.start)
        }
        for entry in ordered { try body(bytes.span.extracting(entry.start..<entry.end)) }
    }
}
