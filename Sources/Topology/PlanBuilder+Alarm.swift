import Columnar
import Dataflow
import Primitives

extension PlanBuilder {
    /// Checks a sink's form against the rows that reach it. Returns the form and the sink with
    /// its defaults written out, or nil after diagnostics.
    func sinkFormat(_ sink: SinkSpec, _ stream: Stream) -> (format: SinkFormat, sink: SinkSpec)? {
        guard case .cloudEvents(var spec) = sink.format else { return (.json, sink) }
        let place = spec.location
        func filled(_ value: Located<String>?, _ text: String) -> Located<String> {
            value ?? Located(value: text, location: place)
        }
        let rule = filled(spec.rule, sink.from.value)
        let type = filled(spec.type, "\(self.spec.name).\(rule.value)")
        let source = filled(spec.source, "/plumbline/\(self.spec.name)")
        let subject = filled(spec.subject, stream.key.name)
        (spec.rule, spec.type, spec.source, spec.subject) = (rule, type, source, subject)
        var resolved = sink
        resolved.format = .cloudEvents(spec)
        let isOwnRule = checkRule(rule, of: sink)
        let subjectField = shownField(subject.value, at: subject.location, stream, "the subject")
        let levels = levelNames(of: stream.upstream)
        let events = eventNames(of: stream.upstream)
        let severity = byLevel(spec.severity, "severity", levels)
        let majorHazard = byLevel(spec.majorHazard, "majorHazard", levels)
        let basis = byLevel(spec.basis, "basis", levels)
        let message = spec.message.flatMap { self.message($0, stream) }
        var eventMessages: [String: AlarmMessage] = [:]
        var isWhole = isOwnRule && (message == nil) == (spec.message == nil)
        for (event, spec) in spec.eventMessages {
            if let events, !events.contains(event.value) {
                collector.report(
                    "there is no event '\(event.value)'", at: event.location,
                    hint: Suggestion.hint(for: event.value, in: events, kind: "events"))
                isWhole = false
            }
            eventMessages[event.value] = self.message(spec, stream)
            if eventMessages[event.value] == nil { isWhole = false }
        }
        guard let subjectField, let severity, let majorHazard, let basis,
            let keyField = stream.schema.index(of: stream.key.name), isWhole
        else { return nil }
        let plan = AlarmPlan(
            topology: self.spec.name, rule: rule.value, type: type.value, source: source.value,
            subject: subjectField, keyField: keyField, fields: alarmFields(stream.schema),
            severity: severity, majorHazard: majorHazard, basis: basis, message: message,
            eventMessages: eventMessages)
        return (.cloudEvents(plan), resolved)
    }

    /// Alarms are told apart by their rule: two steps cannot share one.
    private func checkRule(_ rule: Located<String>, of sink: SinkSpec) -> Bool {
        let other = alarmRules[rule.value] ?? sink.from.value
        alarmRules[rule.value] = other
        if other == sink.from.value { return true }
        collector.report(
            "rule '\(rule.value)' is that of '\(other)' already", at: rule.location,
            hint: "the rule is part of an alarm's identity; give each step its own")
        return false
    }

    /// The fields that have a place of their own in the envelope: by name, where the type fits.
    private func alarmFields(_ schema: Schema) -> AlarmPlan.Fields {
        func index(_ name: String, _ fits: (ValueType) -> Bool) -> Int? {
            schema.index(of: name).flatMap { fits(schema.fields[$0].type) ? $0 : nil }
        }
        func text(_ name: String) -> Int? { index(name) { $0 == .string } }
        return AlarmPlan.Fields(
            event: text("event"), level: text("level"), previous: text("previous"),
            value: index("value", \.isNumeric), limit: index("limit", \.isNumeric),
            since: index("since") { $0 == .timestamp })
    }

    // MARK: Names

    /// The levels that rows may have, when a `levels` step made them; nil when anything may stand
    /// there.
    private func levelNames(of upstream: Upstream) -> [String]? {
        ladder(upstream).map { $0.levels + ["normal"] }
    }

    private func eventNames(of upstream: Upstream) -> [String]? {
        ladder(upstream).map { _ in ["raised", "escalated", "eased", "cleared", "correction"] }
    }

    private func ladder(_ upstream: Upstream) -> LevelsPlan? {
        guard case .step(let index) = upstream else { return nil }
        switch steps[index].operation {
        case .levels(let plan): return plan
        case .filter, .distinct: return ladder(steps[index].input)
        default: return nil
        }
    }

    private func byLevel<Value>(
        _ spec: ByLevelSpec<Value>?, _ key: String, _ known: [String]?
    ) -> ByLevel<Value>? {
        var result = ByLevel<Value>()
        guard let spec else { return result }
        result.common = spec.common
        var isWhole = true
        for (level, value) in spec.levels {
            if let known, !known.contains(level.value) {
                collector.report(
                    "'\(key)' names the level '\(level.value)', which does not exist",
                    at: level.location,
                    hint: Suggestion.hint(for: level.value, in: known, kind: "levels"))
                isWhole = false
            }
            result.levels[level.value] = value
        }
        return isWhole ? result : nil
    }

    // MARK: Messages

    private func message(_ spec: MessageSpec, _ stream: Stream) -> AlarmMessage? {
        let chinese = template(spec.chinese, stream)
        let english = template(spec.english, stream)
        guard let chinese, let english else { return nil }
        return AlarmMessage(chinese: chinese, english: english)
    }

    private func template(_ text: TemplateText, _ stream: Stream) -> MessageTemplate? {
        var parts: [MessageTemplate.Part] = []
        for part in text.parts {
            switch part {
            case .text(let plain): parts.append(.text(plain))
            case .field(let name, let offset):
                let place = text.node.location(ofCharacter: offset)
                guard let field = shownField(name, at: place, stream, "the message") else {
                    continue
                }
                parts.append(.field(field))
            }
        }
        return parts.count == text.parts.count ? MessageTemplate(parts: parts) : nil
    }

    /// A field of one value, for people to read; nil after a diagnostic.
    private func shownField(
        _ name: String, at place: SourceLocation, _ stream: Stream, _ user: String
    ) -> Int? {
        guard let index = stream.schema.index(of: name) else {
            collector.report(
                "\(user) names '\(name)', which '\(stream.qualifier)' does not have", at: place,
                hint: Suggestion.hint(
                    for: name, in: stream.schema.fields.map(\.name), kind: "its fields"))
            return nil
        }
        switch stream.schema.fields[index].type {
        case .list, .map, .structure, .bytes:
            collector.report(
                "\(user) names '\(name)', which is \(stream.schema.fields[index].type)", at: place,
                hint: "it can show single values only")
            return nil
        default: return index
        }
    }
}
