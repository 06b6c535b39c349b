import Columnar
import Connectors
import Dataflow
import Primitives
import RecordLog

/// Turns the rows that reach a sink, and the records that were rejected, into output records.
///
/// Header names are part of the export format: `plumbline.causes`, `plumbline.change`,
/// `plumbline.revision` on results; `plumbline.reason`, `plumbline.detail`, `plumbline.step`,
/// `plumbline.origin` on rejects.
struct RecordComposer {
    private let plan: Plan
    private let partition: Int
    /// Per sink.
    private var encoders: [JSONRowEncoder]

    init(plan: Plan, partition: Int) {
        self.plan = plan
        self.partition = partition
        encoders = plan.sinks.map { sink in
            switch sink.input {
            case .source(let source): JSONRowEncoder(schema: plan.sources[source].schema)
            case .step(let step): JSONRowEncoder(schema: plan.steps[step].output)
            }
        }
    }

    /// The records of a sink's batch, in row order; earlier versions are not exported.
    mutating func compose(
        _ output: Pipeline.SinkBatch, keys: KeyTable, _ body: (OutputRecord) throws -> Void
    ) throws {
        let batch = output.batch
        for row in 0..<batch.rowCount {
            let change = batch.change(row)
            if change == .before { continue }
            var value: [UInt8] = []
            encoders[output.sink].encode(batch, row, into: &value)
            var headers: [UInt8] = []
            var count = carryHeaders(batch.headers, row, into: &headers)
            RecordHeader("plumbline.causes", causes(batch.causes, row)).encode(into: &headers)
            count += 1
            if change != .new {
                let name = change == .correct ? "correct" : "withdraw"
                RecordHeader("plumbline.change", name).encode(into: &headers)
                RecordHeader("plumbline.revision", "\(batch.revisions?[row] ?? 0)")
                    .encode(into: &headers)
                count += 2
            }
            try body(
                OutputRecord(
                    timestamp: milliseconds(batch.times[row]), key: keys.bytes(batch.keys[row]),
                    value: value, headers: headers, headerCount: count))
        }
    }

    /// The record of a reject: the original bytes, and why.
    func compose(_ reject: Reject, timestamp: Int64) -> OutputRecord {
        let source = plan.sources[reject.source]
        var headers: [UInt8] = []
        let step = reject.step < 0 ? source.name : plan.steps[reject.step].name
        let parts = [
            ("plumbline.reason", reject.reason.name), ("plumbline.detail", reject.detail),
            ("plumbline.step", step),
            ("plumbline.origin", "\(source.topic)/\(partition):\(reject.offset)"),
        ]
        for (name, text) in parts { RecordHeader(name, text).encode(into: &headers) }
        return OutputRecord(
            timestamp: reject.time.map(milliseconds) ?? timestamp, key: reject.key,
            value: reject.value, headers: headers, headerCount: parts.count)
    }

    /// Milliseconds of a time in microseconds, rounded down, within what a broker accepts.
    private func milliseconds(_ time: Int64) -> Int64 {
        let quotient = time / 1000
        let floor = time % 1000 < 0 ? quotient - 1 : quotient
        return min(max(floor, 0), Timestamp.maximum / 1000)
    }

    private func carryHeaders(
        _ headers: ByteValues?, _ row: Int, into bytes: inout [UInt8]
    ) -> Int {
        guard let headers else { return 0 }
        let blob = headers.array(row)
        var position = 0
        guard !blob.isEmpty, let count = Varint.readSigned32(blob.span, at: &position) else {
            return 0
        }
        bytes += blob[position...]
        return Int(count)
    }

    /// `topic/partition:first-last#count` of every source, joined by `;`.
    private func causes(_ columns: [CauseColumn], _ row: Int) -> String {
        var text = ""
        for cause in columns {
            if !text.isEmpty { text += ";" }
            text += "\(plan.sources[cause.source].topic)/\(partition):\(cause.first[row])"
            if cause.last[row] != cause.first[row] { text += "-\(cause.last[row])" }
            if let count = cause.counts?[row], count != 1 || cause.last[row] != cause.first[row] {
                text += "#\(count)"
            }
        }
        return text
    }
}
