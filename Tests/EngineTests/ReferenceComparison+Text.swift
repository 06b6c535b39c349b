import Dataflow
import Engine
import Primitives
import TestKit
import Topology

// Differences as texts.

extension ReferenceComparison {
    func compare(_ outcome: Outcome, _ other: Outcome) -> String? {
        for (sink, tasks) in outcome.sinks.enumerated() {
            for (task, records) in tasks.enumerated() {
                let others = other.sinks[sink][task]
                if let text = first(records.map(full), others.map(full)) {
                    return "sink \(sink), task \(task): \(text)"
                }
            }
        }
        for (stage, tasks) in outcome.rejects.enumerated() {
            for (task, records) in tasks.enumerated() {
                let others = other.rejects[stage][task]
                if let text = first(records.map(full), others.map(full)) {
                    return "rejects of stage \(stage + 1), task \(task): \(text)"
                }
            }
        }
        return outcome.state == other.state ? nil : "the states differ"
    }

    func compare(_ outcome: Outcome, _ engine: ReferenceEngine) -> String? {
        for (sink, tasks) in outcome.sinks.enumerated() {
            for (task, found) in tasks.enumerated() {
                let expected = engine.outputs(sink: sink)[task]
                let texts = found.enumerated().map { number, record in
                    text(record, like: number < expected.count ? expected[number] : nil)
                }
                if let text = first(texts, expected.map(text)) {
                    return "sink \(sink) (out.\(sink)), task \(task): \(text)"
                }
            }
        }
        for (stage, tasks) in outcome.rejects.enumerated() {
            for (task, found) in tasks.enumerated() {
                if let text = compare(found, engine.rejects[stage][task]) {
                    return "rejects of stage \(stage + 1), task \(task): \(text)"
                }
            }
        }
        return nil
    }

    private func compare(_ records: [OutputRecord], _ rejects: [ReferenceReject]) -> String? {
        let found = records.map { record in
            "\(record.header("plumbline.origin") ?? "") \(record.header("plumbline.reason") ?? "")"
                + " in \(step(record.header("plumbline.step") ?? ""))"
        }
        let expected = rejects.map { "\($0.origin) \($0.reason) in \($0.step)" }
        if let text = first(found.sorted(), expected.sorted()) { return text }
        // Which timer's rejects come first is the engine's own affair; those of taken records are
        // in their order, and for one record in that of the steps.
        let direct = Set(topology.sources.map(\.name) + directSteps)
        func isDirect(_ reject: String) -> Bool {
            reject.split(separator: " ").last.map { direct.contains(String($0)) } ?? false
        }
        return first(found.filter(isDirect), expected.filter(isDirect))
            .map { "their order: \($0)" }
    }

    /// Steps whose rows come straight from taken records, no window or wait between.
    private var directSteps: [String] {
        var isDirect: [Bool] = []
        var passesOn: [Bool] = []
        for step in topology.steps {
            var waits = false
            var collects = false
            switch step.operation {
            case .distinct(let byTime): waits = byTime
            case .levels(let rule): (waits, collects) = (rule.byTime, true)
            case .machine(let rule): (waits, collects) = (rule.byTime, true)
            case .window: collects = true
            case .shape(let lookup, _, _): waits = lookup?.awaits ?? false
            // Behind another clock what comes straight meets what has waited.
            case .union: collects = true
            case .otherwise, .rules, .rekey: break
            }
            let input =
                if case .step(let index) = step.from { passesOn[index] } else { true }
            isDirect.append(input && !waits)
            passesOn.append(input && !waits && !collects)
        }
        return zip(topology.steps, isDirect).filter(\.1).map(\.0.name)
    }

    /// A step of the plan, named as in the topology.
    private func step(_ name: String) -> String {
        topology.steps.map(\.name).last { name == $0 || name.hasPrefix($0 + ".") } ?? name
    }

    private func first(_ found: [String], _ expected: [String]) -> String? {
        for index in 0..<max(found.count, expected.count) {
            let a = index < found.count ? found[index] : "nothing"
            let b = index < expected.count ? expected[index] : "nothing"
            if a != b { return "record \(index)\n  found    \(a)\n  expected \(b)" }
        }
        return nil
    }

    private func full(_ record: OutputRecord) -> String {
        "\(record.timestamp) \(string(record.key)) \(string(record.value))"
            + " \(string(record.headers))"
    }

    private func string(_ bytes: [UInt8]?) -> String {
        bytes.map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }

    private func text(_ output: ReferenceOutput) -> String {
        let fields = zip(output.fields, output.values).map { field, value in
            "\(field.name)=\(text(value, field.type))"
        }
        return "\(output.time) \(output.key) \(output.change) \(output.revision) "
            + fields.joined(separator: " ")
    }

    private func text(_ value: ReferenceValue, _ type: ReferenceType) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let number): type == .number ? "\(number)" : number.text(scale: scale(type))
        case .string(let text): text
        case .time(let time): Timestamp.text(time)
        case .curve: "curve"
        }
    }

    private func scale(_ type: ReferenceType) -> Int {
        switch type {
        case .decimal(let scale), .ratio(let scale): min(scale, 18)
        default: 0
        }
    }

    /// A record as text; numbers without a stated scale as exact values.
    private func text(_ record: OutputRecord, like expected: ReferenceOutput?) -> String {
        guard case .object(let members)? = JSONReader.read(string(record.value)) else {
            return string(record.value)
        }
        let fields = members.enumerated().map { index, member in
            let type =
                expected.flatMap { index < $0.fields.count ? $0.fields[index].type : nil }
            return "\(member.name)=\(text(member.value, type))"
        }
        let change = record.header("plumbline.change") ?? "new"
        let revision = record.header("plumbline.revision") ?? "0"
        return "\(record.timestamp) \(string(record.key)) \(change) \(revision) "
            + fields.joined(separator: " ")
    }

    private func text(_ value: JSONValue, _ type: ReferenceType?) -> String {
        switch value {
        case .number(let digits):
            type == .number ? ReferenceNumber(digits).map { "\($0)" } ?? digits : digits
        case .string(let text): text
        case .array: "curve"
        default: value.text
        }
    }
}
