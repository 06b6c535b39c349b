import Primitives

/// Where a topology's files come from: a folder, or texts in memory.
package protocol TopologyFiles: Sendable {
    /// How diagnostics name a file, such as `topologies/crane/topology.yaml`.
    func displayName(of name: String) -> String
    /// The text of `topology.yaml`, `schemas/<name>.yaml`, `schemas/<name>.avsc`,
    /// `schemas/<subject>/<id>.avsc`, `rules/<name>.yaml` or `cases/<name>.yaml`; nil when there is
    /// no such file, a diagnostic when it cannot be read.
    func read(_ name: String) throws(Diagnostic) -> SourceText?
    /// The bytes of `schemas/<name>.desc`; nil and a diagnostic as for `read`.
    func readBytes(_ name: String) throws(Diagnostic) -> [UInt8]?
    /// Names of the schemas at hand, sorted, without `.yaml`.
    func schemaNames() -> [String]
    /// Names of the rule files at hand, sorted, without `.yaml`.
    func ruleNames() -> [String]
    /// Names of the files `schemas/<subject>/*.avsc` at hand, sorted, without `.avsc`.
    func avroNames(of subject: String) -> [String]
    /// Names such as `cases/late.yaml` of the case files, sorted.
    func caseNames() throws(Diagnostic) -> [String]
}

/// Topology files in memory, by name.
package struct TopologyTexts: TopologyFiles {
    package var texts: [String: String]
    /// Files that are no text.
    package var bytes: [String: [UInt8]] = [:]

    package init(_ texts: [String: String]) { self.texts = texts }

    package func displayName(of name: String) -> String { name }

    package func read(_ name: String) throws(Diagnostic) -> SourceText? {
        texts[name].map { SourceText(name: name, text: $0) }
    }

    package func readBytes(_ name: String) throws(Diagnostic) -> [UInt8]? { bytes[name] }

    private func names(in folder: String) -> [String] {
        texts.keys.filter { $0.hasPrefix(folder) && $0.hasSuffix(".yaml") }.sorted()
    }

    package func schemaNames() -> [String] {
        names(in: "schemas/").map { String($0.dropFirst(8).dropLast(5)) }.sorted()
    }

    package func ruleNames() -> [String] {
        names(in: "rules/").map { String($0.dropFirst(6).dropLast(5)) }.sorted()
    }

    package func avroNames(of subject: String) -> [String] {
        let folder = "schemas/\(subject)/"
        return texts.keys.filter { $0.hasPrefix(folder) && $0.hasSuffix(".avsc") }
            .map { String($0.dropFirst(folder.count).dropLast(5)) }.sorted()
    }

    package func caseNames() throws(Diagnostic) -> [String] { names(in: "cases/") }
}
