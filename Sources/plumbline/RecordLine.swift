import Primitives
import RecordLog
import Topology

/// A record as one line of a terminal.
enum RecordLine {
    /// Time, partition and offset, key and value, cut to a number of columns.
    static func text(
        _ block: RecordBlock, _ row: Int, partition: Int, columns: Int
    ) -> String {
        let milliseconds = block.timestamps[row]
        let place = TextWidth.padded("\(partition):\(block.offsets[row])", to: 10)
        let key = shown(block.key(row))
        let line =
            "\(time(milliseconds))  \(place)  \(TextWidth.padded(key, to: 12))  "
            + shown(block.value(row))
        return TextWidth.cut(line, to: max(columns, 20))
    }

    /// A record's time stamp as RFC 3339 text; as a number when it is no time of the calendar.
    static func time(_ milliseconds: Int64) -> String {
        let (microseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1000)
        let isTime = !overflow && Timestamp.minimum...Timestamp.maximum ~= microseconds
        return isTime ? Timestamp.text(microseconds) : "\(milliseconds) ms"
    }

    /// Text as it is, but for what would move a terminal's cursor; other bytes by their number.
    private static func shown(_ bytes: [UInt8]?) -> String {
        guard let bytes else { return "–" }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            return "\(bytes.count) bytes"
        }
        return String(
            text.unicodeScalars.map { scalar -> Character in
                switch scalar.value {
                case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x200E, 0x200F, 0x202A...0x202E: " "
                default: Character(scalar)
                }
            })
    }
}
