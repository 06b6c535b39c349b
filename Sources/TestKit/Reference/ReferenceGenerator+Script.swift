import Primitives
import Topology

/// One action of a script.
package enum ReferenceAction: Hashable, Sendable, Codable {
    case append(Int, ReferenceRecord)
    /// Take everything that is there.
    case merge
    /// A recorded tick, milliseconds.
    case tick(Int64)
    case flush
}

extension ReferenceGenerator {
    /// A multiple of every window and granule in use.
    static let start: Int64 = 1_700_000_040_000

    /// Rows of all sources in order of arrival, cut by merges, ticks and flushes.
    package mutating func script(_ topology: ReferenceTopology) -> [ReferenceAction] {
        let isInt = topology.sources.first { $0.time != nil }?.fields[0].type == .int
        let all: [ReferenceValue] =
            isInt
            ? [2, 10, 9, 1, 33].map { .number(ReferenceNumber($0)) }
            : ["B", "a", "aa", "A", "é"].map { .string($0) }
        let keys = Array(all.prefix(random.int(in: 1...5)))
        var records: [(arrival: Int64, source: Int, record: ReferenceRecord)] = []
        for (index, source) in topology.sources.enumerated() {
            let made =
                switch source.time {
                case .some: readings(source, keys, random.int(in: 4...60))
                case nil: source.isPlain ? versions(source, keys) : lateVersions(source, keys)
                }
            records += made.enumerated().map { number, record in
                (record.order, index, record.record)
            }
        }
        let ordered = records.enumerated().sorted {
            ($0.element.arrival, $0.offset) < ($1.element.arrival, $1.offset)
        }.map(\.element)
        let follows = chance(60)
        var actions: [ReferenceAction] = []
        var wall = Self.start
        for (arrival, source, record) in ordered {
            actions.append(.append(source, record))
            wall = max(wall, (arrival / 1000 + 1) * 1000)
            guard follows else {
                if chance(2) { actions += [.merge, .flush] }
                continue
            }
            if chance(30) { actions.append(.merge) }
            if chance(8) {
                actions.append(.merge)
                for _ in 0..<random.int(in: 1...12) {
                    wall += chance(5) ? 60_000 : 1000
                    actions.append(.tick(wall))
                }
            }
            if chance(2) { actions += [.merge, .flush] }
        }
        actions.append(.merge)
        if chance(80) { actions.append(.flush) }
        if chance(20) { actions.append(.flush) }
        return actions
    }

    typealias Ordered = (order: Int64, record: ReferenceRecord)

    private mutating func readings(
        _ source: ReferenceSource, _ keys: [ReferenceValue], _ count: Int
    ) -> [Ordered] {
        guard let rule = source.time else { return [] }
        var result: [Ordered] = []
        var now = Self.start
        let step: Int64 = pick([500, 1000, 1000, 3000])
        for _ in 0..<count {
            now += step * Int64(random.int(in: 0...3))
            var time = now
            switch random.int(in: 0...99) {
            case 0..<25: time -= min(rule.disorder, 1000 * Int64(random.int(in: 0...5)))
            case 25..<40:
                time -= 1000 * Int64(random.int(in: 0...25))
            case 40..<43: time += 86_400_000
            default: break
            }
            var arrival = now + 500 * Int64(random.int(in: 0...4))
            switch random.int(in: 0...99) {
            case 0..<3: arrival = time - rule.ahead
            case 3..<6: arrival = time - rule.ahead - 1
            case 6..<8: now += 40_000
            default: break
            }
            if let last = result.last, chance(6) {
                result.append((now, last.record))
                continue
            }
            var record = reading(source, pick(keys), time, arrival)
            if chance(5) { spoil(&record) }
            result.append((now, record))
        }
        return result
    }

    private mutating func reading(
        _ source: ReferenceSource, _ key: ReferenceValue, _ time: Int64, _ arrival: Int64
    ) -> ReferenceRecord {
        let values: [String: ReferenceValue] = [
            source.fields[0].name: key, "ts": .time(time * 1000),
            "a": .number(ReferenceNumber(units: 5 * random.int(in: 0...20), scale: 1)),
            "b": chance(20)
                ? .null : .number(ReferenceNumber(units: 25 * random.int(in: 0...20), scale: 2)),
            "n": .number(ReferenceNumber(Int128(random.int(in: 0...5)))),
            "tag": chance(30) ? .null : .string(pick(["x", "y", "x\"é"])),
        ]
        return ReferenceRecord(
            text: json(source.fields, values), arrival: arrival, arrivalIsHeader: chance(50),
            time: time, values: values)
    }

    /// JSON of a record; a null is written as null or left out.
    private mutating func json(
        _ fields: [ReferenceField], _ values: [String: ReferenceValue]
    ) -> String {
        var parts: [String] = []
        for field in fields {
            let value = values[field.name] ?? .null
            if value == .null, chance(50) { continue }
            parts.append("\"\(field.name)\":\(text(value, field.type))")
        }
        return "{" + parts.joined(separator: ",") + "}"
    }

    private func text(_ value: ReferenceValue, _ type: ReferenceType) -> String {
        switch value {
        case .null: "null"
        case .bool(let bool): "\(bool)"
        case .number(let number): number.text(scale: type.scale)
        case .string(let string): JSONValue.string(string).text
        case .time(let time): "\(time / 1000)"
        case .curve(let points):
            "["
                + points.map { "{\"x\":\($0.x.text(scale: 1)),\"y\":\($0.y.text(scale: 2))}" }
                .joined(separator: ",") + "]"
        }
    }

    /// Makes a record unusable, as a whole or in one field.
    private mutating func spoil(_ record: inout ReferenceRecord) {
        switch random.int(in: 0...4) {
        case 0:
            record.text = "not json"
            record.fault = .init("malformed", field: nil)
            record.time = nil
        case 1:
            record.text = ""
            record.fault = .init("malformed", field: nil)
            record.time = nil
        case 2:
            record.text = "{}"
            record.fault = .init("missing-field", field: nil)
            record.time = nil
        case 3:
            record.text = record.text.replacing("\"a\":", with: "\"other\":")
            record.fault = .init("missing-field", field: "a")
        default:
            record.text = record.text.replacing("\"n\":", with: "\"n\":\"x\",\"other\":")
            record.fault = .init("wrong-type", field: "n")
        }
    }

    private mutating func versions(
        _ source: ReferenceSource, _ keys: [ReferenceValue]
    ) -> [Ordered] {
        var result: [Ordered] = []
        for _ in 0..<random.int(in: 1...8) {
            let time = Self.start + 1000 * Int64(random.int(in: -20...40))
            let record = version(source, keys, time)
            result.append((time - (chance(20) ? 10_000 : 30_000), record))
        }
        return result
    }

    /// Versions that come when they are valid, somewhat later, or somewhat earlier.
    private mutating func lateVersions(
        _ source: ReferenceSource, _ keys: [ReferenceValue]
    ) -> [Ordered] {
        var keys = keys
        if !source.hasStreamKey {
            keys =
                source.fields[0].type == .int
                ? (0...5).map { .number(ReferenceNumber(Int128($0))) }
                : ["x", "y", "x\"é", "B", "a", "normal", "warn"].map { .string($0) }
        }
        var result: [Ordered] = []
        for number in 0..<random.int(in: 5...40) {
            guard number >= keys.count else {
                let time = Self.start - 20_000
                result.append((time, version(source, chance(70) ? [keys[number]] : keys, time)))
                continue
            }
            let time = Self.start + 1000 * Int64(random.int(in: -10...60))
            let delay = 1000 * Int64(random.int(in: -10...10))
            result.append((time + delay, version(source, keys, time)))
        }
        return result
    }

    private mutating func version(
        _ source: ReferenceSource, _ keys: [ReferenceValue], _ time: Int64
    ) -> ReferenceRecord {
        let points = [0, 25, 50, 100].dropFirst(chance(20) ? 1 : 0).map { x in
            ReferenceValue.Point(
                x: ReferenceNumber(units: x, scale: 1),
                y: ReferenceNumber(units: 25 * random.int(in: 0...20), scale: 2))
        }
        let values: [String: ReferenceValue] = [
            source.fields[0].name: pick(keys), "ts": .time(time * 1000),
            "top": .number(ReferenceNumber(units: 5 * random.int(in: 4...16), scale: 1)),
            "curve": .curve(Array(points)),
            "label": chance(30) ? .null : .string(pick(["x", "z"])),
        ]
        var record = ReferenceRecord(
            text: json(source.fields, values), arrival: time, time: time, values: values)
        if chance(5) {
            record.text = "not json"
            record.fault = .init("malformed", field: nil)
            record.time = nil
        }
        return record
    }
}
