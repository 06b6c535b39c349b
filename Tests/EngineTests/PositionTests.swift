import Connectors
import Engine
import Primitives
import RecordLog
import TestKit
import Testing
import Topology

/// `plumbline.asof`: up to where the inputs had been taken when an alarm came out.
///
/// The truth: records given one by one, in the order of the merge. What comes out after a record
/// is as of just that many records.
struct PositionTests {
    private static let files = [
        "schemas/load.yaml": """
        schema: load
        fields: {device: string, ts: timestamp, mass: decimal(1) t}
        """,
        "schemas/crane.yaml": """
        schema: crane
        fields: {device: string, ts: timestamp, limit: decimal(1) t}
        """,
    ]

    private func plan(_ clock: String) throws -> TopologyTexts {
        var files = Self.files
        files["topology.yaml"] = """
            topology: positions
            version: 1
            sources:
              crane: {topic: registry, schema: crane, table: {key: device, asOf: ts}}
              load:
                topic: loads
                schema: load
                key: device
                time: {field: ts, disorder: 3s, lateness: 5s, ahead: 1d, \(clock)}
            steps:
              - known:
                  from: load
                  lookup: {crane: device}
                  select: {mass: load.mass, most: crane.limit}
              - heavy: {from: known, key: device, levels: {of: mass, raise: {high: most}}}
              - mean:
                  from: load
                  key: device
                  window: {tumbling: 4s, aggregate: {m: mean(load.mass)}}
              - seen:
                  from: load
                  key: device
                  machine:
                    states: [calm, busy]
                    initial: calm
                    transitions:
                      - {on: load.mass >= 5, from: calm, to: busy}
                      - {on: load.mass < 5, from: busy, to: calm}
                      - {on: "true", from: any}
                    deadlines: [{name: long, in: busy, after: 3s}]
            sinks:
              - {from: load, topic: a, format: cloudevents}
              - {from: heavy, topic: b, format: cloudevents}
              - {from: mean, topic: c, format: cloudevents}
              - {from: seen, topic: d, format: cloudevents, alarm: {rule: {field: name}}}
              - {from: seen, topic: e}
            """
        return TopologyTexts(files)
    }

    /// Records of both sources: (time, line); a line that is no JSON has no time.
    private func records(_ random: inout RandomSource) -> [[(time: Int?, text: String)]] {
        let start = 1_772_438_400_000
        func line(_ time: Int, _ rest: String) -> String {
            #"{"device":"C\#(random.int(in: 1...3))","ts":\#(start + time),\#(rest)}"#
        }
        var cranes: [(time: Int?, text: String)] = []
        for device in 1...3 {
            cranes.append((0, #"{"device":"C\#(device)","ts":\#(start),"limit":4}"#))
        }
        var time = 0
        for _ in 0..<6 {
            time += random.int(in: 1...9000)
            cranes.append((time, line(time, #""limit":\#(random.int(in: 2...8))"#)))
        }
        var loads: [(time: Int?, text: String)] = []
        for number in 0..<120 {
            if random.int(in: 0...14) == 0 {
                loads.append((nil, "{"))
                continue
            }
            let time = max(0, number * 400 - random.int(in: 0...3) * random.int(in: 0...2000))
            loads.append((time, line(time, #""mass":\#(random.int(in: 0...9))"#)))
        }
        return [cranes, loads]
    }

    /// (source, text) in the order of the merge: heads by time, then source; without time at once.
    private func merged(_ sources: [[(time: Int?, text: String)]]) -> [(Int, String)] {
        var heads = sources.map { _ in 0 }
        var result: [(Int, String)] = []
        while true {
            let open = sources.indices.filter { heads[$0] < sources[$0].count }
            guard
                let next = open.min(by: { one, other in
                    (sources[one][heads[one]].time ?? -1, one)
                        < (sources[other][heads[other]].time ?? -1, other)
                })
            else { return result }
            result.append((next, sources[next][heads[next]].text))
            heads[next] += 1
        }
    }

    private func record(_ text: String) -> OutputRecord {
        OutputRecord(
            timestamp: 1_772_438_400_000, key: nil, value: Array(text.utf8), headers: [],
            headerCount: 0)
    }

    private func positions(_ driver: TopologyDriver) -> [[String?]] {
        (0..<4).map { sink in driver.records(sink: sink).map { $0.header("plumbline.asof") } }
    }

    @Test(arguments: ["clock: partition", "clock: key, abandon: 1h"])
    func asOfTheRecordThatMadeIt(_ clock: String) throws {
        let plan = try TopologyLoader.load(try plan(clock)).plan
        for seed in 1...12 as ClosedRange<UInt64> {
            var random = RandomSource(seed: seed)
            let sources = records(&random)
            let reference = TopologyDriver(plan: plan)
            var expected: [[String?]] = [[], [], [], []]
            var counts = [0, 0]
            func note() {
                let asOf = zip(["registry/0", "loads/0"], counts).filter { $0.1 > 0 }
                    .map { "\($0.0):\($0.1)" }.joined(separator: ";")
                for sink in 0..<4 {
                    let count = reference.records(sink: sink).count
                    while expected[sink].count < count { expected[sink].append(asOf) }
                }
            }
            for (source, text) in merged(sources) {
                try reference.append(source: source, [record(text)])
                try reference.merge()
                counts[source] += 1
                note()
            }
            try reference.flush()
            note()
            #expect(positions(reference) == expected, "seed \(seed)")
            #expect(expected.allSatisfy { !$0.isEmpty })
            #expect(reference.records(sink: 4).allSatisfy { $0.header("plumbline.asof") == nil })
            for size in [1, 2, 7, 2048] {
                var options = TaskOptions()
                options.batchRows = size
                let driver = TopologyDriver(plan: plan, options: options)
                for source in 0..<2 {
                    try driver.append(source: source, sources[source].map { record($0.text) })
                }
                try driver.merge()
                try driver.flush()
                #expect(positions(driver) == expected, "seed \(seed), batches of \(size)")
            }
        }
    }

    /// A restart in the middle forgets nothing of it.
    @Test func afterARestart() throws {
        let plan = try TopologyLoader.load(try plan("clock: key, abandon: 1h")).plan
        var random = RandomSource(seed: 5)
        let all = merged(records(&random))
        let whole = TopologyDriver(plan: plan)
        var parts = [TopologyDriver(plan: plan)]
        for (index, (source, text)) in all.enumerated() {
            if index == all.count / 2 { parts.append(try parts[0].restarted()) }
            for driver in [whole, parts[parts.count - 1]] {
                try driver.append(source: source, [record(text)])
                try driver.merge()
            }
        }
        let joined = (0..<4).map { sink in parts.flatMap { positions($0)[sink] } }
        #expect(joined == positions(whole))
    }
}
