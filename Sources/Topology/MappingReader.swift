import Primitives

/// Reads the keys of one YAML mapping against the ones allowed, reporting what is wrong.
package struct MappingReader {
    package let node: YAMLNode
    /// What the mapping is, for messages, such as `source 'load'`.
    package let what: String
    package let collector: DiagnosticCollector

    /// Nil, with a diagnostic, when the node is no mapping. Unknown keys are reported.
    package init?(
        _ node: YAMLNode, what: String, keys: [String], _ collector: DiagnosticCollector,
        example: String
    ) {
        self.node = node
        self.what = what
        self.collector = collector
        guard let entries = node.entries else {
            collector.report(
                "\(what) must be a mapping, not \(node.kind)", at: node.location, hint: example)
            return nil
        }
        for entry in entries where !keys.contains(entry.key) {
            collector.report(
                "unknown key '\(entry.key)' in \(what)", at: entry.keyLocation,
                hint: Suggestion.hint(for: entry.key, in: keys, kind: "known keys"))
        }
    }

    /// A key with its value and place; nil when it is missing. Reports nothing. O(keys).
    package func entry(_ key: String) -> YAMLNode.Entry? {
        node.entries?.first { $0.key == key }
    }

    /// The value under a key, when the key is there.
    package subscript(_ key: String) -> YAMLNode? { entry(key)?.value }

    /// The value under a key, or a diagnostic that it is missing.
    package func required(_ key: String, hint: String, reason: String? = nil) -> YAMLNode? {
        if let value = self[key] { return value }
        let tail = reason.map { ": \($0)" } ?? ""
        collector.report("\(what) needs '\(key)'\(tail)", at: node.location, hint: hint)
        return nil
    }

    /// Text of a scalar that is not empty; a diagnostic for anything else but a missing key.
    package func text(_ key: String, hint: String) -> Located<String>? {
        guard let value = self[key] else { return nil }
        guard let text = value.text, !text.isEmpty else {
            collector.report(
                "'\(key)' must be a single value, not \(value.kind)", at: value.location,
                hint: hint)
            return nil
        }
        return Located(value: text, location: value.location)
    }

    /// As ``text(_:hint:)``, but a missing key is a diagnostic too.
    package func requiredText(_ key: String, hint: String) -> Located<String>? {
        guard required(key, hint: hint) != nil else { return nil }
        return text(key, hint: hint)
    }

    /// One of a few words; `default` when the key is missing, nil after a diagnostic.
    package func choice<Value>(
        _ key: String, _ choices: [(String, Value)], default value: Value
    ) -> Value? {
        guard self[key] != nil else { return value }
        let words = choices.map(\.0)
        let list = words.joined(separator: ", ")
        guard let text = text(key, hint: "one of: \(list)") else { return nil }
        if let choice = choices.first(where: { $0.0 == text.value }) { return choice.1 }
        collector.report(
            "'\(key)' cannot be '\(text.value)'", at: text.location, hint: "one of: \(list)")
        return nil
    }

    /// The longest duration taken: no sum of a few of them and an event time overflows.
    package static let maximumDuration: Int64 = 36_500 * 86_400_000_000

    /// A duration in microseconds; nil after a diagnostic or when the key is missing.
    package func duration(_ key: String, minimum: Int64 = 0, example: String) -> Int64? {
        let hint = "write a duration such as \(example)"
        guard let text = text(key, hint: hint) else { return nil }
        return MappingReader.duration(
            text, name: "'\(key)'", minimum: minimum, hint: hint, collector)
    }

    /// A duration text in microseconds, or nil after a diagnostic.
    package static func duration(
        _ text: Located<String>, name: String, minimum: Int64, hint: String,
        _ collector: DiagnosticCollector
    ) -> Int64? {
        guard let value = DurationText.parse(text.value) else {
            let isNegative = text.value.hasPrefix("-")
            collector.report(
                isNegative
                    ? "\(name) must not be negative" : "'\(text.value)' is not a duration",
                at: text.location, hint: "\(hint); units: d, h, m, s, ms, us")
            return nil
        }
        guard value >= minimum else {
            collector.report("\(name) must be more than 0", at: text.location, hint: hint)
            return nil
        }
        guard value <= maximumDuration else {
            collector.report(
                "\(name) must not be longer than 36500d", at: text.location, hint: hint)
            return nil
        }
        return value
    }
}
