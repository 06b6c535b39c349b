import Connectors
import Dataflow
import RecordLog
import Topology

/// The plans that a data directory holds.
package enum StoredPlans {
    /// The last plan of each stage of each topology and version, by the name of its topic. Reads
    /// what is published, and works while a run holds the directory.
    package static func latest(dataPath: String) throws -> [Plan] {
        let logPath = EmbeddedLog.logPath(dataPath)
        var plans: [Plan] = []
        for topic in try LogDirectory.topics(in: logPath) where topic.name.hasSuffix(".plans") {
            let source = try PublishedSource(logPath, TopicPartition(topic.name, 0))
            var last: String?
            var offset: Int64 = 0
            while let (_, text) = try PlanTopic.plan(at: offset, source) {
                last = text
                offset += 1
            }
            guard let last else { continue }
            // The text is that of the whole topology; each stage has a topic of its own.
            plans += try TopologyLoader.load(canonicalText: last)
                .filter { "\($0.taskName).plans" == topic.name }
        }
        guard !plans.isEmpty else {
            throw EngineError(
                "\(dataPath) holds no plan",
                hint: "run a topology on it first: plumbline run --data \(dataPath) DIR")
        }
        return plans
    }
}
