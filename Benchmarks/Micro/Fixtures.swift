import Columnar
import Connectors
import Dataflow
import Primitives
import RecordLog
import Simulation
import Topology

/// What is wrong with a fixture of the cases themselves.
struct FixtureError: Error, CustomStringConvertible {
    var description: String
}

/// The plan of a topology in text.
func plan(_ topology: String, rules: [String: String] = [:]) throws -> Plan {
    var files = ["topology.yaml": topology]
    for (name, text) in Topologies.schemas { files["schemas/\(name).yaml"] = text }
    for (name, text) in rules { files["rules/\(name).yaml"] = text }
    return try TopologyLoader.load(TopologyTexts(files)).plan
}

/// Lines of the benchmark's workloads, without line feeds.
enum Lines {
    static func crane(_ count: Int) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var workload = CraneBenchmark(seed: 1)
        workload.lines(count: count) { line in
            lines.append((0..<line.count - 1).map { line[$0] })
        }
        return lines
    }

    static func dust(_ count: Int) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var workload = DustBenchmark(seed: 1)
        workload.lines(count: count) { line in
            lines.append((0..<line.count - 1).map { line[$0] })
        }
        return lines
    }

    /// The first values of crane lines as rows of CSV.
    static func csv(_ count: Int) -> [[UInt8]] {
        crane(count).map { line in
            String(decoding: line, as: UTF8.self).dropFirst().dropLast().split(separator: ",")
                .map { $0.drop { $0 != ":" }.dropFirst().filter { $0 != "\"" } }
                .joined(separator: ",").utf8.map { $0 }
        }
    }

    /// Frames of construction dust, a minute apart for each of 500 devices.
    static func hj212(_ count: Int) -> [[UInt8]] {
        var random = RandomSource(seed: 3)
        return (0..<count).map { index in
            func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
            let minute = index / 500
            let time = "202603010\(minute / 60 % 8)\(two(minute % 60))00"
            func reading(_ name: String, _ most: Int) -> String {
                "\(name)-Rtd=\(random.int(in: 1...most)).\(random.int(in: 0...9)),\(name)-Flag=N"
            }
            let values = [
                reading("a34001", 400), reading("a34002", 300), reading("a34004", 200),
                reading("LA", 90), reading("a01001", 35), reading("a01002", 99),
                reading("a01007", 12),
            ]
            let data =
                "QN=\(time)000;ST=39;CN=2011;PW=123456;MN=dust-\(1000 + index % 500);Flag=4;CP=&&"
                + "DataTime=\(time);\(values.joined(separator: ";"))&&"
            let length = String(10_000 + data.utf8.count).dropFirst()
            let sum = String(HJ212CRC.checksum(Array(data.utf8).span), radix: 16, uppercase: true)
            let padded = String(repeating: "0", count: 4 - sum.count) + sum
            return Array("##\(length)\(data)\(padded)".utf8)
        }
    }
}

/// Values as record batches of a log without compression, of about 48 KB each, decoded.
func blocks(_ values: [[UInt8]]) throws -> [RecordBlock] {
    let decoder = RecordBatchDecoder()
    return try batches(values, codec: .none).map { try decoder.decodeAll($0.bytes) }
}

/// Values as record batches of about 48 KB.
func batches(
    _ values: [[UInt8]], codec: CompressionCodec
) throws -> [(bytes: [UInt8], records: Int)] {
    let builder = RecordBatchBuilder()
    var result: [(bytes: [UInt8], records: Int)] = []
    var base: Int64 = 0
    for (index, value) in values.enumerated() {
        builder.append(
            timestampMilliseconds: 1_760_000_000_000 + Int64(index), key: Array("tower-crane".utf8),
            value: value)
        if builder.estimatedByteCount >= 48 << 10 || index == values.count - 1 {
            let records = builder.recordCount
            result.append((try builder.finish(baseOffset: base, codec: codec), records))
            base += Int64(records)
        }
    }
    return result
}

/// All values as one block.
func block(_ values: [[UInt8]]) throws -> RecordBlock {
    let builder = RecordBatchBuilder()
    for value in values {
        builder.append(timestampMilliseconds: Timestamp.maximum / 1000, key: nil, value: value)
    }
    return try RecordBatchDecoder().decodeAll(try builder.finish(baseOffset: 0, codec: .none))
}

/// The topologies of the cases and their schemas.
enum Topologies {
    static let load = """
        schema: load
        fields:
          device: string
          site: string
          ts: timestamp
          seq: int
          load_t: {type: decimal(3) t, round: true}
          radius_m: {type: decimal(2) m, round: true}
          height_m: {type: decimal(2) m, round: true}
          slew_deg: {type: decimal(2) deg, round: true}
          wind_ms: {type: decimal(2) m/s, round: true}
          tilt_deg: {type: decimal(3) deg, round: true}
        """
    static let crane = """
        schema: crane
        fields:
          device: string
          ts: timestamp
          chart: "list<struct{radius: decimal(2) m, capacity: decimal(3) t}>"
        """
    static let dust = """
        schema: dust
        fields:
          device: string
          site: string
          ts: timestamp
          tsp: decimal(1) ug/m3
          pm10: decimal(1) ug/m3
          pm25: decimal(1) ug/m3
          noise_db: decimal(1) dB[SPL]
          temp_c: decimal(1) Cel
          rh: decimal(1) %
          wind_ms: decimal(1) m/s
          wind_dir: int deg
        """
    static let frame = """
        schema: frame
        fields:
          device: {type: string, path: MN}
          time: {type: timestamp, path: DataTime}
          tsp: {type: decimal(1) ug/m3, nullable: true, path: a34001-Rtd}
          tspFlag: {type: string, nullable: true, path: a34001-Flag}
          pm10: {type: decimal(1) ug/m3, nullable: true, path: a34002-Rtd}
        """
    static let schemas = ["load": load, "crane": crane, "dust": dust, "frame": frame]

    /// A topology over crane readings with these steps, the last one named `last`.
    static func crane(
        _ steps: String, clock: String = "partition", format: String = "json",
        hasTable: Bool = false
    ) -> String {
        let table =
            "  crane: {topic: registry.crane, schema: crane, table: {key: device, asOf: ts}}"
        return """
            topology: micro
            version: 1
            sources:
            \(hasTable ? table : "")
              load:
                topic: telemetry.crane
                schema: load
                format: \(format)
                key: device
                time: {field: ts, disorder: 5s, lateness: 0s, ahead: 10m, clock: \(clock)}
            steps:
            \(steps)
            sinks:
              - {from: last, topic: out}
            """
    }

    /// The same over dust readings.
    static func dust(_ steps: String, rules: String = "{}") -> String {
        """
        topology: micro
        version: 1
        rules: \(rules)
        sources:
          dust:
            topic: telemetry.dust
            schema: dust
            key: device
            time: {field: ts, disorder: 60s, lateness: 0s, ahead: 10m}
        steps:
        \(steps)
        sinks:
          - {from: last, topic: out}
        """
    }
}
