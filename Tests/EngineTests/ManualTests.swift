import Engine
import Foundation
import Testing
import Topology

/// The examples of the reference manual, run as they are printed.
///
/// A fenced block whose first line is ```` ```yaml <path> ```` is a file; the blocks of a page are
/// one topology with its schemas and cases.
@Suite struct ManualTests {
    private static let pages = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("docs/reference/operators")

    private static func files(_ page: String) -> [String: String] {
        var files: [String: String] = [:]
        var open: String?
        for line in page.components(separatedBy: "\n") {
            if let path = open {
                if line.hasPrefix("```") { open = nil } else { files[path, default: ""] += line + "\n" }
            } else if line.hasPrefix("```yaml ") {
                open = String(line.dropFirst(8))
            }
        }
        return files
    }

    @Test func examplesRun() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.pages.path)
        var ran = 0
        for name in names.sorted() where name.hasSuffix(".md") {
            let text = try String(
                contentsOf: Self.pages.appendingPathComponent(name), encoding: .utf8)
            let files = Self.files(text)
            guard files["topology.yaml"] != nil else { continue }
            let texts = TopologyTexts(files)
            do {
                let plan = try TopologyLoader.load(texts).plan
                for file in try CaseFile.load(texts, for: plan) {
                    let difference = try CaseRunner(plan: plan).run(file)
                    #expect(difference == nil, "\(name), case \(file.name):\n\(difference ?? "")")
                    ran += 1
                }
            } catch let error as DiagnosticList {
                Issue.record("\(name): \(error.diagnostics.map { "\($0)" })")
            }
        }
        #expect(ran > 0)
    }
}
