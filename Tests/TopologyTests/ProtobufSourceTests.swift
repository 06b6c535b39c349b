import Dataflow
import Foundation
import Primitives
import Testing
import Topology

/// Sources of Protocol Buffers: descriptors, what is wrong with them, and what the plan holds.
@Suite struct ProtobufSourceTests {
    private static let schema = """
        schema: crane-load
        fields:
          device: {type: string, path: k}
          ts: {type: timestamp, path: t}
          mass: decimal(2) t
          radius: decimal(1) m
          falls: {type: int, path: i32}
          percent: {type: decimal(1) %?, path: wind}
          name: {type: string?, path: part.next.name}
        """

    private func files(_ format: String, schema: String = Self.schema) throws -> TopologyTexts {
        let place = "topic: telemetry.crane\n"
        var files = Crane.texts(
            Crane.topology.replacing(place, with: place + "    format: \(format)\n"))
        files.texts["schemas/crane-load.yaml"] = schema
        let site = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
            .appendingPathComponent("ConnectorsTests/Fixtures/site.desc")
        files.bytes["schemas/site.desc"] = Array(try Data(contentsOf: site))
        files.bytes["schemas/broken.desc"] = [1, 2, 3]
        files.bytes["schemas/empty.desc"] = []
        return files
    }

    private static let load = "{protobuf: {descriptors: site, message: site.Outer.Load}}"

    @Test(arguments: [false, true])
    func plansHoldTheMessage(isFramed: Bool) throws {
        let wire = isFramed ? "confluent" : "plain"
        let files = try files(Self.load.replacing("Load}", with: "Load, wire: \(wire)}"))
        #expect(try SchemaJudge.error(.topology, files.texts["topology.yaml"] ?? "") == nil)
        let plan = try TopologyLoader.load(files).plan
        let again = try TopologyLoader.load(canonicalText: plan.canonicalText)[0]
        #expect(again.canonicalText == plan.canonicalText)
        #expect(again.sources[0].format == plan.sources[0].format)
        guard case .protobuf(let form) = plan.sources[0].format else { throw Diagnostic("none") }
        #expect(form.isFramed == isFramed && form.schema?.indexes == [1, 0])
        if !isFramed {
            let short = try TopologyLoader.load(try self.files(Self.load)).plan
            #expect(short.canonicalText == plan.canonicalText)
        }
    }

    @Test(arguments: [
        (
            "{protobuf: {descriptors: sight, message: site.Other}}",
            "there are no descriptors 'sight'"
        ),
        ("{protobuf: {descriptors: broken, message: a}}", "no descriptor set"),
        ("{protobuf: {descriptors: empty, message: a}}", "no descriptor set with messages"),
        (
            "{protobuf: {descriptors: site, message: site.Outer.Lode}}",
            "there is no message 'site.Outer.Lode'"
        ),
        ("{protobuf: {descriptors: a/b, message: c}}", "'a/b' is not the name of descriptors"),
        ("{protobuf: {descriptors: site}}", "'protobuf' needs 'message'"),
        (
            "{protobuf: {descriptors: site, message: site.Other, wire: grpc}}",
            "'wire' cannot be 'grpc'"
        ),
        (
            "{protobuf: {descriptors: site, message: site.Other, file: x}}",
            "unknown key 'file' in 'protobuf'"
        ),
    ])
    func whatIsWrong(format: String, message: String) throws {
        let found = problems(try files(format))
        #expect(found.map(\.message).contains(message), "\(found)")
        #expect(found.allSatisfy { $0.hint != nil })
    }

    @Test func fieldsThatCannotBeRead() throws {
        let schema = Self.schema.replacing("mass: decimal(2) t", with: "mass: string")
            .replacing("path: i32", with: "path: i33").replacing(
                "path: wind", with: "path: parts.size")
        #expect(
            problems(try files(Self.load, schema: schema)).map(\.message) == [
                "'site.Outer.Load.mass' is double, which cannot be read as field 'mass' of schema"
                    + " 'crane-load': string",
                "there is no 'site.Outer.Load.i33', which field 'falls' of schema 'crane-load'"
                    + " reads",
                "'site.Outer.Load.parts' is repeated message site.Outer.Load.Part, which cannot be"
                    + " read as field 'percent' of schema 'crane-load': decimal(1) %",
            ])
    }
}
