import Engine
import Foundation
import Primitives
import Testing
import Topology

/// Runs the examples of the manual: in a page, a fenced block whose first line is
/// "```yaml NAME" is the file NAME of a topology's folder; its `cases/*.yaml` must pass.
@Suite struct ManualTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("docs/reference")

    static var pages: [String] {
        ["operators", "functions"].flatMap { part -> [String] in
            let path = folder.appendingPathComponent(part).path
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            return names.filter { $0.hasSuffix(".md") }.sorted().map { "\(part)/\($0)" }
        }
    }

    @Test func thereArePages() { #expect(!Self.pages.isEmpty) }

    @Test(arguments: pages) func examplesOfThePageHold(_ page: String) throws {
        let text = try String(contentsOf: Self.folder.appendingPathComponent(page), encoding: .utf8)
        let files = Self.files(in: text)
        guard files["topology.yaml"] != nil else {
            Issue.record("\(page) has no example: a block that begins with ```yaml topology.yaml")
            return
        }
        let folder = TopologyTexts(files)
        let loaded = try TopologyLoader.load(folder)
        let cases = try CaseFile.load(folder, for: loaded.plans)
        #expect(!cases.isEmpty, "\(page) has no case")
        for file in cases {
            let difference = try CaseRunner(plans: loaded.plans).run(file)
            #expect(difference == nil, "\(page), case '\(file.name)': \(difference ?? "")")
        }
    }

    /// The named blocks of a page, by name.
    private static func files(in text: String) -> [String: String] {
        var files: [String: String] = [:]
        var name: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let open = name {
                if line == "```" { name = nil } else { files[open, default: ""] += line + "\n" }
            } else if line.hasPrefix("```yaml ") {
                name = String(line.dropFirst("```yaml ".count))
            }
        }
        return files
    }
}
