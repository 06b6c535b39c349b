import Columnar
import Connectors
import Dataflow
import Primitives
import RecordLog

/// Decoded batches of one source of a plan, for as long as they are asked for: some lines again
/// and again, each time later by a period. Tables get one row a key before.
final class PipelineFeed {
    /// Rows of a batch: a number that divides those of a second or of two minutes.
    static let batchRows = 2_000
    /// The source that the batches are for.
    let source: Int
    /// The keys of all rows.
    let keys: KeyTable
    /// Rows of the table sources, if there are any, by source.
    let tables: [(source: Int, rows: Batch)]
    private let rounds: [Batch]
    private let period: Int64
    private let timeField: Int

    /// `lines` stand in the order of arrival and cover `periodMicroseconds`.
    init(
        plan: Plan, stream name: String, lines: [[UInt8]], periodMicroseconds: Int64,
        tableLines: [[UInt8]] = []
    ) throws {
        guard let source = plan.sources.firstIndex(where: { $0.name == name }),
            case .stream(let rule) = plan.sources[source].role
        else { throw FixtureError(description: "no stream \(name)") }
        self.source = source
        timeField = rule.field
        period = periodMicroseconds
        var keys = KeyTable()
        func decode(_ lines: [[UInt8]], _ source: Int) throws -> [Batch] {
            let block = try block(lines)
            let decoder = makeDecoder(for: plan.sources[source])
            return try stride(from: 0, to: block.count, by: Self.batchRows).map { start in
                let end = min(start + Self.batchRows, block.count)
                let rows = decoder.decode(block, rows: start..<end, keys: &keys)
                guard rows.faults.isEmpty else {
                    throw FixtureError(description: "\(name): \(rows.faults[0].detail)")
                }
                let offsets = Array(block.offsets[start..<end])
                return Batch(
                    columns: rows.columns, times: rows.times, keys: rows.keys,
                    causes: [CauseColumn(input: source, first: offsets, last: offsets)],
                    raw: block)
            }
        }
        tables = try plan.sources.indices.filter { $0 != source }.flatMap { table in
            try decode(tableLines, table).map { (table, $0) }
        }
        rounds = try decode(lines, source)
        self.keys = keys
    }

    /// Batch number `n`, with storage of its own where it differs from round to round.
    func batch(_ n: Int) -> Batch {
        var batch = rounds[n % rounds.count]
        let shift = Int64(n / rounds.count) * period
        batch.times = batch.times.map { $0 + shift }
        if case .int64(let times) = batch.columns[timeField].values {
            batch.columns[timeField].values = .int64(times.map { $0 + shift })
        }
        return batch
    }

    /// A case that pushes the batches through all steps of a plan, as far as the outputs' rows;
    /// what is written of them is not part of it.
    static func run(_ plan: Plan, _ feed: PipelineFeed) -> MicroCase {
        let pipeline = Pipeline(plan: plan, keys: feed.keys)
        for table in feed.tables { pipeline.push(source: table.source, table.rows) }
        _ = pipeline.takeOutput()
        let ready = Box<[Int: Batch]>([:])
        let last = Box<[Pipeline.Emission]>([])
        let counts = Box((rows: 0, rejects: 0))
        return MicroCase(
            count: batchRows, round: feed.rounds.count,
            prepare: { n in ready.value[n] = feed.batch(n) },
            result: {
                var digest = Digest()
                digest.add(counts.value.rows)
                digest.add(counts.value.rejects)
                for emission in last.value {
                    if case .rows(let batch) = emission.content { digest.add(batch) }
                }
                return digest
            },
            run: { n in
                guard let batch = ready.value.removeValue(forKey: n) else { return }
                pipeline.push(source: feed.source, batch)
                let output = pipeline.takeOutput()
                counts.value.rejects += output.rejects.count
                for emission in output.emissions {
                    if case .rows(let batch) = emission.content {
                        counts.value.rows += batch.rowCount
                    }
                }
                if !output.emissions.isEmpty { last.value = output.emissions }
            })
    }
}
