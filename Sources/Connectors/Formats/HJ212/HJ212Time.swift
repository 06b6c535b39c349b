import Primitives

/// Times of HJ 212: digits of local time, `yyyyMMddHHmmss` or with milliseconds.
struct HJ212Time {
    /// Microseconds since the epoch.
    var microseconds: Int64
    var hasMilliseconds = false
    /// The day stood as day of the year, as Java's `DD` writes it.
    var isDayOfYear = false

    /// Reads 14 or 17 digits, as local time `offsetMinutes` ahead of UTC; nil when it is no time.
    ///
    /// Some devices format with Java's `DD`, the day of the year: two digits in the first 99 days,
    /// then three. From February on that is no day of the month, so it is told apart safely.
    static func parse(_ text: Span<UInt8>, offsetMinutes: Int) -> HJ212Time? {
        let count = text.count
        guard count == 14 || count == 15 || count == 17 || count == 18 else { return nil }
        for index in text.indices where text[index] &- 0x30 >= 10 { return nil }
        func number(_ start: Int, _ count: Int) -> Int {
            var value = 0
            for index in start..<start + count { value = value * 10 + Int(text[index]) - 0x30 }
            return value
        }
        let dayDigits = count == 15 || count == 18 ? 3 : 2
        let year = number(0, 4)
        let month = number(4, 2)
        var day = number(6, dayDigits)
        guard year >= 1, month >= 1, month <= 12, day >= 1 else { return nil }
        var result = HJ212Time(microseconds: 0)
        let length = Timestamp.daysInMonth(year: year, month: month)
        if dayDigits == 3 || day > length {
            let first = Timestamp.days(year: year, month: month, day: 1)
            let ofYear = first - Timestamp.days(year: year, month: 1, day: 1)
            day -= ofYear
            result.isDayOfYear = true
            guard day >= 1, day <= length else { return nil }
        }
        let clock = 6 + dayDigits
        let (hour, minute, second) = (number(clock, 2), number(clock + 2, 2), number(clock + 4, 2))
        guard hour < 24, minute < 60, second < 60 else { return nil }
        result.hasMilliseconds = count >= 17
        let milliseconds = result.hasMilliseconds ? number(clock + 6, 3) : 0
        let seconds =
            Timestamp.days(year: year, month: month, day: day) * 86_400 + hour * 3600
            + (minute - offsetMinutes) * 60 + second
        result.microseconds = Int64(seconds) * 1_000_000 + Int64(milliseconds) * 1000
        guard result.microseconds >= Timestamp.minimum, result.microseconds <= Timestamp.maximum
        else { return nil }
        return result
    }
}
