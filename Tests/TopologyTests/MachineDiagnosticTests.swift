import Primitives
import Testing
import Topology

/// Everything that can be wrong with a machine or a side output, with its place.
@Suite struct MachineDiagnosticTests {
    private func expect(
        _ machine: String, _ messages: [String], hints: [String?]? = nil,
        location: Testing.SourceLocation = #_sourceLocation
    ) {
        let lines = machine.split(separator: "\n").map { "        \($0)" }
        let marked = Marked(
            Crane.sources + """
                steps:
                  - use: {from: load, lookup: {crane: device}, select: {m: crane.model}}
                  - a:
                      from: load
                      key: device
                      machine:

                """ + lines.joined(separator: "\n")
                + "\nsinks: [{from: a, topic: a}, {from: use, topic: u}]")
        let found = problems(marked.text)
        #expect(summary(found) == marked.with(messages), sourceLocation: location)
        for diagnostic in found { #expect(diagnostic.hint != nil, sourceLocation: location) }
        if let hints { #expect(found.map(\.hint) == hints, sourceLocation: location) }
    }

    private let two = """
        initial: a
        states: [a, b]
        transitions: [{on: mass > 1.0, from: a, to: b}]

        """

    @Test func misspeltStates() {
        expect(
            """
            initial: open
            states: [open, closed]
            transitions:
              - {on: mass > 1.0, from: open, to: closed, when: machine.state == ‸"opne"}
              - {on: mass < 1.0, from: closed, to: open, when: 'machine.state in [‸"closde"]'}
            """,
            [
                "'state' is never \"opne\"", "'state' is never \"closde\"",
            ], hints: ["did you mean \"open\"?", "did you mean \"closed\"?"])
    }

    /// After the step, too, as far as nothing else can have written the field.
    @Test func misspeltTextsOfEarlierSteps() {
        let marked = Marked(
            Crane.sources + """
                steps:
                  - use: {from: load, lookup: {crane: device}, select: {m: crane.model}}
                  - a:
                      from: load
                      key: device
                      machine:
                        initial: open
                        states: [open, closed]
                        transitions:
                          - {on: mass > 1.0, from: open, to: closed}
                          - {on: mass < 1.0, from: closed, to: open}
                  - b: {from: a, filter: 'state != ‸"close" && ‸"transitoin" == event'}
                  - c: {from: a, select: {s: state}}
                  - d: {from: c, filter: s == ‸"Open"}
                  - e:
                      from: load
                      key: device
                      levels:
                        of: mass
                        raise: {high: 1.0}
                        clear: {high: 0.5}
                        confirm: 2 readings
                  - f: {from: e, filter: level == "normal" || previous == ‸"hihg"}
                sinks:
                  - {from: b, topic: b}
                  - {from: d, topic: d}
                  - {from: f, topic: f}
                  - {from: use, topic: u}
                """)
        let found = problems(marked.text)
        #expect(
            summary(found)
                == marked.with([
                    "'state' is never \"close\"", "'event' is never \"transitoin\"",
                    "'s' is never \"Open\"", "'previous' is never \"hihg\"",
                ]))
        #expect(found.first?.hint == "did you mean \"closed\"?")
    }

    @Test func form() {
        expect(
            """
            ‸states: ‸[]
            order: ‸later
            remember: {‸in: int, x: ‸itn, y: ‸}
            transitions:
              - ‸{from: a}
              - {on: mass > 1.0, from: ‸{}, ‸too: b}
              - ‸x
            invariants: ‸{name: i}
            deadlines:
              - ‸{name: d, after: 1h}
              - {name: ‸9, in: a, after: ‸1x}
              - {name: e, in: a, after: 1h, repeat: ‸0s, clock: ‸wall}
            unexpected: ‸drop
            """,
            [
                "'machine' of step 'a' needs 'initial'",
                "'states' must be a state or a list of states, not an empty list",
                "'order' cannot be 'later'", "'in' is a reserved word of expressions",
                "unknown type 'itn'", "a type is missing", "a transition needs 'on'",
                "'from' must be a state or a list of states, not a mapping",
                "unknown key 'too' in a transition",
                "a transition must be a mapping, not a single value",
                "'invariants' must be a list, not a mapping", "nothing begins deadline 'd'",
                "'9' is not a name: letters, digits, '_' and '-'", "'1x' is not a duration",
                "'repeat' must be more than 0", "'clock' cannot be 'wall'",
                "'unexpected' cannot be 'drop'",
            ])
    }

    @Test func states() {
        expect(
            """
            initial: ‸aa
            states: [a, b, ‸any, ‸a, ‸c-3 d]
            transitions:
              - {on: mass > 1.0, from: ‸A, to: b}
              - {on: mass > 2.0, from: [a, ‸c], to: ‸z}
            deadlines:
              - {name: d, in: ‸q, after: 1h, to: ‸bb}
            """,
            [
                "there is no state 'aa'", "'any' is not a name of a state",
                "state 'a' stands twice", "'c-3 d' is not a name of a state",
                "there is no state 'A'", "there is no state 'c'", "there is no state 'z'",
                "there is no state 'q'", "there is no state 'bb'",
            ])
        expect(
            """
            initial: reviewed
            states: [reviewed, started]
            transitions: [{on: mass > 1.0, from: ‸reviwed, to: started}]
            """, ["there is no state 'reviwed'"], hints: ["did you mean 'reviewed'?"])
    }

    @Test func reachAndCover() {
        expect(
            """
            initial: a
            states: [a, b, ‸c, ‸d]
            transitions:
              - {on: mass > 1.0, from: a, to: b}
              - {on: mass > 2.0, from: c, to: d}
              - ‸{on: 'mass >  1.0', from: a, when: falls == 2, to: a}
              - {on: mass > 1.0, from: [a, b], to: a}
              - {on: mass > 3.0, from: a, when: falls == 2}
              - ‸{on: mass > 3.0, from: a, when: falls == 2, to: b}
              - {on: mass > 3.0, from: a}
              - {on: 'true', from: any}
              - ‸{on: falls == 7, from: b}
            """,
            [
                "nothing leads to state 'c'", "nothing leads to state 'd'",
                "this transition is never taken: the one on line 23 comes first",
                "this transition is never taken: the one on line 27 comes first",
                "this transition is never taken: the one on line 30 comes first",
            ])
    }

    @Test func expressions() {
        expect(
            two + """
                remember: {‸n: {type: int, initial: 0}, ‸m: decimal(2) t?}
                invariants:
                  - {name: i, on: ‸machine.n > 0, require: ‸machine.n}
                deadlines:
                  - {name: d, in: a, since: ‸machine.state == "a", after: ‸mass}
                """,
            [
                "nothing sets variable 'n'", "nothing sets variable 'm'",
                "'on' sees the event alone, not the machine",
                "'require' must be bool, this is int",
                "'since' sees the event alone, not the machine",
                "'after' must be a duration, this is decimal(2) t",
            ])
    }

    @Test func variables() {
        expect(
            """
            initial: a
            states: [a, b]
            remember:
              ‸mass: int?
              ‸state: int?
              ‸none: int
              ‸list: list<int>?
              wrong: {type: int, initial: ‸1.5}
              nothing: {type: int, initial: ‸1 / 0}
              m: decimal(2) t?
            transitions:
              - on: load.mass > 1.0
                from: a
                to: b
                set: {mass: 1, state: 1, none: ‸null, list: "[1]", wrong: ‸radius, nothing: 1, \
            m: ‸radius, ‸mm: 1}
            """,
            [
                "variable 'mass' has the name of another field that comes out",
                "variable 'state' has the name of another field that comes out",
                "variable 'none' has no value at first",
                "variable 'list' is list<int>",
                "variable 'wrong' is int, this is double",
                "'initial' of 'nothing' has no value: division-by-zero",
                "variable 'none' cannot be null",
                "variable 'wrong' is int, this is decimal(1) m",
                "variable 'm' is decimal(2) t, this is decimal(1) m",
                "there is no variable 'mm'",
            ])
    }

    @Test func rules() {
        expect(
            two + """
                invariants: [{name: x, on: falls == 2, require: mass > 1.0}]
                deadlines: [{name: ‸x, in: a, after: 1h}]
                """,
            ["'x' is the name of two rules"], hints: ["it stands on line 23 too; rename one"])
    }

    /// The last rows of a source would wait for ever, and count as missing.
    @Test func ticksNeedAClockThatMoves() {
        let text =
            Crane.sources + """
                steps:
                  - use: {from: load, lookup: {crane: device}, select: {m: crane.model}}
                  - a:
                      from: load
                      key: device
                      machine:
                        initial: a
                        states: [a, b]
                        transitions: [{on: mass > 1.0, from: a, to: b}]
                        deadlines: [{name: ‸t, in: b, after: 1h, clock: tick}]
                sinks: [{from: a, topic: a}, {from: use, topic: u}]
                """
        for (time, isRight) in [
            ("clock: key, abandon: 1h", true), ("clock: key", false), ("idle: 10s", true),
            ("clock: partition", false),
        ] {
            let marked = Marked(text.replacing("clock: key, abandon: 1h", with: time))
            let message =
                "deadline 't' counts ticks, while the last events of source 'load' wait "
                + "for the watermark without end"
            #expect(
                summary(problems(marked.text)) == (isRight ? [] : marked.with([message])), "\(time)"
            )
        }
        let marked = Marked(
            text.replacing("clock: key, abandon: 1h", with: "clock: key").replacing(
                "initial: a", with: "order: arrival\n        initial: a"))
        #expect(summary(problems(marked.text)) == [])
    }

    @Test func namesOfTheInput() {
        let text = """
            steps:
              - machine: {from: load, select: {state: mass, event: falls}}
              - use: {from: load, lookup: {crane: device}, select: {m: crane.model}}
              - a:
                  from: ‸machine
                  key: device
                  machine: {initial: a, states: [a]}
            sinks: [{from: a, topic: a}, {from: use, topic: u}]
            """
        let marked = Marked(Crane.sources + text)
        #expect(
            summary(problems(marked.text)) == [
                "\(marked.places[0]) machine adds 'state', 'event', which the input has already",
                "\(marked.places[0]) a machine cannot read 'machine': expressions need that name",
            ])
    }

    @Test func sideOutputs() {
        func problems(_ step: String, _ sinks: String = "{from: b, topic: b}") -> [String] {
            let marked = Marked(
                Crane.sources + "steps: [{use: {from: load, lookup: {crane: device}, "
                    + "select: {m: crane.model}}}, {a: {from: load, \(step)}}]\n"
                    + "sinks: [{from: a, topic: a}, {from: use, topic: u}, \(sinks)]")
            let found = summary(TopologyTests.problems(marked.text))
            let places = marked.places
            return found.map { line in
                places.contains { line.hasPrefix($0 + " ") }
                    ? String(line.drop { $0 != " " }.dropFirst()) : line
            }
        }
        #expect(problems("filter: mass > 1.0, otherwise: b") == [])
        #expect(
            problems("filter: mass > 1.0, otherwise: ‸b", "{from: use, topic: v}") == [
                "nothing reads side output 'b'"
            ])
        #expect(
            problems("select: {x: mass}, ‸otherwise: b") == [
                "'otherwise' goes with 'filter' only"
            ])
        #expect(
            problems("filter: mass > 1.0, otherwise: ‸load", "{from: use, topic: v}") == [
                "'load' is already the name of a source or step"
            ])
        #expect(
            problems(
                "lookup: {‸crane: device}, filter: mass > 1.0, otherwise: b, select: {x: mass}")
                == ["'load' and table 'crane' both have 'device', 'ts'"])
    }
}
