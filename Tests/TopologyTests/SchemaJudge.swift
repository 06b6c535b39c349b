import Foundation
import Testing

/// The JSON Schemas in docs/schema, applied by another program (python3-jsonschema): what tools and
/// editors would say of a document.
///
/// Threading: any thread. A missing Python module fails the tests that ask; it is not optional.
final class SchemaJudge: @unchecked Sendable {
    // `@unchecked`: the pipes are guarded by `lock`.
    enum Kind: String, Encodable { case topology, schema, rules, `case` }

    static let shared = Result { try SchemaJudge() }

    private let lock = NSLock()
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    private init() throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("judge_documents.py")
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [script.path]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    private struct Request: Encodable {
        var kind: Kind
        var text: String
    }

    private struct Answer: Decodable {
        var error: String?
    }

    /// What the schema has against a document; nil when nothing.
    static func error(_ kind: Kind, _ text: String) throws -> String? {
        try shared.get().ask(Request(kind: kind, text: text))
    }

    private func ask(_ request: Request) throws -> String? {
        lock.lock()
        defer { lock.unlock() }
        let line = try JSONEncoder().encode(request) + Data("\n".utf8)
        try input.fileHandleForWriting.write(contentsOf: line)
        var answer = Data()
        while answer.last != UInt8(ascii: "\n") {
            let more = output.fileHandleForReading.availableData
            try #require(
                !more.isEmpty, "judge_documents.py ended; is python3-jsonschema installed?")
            answer += more
        }
        return try JSONDecoder().decode(Answer.self, from: answer).error
    }
}
