/// One row of CSV taken apart (RFC 4180): where its fields stand in the bytes it was parsed from.
///
/// A field is either plain, without quotes and line breaks, or in quotes, where a quote is doubled.
/// Blanks belong to the field. One line end after the row is passed over. Used again from row to
/// row.
struct CSVRow {
    /// Why bytes are no row.
    struct Failure: Error {
        var detail: String
    }

    struct Cell {
        /// The content, without the quotes around it.
        var start: Int
        var end: Int
        var isQuoted: Bool
        /// Whether quotes stand doubled in it.
        var hasEscapes: Bool

        var isEmpty: Bool { start == end }
    }

    private(set) var cells: [Cell] = []

    /// Takes a row apart. O(length).
    mutating func parse(
        _ bytes: UnsafeBufferPointer<UInt8>, separator: UInt8
    ) throws(Failure) {
        cells.removeAll(keepingCapacity: true)
        var end = bytes.count
        if end > 0, bytes[end - 1] == 0x0A { end -= 1 }
        if end > 0, bytes[end - 1] == 0x0D { end -= 1 }
        var position = 0
        while true {
            position =
                position < end && bytes[position] == 0x22
                ? try quoted(bytes, position + 1, end, separator)
                : try plain(bytes, position, end, separator)
            guard position < end else { return }
            // At a separator; after the last one stands an empty field.
            position += 1
        }
    }

    private var place: String { "column \(cells.count + 1)" }

    /// Reads a field without quotes: the position of the separator after it, or the end.
    private mutating func plain(
        _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int, _ separator: UInt8
    ) throws(Failure) -> Int {
        var position = start
        while position < end {
            let byte = bytes[position]
            if byte == separator { break }
            if byte == 0x22 {
                throw Failure(detail: "\(place): a quote inside a field that is not in quotes")
            }
            if byte == 0x0A || byte == 0x0D {
                throw Failure(detail: "\(place): a line break outside quotes")
            }
            position &+= 1
        }
        cells.append(Cell(start: start, end: position, isQuoted: false, hasEscapes: false))
        return position
    }

    /// Reads a field after its opening quote: the position of the separator after it, or the end.
    private mutating func quoted(
        _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int, _ separator: UInt8
    ) throws(Failure) -> Int {
        var position = start
        var hasEscapes = false
        while position < end {
            guard bytes[position] == 0x22 else {
                position &+= 1
                continue
            }
            let next = position &+ 1
            if next < end, bytes[next] == 0x22 {
                hasEscapes = true
                position = next &+ 1
                continue
            }
            guard next == end || bytes[next] == separator else {
                throw Failure(detail: "\(place): text after the closing quote")
            }
            cells.append(
                Cell(start: start, end: position, isQuoted: true, hasEscapes: hasEscapes))
            return next
        }
        throw Failure(detail: "\(place): the closing quote is missing")
    }

    /// A field's content, doubled quotes made single.
    func content(_ cell: Cell, _ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(cell.end - cell.start)
        var position = cell.start
        while position < cell.end {
            result.append(bytes[position])
            position += cell.hasEscapes && bytes[position] == 0x22 ? 2 : 1
        }
        return result
    }
}

/// The names of the columns of CSV rows.
struct CSVHeader {
    let names: [[UInt8]]

    /// Reads a header row; a byte-order mark before it counts for nothing.
    init(_ row: UnsafeBufferPointer<UInt8>, separator: UInt8) throws(CSVRow.Failure) {
        let start = row.starts(with: Self.byteOrderMark) ? Self.byteOrderMark.count : 0
        let bytes = UnsafeBufferPointer(rebasing: row[start...])
        var parsed = CSVRow()
        try parsed.parse(bytes, separator: separator)
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw CSVRow.Failure(detail: "not UTF-8")
        }
        names = parsed.cells.map { parsed.content($0, bytes) }
    }

    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
}
