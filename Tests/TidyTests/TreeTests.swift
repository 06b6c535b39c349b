import Testing

/// The rules over the whole checkout. A finding says file, line and the way out.
@Suite struct TreeTests {
    private static let tree = Result { try SourceTree.project() }

    private func expectNone(_ check: (SourceTree) -> [Finding]) throws {
        let tree = try Self.tree.get()
        let findings = Set(check(tree)).sorted()
        let list = findings.map(\.description).joined(separator: "\n")
        #expect(findings.isEmpty, "\(findings.count) findings:\n\(list)")
    }

    @Test func treeIsTheProject() throws {
        let tree = try Self.tree.get()
        for path in ["Package.swift", "Makefile", "LICENSE", ".ci/run", "Sources/Primitives"] {
            #expect(tree.paths.contains(path), "\(path) is missing: was the right folder read?")
        }
        #expect(!tree.paths.contains(".build"))
    }

    @Test func importsPointDown() throws { try expectNone { $0.files.flatMap(ImportRule.check) } }

    @Test func filesAndFunctionsAreShort() throws {
        try expectNone { $0.files.flatMap(SizeRule.check) }
    }

    @Test func forbiddenWords() throws { try expectNone { $0.files.flatMap(WordRule.check) } }

    @Test func whatOthersSeeIsDescribed() throws {
        try expectNone(DocstringRule.check)
    }

    @Test func noPathOfAMachine() throws {
        try expectNone { $0.files.flatMap(MachinePathRule.check) }
    }

    @Test func schemasKnowTheParsersKeys() throws { try expectNone(LanguageSchemaRule.check) }

    @Test func documentsHoldTogether() throws { try expectNone(DocumentRule.check) }

    /// An exception outlives its reason when its file is gone.
    @Test func exceptionsNameFilesThatExist() throws {
        let tree = try Self.tree.get()
        var named = Array(SizeRule.exceptions.keys) + Array(WordRule.exceptions.keys)
        named += SizeRule.functionExceptions.keys.map { String($0.split(separator: "#")[0]) }
        named += Array(ImportRule.exceptions.keys) + Array(MachinePathRule.exceptions.keys)
        let gone = named.filter { !tree.paths.contains($0) }.sorted()
        #expect(gone.isEmpty, "exceptions for files that do not exist: \(gone)")
    }
}
