import Columnar
import Dataflow
import Primitives
import Testing
import Topology

/// The `alarm:` of a sink: what is wrong with it, and what comes of it.
@Suite struct AlarmTests {
    /// The crane's topology with this `alarm:` at its ladder's sink.
    private func topology(_ alarm: String, format: String = "cloudevents") -> String {
        let sink = "  - {from: overload, topic: alarms.crane, codec: lz4}"
        precondition(Crane.topology.contains(sink))
        return Crane.topology.replacing(
            sink,
            with: "  - from: overload\n    topic: alarms.crane\n    format: \(format)\n"
                + "    alarm: \(alarm)")
    }

    private func expect(
        _ alarm: String, _ messages: [String], hints: [String?]? = nil,
        format: String = "cloudevents",
        location: Testing.SourceLocation = #_sourceLocation
    ) {
        let marked = Marked(topology(alarm, format: format))
        let found = problems(marked.text)
        #expect(summary(found) == marked.with(messages), sourceLocation: location)
        if let hints { #expect(found.map(\.hint) == hints, sourceLocation: location) }
    }

    @Test func form() {
        expect("‸[]", ["'alarm' must be a mapping, not a list"])
        expect(
            "{‸severty: x}", ["unknown key 'severty' in 'alarm'"],
            hints: ["did you mean 'severity'?"])
        expect("{rule: ‸over load}", ["'over load' cannot be the rule of an alarm"])
        expect("{type: ‸\"a b\"}", ["'a b' cannot be the type of an alarm"])
        expect("{source: ‸塔机}", ["'塔机' cannot be the source of an alarm"])
        let truth = "'majorHazard' must be true or false, or a mapping of levels to these"
        expect("{majorHazard: ‸maybe}", [truth])
        expect("{majorHazard: {critical: ‸yes}}", [truth])
        expect(
            "{severity: ‸[]}",
            ["'severity' must be a text or a mapping of levels to texts, not a list"])
        expect("{basis: ‸{}}", ["'basis' names no level"])
        let json = Marked(
            topology("{}", format: "json").replacing("alarm: {}", with: "‸alarm: {}"))
        #expect(
            summary(problems(json.text)) == json.with(["'alarm' goes with 'format: cloudevents'"]))
    }

    @Test func names() {
        expect(
            "{subject: ‸devise}",
            ["the subject names 'devise', which 'overload' does not have"],
            hints: ["did you mean 'device'?"])
        expect(
            "{severity: {‸warnung: minor}, majorHazard: {‸critcal: true}, basis: {‸x: y}}",
            [
                "'severity' names the level 'warnung', which does not exist",
                "'majorHazard' names the level 'critcal', which does not exist",
                "'basis' names the level 'x', which does not exist",
            ])
        expect("{severity: {normal: none}, basis: GB 5144-2006}", [])
        let two = topology("{rule: load}").replacing(
            "  - {from: mean15, topic: means.crane, codec: none}",
            with: "  - from: mean15\n    topic: means.crane\n    format: cloudevents\n"
                + "    alarm: {rule: ‸load}")
        let marked = Marked(two)
        #expect(
            summary(problems(marked.text))
                == marked.with(["rule 'load' is that of 'overload' already"]))
    }

    @Test func messages() {
        expect("{message: ‸text}", ["'message' must be a mapping, not a single value"])
        expect("{message: ‸{zh: 超载}}", ["the message lacks 'en'"])
        expect("{message: {zh: ‸\"\", en: x}}", ["'zh' must be a text, not a single value"])
        expect(
            "{message: {zh: \"塔机 {‸devise} 超载\", en: \"crane {device}, {‸rato}\"}}",
            [
                "the message names 'devise', which 'overload' does not have",
                "the message names 'rato', which 'overload' does not have",
            ], hints: ["did you mean 'device'?", "did you mean 'ratio'?"])
        for (text, message) in [
            ("a ‸{", "'{' names no field"), ("a ‸{} b", "'{' names no field"),
            ("a ‸{b{c}", "'{' names no field"), ("a ‸} b", "'}' closes nothing"),
            ("{{a}} ‸{device", "'{' names no field"),
        ] {
            expect("{message: {zh: \"\(text)\", en: x}}", [message])
        }
        expect(
            "{message: {zh: x, en: y, ‸claered: {zh: x, en: y}}}",
            ["there is no event 'claered'"], hints: ["did you mean 'cleared'?"])
        expect(
            "{message: {zh: x, en: y, cleared: {zh: x, en: \"{‸y}\"}}}",
            ["the message names 'y', which 'overload' does not have"])
        expect("{message: {zh: x, en: y, cleared: ‸{zh: x}}}", ["the message lacks 'en'"])
        expect(
            "{message: {zh: x, en: y, ‸\"a b\": {zh: x, en: y}}}",
            ["'a b' is neither a language nor an event"])
    }

    @Test func valuesOfManyPartsAreNotShown() {
        let text =
            Crane.sources + """
                steps:
                  - a: {from: load, lookup: {crane: device}, select: {c: 'crane.chart[load.falls]'}}
                sinks:
                  - from: a
                    topic: a
                    format: cloudevents
                    alarm: {message: {zh: "{‸c}", en: x}}
                """
        let marked = Marked(text)
        let type = "list<struct{radius: decimal(2) m, capacity: decimal(3) t}>"
        #expect(
            summary(problems(marked.text))
                == marked.with(["the message names 'c', which is \(type)"]))
    }

    // MARK: Rules from a field

    private static let table = """
          crane:
            topic: registry.crane
            schema: crane
            table: {key: device, asOf: ts}
        """
    private static let machine =
        Crane.sources.replacing(table, with: "") + """
            steps:
              - lift:
                  from: load
                  key: device
                  machine:
                    states: [idle, lifting]
                    initial: idle
                    transitions:
                      - {on: load.mass > 1, from: idle, to: lifting}
                      - {on: load.mass <= 1, from: lifting, to: idle}
                    invariants:
                      - {name: no_falls, on: load.mass > 1, require: load.falls > 0}
                    deadlines:
                      - {name: too_long, in: lifting, after: 1h}
              - told:
                  from: lift
                  filter: lift.event != "transition"
                  select:
                    rule: lift.name
                    event: lift.event
                    since: lift.since
                    mass: lift.mass
                    other: string(lift.mass)
            sinks:
              - {from: told, topic: alarms.lift, format: cloudevents, alarm: ALARM}
              - {from: lift, topic: states}
            """

    private func expectRules(
        _ alarm: String, _ messages: [String], hints: [String?]? = nil,
        location: Testing.SourceLocation = #_sourceLocation
    ) {
        let marked = Marked(Self.machine.replacing("ALARM", with: alarm))
        let found = problems(marked.text)
        #expect(summary(found) == marked.with(messages), sourceLocation: location)
        if let hints { #expect(found.map(\.hint) == hints, sourceLocation: location) }
    }

    @Test func rulesFromAField() {
        expectRules("{rule: {field: rule}, rules: {too_long: {severity: major}}}", [])
        expectRules("{rule: {field: other}, rules: {anything: {severity: major}}}", [])
        expectRules(
            "{rule: {field: ‸ruel}}", ["the rule names 'ruel', which 'told' does not have"],
            hints: ["did you mean 'rule'?"])
        expectRules(
            "{rule: {field: ‸mass}}", ["the rule names 'mass', which is decimal(2) t"],
            hints: ["the name of a rule is a string, such as the 'name' of a machine"])
        expectRules(
            "{rule: {field: rule}, rules: {‸to_long: {severity: major}}}",
            ["there is no rule 'to_long'"], hints: ["did you mean 'too_long'?"])
        expectRules(
            "{rule: {field: rule}, rules: {too_long: {‸severty: major}}}",
            ["unknown key 'severty' in rule 'too_long'"], hints: ["did you mean 'severity'?"])
        expectRules(
            "{rule: {field: rule}, rules: {too_long: {message: {zh: x, en: \"{‸y}\"}}}}",
            ["the message names 'y', which 'told' does not have"])
        // What a machine calls its events is known, as what a ladder does.
        expectRules(
            "{rule: {field: rule}, message: {zh: x, en: y, ‸deadlin: {zh: x, en: y}}}",
            ["there is no event 'deadlin'"], hints: ["did you mean 'deadline'?"])
        expectRules(
            "{rules: ‸{too_long: {severity: major}}}", ["'rules' goes with a rule from a field"])
        expectRules("{rule: {field: rule}, rules: ‸{}}", ["'rules' names no rule"])
        expectRules(
            "{rule: {field: rule}, rules: ‸[]}", ["'rules' must be a mapping, not a list"])
        expectRules("{rule: ‸{}}", ["'rule' needs 'field'"], hints: ["rule: {field: name}"])
        let marked = Marked(
            Self.machine.replacing("ALARM", with: "{rule: {field: rule}}").replacing(
                "{from: lift, topic: states}",
                with: "{from: lift, topic: states, format: cloudevents, alarm: {rule: ‸no_falls}}")
        )
        #expect(
            summary(problems(marked.text))
                == marked.with(["rule 'no_falls' is that of 'told' already"]))
    }

    @Test func whatARuleLeavesOutTheSinkSays() throws {
        let text = Self.machine.replacing(
            "ALARM",
            with: "{rule: {field: rule}, severity: minor, basis: b, message: {zh: x, en: y},"
                + " rules: {too_long: {severity: major}, no_falls: {message: {zh: z, en: z}}}}")
        let plan = try TopologyLoader.load(Crane.texts(text)).plan
        let sink = try #require(plan.sinks.first { $0.topic == "alarms.lift" })
        guard case .cloudEvents(let alarm) = sink.format else { throw Diagnostic("no alarm") }
        #expect(alarm.rule == "told" && alarm.type == nil)
        #expect(alarm.fields.rule == 1)
        let late = try #require(alarm.rules["too_long"])
        #expect(late.severity.value(nil) == "major" && late.basis.value(nil) == "b")
        #expect(late.message == alarm.common.message)
        let falls = try #require(alarm.rules["no_falls"])
        #expect(falls.severity.value(nil) == "minor")
        #expect(falls.message?.english.parts == [.text("z")])
        let again = try TopologyLoader.load(canonicalText: plan.canonicalText)[0]
        #expect(again.canonicalText == plan.canonicalText)
        #expect(again.sinks.first { $0.topic == "alarms.lift" }?.format == sink.format)
    }

    private static let whole = """
        {
          rule: over, type: cn.example.over, source: /site/1, subject: falls,
          severity: {critical: fatal, warning: minor},
          majorHazard: {critical: true},
          basis: "GB 5144-2006 6.1",
          message: {
            zh: "塔机 {device}：{{{ratio}}}", en: "crane {device}: {{{ratio}}}",
            cleared: {zh: "解除", en: "over"}
          }
        }
        """.split(separator: "\n").joined(separator: "\n    ")

    private func alarm(_ text: String) throws -> (plan: Plan, alarm: AlarmPlan) {
        let plan = try TopologyLoader.load(Crane.texts(text)).plan
        let sink = try #require(plan.sinks.first { $0.topic == "alarms.crane" })
        guard case .cloudEvents(let alarm) = sink.format else {
            throw Diagnostic("no alarm")
        }
        return (plan, alarm)
    }

    @Test func planOfAnAlarm() throws {
        let (plan, alarm) = try alarm(topology(Self.whole))
        let fields = try #require(plan.steps.first { $0.name == "overload" }).output.fields
        func index(_ name: String) -> Int? { fields.firstIndex { $0.name == name } }
        #expect(alarm.topology == "crane-overload" && alarm.rule == "over")
        #expect(alarm.type == "cn.example.over" && alarm.source == "/site/1")
        #expect(alarm.subject == index("falls") && alarm.keyField == index("device"))
        #expect(
            alarm.fields
                == AlarmPlan.Fields(
                    event: index("event"), level: index("level"), previous: index("previous"),
                    value: index("value"), limit: index("limit"), since: index("since")))
        #expect(
            alarm.common.severity.value("critical") == "fatal"
                && alarm.common.severity.value("alarm") == nil)
        #expect(alarm.common.majorHazard.value("critical") == true)
        #expect(alarm.common.basis.value("normal") == "GB 5144-2006 6.1")
        let ratio = try #require(index("ratio"))
        let device = try #require(index("device"))
        #expect(
            alarm.common.message?.chinese.parts == [
                .text("塔机 "), .field(device), .text("：{"), .field(ratio), .text("}"),
            ])
        #expect(alarm.common.eventMessages["cleared"]?.english.parts == [.text("over")])
        // All defaults.
        let (_, plain) = try self.alarm(topology("{}"))
        #expect(plain.rule == "overload" && plain.type == "crane-overload.overload")
        #expect(plain.source == "/plumbline/crane-overload" && plain.subject == plain.keyField)
        #expect(plain.common.message == nil && plain.common.basis.value("alarm") == nil)
    }

    @Test func canonicalTextReadsBack() throws {
        for text in [Self.whole, "{}", "{basis: {alarm: \"a: 'b' \\\"c\\\"\"}, majorHazard: true}"]
        {
            let (plan, alarm) = try alarm(topology(text))
            let again = try TopologyLoader.load(canonicalText: plan.canonicalText)[0]
            #expect(again.canonicalText == plan.canonicalText)
            #expect(
                again.sinks.first { $0.topic == "alarms.crane" }?.format == .cloudEvents(alarm))
        }
    }

    @Test func spellingDoesNotMatterMeaningDoes() throws {
        let bare = topology("{}").replacing("    alarm: {}\n", with: "")
        let plain = try self.alarm(bare).plan.canonicalText
        for same in [
            "{}", "{rule: overload}", "{type: crane-overload.overload, subject: device}",
            "{source: /plumbline/crane-overload}",
        ] {
            #expect(try self.alarm(topology(same)).plan.canonicalText == plain, "\(same)")
        }
        let whole = try self.alarm(topology(Self.whole)).plan.canonicalText
        let expected = [
            #"{"alarm":{"basis":"GB 5144-2006 6.1","majorHazard":{"critical":true},"#,
            #""message":{"en":"crane {device}: {{{ratio}}}","#,
            #""zh":"塔机 {device}：{{{ratio}}}","cleared":{"en":"over","zh":"解除"}},"#,
            #""rule":"over","severity":{"critical":"fatal","warning":"minor"},"#,
            #""source":"/site/1","subject":"falls","type":"cn.example.over"},"#,
            #""codec":"lz4","format":"cloudevents","from":"overload","#,
        ].joined()
        #expect(whole.contains(expected))
        for (old, new) in [
            ("critical: fatal, warning: minor", "warning: minor, critical: fatal"),
            ("zh: \"解除\", en: \"over\"", "en: over, zh: 解除"),
        ] {
            let other = Self.whole.replacing(old, with: new)
            #expect(other != Self.whole)
            #expect(try self.alarm(topology(other)).plan.canonicalText == whole)
        }
        for (old, new) in [
            ("fatal", "lethal"), ("解除", "结束"), ("6.1", "6.2"), ("/site/1", "/site/2"),
            ("rule: over,", "rule: load,"), ("{critical: true}", "{critical: false}"),
        ] {
            let other = Self.whole.replacing(old, with: new)
            #expect(other != Self.whole)
            let text = try self.alarm(topology(other)).plan.canonicalText
            #expect(text != whole)
            #expect(!PlanDifference.describe(whole, text).isEmpty)
        }
    }
}
