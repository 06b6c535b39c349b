import Connectors
import Dataflow
import Foundation
import RecordLog

/// Tells a run to stop; set from a signal handler's thread or a test. Threading: any thread.
package final class StopFlag: @unchecked Sendable {
    // `@unchecked`: guarded by `lock`.
    private let lock = NSLock()
    private var isSet = false

    package init() {}

    /// Asks the run to stop, for good; more calls change nothing. Takes a lock.
    package func set() {
        lock.lock()
        isSet = true
        lock.unlock()
    }

    package var value: Bool {
        lock.lock()
        defer { lock.unlock() }
        return isSet
    }
}

/// How topologies are run.
package struct RunOptions: Sendable {
    package var task = TaskOptions()
    package var workers = 1
    /// Run to the present ends of the inputs and stop, instead of following.
    package var untilEnd = true
    package var monitor = RunMonitor()

    package init() {}
}

/// What a run tells of itself while it works. Called from workers.
package struct RunMonitor: Sendable {
    /// Told of the begin and commit of every epoch.
    package var trace: (@Sendable (String) -> Void)?
    /// Told why a following run waits, a full disk for example.
    package var waiting: (@Sendable (String) -> Void)?
    /// Told of records read, or read again in recovery, since the last call.
    package var recordsRead: (@Sendable (Int) -> Void)?
    /// Where the run's figures go.
    package var metrics: Metrics?

    package init() {}
}

/// What a run did, for its summary.
package struct RunSummary: Sendable {
    /// One topology's part of the run, over all its tasks.
    package struct Topology: Sendable {
        package var name: String
        package var tasks: Int
        package var rows: Int
        package var epochs: Int
        /// Records written by this run, by topic, in the order of the sinks; rejects last.
        package var outputs: [(topic: String, records: Int)]
    }

    package var topologies: [Topology] = []
    package var recoveries: [RecoveryReport] = []
}

/// Runs topologies on a transport: recovery, workers, ticks, clean stop.
///
/// Tasks are dealt out to workers; each worker is a thread that steps its tasks in turn. Which
/// worker runs a task, and when, changes no record.
package final class Runner {
    private let transport: any Transport
    private let options: RunOptions
    /// Those that write a topic before those that read it.
    private let stages: [Stage]
    private let ends: WriterEnds
    private var recoveries: [RecoveryReport] = []

    /// Checks and recovers all tasks. Throws before anything is written when a topology does not
    /// fit the topics.
    package init(_ plans: [Plan], transport: any Transport, options: RunOptions) throws {
        self.transport = transport
        self.options = options
        let graph = try StageGraph(plans)
        let writtenHere = Set(graph.writers.keys)
        ends = WriterEnds(topics: writtenHere)
        for plan in graph.ordered {
            try Stage.checkSources(of: plan, transport, writtenHere: writtenHere)
        }
        // All are checked before the first writes: a start that fails leaves nothing behind.
        var openings: [Stage.Opening] = []
        var planned: [String: Int] = [:]
        for plan in graph.ordered {
            let opening = try Stage.Opening(plan, transport, planned: planned)
            planned.merge(opening.written) { $1 }
            openings.append(opening)
        }
        var stages: [Stage] = []
        for opening in openings {
            let stage = try Stage(
                opening, transport: transport, options: options.task,
                workers: options.workers,
                firstTask: stages.reduce(0) { $0 + $1.tasks.count },
                monitor: options.monitor)
            stages.append(stage)
            // Its outputs are whole again before the next stage opens them as its inputs.
            for task in stage.tasks {
                let began = Date()
                let report = try task.recover()
                task.metrics?.recovered(report, seconds: Date().timeIntervalSince(began))
                recoveries.append(report)
            }
        }
        self.stages = stages
        options.monitor.metrics?.set(
            .tasks, Double(stages.reduce(0) { $0 + $1.tasks.count }))
        try checkOwnership(graph)
    }

    /// In a bounded run a topology that reads what another one of the run writes waits for the ends
    /// of its tasks, which this process knows of its own tasks only.
    private func checkOwnership(_ graph: StageGraph) throws {
        guard options.untilEnd,
            graph.ordered.contains(where: { plan in
                plan.sources.contains { graph.writers[$0.topic] != nil }
            }), let stage = stages.first(where: { $0.tasks.count < $0.partitionCount })
        else { return }
        throw EngineError(
            "other processes run tasks of \(stage.plan.taskName), and with --until-end one process"
                + " must run all of topologies that read one another",
            hint: "stop the other processes, or run one topology after the other")
    }

    /// Makes a runner and runs it, and again when the processes of a cluster share their tasks
    /// anew.
    package static func runShared(
        _ plans: [Plan], transport: any Transport, options: RunOptions, stop: StopFlag
    ) throws -> RunSummary {
        try StoredPlans.refuseSecondWriters(plans, transport)
        while true {
            do {
                let summary = try Runner(plans, transport: transport, options: options)
                    .run(stop: stop)
                let goesOn = transport.mustRelease && !stop.value
                transport.release()
                guard goesOn else { return summary }
            } catch let error as TasksLost {
                transport.release()
                guard !stop.value else { throw error }
                // The group is told of it a little later.
                transport.waitForChange(
                    after: transport.changes, until: Date(timeIntervalSinceNow: 1))
            }
        }
    }

    /// Runs until the inputs' ends, or until `stop` is set; then commits and keeps the state.
    package func run(stop: StopFlag) throws -> RunSummary {
        let tasks = stages.flatMap(\.tasks)
        for task in tasks {
            if options.untilEnd { try task.beginBounded(ends) } else { task.beginFollowing() }
        }
        let workerCount = max(1, min(options.workers, tasks.count))
        let failures = Failures()
        var threads: [Thread] = []
        let group = DispatchGroup()
        for worker in 0..<workerCount {
            let loop = WorkerLoop(
                tasks: tasks.filter { $0.worker == worker }, transport: transport,
                untilEnd: options.untilEnd, stop: stop, failures: failures,
                waiting: options.monitor.waiting)
            group.enter()
            let thread = Thread {
                loop.run()
                group.leave()
            }
            thread.name = "plumbline worker \(worker)"
            thread.stackSize = 8 << 20
            threads.append(thread)
            thread.start()
        }
        group.wait()
        for task in tasks { task.metrics?.forget() }
        if let error = failures.first { throw error }
        for task in tasks { try task.finish() }
        return summary()
    }

    private func summary() -> RunSummary {
        var summary = RunSummary()
        summary.recoveries = recoveries
        for stage in stages {
            let counters = stage.tasks.map(\.counters)
            let topics = stage.plan.outputTopics
            summary.topologies.append(
                RunSummary.Topology(
                    name: stage.plan.taskName, tasks: stage.tasks.count,
                    rows: counters.reduce(0) { $0 + $1.rows },
                    epochs: counters.reduce(0) { $0 + $1.epochs },
                    outputs: topics.map { topic in
                        (topic, counters.reduce(0) { $0 + ($1.outputs[topic] ?? 0) })
                    }))
        }
        return summary
    }
}

/// The first error of any worker; set, it stops the others.
final class Failures: @unchecked Sendable {
    // `@unchecked`: guarded by `lock`.
    private let lock = NSLock()
    private var error: (any Error)?

    func set(_ error: any Error) {
        lock.lock()
        if self.error == nil { self.error = error }
        lock.unlock()
    }

    var first: (any Error)? {
        lock.lock()
        defer { lock.unlock() }
        return error
    }
}

/// One worker's tasks, stepped in turn on one thread.
final class WorkerLoop: @unchecked Sendable {
    // `@unchecked`: handed to one thread, which alone touches the tasks while it runs.
    private let tasks: [TaskRunner]
    private let transport: any Transport
    private let untilEnd: Bool
    private let stop: StopFlag
    private let failures: Failures
    /// Told why a following run waits.
    private let waiting: (@Sendable (String) -> Void)?

    init(
        tasks: [TaskRunner], transport: any Transport, untilEnd: Bool, stop: StopFlag,
        failures: Failures, waiting: (@Sendable (String) -> Void)?
    ) {
        self.tasks = tasks
        self.transport = transport
        self.untilEnd = untilEnd
        self.stop = stop
        self.failures = failures
        self.waiting = waiting
    }

    func run() {
        do {
            if untilEnd { try runBounded() } else { try follow() }
        } catch {
            failures.set(error)
            transport.wake()
        }
    }

    private var shouldStop: Bool {
        stop.value || failures.first != nil || transport.mustRelease
    }

    private func runBounded() throws {
        var pending = tasks
        while !pending.isEmpty, !shouldStop {
            let seen = transport.changes
            var progress = false
            var rest: [TaskRunner] = []
            for task in pending {
                try task.noteState()
                switch try task.stepBounded() {
                case .advanced:
                    progress = true
                    rest.append(task)
                case .waiting: rest.append(task)
                case .complete: progress = true
                }
            }
            pending = rest
            if progress {
                // A stage may wait for the end of one of these.
                transport.wake()
            } else {
                transport.waitForChange(after: seen, until: Date(timeIntervalSinceNow: 1))
            }
        }
    }

    private func follow() throws {
        let grid = TaskCore.tickMicroseconds
        func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1_000_000) }
        var lastTick = now() / grid
        while !shouldStop {
            let seen = transport.changes
            var progress = false
            let tick = now() / grid
            do {
                for task in tasks {
                    if try task.stepFollowing() { progress = true }
                    try task.noteState()
                }
                if tick > lastTick {
                    lastTick = tick
                    for task in tasks where task.needsTicks { try task.tick(at: tick * grid) }
                }
            } catch let error as RecordLogError where error.isDiskFull {
                // Nothing is lost: the epoch is kept and committed once there is space again.
                waiting?("\(error); waiting for space")
                progress = false
            }
            if !progress {
                let next = Date(timeIntervalSince1970: Double((tick + 1) * grid) / 1_000_000)
                transport.waitForChange(after: seen, until: next)
            }
        }
    }
}
