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
    private static let roomForHeaders = 64
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
        let count = batch.rowCount
        var records = OutputRecords()
        records.keys = keys.keys.gather(batch.keys)
        records.timestamps = batch.times.map(Self.milliseconds)
        records.headerCounts.reserveCapacity(count)
        var events = ByteValuesWriter(rowCount: count)
        var headers = ByteValuesWriter(capacity: Self.roomForHeaders * count, rowCount: count)
        for row in 0..<count {
            var headerCount: Int
            if case .alarm(let encoder) = encoders[sink] {
                let event = encoder.encode(batch, row, key: records.keys.array(row))
                events.bytes.put(event.value)
                events.endRow()
                headerCount = carryHeaders(batch.headers, row, of: event, into: &headers.bytes)
            } else {
                headerCount = carryHeaders(batch.headers, row, into: &headers.bytes)
            }
            writeCauses(batch.causes, row, to: &headers.bytes)
            headerCount += 1
            if let positions {
                headers.bytes.put(RecordHeader("plumbline.asof", text(positions, row)).encoded)
                headerCount += 1
            }
            let change = batch.change(row)
            if change != .new {
                let name = change == .correct ? "correct" : "withdraw"
                let revision = "\(batch.revisions?[row] ?? 0)"
                headers.bytes.put(RecordHeader("plumbline.change", name).encoded)
                headers.bytes.put(RecordHeader("plumbline.revision", revision).encoded)
                headerCount += 2
            }
            headers.endRow()
            records.headerCounts.append(headerCount)
        }
        records.headers = headers.values()
        switch encoders[sink] {
        case .json(let encoder): records.values = encoder.encode(batch)
        case .alarm: records.values = events.values()
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
        var headers = ByteValuesWriter(
            capacity: Self.roomForHeaders * batch.rowCount, rowCount: batch.rowCount)
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
            var count = carryHeaders(batch.headers, row, into: &headers.bytes)
            writeCauses(batch.causes, row, to: &headers.bytes)
            count += 1
            count += RekeyedRecord.writeChange(change, revision: revision, to: &headers.bytes)
            headers.endRow()
            records.headerCounts.append(count)
            records.timestamps.append(Self.milliseconds(batch.times[row]))
        }
        records.headers = headers.values()
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
        _ headers: ByteValues?, _ row: Int, into bytes: inout ByteWriter
    ) -> Int {
        guard let headers else { return 0 }
        let range = headers.range(row)
        var position = 0
        let blob = headers.bytes.span.extracting(range)
        guard !blob.isEmpty, let count = Varint.readSigned32(blob, at: &position) else { return 0 }
        bytes.put(blob.extracting(position...))
        return Int(count)
    }

    /// The headers of an event, after those carried that do not speak of another event.
    private func carryHeaders(
        _ headers: ByteValues?, _ row: Int, of event: AlarmEncoder.Event,
        into bytes: inout ByteWriter
    ) -> Int {
        let carried = headers.flatMap { RecordHeaders.decode($0.array(row)) } ?? []
        let all = carried.filter { !AlarmEncoder.isAttribute($0.key) } + event.headers
        for header in all { bytes.put(header.encoded) }
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

    /// Writes the header of a row's causes: `topic/partition:first-last#count` of every causing
    /// input, joined by `;`.
    private func writeCauses(_ columns: [CauseColumn], _ row: Int, to bytes: inout ByteWriter) {
        bytes.put(encodedCausesName)
        let start = bytes.count
        for cause in columns where cause.first[row] >= 0 {
            if bytes.count > start { bytes.put(0x3B) }
            let (first, last) = (cause.first[row], cause.last[row])
            bytes.put(causePrefixes[cause.input])
            bytes.put(decimal: first, scale: 0)
            if last != first {
                bytes.put(0x2D)
                bytes.put(decimal: last, scale: 0)
            }
            if let count = cause.counts?[row], count != 1 || last != first {
                bytes.put(0x23)
                bytes.put(decimal: Int64(count), scale: 0)
            }
        }
        bytes.putLength(before: start)
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
