import Primitives

/// Something put into the data on purpose.
struct SiteEvent {
    enum Kind: String {
        // Of cranes.
        case overload, wind, unidentified, climb
        case chartMismatch = "chart-mismatch"
        // Of dust monitors.
        case dust, frozen
        case dustAtLimit = "dust-at-limit"
        /// Over the general limit, under that of earthwork.
        case dustUnderEarthwork = "dust-under-earthwork"
        case pressureUnit = "pressure-unit"
        case dustUnit = "dust-unit"
        // Faults of both.
        case gap, backfill, invalid
        case clockJump = "clock-jump"
        case clock8h = "clock-8h"
    }

    var kind: Kind
    /// Crane, dust monitor, hazard project or point.
    var key: String
    /// How far a clock under ``Kind/clock8h`` is behind, in milliseconds.
    static let clockLag = 8 * SimulationOptions.hour

    /// Highest level to be raised; "normal" for what must raise nothing, "" for faults.
    var level = ""
    /// Milliseconds since the epoch.
    var span: Range<Int>
}

extension Array where Element == SiteEvent {
    /// The event of a kind that covers an instant.
    func first(_ kind: SiteEvent.Kind, at time: Int) -> SiteEvent? {
        first { $0.kind == kind && $0.span.contains(time) }
    }
}

/// A line of the ground truth: an alarm that must be raised, or a fault.
struct Truth {
    var topology: String
    /// Empty for a fault.
    var rule: String
    var key: String
    var level: String
    var kind: String
    /// When the condition holds, in milliseconds since the epoch.
    var span: Range<Int>
    /// How far the device's own clock is behind, which times its alarms; milliseconds.
    var lag = 0

    func write(into lines: inout ArrivalLines) {
        var line = LineBuffer()
        line.put("{\"topology\":\"\(topology)\"")
        line.put(rule.isEmpty ? ",\"fault\":\"\(kind)\"" : ",\"rule\":\"\(rule)\"")
        line.put(",\"key\":\"\(key)\",\"start\":\"")
        line.put(Timestamp.text(Int64(span.lowerBound - lag) * 1000))
        line.put("\",\"end\":\"")
        line.put(Timestamp.text(Int64(span.upperBound - lag) * 1000))
        line.put("\"")
        if !rule.isEmpty { line.put(",\"level\":\"\(level)\",\"kind\":\"\(kind)\"") }
        line.put("}\n")
        lines.append(line.bytes, arrival: span.lowerBound)
    }
}
