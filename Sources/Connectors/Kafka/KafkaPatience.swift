import Foundation

/// Waits while a cluster does not answer: says so now and then, and gives up only when the run is
/// to stop. Threading: any thread.
struct KafkaPatience: Sendable {
    /// Whether the run is to stop.
    let isStopping: @Sendable () -> Bool
    /// Told what is waited for.
    let note: @Sendable (String) -> Void

    /// After so long a wait a stop ends it, and a note is made as often.
    private static let graceSeconds = 3.0
    private static let noteSeconds = 10.0

    /// One wait, from its beginning.
    struct Wait {
        fileprivate let start = Date()
        fileprivate var lastNote = Date()
        fileprivate let what: String

        init(what: String) { self.what = what }
    }

    /// To be called again and again in a wait; `reason` is what was logged last.
    func check(_ wait: inout Wait, _ reason: String?) throws(TransportInterrupted) {
        let now = Date()
        if now.timeIntervalSince(wait.start) > Self.graceSeconds, isStopping() {
            throw TransportInterrupted()
        }
        if now.timeIntervalSince(wait.lastNote) > Self.noteSeconds {
            wait.lastNote = now
            note("waiting for the cluster: \(wait.what)" + (reason.map { ": \($0)" } ?? ""))
        }
    }

    /// Makes a call until it succeeds or its error is not a temporary one.
    func call<T>(
        _ what: String, _ handle: KafkaHandle, _ body: () throws(KafkaError) -> T
    ) throws -> T {
        var wait = Wait(what: what)
        while true {
            do throws(KafkaError) {
                return try body()
            } catch {
                guard error.isTemporary || error.remedy == .retry else {
                    throw error.diagnostic(what, lastLog: handle.lastLog)
                }
                try check(&wait, handle.lastLog ?? error.text)
                handle.poll(100)
            }
        }
    }
}
