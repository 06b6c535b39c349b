import Dataflow
import Primitives
import Testing
import Topology

/// Sources and sinks of CloudEvents: their forms, what the plan holds, what is refused.
@Suite struct CloudEventsSourceTests {
    private func source(_ format: String, load: String = Crane.loadSchema) -> TopologyTexts {
        let place = "topic: telemetry.crane\n"
        var files = Crane.texts(
            Crane.topology.replacing(place, with: place + "    format: \(format)\n"))
        files.texts["schemas/crane-load.yaml"] = load
        return files
    }

    private func sink(_ form: String) -> String {
        Crane.topology.replacing("topic: alarms.crane, codec: lz4", with: "topic: a, \(form)")
    }

    @Test(arguments: [
        ("cloudevents", CloudEventsMode.automatic), ("{cloudevents: {}}", .automatic),
        ("{cloudevents: {mode: auto}}", .automatic),
        ("{cloudevents: {mode: structured}}", .structured),
        ("{cloudevents: {mode: binary}}", .binary),
    ])
    func modesOfSources(format: String, mode: CloudEventsMode) throws {
        let files = source(format)
        #expect(try SchemaJudge.error(.topology, files.texts["topology.yaml"] ?? "") == nil)
        let plan = try TopologyLoader.load(files).plan
        #expect(plan.sources[0].format == .cloudEvents(mode))
        let again = try TopologyLoader.load(canonicalText: plan.canonicalText)[0]
        #expect(again.canonicalText == plan.canonicalText)
        #expect(again.sources[0].format == .cloudEvents(mode))
    }

    @Test func modesOfSinks() throws {
        let plain = try TopologyLoader.load(Crane.texts(sink("format: cloudevents"))).plan
        let same = sink("format: cloudevents, mode: binary")
        #expect(try SchemaJudge.error(.topology, same) == nil)
        let binary = try TopologyLoader.load(Crane.texts(same)).plan
        #expect(binary.canonicalText == plain.canonicalText)
        let text = sink("format: cloudevents, mode: structured")
        #expect(try SchemaJudge.error(.topology, text) == nil)
        let plan = try TopologyLoader.load(Crane.texts(text)).plan
        #expect(plan.canonicalText != plain.canonicalText)
        let again = try TopologyLoader.load(canonicalText: plan.canonicalText)[0]
        #expect(again.canonicalText == plan.canonicalText)
        for plan in [plan, again] {
            let found = plan.sinks.contains {
                if case .cloudEvents(let alarm) = $0.format { alarm.isStructured } else { false }
            }
            #expect(found)
        }
    }

    @Test func formsThatAreWrong() throws {
        for (text, message) in [
            (sink("format: cloudevents, mode: batch"), "'mode' cannot be 'batch'"),
            (sink("mode: structured"), "'mode' goes with 'format: cloudevents'"),
            (
                source("{cloudevents: {mode: batch}}").texts["topology.yaml"] ?? "",
                "'mode' cannot be 'batch'"
            ),
            (
                source("{cloudevents: {form: x}}").texts["topology.yaml"] ?? "",
                "unknown key 'form' in 'cloudevents'"
            ),
        ] {
            #expect(problems(text).map(\.message) == [message])
            if message.contains("goes with") { continue }
            #expect(try SchemaJudge.error(.topology, text) != nil)
        }
    }

    @Test func attributesThatAreNone() {
        let schema =
            Crane.loadSchema + """

                  one: {type: string, path: ce_Subject}
                  two: {type: string, path: ce_data}
                  three: {type: list<int>, path: ce_three}
                  four: {type: int, path: ce_four}
                """
        let found = problems(source("cloudevents", load: schema))
        #expect(
            found.map(\.message) == [
                "field 'one' reads 'ce_Subject', which is no attribute of a CloudEvent",
                "field 'two' reads 'ce_data', which is no attribute of a CloudEvent",
                "field 'three' is list<int>, which an attribute of a CloudEvent cannot hold",
            ])
        #expect(found.allSatisfy { $0.hint != nil })
    }
}
