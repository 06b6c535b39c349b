import Primitives

/// A record that a run of a case put into a sink.
package struct ProducedRecord: Sendable {
    package var key: String?
    /// Microseconds.
    package var time: Int64
    /// `new`, `correct` or `withdraw`.
    package var change: String
    /// Number of earlier versions; 0 for a new record.
    package var revision: Int
    /// The record's value, JSON text.
    package var value: String

    package init(key: String?, time: Int64, change: String, revision: Int = 0, value: String) {
        self.key = key
        self.time = time
        self.change = change
        self.revision = revision
        self.value = value
    }
}

/// A record that a run of a case rejected.
package struct ProducedReject: Sendable {
    package var source: String
    package var reason: String
    /// Number of the input item, from 1.
    package var row: Int
    package var detail: String

    package init(source: String, reason: String, row: Int, detail: String = "") {
        self.source = source
        self.reason = reason
        self.row = row
        self.detail = detail
    }
}

/// Compares what a case expects with what its run produced.
package enum CaseComparison {
    /// A readable difference, nil when all is as expected.
    ///
    /// Numbers compare by value (`0.9` is `0.90`), timestamps as instants; a null and a missing
    /// field are the same. Fields that the case does not name are not compared.
    package static func difference(
        _ expected: CaseFile, produced: [String: [ProducedRecord]], rejects: [ProducedReject]
    ) -> String? {
        var lines: [String] = []
        for expectation in expected.expectations {
            let found = produced[expectation.topic] ?? []
            let problems = compare(
                expectation.records, found, differences: differences, expected: describe,
                produced: describe)
            if !problems.isEmpty { lines += ["\(expectation.topic):"] + problems }
        }
        let problems = compare(
            expected.rejects, rejects, differences: differences, expected: describe,
            produced: describe)
        if !problems.isEmpty { lines += ["rejects:"] + problems }
        return lines.isEmpty ? nil : lines.joined(separator: "\n")
    }

    private static func compare<Expected, Produced>(
        _ expected: [Expected], _ produced: [Produced],
        differences: (Expected, Produced) -> [String],
        expected describeExpected: (Expected) -> String,
        produced describeProduced: (Produced) -> String
    ) -> [String] {
        var lines: [String] = []
        for index in 0..<max(expected.count, produced.count) {
            if index >= expected.count {
                lines.append("  + \(index + 1): not expected: \(describeProduced(produced[index]))")
            } else if index >= produced.count {
                lines.append("  - \(index + 1): missing: \(describeExpected(expected[index]))")
            } else {
                let found = differences(expected[index], produced[index])
                if found.isEmpty { continue }
                lines.append("  ~ \(index + 1): \(describeProduced(produced[index]))")
                lines += found.map { "      \($0)" }
            }
        }
        return lines
    }

    private static func differences(
        _ expected: ExpectedRecord, _ produced: ProducedRecord
    ) -> [String] {
        var lines: [String] = []
        if let key = expected.key, key != produced.key {
            lines.append("key: expected \(key), got \(produced.key ?? "null")")
        }
        if let time = expected.time, time != produced.time {
            lines.append(
                "time: expected \(Timestamp.text(time)), got \(Timestamp.text(produced.time))")
        }
        if let change = expected.change, change != produced.change {
            lines.append("change: expected \(change), got \(produced.change)")
        }
        if let revision = expected.revision, revision != produced.revision {
            lines.append("revision: expected \(revision), got \(produced.revision)")
        }
        if expected.fields.isEmpty { return lines }
        guard let value = JSONReader.read(produced.value) else {
            return lines + ["the value is not JSON: \(produced.value)"]
        }
        for field in expected.fields {
            // An alarm holds fields of its row in a member of that name.
            let found = value[field.name] ?? value["fields"]?[field.name]
            if !isEqual(field.value, found ?? .null) {
                lines.append(
                    "\(field.name): expected \(field.value.text), got \(found?.text ?? "nothing")")
            }
        }
        return lines
    }

    private static func differences(
        _ expected: ExpectedReject, _ produced: ProducedReject
    ) -> [String] {
        var lines: [String] = []
        if let source = expected.source, source != produced.source {
            lines.append("source: expected \(source), got \(produced.source)")
        }
        if let reason = expected.reason, reason != produced.reason {
            lines.append("reason: expected \(reason), got \(produced.reason)")
        }
        if let row = expected.row, row != produced.row {
            lines.append("row: expected \(row), got \(produced.row)")
        }
        return lines
    }

    /// Whether two values say the same: numbers by value, timestamps as instants.
    package static func isEqual(_ expected: JSONValue, _ produced: JSONValue) -> Bool {
        switch (expected, produced) {
        case (.number(let a), .number(let b)): return ExactNumber(a) == ExactNumber(b)
        case (.string(let a), .string(let b)):
            if a.utf8.elementsEqual(b.utf8) { return true }
            guard let first = Timestamp.parse(a) else { return false }
            return first == Timestamp.parse(b)
        case (.array(let a), .array(let b)):
            return a.count == b.count && zip(a, b).allSatisfy { isEqual($0, $1) }
        case (.object(let a), .object(let b)):
            return a.count == b.count
                && a.allSatisfy { member in
                    produced[member.name].map { isEqual(member.value, $0) } ?? false
                }
        default: return expected == produced
        }
    }

    // MARK: Descriptions

    private static func describe(_ record: ExpectedRecord) -> String {
        var parts: [String] = []
        if let key = record.key { parts.append("key \(key)") }
        if let time = record.time { parts.append(Timestamp.text(time)) }
        if let change = record.change { parts.append(change) }
        if !record.fields.isEmpty { parts.append(JSONValue.object(record.fields).text) }
        return parts.isEmpty ? "any record" : parts.joined(separator: " ")
    }

    private static func describe(_ record: ProducedRecord) -> String {
        let change = record.change == "new" ? "" : " \(record.change)"
        return "key \(record.key ?? "null") \(Timestamp.text(record.time))\(change) \(record.value)"
    }

    private static func describe(_ reject: ExpectedReject) -> String {
        var parts: [String] = []
        if let row = reject.row { parts.append("row \(row)") }
        if let source = reject.source { parts.append("of \(source)") }
        if let reason = reject.reason { parts.append(reason) }
        return parts.isEmpty ? "any reject" : parts.joined(separator: " ")
    }

    private static func describe(_ reject: ProducedReject) -> String {
        let detail = reject.detail.isEmpty ? "" : " (\(reject.detail))"
        return "row \(reject.row) of \(reject.source) \(reject.reason)\(detail)"
    }
}
