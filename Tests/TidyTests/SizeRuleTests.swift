import Testing

@Suite struct SizeRuleTests {
    private func messages(_ path: String, _ text: String) -> [String] {
        SizeRule.check(SourceFile(path, text)).map(\.description)
    }

    private func lines(_ count: Int) -> String {
        String(repeating: "let a = 1\n", count: count)
    }

    @Test func countsLinesOfAFile() {
        #expect(messages("A.swift", lines(700)) == [])
        #expect(
            messages("A.swift", lines(701)) == [
                "A.swift: 701 lines, more than 700: split it by aspect"
            ])
        #expect(messages("A.ndjson", lines(701)) == [])
    }

    @Test func countsCharactersOfALine() {
        #expect(
            messages("A.swift", "//" + String(repeating: "塔", count: 98) + "\nlet a = 1\n") == [])
        #expect(
            messages("a.py", "\n" + String(repeating: "x", count: 101) + "\n") == [
                "a.py:2: 101 columns, more than 100"
            ])
    }

    @Test func refusesEmptyFiles() {
        #expect(messages("a.md", " \n").count == 1)
        #expect(messages("A.swift", "// nothing but a comment\n").count == 1)
        #expect(messages("Tests/ATests/Fixtures/empty.index", "") == [])
    }

    private func function(_ statements: Int) -> String {
        "func f(a: () -> Void = {}) -> Int {\n"
            + String(repeating: "    a()\n", count: statements) + "}\n"
    }

    @Test func countsLinesOfAFunction() {
        #expect(messages("A.swift", function(68)) == [])
        let found = messages("A.swift", "let x = 1\n" + function(69))
        #expect(found.count == 1)
        #expect(found[0].hasPrefix("A.swift:2: f has 71 lines, more than 70"))
    }

    @Test func findsBodiesAndOnlyThose() {
        let text = """
            protocol P {
                func a()
                var b: Int { get }
                init(c: Int)
            }
            struct S: P {
                init(c: Int) { self.init(d: c) }
                subscript(i: Int) -> String { "} func x() { \\(i) {" }
                func a() {
                    /* { */
                    func inner() {
                    }
                }
            }
            """
        let found = SizeRule.functions(SwiftToken.scan(SwiftCode(Array(text.utf8))))
        #expect(found.map(\.name) == ["init", "subscript", "a", "inner"])
        #expect(found.map(\.lineCount) == [1, 1, 5, 2])
    }
}
