import Columnar
import Dataflow
import Primitives

/// A `machine:` step as written. Durations in microseconds.
package struct MachineSpec: Sendable {
    package var order: RowOrder
    package var states: [Located<String>]
    package var initial: Located<String>
    package var remember: [RememberSpec]
    package var transitions: [TransitionSpec]
    package var invariants: [InvariantSpec]
    package var deadlines: [DeadlineSpec]
    package var unexpected: MachinePlan.Unexpected
}

/// One item of `remember:`: a variable of each key.
package struct RememberSpec: Sendable {
    package var name: Located<String>
    package var type: ValueType
    package var isNullable: Bool
    /// Nil: null at first.
    package var initial: ExpressionText?
}

/// One item of `transitions:`.
package struct TransitionSpec: Sendable {
    package var on: ExpressionText
    /// Nil for `any`.
    package var from: [Located<String>]?
    package var when: ExpressionText?
    package var to: Located<String>?
    package var set: [NamedExpression]
    package var location: SourceLocation
}

/// One item of `invariants:`.
package struct InvariantSpec: Sendable {
    package var name: Located<String>
    package var on: ExpressionText
    package var require: ExpressionText
}

/// One item of `deadlines:`.
package struct DeadlineSpec: Sendable {
    /// How long it runs: as written, or an expression over the event that begins it.
    package enum Length: Sendable {
        case constant(Int64)
        case expression(ExpressionText)
    }

    package var name: Located<String>
    /// The states of `in`, when it is there.
    package var states: [Located<String>]?
    package var since: ExpressionText?
    package var until: ExpressionText?
    package var after: Length
    /// `repeat`.
    package var every: Int64?
    package var clock: MachinePlan.Deadline.Clock
    package var to: Located<String>?
}
