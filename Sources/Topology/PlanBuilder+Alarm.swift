import Columnar
import Dataflow
import Primitives

extension PlanBuilder {
    /// Whose alarms carry a rule's name.
    struct AlarmRuleOwner: Equatable {
        var step: String
        /// The name comes from a field of the step's rows.
        var isFromField: Bool
    }

    /// Checks a sink's form against the rows that reach it. Returns the form and the sink with
    /// its defaults written out, or nil after diagnostics.
    func sinkFormat(_ sink: SinkSpec, _ stream: Stream) -> (format: SinkFormat, sink: SinkSpec)? {
        guard case .cloudEvents(var spec) = sink.format else { return (.json, sink) }
        let count = collector.count
        let place = spec.location
        func filled(_ value: Located<String>?, _ text: String) -> Located<String> {
            value ?? Located(value: text, location: place)
        }
        var fields = alarmFields(stream.schema)
        var rule = filled(nil, sink.from.value)
        switch spec.rule {
        case .field(let name): fields.rule = ruleField(name, stream)
        case .name(let name): rule = name
        case nil: spec.rule = .name(rule)
        }
        if fields.rule == nil { spec.type = filled(spec.type, "\(self.spec.name).\(rule.value)") }
        let source = filled(spec.source, "/plumbline/\(self.spec.name)")
        let subject = filled(spec.subject, stream.key.name)
        (spec.source, spec.subject) = (source, subject)
        let subjectField = shownField(subject.value, at: subject.location, stream, "the subject")
        let known = KnownNames(
            levels: fields.level.flatMap { knownTexts(ofField: $0, at: stream.upstream) },
            events: fields.event.flatMap { knownTexts(ofField: $0, at: stream.upstream) },
            rules: fields.rule.flatMap { knownTexts(ofField: $0, at: stream.upstream) })
        checkRules(fields.rule == nil ? [rule.value] : known.rules ?? [], spec, of: sink)
        let common = texts(spec.common, stream, known)
        let rules = ruleTexts(spec, common, stream, known)
        guard let subjectField, collector.count == count,
            let keyField = stream.schema.index(of: stream.key.name)
        else { return nil }
        var plan = AlarmPlan(
            topology: self.spec.name, rule: rule.value, type: spec.type?.value,
            source: source.value, subject: subjectField, keyField: keyField, fields: fields,
            common: common, rules: rules)
        plan.isStructured = spec.isStructured
        var resolved = sink
        resolved.format = .cloudEvents(spec)
        return (.cloudEvents(plan), resolved)
    }

    // MARK: Rules

    /// The field that names each row's rule; nil after a diagnostic.
    private func ruleField(_ name: Located<String>, _ stream: Stream) -> Int? {
        guard let field = shownField(name.value, at: name.location, stream, "the rule") else {
            return nil
        }
        let type = stream.schema.fields[field].type
        guard type == .string else {
            collector.report(
                "the rule names '\(name.value)', which is \(type)", at: name.location,
                hint: "the name of a rule is a string, such as the 'name' of a machine")
            return nil
        }
        return field
    }

    /// Alarms are told apart by their rule: two steps cannot share one. Two sinks may take the
    /// same machine's rules apart.
    private func checkRules(_ names: [String], _ spec: AlarmSpec, of sink: SinkSpec) {
        var owner = AlarmRuleOwner(step: sink.from.value, isFromField: false)
        var place = spec.location
        switch spec.rule {
        case .field(let field): (owner.isFromField, place) = (true, field.location)
        case .name(let name): place = name.location
        case nil: break
        }
        for name in names {
            guard let other = alarmRules[name] else {
                alarmRules[name] = owner
                continue
            }
            if other == owner || other.isFromField && owner.isFromField { continue }
            collector.report(
                "rule '\(name)' is that of '\(other.step)' already", at: place,
                hint: "the rule is part of an alarm's identity; give each step its own")
        }
    }

    /// What each rule says; what it leaves out, the sink says for all.
    private func ruleTexts(
        _ spec: AlarmSpec, _ common: AlarmTexts, _ stream: Stream, _ known: KnownNames
    ) -> [String: AlarmTexts] {
        var result: [String: AlarmTexts] = [:]
        for (name, own) in spec.rules {
            if let rules = known.rules, !rules.contains(name.value) {
                collector.report(
                    "there is no rule '\(name.value)'", at: name.location,
                    hint: Suggestion.hint(for: name.value, in: rules, kind: "rules"))
            }
            var texts = texts(own, stream, known)
            if own.severity == nil { texts.severity = common.severity }
            if own.majorHazard == nil { texts.majorHazard = common.majorHazard }
            if own.basis == nil { texts.basis = common.basis }
            if own.message == nil {
                (texts.message, texts.eventMessages) = (common.message, common.eventMessages)
            }
            result[name.value] = texts
        }
        return result
    }

    private func texts(
        _ spec: AlarmTextsSpec, _ stream: Stream, _ known: KnownNames
    ) -> AlarmTexts {
        var result = AlarmTexts(
            severity: byLevel(spec.severity, "severity", known.levels),
            majorHazard: byLevel(spec.majorHazard, "majorHazard", known.levels),
            basis: byLevel(spec.basis, "basis", known.levels),
            message: spec.message.flatMap { message($0, stream) })
        for (event, spec) in spec.eventMessages {
            if let events = known.events, !events.contains(event.value) {
                collector.report(
                    "there is no event '\(event.value)'", at: event.location,
                    hint: Suggestion.hint(for: event.value, in: events, kind: "events"))
            }
            result.eventMessages[event.value] = message(spec, stream)
        }
        return result
    }

    // MARK: Names

    /// The names that rows can have; nil where anything may stand there.
    private struct KnownNames {
        var levels: [String]?
        var events: [String]?
        var rules: [String]?
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

    private func byLevel<Value>(
        _ spec: ByLevelSpec<Value>?, _ key: String, _ known: [String]?
    ) -> ByLevel<Value> {
        var result = ByLevel<Value>()
        guard let spec else { return result }
        result.common = spec.common
        for (level, value) in spec.levels {
            if let known, !known.contains(level.value) {
                collector.report(
                    "'\(key)' names the level '\(level.value)', which does not exist",
                    at: level.location,
                    hint: Suggestion.hint(for: level.value, in: known, kind: "levels"))
            }
            result.levels[level.value] = value
        }
        return result
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
