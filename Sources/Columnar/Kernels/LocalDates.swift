import Primitives

/// The date of each timestamp as a calendar in a zone shows it, such as `2026-01-31`.
///
/// A date outside the years 1 to 9999 is the fault `out-of-range`. O(rows) but for changes of the
/// zone's clocks between rows.
package func localDate(_ a: Vector, zone: Zone, count: Int) -> Vector {
    let values = a.int64
    var result = ByteValues()
    result.bytes.reserveCapacity(count * 10)
    result.offsets.reserveCapacity(count + 1)
    var faults = a.faults
    var period = zone.period(at: 0)
    var known = Int64.min
    var text: [UInt8] = []
    for row in 0..<count {
        guard a.isLive(row) else {
            result.append([])
            continue
        }
        let value = values[row]
        if value < period.start || value >= period.end { period = zone.period(at: value) }
        let local = value + period.offset
        guard local >= Timestamp.minimum, local <= Timestamp.maximum else {
            record(.outOfRange, row, count, in: &faults)
            result.append([])
            continue
        }
        let distance = local - Timestamp.minimum
        let day = distance - distance % Timestamp.microsecondsPerDay + Timestamp.minimum
        if day != known {
            known = day
            text = Array(Timestamp.text(day).utf8.prefix(10))
        }
        result.append(text)
    }
    return Vector(.bytes(result), a.column.validity, faults)
}

/// The start of the day, week or month that holds each timestamp.
///
/// One before the year 1 is the fault `out-of-range`. O(rows) while rows share a unit.
package func calendarStart(_ a: Vector, grid: CalendarGrid, count: Int) -> Vector {
    let values = a.int64
    var result = [Int64](repeating: 0, count: count)
    var faults = a.faults
    var start: Int64 = 0
    var end: Int64 = 0
    for row in 0..<count where a.isLive(row) {
        let value = values[row]
        if value < start || value >= end {
            let index = grid.index(of: value)
            start = grid.start(index)
            end = grid.start(index + 1)
        }
        if start < Timestamp.minimum { record(.outOfRange, row, count, in: &faults) }
        result[row] = start
    }
    return Vector(.int64(result), a.column.validity, faults)
}
