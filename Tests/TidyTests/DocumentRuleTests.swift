import Testing

@Suite struct DocumentRuleTests {
    private let makefile = SourceFile(
        "Makefile", "A := b\nrun: build ## run it\n\nbuild:\n\tx: y\n")

    private func messages(_ files: SourceFile...) -> [String] {
        DocumentRule.check(SourceTree(files: files + [makefile])).map(\.description)
    }

    @Test func bothLanguagesHaveTheSameSections() {
        let english = SourceFile("README.md", "# A\n## B\n```sh\n# no heading\n```\n## C\n")
        #expect(messages(english, SourceFile("README.zh-CN.md", "# 甲\n## 乙\n## 丙\n")) == [])
        #expect(
            messages(english, SourceFile("README.zh-CN.md", "# 甲\n## 乙\n")) == [
                "README.zh-CN.md: headings of levels [1, 2], but README.md has [1, 2, 2]"
            ])
        #expect(messages(english) == ["README.zh-CN.md: missing"])
    }

    @Test func aTranslationHasAnOriginal() {
        let files = [SourceFile("README.md", "# A\n"), SourceFile("README.zh-CN.md", "# A\n")]
        let alone = SourceFile("topologies/a/README.zh-CN.md", "# A\n")
        let found = DocumentRule.checkPairs(SourceTree(files: files + [alone]))
        #expect(found.map(\.path) == ["topologies/a/README.zh-CN.md"])
    }

    @Test func aDocumentHasOneTitle() {
        let findings = DocumentRule.check(
            SourceTree(files: [SourceFile("docs/a.md", "# A\n# B\n")]))
        #expect(findings.contains { $0.message.hasPrefix("2 titles") })
    }

    @Test func linksLeadToFiles() {
        let paths: Set = ["docs", "docs/a.md", "README.md", "docs/adr/1.md"]
        func broken(_ text: String) -> [Int] {
            DocumentRule.checkLinks(SourceFile("docs/a.md", text), paths: paths).map(\.line)
        }
        #expect(broken("[a](../README.md) [b](adr/1.md#part) [c](#here) [d](..)\n") == [])
        #expect(
            broken("[web](https://example.org/x) `[code](none.md)`\n```\n[x](no.md)\n```\n") == [])
        #expect(broken("one\n[a](none.md)\n") == [2])
        #expect(broken("![picture](missing.svg)\n") == [1])
        #expect(broken("[a](../../outside.md)\n") == [1])
        #expect(broken("[a](/README.md)\n") == [1])
    }

    @Test func makeTargetsExist() {
        func unknown(_ text: String) -> [Int] {
            let targets = DocumentRule.makeTargets(of: makefile)
            return DocumentRule.checkMakeTargets(SourceFile("a.md", text), targets: targets).map(
                \.line)
        }
        #expect(DocumentRule.makeTargets(of: makefile) == ["run", "build"])
        #expect(unknown("`make run` and\n```sh\nmake build N=2  # all of it\n```\n") == [])
        #expect(unknown("type `make rum`\n") == [1])
        #expect(unknown("```\nmake run all\n```\n") == [2])
        #expect(unknown("to make something\n") == [])
    }
}
