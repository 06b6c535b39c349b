import Dataflow
import Primitives

/// Finds up to three fields of CSV rows. One thread.
///
/// It needs no schema: a key is a field's text, an instant is RFC 3339 text or a number.
struct CSVFieldFinder {
    private let separator: UInt8
    private let columnCount: Int
    /// Columns of key, time and arrival.
    private let key: Int?
    private let time: Int?
    private let arrival: Int?
    private let timeUnit: FieldPlace.NumberUnit
    private let arrivalUnit: FieldPlace.NumberUnit
    private var row = CSVRow()

    /// `file` names the source of the columns in messages. Throws for a field that is no column.
    init(
        _ fields: ImportFields, columns: [[UInt8]], separator: UInt8, file: String
    ) throws(Diagnostic) {
        self.separator = separator
        columnCount = columns.count
        key = try Self.column(fields.key, columns, separator, file)
        time = try Self.column(fields.time, columns, separator, file)
        arrival = try Self.column(fields.arrival, columns, separator, file)
        timeUnit = fields.time?.numberUnit ?? .milliseconds
        arrivalUnit = fields.arrival?.numberUnit ?? .milliseconds
    }

    private static func column(
        _ place: FieldPlace?, _ columns: [[UInt8]], _ separator: UInt8, _ file: String
    ) throws(Diagnostic) -> Int? {
        guard let place else { return nil }
        let name = place.path.joined(separator: ".")
        let found = columns.indices.filter { columns[$0] == Array(name.utf8) }
        guard found.count != 1 else { return found[0] }
        let names = columns.prefix(40).map { String(decoding: $0, as: UTF8.self) }
        throw Diagnostic(
            "\(file) has \(found.isEmpty ? "no" : "more than one") column '\(name)'",
            hint: columns.count == 1
                ? "its one column is '\(names[0])'; --separator says what stands between columns,"
                    + " now '\(CSVForm.text(separator: separator))'"
                : "its columns: " + names.joined(separator: ", "))
    }

    /// Reads the row that is `range` of the buffer, after which ``JSONText/slack`` more bytes can
    /// be read.
    mutating func find(in buffer: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> LineFields {
        var fields = LineFields(value: range)
        let bytes = UnsafeBufferPointer(rebasing: buffer[range])
        guard (try? row.parse(bytes, separator: separator)) != nil else {
            fields.isUnreadable = true
            return fields
        }
        if row.cells.count != columnCount { fields.isUnreadable = true }
        if let key {
            readKey(key, bytes, from: range.lowerBound, &fields)
            if fields.key == nil, fields.ownedKey == nil { fields.isUnreadable = true }
        }
        if let time {
            fields.time = instant(time, bytes, timeUnit)
            if fields.time == nil { fields.isUnreadable = true }
        }
        if let arrival {
            fields.arrival = instant(arrival, bytes, arrivalUnit)
            if fields.arrival == nil { fields.isUnreadable = true }
        }
        return fields
    }

    private func readKey(
        _ column: Int, _ bytes: UnsafeBufferPointer<UInt8>, from start: Int,
        _ fields: inout LineFields
    ) {
        guard column < row.cells.count else { return }
        let cell = row.cells[column]
        if cell.isEmpty, !cell.isQuoted { return }
        if cell.hasEscapes {
            fields.ownedKey = row.content(cell, bytes)
        } else {
            fields.key = start + cell.start..<start + cell.end
        }
    }

    private func instant(
        _ column: Int, _ bytes: UnsafeBufferPointer<UInt8>, _ unit: FieldPlace.NumberUnit
    ) -> Int64? {
        guard column < row.cells.count, !row.cells[column].isEmpty,
            let base = bytes.baseAddress
        else { return nil }
        let cell = row.cells[column]
        let text = JSONText(base, count: bytes.count)
        let number = text.decimal(cell.start, scale: unit.rawValue, rounds: true)
        if number.next == cell.end, number.status == .value {
            return RecordTime.milliseconds(number.value)
        }
        let characters = UnsafeBufferPointer(rebasing: bytes[cell.start..<cell.end])
        return Timestamp.parse(characters.span).flatMap(RecordTime.milliseconds)
    }
}
