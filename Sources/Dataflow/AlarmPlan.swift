/// How a sink's rows are written.
package enum SinkFormat: Hashable, Sendable {
    /// The row as a JSON object.
    case json
    /// CloudEvents with an alarm's envelope as data.
    case cloudEvents(AlarmPlan)
}

/// A value that may depend on an alarm's level.
package struct ByLevel<Value: Hashable & Sendable>: Hashable, Sendable {
    /// For levels without a value of their own, and for rows without a level.
    package var common: Value?
    package var levels: [String: Value]

    package init(common: Value? = nil, levels: [String: Value] = [:]) {
        self.common = common
        self.levels = levels
    }

    /// The value at a level; nil when nothing is said of it. O(1).
    package func value(_ level: String?) -> Value? {
        level.flatMap { levels[$0] } ?? common
    }
}

/// A text with places for fields.
package struct MessageTemplate: Hashable, Sendable {
    /// A stretch of text, or the index of the field that stands there.
    package enum Part: Hashable, Sendable {
        case text(String)
        case field(Int)
    }

    package var parts: [Part]

    package init(parts: [Part]) { self.parts = parts }
}

/// What an alarm says to people, in Chinese and in English.
package struct AlarmMessage: Hashable, Sendable {
    package var chinese: MessageTemplate
    package var english: MessageTemplate

    package init(chinese: MessageTemplate, english: MessageTemplate) {
        self.chinese = chinese
        self.english = english
    }
}

/// What an alarm adds to its row: how bad it is, what it rests on, what people are told.
package struct AlarmTexts: Hashable, Sendable {
    /// A level without one is its own severity.
    package var severity: ByLevel<String>
    package var majorHazard: ByLevel<Bool>
    package var basis: ByLevel<String>
    package var message: AlarmMessage?
    /// Messages of certain events, instead of `message`.
    package var eventMessages: [String: AlarmMessage]

    package init(
        severity: ByLevel<String> = ByLevel(), majorHazard: ByLevel<Bool> = ByLevel(),
        basis: ByLevel<String> = ByLevel(), message: AlarmMessage? = nil,
        eventMessages: [String: AlarmMessage] = [:]
    ) {
        self.severity = severity
        self.majorHazard = majorHazard
        self.basis = basis
        self.message = message
        self.eventMessages = eventMessages
    }
}

/// What makes alarms of a sink's rows: the `alarm:` of the sink, with all defaults filled in.
///
/// Numbers are indexes of the fields of the rows that reach the sink.
package struct AlarmPlan: Hashable, Sendable {
    /// Fields that the envelope holds by themselves; the others stand together in `fields`. Nil
    /// where the rows have none of that name and kind.
    package struct Fields: Hashable, Sendable {
        package var event: Int?
        package var level: Int?
        package var previous: Int?
        package var value: Int?
        package var limit: Int?
        package var since: Int?
        /// Names the rule of each row; nil where all rows have the one of the sink.
        package var rule: Int?

        package init(
            event: Int? = nil, level: Int? = nil, previous: Int? = nil, value: Int? = nil,
            limit: Int? = nil, since: Int? = nil, rule: Int? = nil
        ) {
            self.event = event
            self.level = level
            self.previous = previous
            self.value = value
            self.limit = limit
            self.since = since
            self.rule = rule
        }

        /// Whether rows belong to episodes that begin at `since`; else each row is one of its own.
        package var hasEpisodes: Bool { event != nil && since != nil }

        package var all: [Int] {
            [event, level, previous, value, limit, since, rule].compactMap(\.self)
        }
    }

    package var topology: String
    /// The rule of all rows, or of those whose field for it is null.
    package var rule: String
    /// Nil: `<topology>.<rule>`, by each row's rule.
    package var type: String?
    package var source: String
    package var subject: Int
    /// Holds the record's key.
    package var keyField: Int
    package var fields: Fields
    /// Of rules that have none of their own.
    package var common: AlarmTexts
    package var rules: [String: AlarmTexts]
    /// The attributes stand in the value, not in headers.
    package var isStructured = false

    package init(
        topology: String, rule: String, type: String?, source: String, subject: Int,
        keyField: Int, fields: Fields, common: AlarmTexts, rules: [String: AlarmTexts] = [:]
    ) {
        self.topology = topology
        self.rule = rule
        self.type = type
        self.source = source
        self.subject = subject
        self.keyField = keyField
        self.fields = fields
        self.common = common
        self.rules = rules
    }

    /// Members of the envelope in its order. `change` and `revision` are there for corrected rows
    /// only.
    package static let members = [
        "episode", "rule", "event", "level", "previous", "severity", "majorHazardProposed",
        "value", "limit", "unit", "basis", "message", "since", "key", "time", "fields", "change",
        "revision",
    ]
}
