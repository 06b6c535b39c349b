/// Arrows point down only: what each target may import, read from each file's own imports.
///
/// SwiftPM does not check this: a target may import whatever its dependencies depend on.
enum ImportRule {
    /// Modules of ours and of packages, by target. Test-only modules are in `testModules`.
    static let allowed: [String: Set<String>] = [
        "CLZ4": [],
        "CZstd": [],
        "CZlib": [],
        "CSnappy": [],
        "CCRC32C": [],
        "CRdkafka": [],
        "CSimdjson": [],
        "Primitives": ["CCRC32C"],
        "Columnar": ["Primitives"],
        "Expression": ["Primitives", "Columnar"],
        "RecordLog": ["Primitives", "CLZ4", "CZstd", "CZlib", "CSnappy"],
        "Dataflow": ["Primitives", "Columnar", "Expression"],
        "Topology": ["Primitives", "Columnar", "Expression", "Dataflow", "Yams"],
        "Connectors": [
            "Primitives", "Columnar", "Expression", "RecordLog", "Dataflow", "Topology",
            "CRdkafka",
        ],
        "Engine": [
            "Primitives", "Columnar", "Expression", "RecordLog", "Dataflow", "Topology",
            "Connectors", "Crypto",
        ],
        "Simulation": ["Primitives"],
        "plumbline": [
            "Primitives", "Columnar", "Expression", "RecordLog", "Dataflow", "Topology",
            "Connectors", "Engine", "Simulation", "ArgumentParser",
        ],
        "TestKit": [
            "Primitives", "Columnar", "Expression", "RecordLog", "Dataflow", "Topology",
            "Connectors", "Engine", "Simulation",
        ],
        "Micro": [
            "CAllocations", "CSnappy", "CZlib", "Primitives", "Columnar", "Expression",
            "RecordLog", "Dataflow", "Topology", "Connectors", "Engine", "Simulation",
        ],
    ]

    /// Modules of the platform. Pure targets have none of them: no I/O, no thread, no clock.
    static let platform: [String: Set<String>] = [
        "RecordLog": ["Glibc", "Synchronization"],
        "Topology": ["Glibc"],
        "Connectors": [
            "Glibc", "Synchronization", "Dispatch", "Foundation", "FoundationEssentials",
            "FoundationNetworking",
        ],
        "Engine": ["Glibc", "Synchronization", "Dispatch", "Foundation", "FoundationEssentials"],
        "plumbline": [
            "Glibc", "Synchronization", "Dispatch", "Foundation", "FoundationEssentials",
        ],
        "TestKit": ["Glibc", "Synchronization", "Dispatch", "Foundation", "FoundationEssentials"],
    ]

    /// What a test may import besides every target but `plumbline`.
    static let testModules: Set<String> = [
        "Testing", "Foundation", "FoundationEssentials", "Glibc", "Synchronization", "Crypto",
        "Yams",
    ]

    /// Files that need a platform module in a target that has none: `path: [module: reason]`.
    static let exceptions: [String: [String: String]] = [:]

    static func check(_ file: SourceFile) -> [Finding] {
        let parts = file.path.split(separator: "/").map(String.init)
        guard file.isSwift, parts.count > 2 else { return [] }
        let imports = imports(of: file)
        var findings: [Finding] = []
        for (line, text) in SwiftCode(file.bytes).lines.enumerated()
        where text.contains("@testable") {
            findings.append(
                Finding(file.path, line + 1, "@testable rebuilds every module; use package access"))
        }
        if parts[0] == "Tests" {
            let known = testModules.union(allowed.keys).subtracting(["plumbline"])
            for (module, line) in imports where !known.contains(module) {
                findings.append(Finding(file.path, line, "tests may not import \(module)"))
            }
        }
        guard parts[0] == "Sources" else { return findings }
        let target = parts[1]
        guard let own = allowed[target] else {
            let message = "target \(target) is not in the import table of \(Self.self)"
            return findings + [Finding(file.path, 0, message)]
        }
        let known = own.union(platform[target] ?? [])
        for (module, line) in imports
        where !known.contains(module) && exceptions[file.path]?[module] == nil {
            let list = known.isEmpty ? "nothing" : known.sorted().joined(separator: ", ")
            let message = "\(target) may not import \(module); it may import \(list)"
            findings.append(Finding(file.path, line, message))
        }
        return findings
    }

    /// Modules that a file imports, with lines; `import struct A.B` and `import A.B` are A.
    static func imports(of file: SourceFile) -> [(module: String, line: Int)] {
        let kinds: Set = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
        let tokens = SwiftToken.scan(SwiftCode(file.bytes))
        var result: [(module: String, line: Int)] = []
        for (index, token) in tokens.enumerated() where token.text == "import" {
            if index > 0, tokens[index - 1].text == "." { continue }
            var next = index + 1
            if next < tokens.count, kinds.contains(tokens[next].text) { next += 1 }
            if next < tokens.count { result.append((tokens[next].text, token.line)) }
        }
        return result
    }
}
