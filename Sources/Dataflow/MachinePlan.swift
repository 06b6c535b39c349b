import Columnar
import Expression

/// A state machine for each key: transitions, invariants and deadlines over its events.
///
/// Output: the input's columns, then `state`, `previous`, `event` (strings), `name` (string,
/// null for a transition), `since` (timestamp), and one column a variable.
///
/// States are indexes into `states`; sets of states are ascending. Expressions see the input's
/// columns; guards, requirements and values also see `state`, `since` and the variables, as
/// columns after those of the input.
package struct MachinePlan: Sendable {
    package var order: RowOrder
    package var states: [String]
    /// State of a key at its first event.
    package var initial: Int
    package var variables: [Variable]
    /// The first that matches an event is taken.
    package var transitions: [Transition]
    /// All are judged, before the transition.
    package var invariants: [Invariant]
    package var deadlines: [Deadline]
    /// What becomes of an event that nothing takes.
    package var unexpected: Unexpected

    package init(
        order: RowOrder, states: [String], initial: Int, variables: [Variable],
        transitions: [Transition], invariants: [Invariant], deadlines: [Deadline],
        unexpected: Unexpected
    ) {
        self.order = order
        self.states = states
        self.initial = initial
        self.variables = variables
        self.transitions = transitions
        self.invariants = invariants
        self.deadlines = deadlines
        self.unexpected = unexpected
    }

    /// What becomes of an event that nothing takes in its key's state.
    package enum Unexpected: String, Hashable, Sendable { case reject, ignore }

    /// One expression, its program having one output.
    package struct Expression: Sendable {
        package var program: Program
        /// It sees the machine's state or variables, not the event alone.
        package var readsMachine: Bool

        package init(program: Program, readsMachine: Bool) {
            self.program = program
            self.readsMachine = readsMachine
        }

        /// The expression as canonical text.
        var text: String { program.outputs[0].text }
    }

    /// What a key remembers beside its state.
    package struct Variable: Sendable {
        package var name: String
        package var type: ValueType
        /// A value of null is taken; else the event that gives it is a reject `null-value`.
        package var isNullable: Bool
        /// The value at the key's first event; reads no column and has no fault. Nil: null.
        package var initial: Program?

        package init(name: String, type: ValueType, isNullable: Bool, initial: Program?) {
            self.name = name
            self.type = type
            self.isNullable = isNullable
            self.initial = initial
        }
    }

    /// What an event does in some states.
    package struct Transition: Sendable {
        /// Sees the event alone.
        package var on: Expression
        package var from: [Int]
        package var when: Expression?
        /// Nil: the state stays, and nothing comes out.
        package var to: Int?
        /// Variables by index with their values, computed before any of them changes.
        package var set: [(variable: Int, value: Expression)]

        package init(
            on: Expression, from: [Int], when: Expression?, to: Int?,
            set: [(variable: Int, value: Expression)]
        ) {
            self.on = on
            self.from = from
            self.when = when
            self.to = to
            self.set = set
        }
    }

    /// What must hold when an event comes.
    package struct Invariant: Sendable {
        package var name: String
        /// Sees the event alone.
        package var on: Expression
        package var require: Expression

        package init(name: String, on: Expression, require: Expression) {
            self.name = name
            self.on = on
            self.require = require
        }
    }

    /// What must come in time.
    package struct Deadline: Sendable {
        /// Which clock a deadline goes by.
        package enum Clock: String, Hashable, Sendable {
            /// Event time: due when the watermark has passed it.
            case event
            /// Recorded ticks at which the source was at its end.
            case tick
        }

        /// How long it runs.
        package enum Length: Sendable {
            /// Microseconds.
            case constant(Int64)
            /// A duration that the arming event gives; null: it does not run.
            case expression(Expression)
        }

        package var name: String
        /// Runs only while the key is in one of these states, and begins when the first of them
        /// is entered. Nil: in any, begun by `since` alone.
        package var states: [Int]?
        /// Events that begin it anew. Sees the event alone, as does `until`.
        package var since: Expression?
        /// Events that end it.
        package var until: Expression?
        package var after: Length
        /// Microseconds until it is due again, while it is not ended.
        package var every: Int64?
        package var clock: Clock
        /// State that the key takes when it is due.
        package var to: Int?

        package init(
            name: String, states: [Int]?, since: Expression?, until: Expression?, after: Length,
            every: Int64?, clock: Clock, to: Int?
        ) {
            self.name = name
            self.states = states
            self.since = since
            self.until = until
            self.after = after
            self.every = every
            self.clock = clock
            self.to = to
        }
    }

    /// Whether recorded ticks can change anything.
    var countsTicks: Bool { deadlines.contains { $0.clock == .tick } }

    /// Whether a watermark can make a deadline due.
    var hasEventDeadlines: Bool { deadlines.contains { $0.clock == .event } }
}

extension Plan {
    /// Whether some machine has deadlines by event time, which fall due at the end of input too.
    var hasEventDeadlines: Bool {
        steps.contains { step in
            if case .machine(let machine) = step.operation {
                machine.hasEventDeadlines
            } else {
                false
            }
        }
    }
}
