import Dataflow
import Primitives
import Testing
import Topology

/// Text that is no YAML, or YAML that the language does not take.
@Suite struct YAMLTests {
    private func expect(
        _ marked: String, _ messages: [String],
        location: Testing.SourceLocation = #_sourceLocation
    ) {
        let marked = Marked(marked)
        let found = problems(marked.text)
        #expect(summary(found) == marked.with(messages), sourceLocation: location)
        for diagnostic in found { #expect(diagnostic.hint != nil, sourceLocation: location) }
    }

    @Test func emptyFiles() {
        for text in ["", "   \n\n", "# only a comment\n", "---\n", "---\n...\n", "\u{FEFF}"] {
            expect("‸" + text, ["the file is empty"])
        }
    }

    @Test func otherThanAMapping() {
        expect("‸- a\n- b\n", ["a topology must be a mapping, not a list"])
        expect("‸just text\n", ["a topology must be a mapping, not a single value"])
    }

    @Test func refusedForms() {
        expect("topology: ‸&x t\n", ["anchors and aliases are not supported"])
        expect("topology: ‸*x\n", ["anchors and aliases are not supported"])
        expect(
            "topology: t\n---\n‸topology: u\n".replacing("‸", with: "").replacing(
                "---", with: "‸---"), ["more than one YAML document"])
        expect("topology: t\nversion: 1\n‸topology: u\n", ["key 'topology' stands twice"])
        expect("topology: ‸!u t\n", ["YAML tag '!u' is not supported"])
        expect("topology:\n‸\tversion: 1\n", ["tab in the indentation"])
        expect("topology: a‸: b\n", ["unexpected ':' in a value"])
    }

    /// Expressions that YAML takes for something else: the hint shows the value in quotes that
    /// YAML itself then reads as it was meant.
    @Test(
        arguments: [
            ("[1, 2].size() > 0", "text after a value that begins with [ and has ended"),
            ("{'a': 1}.size() > 0", "text after a value that begins with { and has ended"),
            ("\"a\" == device", "text after a value that begins with \" and has ended"),
            ("'a' == device", "text after a value that begins with ' and has ended"),
            ("ok ? 1 : 2", "unexpected ':' in a value"),
            ("Crane: too much", "unexpected ':' in a value"),
            ("@device", "a value cannot begin with '@'"), ("%d", "a value cannot begin with '%'"),
        ]) func valuesThatNeedQuotes(_ value: String, _ message: String) throws
    {
        // In a list such a text with a colon is a mapping, and right.
        let prefixes = ["filter: ", "- filter: "] + (message.contains("':'") ? [] : ["- "])
        for prefix in prefixes {
            let found = problems(prefix + value + "\n")
            #expect(found.map(\.message) == [message])
            let hint = try #require(found.first?.hint)
            let quoted = try #require(hint.split(separator: "in quotes: ").last)
                .replacing(", or check the indentation", with: "")
            let collector = DiagnosticCollector()
            let node = YAMLReader.read(SourceText(name: "x", text: "a: \(quoted)"), collector)
            #expect(node?["a"]?.text == value, "\(hint)")
        }
    }

    @Test func valuesInBracketsThatNeedQuotes() {
        for text in ["a: {when: [1, 2].size() > 0, b: c}", "a: [\"x\" == y]"] {
            let found = problems(text)
            #expect(
                found.map(\.message) == [
                    "not valid YAML: did not find expected ',' or "
                        + (text.contains("{") ? "'}'" : "']'")
                ])
            #expect(found.first?.hint?.contains("put the whole of a value in quotes") == true)
        }
    }

    @Test func brokenText() {
        for text in [
            "a: [1, 2", "a: \"x", "{", "a: 'x\nb: y", "%", "a: @x", "a: b\n c: d", "\u{1}",
        ] {
            let found = problems(text)
            #expect(found.count == 1, "\(text): \(summary(found))")
            #expect(found.first?.location?.file == "topology.yaml")
            #expect(found.first?.hint != nil)
        }
    }

    @Test func lineEndsDoNotMatter() throws {
        let plan = try TopologyLoader.load(Crane.texts(Crane.topology)).plan
        let text = Crane.topology.replacing("\n", with: "\r\n")
        #expect(
            try TopologyLoader.load(Crane.texts(text)).plan.canonicalText == plan.canonicalText)
        #expect(
            summary(problems(text.replacing("load.mass > 0.0", with: "load.mass > \"a\""))).count
                == 1)
        #expect(
            summary(problems(text.replacing("confirm: 2 readings", with: "confirm: x")))
                == ["29:18 'x' is not a duration"])
    }

    @Test func deepNestingIsRefused() {
        for count in [80, 400, 600, 200_000] {
            for (open, close) in [("[", "]"), ("{a: ", "}")] {
                let text =
                    "a: " + String(repeating: open, count: count) + "1"
                    + String(repeating: close, count: count)
                let found = problems(text)
                #expect(!found.isEmpty)
            }
            #expect(!problems(String(repeating: "- ", count: count) + "1").isEmpty)
            #expect(!problems(String(repeating: "? ", count: count) + "1").isEmpty)
        }
        for count in [80, 900, 1500] {
            let lines = (0..<count).map { String(repeating: " ", count: $0) + "a:" }
            #expect(!problems(lines.joined(separator: "\n") + " 1").isEmpty)
        }
    }

    @Test func placesInsideScalars() throws {
        let collector = DiagnosticCollector()
        let text = """
            plain: one two
              three
            single: 'it''s x'
            double: "a\\"b\\u00e9c"
            literal: |
              first
              second x
            folded: >
              first word
              second word
            中文: 测试 x
            """
        let root = try #require(
            YAMLReader.read(SourceText(name: "f", text: text), collector))
        func place(_ key: String, _ part: String) throws -> String {
            let node = try #require(root[key])
            let value = try #require(node.text)
            let range = try #require(value.firstRange(of: part))
            let offset = value.distance(from: value.startIndex, to: range.lowerBound)
            let place = node.location(ofCharacter: offset)
            return "\(place.line):\(place.column)"
        }
        #expect(try place("plain", "one") == "1:8")
        #expect(try place("plain", "two") == "1:12")
        #expect(try place("plain", "three") == "2:3")
        #expect(try place("single", "it") == "3:10")
        #expect(try place("single", "x") == "3:16")
        #expect(try place("double", "b") == "4:13")
        #expect(try place("double", "c") == "4:20")
        #expect(try place("literal", "first") == "6:3")
        #expect(try place("literal", "x") == "7:3")
        #expect(try place("folded", "first") == "9:3")
        #expect(try place("folded", "second") == "10:3")
        #expect(try place("中文", "x") == "11:8")
    }
}
