import Columnar
import Dataflow
import Primitives

extension CaseFile {
    /// Reads all cases of a topology, in the order of their file names.
    package static func load(
        _ files: some TopologyFiles, for plans: [Plan]
    ) throws(DiagnosticList) -> [CaseFile] {
        var cases: [CaseFile] = []
        var problems: [Diagnostic] = []
        do {
            for name in try files.caseNames() {
                guard let source = try files.read(name) else { continue }
                do {
                    cases.append(try read(source, for: plans))
                } catch {
                    problems += error.diagnostics
                }
            }
        } catch {
            problems.append(error)
        }
        if !problems.isEmpty { throw DiagnosticList(problems) }
        return cases
    }

    /// Reads one case; sources and topics must be the plan's.
    package static func read(
        _ source: SourceText, for plans: [Plan]
    ) throws(DiagnosticList) -> CaseFile {
        let collector = DiagnosticCollector()
        var result: CaseFile?
        if let root = YAMLReader.read(source, collector) {
            result = CaseReader(plans: plans, collector: collector).read(root)
        }
        guard let result, collector.isEmpty else { throw collector.list(firstFile: source.name) }
        return result
    }
}

/// Reads a case file's YAML. One thread.
private struct CaseReader {
    /// The stages of the topology.
    let plans: [Plan]
    let collector: DiagnosticCollector

    func read(_ root: YAMLNode) -> CaseFile? {
        guard
            let reader = MappingReader(
                root, what: "a case",
                keys: ["case", "describe", "input", "bounded", "partitions", "expect"], collector,
                example: "begin with 'case: <what it shows>'")
        else { return nil }
        let name = reader.requiredText("case", hint: "case: two readings confirm a warning")
        let bounded = reader.choice("bounded", [("true", true), ("false", false)], default: true)
        let partitions = readPartitions(reader)
        let input = readInput(reader)
        let expected = readExpect(reader, inputCount: input.count)
        guard let name, let bounded, let partitions else { return nil }
        return CaseFile(
            name: name.value, description: reader["describe"]?.text ?? "", input: input,
            expectations: expected.records, rejects: expected.rejects, bounded: bounded,
            partitions: partitions, location: root.location)
    }

    private func readPartitions(_ reader: MappingReader) -> Int? {
        guard reader["partitions"] != nil else { return 1 }
        let hint = "a whole number from 1 to 64, such as 'partitions: 4'"
        guard let text = reader.text("partitions", hint: hint) else { return nil }
        guard let count = Int(text.value), (1...64).contains(count), String(count) == text.value
        else {
            collector.report(
                "'\(text.value)' is no number of partitions", at: text.location, hint: hint)
            return nil
        }
        return count
    }

    // MARK: Input

    private func readInput(_ reader: MappingReader) -> [CaseInput] {
        let example = "input: [{load: {device: C1, ts: \"2026-03-02T08:00:01Z\"}}]"
        guard let node = reader.required("input", hint: example) else { return [] }
        guard let items = node.items else {
            collector.report(
                "'input' must be a list, not \(node.kind)", at: node.location, hint: example)
            return []
        }
        return items.compactMap { readItem($0, example: example) }
    }

    private func readItem(_ node: YAMLNode, example: String) -> CaseInput? {
        let sources = sourceNames
        guard
            let reader = MappingReader(
                node, what: "an input item", keys: sources + ["tick", "until", "arrival", "key"],
                collector,
                example: example)
        else { return nil }
        let named = sources.filter { reader[$0] != nil }
        let hint = "a source with its value, or a tick: \(sources.joined(separator: ", ")), tick"
        guard named.count + (reader["tick"] == nil ? 0 : 1) == 1 else {
            if named.isEmpty, node.entries?.contains(where: { isUnknown($0.key) }) == true {
                return nil
            }
            collector.report(
                "an input item is one record or one tick", at: node.location, hint: hint)
            return nil
        }
        var arrival: Int64?
        if reader["arrival"] != nil {
            guard let time = instant(reader, "arrival") else { return nil }
            arrival = time
        }
        guard let source = named.first, let value = reader[source] else {
            for key in ["arrival", "key"] {
                guard let entry = reader.entry(key) else { continue }
                collector.report("a tick has no '\(key)'", at: entry.keyLocation, hint: "remove it")
            }
            return readTick(reader).map { CaseInput(content: $0, location: node.location) }
        }
        if let until = reader.entry("until") {
            collector.report(
                "'until' goes with 'tick' only", at: until.keyLocation, hint: "remove it")
        }
        let content: CaseValue =
            value.text.map { .text($0) } ?? .json(CaseReader.json(value))
        return CaseInput(
            content: .record(source: source, value: content),
            key: reader.text("key", hint: "key: C1")?.value, arrival: arrival,
            location: node.location)
    }

    private func readTick(_ reader: MappingReader) -> CaseInput.Content? {
        let first = instant(reader, "tick")
        guard reader["until"] != nil else { return first.map { .tick($0) } }
        guard let last = instant(reader, "until"), let first else { return nil }
        let longest = 100 * Timestamp.microsecondsPerDay
        guard last >= first, last - first <= longest else {
            collector.report(
                last < first ? "'until' is before 'tick'" : "more than 100 days of ticks",
                at: reader["until"]?.location, hint: "a tick is made at every second between them")
            return nil
        }
        return .ticks(first...last)
    }

    /// Names of the sources that a case can give rows to.
    private var sourceNames: [String] {
        var names: [String] = []
        for source in plans.flatMap(\.sources)
        where source.partitions != .substreams && !names.contains(source.name) {
            names.append(source.name)
        }
        return names
    }

    private func isUnknown(_ key: String) -> Bool {
        !sourceNames.contains(key) && !["tick", "until", "arrival", "key"].contains(key)
    }

    private func instant(_ reader: MappingReader, _ key: String) -> Int64? {
        let hint = "such as \"2026-03-02T08:00:02Z\""
        guard let text = reader.text(key, hint: hint) else { return nil }
        guard let time = Timestamp.parse(text.value) else {
            collector.report(
                "'\(text.value)' is not a point in time", at: text.location, hint: hint)
            return nil
        }
        return time
    }

    /// YAML as JSON: plain numbers keep their digits, plain true, false, null are what they say,
    /// and so is a value left out; everything else is a string.
    static func json(_ node: YAMLNode) -> JSONValue {
        switch node.content {
        case .mapping(let entries): .object(entries.map { .init($0.key, json($0.value)) })
        case .sequence(let items): .array(items.map(json))
        case .scalar(let text, .plain):
            switch text {
            case "null", "": .null
            case "true": .bool(true)
            case "false": .bool(false)
            default: ExactNumber(text) == nil ? .string(text) : .number(text)
            }
        case .scalar(let text, _): .string(text)
        }
    }

    // MARK: Expectations

    private func readExpect(
        _ reader: MappingReader, inputCount: Int
    ) -> (records: [CaseExpectation], rejects: [ExpectedReject]) {
        let topics = plans.flatMap(\.sinks).map(\.topic)
        let example = "expect: {\(topics.first ?? "alarms.crane"): []}"
        guard let node = reader.required("expect", hint: example),
            let expect = MappingReader(
                node, what: "'expect'", keys: topics + ["rejects"], collector, example: example)
        else { return ([], []) }
        var records: [CaseExpectation] = []
        var rejects: [ExpectedReject] = []
        for entry in expect.node.entries ?? [] {
            guard let items = entry.value.items else {
                collector.report(
                    "'\(entry.key)' must be a list, not \(entry.value.kind)",
                    at: entry.value.location, hint: "[] for none")
                continue
            }
            if entry.key == "rejects" {
                rejects = items.compactMap { readReject($0, inputCount: inputCount) }
            } else if topics.contains(entry.key) {
                records.append(
                    CaseExpectation(
                        topic: entry.key, records: items.compactMap { readRecord($0, entry.key) }))
            }
        }
        return (records, rejects)
    }

    private func readRecord(_ node: YAMLNode, _ topic: String) -> ExpectedRecord? {
        let fields = plans.compactMap { $0.fields(ofSink: topic) }.first ?? []
        let own = ["key", "time", "change", "revision"]
        guard
            let reader = MappingReader(
                node, what: "a record of '\(topic)'", keys: own + fields,
                collector, example: "{key: C1, level: warning}")
        else { return nil }
        let changes = [("new", "new"), ("correct", "correct"), ("withdraw", "withdraw")]
        let change = reader["change"] == nil ? nil : reader.choice("change", changes, default: "")
        let values = (node.entries ?? []).filter { !own.contains($0.key) }
        let revision = reader.text("revision", hint: "revision: 1")
        let number = revision.flatMap { Int($0.value) }
        if let revision, number == nil {
            collector.report(
                "'revision' is not a whole number", at: revision.location, hint: "revision: 1")
        }
        return ExpectedRecord(
            key: reader.text("key", hint: "key: C1")?.value, time: instant(reader, "time"),
            change: change, revision: number,
            fields: values.map { .init($0.key, CaseReader.json($0.value)) },
            location: node.location)
    }

    private func readReject(_ node: YAMLNode, inputCount: Int) -> ExpectedReject? {
        let example = "{source: load, reason: late, row: 3}"
        guard
            let reader = MappingReader(
                node, what: "a reject", keys: ["source", "reason", "row"], collector,
                example: example)
        else { return nil }
        let source = reader.text("source", hint: example)
        let names = sourceNames
        if let source, !names.contains(source.value) {
            collector.report(
                "there is no source '\(source.value)'", at: source.location,
                hint: Suggestion.hint(for: source.value, in: names, kind: "sources"))
        }
        let reason = reader.text("reason", hint: example)
        if let reason, !RejectReasons.all.contains(reason.value) {
            collector.report(
                "there is no reject reason '\(reason.value)'", at: reason.location,
                hint: Suggestion.hint(for: reason.value, in: RejectReasons.all, kind: "reasons"))
        }
        var row: Int?
        if let text = reader.text("row", hint: example) {
            row = Int(text.value)
            if row.map({ $0 >= 1 && $0 <= inputCount }) != true {
                collector.report(
                    "'\(text.value)' is not the number of an input item", at: text.location,
                    hint: "from 1 to \(inputCount)")
            }
        }
        return ExpectedReject(
            source: source?.value, reason: reason?.value, row: row, location: node.location)
    }
}

/// The words that reject records use for their reason.
package enum RejectReasons {
    package static let all = [
        "malformed", "precision", "out-of-range", "missing-field", "wrong-type", "crc", "clock",
        "late", "out-of-order", "duplicate", "unmatched", "wrong-partition", "unexpected",
        "null-value", "unknown-schema", "division-by-zero", "overflow", "invalid-argument",
        "no-such-key", "index-out-of-bounds",
    ]
}

extension Plan {
    /// Names of the fields that a sink's records have; nil when no sink writes the topic.
    fileprivate func fields(ofSink topic: String) -> [String]? {
        guard let sink = sinks.first(where: { $0.topic == topic }) else { return nil }
        let schema =
            switch sink.input {
            case .source(let index): sources[index].schema
            case .step(let index): steps[index].output
            }
        let names = schema.fields.map(\.name)
        if case .cloudEvents = sink.format { return names + AlarmPlan.members }
        return names
    }
}
