/// A topology for the reference engine; prints itself as the YAML that the real one reads.
package struct ReferenceTopology: Sendable {
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
package struct ReferenceSource: Sendable {
    package var name: String
    /// The key field first, then `ts`; both are never null.
    package var fields: [ReferenceField]
    /// Nil for a table.
    package var time: ReferenceTimeRule?

    package init(name: String, fields: [ReferenceField], time: ReferenceTimeRule?) {
        self.name = name
        self.fields = fields
        self.time = time
    }
}

/// Time rules of a stream, in milliseconds.
package struct ReferenceTimeRule: Sendable {
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
package enum ReferenceUpstream: Hashable, Sendable {
    case source(Int)
    case step(Int)
}

/// One step as written in YAML.
package struct ReferenceStep: Sendable {
    package var name: String
    package var from: ReferenceUpstream
    package var operation: ReferenceOperation
    /// Fields of the rows it emits, the key first.
    package var output: [ReferenceField]

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
package struct ReferenceNamed: Hashable, Sendable {
    package var name: String
    package var expression: ReferenceExpression

    package init(_ name: String, _ expression: ReferenceExpression) {
        self.name = name
        self.expression = expression
    }
}

/// What a step does.
package enum ReferenceOperation: Sendable {
    /// Look up in a table (by source index), filter, select, in this order; each may be absent.
    case shape(lookup: Int?, filter: ReferenceExpression?, select: [ReferenceNamed]?)
    /// Look up rules, select.
    case rules(ReferenceRulesLookup)
    case levels(ReferenceLevelsRule)
    case distinct(byTime: Bool)
    case window(ReferenceWindowRule)
    case machine(ReferenceMachineRule)
    /// The side output of the filter step with this index, which reads the same rows.
    case otherwise(ReferenceExpression, of: Int)
}

/// A ladder of levels. Durations in milliseconds.
package struct ReferenceLevelsRule: Sendable {
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
package struct ReferenceWindowRule: Sendable {
    package var size: Int64
    package var every: Int64
    package var offset: Int64
    /// A window of local days: `size` is a day, and `offset` this much earlier by UTC. The zone
    /// has no daylight saving in the time of the script.
    package var zone: (name: String, ahead: Int64)?
    package var aggregates: [Aggregate]

    /// One aggregate: field name, function, and its input unless it counts rows.
    package struct Aggregate: Sendable {
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
