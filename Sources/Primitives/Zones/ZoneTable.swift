/// The IANA time zone database as it is compiled into the program, so that no machine's own copy
/// can change a result. Scripts/zone-table.py writes it and says how.
package enum ZoneTable {
    /// Text of each zone by each of its names.
    private static let entries: [String: [UInt8]] = {
        var entries: [String: [UInt8]] = [:]
        let bytes = data.utf8.filter { $0 != newline }
        for entry in bytes.split(separator: semicolon) {
            guard let end = entry.firstIndex(of: bar) else { continue }
            let rest = Array(entry[(end + 1)...])
            for name in entry[..<end].split(separator: comma) {
                entries[String(decoding: name, as: UTF8.self)] = rest
            }
        }
        return entries
    }()

    private static let newline: UInt8 = 10
    private static let comma: UInt8 = 44
    private static let semicolon: UInt8 = 59
    private static let bar: UInt8 = 124
    private static let tilde: UInt8 = 126

    /// All names, sorted, such as `Asia/Shanghai`.
    package static let names: [String] = entries.keys.sorted()

    /// What a zone's clock does: times of its transitions and the offset after each, the first
    /// offset before them; in seconds. The rule says what comes after the last.
    struct Entry {
        var times: [Int64] = []
        var offsets: [Int64] = []
        var rule: Rule?
    }

    /// Daylight saving that goes on for ever, as the footer of a TZif file (RFC 9636) says it.
    struct Rule {
        var standard: Int64
        var daylight: Int64
        var start: Change
        var end: Change

        /// `week` 5 is the month's last; weekday 0 is Sunday; `seconds` of local time may be
        /// negative or more than a day.
        struct Change {
            var month: Int
            var week: Int
            var weekday: Int
            var seconds: Int64
        }

        /// The transitions of a year, in order: when, and the offset from then on.
        func transitions(year: Int) -> [(time: Int64, offset: Int64)] {
            let pair = [
                (time: Self.time(start, year) - standard, offset: daylight),
                (time: Self.time(end, year) - daylight, offset: standard),
            ]
            return pair[0].time < pair[1].time ? pair : pair.reversed()
        }

        /// Seconds of local time since 1970.
        private static func time(_ change: Change, _ year: Int) -> Int64 {
            let first = Timestamp.days(year: year, month: change.month, day: 1)
            let weekday = ((first + 4) % 7 + 7) % 7  // 1970-01-01 was a Thursday
            var day = (change.weekday - weekday + 7) % 7 + 7 * (change.week - 1)
            while day >= Timestamp.daysInMonth(year: year, month: change.month) { day -= 7 }
            return Int64(first + day) * 86_400 + change.seconds
        }
    }

    /// The zone of a name; nil when there is none. O(length of its text).
    static func entry(_ name: String) -> Entry? {
        guard let text = entries[name] else { return nil }
        let parts = text.split(separator: bar, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        let choices = integers(parts[0], by: comma)
        var entry = Entry()
        entry.offsets.append(choices.first ?? 0)
        var time: Int64 = 0
        var rest = parts[1]
        while let first = rest.first {
            if first == tilde {
                let end = rest.dropFirst().firstIndex(of: tilde) ?? rest.endIndex
                time += integer(rest[(rest.startIndex + 1)..<end])
                rest = rest[end...].dropFirst()
            } else {
                time += rest.prefix(3).reduce(0) { $0 * 64 + digit($1) } * 900
                rest = rest.dropFirst(3)
            }
            guard let index = rest.popFirst() else { break }
            entry.times.append(time)
            entry.offsets.append(choices[Int(digit(index))])
        }
        entry.rule = rule(parts[2])
        return entry
    }

    private static func rule(_ text: ArraySlice<UInt8>) -> Rule? {
        let parts = text.split(separator: 47)
        guard parts.count == 4 else { return nil }
        func change(_ text: ArraySlice<UInt8>) -> Rule.Change {
            let values = integers(text, by: 46)
            return Rule.Change(
                month: Int(values[0]), week: Int(values[1]), weekday: Int(values[2]),
                seconds: values[3])
        }
        return Rule(
            standard: integer(parts[0]), daylight: integer(parts[1]), start: change(parts[2]),
            end: change(parts[3]))
    }

    private static func integers(_ text: ArraySlice<UInt8>, by separator: UInt8) -> [Int64] {
        text.split(separator: separator).map { integer($0) }
    }

    private static func integer(_ text: ArraySlice<UInt8>) -> Int64 {
        Int64(String(decoding: text, as: UTF8.self)) ?? 0
    }

    /// Value of a digit of base 64: 0-9, A-Z, a-z, -, _.
    private static func digit(_ byte: UInt8) -> Int64 {
        switch byte {
        case 48...57: Int64(byte) - 48
        case 65...90: Int64(byte) - 55
        case 97...122: Int64(byte) - 61
        case 45: 62
        default: 63
        }
    }
}
