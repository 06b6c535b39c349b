import Primitives

/// Something put into the data on purpose: the ground truth that alarms are compared with.
package struct SiteEvent: Sendable {
    /// What happens. The first five are incidents, the others faults of devices and lines.
    package enum Kind: String, Sendable {
        case overload
        case chartMismatch = "chart-mismatch"
        case wind
        case dust
        /// A window whose mean is exactly the limit.
        case dustAtLimit = "dust-at-limit"
        /// Readings that never come.
        case gap
        /// Off-line, then all kept readings at once.
        case backfill
        /// The device's clock is a day ahead.
        case clock
        /// The instrument flags its values as invalid.
        case invalid
        /// Dust over the general limit, under that of earthwork: no alarm.
        case dustBelowLimit = "dust-below-limit"
    }

    package var device: String
    package var kind: Kind
    /// Highest level to be raised; "none" for faults, "normal" for what must not raise.
    package var level: String
    /// Milliseconds since the epoch.
    package var span: Range<Int>

    func write(into lines: inout ArrivalLines) {
        var line = LineBuffer()
        line.put("{\"device\":\"\(device)\",\"kind\":\"\(kind.rawValue)\",\"level\":\"\(level)\"")
        line.put(",\"start\":\"")
        line.put(Timestamp.text(Int64(span.lowerBound) * 1000))
        line.put("\",\"end\":\"")
        line.put(Timestamp.text(Int64(span.upperBound) * 1000))
        line.put("\"}\n")
        lines.append(line.bytes, arrival: span.lowerBound)
    }
}

extension Array where Element == SiteEvent {
    /// The event of a kind and device that covers an instant.
    func first(_ kind: SiteEvent.Kind, at time: Int) -> SiteEvent? {
        first { $0.kind == kind && $0.span.contains(time) }
    }
}
