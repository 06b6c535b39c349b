import Primitives

/// Cuts a file into records, chunk by chunk: one record a line.
///
/// `append` takes the next bytes of the file and gives the records that are whole by then;
/// `finish` gives the last one when the file does not end with a line feed. Lines end with LF or
/// CR LF; blank ones (nothing but spaces and tabs) are skipped, but counted. What a record says is
/// the decoder's business: only its length, and an arrival time before an HJ 212 frame, are
/// judged here. Holds at most one line.
package struct RecordSplitter: Sendable {
    /// What a line of the file is.
    package enum Format: Sendable {
        /// One JSON document a line.
        case jsonLines
        /// One frame a line; an arrival time and a tab may stand before its `##`.
        case hj212
    }

    /// One line without its end and, if it has one, without its arrival time.
    package struct Record: Hashable, Sendable {
        package var bytes: [UInt8]
        /// Milliseconds since the epoch, when the line begins with an arrival time.
        package var arrival: Int64?
        /// Counted from 1.
        package var line: Int
    }

    /// Longest line in bytes, its end not counted.
    package static let maximumLineLength = 16 << 20

    private let format: Format
    private let file: String
    private let maximumLength: Int
    private var partial: [UInt8] = []
    /// The line that `partial` belongs to.
    private var line = 1

    /// `file` is named in errors. `maximumLength` is for tests.
    package init(
        _ format: Format, file: String, maximumLength: Int = RecordSplitter.maximumLineLength
    ) {
        self.format = format
        self.file = file
        self.maximumLength = maximumLength
    }

    /// The records that end in `chunk`. Throws for a line that is too long; nothing can be read
    /// after that. O(chunk).
    package mutating func append(_ chunk: Span<UInt8>) throws(Diagnostic) -> [Record] {
        var records: [Record] = []
        var start = 0
        while start < chunk.count {
            var end = start
            while end < chunk.count, chunk[end] != 0x0A { end += 1 }
            // One byte more than allowed may still be the CR of the line's end.
            guard partial.count + end - start <= maximumLength + 1 else { throw tooLong() }
            partial.reserveCapacity(partial.count + end - start)
            for index in start..<end { partial.append(chunk[index]) }
            if end < chunk.count {
                if let record = try takeLine() { records.append(record) }
                line += 1
            }
            start = end + 1
        }
        return records
    }

    /// See ``append(_:)-(Span<UInt8>)``.
    package mutating func append(_ chunk: [UInt8]) throws(Diagnostic) -> [Record] {
        try append(chunk.span)
    }

    /// The record after the last line feed, if there is one.
    package mutating func finish() throws(Diagnostic) -> Record? { try takeLine() }

    private mutating func takeLine() throws(Diagnostic) -> Record? {
        if partial.last == 0x0D { partial.removeLast() }
        guard partial.count <= maximumLength else { throw tooLong() }
        defer { partial.removeAll(keepingCapacity: partial.count < 1 << 16) }
        guard partial.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { return nil }
        if case .hj212 = format, let tab = partial.firstIndex(of: 0x09),
            partial[(tab + 1)...].starts(with: [0x23, 0x23]),
            let arrival = Self.arrival(Array(partial[..<tab]))
        {
            return Record(bytes: Array(partial[(tab + 1)...]), arrival: arrival, line: line)
        }
        return Record(bytes: partial, arrival: nil, line: line)
    }

    /// Milliseconds of an arrival time: whole milliseconds since the epoch, or RFC 3339 text.
    private static func arrival(_ text: [UInt8]) -> Int64? {
        if text.count <= 15, !text.isEmpty, text.allSatisfy({ $0 &- 0x30 < 10 }) {
            return text.reduce(0) { $0 * 10 + Int64($1) - 0x30 }
        }
        // Rounded down, also before 1970.
        return Timestamp.parse(text.span).map { $0 >= 0 ? $0 / 1000 : ($0 - 999) / 1000 }
    }

    private func tooLong() -> Diagnostic {
        Diagnostic(
            "the line is longer than \(maximumLength) bytes",
            at: SourceLocation(file: file, line: line, column: 1),
            hint: "write one record a line; is this a text file of that format?")
    }
}
