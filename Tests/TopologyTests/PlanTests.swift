import Columnar
import Dataflow
import Expression
import Primitives
import Testing
import Topology

@Suite struct PlanTests {
    @Test func craneOverloadBecomesAPlan() throws {
        let plan = try TopologyLoader.load(Crane.texts(Crane.topology)).plan
        #expect(plan.name == "crane-overload")
        #expect(plan.rejectTopic == "crane-overload.v1.rejects")
        #expect(plan.sources.map(\.name) == ["load", "crane"])
        #expect(
            plan.steps.map(\.name) == [
                "mean15", "rated.lookup", "rated.filter", "rated", "overload",
            ])
        #expect(plan.sinks.map(\.topic) == ["alarms.crane", "means.crane"])
        // percent is in the schema of load, but nothing reads it; nor crane's model.
        #expect(plan.sources[0].fieldsRead == [0, 1, 2, 3, 4])
        #expect(plan.sources[1].fieldsRead == [0, 1, 3])
        #expect(
            plan.steps[1].output.fields.map(\.name) == [
                "device", "ts", "mass", "radius", "falls", "percent", "crane.device", "crane.ts",
                "model", "chart",
            ])
        #expect(plan.steps[3].output.fields.map(\.name) == ["device", "ratio", "falls"])
    }

    @Test func levelsComputeValueComparisonsAndLimits() throws {
        let plan = try TopologyLoader.load(Crane.texts(Crane.topology)).plan
        let step = try #require(plan.steps.last)
        guard case .levels(let levels) = step.operation else {
            Issue.record("overload is not levels")
            return
        }
        #expect(levels.levels == ["warning", "alarm", "critical"])
        #expect(levels.confirmReadings == 2)
        #expect(levels.confirmDuration == 0)
        #expect(levels.program.outputs.count == 13)
        for comparison in levels.program.outputs[1...6] { #expect(comparison.type == .bool) }
        for limit in levels.program.outputs[7...12] {
            #expect(limit.type == .decimal(scale: 2, unit: nil))
        }
        #expect(
            step.output.fields.map(\.name) == [
                "device", "ratio", "falls", "level", "previous", "event", "value", "limit", "since",
            ])
        #expect(step.output.fields[7].type == .decimal(scale: 2, unit: nil))
    }

    @Test func windowsComputeEachInputOnce() throws {
        let plan = try TopologyLoader.load(Crane.texts(Crane.topology)).plan
        guard case .window(let window) = plan.steps[0].operation else {
            Issue.record("mean15 is not a window")
            return
        }
        #expect(window.grid == .fixed(size: 900_000_000, every: 900_000_000, offset: 0))
        #expect(window.program.outputs.count == 1)
        #expect(window.aggregates.map(\.function) == [.mean, .count, .max, .count])
        #expect(window.aggregates.map(\.input) == [0, nil, 0, 0])
        let ton = Unit("t")
        #expect(
            plan.steps[0].output.fields.map(\.type) == [
                .string, .timestamp, .timestamp, .ratio(scale: 5, unit: ton), .int,
                .decimal(scale: 2, unit: ton), .int,
            ])
        #expect(
            plan.steps[0].output.fields.map(\.isNullable) == [
                false, false, false, true, false, true, false,
            ])
    }
}
