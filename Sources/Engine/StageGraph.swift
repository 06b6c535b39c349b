import Dataflow

/// Which stages of a run write what others read: checked to be free of circles and of second
/// writers, in an order that has writers first.
package struct StageGraph {
    /// The stages, those that write a topic before those that read it; otherwise as given.
    package let ordered: [Plan]
    /// Per topic that a stage of the run writes: that stage's place in `ordered`.
    package let writers: [String: Int]

    /// Throws what is wrong between the stages.
    package init(_ plans: [Plan]) throws {
        try Self.checkNames(plans)
        try Self.checkWriters(plans)
        var ordered: [Plan] = []
        var waiting = plans
        func reads(_ plan: Plan, _ other: Plan) -> Bool {
            plan.sources.contains { other.outputTopics.contains($0.topic) }
        }
        while !waiting.isEmpty {
            guard
                let index = waiting.firstIndex(where: { plan in
                    !waiting.contains { reads(plan, $0) }
                })
            else { throw Self.circle(in: waiting, reads) }
            ordered.append(waiting.remove(at: index))
        }
        self.ordered = ordered
        var writers: [String: Int] = [:]
        for (index, plan) in ordered.enumerated() {
            for topic in plan.outputTopics { writers[topic] = index }
        }
        self.writers = writers
    }

    private static func checkNames(_ plans: [Plan]) throws {
        var seen: Set<String> = []
        for plan in plans where !seen.insert(plan.taskName).inserted {
            throw EngineError(
                "topology \(plan.taskName) is given twice", hint: "name each folder once")
        }
    }

    private static func checkWriters(_ plans: [Plan]) throws {
        for plan in plans {
            // A rekeyed topic is named after its step.
            let own = [plan.rejectTopic, plan.journalTopic, plan.stateTopic, plan.planTopic]
            if let topic = plan.rekeys.map(\.topic).first(where: own.contains) {
                throw EngineError(
                    "topic \(topic) of topology \(plan.taskName) would be its rekeyed rows' too",
                    hint: "give the step that rekeys another name")
            }
        }
        var writers: [String: String] = [:]
        for plan in plans {
            for topic in plan.outputTopics {
                if let other = writers.updateValue(plan.taskName, forKey: topic) {
                    throw EngineError(
                        "topic \(topic) is written by both \(other) and \(plan.taskName)",
                        hint: "a topic has one writer; name another sink topic")
                }
            }
        }
    }

    /// Names one circle: each topology, and the topic by which it feeds the next.
    private static func circle(
        in waiting: [Plan], _ reads: (Plan, Plan) -> Bool
    ) -> EngineError {
        var path: [Plan] = []
        var next: Plan? = waiting.first
        while let plan = next, !path.contains(where: { $0.taskName == plan.taskName }) {
            path.append(plan)
            next = waiting.first { reads(plan, $0) }
        }
        var circle = path.drop { $0.taskName != next?.taskName }.map { $0 }
        if let first = circle.first { circle.append(first) }
        var text = circle.first?.taskName ?? ""
        for (reader, writer) in zip(circle, circle.dropFirst()) {
            let topic = reader.sources.map(\.topic).first { writer.outputTopics.contains($0) }
            text += " ← \(topic ?? "") ← \(writer.taskName)"
        }
        return EngineError(
            "topologies form a circle: \(text)",
            hint: "one of them must read something that none of the others writes")
    }
}
