import Foundation
import TestKit

/// Scenarios on which the engines once differed: topology, records and what happened, as the
/// failing search printed them, each with what was wrong.
enum ReferenceRegressions {
    struct Scenario: Decodable, CustomStringConvertible, Sendable {
        var what: String
        var scenario: ReferenceScenario

        var description: String { what }
    }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Fixtures/regressions")

    static func all() throws -> [Scenario] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path()).sorted()
        return try names.filter { $0.hasSuffix(".json") }.map { name in
            try JSONDecoder().decode(
                Scenario.self, from: Data(contentsOf: folder.appending(path: name)))
        }
    }
}
