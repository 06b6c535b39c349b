import Testing

@Suite struct ImportRuleTests {
    private func messages(_ path: String, _ text: String) -> [String] {
        ImportRule.check(SourceFile(path, text)).map(\.description)
    }

    @Test func allowsWhatTheTableSays() {
        #expect(messages("Sources/Dataflow/A.swift", "import Columnar\nimport Expression\n") == [])
        #expect(messages("Sources/RecordLog/A.swift", "import Glibc\nimport CZstd\n") == [])
        #expect(messages("Sources/plumbline/A.swift", "import ArgumentParser\n") == [])
        #expect(messages("Tests/EngineTests/A.swift", "import Engine\nimport Testing\n") == [])
    }

    @Test func refusesAnArrowThatPointsUp() {
        let found = messages("Sources/RecordLog/A.swift", "import Primitives\nimport Columnar\n")
        #expect(
            found == [
                "Sources/RecordLog/A.swift:2: RecordLog may not import Columnar; it may import "
                    + "CLZ4, CSnappy, CZlib, CZstd, Glibc, Primitives, Synchronization"
            ])
    }

    @Test(arguments: [
        "Primitives", "Columnar", "Expression", "RecordLog", "Dataflow", "Topology", "Simulation",
    ])
    func refusesFoundationBelowConnectors(target: String) {
        for module in ["Foundation", "FoundationEssentials"] {
            #expect(messages("Sources/\(target)/A.swift", "import \(module)\n").count == 1)
        }
    }

    @Test(arguments: ["Primitives", "Columnar", "Expression", "Dataflow", "Simulation"])
    func refusesInputOutputAndThreadsInPureTargets(target: String) {
        #expect(messages("Sources/\(target)/A.swift", "import Glibc\n").count == 1)
        #expect(messages("Sources/\(target)/A.swift", "import Synchronization\n").count == 1)
    }

    @Test func readsEveryFormOfImport() {
        let text = """
            @preconcurrency import Columnar
            package import Primitives; internal import Expression
            import struct Foundation.Data
            // import Engine
            let text = "import Topology"
            """
        let found = ImportRule.imports(of: SourceFile("A.swift", text)).map(\.module)
        #expect(found == ["Columnar", "Primitives", "Expression", "Foundation"])
    }

    @Test func refusesTargetsThatNobodyEntered() {
        #expect(
            messages("Sources/Extra/A.swift", "let a = 1\n") == [
                "Sources/Extra/A.swift: target Extra is not in the import table of ImportRule"
            ])
    }

    @Test func refusesTestableAndTheProgramInTests() {
        #expect(messages("Tests/ATests/A.swift", "@testable import Engine\n").count == 1)
        #expect(messages("Tests/ATests/A.swift", "import plumbline\n").count == 1)
    }
}
