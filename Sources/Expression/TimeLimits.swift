import Primitives

/// Ranges of times in microseconds. Source: cel-spec, "Timestamps and durations".
enum TimeLimits {
    static let timestamp = Timestamp.minimum...Timestamp.maximum
    /// ±315 576 000 000 s, about 10 000 years.
    static let duration: ClosedRange<Int64> =
        -315_576_000_000_000_000...315_576_000_000_000_000
}
