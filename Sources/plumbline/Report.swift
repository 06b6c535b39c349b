import Foundation
import Synchronization

/// Numbers in messages.
enum Report {
    /// 1234567 as `1,234,567`.
    static func grouped(_ number: Int) -> String {
        let digits = Array(String(number.magnitude))
        var text = number < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// Bytes in the largest unit that leaves at least one.
    static func bytes(_ count: Int) -> String {
        var value = Double(count)
        for unit in ["bytes", "KiB", "MiB", "GiB"] {
            if value < 1024 || unit == "GiB" {
                return unit == "bytes" ? "\(count) bytes" : String(format: "%.1f \(unit)", value)
            }
            value /= 1024
        }
        return "\(count) bytes"
    }
}

/// A line of progress on standard error, once a second, from the first second on.
struct Progress {
    private let start = ContinuousClock.now
    private var last = ContinuousClock.now
    private(set) var isShown = false

    /// Seconds since the start.
    var elapsed: Double { (ContinuousClock.now - start) / .seconds(1) }

    mutating func show(_ text: () -> String) {
        let now = ContinuousClock.now
        guard now - last >= .seconds(1) else { return }
        last = now
        isShown = true
        Terminal.note(text())
    }
}

/// Counts records of several workers and shows them as progress. Threading: any thread.
final class RecordMeter: Sendable {
    private struct State {
        var records = 0
        var progress = Progress()
    }

    private let state = Mutex(State())

    func add(_ records: Int) {
        state.withLock { state in
            state.records += records
            let total = state.records
            state.progress.show { "run: \(Report.grouped(total)) records" }
        }
    }
}
