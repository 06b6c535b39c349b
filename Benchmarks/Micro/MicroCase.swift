import Glibc

/// One thing that is measured by itself: a kernel, a decoder, an operator, on one batch after
/// another.
///
/// Everything that a case works on is made before it is timed. Threading: one thread.
package struct MicroCase {
    /// What a case counts.
    package enum Unit: String, Sendable { case row, record, byte }

    package let unit: Unit
    /// Units in a batch.
    package let count: Int
    /// Batches after which the work repeats itself. After one such round storage has grown to what
    /// it stays at.
    package let round: Int
    /// Makes ready what batch number `n` works on, counting from 0; not measured.
    private let prepare: (_ n: Int) -> Void
    /// Works on batch number `n`; measured.
    private let run: (_ n: Int) -> Void
    private let result: () -> Digest
    private var next = 0

    init(
        _ unit: Unit = .row, count: Int, round: Int = 16,
        prepare: @escaping (Int) -> Void = { _ in }, result: @escaping () -> Digest,
        run: @escaping (Int) -> Void
    ) {
        self.unit = unit
        self.count = count
        self.round = round
        self.prepare = prepare
        self.run = run
        self.result = result
    }

    /// What some batches took.
    package struct Measurement: Sendable {
        package var batches: Int
        /// CPU time of this thread, user and system.
        package var nanoseconds: Int64
        /// Calls of malloc and the like, see `CAllocations`.
        package var allocations: Int
    }

    /// Works on the next batches, four of which are made ready at a time: few enough to stay in
    /// the cache, as a batch does that was decoded just before.
    package mutating func measure(batches: Int) -> Measurement {
        var total = Measurement(batches: batches, nanoseconds: 0, allocations: 0)
        var left = batches
        while left > 0 {
            let range = next..<next + min(left, 4)
            for n in range { prepare(n) }
            let started = processorNanoseconds()
            let before = allocationCount()
            for n in range { run(n) }
            total.allocations += Int(allocationCount() - before)
            total.nanoseconds += processorNanoseconds() - started
            next = range.upperBound
            left -= range.count
        }
        return total
    }

    /// Brings a fresh case to its steady state, in one round. The digest of the results so far is
    /// the same on every machine.
    package mutating func warmUp() -> Digest {
        _ = measure(batches: round)
        return result()
    }
}

/// CPU time of the calling thread.
func processorNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// A case by name, made when it is asked for.
package struct MicroEntry: Sendable {
    /// What it belongs to, then what it is: `kernels: ratio >= decimal`.
    package let name: String
    /// A fresh case; throws when a fixture of it is wrong.
    package let make: @Sendable () throws -> MicroCase

    init(_ name: String, _ make: @escaping @Sendable () throws -> MicroCase) {
        self.name = name
        self.make = make
    }

    /// All cases, topic after topic.
    package static let all =
        kernelCases + decoderCases + encoderCases + keyCases + codecCases + operatorCases
        + coreCases
}
