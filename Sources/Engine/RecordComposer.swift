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
    static let causesHeader = "plumbline.causes"

    private let plan: Plan
    private enum Encoder {
        case json(JSONRowEncoder)
        case alarm(AlarmEncoder)
    }

    private let slots: [InputSlot]
    /// Per sink.
    private let encoders: [Encoder]
    /// Per rekeyed stream.
    private let rekeyEncoders: [JSONRowEncoder]

    /// `slots` are the task's inputs, as rows and rejects name them.
    init(plan: Plan, slots: [InputSlot]) {
        self.plan = plan
        self.slots = slots
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
        rekeyEncoders = plan.rekeys.map { JSONRowEncoder(schema: $0.schema) }
    }

    /// The records of a sink's batch, in row order; earlier versions are not exported.
    mutating func compose(
        _ batch: Batch, sink: Int, keys: KeyTable, _ body: (OutputRecord) throws -> Void
    ) throws {
        for row in 0..<batch.rowCount {
            let change = batch.change(row)
            if change == .before { continue }
            let key = keys.bytes(batch.keys[row])
            var value: [UInt8] = []
            var headers: [UInt8] = []
            var count: Int
            switch encoders[sink] {
            case .json(let encoder):
                encoder.encode(batch, row, into: &value)
                count = carryHeaders(batch.headers, row, into: &headers)
            case .alarm(let encoder):
                let event = encoder.encode(batch, row, key: key)
                value = event.value
                count = carryHeaders(batch.headers, row, of: event, into: &headers)
            }
            RecordHeader(Self.causesHeader, causes(batch.causes, row)).encode(into: &headers)
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
                    timestamp: Self.milliseconds(batch.times[row]), key: key, value: value,
                    headers: headers, headerCount: count))
        }
    }

    /// The records of a rekeyed stream's rows, in row order, each under its new key.
    ///
    /// A correction that changes the key leaves as a withdrawal under the old one and a new row
    /// under the new one.
    mutating func compose(
        _ batch: Batch, rekey index: Int, _ body: (OutputRecord) throws -> Void
    ) throws {
        let rekey = plan.rekeys[index]
        var batch = batch
        batch.columns.append(Column(.int64(batch.times)))
        let keys = batch.columns[rekey.keyField].flattened()
        for row in 0..<batch.rowCount {
            guard let key = keys.keyBytes(row) else { continue }
            var change = batch.change(row)
            var revision = batch.revisions?[row] ?? 0
            if change == .before, row + 1 < batch.rowCount, keys.keyBytes(row + 1) != key {
                change = .withdraw
                revision = batch.revisions?[row + 1] ?? revision
            } else if change == .correct, row > 0, keys.keyBytes(row - 1) != key {
                change = .new
            }
            var value: [UInt8] = []
            rekeyEncoders[index].encode(batch, row, into: &value)
            var headers: [UInt8] = []
            var count = carryHeaders(batch.headers, row, into: &headers)
            RecordHeader(Self.causesHeader, causes(batch.causes, row)).encode(into: &headers)
            count += 1
            count += RekeyedRecord.appendChange(change, revision: revision, to: &headers)
            try body(
                OutputRecord(
                    timestamp: Self.milliseconds(batch.times[row]), key: key, value: value,
                    headers: headers, headerCount: count))
        }
    }

    /// The record of a reject: the original bytes, and why.
    func compose(_ reject: Reject, timestamp: Int64) -> OutputRecord {
        let slot = slots[reject.origin?.input ?? 0]
        let source = plan.sources[slot.source]
        let offset = reject.origin?.offset ?? -1
        var headers: [UInt8] = []
        let step = reject.step < 0 ? source.name : plan.steps[reject.step].name
        let parts = [
            ("plumbline.reason", reject.reason.name), ("plumbline.detail", reject.detail),
            ("plumbline.step", step),
            ("plumbline.origin", "\(slot.topic)/\(slot.partition):\(offset)"),
        ]
        for (name, text) in parts { RecordHeader(name, text).encode(into: &headers) }
        return OutputRecord(
            timestamp: reject.time.map(Self.milliseconds) ?? timestamp, key: reject.key,
            value: reject.value, headers: headers, headerCount: parts.count)
    }

    /// Milliseconds of a time in microseconds, rounded down, within what a broker accepts.
    static func milliseconds(_ time: Int64) -> Int64 {
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

    /// `topic/partition:first-last#count` of every causing input, joined by `;`.
    private func causes(_ columns: [CauseColumn], _ row: Int) -> String {
        var text = ""
        for cause in columns where cause.first[row] >= 0 {
            if !text.isEmpty { text += ";" }
            let slot = slots[cause.input]
            text += "\(slot.topic)/\(slot.partition):\(cause.first[row])"
            if cause.last[row] != cause.first[row] { text += "-\(cause.last[row])" }
            if let count = cause.counts?[row], count != 1 || cause.last[row] != cause.first[row] {
                text += "#\(count)"
            }
        }
        return text
    }
}

extension Column {
    /// A row's value as the bytes of a key; nil for null. For flat strings and whole numbers.
    fileprivate func keyBytes(_ row: Int) -> [UInt8]? {
        guard isValid(row) else { return nil }
        switch values {
        case .bytes(let values): return values.array(row)
        case .int64(let values): return Array(String(values[row]).utf8)
        default: return nil
        }
    }
}
