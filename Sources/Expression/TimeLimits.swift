import Primitives

/// Ranges of times in microseconds. Source: cel-spec, "Timestamps and durations".
enum TimeLimits {
    static let timestamp = Timestamp.minimum...Timestamp.maximum
    /// What fits in 64 bits of nanoseconds, about ±292 years: the range of CEL's implementations,
    /// which its conformance tests ask for.
    static let duration: ClosedRange<Int64> = -9_223_372_036_854_775...9_223_372_036_854_775
}
