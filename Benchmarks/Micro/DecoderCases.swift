import Columnar
import Connectors
import Dataflow
import RecordLog

/// Every format, from a block of records to columns.
let decoderCases = [
    MicroEntry("decoders: JSON, 4 of 10 fields (crane)") {
        try decoderCase(craneSource(four, "json"), craneLines)
    },
    MicroEntry("decoders: JSON, all 10 fields (crane)") {
        try decoderCase(craneSource(all, "json"), craneLines)
    },
    MicroEntry("decoders: JSON, 3 of 11 fields (dust)") {
        let steps = "  - last: {from: dust, filter: dust.tsp < 0, select: {tsp: dust.tsp}}"
        return try decoderCase(source("dust", Topologies.dust(steps)), dustLines)
    },
    MicroEntry("decoders: CSV, 4 of 10 columns") {
        try decoderCase(
            craneSource(four, "{csv: {header: false}}"), Lines.csv(Batch.maximumRowCount * 4))
    },
    MicroEntry("decoders: HJ 212, 4 fields") {
        try decoderCase(frameSource(), Lines.hj212(Batch.maximumRowCount))
    },
]

private let craneLines = Lines.crane(Batch.maximumRowCount * 4)
private let dustLines = Lines.dust(Batch.maximumRowCount * 4)

private let all = "  - last: {from: load, filter: load.load_t < 0}"
private let four = """
      - last:
          from: load
          filter: load.load_t < 0 || load.radius_m < 0
          select: {load: load.load_t, radius: load.radius_m}
    """

private func craneSource(_ steps: String, _ format: String) throws -> SourcePlan {
    try source("load", Topologies.crane(steps, format: format))
}

private func frameSource() throws -> SourcePlan {
    try source(
        "frame",
        """
        topology: micro
        version: 1
        sources:
          frame:
            topic: telemetry.dust
            format: {hj212: {utcOffset: "+08:00"}}
            schema: frame
            key: device
            time: {field: time, disorder: 1m, lateness: 1h, ahead: 10m}
        steps:
          - last: {from: frame, filter: frame.tspFlag == 'N', select: {tsp: frame.tsp}}
        sinks:
          - {from: last, topic: out}
        """)
}

private func source(_ name: String, _ topology: String) throws -> SourcePlan {
    let plan = try plan(topology)
    guard let source = plan.sources.first(where: { $0.name == name }) else {
        throw FixtureError(description: "no source \(name)")
    }
    return source
}

private func decoderCase(_ source: SourcePlan, _ values: [[UInt8]]) throws -> MicroCase {
    let block = try block(values)
    let decoder = makeDecoder(for: source)
    let keys = Box(KeyTable())
    let last = Box<DecodedRows?>(nil)
    let rounds = block.count / Batch.maximumRowCount
    return MicroCase(
        .record, count: Batch.maximumRowCount,
        result: {
            var digest = Digest()
            guard let rows = last.value else { return digest }
            for column in rows.columns { digest.add(column) }
            for time in rows.times { digest.add(time) }
            for key in rows.keys { digest.add(key) }
            digest.add(rows.faults.count)
            return digest
        },
        run: { n in
            let start = n % rounds * Batch.maximumRowCount
            last.value = decoder.decode(
                block, rows: start..<start + Batch.maximumRowCount, keys: &keys.value)
        })
}
