import Columnar
import Dataflow
import Primitives
import RecordLog

/// Writes rows as CloudEvents 1.0 with the alarm's envelope as data: in Kafka's binary mode the
/// attributes as headers, in structured mode the whole event as JSON. See
/// `docs/reference/alarms.md`.
///
/// The same row always gives the same bytes. Immutable.
package struct AlarmEncoder: Sendable {
    /// One event.
    package struct Event {
        package var headers: [RecordHeader]
        package var value: [UInt8]
    }

    private let plan: AlarmPlan
    private let schema: Schema
    /// Fields that have no place of their own in the envelope.
    private let others: [Int]
    private let unit: String?
    private let sha256: @Sendable ([UInt8]) -> [UInt8]

    /// `schema` is that of the rows; `sha256` gives the 32 bytes of a hash.
    package init(
        _ plan: AlarmPlan, schema: Schema, sha256: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) {
        self.plan = plan
        self.schema = schema
        self.sha256 = sha256
        let own = plan.fields.all + [plan.keyField]
        others = schema.fields.indices.filter { !own.contains($0) }
        unit = plan.fields.value.flatMap { schema.fields[$0].type.unit?.code }
    }

    /// The event of a row. `change` and `revision` go into it for rows that are not new.
    ///
    /// O(bytes written).
    package func encode(_ batch: Batch, _ row: Int, key: [UInt8]) -> Event {
        let time = Timestamp.text(batch.times[row])
        let level = text(plan.fields.level, batch, row)
        let event = text(plan.fields.event, batch, row)
        var since = time
        if plan.fields.hasEpisodes, let start = text(plan.fields.since, batch, row) {
            since = start
        }
        let rule = text(plan.fields.rule, batch, row) ?? plan.rule
        let texts = plan.rules[rule] ?? plan.common
        let episode = episode(rule, key, since)
        var json = Members()
        json.add("episode", text: episode)
        json.add("rule", text: rule)
        json.add("event", text: event)
        json.add("level", text: level)
        json.add("previous", text: text(plan.fields.previous, batch, row))
        json.add("severity", text: texts.severity.value(level) ?? level)
        json.add("majorHazardProposed", raw: "\(texts.majorHazard.value(level) ?? false)")
        json.add("value", bytes: raw(plan.fields.value, batch, row))
        json.add("limit", bytes: raw(plan.fields.limit, batch, row))
        json.add("unit", text: unit)
        json.add("basis", text: texts.basis.value(level))
        json.add("message", bytes: message(texts, event, batch, row))
        json.add("since", text: since)
        json.add("key", text: String(decoding: key, as: UTF8.self))
        json.add("time", text: time)
        var fields = Members()
        for index in others {
            fields.add(schema.fields[index].name, bytes: raw(index, batch, row))
        }
        json.add("fields", bytes: fields.object)
        let change = batch.change(row)
        if change != .new {
            json.add("change", text: change == .correct ? "correct" : "withdraw")
            json.add("revision", raw: "\(batch.revisions?[row] ?? 0)")
        }
        let value = json.object
        let id = "\(episode)-\(Self.hexadecimal(sha256(value).prefix(8)))"
        let attributes = attributes(id: id, rule: rule, time: time, batch, row)
        return plan.isStructured
            ? Self.structured(attributes, data: value)
            : Event(
                headers: attributes.map { RecordHeader("ce_\($0.name)", $0.value) }
                    + [RecordHeader("content-type", "application/json")], value: value)
    }

    /// An event in the JSON event format (CloudEvents 1.0.2).
    private static func structured(
        _ attributes: [(name: String, value: String)], data: [UInt8]
    ) -> Event {
        var json = Members()
        for (name, value) in attributes { json.add(name, text: value) }
        json.add("datacontenttype", text: "application/json")
        json.add("data", bytes: data)
        let type = "application/cloudevents+json; charset=UTF-8"
        return Event(headers: [RecordHeader("content-type", type)], value: json.object)
    }

    private func attributes(
        id: String, rule: String, time: String, _ batch: Batch, _ row: Int
    ) -> [(name: String, value: String)] {
        // A rule that is no name leaves the type to the sink's.
        let name = Self.canBeAttribute(rule) ? rule : plan.rule
        var attributes = [
            (name: "specversion", value: "1.0"), ("id", id), ("source", plan.source),
            ("type", plan.type ?? "\(plan.topology).\(name)"),
        ]
        if let subject = text(plan.subject, batch, row), Self.canBeAttribute(subject) {
            attributes.append(("subject", subject))
        }
        attributes.append(("time", time))
        return attributes
    }

    /// Whether a text can be the value of an attribute (CloudEvents §3, String): not empty, without
    /// control characters and noncharacters.
    private static func canBeAttribute(_ text: String) -> Bool {
        !text.isEmpty
            && text.unicodeScalars.allSatisfy { scalar in
                switch scalar.value {
                case 0x00...0x1F, 0x7F...0x9F, 0xFDD0...0xFDEF: false
                default: scalar.value & 0xFFFE != 0xFFFE
                }
            }
    }

    /// Whether a header of that name would be read as part of the event.
    package static func isAttribute(_ name: [UInt8]) -> Bool {
        let small = name.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        return small.starts(with: "ce_".utf8) || small == Array("content-type".utf8)
    }

    /// What the events of one episode share: a hash over topology, rule, key and start, each as a
    /// netstring (`<length>:<bytes>,`). The first 16 bytes in hexadecimal.
    private func episode(_ rule: String, _ key: [UInt8], _ since: String) -> String {
        var bytes: [UInt8] = []
        for part in [Array(plan.topology.utf8), Array(rule.utf8), key, Array(since.utf8)] {
            bytes += "\(part.count):".utf8
            bytes += part
            bytes.append(0x2C)
        }
        return Self.hexadecimal(sha256(bytes).prefix(16))
    }

    private static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
            as: UTF8.self)
    }

    // MARK: Values

    /// A field's value as JSON; nil where the rows have no such field.
    private func raw(_ field: Int?, _ batch: Batch, _ row: Int) -> [UInt8]? {
        guard let field else { return nil }
        var bytes = ByteWriter(capacity: 64)
        JSONWriter.value(batch.columns[field], row, schema.fields[field].type, to: &bytes)
        return bytes.array()
    }

    /// A field's value as people read it: as in JSON, text without quotes and escapes; nil for
    /// null.
    private func text(_ field: Int?, _ batch: Batch, _ row: Int) -> String? {
        guard let field else { return nil }
        let column = batch.columns[field]
        guard column.isValid(row) else { return nil }
        if case .string = schema.fields[field].type {
            switch column.values {
            case .bytes(let values): return String(decoding: values.array(row), as: UTF8.self)
            case .dictionary(let values):
                guard case .bytes(let base) = values.base.values else { return nil }
                return String(decoding: base.array(Int(values.indices[row])), as: UTF8.self)
            default: return nil
            }
        }
        var bytes = raw(field, batch, row) ?? []
        if bytes == Array("null".utf8) { return nil }
        if bytes.first == 0x22 { bytes = Array(bytes.dropFirst().dropLast()) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func message(
        _ texts: AlarmTexts, _ event: String?, _ batch: Batch, _ row: Int
    ) -> [UInt8]? {
        guard let message = event.flatMap({ texts.eventMessages[$0] }) ?? texts.message else {
            return nil
        }
        var members = Members()
        members.add("zh", text: fill(message.chinese, batch, row))
        members.add("en", text: fill(message.english, batch, row))
        return members.object
    }

    private func fill(_ template: MessageTemplate, _ batch: Batch, _ row: Int) -> String {
        var result = ""
        for part in template.parts {
            switch part {
            case .text(let plain): result += plain
            case .field(let field): result += text(field, batch, row) ?? "-"
            }
        }
        return result
    }
}

/// The members of a JSON object, one after the other.
private struct Members: ~Copyable {
    private var bytes = ByteWriter(capacity: 256)

    init() { bytes.put(0x7B) }

    mutating func add(_ name: String, bytes value: [UInt8]?) {
        begin(name)
        if let value { bytes.put(value) } else { bytes.put("null") }
    }

    mutating func add(_ name: String, raw value: String) {
        begin(name)
        bytes.put(value)
    }

    mutating func add(_ name: String, text: String?) {
        begin(name)
        if let text {
            JSONWriter.string(Array(text.utf8).span, to: &bytes)
        } else {
            bytes.put("null")
        }
    }

    private mutating func begin(_ name: String) {
        if bytes.count > 1 { bytes.put(0x2C) }
        JSONWriter.string(Array(name.utf8).span, to: &bytes)
        bytes.put(0x3A)
    }

    var object: [UInt8] { bytes.array() + [0x7D] }
}
