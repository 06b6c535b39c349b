import Columnar
import Connectors
import Dataflow

/// What sinks write.
let encoderCases = [MicroEntry("encoders: JSON objects of four fields", rowCase)]

@Sendable private func rowCase() throws -> MicroCase {
    let plan = try plan(
        Topologies.dust(
            """
              - last:
                  from: dust
                  select: {start: int(dust.ts) * 1000, mean: dust.tsp / 3, exceeded: dust.tsp > 250}
            """))
    let feed = try PipelineFeed(
        plan: plan, stream: "dust", lines: Lines.dust(5000), periodMicroseconds: 60_000_000)
    let pipeline = Pipeline(plan: plan, keys: feed.keys)
    pipeline.push(source: feed.source, feed.batch(0))
    guard case .rows(let batch)? = pipeline.takeOutput().emissions.first?.content,
        let step = plan.steps.last
    else { throw FixtureError(description: "nothing to encode") }
    let encoder = JSONRowEncoder(schema: step.output)
    let last = Box(ByteValues())
    return MicroCase(
        count: batch.rowCount,
        result: {
            var digest = Digest()
            digest.add(last.value)
            return digest
        },
        run: { _ in last.value = encoder.encode(batch) })
}
