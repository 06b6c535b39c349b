extension CanonicalText {
    /// An alarm's options; what has no default and was left out is left out here too. The order of
    /// levels and events means nothing, so theirs is that of the names.
    static func alarm(_ alarm: AlarmSpec) -> JSONValue {
        var members = texts(alarm.common)
        func add(_ name: String, _ value: JSONValue?) {
            if let value { members.append(.init(name, value)) }
        }
        switch alarm.rule {
        case .name(let name): add("rule", .string(name.value))
        case .field(let field):
            add("rule", .object([.init("field", .string(field.value))]))
        case nil: break
        }
        if !alarm.rules.isEmpty {
            let rules = alarm.rules.sorted { $0.name.value < $1.name.value }
            add("rules", .object(rules.map { .init($0.name.value, .object(texts($0.texts))) }))
        }
        add("source", alarm.source.map { .string($0.value) })
        add("subject", alarm.subject.map { .string($0.value) })
        add("type", alarm.type.map { .string($0.value) })
        return .object(members.sorted { $0.name < $1.name })
    }

    private static func texts(_ texts: AlarmTextsSpec) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        func add(_ name: String, _ value: JSONValue?) {
            if let value { members.append(.init(name, value)) }
        }
        add("basis", texts.basis.map { byLevel($0) { .string($0) } })
        add("majorHazard", texts.majorHazard.map { byLevel($0) { .bool($0) } })
        if let common = texts.message {
            var languages = message(common)
            for entry in texts.eventMessages.sorted(by: { $0.event.value < $1.event.value }) {
                languages.append(.init(entry.event.value, .object(message(entry.message))))
            }
            add("message", .object(languages))
        }
        add("severity", texts.severity.map { byLevel($0) { .string($0) } })
        return members
    }

    private static func byLevel<Value>(
        _ spec: ByLevelSpec<Value>, _ value: (Value) -> JSONValue
    ) -> JSONValue {
        if let common = spec.common { return value(common) }
        let levels = spec.levels.sorted { $0.level.value < $1.level.value }
        return .object(levels.map { .init($0.level.value, value($0.value)) })
    }

    private static func message(_ message: MessageSpec) -> [JSONValue.Member] {
        [
            .init("en", .string(message.english.text)), .init("zh", .string(message.chinese.text)),
        ]
    }
}
