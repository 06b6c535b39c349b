import Testing

@Suite struct WordRuleTests {
    private func lines(_ text: String, in path: String = "Sources/Engine/A.swift") -> [Int] {
        WordRule.check(SourceFile(path, text)).map(\.line)
    }

    @Test(arguments: [
        "try! f()", "a as! B", "fatalError(\"x\")", "print(1)", "f(\"\\(try! g())\")",
    ])
    func refuses(statement: String) { #expect(lines("let a = 1\n\(statement)\n") == [2]) }

    @Test(arguments: [
        "try f()", "if try !f() {}", "a as? B", "// try! to read", "let s = \"fatalError(\"",
        "file.print(1)",
        "debugPrint(1)", "let fatalErrors = 1",
    ])
    func allows(statement: String) { #expect(lines(statement + "\n") == []) }

    @Test(arguments: ["// TODO later", "let a = 1  // FIXME"])
    func refusesNotes(statement: String) {
        #expect(lines(statement + "\n") == [1])
        #expect(lines("# TODO\n", in: "Scripts/a.sh") == [1])
    }

    @Test func theProgramAndTestsMayPrint() {
        #expect(lines("print(1)\n", in: "Sources/plumbline/A.swift") == [])
        #expect(lines("print(1)\n", in: "Tests/ATests/A.swift") == [])
    }
}
