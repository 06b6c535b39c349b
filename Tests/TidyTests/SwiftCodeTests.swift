import Testing

@Suite struct SwiftCodeTests {
    private func code(_ text: String) -> String {
        String(decoding: SwiftCode(Array(text.utf8)).bytes, as: UTF8.self)
    }

    @Test(arguments: [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (#"f("x{\"y")"#, #"f("     ")"#),
        (#"f("a\(g("{"))b")"#, #"f("  (g(" ")) ")"#),
        ("#\"a\"b\\(c)\"# d", "#\"       \"# d"),
        ("\"\"\"\na\"b\n\"\"\" c", "\"\"\"\n   \n\"\"\" c"),
        ("#if os(Linux)", "#if os(Linux)"),
    ])
    func blanksCommentsAndStrings(text: String, expected: String) {
        #expect(code(text) == expected)
    }
}
