import Connectors
import Dataflow
import RecordLog

/// What topologies need on a cluster, beside what is there: a plan to be shown, then carried out.
package struct Deployment {
    /// One topic of the plan.
    package struct Item: Sendable {
        /// What is to be done about a topic.
        package enum State: String, Sendable {
            case create, fine
            /// It would work, but not as a topic that is made here.
            case differs
            /// It would not work, or break who reads it.
            case refused
        }

        package var topic: String
        package var partitions: Int
        /// Who writes it: a stage; nil for a source that none of them writes.
        package var writer: String?
        package var state: State
        /// What is different, and what to do about it, a line each.
        package var notes: [String]
        var use: TopicUse
        /// Only tasks read it, from its beginning or from the last snapshot.
        var isInternal: Bool
    }

    /// Writers before readers; of a topology its sources first.
    package let items: [Item]
    private let graph: StageGraph
    private let cluster: KafkaTransport

    /// Looks at the cluster; `partitions` is how many new sources get. Throws what is wrong
    /// between the topologies, and when a registered plan is another one.
    package init(_ plans: [Plan], _ cluster: KafkaTransport, partitions: Int?) throws {
        graph = try StageGraph(plans)
        self.cluster = cluster
        for plan in graph.ordered {
            try PlanTopic(plan, cluster).refuseChange(of: plan, hash: Stage.hash(plan))
        }
        try StoredPlans.refuseSecondWriters(plans, cluster)
        var there: [String: Int] = [:]
        for topic in try cluster.topics() { there[topic.name] = topic.partitionCount }
        let counts = try TaskCounts(graph, there, wanted: partitions)
        var items: [Item] = []
        for plan in graph.ordered {
            items += try Self.items(of: plan, counts, graph, after: items)
        }
        let settings = try cluster.settings(of: items.map(\.topic).filter { there[$0] != nil })
        for index in items.indices {
            let topic = items[index].topic
            items[index].judge(there: there[topic], settings: settings.map { $0[topic] ?? [:] })
        }
        self.items = items
    }

    private static func items(
        of plan: Plan, _ counts: TaskCounts, _ graph: StageGraph, after items: [Item]
    ) throws -> [Item] {
        var own: [Item] = []
        func add(
            _ topic: String, _ partitions: Int, writtenBy writer: String?,
            _ use: TopicUse = .log, isInternal: Bool = false
        ) {
            guard !(items + own).contains(where: { $0.topic == topic }) else { return }
            own.append(
                Item(
                    topic: topic, partitions: partitions, writer: writer, state: .create,
                    notes: [], use: use, isInternal: isInternal))
        }
        for source in plan.sources where graph.writers[source.topic] == nil {
            add(source.topic, counts.sources[source.topic] ?? 1, writtenBy: nil)
        }
        let name = plan.taskName
        let count = counts.tasks[name] ?? 1
        add(plan.planTopic, 1, writtenBy: name, isInternal: true)
        for topic in plan.outputTopics {
            let isRekeyed = plan.rekeys.contains { $0.topic == topic }
            add(topic, count, writtenBy: name, isInternal: isRekeyed)
        }
        add(plan.journalTopic, count, writtenBy: name, isInternal: true)
        add(plan.stateTopic, count, writtenBy: name, .latest, isInternal: true)
        return own
    }

    /// Whether nothing forbids it.
    package var isPossible: Bool { !items.contains { $0.state == .refused } }

    /// Makes what is missing and registers the plans. `progress` is told of each topic made.
    package func apply(_ progress: (String) -> Void) throws {
        for item in items where item.state == .create {
            try cluster.ensureTopic(item.topic, partitions: item.partitions, item.use)
            progress(item.topic)
        }
        for plan in graph.ordered {
            try PlanTopic(plan, cluster).register(plan, hash: Stage.hash(plan))
        }
    }
}

/// How many tasks each stage has, and how many partitions its sources.
private struct TaskCounts {
    private(set) var tasks: [String: Int] = [:]
    private(set) var sources: [String: Int] = [:]

    init(_ graph: StageGraph, _ there: [String: Int], wanted: Int?) throws {
        for plan in graph.ordered {
            // What an earlier stage writes has as many partitions as that has tasks.
            func count(_ topic: String) -> Int? {
                graph.writers[topic].flatMap { tasks[graph.ordered[$0].taskName] } ?? there[topic]
            }
            let shared = plan.sources.filter { $0.partitions != .all }.map(\.topic)
            let known = shared.compactMap { topic in count(topic).map { (topic, $0) } }
            if let first = known.first, let other = known.first(where: { $0.1 != first.1 }) {
                throw EngineError(
                    "topology \(plan.name): \(first.0) has \(first.1) partitions, \(other.0) has"
                        + " \(other.1)",
                    hint: "sources of one topology need the same number; make one of them anew, or"
                        + " make a table 'global: true'")
            }
            let missing = plan.sources.map(\.topic).filter { count($0) == nil }
            guard let own = known.first?.1 ?? wanted else {
                throw EngineError(
                    "topology \(plan.name): there is no topic \(missing.joined(separator: ", "))",
                    hint: "say with --partitions N how many partitions it is to have")
            }
            tasks[plan.taskName] = own
            for source in plan.sources {
                sources[source.topic] =
                    count(source.topic) ?? (source.partitions == .all ? wanted ?? own : own)
            }
        }
    }
}

extension Deployment.Item {
    /// Compares what is needed with what is there; `settings` is nil when they are not told.
    fileprivate mutating func judge(there: Int?, settings: [String: String]?) {
        guard let there else { return }
        state = .fine
        if there != partitions {
            state = .refused
            notes.append(
                "has \(there) partitions, and \(partitions) are needed: tasks and keys would not"
                    + " meet; name another topic, or make it anew when nobody needs it")
        }
        guard let settings else {
            notes.append("the cluster does not tell how it is set")
            return
        }
        for (name, wanted) in use.settings {
            guard let found = settings[name], found != wanted else { continue }
            note(name, found: found, wanted: wanted)
        }
    }

    private mutating func note(_ name: String, found: String, wanted: String) {
        var breaks = false
        let reason: String
        switch name {
        case "cleanup.policy" where use == .latest: reason = "without compaction it grows for ever"
        case _ where use == .latest: return
        case "cleanup.policy":
            reason = "compaction takes away records that re-execution needs"
            breaks = true
        case "retention.ms", "retention.bytes":
            breaks = isInternal
            reason =
                writer == nil
                ? "records that are not yet read, or that re-execution since the last snapshot"
                    + " needs, may go"
                : isInternal
                    ? "re-execution would find records gone"
                    : "records with old event times go at once"
        case _ where writer == nil: return
        case "message.timestamp.type":
            reason = "records would lose their event times"
            breaks = true
        default: reason = "records with other event times are refused"
        }
        if breaks { state = .refused } else if state == .fine { state = .differs }
        notes.append(
            "\(name) is \(found): \(reason); kafka-configs.sh --alter --topic \(topic)"
                + " --add-config \(name)=\(wanted)")
    }
}
