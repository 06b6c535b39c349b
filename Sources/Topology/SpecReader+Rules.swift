import Primitives

/// One entry of `rules:`: the name that steps use, and that of the file in `rules/`.
package struct RulesSpec: Sendable {
    package var name: Located<String>
    package var file: Located<String>
}

/// A look-up of rules in a step: an expression for each scope field.
package struct RulesLookupSpec: Sendable {
    package var rules: Located<String>
    package var scope: [NamedExpression]
}

extension SpecReader {
    /// `rules: {limits: dust-limits}`.
    func readRules(_ reader: MappingReader) -> [RulesSpec] {
        let example = "rules: {limits: dust-limits}"
        guard let node = reader["rules"] else { return [] }
        guard let entries = node.entries else {
            collector.report(
                "'rules' must be a mapping of names to rule files, not \(node.kind)",
                at: node.location, hint: example)
            return []
        }
        return entries.compactMap { entry in
            ruleNames.insert(entry.key)
            guard declare(entry.key, at: entry.keyLocation, kind: "rules") else {
                brokenNames.insert(entry.key)
                return nil
            }
            guard let file = entry.value.text, NameRules.isLabel(file) else {
                collector.report(
                    "'\(entry.key)' must name a rule file, not "
                        + (entry.value.text.map { "'\($0)'" } ?? entry.value.kind),
                    at: entry.value.location,
                    hint: "the name of a file in rules/, without '.yaml'")
                brokenNames.insert(entry.key)
                return nil
            }
            return RulesSpec(
                name: Located(value: entry.key, location: entry.keyLocation),
                file: Located(value: file, location: entry.value.location))
        }
    }

    /// A look-up with a scope, of rules that are not declared.
    func reportUnknownRules(_ entry: YAMLNode.Entry) {
        let near = Suggestion.nearest(to: entry.key, in: ruleNames.sorted())
        if let near { brokenReads.insert(near) }
        collector.report(
            "there are no rules '\(entry.key)'", at: entry.keyLocation,
            hint: near.map { "did you mean '\($0)'?" }
                ?? "name their file under 'rules: {\(entry.key): …}'; a table needs "
                + "'\(entry.key): <key field>'")
    }

    /// `limits: {region: site.region, stage: site.stage}` of a `lookup:`, or nil after a
    /// diagnostic.
    func readRulesLookup(_ entry: YAMLNode.Entry) -> RulesLookupSpec? {
        let name = Located(value: entry.key, location: entry.keyLocation)
        if let entries = entry.value.entries, entries.isEmpty {
            return RulesLookupSpec(rules: name, scope: [])
        }
        let scope = named(
            entry.value, name: entry.key, example: "{region: site.region, stage: site.stage}",
            nameProblem: NameRules.problem(identifier:))
        return scope.map { RulesLookupSpec(rules: name, scope: $0) }
    }
}
