import Dataflow
import Primitives

/// A value with its place in the user's file.
package struct Located<Value: Sendable>: Sendable {
    package var value: Value
    package var location: SourceLocation
}

/// A topology file as written, with defaults filled in: checked in form, not yet in meaning.
package struct TopologySpec: Sendable {
    package var name: String
    package var version: Int
    package var description: String
    /// In the order of the file, which is the order of the merge.
    package var sources: [SourceSpec]
    package var rules: [RulesSpec]
    package var steps: [StepSpec]
    package var sinks: [SinkSpec]
    /// Names of sources and steps that have errors of their own, so that naming them is no error.
    package var brokenNames: Set<String>
    /// Names that elements with errors read, so that they do not count as unused.
    package var brokenReads: Set<String>
}

/// One item of `sources:`: a topic to read. `key` names the field that is its key.
package struct SourceSpec: Sendable {
    package var name: Located<String>
    package var topic: Located<String>
    package var format: FormatPlan
    /// Of `format`, or of the source where it has none.
    package var formatLocation: SourceLocation
    package var schema: Located<String>
    package var key: Located<String>
    package var role: Role

    /// What rows do: flow through the steps (`time:`), or answer look-ups (`table:`), valid
    /// from the time in the field `asOf`.
    package enum Role: Sendable {
        case stream(TimeSpec)
        case table(TableSpec)
    }
}

/// The `table:` of a source. Durations in microseconds.
package struct TableSpec: Sendable {
    package var asOf: Located<String>
    /// Every task reads all partitions.
    package var isGlobal: Bool
    package var disorder: Int64?
    package var idle: Int64?
}

/// The `time:` of a stream. Durations in microseconds.
package struct TimeSpec: Sendable {
    package var field: Located<String>
    package var disorder: Int64
    package var lateness: Int64
    package var ahead: Int64
    package var clock: ClockScope
    package var abandon: Int64?
    package var idle: Int64?
    package var granule: Int64
    /// The name of a field for the time at which a record came.
    package var arrival: Located<String>?
    package var location: SourceLocation
}

/// One item of `steps:`. `from` names the source or step that it reads; `key` is nil if absent.
package struct StepSpec: Sendable {
    package var name: Located<String>
    package var from: Located<String>
    package var key: Located<String>?
    package var operation: Operation

    /// What the step does to its rows: one of these, by the keys it has.
    package enum Operation: Sendable {
        case shape(ShapeSpec)
        case levels(LevelsSpec)
        case distinct(RowOrder)
        case window(WindowSpec)
        case machine(MachineSpec)
        /// The streams, in the order of the merge; the first is also the step's `from`.
        case union([Located<String>])
        /// The field that becomes the key.
        case rekey(Located<String>)
    }

    /// The sources and steps whose rows it takes.
    package var inputs: [Located<String>] {
        if case .union(let streams) = operation { return streams }
        return [from]
    }

    /// The name of its side output, if it has one.
    package var otherwise: Located<String>? {
        if case .shape(let shape) = operation { shape.otherwise } else { nil }
    }
}

/// `lookup`, `filter` and `select` of one step, applied in that order; at least one is there.
package struct ShapeSpec: Sendable {
    package var lookup: LookupSpec?
    /// Looked up after the table, in this order.
    package var rules: [RulesLookupSpec] = []
    package var filter: ExpressionText?
    package var select: [NamedExpression]?
    /// Name under which the rows that do not pass the filter are read.
    package var otherwise: Located<String>?
}

/// A `lookup:`: the table, and what is looked up in it: the key of the step's input, or for a
/// global table any expression.
package struct LookupSpec: Sendable {
    package var table: Located<String>
    package var key: ExpressionText
    /// Rows wait until the table's watermark has passed their time.
    package var awaits: Bool
}

/// A name and the expression beside it: a field of `select:`, or a level and its limit.
package struct NamedExpression: Sendable {
    package var name: Located<String>
    package var expression: ExpressionText
}

/// A `levels:` step. Durations in microseconds, 0 when not written.
package struct LevelsSpec: Sendable {
    package var of: ExpressionText
    /// From the lowest level to the highest.
    package var raise: [NamedExpression]
    /// In the order of `raise`.
    package var clear: [NamedExpression]
    /// Whether `clear` was written, and is not `raise` again.
    package var hasOwnClear: Bool
    package var isAbove: Bool
    /// A level is raised beyond its limit only, not at it.
    package var isStrict: Bool
    package var confirmReadings: Int
    package var confirmDuration: Int64
    package var hold: Int64
    package var order: RowOrder
    package var judgesTies: Bool
}

/// A `window:` step.
package struct WindowSpec: Sendable {
    package var grid: WindowGrid
    package var aggregates: [AggregateSpec]
    package var location: SourceLocation
}

/// One result of a window, such as `m: mean(load.mass)`.
package struct AggregateSpec: Sendable {
    package var name: Located<String>
    package var function: AggregateFunction
    /// Nil for `count()`.
    package var input: ExpressionText?
    /// The whole call.
    package var call: ExpressionText
}

/// One item of `sinks:`: the source or step whose rows it writes, and the topic they go to.
package struct SinkSpec: Sendable {
    package var from: Located<String>
    package var topic: Located<String>
    /// What the key of the rows is said to be; it changes nothing.
    package var key: Located<String>?
    package var format: SinkFormatSpec
    package var codec: SinkPlan.Codec
}
