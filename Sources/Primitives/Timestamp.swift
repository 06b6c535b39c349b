/// Event time as `Int64` microseconds since 1970-01-01T00:00:00Z, as text and back.
///
/// Text follows RFC 3339 (years 0001 to 9999, no leap second); the calendar is the proleptic
/// Gregorian one, by Howard Hinnant's days-from-civil algorithm. No clock is read here.
package enum Timestamp {
    package static let microsecondsPerSecond: Int64 = 1_000_000
    package static let microsecondsPerDay: Int64 = 86_400_000_000
    /// 0001-01-01T00:00:00Z.
    package static let minimum: Int64 = -62_135_596_800_000_000
    /// 9999-12-31T23:59:59.999999Z.
    package static let maximum: Int64 = 253_402_300_799_999_999

    /// Days since 1970-01-01 of a proleptic Gregorian date; `month` 1...12, `day` 1...31.
    package static func days(year: Int, month: Int, day: Int) -> Int {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The proleptic Gregorian date of a day count since 1970-01-01.
    package static func civil(days: Int) -> (year: Int, month: Int, day: Int) {
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let mp = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * mp + 2) / 5 + 1
        let month = mp < 10 ? mp + 3 : mp - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    /// Days in a month of the proleptic Gregorian calendar.
    package static func daysInMonth(year: Int, month: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    /// Reads `yyyy-MM-dd(T|t|space)HH:mm:ss[.fraction](Z|z|±HH:mm)`.
    ///
    /// A fraction may have up to nine digits; those past the sixth must be zero, for event time is
    /// kept in microseconds. Returns nil for anything else, out-of-range fields included. O(1).
    package static func parse(_ text: Span<UInt8>) -> Int64? {
        guard text.count >= 20 else { return nil }
        func digits(_ start: Int, _ count: Int) -> Int? {
            var value = 0
            for index in start..<start + count {
                guard index < text.count else { return nil }
                let digit = Int(text[index]) - 48
                guard digit >= 0, digit <= 9 else { return nil }
                value = value * 10 + digit
            }
            return value
        }
        let separator = text[10] | 0x20  // 'T' or 't', or a space
        guard text[4] == 45, text[7] == 45, separator == 0x74 || text[10] == 0x20,
            text[13] == 58, text[16] == 58,
            let year = digits(0, 4), let month = digits(5, 2), let day = digits(8, 2),
            let hour = digits(11, 2), let minute = digits(14, 2), let second = digits(17, 2),
            year >= 1, month >= 1, month <= 12, day >= 1,
            day <= daysInMonth(year: year, month: month), hour < 24, minute < 60, second < 60
        else { return nil }
        var index = 19
        var fraction: Int64 = 0
        if text[index] == 46 {  // '.'
            index += 1
            let start = index
            while index < text.count, text[index] >= 48, text[index] <= 57 {
                let digit = Int64(text[index]) - 48
                if index - start < 6 {
                    fraction = fraction * 10 + digit
                } else if digit != 0 || index - start >= 9 {
                    return nil
                }
                index += 1
            }
            let count = index - start
            guard count > 0 else { return nil }
            for _ in 0..<max(0, 6 - count) { fraction *= 10 }
        }
        guard index < text.count else { return nil }
        var offsetSeconds = 0
        switch text[index] {
        case 90, 122:  // 'Z', 'z'
            guard index + 1 == text.count else { return nil }
        case 43, 45:  // '+', '-'
            guard text.count == index + 6, text[index + 3] == 58,
                let hours = digits(index + 1, 2), let minutes = digits(index + 4, 2),
                hours < 24, minutes < 60
            else { return nil }
            offsetSeconds = (hours * 3600 + minutes * 60) * (text[index] == 43 ? 1 : -1)
        default: return nil
        }
        let seconds =
            days(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second
            - offsetSeconds
        let value = Int64(seconds) * microsecondsPerSecond + fraction
        return value >= minimum && value <= maximum ? value : nil
    }

    /// Reads a timestamp from a string; see ``parse(_:)-(Span<UInt8>)``.
    package static func parse(_ text: String) -> Int64? {
        parse(Array(text.utf8).span)
    }

    /// Writes RFC 3339 text in UTC: no fraction, or three or six digits, the fewest that keep
    /// the value exactly.
    package static func write(_ microseconds: Int64, to writer: inout ByteWriter) {
        var seconds = microseconds / microsecondsPerSecond
        var fraction = microseconds % microsecondsPerSecond
        if fraction < 0 {
            fraction += microsecondsPerSecond
            seconds -= 1
        }
        var day = seconds / 86_400
        var secondOfDay = seconds % 86_400
        if secondOfDay < 0 {
            secondOfDay += 86_400
            day -= 1
        }
        let date = civil(days: Int(day))
        writer.put(digits: date.year, count: 4)
        writer.put(45)
        writer.put(digits: date.month, count: 2)
        writer.put(45)
        writer.put(digits: date.day, count: 2)
        writer.put(84)
        writer.put(digits: Int(secondOfDay) / 3600, count: 2)
        writer.put(58)
        writer.put(digits: Int(secondOfDay) / 60 % 60, count: 2)
        writer.put(58)
        writer.put(digits: Int(secondOfDay) % 60, count: 2)
        if fraction != 0 {
            writer.put(46)
            let isWhole = fraction % 1000 == 0
            writer.put(digits: Int(isWhole ? fraction / 1000 : fraction), count: isWhole ? 3 : 6)
        }
        writer.put(90)
    }

    /// RFC 3339 text in UTC; see ``write(_:to:)``.
    package static func text(_ microseconds: Int64) -> String {
        var writer = ByteWriter(capacity: 32)
        write(microseconds, to: &writer)
        return String(decoding: writer.array(), as: UTF8.self)
    }
}
