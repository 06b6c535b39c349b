import Testing

@Suite struct DocstringRuleTests {
    private func lines(_ text: String, in path: String = "Sources/Engine/A.swift") -> [Int] {
        DocstringRule.check(SourceTree(files: [SourceFile(path, text)])).map(\.line)
    }

    @Test(arguments: [
        "package func f() {}", "public struct S {}", "package enum E { case a }",
        "package static func make() -> S { S() }", "package init?(_ text: String) { nil }",
        "package init(_ text: String) throws(E) {}", "package final class C {}",
        "@inline(__always)\npackage func f() {}", "package protocol P {}",
        "package static func + (a: S, b: S) -> S { a }", "package subscript(i: Int) -> Int { i }",
    ])
    func asksFor(declaration: String) {
        #expect(lines("import A\n\n\(declaration)\n").count == 1)
        #expect(lines("import A\n\n/// It does so.\n\(declaration)\n") == [])
        #expect(lines("// A comment is none.\n\(declaration)\n").count == 1)
    }

    @Test(arguments: [
        "package import A", "package init(a: Int) { self.a = a }", "package var count: Int { 0 }",
        "package private(set) var a = 1", "func f() {}", "private struct S {}",
        "package static func == (a: S, b: S) -> Bool { true }", "package override func f() {}",
        "package extension S {}", "let package = 1",
    ])
    func doesNotAskFor(declaration: String) { #expect(lines(declaration + "\n") == []) }

    @Test func looksOverAttributes() {
        #expect(
            lines("/// It does so.\n@inline(never)\n@discardableResult\npackage func f() {}\n")
                == [])
    }

    @Test func holdsForSourcesOnly() {
        #expect(lines("package func f() {}\n", in: "Tests/ATests/A.swift") == [])
    }

    @Test func overloadsAreDescribedOnce() {
        let text = "/// Adds.\npackage func add(_ a: Int) {}\npackage func add(_ a: Bool) {}\n"
        #expect(lines(text) == [])
        #expect(lines(text + "package func remove() {}\n") == [4])
    }

    @Test func whatAProtocolOfOursRequiresIsDescribedThere() {
        let text = """
            /// A store.
            package protocol Store {
                /// Reads.
                func read(at offset: Int, _ body: (Int, Bool) -> Void) throws
            }
            /// In memory.
            package struct Memory: Store {
                package func read(at offset: Int, _ body: (Int, Bool) -> Void) {}
                package func read(from offset: Int) {}
            }
            """
        #expect(lines(text) == [9])
    }
}
