/// No file knows the machine it was written on.
enum MachinePathRule {
    /// Folders of somebody's machine.
    private static let patterns = ["/work/", "/home/", "/Users/", "../shared"]

    /// Files that may hold one, with the reason.
    static let exceptions: [String: String] = [
        "Tests/TidyTests/MachinePathRule.swift": "spells the paths that it forbids",
        "Tests/TidyTests/MachinePathRuleTests.swift": "its samples spell the paths",
    ]

    static func check(_ file: SourceFile) -> [Finding] {
        guard exceptions[file.path] == nil else { return [] }
        var findings: [Finding] = []
        for pattern in patterns {
            let wanted = Array(pattern.utf8)
            guard let position = firstPosition(of: wanted, in: file.bytes) else { continue }
            let line = file.bytes[..<position].count { $0 == UInt8(ascii: "\n") } + 1
            let message = "\(pattern): a path of one machine; use one inside the project"
            findings.append(Finding(file.path, line, message))
        }
        return findings
    }

    private static func firstPosition(of wanted: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= wanted.count else { return nil }
        let span = bytes.span
        let pattern = wanted.span
        var start = 0
        while start <= span.count - pattern.count {
            var length = 0
            while length < pattern.count, span[start + length] == pattern[length] { length += 1 }
            if length == pattern.count { return start }
            start += 1
        }
        return nil
    }
}
