import Foundation
import Primitives
import RecordLog

/// A cluster of Apache Kafka's protocol as a run's transport: a transaction an epoch, a consumer
/// group a topology. Threading: any thread.
package final class KafkaTransport: Transport, @unchecked Sendable {
    // `@unchecked`: `workers`, `groups` and `plans` are guarded by `lock`.

    /// Clients of one worker's thread.
    private struct Worker {
        var readers: KafkaReaders
        var producer: KafkaProducer
    }

    private let settings: KafkaSettings
    private let patience: KafkaPatience
    private let signal = ChangeSignal()
    private let control: KafkaControl
    /// Tells this process's transactions from those of others.
    private let instance = UUID().uuidString.lowercased()
    private let lock = NSLock()
    private var workers: [Int: Worker] = [:]
    private var groups: [String: KafkaGroup] = [:]
    /// Reads plans while stages are opened.
    private var planReaders: KafkaReaders?

    /// Connects to a cluster; throws a diagnostic when none answers. While it does not answer
    /// later on, calls wait: `note` is told, and they end with `TransportInterrupted` when
    /// `isStopping`.
    package init(
        _ settings: KafkaSettings, isStopping: @escaping @Sendable () -> Bool = { false },
        note: @escaping @Sendable (String) -> Void
    ) throws {
        self.settings = settings
        patience = KafkaPatience(isStopping: isStopping, note: note)
        let control = try KafkaControl(settings)
        _ = try control.list()
        self.control = control
    }

    /// Leaves the groups, so that other processes take over at once. Tasks must have ended.
    package func close() {
        let left = locked {
            defer { groups = [:] }
            return Array(groups.values)
        }
        for group in left { group.close() }
    }

    private func locked<T>(_ body: () throws -> T) rethrows -> T {
        lock.lock()
        defer { lock.unlock() }
        return try body()
    }

    // MARK: Topics

    /// The addresses.
    package var name: String { settings.brokers }

    /// A partition there costs too much for each pair of tasks to have one.
    package var sharesSubstreams: Bool { true }

    /// See the protocol. Asks the cluster, as all of these do.
    package func topics() throws -> [TopicDescription] { try control.list() }

    /// See the protocol.
    package func partitionCount(of topic: String) throws -> Int? {
        try topics().first { $0.name == topic }?.partitionCount
    }

    /// See the protocol.
    package func ensureTopic(_ name: String, partitions: Int) throws {
        try control.ensure(name, partitions: partitions, .log)
    }

    /// Makes sure that a topic for this use exists with so many partitions; one that is there is
    /// not changed.
    package func ensureTopic(_ name: String, partitions: Int, _ use: TopicUse) throws {
        try control.ensure(name, partitions: partitions, use)
    }

    /// How topics are set, by name; nil when the cluster does not tell.
    package func settings(of topics: [String]) throws -> [String: [String: String]]? {
        try control.settings(of: topics)
    }

    /// A compacted topic.
    package func ensureState(_ topic: String, partitions: Int) throws {
        try control.ensure(topic, partitions: partitions, .latest)
    }

    /// Any number of processes may share it.
    package var isExclusive: Bool { false }

    /// Names the command that makes a topic.
    package func hint(forMissingTopic topic: String) -> String {
        "make it: plumbline deploy --brokers \(settings.brokers) --partitions N DIR..."
    }

    /// See the protocol. Who made a topic is not noted on a cluster: those that are missing.
    package func unclaimed(
        _ topics: [String], owner: String, partitions: Int, isKnown: Bool
    ) throws -> [String] {
        try topics.filter { try !control.check($0, partitions: partitions) }
    }

    /// See the protocol.
    package func claim(_ topics: [String], owner: String, partitions: Int) throws {
        for topic in topics { try ensureTopic(topic, partitions: partitions) }
    }

    /// See the protocol: nothing is noted, and topics are the cluster's.
    package func disown(owner: String, besides topics: Set<String>) throws {}

    /// See the protocol: a cluster keeps topics whole.
    package func lostPartitions(of topic: String, count: Int) throws -> [Int] { [] }

    // MARK: Records

    /// See the protocol: for the thread that opens stages.
    package func source(_ place: TopicPartition) throws -> any RecordSource {
        let readers = locked {
            let readers =
                planReaders ?? KafkaReaders(settings, patience: patience, signal: signal)
            planReaders = readers
            return readers
        }
        return KafkaSource(place, readers)
    }

    /// See the protocol.
    package func append(key: [UInt8], value: [UInt8], to place: TopicPartition) throws {
        try control.append(key: key, value: value, to: place)
    }

    /// See the protocol. Tasks of one worker share its clients.
    package func task(_ places: TaskPlaces, worker: Int) throws -> any TaskTransport {
        try locked {
            guard let group = groups[places.group] else {
                throw Diagnostic("the group \(places.group) was not joined")
            }
            let own =
                workers[worker]
                ?? Worker(
                    readers: KafkaReaders(settings, patience: patience, signal: signal),
                    producer: KafkaProducer(
                        settings, transactionalID: "plumbline-\(instance)-\(worker)",
                        patience: patience))
            workers[worker] = own
            return KafkaTask(
                places, readers: own.readers, producer: own.producer, group: group,
                control: control)
        }
    }

    /// A producer beside those of the workers.
    func producer(_ transactionalID: String) -> KafkaProducer {
        KafkaProducer(settings, transactionalID: transactionalID, patience: patience)
    }

    // MARK: Ownership

    /// See the protocol. The first call for a group joins it.
    package func ownedTasks(group name: String, lead: String, count: Int) throws -> [Int] {
        let group = try locked {
            if let group = groups[name] { return group }
            let made = try KafkaGroup(
                name, lead: lead, settings, patience: patience, signal: signal)
            groups[name] = made
            return made
        }
        return try group.owned()
    }

    /// See the protocol.
    package var mustRelease: Bool {
        locked { groups.values.contains { $0.mustRelease } }
    }

    /// See the protocol: partitions may be given back now.
    package func release() {
        for group in locked({ Array(groups.values) }) { group.release() }
    }

    // MARK: Waiting

    /// See the protocol: grows when a client has fetched records.
    package var changes: UInt64 { signal.changes }

    /// See the protocol.
    package func waitForChange(after count: UInt64, until deadline: Date) {
        signal.wait(after: count, until: deadline)
    }

    /// See the protocol.
    package func wake() { signal.change() }
}
