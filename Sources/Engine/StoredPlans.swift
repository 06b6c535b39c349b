import Connectors
import Dataflow
import RecordLog
import Topology

/// The plans that topics hold.
package enum StoredPlans {
    /// The last plan of each stage of each topology and version, by the name of its topic. Reads
    /// what is published, and works while a run goes on.
    package static func latest(_ log: any TopicReader) throws -> [Plan] {
        var plans: [Plan] = []
        for topic in try log.topics() where topic.name.hasSuffix(".plans") {
            let source = try log.source(TopicPartition(topic.name, 0))
            guard let (_, last) = try PlanTopic.all(source).last else { continue }
            // The text is that of the whole topology; each stage has a topic of its own.
            plans += try TopologyLoader.load(canonicalText: last)
                .filter { $0.planTopic == topic.name }
        }
        return plans
    }

    /// The stage that writes a topic, of all topics that stored plans write.
    package static func writers(_ log: any TopicReader) throws -> [String: String] {
        var writers: [String: String] = [:]
        for plan in try latest(log) {
            let own = [plan.journalTopic, plan.stateTopic, plan.planTopic]
            for topic in plan.outputTopics + own { writers[topic] = plan.taskName }
        }
        return writers
    }

    /// Throws when a plan writes a topic that a stored one writes.
    package static func refuseSecondWriters(_ plans: [Plan], _ log: any TopicReader) throws {
        let stored = try latest(log)
        for plan in plans {
            for other in stored where other.taskName != plan.taskName {
                guard let topic = plan.outputTopics.first(where: other.outputTopics.contains)
                else { continue }
                throw EngineError(
                    "topic \(topic) is written by topology \(other.taskName), not by"
                        + " \(plan.taskName)",
                    hint: "a topic has one writer; name another sink topic")
            }
        }
    }

    /// Throws when a stored plan writes a topic: nobody else may.
    package static func refuseWriting(_ topic: String, _ log: any TopicReader) throws {
        guard let owner = try latest(log).first(where: { $0.outputTopics.contains(topic) }) else {
            return
        }
        throw EngineError(
            "topic \(topic) is written by \(owner.taskName); a topic has one writer",
            hint: "import into a topic that no topology writes")
    }

    /// What to say when there is none.
    package static func isEmpty(_ log: any TopicReader, what: String) -> EngineError {
        EngineError(
            "\(log.name) holds no \(what)",
            hint: "run a topology on it first: plumbline run --help")
    }
}
