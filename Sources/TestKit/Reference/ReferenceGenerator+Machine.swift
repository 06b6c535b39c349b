import Primitives

extension ReferenceGenerator {
    /// A random state machine over a scope; nil when the scope has nothing to tell events by.
    mutating func machine(
        _ scope: ReferenceScope, byTime: Bool, canCountTicks: Bool
    ) -> ReferenceMachineRule? {
        let count = random.int(in: 2...4)
        var rule = ReferenceMachineRule(
            byTime: byTime, states: ["s0", "s1", "s2", "s3"].prefix(count).map { $0 }, initial: 0,
            variables: [], transitions: [], invariants: [], deadlines: [],
            rejectsUnexpected: chance(70))
        rule.initial = random.int(in: 0...count - 1)
        rule.variables.append(
            .init(
                name: "c", type: .int, isNullable: false,
                initial: .number(ReferenceNumber(Int128(random.int(in: 0...2))))))
        let copied = scope.fields.first { field in
            switch field.type {
            case .decimal, .string: true
            default: false
            }
        }
        if let copied, chance(60) {
            rule.variables.append(
                .init(name: "v", type: copied.type, isNullable: true, initial: .null))
        }
        var known: Set<String> = []
        var reached = [rule.initial]
        for state in (0..<count).filter({ $0 != rule.initial }) {
            guard let on = newEvent(scope, &known) else { return nil }
            rule.transitions.append(
                .init(on: on, from: chance(20) ? nil : [pick(reached)], to: state, set: []))
            reached.append(state)
        }
        for _ in 0..<random.int(in: 1...3) {
            guard let on = newEvent(scope, &known) else { break }
            rule.transitions.append(
                .init(
                    on: on, from: chance(40) ? nil : [random.int(in: 0...count - 1)],
                    when: chance(50) ? guardOn(scope, rule) : nil,
                    to: chance(50) ? random.int(in: 0...count - 1) : nil, set: []))
        }
        for index in rule.transitions.indices where index == 0 || chance(40) {
            let counter = ReferenceExpression.field("machine.c", text: "machine.c", .int)
            rule.transitions[index].set.append(
                .init(0, .arithmetic("+", counter, .literal("1", .int))))
            if let copied, rule.variables.count > 1, index == 0 || chance(50) {
                rule.transitions[index].set.append(.init(1, copied))
            }
        }
        addRules(&rule, scope, canCountTicks: canCountTicks)
        return rule
    }

    private mutating func addRules(
        _ rule: inout ReferenceMachineRule, _ scope: ReferenceScope, canCountTicks: Bool
    ) {
        for number in 0..<random.int(in: 0...2) {
            rule.invariants.append(
                .init(
                    name: "i\(number)", on: event(scope),
                    require: chance(70) ? guardOn(scope, rule) : condition(scope, depth: 1)))
        }
        for number in 0..<random.int(in: 0...3) {
            let hasStates = chance(70)
            let last = rule.states.count - 1
            let states = hasStates ? [random.int(in: 0...last), last] : nil
            rule.deadlines.append(
                .init(
                    name: "d\(number)", states: states.map { Array(Set($0)).sorted() },
                    since: !hasStates || chance(40) ? event(scope) : nil,
                    until: chance(40) ? event(scope) : nil,
                    after: pick([1000, 2000, 5000, 7500, 20_000]),
                    every: chance(30) ? pick([3000, 10_000]) : nil,
                    countsTicks: canCountTicks && chance(35),
                    to: chance(30) ? random.int(in: 0...last) : nil))
        }
    }

    /// What events are told by.
    private mutating func event(_ scope: ReferenceScope) -> ReferenceExpression {
        let whole = scope.fields.filter { $0.type == .int }
        if !whole.isEmpty, chance(60) {
            return .comparison(
                pick(["==", "==", "<", ">="]), pick(whole),
                .literal("\(random.int(in: 0...5))", .int))
        }
        return condition(scope, depth: 1)
    }

    /// An event that no rule is told by yet.
    private mutating func newEvent(
        _ scope: ReferenceScope, _ known: inout Set<String>
    ) -> ReferenceExpression? {
        for _ in 0..<20 {
            let event = event(scope)
            if known.insert(event.cel).inserted { return event }
        }
        return nil
    }

    /// A condition over the machine, perhaps with the event.
    private mutating func guardOn(
        _ scope: ReferenceScope, _ rule: ReferenceMachineRule
    ) -> ReferenceExpression {
        let state = ReferenceExpression.comparison(
            pick(["==", "!="]), .field("machine.state", text: "machine.state", .string),
            .text(pick(rule.states)))
        let counter = ReferenceExpression.comparison(
            pick(["<", ">="]), .field("machine.c", text: "machine.c", .int),
            .literal("\(random.int(in: 0...4))", .int))
        let own = chance(50) ? state : counter
        switch random.int(in: 0...3) {
        case 0: return .and(own, condition(scope, depth: 0))
        case 1: return .or(own, condition(scope, depth: 0))
        default: return own
        }
    }
}
