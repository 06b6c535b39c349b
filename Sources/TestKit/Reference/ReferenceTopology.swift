/// A topology for the reference engine; prints itself as the YAML that the real one reads.
package struct ReferenceTopology: Sendable, Codable {
    package var sources: [ReferenceSource]
    /// Upstream steps come first.
    package var steps: [ReferenceStep]
    /// Sinks by the step (index) that they take their rows from; topic `out.<n>`.
    package var sinks: [Int]
    /// Rule files, by the name that steps use, which is the file's too.
    package var rules: [ReferenceRules] = []

    package init(sources: [ReferenceSource], steps: [ReferenceStep], sinks: [Int]) {
        self.sources = sources
        self.steps = steps
        self.sinks = sinks
    }
}

/// A source: a stream with time rules, or a table.
package struct ReferenceSource: Sendable, Codable {
    package var name: String
    /// The key field first, then `ts`; both are never null.
    package var fields: [ReferenceField]
    /// Nil for a table.
    package var time: ReferenceTimeRule?
    /// Of a table: every task reads all of it.
    package var isGlobal = false
    /// Of a table that rows wait for, in milliseconds.
    package var tableDisorder: Int64?
    package var tableIdle: Int64?
    /// Whether the keys of the table are those of the streams.
    package var hasStreamKey = true

    /// A table of the row's own keys that nothing waits for.
    var isPlain: Bool { tableDisorder == nil && !isGlobal && hasStreamKey }

    package init(name: String, fields: [ReferenceField], time: ReferenceTimeRule?) {
        self.name = name
        self.fields = fields
        self.time = time
    }
}

/// Time rules of a stream, in milliseconds.
package struct ReferenceTimeRule: Sendable, Codable {
    package var disorder: Int64
    package var lateness: Int64
    package var ahead: Int64
    package var granule: Int64
    package var clocksKeys: Bool
    package var abandon: Int64?
    package var idle: Int64?

    package init(
        disorder: Int64, lateness: Int64, ahead: Int64, granule: Int64, clocksKeys: Bool,
        abandon: Int64?, idle: Int64?
    ) {
        self.disorder = disorder
        self.lateness = lateness
        self.ahead = ahead
        self.granule = granule
        self.clocksKeys = clocksKeys
        self.abandon = abandon
        self.idle = idle
    }
}

/// Where a step takes its rows from.
package enum ReferenceUpstream: Hashable, Sendable, Codable {
    case source(Int)
    case step(Int)
}

/// One step as written in YAML.
package struct ReferenceStep: Sendable, Codable {
    package var name: String
    package var from: ReferenceUpstream
    package var operation: ReferenceOperation
    /// Fields of the rows it emits.
    package var output: [ReferenceField]
    /// Name of the key among them; nil for the first.
    package var key: String?

    /// Name of the field that is the key of its rows.
    package var keyField: String { key ?? output[0].name }

    package init(
        name: String, from: ReferenceUpstream, operation: ReferenceOperation,
        output: [ReferenceField]
    ) {
        self.name = name
        self.from = from
        self.operation = operation
        self.output = output
    }
}

/// A name and an expression.
package struct ReferenceNamed: Hashable, Sendable, Codable {
    package var name: String
    package var expression: ReferenceExpression

    package init(_ name: String, _ expression: ReferenceExpression) {
        self.name = name
        self.expression = expression
    }
}

/// What a step does.
package enum ReferenceOperation: Sendable, Codable {
    /// Look up in a table, filter, select, in this order; each may be absent.
    case shape(lookup: ReferenceLookup?, filter: ReferenceExpression?, select: [ReferenceNamed]?)
    /// Look up rules, select.
    case rules(ReferenceRulesLookup)
    case levels(ReferenceLevelsRule)
    case distinct(byTime: Bool)
    case window(ReferenceWindowRule)
    case machine(ReferenceMachineRule)
    /// The side output of the filter step with this index, which reads the same rows.
    case otherwise(ReferenceExpression, of: Int)
    /// The rows of these and of `from`, which is the first of them.
    case union([ReferenceUpstream])
    /// Ends a stage: the rows go on under another key, the value of a field.
    case rekey(String)
}

extension ReferenceOperation {
    /// Whether rows wait before it for the watermark.
    var waits: Bool {
        switch self {
        case .distinct(let byTime): byTime
        case .levels(let rule): rule.byTime
        case .machine(let rule): rule.byTime
        case .shape(let lookup?, _, _): lookup.awaits
        default: false
        }
    }
}

/// A look-up in a table.
package struct ReferenceLookup: Sendable, Codable {
    /// Index of the source.
    package var table: Int
    /// What is looked up; nil for the row's own key.
    package var key: ReferenceExpression?
    /// Rows wait until the table's watermark has passed them.
    package var awaits = false

    package init(table: Int) { self.table = table }
}

/// A ladder of levels. Durations in milliseconds.
package struct ReferenceLevelsRule: Sendable, Codable {
    package var value: ReferenceExpression
    /// From the lowest level up.
    package var raise: [ReferenceNamed]
    package var clear: [ReferenceNamed]
    package var isAbove: Bool
    package var readings: Int
    /// Nil when readings are counted.
    package var duration: Int64?
    package var hold: Int64
    package var byTime: Bool
    package var judgesTies: Bool

    package init(
        value: ReferenceExpression, raise: [ReferenceNamed], clear: [ReferenceNamed],
        isAbove: Bool, readings: Int, duration: Int64?, hold: Int64, byTime: Bool, judgesTies: Bool
    ) {
        self.value = value
        self.raise = raise
        self.clear = clear
        self.isAbove = isAbove
        self.readings = readings
        self.duration = duration
        self.hold = hold
        self.byTime = byTime
        self.judgesTies = judgesTies
    }
}

/// A window. Durations in milliseconds; tumbling when `size` is `every`.
package struct ReferenceWindowRule: Sendable, Codable {
    package var size: Int64
    package var every: Int64
    package var offset: Int64
    /// A window of local days: `size` is a day, and `offset` this much earlier by UTC. The zone
    /// has no daylight saving in the time of the script.
    package var zone: Zone?
    package var aggregates: [Aggregate]

    /// A time zone, and how far it is ahead of UTC.
    package struct Zone: Sendable, Codable {
        package var name: String
        package var ahead: Int64
    }

    /// One aggregate: field name, function, and its input unless it counts rows.
    package struct Aggregate: Sendable, Codable {
        package var name: String
        package var function: String
        package var input: ReferenceExpression?

        package init(name: String, function: String, input: ReferenceExpression?) {
            self.name = name
            self.function = function
            self.input = input
        }
    }

    package init(size: Int64, every: Int64, offset: Int64, aggregates: [Aggregate]) {
        self.size = size
        self.every = every
        self.offset = offset
        self.aggregates = aggregates
    }
}
