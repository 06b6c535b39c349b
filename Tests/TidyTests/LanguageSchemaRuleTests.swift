import Testing

@Suite struct LanguageSchemaRuleTests {
    private static let parser = """
        let operators = ["filter", "window"]
        guard
            let reader = MappingReader(
                entry.value, what: "step '\\(entry.key)'",
                keys: ["from"] + operators, collector,
                example: "\\(entry.key): {from: load}")
        else { return nil }
        let options = MappingReader(
            node, what: "'window' of step '\\(step)'", keys: [
                "tumbling", "offset",
            ], collector, example: example)
        let item = MappingReader(
            node, what: "an item", keys: sources + ["tick"], collector, example: example)
        """
    private static let schema = """
        {"$defs": {
            "step": {
                "$comment": "parser: step '…'; by alternatives",
                "properties": {"from": {}}, "oneOf": [{"$ref": "#/$defs/filter"}, {
                    "properties": {"window": {"$ref": "#/$defs/window"}, "filter": false}}]},
            "filter": {"properties": {"filter": {}}},
            "window": {
                "$comment": "parser: 'window' of step '…'",
                "properties": {"tumbling": {}, "offset": {}}},
            "item": {"$comment": "parser: an item", "properties": {"tick": {}}}
        }}
        """

    private func messages(_ parser: String, _ schema: String) -> [String] {
        LanguageSchemaRule.check(
            SourceTree(files: [
                SourceFile("Sources/Topology/R.swift", parser),
                SourceFile("docs/schema/t.schema.json", schema),
            ])
        ).sorted().map(\.description)
    }

    @Test func agreesWhereBothKnowTheSameKeys() {
        #expect(messages(Self.parser, Self.schema) == [])
    }

    @Test func findsAKeyThatOneSideLacks() {
        #expect(
            messages(Self.parser.replacing("\"offset\"", with: "\"shift\""), Self.schema) == [
                "Sources/Topology/R.swift:8: 'window' of step '…': docs/schema/t.schema.json lacks "
                    + "the key 'shift'",
                "docs/schema/t.schema.json: 'window' of step '…': the parser does not know the key "
                    + "'offset'",
            ])
        #expect(
            messages(
                Self.parser.replacing("[\"filter\", ", with: "[\"machine\", \"filter\", "),
                Self.schema) == [
                    "Sources/Topology/R.swift:3: step '…': docs/schema/t.schema.json lacks the key "
                        + "'machine'"
                ])
    }

    @Test func findsAMappingThatOneSideLacks() {
        #expect(
            messages(Self.parser.replacing("an item", with: "a thing"), Self.schema) == [
                "Sources/Topology/R.swift:12: no object of docs/schema has \"$comment\": \"parser: "
                    + "a thing\"",
                "docs/schema/t.schema.json: the parser reads no mapping 'an item'",
            ])
    }

    @Test func asksForKeysThatItCanRead() {
        #expect(
            messages(Self.parser.replacing("sources +", with: "others +"), Self.schema) == [
                "Sources/Topology/R.swift:12: keys 'others' of an item: write them out, or in a "
                    + "'let' before it"
            ])
    }

    @Test func findsASchemaThatIsNoJSON() {
        #expect(messages("", "{") == ["docs/schema/t.schema.json: no JSON"])
    }
}
