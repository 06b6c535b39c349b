import Primitives

// The `alarm:` of a sink.

/// What a sink says for all alarms, and may say for each rule.
private let alarmTextKeys = ["severity", "majorHazard", "basis", "message"]

extension SpecReader {
    private static let alarmExample = "alarm: {severity: …, message: {zh: …, en: …}}"

    /// The form of a sink's records; nil after a diagnostic.
    func readSinkFormat(_ reader: MappingReader) -> SinkFormatSpec? {
        let isEvents = reader.choice(
            "format", [("json", false), ("cloudevents", true)], default: false)
        guard let isEvents else { return nil }
        guard isEvents else {
            for key in ["alarm", "mode"] {
                guard let entry = reader.entry(key) else { continue }
                collector.report(
                    "'\(key)' goes with 'format: cloudevents'", at: entry.keyLocation,
                    hint: "say so, or remove '\(key)'")
                return nil
            }
            return .json
        }
        let isStructured = reader.choice(
            "mode", [("binary", false), ("structured", true)], default: false)
        let alarm =
            reader["alarm"].map { readAlarm($0) } ?? AlarmSpec(location: reader.node.location)
        guard let isStructured, var alarm else { return nil }
        alarm.isStructured = isStructured
        return .cloudEvents(alarm)
    }

    private func readAlarm(_ node: YAMLNode) -> AlarmSpec? {
        let names = ["rule", "type", "source", "subject"]
        guard
            let reader = MappingReader(
                node, what: "'alarm'", keys: names + alarmTextKeys + ["rules"], collector,
                example: Self.alarmExample)
        else { return nil }
        let count = collector.count
        var alarm = AlarmSpec(location: node.location)
        alarm.rule = rule(reader)
        alarm.type = attribute(
            reader, "type", hint: "a name without blanks, such as cn.example.crane.overload",
            isValid: SpecReader.isPlainName)
        alarm.source = attribute(
            reader, "source", hint: "a URI reference, such as /plumbline/crane-overload",
            isValid: SpecReader.isURIReference)
        alarm.subject = reader.text("subject", hint: "subject: the name of a field")
        alarm.common = alarmTexts(reader)
        alarm.rules = alarmRules(reader)
        return collector.count == count ? alarm : nil
    }

    /// The rule itself, or the field that names it.
    private func rule(_ reader: MappingReader) -> AlarmRuleSpec? {
        guard let node = reader["rule"], node.entries != nil else {
            return attribute(
                reader, "rule", hint: "letters, digits, '_' and '-', such as overload",
                isValid: NameRules.isLabel
            ).map { .name($0) }
        }
        let example = "rule: {field: name}"
        return MappingReader(
            node, what: "'rule'", keys: ["field"], collector, example: example
        )?.requiredText("field", hint: example).map { .field($0) }
    }

    private func alarmTexts(_ reader: MappingReader) -> AlarmTextsSpec {
        var texts = AlarmTextsSpec()
        texts.severity = byLevel(
            reader, "severity", example: "severity: {warning: minor, alarm: major}")
        texts.basis = byLevel(reader, "basis", example: "basis: GB 5144-2006 6.1")
        texts.majorHazard = truthByLevel(reader)
        readMessages(reader, into: &texts)
        return texts
    }

    private func alarmRules(
        _ reader: MappingReader
    ) -> [(name: Located<String>, texts: AlarmTextsSpec)] {
        guard let node = reader["rules"] else { return [] }
        let example = "rules: {work_without_plan: {severity: critical}}"
        guard reader["rule"]?.entries != nil else {
            collector.report(
                "'rules' goes with a rule from a field", at: node.location,
                hint: "say which: 'rule: {field: name}', or remove 'rules'")
            return []
        }
        guard let entries = node.entries, !entries.isEmpty else {
            collector.report(
                node.entries == nil
                    ? "'rules' must be a mapping, not \(node.kind)" : "'rules' names no rule",
                at: node.location, hint: example)
            return []
        }
        return entries.compactMap { entry in
            MappingReader(
                entry.value, what: "rule '\(entry.key)'", keys: alarmTextKeys, collector,
                example: example
            ).map {
                (Located(value: entry.key, location: entry.keyLocation), alarmTexts($0))
            }
        }
    }

    private func attribute(
        _ reader: MappingReader, _ key: String, hint: String, isValid: (String) -> Bool
    ) -> Located<String>? {
        guard let text = reader.text(key, hint: hint) else { return nil }
        guard isValid(text.value) else {
            collector.report(
                "'\(text.value)' cannot be the \(key) of an alarm", at: text.location, hint: hint)
            return nil
        }
        return text
    }

    /// Whether it has neither blanks nor control characters.
    static func isPlainName(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy {
            $0.value > 0x20 && !(0x7F...0x9F).contains($0.value) && !$0.properties.isWhitespace
        }
    }

    /// Whether it has only the characters of a URI reference (RFC 3986 §2).
    static func isURIReference(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: "-._~:/?#[]@!$&'()*+,;=%".utf8.contains(byte)
            }
        }
    }

    // MARK: Values by level

    private func byLevel(
        _ reader: MappingReader, _ key: String, example: String
    ) -> ByLevelSpec<String>? {
        values(reader, key, example: example) { node in
            guard let text = node.text, !text.isEmpty else {
                collector.report(
                    "'\(key)' must be a text or a mapping of levels to texts, not \(node.kind)",
                    at: node.location, hint: example)
                return nil
            }
            return text
        }
    }

    private func truthByLevel(_ reader: MappingReader) -> ByLevelSpec<Bool>? {
        let example = "majorHazard: true, or majorHazard: {critical: true}"
        return values(reader, "majorHazard", example: example) { node in
            switch node.text {
            case "true": return true
            case "false": return false
            default:
                collector.report(
                    "'majorHazard' must be true or false, or a mapping of levels to these",
                    at: node.location, hint: example)
                return nil
            }
        }
    }

    private func values<Value>(
        _ reader: MappingReader, _ key: String, example: String, read: (YAMLNode) -> Value?
    ) -> ByLevelSpec<Value>? {
        guard let node = reader[key] else { return nil }
        guard let entries = node.entries else {
            return read(node).map { ByLevelSpec(common: $0, levels: []) }
        }
        guard !entries.isEmpty else {
            collector.report("'\(key)' names no level", at: node.location, hint: example)
            return nil
        }
        let levels = entries.compactMap { entry in
            read(entry.value).map {
                (level: Located(value: entry.key, location: entry.keyLocation), value: $0)
            }
        }
        return levels.count == entries.count ? ByLevelSpec(common: nil, levels: levels) : nil
    }

    // MARK: Messages

    private func readMessages(_ reader: MappingReader, into texts: inout AlarmTextsSpec) {
        let example = "message: {zh: \"塔机 {device} 超载\", en: \"crane {device} overloaded\"}"
        guard let node = reader["message"] else { return }
        guard let entries = node.entries else {
            collector.report(
                "'message' must be a mapping, not \(node.kind)", at: node.location, hint: example)
            return
        }
        texts.message = message(node, example: example)
        for entry in entries where !["zh", "en"].contains(entry.key) {
            guard NameRules.isLabel(entry.key) else {
                collector.report(
                    "'\(entry.key)' is neither a language nor an event", at: entry.keyLocation,
                    hint: "zh, en, or an event such as cleared: {zh: …, en: …}")
                continue
            }
            guard
                MappingReader(
                    entry.value, what: "message '\(entry.key)'", keys: ["zh", "en"], collector,
                    example: "\(entry.key): {zh: …, en: …}") != nil,
                let message = message(entry.value, example: example)
            else { continue }
            texts.eventMessages.append(
                (Located(value: entry.key, location: entry.keyLocation), message))
        }
    }

    private func message(_ node: YAMLNode, example: String) -> MessageSpec? {
        let texts = ["zh", "en"].map { language -> TemplateText? in
            guard let value = node[language] else {
                collector.report(
                    "the message lacks '\(language)'", at: node.location, hint: example)
                return nil
            }
            guard let text = value.text, !text.isEmpty else {
                collector.report(
                    "'\(language)' must be a text, not \(value.kind)", at: value.location,
                    hint: example)
                return nil
            }
            switch TemplateText.parse(text) {
            case .success(let parts): return TemplateText(text: text, parts: parts, node: value)
            case .failure(let fault):
                collector.report(
                    fault.message, at: value.location(ofCharacter: fault.offset),
                    hint: "'{mass}' stands for the field mass, '{{' and '}}' for braces")
                return nil
            }
        }
        guard let chinese = texts[0], let english = texts[1] else { return nil }
        return MessageSpec(chinese: chinese, english: english)
    }
}
