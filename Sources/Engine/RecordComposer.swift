import Columnar
import Connectors
import Dataflow
import Primitives
import RecordLog

/// Turns the rows that reach a sink, and the records that were rejected, into output records.
///
/// The attributes of CloudEvents (`ce_…`) stand before the headers below.
///
/// Header names are part of the export format: `plumbline.causes`, `plumbline.change`,
/// `plumbline.revision` on results; `plumbline.reason`, `plumbline.detail`, `plumbline.step`,
/// `plumbline.origin` on rejects.
struct RecordComposer {
    private let plan: Plan
    private let partition: Int
    private enum Encoder {
        case json(JSONRowEncoder)
        case alarm(AlarmEncoder)
    }

    /// Per sink.
    private let encoders: [Encoder]

    init(plan: Plan, partition: Int) {
        self.plan = plan
        self.partition = partition
        encoders = plan.sinks.map { sink in
            let schema =
                switch sink.input {
                case .source(let source): plan.sources[source].schema
                case .step(let step): plan.steps[step].output
                }
            switch sink.format {
            case .json: return .json(JSONRowEncoder(schema: schema))
            case .cloudEvents(let alarm):
                return .alarm(AlarmEncoder(alarm, schema: schema, sha256: ContentHash.sha256))
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
            let key = keys.bytes(batch.keys[row])
            var value: [UInt8] = []
            var headers: [UInt8] = []
            var count: Int
            switch encoders[output.sink] {
            case .json(let encoder):
                encoder.encode(batch, row, into: &value)
                count = carryHeaders(batch.headers, row, into: &headers)
            case .alarm(let encoder):
                let event = encoder.encode(batch, row, key: key)
                value = event.value
                count = carryHeaders(batch.headers, row, of: event, into: &headers)
            }
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
                    timestamp: milliseconds(batch.times[row]), key: key,
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

    /// The headers of an event, after those carried that do not speak of another event.
    private func carryHeaders(
        _ headers: ByteValues?, _ row: Int, of event: AlarmEncoder.Event,
        into bytes: inout [UInt8]
    ) -> Int {
        let carried = headers.flatMap { RecordHeaders.decode($0.array(row)) } ?? []
        let all = carried.filter { !AlarmEncoder.isAttribute($0.key) } + event.headers
        for header in all { header.encode(into: &bytes) }
        return all.count
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
