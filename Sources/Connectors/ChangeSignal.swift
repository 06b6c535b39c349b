import Foundation

/// A number that grows at every change, and threads that wait for the next. Threading: any thread.
final class ChangeSignal: @unchecked Sendable {
    // `@unchecked`: everything is guarded by `condition`.
    private let condition = NSCondition()
    private var count: UInt64 = 0

    /// Changes so far.
    var changes: UInt64 {
        condition.lock()
        defer { condition.unlock() }
        return count
    }

    /// Notes a change and wakes all who wait.
    func change() {
        condition.lock()
        count += 1
        condition.broadcast()
        condition.unlock()
    }

    /// Waits until there was a change since number `earlier`, or the deadline.
    func wait(after earlier: UInt64, until deadline: Date) {
        condition.lock()
        defer { condition.unlock() }
        while count == earlier {
            if !condition.wait(until: deadline) { return }
        }
    }
}
