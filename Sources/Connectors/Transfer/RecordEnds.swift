import Glibc

/// Finds where the records of a file end: at every newline, or, in CSV, at every newline outside
/// quotes. Bytes come in pieces, in order. One thread.
///
/// A quote opens quoted text at the start of a field only, so that one wrong quote in the middle of
/// a field does not swallow the rest of the file.
package struct RecordEnds {
    private enum State {
        /// Before the first field; a byte-order mark may stand here.
        case start
        case field
        case plain
        case quoted
        /// After a quote inside quoted text: its end, or the first of two.
        case quote
    }

    /// Between two fields of CSV; nil where every newline ends a record.
    private let separator: UInt8?
    private var state = State.start
    /// The line, from 1, on which the record under way begins.
    package private(set) var line = 1
    private var newlines = 0

    package init(csvSeparator: UInt8?) { separator = csvSeparator }

    /// Whether no newline is part of a record.
    var isEveryNewline: Bool { separator == nil }

    /// Whether what has come so far ends inside quotes.
    package var isInQuotes: Bool { state == .quoted }

    /// The newline that ends the record under way, from `start` on; nil when more bytes are needed.
    package mutating func next(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let separator else {
            guard start < bytes.count, let base = bytes.baseAddress,
                let found = memchr(base + start, 0x0A, bytes.count - start)
            else { return nil }
            endRecord()
            return UnsafeRawPointer(found) - base
        }
        var position = start
        while position < bytes.count {
            let byte = bytes[position]
            if byte == 0x0A, state != .quoted {
                endRecord()
                return position
            }
            if byte == 0x0A { newlines += 1 }
            take(byte, separator)
            position &+= 1
        }
        return nil
    }

    @inline(__always)
    private mutating func take(_ byte: UInt8, _ separator: UInt8) {
        switch state {
        case .plain: if byte == separator { state = .field }
        case .quoted: if byte == 0x22 { state = .quote }
        case .quote: state = byte == 0x22 ? .quoted : byte == separator ? .field : .plain
        case .start where CSVHeader.byteOrderMark.contains(byte): break
        case .start, .field:
            state = byte == 0x22 ? .quoted : byte == separator ? .field : .plain
        }
    }

    private mutating func endRecord() {
        state = .field
        newlines += 1
        line = newlines + 1
    }
}
