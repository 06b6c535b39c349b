import Foundation

/// The seed of a randomised test.
package enum TestSeed {
    /// `PLUMBLINE_SEED`, else one that never changes: a run of all tests means the same everywhere.
    package static var value: UInt64 {
        ProcessInfo.processInfo.environment["PLUMBLINE_SEED"].flatMap { UInt64($0) } ?? 20_261_122
    }
}
