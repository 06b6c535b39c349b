import Columnar
import Dataflow
import Topology

/// Every operator over decoded columns in memory, 2,000 cranes at 1 Hz or 5,000 monitors a minute.
let operatorCases =
    craneSteps.map { step in
        MicroEntry("operators: \(step.name)") { try craneCase(step.steps, clock: step.clock) }
    }
    + dustSteps.map { step in
        MicroEntry("operators: \(step.name)") { try dustCase(step.steps) }
    }
    + [
        MicroEntry("operators: lookup of a rule", rulesCase),
        MicroEntry("operators: levels, order time, 100 keys", timeOrderCase),
    ]

/// The figures of the core: what is left when reading and writing cost nothing.
let coreCases = [
    MicroEntry("core: filter and project") {
        try craneCase(
            """
              - last:
                  from: load
                  filter: load.load_t > 0.5 && load.radius_m < 40.0
                  select: {ts: load.ts, mass: load.load_t, radius: load.radius_m}
            """)
    },
    MicroEntry("core: keyed levels") {
        try craneCase(
            """
              - last:
                  from: load
                  key: device
                  levels: {of: load.load_t, raise: {warning: 3.0, alarm: 4.0}, order: arrival}
            """, clock: "key")
    },
    MicroEntry("core: tumbling mean") {
        try dustCase(
            """
              - last:
                  from: dust
                  key: device
                  window: {tumbling: 15m, aggregate: {tsp: mean(dust.tsp)}}
            """)
    },
    MicroEntry("core: the steps of C1") { try craneCase(c1, clock: "key") },
    MicroEntry("core: the steps of D1") { try dustCase(judged("tumbling: 15m")) },
    MicroEntry("core: the steps of D2") {
        try dustCase(judged("hopping: {size: 15m, every: 1m}"))
    },
]

private let c1 = """
      - rated:
          from: load
          lookup: {crane: device}
          select: {ts: load.ts, ratio: "load.load_t / interpolate(crane.chart, load.radius_m)"}
      - level:
          from: rated
          key: device
          levels: {of: ratio, raise: {warning: 0.9, alarm: 1.0, critical: 1.1}, order: arrival}
      - last:
          from: level
          filter: event == "raised" || event == "escalated"
          select: {ts: int(level.ts) * 1000 + level.ts.getMilliseconds(), level: level.level}
    """

private func judged(_ window: String) -> String {
    """
      - mean:
          from: dust
          key: device
          window: {\(window), aggregate: {tsp: mean(dust.tsp)}}
      - last:
          from: mean
          select: {start: int(mean.windowStart) * 1000, mean: mean.tsp, exceeded: mean.tsp > 250}
    """
}

private let craneSteps: [(name: String, steps: String, clock: String)] = [
    ("filter, half stays", "  - last: {from: load, filter: load.seq % 2 == 0}", "partition"),
    ("filter, nothing stays", "  - last: {from: load, filter: load.load_t < 0}", "partition"),
    (
        "select of two sums", "  - last: {from: load, select: {a: load.seq + 1, b: load.seq * 2}}",
        "partition"
    ),
    (
        "lookup", "  - last: {from: load, lookup: {crane: device}, select: {chart: crane.chart}}",
        "partition"
    ),
    (
        "levels, order arrival",
        "  - last: {from: load, key: device, levels: {of: load.load_t, raise: {high: 4.0}}}", "key"
    ),
    ("distinct", "  - last: {from: load, key: device, distinct: {order: arrival}}", "partition"),
    (
        "machine of two states",
        """
          - last:
              from: load
              key: device
              machine:
                order: arrival
                initial: free
                states: [free, lifting]
                transitions:
                  - {on: load.load_t > 2.0, from: free, to: lifting}
                  - {on: load.load_t < 1.0, from: lifting, to: free}
                  - {on: "true", from: any}
        """, "partition"
    ),
    (
        "union of two",
        """
          - light: {from: load, filter: load.load_t < 2.0, otherwise: heavy}
          - last: {union: [light, heavy]}
        """, "partition"
    ),
    (
        "rekey, as far as the rows",
        """
          - moved: {from: load, rekey: site}
          - last: {from: moved, filter: moved.load_t > 0.0}
        """, "partition"
    ),
]

private let dustSteps: [(name: String, steps: String)] =
    [
        ("window, tumbling 15 m, mean", "tumbling: 15m, aggregate: {a: mean(dust.tsp)}"),
        ("window, tumbling 1 m, mean", "tumbling: 1m, aggregate: {a: mean(dust.tsp)}"),
        (
            "window, hopping 15 m by 1 m, mean",
            "hopping: {size: 15m, every: 1m}, aggregate: {a: mean(dust.tsp)}"
        ),
        (
            "window, tumbling 15 m, six aggregates",
            "tumbling: 15m, aggregate: {n: count(), s: sum(dust.tsp), l: min(dust.tsp), "
                + "h: max(dust.tsp), f: first(dust.tsp), z: last(dust.tsp)}"
        ),
        (
            "window, tumbling 15 m, stddev", "tumbling: 15m, aggregate: {a: stddev(dust.tsp)}"
        ),
        ("window, tumbling 15 m, leq", "tumbling: 15m, aggregate: {a: leq(dust.noise_db)}"),
    ].map { ($0.0, "  - last: {from: dust, key: device, window: {\($0.1)}}") }

private func craneCase(_ steps: String, clock: String = "partition") throws -> MicroCase {
    let looksUp = steps.contains("lookup")
    let plan = try plan(Topologies.crane(steps, clock: clock, hasTable: looksUp))
    let feed = try PipelineFeed(
        plan: plan, stream: "load", lines: craneLines, periodMicroseconds: 64_000_000,
        tableLines: looksUp ? chartLines(cranes: 2_000) : [])
    return PipelineFeed.run(plan, feed)
}

private func dustCase(_ steps: String) throws -> MicroCase {
    try dustCase(plan: plan(Topologies.dust(steps)))
}

private func dustCase(plan: Plan) throws -> MicroCase {
    let feed = try PipelineFeed(
        plan: plan, stream: "dust", lines: dustLines, periodMicroseconds: 1_800_000_000)
    return PipelineFeed.run(plan, feed)
}

/// 64 seconds, 64 batches.
private let craneLines = Lines.crane(64 * 2_000)
/// 30 minutes, 75 batches.
private let dustLines = Lines.dust(30 * 5_000)

/// The chart of the workload for every crane.
private func chartLines(cranes: Int) -> [[UInt8]] {
    let points = [
        (2.5, 6.0), (13.7, 6.0), (16, 5.0), (20, 3.9), (25, 3.0), (30, 2.4), (35, 2.0), (40, 1.7),
        (45, 1.45), (50, 1.3),
    ].map { "{\"radius\":\($0.0),\"capacity\":\($0.1)}" }.joined(separator: ",")
    return (1...cranes).map { number in
        let digits = String(100_000 + number).dropFirst()
        return Array(
            "{\"device\":\"tower-crane-\(digits)\",\"ts\":0,\"chart\":[\(points)]}".utf8)
    }
}

/// Rows that wait for the watermark: 100 of the cranes, for what waits is searched.
@Sendable private func timeOrderCase() throws -> MicroCase {
    let plan = try plan(
        Topologies.crane(
            """
              - last:
                  from: load
                  key: device
                  levels: {of: load.load_t, raise: {high: 4.0}, order: time}
            """))
    let seconds = 160
    let lines = Lines.crane(seconds * 2_000).enumerated().filter { $0.offset % 2_000 < 100 }
    let feed = try PipelineFeed(
        plan: plan, stream: "load", lines: lines.map(\.element),
        periodMicroseconds: Int64(seconds) * 1_000_000)
    return PipelineFeed.run(plan, feed)
}

/// A look-up of limits in a rule file.
@Sendable private func rulesCase() throws -> MicroCase {
    let topology = Topologies.dust(
        """
          - last:
              from: dust
              lookup: {limits: {stage: dust.site}}
              select: {exceeded: dust.tsp > limits.tsp}
        """, rules: "{limits: limits}")
    let rules = """
        rules: limits
        describe: An example
        zone: Asia/Shanghai
        scope: {stage: string}
        values: {tsp: decimal(0) ug/m3}
        rows:
          - {stage: site-0001, from: 2020-09-01, tsp: 600, basis: a}
          - {stage: site-0002, from: 2020-09-01, tsp: 500, basis: b}
          - {stage: "*", from: 2020-09-01, tsp: 250, basis: c}
        """
    return try dustCase(plan: plan(topology, rules: ["limits": rules]))
}
