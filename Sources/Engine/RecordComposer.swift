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
/// `plumbline.revision` on results, `plumbline.asof` on alarms; `plumbline.reason`,
/// `plumbline.detail`, `plumbline.step`, `plumbline.origin` on rejects.
struct RecordComposer {
    static let causesHeader = "plumbline.causes"

    private let plan: Plan
    private enum Encoder {
        case json(JSONRowEncoder)
        case alarm(AlarmEncoder)
    }

    private let slots: [InputSlot]
    /// `topic/partition:` of each input.
    private let causePrefixes: [[UInt8]]
    /// The header's name as it stands in a record.
    private let encodedCausesName: [UInt8]
    /// Per sink.
    private let encoders: [Encoder]
    /// Per rekeyed stream.
    private let rekeyEncoders: [JSONRowEncoder]

    /// `slots` are the task's inputs, as rows and rejects name them.
    init(plan: Plan, slots: [InputSlot]) {
        self.plan = plan
        self.slots = slots
        causePrefixes = slots.map { Array("\($0.topic)/\($0.partition):".utf8) }
        var name: [UInt8] = []
        Varint.appendSigned(Int64(Self.causesHeader.utf8.count), to: &name)
        encodedCausesName = name + Self.causesHeader.utf8
        encoders = plan.sinks.map { sink in
            let schema =
                switch sink.input {
                case .source(let source): plan.sources[source].rowSchema
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

    /// The records of a sink's batch, in row order; earlier versions are not exported. Alarms tell
    /// `positions`.
    func compose(
        _ batch: Batch, as positions: TakenPositions?, sink: Int, keys: KeyTable
    ) -> OutputRecords {
        let kept = batch.laterVersions
        let batch = kept.map { batch.gather($0) } ?? batch
        let positions = kept.flatMap { positions?.gather($0) } ?? positions
        var records = OutputRecords()
        var text: [UInt8] = []
        if case .json(let encoder) = encoders[sink] { records.values = encoder.encode(batch) }
        for row in 0..<batch.rowCount {
            records.keys.append(keys.keys, Int(batch.keys[row]))
            var count: Int
            if case .alarm(let encoder) = encoders[sink] {
                let event = encoder.encode(batch, row, key: records.keys.array(row))
                records.values.append(event.value)
                count = carryHeaders(batch.headers, row, of: event, into: &records.headers.bytes)
            } else {
                count = carryHeaders(batch.headers, row, into: &records.headers.bytes)
            }
            appendCauses(batch.causes, row, &text, to: &records.headers.bytes)
            count += 1
            if let positions {
                RecordHeader("plumbline.asof", self.text(positions, row))
                    .encode(into: &records.headers.bytes)
                count += 1
            }
            let change = batch.change(row)
            if change != .new {
                let name = change == .correct ? "correct" : "withdraw"
                RecordHeader("plumbline.change", name).encode(into: &records.headers.bytes)
                RecordHeader("plumbline.revision", "\(batch.revisions?[row] ?? 0)")
                    .encode(into: &records.headers.bytes)
                count += 2
            }
            records.headers.endRow()
            records.headerCounts.append(count)
            records.timestamps.append(Self.milliseconds(batch.times[row]))
        }
        return records
    }

    /// The records of a rekeyed stream's rows, in row order, each under its new key.
    ///
    /// A correction that changes the key leaves as a withdrawal under the old one and a new row
    /// under the new one.
    func compose(_ batch: Batch, rekey index: Int) -> OutputRecords {
        let rekey = plan.rekeys[index]
        var batch = batch
        batch.columns.append(Column(.int64(batch.times)))
        let keys = batch.columns[rekey.keyField].flattened()
        let values = rekeyEncoders[index].encode(batch)
        var records = OutputRecords()
        var text: [UInt8] = []
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
            records.keys.append(key)
            records.values.append(values, row)
            var count = carryHeaders(batch.headers, row, into: &records.headers.bytes)
            appendCauses(batch.causes, row, &text, to: &records.headers.bytes)
            count += 1
            count += RekeyedRecord.appendChange(
                change, revision: revision, to: &records.headers.bytes)
            records.headers.endRow()
            records.headerCounts.append(count)
            records.timestamps.append(Self.milliseconds(batch.times[row]))
        }
        return records
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
        let range = headers.range(row)
        var position = 0
        let blob = headers.bytes.span.extracting(range)
        guard !blob.isEmpty, let count = Varint.readSigned32(blob, at: &position) else { return 0 }
        bytes += headers.bytes[(range.lowerBound + position)..<range.upperBound]
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

    /// `topic/partition:offset` of every input of which something had been taken, joined by `;`:
    /// the offset after the last such record.
    private func text(_ positions: TakenPositions, _ row: Int) -> String {
        slots.indices.compactMap { input in
            positions.position(ofInput: input, row: row).map {
                "\(slots[input].topic)/\(slots[input].partition):\($0)"
            }
        }.joined(separator: ";")
    }

    /// Appends the header of a row's causes: `topic/partition:first-last#count` of every causing
    /// input, joined by `;`. `text` is room to work in.
    private func appendCauses(
        _ columns: [CauseColumn], _ row: Int, _ text: inout [UInt8], to bytes: inout [UInt8]
    ) {
        text.removeAll(keepingCapacity: true)
        for cause in columns where cause.first[row] >= 0 {
            if !text.isEmpty { text.append(0x3B) }
            let (first, last) = (cause.first[row], cause.last[row])
            text += causePrefixes[cause.input]
            Decimal.write(first, scale: 0, to: &text)
            if last != first {
                text.append(0x2D)
                Decimal.write(last, scale: 0, to: &text)
            }
            if let count = cause.counts?[row], count != 1 || last != first {
                text.append(0x23)
                Decimal.write(Int64(count), scale: 0, to: &text)
            }
        }
        bytes += encodedCausesName
        Varint.appendSigned(Int64(text.count), to: &bytes)
        bytes += text
    }
}

extension Batch {
    /// The rows without the versions that the corrections after them replace; nil for all.
    fileprivate var laterVersions: [Int32]? {
        guard let changes, changes.contains(Change.before.rawValue) else { return nil }
        return changes.indices.filter { changes[$0] != Change.before.rawValue }.map { Int32($0) }
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
