import Foundation
import Glibc

/// SIGINT and SIGTERM as a request to stop, for commands that go on until then.
///
/// Threading: made by the main thread before there are others; then any thread.
final class Interrupts: @unchecked Sendable {
    // `@unchecked`: `isSet` is guarded by `condition`.
    private let condition = NSCondition()
    private var isSet = false

    /// From now on the signals do not end the process: they are blocked in every thread and waited
    /// for in one, so that none is lost. `onSignal` runs on that thread.
    init(onSignal: @escaping @Sendable () -> Void = {}) {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let awaited = signals
        Thread.detachNewThread { [self] in
            var awaited = awaited
            var number: Int32 = 0
            while true {
                guard sigwait(&awaited, &number) == 0 else { continue }
                condition.lock()
                isSet = true
                condition.broadcast()
                condition.unlock()
                onSignal()
            }
        }
    }

    var isStopped: Bool {
        condition.lock()
        defer { condition.unlock() }
        return isSet
    }

    /// Waits for so long, or until a signal; true when there was one.
    func wait(seconds: Double) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        let deadline = Date(timeIntervalSinceNow: seconds)
        while !isSet {
            if !condition.wait(until: deadline) { break }
        }
        return isSet
    }
}
