import Columnar
import Expression

/// An expression of a machine had no result for an event.
struct MachineFault: Error {
    var reason: RejectReason
    /// The expression's text.
    var text: String
}

/// One event that a machine judges, with the state that it meets.
final class MachineEvent {
    let batch: Batch
    let row: Int
    /// One row each: state, since, variables.
    let machine: [Column]
    /// A row of the batch at hand, not one that a deadline has kept.
    let isInBatch: Bool
    private lazy var input = batch.columns.map { $0.gather([Int32(row)]) }
    /// The event by itself, for the deadlines that it begins. Canonical, without its record.
    lazy var kept = MachineRow(self)

    init(batch: Batch, row: Int, machine: [Column], isInBatch: Bool) {
        self.batch = batch
        self.row = row
        self.machine = machine
        self.isInBatch = isInBatch
    }

    /// One row each: the event's columns, then those of the machine.
    var columns: [Column] { input + machine }
}

/// A machine's expression with what it gave for the batch at hand.
///
/// Expressions over the event alone are evaluated once a batch, those that see the machine once an
/// event; a row's result depends on that row only, so the two agree.
final class MachineExpression {
    let text: String
    private let evaluator: Evaluator
    private let readsMachine: Bool
    /// Over the batch at hand, once something has asked for it.
    private var column: Column?
    private var faults: [Int32: FaultCode] = [:]

    init(_ expression: MachinePlan.Expression) {
        text = expression.text
        evaluator = Evaluator(expression.program)
        readsMachine = expression.readsMachine
    }

    /// A new batch is at hand.
    func begin() {
        column = nil
        faults = [:]
    }

    /// The value for an event, as a row of a column.
    func value(_ event: MachineEvent) throws(MachineFault) -> (column: Column, row: Int) {
        guard event.isInBatch, !readsMachine else {
            let evaluation = evaluator.evaluate(event.columns, rowCount: 1)
            if let fault = evaluation.faults.first { throw failure(fault.code) }
            return (evaluation.columns[0].flattened(), 0)
        }
        if column == nil {
            let evaluation = evaluator.evaluate(
                event.batch.columns, rowCount: event.batch.rowCount)
            column = evaluation.columns[0].flattened()
            for fault in evaluation.faults { faults[fault.row] = fault.code }
        }
        if let code = faults[Int32(event.row)] { throw failure(code) }
        return (column ?? Column(.null(count: event.batch.rowCount)), event.row)
    }

    private func failure(_ code: FaultCode) -> MachineFault {
        MachineFault(reason: RejectReason(name: code.name), text: text)
    }

    /// Whether a condition is true; null is not.
    func isTrue(_ event: MachineEvent) throws(MachineFault) -> Bool {
        let (column, row) = try value(event)
        guard case .bool(let values) = column.values, column.isValid(row) else { return false }
        return values[row]
    }

    /// A duration in microseconds; nil for null.
    func duration(_ event: MachineEvent) throws(MachineFault) -> Int64? {
        let (column, row) = try value(event)
        guard case .int64(let values) = column.values, column.isValid(row) else { return nil }
        return values[row]
    }
}

/// A plan's rules with evaluators of their own: what one operator runs.
struct MachineRules {
    struct Transition {
        let on: MachineExpression
        let when: MachineExpression?
        let values: [MachineExpression]
    }

    struct Invariant {
        let on: MachineExpression
        let require: MachineExpression
    }

    struct Deadline {
        let since: MachineExpression?
        let until: MachineExpression?
        let after: MachineExpression?
    }

    let transitions: [Transition]
    let invariants: [Invariant]
    let deadlines: [Deadline]
    private let all: [MachineExpression]

    init(_ plan: MachinePlan) {
        var all: [MachineExpression] = []
        func take(_ expression: MachinePlan.Expression) -> MachineExpression {
            let made = MachineExpression(expression)
            all.append(made)
            return made
        }
        transitions = plan.transitions.map { rule in
            Transition(
                on: take(rule.on), when: rule.when.map(take),
                values: rule.set.map { take($0.value) }
            )
        }
        invariants = plan.invariants.map { rule in
            Invariant(on: take(rule.on), require: take(rule.require))
        }
        deadlines = plan.deadlines.map { rule in
            var after: MachineExpression?
            if case .expression(let expression) = rule.after { after = take(expression) }
            return Deadline(
                since: rule.since.map(take), until: rule.until.map(take), after: after)
        }
        self.all = all
    }

    /// A new batch is at hand.
    func begin() { for expression in all { expression.begin() } }
}
