import Testing

@Suite struct MachinePathRuleTests {
    @Test(arguments: ["/work/x", "see /home/me", "cd ../shared", "\u{0}/Users/me"])
    func refuses(text: String) {
        let findings = MachinePathRule.check(SourceFile("a.md", "one\n\(text)\n"))
        #expect(findings.map(\.line) == [2])
    }

    @Test(arguments: ["/tmp/x", "homework/", "a/shared", "/workers", ""])
    func allows(text: String) {
        #expect(MachinePathRule.check(SourceFile("a.md", text)) == [])
    }
}
