import Columnar
import Dataflow
import Primitives
import Testing
import Topology

/// Broken topologies never trap: there is a plan, or there are diagnostics with places.
@Suite struct FuzzTests {
    private static let pieces = [
        "", " ", "  ", "\n", "\t", ":", ": ", "- ", "{", "}", "[", "]", ",", "\"", "'", "#", "&a ",
        "*a",
        "!x ", "|", ">", "\\", "0", "-1", "9999999999999999999999", "1e9", "0.5", "5s", "null",
        "true",
        "device", "load", "crane", "mean(", "count()", "(((", ")))", "load.", ".", "\u{0}",
        "\u{85}",
        "\u{FEFF}", "中", "😀", "e\u{301}", "\r\n", "? ", "---\n", "<<: ", "decimal(", "list<", "t",
        "interpolate(", "&&", "==", "raise", "clear", "key", "from",
    ]

    private func mutate(_ text: String, _ random: inout RandomSource) -> String {
        var characters = Array(text)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let at = Int.random(in: 0...characters.count, using: &random)
            let length = min(
                characters.count - at, Int.random(in: 0...12, using: &random) / 2)
            let piece = Self.pieces[Int.random(in: 0..<Self.pieces.count, using: &random)]
            switch Int.random(in: 0..<5, using: &random) {
            case 0: characters.removeSubrange(at..<at + length)
            case 1: characters.insert(contentsOf: piece, at: at)
            case 2: characters.replaceSubrange(at..<at + length, with: piece)
            case 3:
                // A line goes, stays twice, or changes places.
                var lines = characters.split(
                    separator: "\n", omittingEmptySubsequences: false
                ).map { Array($0) }
                let line = lines.remove(at: Int.random(in: 0..<lines.count, using: &random))
                for _ in 0..<Int.random(in: 0...2, using: &random) {
                    lines.insert(line, at: Int.random(in: 0...lines.count, using: &random))
                }
                characters = Array(lines.joined(separator: "\n"))
            default:
                let from = Int.random(in: 0...characters.count, using: &random)
                let end = min(characters.count, from + length * 4)
                characters.insert(contentsOf: Array(characters[from..<end]), at: at)
            }
        }
        return String(characters)
    }

    @Test(arguments: [11, 12, 13])
    func mutatedTopologies(seed: UInt64) throws {
        print("seed \(seed)")
        var random = RandomSource(seed: seed)
        let names = ["topology.yaml", "schemas/crane-load.yaml", "schemas/crane.yaml"]
        var plans = 0
        for round in 0..<250 {
            var files = Crane.texts(round % 2 == 0 ? Crane.topology : Operators.everything)
            let name = names[max(0, Int.random(in: -3...2, using: &random))]
            files.texts[name] = mutate(files.texts[name] ?? "", &random)
            do {
                let plan = try TopologyLoader.load(files).plan
                plans += 1
                let again = try TopologyLoader.load(canonicalText: plan.canonicalText)[0]
                #expect(again.canonicalText == plan.canonicalText, "\(files.texts[name] ?? "")")
            } catch {
                #expect(!error.diagnostics.isEmpty)
                for diagnostic in error.diagnostics {
                    guard let place = diagnostic.location else {
                        Issue.record("no place: \(diagnostic)")
                        continue
                    }
                    #expect(
                        place.file != "plan",
                        "canonical text is refused: \(diagnostic)\n\(files.texts[name] ?? "")")
                    #expect(place.line >= 1 && place.column >= 1)
                }
            }
        }
        #expect(plans > 0 && plans < 250)
    }

    @Test func mutatedCases() throws {
        print("seed 21")
        var random = RandomSource(seed: 21)
        let plan = try TopologyLoader.load(Crane.texts(Crane.topology)).plan
        let text = """
            case: c
            input:
              - load: {device: C1, ts: "2026-03-02T08:00:01Z", mass: 2.80}
                arrival: "2026-03-02T08:00:02Z"
              - tick: "2026-03-02T09:00:00Z"
            expect:
              alarms.crane:
                - {key: C1, time: "2026-03-02T08:00:02Z", level: warning}
              rejects:
                - {source: load, reason: late, row: 1}
            """
        for _ in 0..<300 {
            let source = SourceText(name: "c", text: mutate(text, &random))
            do {
                let file = try CaseFile.read(source, for: [plan])
                _ = CaseComparison.difference(file, produced: [:], rejects: [])
            } catch {
                #expect(!error.diagnostics.isEmpty)
            }
        }
    }
}
