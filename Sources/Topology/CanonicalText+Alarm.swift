extension CanonicalText {
    /// An alarm's options; what has no default and was left out is left out here too. The order of
    /// levels and events means nothing, so theirs is that of the names.
    static func alarm(_ alarm: AlarmSpec) -> JSONValue {
        var members: [JSONValue.Member] = []
        func add(_ name: String, _ value: JSONValue?) {
            if let value { members.append(.init(name, value)) }
        }
        add("basis", alarm.basis.map { byLevel($0) { .string($0) } })
        add("majorHazard", alarm.majorHazard.map { byLevel($0) { .bool($0) } })
        if let common = alarm.message {
            var languages = message(common)
            for entry in alarm.eventMessages.sorted(by: { $0.event.value < $1.event.value }) {
                languages.append(.init(entry.event.value, .object(message(entry.message))))
            }
            add("message", .object(languages))
        }
        add("rule", alarm.rule.map { .string($0.value) })
        add("severity", alarm.severity.map { byLevel($0) { .string($0) } })
        add("source", alarm.source.map { .string($0.value) })
        add("subject", alarm.subject.map { .string($0.value) })
        add("type", alarm.type.map { .string($0.value) })
        return .object(members)
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
